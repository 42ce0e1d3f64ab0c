//! TCP conversations that are held for something: pages, uploads, mail, shells, keep-alives.

use terms::{Span, Timestamp};

use crate::scenes::chance::Between;
use crate::scenes::conversation::{Conversation, Way};
use crate::scenes::packet::Said;
use crate::scenes::speech::{self, Hello};
use crate::scenes::stage::Stage;

use super::whom::To;

/// How the two ends speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// TLS with the server's name.
    Tls,
    /// TLS by somebody who does not say whom he wants.
    TlsUnnamed,
    /// TLS with the server's name, by a program that brings its own library.
    TlsForeign,
    /// The same without the name.
    TlsForeignUnnamed,
    /// HTTP.
    Http,
    /// SSH.
    Ssh,
    /// SMTP that goes on as TLS (RFC 3207).
    Smtp,
    /// SMB.
    Smb,
    /// Stratum, in which miners talk to their pool.
    Stratum,
    /// MQTT without TLS.
    Mqtt,
    /// Something of the program's own.
    Raw,
}

/// A conversation as it is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// With whom.
    pub to: To,
    /// At which port.
    pub port: u16,
    /// How.
    pub speech: Speech,
    /// Conversations at a time, one shortly after the other.
    pub times: Between,
    /// Questions and answers in each.
    pub turns: Between,
    /// Octets of a question.
    pub up: Between,
    /// Octets of an answer; none if nobody answers.
    pub down: Between,
    /// Seconds between an answer and the next question.
    pub think: Between,
}

impl Visit {
    /// One conversation of one turn.
    #[must_use]
    pub const fn new(to: To, port: u16, speech: Speech, up: Between, down: Between) -> Self {
        let one = Between::exactly(1.0);
        Self { to, port, speech, times: one, turns: one, up, down, think: Between(0.01, 0.5) }
    }

    /// Over TLS, at its usual port.
    #[must_use]
    pub const fn tls(to: To, up: Between, down: Between) -> Self {
        Self::new(to, 443, Speech::Tls, up, down)
    }

    /// Over HTTP, at its usual port.
    #[must_use]
    pub const fn http(to: To, up: Between, down: Between) -> Self {
        Self::new(to, 80, Speech::Http, up, down)
    }

    /// So many at a time.
    #[must_use]
    pub const fn times(self, times: Between) -> Self {
        Self { times, ..self }
    }

    /// So many turns, with so many seconds in between.
    #[must_use]
    pub const fn turns(self, turns: Between, think: Between) -> Self {
        Self { turns, think, ..self }
    }

    /// The device opens the conversations.
    pub(super) fn pay(&self, mut at: Timestamp, stage: &mut Stage) {
        for _ in 0..self.times.whole(&mut stage.random) {
            let (conversation, name) = self.open(at, stage);
            self.hold(conversation, name.as_deref(), stage);
            at = at + Between(0.02, 1.5).span(&mut stage.random);
        }
    }

    /// Somebody else opens them with the device.
    pub(super) fn receive(&self, mut at: Timestamp, stage: &mut Stage) {
        for _ in 0..self.times.whole(&mut stage.random) {
            let (_, peer, _) = match self.to {
                // Who comes has no name that the device would ask for.
                To::Name(..) | To::Drawn(_) => To::Addresses(1, 200).find(at, stage),
                to => to.find(at, stage),
            };
            let (known, own, far) = stage.reach(at, &peer);
            let port = 32_768 + stage.random.below(28_000) as u16;
            let who = ([far, own], [port, self.port]);
            let conversation = Conversation::open(stage, known, who, Way::Down, (peer.rtt, peer.pace));
            self.hold(conversation, None, stage);
            at = at + Between(0.02, 1.5).span(&mut stage.random);
        }
    }

    /// One turn in a conversation that stays open.
    pub(super) fn keep(
        &self,
        kept: &mut Option<(Conversation, Option<String>, Timestamp)>,
        lasting: Between,
        at: Timestamp,
        stage: &mut Stage,
    ) {
        if let Some((conversation, ..)) = kept.take_if(|(.., until)| *until <= at) {
            let mut over = conversation;
            over.wait_until(at);
            over.close(stage, Way::Up);
        }
        let (mut conversation, name, until) = match kept.take() {
            Some(open) => open,
            None => {
                let (mut conversation, name) = self.open(at, stage);
                self.greet(&mut conversation, name.as_deref(), stage);
                (conversation, name, at + lasting.span(&mut stage.random))
            }
        };
        conversation.wait_until(at);
        for _ in 0..self.turns.whole(&mut stage.random) {
            self.turn(&mut conversation, name.as_deref(), stage);
            conversation.wait(self.think.span(&mut stage.random));
        }
        *kept = Some((conversation, name, until));
    }

    fn open(&self, at: Timestamp, stage: &mut Stage) -> (Conversation, Option<String>) {
        let (known, peer, name) = self.to.find(at, stage);
        let (known, own, far) = stage.reach(known, &peer);
        let who = ([own, far], [stage.port(), self.port]);
        (Conversation::open(stage, known, who, Way::Up, (peer.rtt, peer.pace)), name)
    }

    fn hold(&self, mut conversation: Conversation, name: Option<&str>, stage: &mut Stage) {
        self.greet(&mut conversation, name, stage);
        let turns = self.turns.whole(&mut stage.random);
        for n in 0..turns {
            self.turn(&mut conversation, name, stage);
            if n + 1 < turns {
                conversation.wait(self.think.span(&mut stage.random));
            }
        }
        match stage.random.share() {
            0.0..0.8 => conversation.close(stage, Way::Up),
            0.8..0.97 => conversation.close(stage, Way::Down),
            _ => conversation.abort(stage, Way::Up),
        };
    }

    /// What comes before the first question.
    fn greet(&self, with: &mut Conversation, name: Option<&str>, stage: &mut Stage) {
        match self.speech {
            Speech::Tls => greet_tls(with, name, &stage.device.hello.clone(), stage),
            Speech::TlsUnnamed => greet_tls(with, None, &stage.device.hello.clone(), stage),
            Speech::TlsForeign => greet_tls(with, name, &stage.device.foreign_hello.clone(), stage),
            Speech::TlsForeignUnnamed => greet_tls(with, None, &stage.device.foreign_hello.clone(), stage),
            Speech::Ssh => {
                with.say(stage, Way::Up, &Said::all(*b"SSH-2.0-OpenSSH_9.2p1\r\n"));
                with.say(stage, Way::Down, &Said::all(*b"SSH-2.0-OpenSSH_9.6\r\n"));
                for len in [1_500, 400, 1_100] {
                    let head = [0, 0, 4, 0xdc, 6, 20];
                    with.say(stage, Way::Up, &Said::long(head, len));
                    with.say(stage, Way::Down, &Said::long(head, len + 80));
                }
            }
            Speech::Smtp => {
                with.say(stage, Way::Down, &Said::all(*b"220 mx.example ESMTP\r\n"));
                with.say(stage, Way::Up, &Said::all(*b"EHLO mail.example\r\n"));
                with.say(stage, Way::Down, &Said::all(*b"250-mx.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n"));
                with.say(stage, Way::Up, &Said::all(*b"STARTTLS\r\n"));
                with.say(stage, Way::Down, &Said::all(*b"220 2.0.0 Ready to start TLS\r\n"));
                greet_tls(with, name, &stage.device.hello.clone(), stage);
            }
            Speech::Smb => {
                for (up, down) in [(240, 280), (166, 350), (620, 150), (170, 140)] {
                    with.say(stage, Way::Up, &smb(up));
                    with.say(stage, Way::Down, &smb(down));
                }
            }
            Speech::Stratum => {
                let login = format!(
                    "{{\"id\":1,\"method\":\"login\",\"params\":{{\"login\":\"{:032x}\",\"agent\":\"rig\"}}}}\n",
                    stage.device.own
                );
                with.say(stage, Way::Up, &Said::all(login));
                with.say(stage, Way::Down, &Said::long(*b"{\"id\":1,\"result\":{\"job\":", 420));
            }
            Speech::Mqtt => {
                with.say(stage, Way::Up, &Said::all(*b"\x10\x1a\x00\x04MQTT\x04\x02\x00\x3c\x00\x0edevice-0000001"));
                with.say(stage, Way::Down, &Said::all([0x20, 2, 0, 0]));
            }
            // What is only listened to is asked for once.
            Speech::Http if self.up.1 == 0.0 => {
                let said = speech::request(name.unwrap_or("device"), "live", &stage.device.agent, 0);
                with.say(stage, Way::Up, &said);
            }
            Speech::Http | Speech::Raw => {}
        }
    }

    /// One question and its answer.
    fn turn(&self, with: &mut Conversation, name: Option<&str>, stage: &mut Stage) {
        let (up, down) = (self.up.whole(&mut stage.random), self.down.whole(&mut stage.random));
        if up > 0 {
            let said = self.said(up, Way::Up, name, stage);
            with.say(stage, Way::Up, &said);
        }
        if down > 0 {
            with.wait(Between(0.0, 0.05).span(&mut stage.random));
            let said = self.said(down, Way::Down, name, stage);
            with.say(stage, Way::Down, &said);
        }
    }

    fn said(&self, len: usize, way: Way, name: Option<&str>, stage: &mut Stage) -> Said {
        match (self.speech, way) {
            (Speech::Http, Way::Up) => {
                let path = crate::scenes::words::spoken(&mut stage.random);
                let body = if len > 400 { len } else { 0 };
                speech::request(name.unwrap_or("device"), &path, &stage.device.agent, body)
            }
            (Speech::Http, Way::Down) => speech::response(len),
            (Speech::Smb, _) => smb(len),
            (Speech::Stratum, Way::Up) => Said::long(*b"{\"id\":7,\"method\":\"submit\",\"params\":{", len),
            (Speech::Stratum, Way::Down) => Said::long(*b"{\"jsonrpc\":\"2.0\",\"method\":\"job\",", len),
            (Speech::Mqtt, Way::Up) => Said::long([0xc0, 0], len),
            (Speech::Mqtt, Way::Down) => Said::long([0xd0, 0], len),
            (Speech::Ssh | Speech::Raw, _) => {
                let head = speech::noise(&mut stage.random, len.min(24));
                Said::long(head, len)
            }
            _ => speech::record(23, len, &mut stage.random),
        }
    }
}

fn greet_tls(with: &mut Conversation, name: Option<&str>, hello: &Hello, stage: &mut Stage) {
    let said = hello.record(name, &mut stage.random);
    with.say(stage, Way::Up, &said);
    let resumed = stage.random.happens(0.3);
    let flight = if resumed { 220 } else { 2_400 + stage.random.below(2_600) };
    let flight = speech::record(22, flight, &mut stage.random);
    with.say(stage, Way::Down, &flight);
    with.wait(Span::from_micros(900));
    let finished = 64 + stage.random.below(62);
    let finished = speech::record(20, finished, &mut stage.random);
    with.say(stage, Way::Up, &finished);
}

fn smb(len: usize) -> Said {
    let [_, a, b, c] = u32::try_from(len.max(8) - 4).unwrap_or(0).to_be_bytes();
    Said::long([0, a, b, c, 0xfe, b'S', b'M', b'B'], len)
}
