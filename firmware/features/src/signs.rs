//! Signs of an infection: what a host does towards the internet that hosts without malware seldom do.
//!
//! None of them proves anything by itself; `detect` gives each its points and adds them up. A sign counts for an hour.
//!
//! **Source**: what captured infections of many families have in common (malware-traffic-analysis.net, 2016 to 2018): servers that
//! are reached by address, ports that do not fit what is spoken, requests that pretend to come from a page.

use terms::{Span, Timestamp};

use crate::rate::Recent;

/// How long a sign counts after it was seen last.
const HORIZON: Span = Span::from_secs(3_600);
/// How long unnamed servers are told apart.
const LATELY: Span = Span::from_secs(600);

macro_rules! signs {
    ($($(#[$doc:meta])* $sign:ident = $name:literal,)*) => {
        /// A sign of an infection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Sign { $($(#[$doc])* $sign,)* }

        impl Sign {
            /// Every sign.
            pub const ALL: &[Self] = &[$(Self::$sign),*];
            /// How many signs there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Its name among the numbers of a finding.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$sign => $name,)* }
            }
        }
    };
}

signs! {
    /// Sends by HTTP to a server that it names by its address.
    PostsToAddress = "posts_to_bare_addresses",
    /// Fetches a program by HTTP from a server that it names by its address.
    ProgramFromAddress = "programs_from_bare_addresses",
    /// Fetches a program by HTTP.
    Program = "programs_over_http",
    /// Speaks HTTP at a port where it is not usual, TLS' own among them.
    HttpOddPort = "http_at_odd_ports",
    /// Sends by HTTP as a browser, but from no page.
    PagelessPosts = "posts_as_browser_from_no_page",
    /// Sends a request by HTTP that does not say what sends it.
    NoAgent = "http_without_agent",
    /// Asks what its own address on the internet is.
    OwnAddress = "asks_for_its_own_address",
    /// Speaks TLS with a server that neither DNS nor the hello named.
    UnnamedTls = "tls_without_any_name",
    /// The same, at a port where TLS is not usual.
    UnnamedTlsOddPort = "tls_without_any_name_at_odd_ports",
    /// Speaks neither TLS nor HTTP at their ports of a server that DNS did not name.
    NotWeb = "neither_tls_nor_http_at_443_or_80",
    /// Speaks neither TLS nor HTTP at a high port of a server that DNS did not name.
    RawOddPort = "unknown_protocol_at_odd_ports",
    /// Tries a server that DNS did not name, and that does not answer.
    DeadServers = "dead_servers",
    /// Speaks IRC.
    Irc = "irc",
    /// Speaks IRC at a port where it is not usual.
    IrcOddPort = "irc_at_odd_ports",
    /// Fetches a program by HTTP and does not say what fetches it.
    AgentlessProgram = "programs_over_http_without_agent",
    /// Is answered with a program that runs from where it lies, and nothing around it.
    BareProgram = "programs_as_such",
    /// Keeps a conversation in such an unknown protocol open for long, in which little is said, in turn.
    KeptOpen = "long_thin_sessions",
}

/// How often each sign was seen within its hour, in the order of [`Sign::ALL`].
pub type SignCounts = [u8; Sign::COUNT];

/// The signs that one host gave.
#[derive(Clone, Debug, Default)]
pub struct Signs {
    counts: SignCounts,
    /// When each was seen last, seconds since the epoch; they wrap after 136 years.
    last: [u32; Sign::COUNT],
    dead: Recent<16>,
    unnamed: Recent<32>,
}

impl Signs {
    /// Forgets all.
    pub(crate) fn renew(&mut self) {
        let Self { counts, last, dead, unnamed } = self;
        (*counts, *last) = Default::default();
        dead.clear();
        unnamed.clear();
    }

    /// Notes a sign.
    pub(crate) fn note(&mut self, sign: Sign, at: Timestamp) {
        let n = sign as usize;
        let now = secs(at);
        if u64::from(now.wrapping_sub(self.last[n])) >= HORIZON.secs() {
            self.counts[n] = 0;
        }
        self.last[n] = now;
        self.counts[n] = self.counts[n].saturating_add(1);
    }

    /// Notes a server that does not answer; tells whether it is another one than those of the last hour.
    pub(crate) fn is_new_dead(&mut self, server: u32, at: Timestamp) -> bool {
        let known = self.dead.count(at, HORIZON);
        self.dead.note_once(server, at, HORIZON) > known
    }

    /// Notes a conversation with a server that DNS did not name.
    pub(crate) fn note_unnamed(&mut self, server: u32, at: Timestamp) {
        self.unnamed.note_once(server, at, LATELY);
    }

    /// How often each was seen within its hour.
    pub(crate) fn counts(&self, at: Timestamp) -> SignCounts {
        let now = secs(at);
        let mut counts = self.counts;
        for (count, last) in counts.iter_mut().zip(self.last) {
            if u64::from(now.wrapping_sub(last)) >= HORIZON.secs() {
                *count = 0;
            }
        }
        counts
    }

    /// Unnamed servers of the last ten minutes (at most 32).
    pub(crate) fn unnamed(&self, at: Timestamp) -> u16 {
        self.unnamed.count(at, LATELY)
    }

    /// Whether there is any.
    pub(crate) fn any(&self) -> bool {
        self.counts.iter().any(|count| *count > 0)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it wraps, and is compared as what wraps")]
fn secs(at: Timestamp) -> u32 {
    at.secs() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_counts_for_an_hour_after_it_was_seen_last() {
        let mut signs = Signs::default();
        let at = Timestamp::from_secs;
        let irc = |s: &Signs, t| s.counts(at(t))[Sign::Irc as usize];
        signs.note(Sign::Irc, at(10_000));
        signs.note(Sign::Irc, at(13_599));
        assert_eq!([irc(&signs, 13_599), irc(&signs, 17_198), irc(&signs, 17_199)], [2, 2, 0]);
        signs.note(Sign::Irc, at(17_300));
        assert_eq!(irc(&signs, 17_300), 1);
        for n in 0..1_000 {
            signs.note(Sign::Irc, at(17_300 + n));
        }
        assert_eq!(irc(&signs, 18_300), u8::MAX);
    }

    #[test]
    fn the_same_dead_server_is_no_other() {
        let mut signs = Signs::default();
        let new = [1, 2, 1, 1, 3].map(|server| signs.is_new_dead(server, Timestamp::from_secs(10_000)));
        assert_eq!(new, [true, true, false, false, true]);
    }
}
