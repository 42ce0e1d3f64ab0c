//! What an infected device does beside its own job: each plot draws its figures and gives habits.

mod calls_home;
mod carries_off;
mod spreads;

use terms::{MacAddr, ThreatLevel, Timestamp};

use crate::sample::Random;

use super::habit::{Habit, Rhythm};

/// A kind of threat that can be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// What it is called among the plots, in `snake_case`; some families have several.
    pub name: &'static str,
    /// The family's word.
    pub family: &'static str,
    /// How grave it is.
    pub level: ThreatLevel,
    /// Draws its figures; the first habit is the one that defines it.
    pub draw: fn(&mut Random) -> Vec<Habit>,
}

/// A threat in a scene.
#[derive(Clone, Debug)]
pub struct Threat {
    /// Which it is.
    pub plot: &'static Plot,
    /// Whose it is: all addresses of this device.
    pub subject: MacAddr,
    /// When it begins.
    pub from: Timestamp,
    /// What is done.
    pub habits: Vec<Habit>,
}

/// Every plot.
pub fn all() -> impl Iterator<Item = &'static Plot> {
    [calls_home::ALL, carries_off::ALL, spreads::ALL].into_iter().flatten()
}

impl Threat {
    /// The period of what defines it, in seconds, and the share by which each beat may be off; nothing for what has no clock.
    #[must_use]
    pub fn beat(&self) -> Option<(f64, f64)> {
        match self.habits.first()?.0 {
            Rhythm::Clock(period, jitter) => Some((period.0, jitter)),
            _ => None,
        }
    }
}
