//! Who was blocked before, and how often.

use std::collections::BTreeMap;

use terms::{Span, Timestamp};

use crate::BlockTarget;

/// How many targets are remembered. **Bounds**: the one that was quiet for longest goes first.
pub(super) const REPEATERS: usize = 4096;

/// A day without a block halves the count.
const QUIET_DAY: Span = Span::from_secs(86_400);

/// The counts of automatic blocks.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<BlockTarget, Record>);

#[derive(Clone, Copy, Debug)]
struct Record {
    blocks: u32,
    quiet_since: Timestamp,
}

impl Repeats {
    /// How many blocks before still count at `now`.
    pub(super) fn before(&self, target: BlockTarget, now: Timestamp) -> u32 {
        self.0.get(&target).map_or(0, |record| record.at(now))
    }

    /// Notes that the target has been blocked `blocks` times, the last time until `until`.
    pub(super) fn note(&mut self, target: BlockTarget, blocks: u32, until: Timestamp) {
        if self.0.len() >= REPEATERS && !self.0.contains_key(&target) {
            let oldest = self.0.iter().min_by_key(|(_, record)| record.quiet_since).map(|(target, _)| *target);
            oldest.map(|target| self.0.remove(&target));
        }
        self.0.insert(target, Record { blocks, quiet_since: until });
    }

    /// Takes back the last block of the target: it was lifted, so it does not count against the host.
    pub(super) fn forgive(&mut self, target: BlockTarget, now: Timestamp) {
        let left = self.0.get(&target).map_or(0, |record| record.blocks.saturating_sub(1));
        if left == 0 {
            self.0.remove(&target);
        } else {
            self.0.insert(target, Record { blocks: left, quiet_since: now });
        }
    }

    /// How many targets are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Record {
    fn at(self, now: Timestamp) -> u32 {
        let days = now.since(self.quiet_since).micros() / QUIET_DAY.micros();
        u32::try_from(days).ok().and_then(|days| self.blocks.checked_shr(days)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn target(n: u32) -> BlockTarget {
        BlockTarget::Address(Ipv4Addr::from_bits(0x0a00_0000 + n).into())
    }

    #[test]
    fn each_quiet_day_halves_the_count() {
        let mut repeats = Repeats::default();
        repeats.note(target(0), 5, Timestamp::EPOCH);
        for (seconds, expected) in
            [(0, 5), (86_399, 5), (86_400, 2), (2 * 86_400, 1), (3 * 86_400, 0), (99 * 86_400, 0)]
        {
            assert_eq!(repeats.before(target(0), Timestamp::from_secs(seconds)), expected, "after {seconds} s");
        }
        assert_eq!(repeats.before(target(1), Timestamp::EPOCH), 0);
    }

    #[test]
    fn forgets_the_target_that_was_quiet_for_longest_when_full() {
        let mut repeats = Repeats::default();
        for n in 0..REPEATERS as u32 {
            repeats.note(target(n), 1, Timestamp::from_secs(if n == 7 { 1 } else { 1000 }));
        }
        repeats.note(target(8), 2, Timestamp::from_secs(1000));
        assert_eq!(repeats.before(target(7), Timestamp::EPOCH), 1, "a known target needs no room");
        repeats.note(target(99_999), 1, Timestamp::from_secs(1000));
        assert_eq!((repeats.len(), repeats.before(target(7), Timestamp::EPOCH)), (REPEATERS, 0));
    }

    #[test]
    fn a_lifted_block_does_not_count() {
        let mut repeats = Repeats::default();
        repeats.note(target(0), 2, Timestamp::EPOCH);
        repeats.forgive(target(0), Timestamp::EPOCH);
        assert_eq!(repeats.before(target(0), Timestamp::EPOCH), 1);
        repeats.forgive(target(0), Timestamp::EPOCH);
        assert_eq!(repeats.len(), 0);
    }
}
