//! What signs of an infection weigh together.
//!
//! Each sign has its points, and how often it must be seen before it has them. Points were set by judgement and held against
//! captured infections and harmless hosts: single signs are seen with both, several together hardly ever with harmless hosts.

use features::{Sign, SignCounts};

/// From so many unnamed servers in ten minutes on, a host is taken for one that speaks with its peers, as telephony and shared
/// downloads do: what it does with unnamed servers counts half.
pub(crate) const PEER_TO_PEER: u16 = 15;

/// Signs that are not only the way in which some device is made.
const TELLING: [Sign; 11] = [
    Sign::PostsToAddress,
    Sign::ProgramFromAddress,
    Sign::Program,
    Sign::PagelessPosts,
    Sign::OwnAddress,
    Sign::Irc,
    Sign::IrcOddPort,
    Sign::AgentlessProgram,
    Sign::AgentlessToMany,
    Sign::BareProgram,
    Sign::KeptOpen,
];

/// A sign's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// What it weighs.
    points: u16,
    /// How often it must be seen.
    least: u8,
    /// Whether it is about servers that DNS did not name.
    unnamed: bool,
}

/// All signs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Points.
    pub points: u16,
    /// Kinds of signs that have points.
    pub kinds: u16,
    /// Whether any of them is more than the way in which some device is made: programs, disguise, a leash.
    pub telling: bool,
}

const fn part(sign: Sign) -> Part {
    let (points, least, unnamed) = match sign {
        Sign::PostsToAddress => (20, 2, false),
        Sign::ProgramFromAddress => (20, 1, false),
        Sign::PagelessPosts => (15, 3, false),
        Sign::OwnAddress => (12, 1, false),
        Sign::Program | Sign::Irc => (10, 1, false),
        // Trackers of shared downloads speak it at odd ports, too.
        Sign::HttpOddPort => (10, 1, true),
        Sign::AgentlessProgram => (15, 1, false),
        Sign::BareProgram => (14, 1, false),
        Sign::IrcOddPort => (13, 1, false),
        Sign::NoAgent => (3, 2, false),
        Sign::UnnamedTls | Sign::DeadServers => (10, 3, true),
        Sign::UnnamedTlsOddPort | Sign::NotWeb => (10, 2, true),
        Sign::RawOddPort => (3, 1, true),
        // Together with the unknown protocol it is not enough: a device may be made so.
        Sign::KeptOpen => (10, 1, true),
        // Small devices fetch what is new for them so.
        Sign::AgentlessDownload => (8, 1, false),
        Sign::AgentlessToMany => (12, 1, false),
        // Services die, and what was made for them does not know; with no uplink all are gone.
        Sign::KeptTrying => (2, 1, false),
        // One's own house is reached so from afar, with TLS.
        Sign::DynamicName => (5, 1, true),
    };
    Part { points, least, unnamed }
}

/// The signs that were seen often enough, with how often.
pub(crate) fn telling(counts: &SignCounts) -> impl Iterator<Item = (Sign, u8)> {
    Sign::ALL.iter().copied().zip(*counts).filter(|(sign, count)| *count >= part(*sign).least)
}

/// Adds up the points of all signs.
pub(crate) fn add_up(counts: &SignCounts, unnamed: u16) -> Sum {
    // One server at an odd port may be the terminal's bank: only several are a sign of their own.
    let alone = |sign: Sign| sign == Sign::UnnamedTlsOddPort && unnamed < 2;
    let all = telling(counts).filter(|(sign, _)| !alone(*sign)).map(|(sign, _)| (sign, part(sign)));
    let halved = |part: &Part| part.unnamed && unnamed >= PEER_TO_PEER;
    let (mut points, mut kinds, mut telling) = (0, 0_u32, false);
    for (sign, part) in all {
        points += if halved(&part) { part.points / 2 } else { part.points };
        kinds |= 1 << kind(sign);
        telling |= TELLING.contains(&sign);
    }
    Sum { points, kinds: kinds.count_ones() as u16, telling }
}

/// The number of a sign's kind. Messengers and the like know the addresses of their servers, of which some are gone, and speak their own
/// protocol with them: that is one kind. That a device never says what it is is another.
fn kind(sign: Sign) -> u8 {
    match sign {
        Sign::NotWeb | Sign::DeadServers | Sign::KeptTrying => Sign::UnnamedTls as u8,
        Sign::AgentlessDownload | Sign::AgentlessToMany => Sign::NoAgent as u8,
        Sign::RawOddPort | Sign::DynamicName => Sign::KeptOpen as u8,
        _ => sign as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(seen: &[(Sign, u8)], unnamed: u16) -> u16 {
        let mut counts = SignCounts::default();
        seen.iter().for_each(|(sign, n)| counts[*sign as usize] = *n);
        add_up(&counts, unnamed).points
    }

    #[test]
    fn signs_count_from_their_least_on_and_add_up() {
        assert_eq!(points(&[], 0), 0);
        assert_eq!(points(&[(Sign::PostsToAddress, 1)], 0), 0);
        assert_eq!(points(&[(Sign::PostsToAddress, 2)], 0), 20);
        assert_eq!(points(&[(Sign::PostsToAddress, 200), (Sign::OwnAddress, 1)], 0), 32);
    }

    #[test]
    fn what_many_peers_explain_counts_half() {
        let seen = [(Sign::UnnamedTls, 9), (Sign::DeadServers, 9), (Sign::Irc, 1)];
        assert_eq!([points(&seen, 14), points(&seen, 15)], [30, 20]);
    }

    #[test]
    fn servers_that_are_known_by_address_are_one_kind() {
        let mut counts = SignCounts::default();
        let seen = [Sign::PostsToAddress, Sign::UnnamedTls, Sign::NotWeb, Sign::DeadServers];
        seen.iter().for_each(|sign| counts[*sign as usize] = 3);
        assert_eq!(add_up(&counts, 4), Sum { points: 50, kinds: 2, telling: true });
    }

    #[test]
    fn what_a_small_device_does_that_is_old_is_not_telling() {
        let mut counts = SignCounts::default();
        let seen = [Sign::NoAgent, Sign::AgentlessDownload, Sign::KeptTrying];
        seen.iter().for_each(|sign| counts[*sign as usize] = 9);
        let sum = add_up(&counts, 1);
        assert_eq!(sum, Sum { points: 13, kinds: 2, telling: false });
    }

    #[test]
    fn a_device_that_has_one_server_without_a_name_is_left_alone() {
        let seen = [(Sign::UnnamedTls, 9), (Sign::UnnamedTlsOddPort, 9)];
        assert_eq!([points(&seen, 1), points(&seen, 2)], [10, 20]);
    }
}
