//! What few hosts do: kept apart from the hosts, so that the many that do none of it pay nothing for it.

use heapless::Vec;
use terms::{Span, Timestamp};

use crate::rate::Recent;
use crate::table::Worth;

/// Octets of an echo that are compared with its answer.
const ECHOED: usize = 64;
/// Octets at the head of an echo in which programs write the time.
const STAMP: usize = 16;
/// From so many changes a minute on, echoes carry something.
const VARIED: u16 = 3;
/// How long an answer to an echo counts.
const HORIZON: Span = Span::from_secs(60);
/// From so many entries of a kind on, a row speaks for an attack and makes room late.
const TELLING: usize = 3;

/// What one host did, the last of each kind.
#[derive(Clone, Debug, Default)]
pub struct Doings {
    pub(crate) last: Timestamp,
    /// IP protocols.
    pub(crate) protocols: Recent<16>,
    /// Targets of failed log-ins.
    pub(crate) logins: Recent<32>,
    /// Base domains that do not exist.
    pub(crate) no_such_names: Recent<64>,
    /// Mail servers.
    pub(crate) mail_servers: Recent<32>,
    /// Receivers of redirects.
    pub(crate) redirects: Recent<8>,
}

/// The last echo of one id that one host asked of another, and the answers that were none.
#[derive(Clone, Debug, Default)]
pub struct Echo {
    pub(crate) last: Timestamp,
    number: (u16, u16),
    len: u32,
    payload: Vec<u8, ECHOED>,
    /// Echoes that carried something else than the one before.
    varied: Recent<8>,
    other: Recent<16>,
}

/// Answers of the last minute that carry something else than what was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Other {
    pub answers: u16,
    /// Whether the questions carry something, too: who only pings is not to blame for what it is answered.
    pub asked_for: bool,
}

/// What an echo or its answer says: its id and sequence number, the octets that it carries as far as they were captured, and how
/// many they were on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub number: (u16, u16),
    pub payload: &'a [u8],
    pub len: u32,
}

impl Echo {
    /// Notes what an echo carries.
    pub(crate) fn asked(&mut self, said: Said<'_>, at: Timestamp) {
        let first = self.payload.is_empty() && self.len == 0;
        if !first && (self.differs(said, STAMP) || said.len != self.len) {
            self.varied.note(0, at, HORIZON);
        }
        let kept = said.payload.get(..ECHOED).unwrap_or(said.payload);
        (self.number, self.len) = (said.number, said.len);
        self.payload = Vec::from_slice(kept).unwrap_or_default();
    }

    /// Notes the answer to an echo. Where it carries something else, returns how many in the last minute did.
    ///
    /// An answer to the last echo must be equal to it. One to an echo before must be equal behind the first octets, where programs
    /// write the time: who pings sends the same again and again.
    ///
    /// **Source**: RFC 792: "the data received in the echo message must be returned in the echo reply message". Some servers cut
    /// it short; that is no other data.
    pub(crate) fn answered(&mut self, said: Said<'_>, at: Timestamp) -> Option<Other> {
        let from = if said.number == self.number { 0 } else { STAMP };
        if !self.differs(said, from) && said.len <= self.len {
            return None;
        }
        let asked_for = self.varied.count(at, HORIZON) >= VARIED;
        Some(Other { answers: self.other.note(0, at, HORIZON), asked_for })
    }

    /// Whether something differs from the last echo behind so many octets, as far as both were captured.
    fn differs(&self, said: Said<'_>, from: usize) -> bool {
        said.payload.iter().zip(&self.payload).skip(from).any(|(a, b)| a != b)
    }
}

impl Worth for Doings {
    fn class(&self) -> u8 {
        let Self { last: _, protocols, logins, no_such_names, mail_servers, redirects } = self;
        let most = [protocols.len(), logins.len(), no_such_names.len(), mail_servers.len(), redirects.len()];
        u8::from(most.into_iter().any(|n| n >= TELLING))
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}

impl Worth for Echo {
    fn class(&self) -> u8 {
        u8::from(self.other.len() > 0)
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}
