//! Hosts and ports that are tried one after the other.

use std::net::{IpAddr, Ipv4Addr};

use terms::{Span, Timestamp};

use crate::scenes::chance::{Between, drawn_for};
use crate::scenes::conversation::{Conversation, Way};
use crate::scenes::packet::{self, Said};
use crate::scenes::site::Peer;
use crate::scenes::stage::Stage;

use super::whom::To;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knock {
    /// Ports of one host of the network, one after the other, from this number on.
    Ports(u8),
    /// One port of ever further hosts of the network.
    Neighbors(u16),
    /// One of two ports of ever further hosts of the internet; the second is tried once in ten.
    Strangers(u16, u16),
}

/// A run of attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attempts {
    /// Where the order begins.
    pub seed: u64,
    /// What is tried.
    pub knock: Knock,
    /// Attempts at a time.
    pub times: Between,
    /// Seconds between two of them.
    pub gap: Between,
    /// How many in a hundred are taken in; of the others one in three is refused, and nobody answers the rest.
    pub open: f64,
}

/// Tries somebody who is not there, or who refuses: always the same for one port.
pub(super) fn miss(to: To, port: u16, times: Between, mut at: Timestamp, stage: &mut Stage) {
    for _ in 0..times.whole(&mut stage.random) {
        let (known, peer, _) = to.find(at, stage);
        let port = to.port(port, &peer);
        let refused = drawn_for(&peer.v4.to_string(), port.into()).happens(0.4);
        if matches!(to, To::Here(..)) && !refused {
            nobody_there(peer.v4, known, stage);
        } else {
            let (known, own, far) = stage.reach(known, &peer);
            let who = ([own, far], [stage.port(), port]);
            Conversation::fail(stage, known, who, peer.rtt, refused, if refused { 0 } else { 2 });
        }
        at = at + Between(0.3, 5.0).span(&mut stage.random);
    }
}

impl Attempts {
    pub(super) fn make(&self, time: u64, mut at: Timestamp, stage: &mut Stage) {
        let count = self.times.whole(&mut stage.random) as u64;
        for n in 0..count {
            self.try_one(time << 16 | n, time * self.times.1 as u64 + n, at, stage);
            at = at + self.gap.span(&mut stage.random);
        }
    }

    /// `number` is different for each attempt, `step` counts them, with gaps where fewer were made than could be.
    fn try_one(&self, number: u64, step: u64, at: Timestamp, stage: &mut Stage) {
        let mut fate = drawn_for("fate", self.seed ^ number);
        match self.knock {
            Knock::Ports(host) => {
                let port = 1 + drawn_for("ports", self.seed ^ step).below(10_000) as u16;
                let peer = stage.site.host(host);
                let fails = if fate.happens(self.open / 100.0) { None } else { Some(true) };
                self.connect(&peer, port, fails, at, stage);
            }
            Knock::Neighbors(port) => {
                let number = 2 + (step % 250) as u8;
                if number == stage.device.number {
                    return;
                }
                let peer = stage.site.host(number);
                match fate.share() {
                    share if share < self.open / 100.0 => self.connect(&peer, port, None, at, stage),
                    share if share < 0.25 => self.connect(&peer, port, Some(true), at, stage),
                    _ => nobody_there(peer.v4, at, stage),
                }
            }
            Knock::Strangers(first, second) => {
                let port = if fate.happens(0.1) { second } else { first };
                let peer = Peer { v6: None, ..stage.site.nameless(self.seed ^ number) };
                let fails = match fate.share() {
                    share if share < self.open / 100.0 => None,
                    share => Some(share < 0.35),
                };
                self.connect(&peer, port, fails, at, stage);
            }
        }
    }

    /// Tries one port: `fails` tells whether it is refused or nobody answers; nothing where it is taken in.
    fn connect(&self, peer: &Peer, port: u16, fails: Option<bool>, at: Timestamp, stage: &mut Stage) {
        let (at, own, far) = stage.reach(at, peer);
        let who = ([own, far], [stage.port(), port]);
        if let Some(refused) = fails {
            let again = if refused { 0 } else { stage.random.below(2) as u32 };
            Conversation::fail(stage, at, who, peer.rtt, refused, again);
            return;
        }
        let mut taken_in = Conversation::open(stage, at, who, Way::Up, (peer.rtt, peer.pace));
        for (way, len) in [(Way::Down, 30), (Way::Up, 40), (Way::Down, 60), (Way::Up, 300)] {
            taken_in.say(stage, way, &Said::long([0xff, 0xfd, 1], len));
        }
        taken_in.close(stage, Way::Up);
    }
}

/// Questions by ARP for an address that nobody has.
fn nobody_there(address: Ipv4Addr, at: Timestamp, stage: &mut Stage) {
    let own = stage.device.end4();
    let IpAddr::V4(from) = own.ip else { return };
    for n in 0..3 {
        stage.send(packet::arp(at + Span::from_secs(n), (own.mac, from), address, None));
    }
}
