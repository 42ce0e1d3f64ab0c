//! What is drawn: figures between bounds, spans, choices.
//!
//! Only additions, products and quotients, which every target rounds alike: a seed gives the same scene everywhere.

use terms::{FNV_BEGINS, Span, fnv};

use crate::sample::Random;

/// Bounds of a figure that is drawn anew each time; small ones come more often than large ones, as with sizes and waits.
///
/// **Bounds**: both included; the first is not above the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Between(pub f64, pub f64);

impl Between {
    /// A figure that is always the same.
    #[must_use]
    pub const fn exactly(figure: f64) -> Self {
        Self(figure, figure)
    }

    /// One figure.
    pub fn draw(self, random: &mut Random) -> f64 {
        let share = random.share();
        self.0 + (self.1 - self.0) * share * share
    }

    /// One figure, without its fraction.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures are counts and octets")]
    pub fn whole(self, random: &mut Random) -> usize {
        self.draw(random).round() as usize
    }

    /// One figure as seconds.
    pub fn span(self, random: &mut Random) -> Span {
        seconds(self.draw(random))
    }
}

impl Random {
    /// Whether something that happens with this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// One of a list.
    ///
    /// # Panics
    /// The list is empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// A period with this share of jitter to either side.
    pub fn about(&mut self, seconds_: f64, jitter: f64) -> Span {
        seconds(seconds_ * (1.0 + jitter * (2.0 * self.share() - 1.0)))
    }

    /// A span up to this one, from half of it on: what the net adds to each way.
    pub fn delay(&mut self, most: Span) -> Span {
        let half = most.micros() / 2;
        Span::from_micros(half + self.bits() % (half + 1))
    }
}

/// Seconds as a span; nothing if they are negative.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
pub fn seconds(seconds: f64) -> Span {
    Span::from_micros((seconds * 1e6) as u64)
}

/// Draws that belong to a word and a number, always the same for both.
#[must_use]
pub fn drawn_for(word: &str, number: u64) -> Random {
    Random::new(fnv(FNV_BEGINS ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15), word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_lie_between_their_bounds_and_small_ones_come_more_often() {
        let mut random = Random::new(3);
        let drawn: Vec<f64> = (0..10_000).map(|_| Between(10.0, 110.0).draw(&mut random)).collect();
        assert!(drawn.iter().all(|f| (10.0..=110.0).contains(f)));
        let small = drawn.iter().filter(|f| **f < 35.0).count();
        assert!((4_800..5_200).contains(&small), "half lie in the first quarter: {small}");
        assert_eq!(Between::exactly(7.0).whole(&mut random), 7);
    }

    #[test]
    fn a_period_keeps_within_its_jitter() {
        let mut random = Random::new(3);
        for _ in 0..1_000 {
            let span = random.about(60.0, 0.25);
            assert!((seconds(45.0)..=seconds(75.0)).contains(&span));
        }
        assert_eq!(random.about(60.0, 0.0), Span::from_secs(60));
    }

    #[test]
    fn what_is_drawn_for_a_word_and_a_number_stays_the_same() {
        assert_eq!(drawn_for("a", 1).bits(), drawn_for("a", 1).bits());
        assert_ne!(drawn_for("a", 1).bits(), drawn_for("a", 2).bits());
        assert_ne!(drawn_for("a", 1).bits(), drawn_for("b", 1).bits());
    }
}
