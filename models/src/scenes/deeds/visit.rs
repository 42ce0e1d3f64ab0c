//! TCP conversations that are held for something: pages, uploads, mail, shells, keep-alives.

use terms::Timestamp;

use crate::scenes::chance::Between;
use crate::scenes::conversation::{Conversation, Way};
use crate::scenes::speech;
use crate::scenes::stage::Stage;

use super::dialog::Speech;
use super::whom::To;

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
                self.speech.greet(&mut conversation, name.as_deref(), stage);
                // What is only listened to is asked for once.
                if self.speech == Speech::Http && self.up.1 == 0.0 {
                    let said = speech::request(name.as_deref().unwrap_or("device"), "live", &stage.device.agent, 0);
                    conversation.say(stage, Way::Up, &said);
                }
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
        let who = ([own, far], [stage.port(), self.to.port(self.port, &peer)]);
        (Conversation::open(stage, known, who, Way::Up, (peer.rtt, peer.pace)), name)
    }

    fn hold(&self, mut conversation: Conversation, name: Option<&str>, stage: &mut Stage) {
        self.speech.greet(&mut conversation, name, stage);
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

    /// One question and its answer.
    fn turn(&self, with: &mut Conversation, name: Option<&str>, stage: &mut Stage) {
        let (up, down) = (self.up.whole(&mut stage.random), self.down.whole(&mut stage.random));
        if up > 0 {
            let said = self.speech.said(up, Way::Up, name, stage);
            with.say(stage, Way::Up, &said);
        }
        if down > 0 {
            with.wait(Between(0.0, 0.05).span(&mut stage.random));
            let said = self.speech.said(down, Way::Down, name, stage);
            with.say(stage, Way::Down, &said);
        }
    }
}
