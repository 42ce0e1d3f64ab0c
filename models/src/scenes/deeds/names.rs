//! Names that are looked up for their own sake: by resolvers, by algorithms, and to carry data.

use terms::{Span, Timestamp};

use crate::scenes::chance::{Between, drawn_for};
use crate::scenes::stage::{NO_SUCH_NAME, Stage};
use crate::scenes::words::{letters, spoken};

use super::whom::To;

const A: u16 = 1;

/// Names that an algorithm makes, of which few exist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Invented {
    /// Where the algorithm begins.
    pub seed: u64,
    /// Names at a time.
    pub times: Between,
    /// Seconds between two of them.
    pub gap: Between,
    /// Letters of a name.
    pub letters: Between,
    /// Kinds of letters (26, or 36 with digits); 0 makes words that can be spoken.
    pub kinds: usize,
    /// How many in a hundred exist.
    pub exist: f64,
}

/// Data spelt in names under one domain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spelt {
    /// The domain.
    pub to: To,
    /// Names at a time.
    pub times: Between,
    /// Seconds between two of them.
    pub gap: Between,
    /// Letters in front of the domain.
    pub letters: Between,
    /// The type of record asked for.
    pub qtype: u16,
}

pub(super) fn look_up(to: To, count: Between, mut at: Timestamp, stage: &mut Stage) {
    for _ in 0..count.whole(&mut stage.random) {
        to.find(at, stage);
        at = at + Between(0.001, 0.4).span(&mut stage.random);
    }
}

pub(super) fn miss(to: To, count: Between, mut at: Timestamp, stage: &mut Stage) {
    for _ in 0..count.whole(&mut stage.random) {
        let Some(name) = to.name(stage) else { return };
        at = stage.lookup(at, &name, A, NO_SUCH_NAME, 60, &[]);
    }
}

impl Invented {
    pub(super) fn look_up(&self, time: u64, mut at: Timestamp, stage: &mut Stage) {
        for n in 0..self.times.whole(&mut stage.random) as u64 {
            let mut algorithm = drawn_for("algorithm", self.seed ^ (time << 32 | n));
            let len = self.letters.whole(&mut algorithm);
            let word = match self.kinds {
                0 => [spoken(&mut algorithm), spoken(&mut algorithm)].concat(),
                kinds => letters(&mut algorithm, kinds, len),
            };
            let name = format!("{word}.{}", algorithm.pick(&["example", "test", "invalid"]));
            if algorithm.happens(self.exist / 100.0) {
                stage.resolve(at, &name);
            } else {
                stage.lookup(at, &name, A, NO_SUCH_NAME, 60, &[]);
            }
            at = at + self.gap.span(&mut stage.random);
        }
    }
}

impl Spelt {
    pub(super) fn carry(&self, mut at: Timestamp, stage: &mut Stage) {
        let Some(domain) = self.to.name(stage) else { return };
        for _ in 0..self.times.whole(&mut stage.random) {
            let mut left = self.letters.whole(&mut stage.random).min(200);
            let mut name = String::new();
            while left > 0 {
                let len = left.min(60);
                left -= len;
                name.push_str(&letters(&mut stage.random, 36, len));
                name.push('.');
            }
            name.push_str(&domain);
            let content = if self.qtype == A { vec![vec![127, 0, 0, 1]] } else { vec![b"\x02ok".to_vec()] };
            stage.lookup(at, &name, self.qtype, 0, 0, &content);
            at = at + self.gap.span(&mut stage.random).max(Span::from_millis(2));
        }
    }
}
