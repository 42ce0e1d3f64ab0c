//! Counting in the last second.

use heapless::{HistoryBuf, Vec};
use terms::{Span, Timestamp};

const SLICE: u64 = 100_000;
const SLICES: usize = 10;
/// The largest count that `Burst` can tell from a larger one.
pub const BURST_CAPACITY: usize = 128;
const SECOND: Span = Span::from_secs(1);

/// Events in the last second, to a tenth of it: ten slices, the newest still open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    slices: [u32; SLICES],
    newest: u64,
}

/// Exact times of the last events, for thresholds that must fire on the very frame.
///
/// **Bounds**: `BURST_CAPACITY` times; more in a second read as that many.
#[derive(Clone, Debug)]
pub struct Burst(HistoryBuf<u64, BURST_CAPACITY>);

/// The last things that happened, each with what it was about.
///
/// **Bounds**: `N` of them, the oldest makes room; more within a horizon read as that many. Times are kept in milliseconds and wrap
/// after 49 days: what happened exactly then, and nothing of its kind since, may count once more.
#[derive(Clone, Debug, Default)]
pub struct Recent<const N: usize>(Vec<(u32, u32), N>);

impl Rate {
    /// Counts one event and returns how many there were in the last 0.9 to 1.0 s.
    pub fn count(&mut self, at: Timestamp) -> u32 {
        self.turn(at);
        let slice = &mut self.slices[place(self.newest)];
        *slice = slice.saturating_add(1);
        self.sum()
    }

    /// How many events there were in the last 0.9 to 1.0 s.
    pub fn read(&mut self, at: Timestamp) -> u32 {
        self.turn(at);
        self.sum()
    }

    fn sum(&self) -> u32 {
        self.slices.iter().fold(0, |sum, s| sum.saturating_add(*s))
    }

    /// Takes one event back, as when a half-open conversation completes.
    pub fn uncount(&mut self, at: Timestamp) {
        self.turn(at);
        for back in 0..SLICES as u64 {
            let slice = &mut self.slices[place(self.newest.wrapping_sub(back))];
            if *slice > 0 {
                *slice -= 1;
                return;
            }
        }
    }

    fn turn(&mut self, at: Timestamp) {
        let now = at.micros() / SLICE;
        let steps = now.saturating_sub(self.newest).min(SLICES as u64);
        for back in 0..steps {
            self.slices[place(now.wrapping_sub(back))] = 0;
        }
        self.newest = self.newest.max(now);
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it wraps, and is compared as what wraps")]
pub(crate) fn millis(at: Timestamp) -> u32 {
    (at.micros() / 1_000) as u32
}

#[allow(clippy::cast_possible_truncation, reason = "a remainder of ten")]
fn place(slice: u64) -> usize {
    (slice % SLICES as u64) as usize
}

impl<const N: usize> Recent<N> {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Notes that something happened, and returns how often anything did within the horizon, this time included.
    pub(crate) fn note(&mut self, what: u32, at: Timestamp, horizon: Span) -> u16 {
        self.write(what, at);
        self.count(at, horizon)
    }

    /// How often anything happened within the horizon.
    pub(crate) fn count(&self, at: Timestamp, horizon: Span) -> u16 {
        self.within(at, horizon).fold(0, |n, _| n + 1)
    }

    /// Notes something, once however often it happens, and returns how many different things there were within the horizon.
    pub(crate) fn note_once(&mut self, what: u32, at: Timestamp, horizon: Span) -> u16 {
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            Some(known) => known.1 = millis(at),
            None => self.write(what, at),
        }
        self.count(at, horizon)
    }

    /// How often one thing happened within the horizon, and how long ago first.
    pub(crate) fn times(&self, what: u32, at: Timestamp, horizon: Span) -> (u16, Span) {
        let of_it = self.within(at, horizon).filter(|(known, _)| *known == what);
        let since = |then: u32| Span::from_micros(u64::from(millis(at).wrapping_sub(then)) * 1_000);
        of_it.fold((0, Span::ZERO), |(n, first), (_, then)| (n + 1, first.max(since(*then))))
    }

    /// How many different things there were within the horizon.
    pub(crate) fn different(&self, at: Timestamp, horizon: Span) -> u16 {
        let mut seen = Vec::<u32, N>::new();
        for (what, _) in self.within(at, horizon) {
            if !seen.contains(what) {
                seen.push(*what).unwrap_or_default();
            }
        }
        seen.iter().fold(0, |n, _| n + 1)
    }

    fn write(&mut self, what: u32, at: Timestamp) {
        let now = millis(at);
        if let Err(new) = self.0.push((what, now))
            && let Some(oldest) = self.0.iter_mut().max_by_key(|(_, then)| now.wrapping_sub(*then))
        {
            *oldest = new;
        }
    }

    fn within(&self, at: Timestamp, horizon: Span) -> impl Iterator<Item = &(u32, u32)> {
        let (now, horizon) = (millis(at), horizon.micros() / 1_000);
        self.0.iter().filter(move |(_, then)| u64::from(now.wrapping_sub(*then)) < horizon)
    }
}

impl Default for Burst {
    fn default() -> Self {
        Self(HistoryBuf::new())
    }
}

impl Burst {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts one event and returns how many there were in the last second, this one included.
    pub fn count(&mut self, at: Timestamp) -> u32 {
        self.0.write(at.micros());
        self.read(at)
    }

    /// How many events there were in the last second.
    #[allow(clippy::cast_possible_truncation, reason = "at most BURST_CAPACITY")]
    pub fn read(&self, at: Timestamp) -> u32 {
        self.0.iter().filter(|&&t| at.since(Timestamp::from_micros(t)) < SECOND).count() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_reads_as_itself_and_silence_empties_it() {
        let mut rate = Rate::default();
        let start = 1_700_000_000_000_000;
        let most = (0..3000).map(|n| rate.count(Timestamp::from_micros(start + n * 5_000))).max();
        assert_eq!(most, Some(200));
        assert_eq!(rate.count(Timestamp::from_micros(start + 60_000_000)), 1);
    }

    #[test]
    fn what_is_recent_counts_within_its_horizon_and_once_where_it_is_asked_to() {
        let (minute, at) = (Span::from_secs(60), Timestamp::from_secs);
        let mut recent = Recent::<4>::default();
        // Times wrap while it counts.
        let start = (1_u64 << 32) / 1_000 * 400 - 1;
        assert_eq!([0, 0, 1].map(|n| recent.note(7, at(start + n), minute)), [1, 2, 3]);
        assert_eq!(recent.different(at(start + 1), minute), 1);
        assert_eq!(recent.note_once(8, at(start + 2), minute), 4);
        assert_eq!(recent.note_once(8, at(start + 61), minute), 1);
        assert_eq!((0..9).map(|n| recent.note_once(n, at(start + 70), minute)).last(), Some(4));
    }

    #[test]
    fn a_burst_counts_exactly_a_second() {
        let mut burst = Burst::default();
        for n in 0..100 {
            assert_eq!(burst.count(Timestamp::from_micros(n * 10_000)), u32::try_from(n).unwrap() + 1);
        }
        assert_eq!(burst.count(Timestamp::from_micros(1_000_000)), 100);
    }
}
