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
