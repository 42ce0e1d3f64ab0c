//! What few hosts do: kept apart from the hosts, so that the many that do none of it pay nothing for it.

use heapless::Vec;
use terms::{MacAddr, Span, Timestamp};

use crate::rate::{Burst, Rate, Recent};
use crate::signs::Signs;
use crate::table::Worth;

/// Octets of an echo that are compared with its answer.
const ECHOED: usize = 40;
/// Echoes between two hosts that are remembered, whatever their ids.
const ECHOES: usize = 8;
/// Octets at the head of an echo in which programs write the time.
const STAMP: usize = 16;
/// From so many changes a minute on, echoes carry something.
const VARIED: u16 = 2;
/// How long an answer to an echo counts.
const HORIZON: Span = Span::from_secs(60);
/// From so many entries of a kind on, a row speaks for an attack and makes room late.
const TELLING: u16 = 3;
const LATELY: Span = Span::from_secs(600);

/// What one host did, the last of each kind.
#[derive(Clone, Debug, Default)]
pub struct Doings {
    pub(crate) last: Timestamp,
    /// Echoes asked.
    pub(crate) pings: Burst,
    /// IP protocols.
    pub(crate) protocols: Recent<16>,
    /// Targets of failed log-ins.
    pub(crate) logins: Recent<32>,
    /// Base domains that do not exist.
    pub(crate) no_such_names: Recent<64>,
    /// Base domains that do, since one did not.
    pub(crate) found_names: Recent<64>,
    /// Mail servers.
    pub(crate) mail_servers: Recent<32>,
    /// Receivers of redirects.
    pub(crate) redirects: Recent<8>,
    /// Pages that were asked for and are not there.
    pub(crate) missing_pages: Recent<64>,
    /// Requests to web servers that were begun and not ended.
    pub(crate) unfinished: Recent<32>,
    /// Requests to web servers.
    pub(crate) requests: Rate,
    /// Answers to the internet that are many times their questions.
    pub(crate) amplified: Rate,
    /// TCP ports of hosts of the network that refused or did not answer.
    pub(crate) failing: Recent<64>,
    /// Requests by HTTP that try for a weakness.
    pub(crate) web_probes: Recent<8>,
    /// Later parts of SMB transactions.
    pub(crate) smb_fragments: Recent<8>,
    /// Signs of an infection.
    pub(crate) signs: Signs,
}

/// The last echoes that one host asked of another, and the answers that were none.
#[derive(Clone, Debug, Default)]
pub struct Echoes {
    pub(crate) last: Timestamp,
    /// Who asked: an address alone can be anybody's.
    asker: MacAddr,
    asked: Vec<Echo, ECHOES>,
    oldest: usize,
    /// Echoes that carried something else than the one before of the same id.
    varied: Recent<8>,
    other: Recent<16>,
}

/// One of them.
#[derive(Clone, Debug)]
struct Echo {
    number: (u16, u16),
    len: u32,
    payload: Vec<u8, ECHOED>,
}

/// Answers of the last minute that carry something else than what was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Other {
    pub answers: u16,
    /// Who asked for them.
    pub asker: MacAddr,
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

impl Doings {
    /// Forgets all: it becomes another host's.
    pub(crate) fn renew(&mut self) {
        let Self {
            last,
            pings,
            protocols,
            logins,
            no_such_names,
            found_names,
            mail_servers,
            redirects,
            missing_pages,
            unfinished,
            requests,
            amplified,
            failing,
            web_probes,
            smb_fragments,
            signs,
        } = self;
        (*last, *requests, *amplified) = (Timestamp::EPOCH, Rate::default(), Rate::default());
        pings.clear();
        protocols.clear();
        logins.clear();
        no_such_names.clear();
        found_names.clear();
        mail_servers.clear();
        redirects.clear();
        missing_pages.clear();
        unfinished.clear();
        failing.clear();
        web_probes.clear();
        smb_fragments.clear();
        signs.renew();
    }
}

impl Echoes {
    /// Notes what an echo carries.
    pub(crate) fn ask(&mut self, said: Said<'_>, asker: MacAddr, at: Timestamp) {
        let before = self.asked.iter().rev().find(|echo| echo.number.0 == said.number.0);
        if before.is_some_and(|echo| said.len != echo.len || echo.differs(said, STAMP)) {
            self.varied.note(0, at, HORIZON);
        }
        let kept = said.payload.get(..ECHOED).unwrap_or(said.payload);
        let echo = Echo { number: said.number, len: said.len, payload: Vec::from_slice(kept).unwrap_or_default() };
        if let Err(echo) = self.asked.push(echo) {
            self.asked[self.oldest] = echo;
            self.oldest = (self.oldest + 1) % ECHOES;
        }
        self.asker = asker;
    }

    /// Notes the answer to an echo. Where it carries something else than each echo of its number, returns how many in the last
    /// minute did.
    ///
    /// **Source**: RFC 792: "the data received in the echo message must be returned in the echo reply message". Some servers cut
    /// it short; that is no other data. A late answer to none of the last echoes says nothing; one ahead of them, to what was not asked
    /// yet, is held against the last, behind the time that programs write in it.
    pub(crate) fn answer(&mut self, said: Said<'_>, at: Timestamp) -> Option<Other> {
        let equal = |echo: &Echo, from| said.len <= echo.len && !echo.differs(said, from);
        let mut asked = self.asked.iter().filter(|echo| echo.number == said.number).peekable();
        let as_asked = if asked.peek().is_some() {
            asked.any(|echo| equal(echo, 0))
        } else {
            let mut others = self.asked.iter().filter(|echo| echo.number.0 == said.number.0).peekable();
            others.peek()?;
            others.any(|echo| said.number.1.wrapping_sub(echo.number.1) >= 1 << 15 || equal(echo, STAMP))
        };
        if as_asked {
            return None;
        }
        let asked_for = self.varied.count(at, HORIZON) >= VARIED;
        Some(Other { answers: self.other.note(0, at, HORIZON), asker: self.asker, asked_for })
    }
}

impl Echo {
    /// Whether something differs behind so many octets, as far as both were captured.
    fn differs(&self, said: Said<'_>, from: usize) -> bool {
        said.payload.iter().zip(&self.payload).skip(from).any(|(a, b)| a != b)
    }
}

impl Worth for Doings {
    fn class(&self) -> u8 {
        let Self {
            last: _,
            pings,
            protocols,
            logins,
            no_such_names,
            found_names: _,
            mail_servers,
            redirects,
            missing_pages,
            unfinished,
            requests: _,
            amplified: _,
            failing,
            web_probes,
            smb_fragments,
            signs,
        } = self;
        let at = self.last;
        let lately = [
            protocols.count(at, LATELY),
            logins.count(at, LATELY),
            no_such_names.count(at, LATELY),
            mail_servers.count(at, LATELY),
            redirects.count(at, LATELY),
            missing_pages.count(at, LATELY),
            unfinished.count(at, LATELY),
            failing.count(at, LATELY),
            web_probes.count(at, LATELY),
            smb_fragments.count(at, LATELY),
        ];
        u8::from(signs.any() || pings.read(at) >= u32::from(TELLING) || lately.into_iter().any(|n| n >= TELLING))
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}

impl Worth for Echoes {
    fn class(&self) -> u8 {
        u8::from(self.other.count(self.last, HORIZON) > 0)
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}
