//! What few hosts do: kept apart from the hosts, so that the many that do none of it pay nothing for it.

use heapless::Vec;
use terms::{Span, Timestamp};

use crate::rate::Recent;
use crate::table::Worth;

/// Octets of an echo that are compared with its answer.
const ECHOED: usize = 64;
/// Octets at the head of an echo in which programs write the time.
const STAMP: usize = 16;
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
    other: Recent<16>,
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
    pub(crate) fn asked(&mut self, said: Said<'_>) {
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
    pub(crate) fn answered(&mut self, said: Said<'_>, at: Timestamp) -> Option<u16> {
        let from = if said.number == self.number { 0 } else { STAMP };
        let same = said.payload.iter().zip(&self.payload).skip(from).all(|(a, b)| a == b);
        if same && said.len <= self.len {
            return None;
        }
        Some(self.other.note(0, at, HORIZON))
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
