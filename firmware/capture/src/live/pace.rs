//! How often a link may wake its reader.
//!
//! Being woken for each frame costs some 2 us of processor time a frame, which the forwarding would miss; being woken
//! after a pause for all that came in meanwhile costs a tenth. A quiet link wakes its reader at once.

use std::time::{Duration, Instant};

/// The time between two wakings of a busy link: 2,000 a second.
const GAP: Duration = Duration::from_micros(500);
/// How many wakings may follow one another at once after a quiet time.
const BURST: u32 = 8;

/// The wakings of one link, as the moment up to which they are spent.
pub(super) struct Pace {
    spent: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { spent: now }
    }

    /// Spends one waking.
    pub(super) fn woke(&mut self, now: Instant) {
        self.spent = self.spent.max(now) + GAP;
    }

    /// How long the reader should leave the link alone.
    ///
    /// **Bounds**: at most [`GAP`], if every waking was spent by [`Self::woke`] after waiting that long.
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
    fn a_busy_link_wakes_its_reader_two_thousand_times_a_second() {
        let start = Instant::now();
        let count = wakings(&mut Pace::new(start), start);
        assert!((2000..=2000 + BURST + 1).contains(&count), "{count}");
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
        let mut pace = Pace::new(start);
        let mut now = start;
        for _ in 0..100 {
            let pause = pace.pause(now);
            assert!(pause <= GAP, "{pause:?}");
            now += pause;
            pace.woke(now);
        }
    }
}
