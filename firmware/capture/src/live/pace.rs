//! How often a link may wake its reader.
//!
//! Being woken for each frame costs some 2 us of processor time a frame, which the forwarding would miss; being woken
//! after a pause for all that came in meanwhile costs a tenth. A quiet link wakes its reader at once.

use std::time::{Duration, Instant};

/// The time between two wakings of a busy link: a thousand a second.
///
/// A waking costs some 30 us of a processor that did something else meanwhile, as much as 80 frames. With twice the gap a block
/// took 4.7 ms at the 99th percentile, of 5 that it may.
const GAP: Duration = Duration::from_millis(1);
/// How many wakings may follow one another at once after a quiet time.
const BURST: u32 = 8;
/// Octets between two wakings from which on a link carries bulk, and its next waking comes three times as late. A flood of small
/// frames is no bulk: what it is should be told soon.
const BULK: u64 = 64 * 1024;
/// That later waking, after the last one.
const BULK_GAP: Duration = Duration::from_millis(3);

/// The wakings of one link, as the moment up to which they are spent.
pub(super) struct Pace {
    spent: Instant,
    /// Read since the last waking.
    octets: u64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { spent: now, octets: 0 }
    }

    /// Notes a frame that was read, of so many octets on the wire.
    pub(super) fn read(&mut self, octets: u32) {
        self.octets += u64::from(octets);
    }

    /// Spends one waking.
    pub(super) fn woke(&mut self, now: Instant) {
        let gap = if self.octets < BULK { GAP } else { BULK_GAP };
        self.spent = self.spent.max(now) + gap;
        self.octets = 0;
    }

    /// How long the reader should leave the link alone.
    ///
    /// **Bounds**: at most [`BULK_GAP`], if every waking was spent by [`Self::woke`] after waiting that long.
    pub(super) fn pause(&self, now: Instant) -> Duration {
        self.spent.saturating_duration_since(now).saturating_sub(GAP * BURST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many wakings a link gets in a second that always has a frame ready, after so many at once.
    fn wakings(pace: &mut Pace, from: Instant) -> u32 {
        let (mut now, mut count) = (from, 0);
        while now < from + Duration::from_secs(1) {
            now += pace.pause(now).max(Duration::from_micros(5));
            pace.woke(now);
            count += 1;
        }
        count
    }

    #[test]
    fn a_busy_link_wakes_its_reader_a_thousand_times_a_second() {
        let start = Instant::now();
        let count = wakings(&mut Pace::new(start), start);
        assert!((1000..=1000 + BURST + 1).contains(&count), "{count}");
    }

    #[test]
    fn a_quiet_link_wakes_its_reader_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for number in 0..1000 {
            let now = start + GAP * number;
            assert_eq!(pace.pause(now), Duration::ZERO, "waking {number}");
            pace.woke(now);
        }
    }

    #[test]
    fn no_pause_is_longer_than_the_gap() {
        let start = Instant::now();
        for (octets, gap) in [(65_535, GAP), (65_536, BULK_GAP)] {
            let (mut pace, mut now, mut longest) = (Pace::new(start), start, Duration::ZERO);
            for _ in 0..100 {
                let pause = pace.pause(now);
                longest = longest.max(pause);
                now += pause;
                pace.read(octets);
                pace.woke(now);
            }
            assert_eq!(longest, gap);
        }
    }
}
