//! Whether the parts of the gateway live: each beats with every turn, and one that stops beating is told from one that has nothing to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a part may be silent: the longest that one turn takes on a small box, several times over.
pub const HUNG: Duration = Duration::from_secs(30);

/// A part's beat.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<AtomicU64>);

/// Somebody who feels a part's pulse.
#[derive(Debug)]
pub struct Feeler {
    part: &'static str,
    pulse: Pulse,
    felt: u64,
    since: Instant,
}

impl Pulse {
    /// A sign of life.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Feeler {
    /// Feels a part's pulse from now on.
    pub fn new(part: &'static str, pulse: &Pulse) -> Self {
        Self { part, pulse: pulse.clone(), felt: 0, since: Instant::now() }
    }

    /// The part's name, if it has not beaten for longer than [`HUNG`] by `now`. Whoever looks seldom gives it the more time.
    pub fn hung(&mut self, now: Instant) -> Option<&'static str> {
        let beats = self.pulse.0.load(Ordering::Relaxed);
        if beats != self.felt {
            (self.felt, self.since) = (beats, now);
        }
        (now.saturating_duration_since(self.since) > HUNG).then_some(self.part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_beats_lives_and_one_that_stops_is_named() {
        let pulse = Pulse::default();
        let mut feeler = Feeler::new("inspector", &pulse);
        let begin = Instant::now();
        for turn in 1..=5 {
            pulse.beat();
            assert_eq!(feeler.hung(begin + HUNG * turn), None);
        }
        assert_eq!(feeler.hung(begin + HUNG * 6), None);
        assert_eq!(feeler.hung(begin + HUNG * 6 + Duration::from_secs(1)), Some("inspector"));
        pulse.beat();
        assert_eq!(feeler.hung(begin + HUNG * 9), None);
    }
}
