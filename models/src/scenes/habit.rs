//! What a device does again and again: when, and what.

use terms::{Span, Timestamp};

use crate::sample::Random;

use super::chance::{Between, seconds};
use super::deeds::{Deed, Held};
use super::stage::Stage;

/// When something is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rhythm {
    /// By a clock: a period that is drawn once, and the share of it by which each beat may be off.
    Clock(Between, f64),
    /// Now and then: the seconds in between.
    Now(Between),
    /// By a person or for one: seconds of being busy, of doing nothing, and between two things while busy.
    Spells {
        /// Seconds that a spell takes.
        busy: Between,
        /// Seconds between two spells, by day; nights are longer.
        idle: Between,
        /// Seconds between two things in a spell.
        gap: Between,
    },
    /// Once, so many seconds after the beginning.
    Once(Between),
}

/// A rhythm and what is done by it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habit(pub Rhythm, pub Deed);

/// A habit at work.
#[derive(Debug)]
pub struct Routine {
    habit: Habit,
    /// Of a clock, in seconds.
    period: f64,
    /// When the spell is over.
    busy_until: Timestamp,
    /// When it acts next; nothing once it is done.
    pub next: Option<Timestamp>,
    held: Held,
}

impl Routine {
    /// A habit that begins to be followed at a moment.
    pub fn begin(habit: Habit, at: Timestamp, random: &mut Random) -> Self {
        let (period, wait) = match habit.0 {
            Rhythm::Clock(period, _) => {
                let period = period.0 + (period.1 - period.0) * random.share();
                (period, seconds(period * random.share()))
            }
            Rhythm::Now(gap) => (0.0, seconds(gap.0 * random.share())),
            Rhythm::Spells { idle, .. } => (0.0, seconds(idle.draw(random) * random.share())),
            Rhythm::Once(after) => (0.0, after.span(random)),
        };
        let busy_until = Timestamp::EPOCH;
        Self { habit, period, busy_until, next: Some(at + wait), held: Held::default() }
    }

    /// Acts at its moment and draws the next one.
    pub fn act(&mut self, stage: &mut Stage) {
        let Some(at) = self.next else { return };
        let more = self.habit.1.perform(&mut self.held, at, stage);
        self.next = more.or_else(|| self.after(at, &mut stage.random));
    }

    /// Ends what it holds open; nothing comes after.
    pub fn end(&mut self, at: Timestamp, stage: &mut Stage) {
        self.held.end(at, stage);
        self.next = None;
    }

    fn after(&mut self, at: Timestamp, random: &mut Random) -> Option<Timestamp> {
        let wait = match self.habit.0 {
            Rhythm::Clock(_, jitter) => random.about(self.period, jitter),
            Rhythm::Now(gap) => gap.span(random),
            Rhythm::Spells { busy, idle, gap } => {
                let soon = gap.span(random);
                if self.busy_until == Timestamp::EPOCH {
                    self.busy_until = at + busy.span(random);
                }
                if at + soon < self.busy_until {
                    soon
                } else {
                    let rest = seconds(idle.draw(random) * quiet(at));
                    self.busy_until = at + rest + busy.span(random);
                    rest
                }
            }
            Rhythm::Once(_) => return None,
        };
        Some(at + wait.max(Span::from_millis(1)))
    }
}

/// How much longer people do nothing at this time of day.
fn quiet(at: Timestamp) -> f64 {
    match at.secs() / 3_600 % 24 {
        0..6 => 6.0,
        6 | 23 => 2.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(rhythm: Rhythm, hours: u64) -> Vec<u64> {
        let mut random = Random::new(8);
        let mut stage = Stage::draw(&mut random);
        // Noon of a day.
        let noon = Timestamp::from_secs(43_200);
        let mut routine = Routine::begin(Habit(rhythm, Deed::Announce("_x._tcp.local")), noon, &mut random);
        let mut times = Vec::new();
        while let Some(at) = routine.next.filter(|at| at.since(noon).secs() < hours * 3_600) {
            times.push(at.since(noon).secs());
            routine.act(&mut stage);
        }
        times
    }

    #[test]
    fn a_clock_beats_and_what_is_done_once_is_done_once() {
        let beats = acts(Rhythm::Clock(Between::exactly(60.0), 0.0), 1);
        assert_eq!(beats.len(), 60);
        assert!(beats.windows(2).all(|two| two[1] - two[0] == 60));
        assert_eq!(acts(Rhythm::Once(Between::exactly(5.0)), 1), [5]);
    }

    #[test]
    fn spells_are_busy_and_then_idle_and_nights_are_longer() {
        let spells = Rhythm::Spells {
            busy: Between::exactly(100.0),
            idle: Between::exactly(1_000.0),
            gap: Between::exactly(10.0),
        };
        let times = acts(spells, 24);
        let gaps: Vec<u64> = times.windows(2).map(|two| two[1] - two[0]).collect();
        let busy = gaps.iter().filter(|gap| **gap == 10).count();
        assert!(busy > 5 * (gaps.len() - busy), "{gaps:?}");
        assert!(gaps.contains(&1_000) && gaps.contains(&6_000));
    }
}
