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
/// How many servers are several.
const AGENTLESS: u16 = 4;
/// How often, of the last sixteen that failed, one server is tried that is tried on and on, and for how long.
const TRIED: u16 = 8;
const ON_AND_ON: Span = Span::from_secs(300);
/// How long one attempt lasts.
const ATTEMPT: Span = Span::from_secs(20);

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
    /// Fetches something large by HTTP that is no text, picture, sound or film, and does not say what fetches it.
    AgentlessDownload = "downloads_without_agent",
    /// Sends by HTTP to several servers and does not say what sends.
    AgentlessToMany = "posts_without_agent_to_many_servers",
    /// Tries one server again and again for minutes that refuses or does not answer.
    KeptTrying = "gone_servers_tried_on_and_on",
    /// Speaks neither TLS nor HTTP at a high port of a server whose name anybody may take and move.
    DynamicName = "unknown_protocol_to_dynamic_names",
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
    /// Servers to which something was sent without saying what sends.
    agentless: Recent<{ AGENTLESS as usize }>,
    /// Servers that refused or did not answer.
    failing: Recent<16>,
}

impl Signs {
    /// Forgets all.
    pub(crate) fn renew(&mut self) {
        let Self { counts, last, dead, unnamed, agentless, failing } = self;
        (*counts, *last) = Default::default();
        dead.clear();
        unnamed.clear();
        agentless.clear();
        failing.clear();
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

    /// Notes a server to which something is sent without saying what sends; tells whether they are several.
    pub(crate) fn is_agentless_to_many(&mut self, server: u32, at: Timestamp) -> bool {
        self.agentless.note_once(server, at, HORIZON) >= AGENTLESS
    }

    /// Notes a server that refused or did not answer; tells whether it is tried on and on.
    pub(crate) fn is_tried_on(&mut self, server: u32, at: Timestamp) -> bool {
        // What follows soon is the same attempt: a repeated segment, one of several at a time.
        if self.failing.times(server, at, ATTEMPT).0 > 0 {
            return false;
        }
        self.failing.note(server, at, HORIZON);
        let (times, since) = self.failing.times(server, at, HORIZON);
        times >= TRIED && since >= ON_AND_ON
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
    fn a_server_is_tried_on_and_on_after_minutes_and_not_by_a_burst() {
        let tried = |gap: u64, others: u32| {
            let mut signs = Signs::default();
            (0..8_u32).any(|n| {
                let at = Timestamp::from_secs(10_000 + u64::from(n) * gap);
                (0..others).for_each(|other| assert!(!signs.is_tried_on(100 + 10 * other + n, at)));
                // A question is repeated after one second and after nine.
                [0, 1, 9].map(|later| signs.is_tried_on(7, at + Span::from_secs(later))).contains(&true)
            })
        };
        let tries = [(43, 0), (42, 0), (0, 0), (60, 1), (60, 2)].map(|(gap, others)| tried(gap, others));
        assert_eq!(tries, [true, false, false, true, false]);
    }

    #[test]
    fn four_servers_are_several() {
        let mut signs = Signs::default();
        let at = Timestamp::from_secs(10_000);
        let many = [1, 2, 2, 3, 3, 4, 1].map(|server| signs.is_agentless_to_many(server, at));
        assert_eq!(many, [false, false, false, false, false, true, true]);
        assert!(!signs.is_agentless_to_many(6, Timestamp::from_secs(13_600)));
    }

    #[test]
    fn the_same_dead_server_is_no_other() {
        let mut signs = Signs::default();
        let new = [1, 2, 1, 1, 3].map(|server| signs.is_new_dead(server, Timestamp::from_secs(10_000)));
        assert_eq!(new, [true, true, false, false, true]);
    }
}
