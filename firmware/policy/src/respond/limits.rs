//! The bounds on automatic blocks, so that spoofing cannot turn Picket against its own network.

use std::collections::VecDeque;

use terms::{Span, Timestamp};

use super::book::Book;
use crate::{BLOCKS, BlockTarget, ResponderConfig};

const MINUTE: Span = Span::from_secs(60);

/// Why an automatic block is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Nothing is known by which to match the host.
    NoTarget,
    /// Too many within a minute.
    Rate,
    /// Too many LAN hosts at a time.
    LanShare,
    /// Too many hosts of the uplink side at a time.
    UplinkShare,
    /// No room.
    Full,
}

/// When blocks were made and when a bound was last told.
#[derive(Debug, Default)]
pub(super) struct Limits {
    made: VecDeque<Timestamp>,
    told: [Option<Timestamp>; 5],
}

impl Limits {
    /// The bound that forbids one more automatic block, and its words.
    pub(super) fn reached(
        &mut self,
        config: &ResponderConfig,
        book: &Book,
        target: BlockTarget,
        known_lan_hosts: u32,
        now: Timestamp,
    ) -> Option<(Bound, String)> {
        self.made.retain(|at| is_within_a_minute(*at, now));
        if self.made.len() >= config.per_minute as usize {
            return Some((Bound::Rate, format!("{} automatic blocks within a minute is the bound", config.per_minute)));
        }
        let (bound, held, side) = match target {
            BlockTarget::Address(_) | BlockTarget::Anywhere(_) => {
                (Bound::UplinkShare, book.automatic_uplink(), "uplink")
            }
            BlockTarget::Mac(_) | BlockTarget::MacAndAddress(..) => (Bound::LanShare, book.automatic_lan(), "LAN"),
        };
        let most = at_a_time(config, known_lan_hosts);
        if held >= most {
            let percent = config.share_percent.min(100);
            return Some((
                bound,
                format!(
                    "{held} hosts of the {side} side are under an automatic block, and {most} at a time is the bound: \
                     the larger of {} and {percent} % of {known_lan_hosts} known LAN hosts",
                    config.at_least
                ),
            ));
        }
        (book.len() >= BLOCKS)
            .then(|| (Bound::Full, format!("{BLOCKS} blocks are held, and there is no room for another")))
    }

    /// Notes that an automatic block was made.
    pub(super) fn note(&mut self, now: Timestamp) {
        self.made.push_back(now);
    }

    /// Whether the admin should hear that this bound holds back: once a minute for each bound.
    pub(super) fn tell(&mut self, bound: Bound, now: Timestamp) -> bool {
        let told = &mut self.told[bound as usize];
        let due = told.is_none_or(|at| !is_within_a_minute(at, now));
        if due {
            *told = Some(now);
        }
        due
    }
}

/// How many hosts of one side may be under an automatic block.
pub(super) fn at_a_time(config: &ResponderConfig, known_lan_hosts: u32) -> usize {
    let share = u64::from(known_lan_hosts) * u64::from(config.share_percent.min(100)) / 100;
    usize::try_from(share).unwrap_or(BLOCKS).max(config.at_least as usize)
}

/// Counted in both directions, so that neither frames out of order nor a clock that is set back leave a bound shut for long.
fn is_within_a_minute(a: Timestamp, b: Timestamp) -> bool {
    a.since(b) < MINUTE && b.since(a) < MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_the_larger_of_the_two() {
        let config = ResponderConfig::default();
        for (hosts, expected) in [(0, 3), (8, 3), (15, 3), (19, 3), (20, 4), (100, 20), (u32::MAX, 858_993_459)] {
            assert_eq!(at_a_time(&config, hosts), expected, "{hosts} hosts");
        }
    }

    #[test]
    fn each_bound_is_told_once_a_minute() {
        let mut limits = Limits::default();
        let second = Timestamp::from_secs;
        assert!(limits.tell(Bound::Rate, second(1000)));
        assert!(limits.tell(Bound::LanShare, second(1001)), "another bound");
        assert!(!limits.tell(Bound::Rate, second(1059)));
        assert!(limits.tell(Bound::Rate, second(1060)));
        assert!(limits.tell(Bound::Rate, second(10)), "the clock was set back");
    }
}
