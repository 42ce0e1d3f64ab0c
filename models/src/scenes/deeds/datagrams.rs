//! Datagrams: single questions, and calls that go on for a while.

use terms::{Span, Timestamp};

use crate::scenes::chance::{Between, seconds};
use crate::scenes::packet::{self, End, Said};
use crate::scenes::speech;
use crate::scenes::stage::Stage;

use super::whom::To;

/// The ports of NTP and CoAP.
const NTP: u16 = 123;
const COAP: u16 = 5_683;
/// The longest piece of a call that is made at a time.
const PIECE: Span = Span::from_secs(1);

/// One datagram and its answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask {
    /// Of whom.
    pub to: To,
    /// At which port; a peer's own where it is none.
    pub port: u16,
    /// How many of them, shortly one after the other.
    pub times: Between,
    /// Octets of the question.
    pub up: Between,
    /// Octets of the answer.
    pub down: Between,
    /// How often there is one.
    pub answered: f64,
}

/// Datagrams both ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// With whom.
    pub to: To,
    /// At which port; a peer's own where it is none.
    pub port: u16,
    /// Datagrams a second, up and down.
    pub rates: (Between, Between),
    /// Their octets.
    pub sizes: (Between, Between),
    /// Seconds that it lasts.
    pub lasting: Between,
}

/// A call that goes on.
#[derive(Debug)]
pub(super) struct Going {
    ends: (End, End),
    ports: (u16, u16),
    rates: (f64, f64),
    until: Timestamp,
}

impl Ask {
    pub(super) fn put(&self, mut at: Timestamp, stage: &mut Stage) {
        for _ in 0..self.times.whole(&mut stage.random) {
            let (known, peer, _) = self.to.find(at, stage);
            let (known, own, far) = stage.reach(known, &peer);
            let ports = (stage.port(), self.to.port(self.port, &peer));
            let [up, down] = self.words(stage);
            stage.send(packet::udp(known, own, far, ports, &up));
            if stage.random.happens(self.answered) {
                let answered = known + peer.rtt + stage.random.delay(Span::from_millis(3));
                stage.send(packet::udp(answered, far, own, (ports.1, ports.0), &down));
            }
            at = at + Between(0.01, 0.8).span(&mut stage.random);
        }
    }

    fn words(&self, stage: &mut Stage) -> [Said; 2] {
        if self.port == NTP {
            return [3, 4].map(|mode| speech::ntp(mode, &mut stage.random));
        }
        let (up, down) = (self.up.whole(&mut stage.random), self.down.whole(&mut stage.random));
        if self.port == COAP {
            let id = (stage.random.bits() & 0xffff) as u16;
            return [speech::constrained(false, id, up), speech::constrained(true, id, down)];
        }
        [up, down].map(|len| Said::long(speech::noise(&mut stage.random, len.min(24)), len))
    }
}

impl Call {
    pub(super) fn go_on(&self, going: &mut Option<Going>, at: Timestamp, stage: &mut Stage) -> Option<Timestamp> {
        if going.is_none() {
            *going = Some(self.begin(at, stage));
        }
        let call = going.as_ref()?;
        let piece = at + PIECE;
        let ((own, far), (near, there)) = (call.ends, call.ports);
        for (rate, size, from, to, ports) in [
            (call.rates.0, self.sizes.0, own, far, (near, there)),
            (call.rates.1, self.sizes.1, far, own, (there, near)),
        ] {
            let gap = 1.0 / rate.max(0.05);
            let mut next = at + seconds(gap * stage.random.share());
            while next < piece {
                let len = size.whole(&mut stage.random);
                let said = Said::long(speech::noise(&mut stage.random, len.min(16)), len);
                stage.send(packet::udp(next, from, to, ports, &said));
                next = next + stage.random.about(gap, 0.3);
            }
        }
        if piece < call.until {
            return Some(piece);
        }
        *going = None;
        None
    }

    fn begin(&self, at: Timestamp, stage: &mut Stage) -> Going {
        let (known, peer, _) = self.to.find(at, stage);
        let (_, own, far) = stage.reach(known, &peer);
        let rates = (self.rates.0.draw(&mut stage.random), self.rates.1.draw(&mut stage.random));
        let ports = (stage.port(), self.to.port(self.port, &peer));
        Going { ends: (own, far), ports, rates, until: at + self.lasting.span(&mut stage.random) }
    }
}
