//! How far this site's minutes are from those that the forest learnt from, feature by feature, in fixed memory.
//!
//! The distance of a feature is its population stability index over the card's bins: the sum of (p - q) ln(p / q), where p is the
//! site's share of a bin and q the training's. It is 0 for the same distribution, 0.1 for one that moved a little, 0.25 for one
//! that moved much (the custom of credit scoring, where it comes from). A site is no sample of the training's sites, so a
//! feature has moved when it is also farther than any of the training's own sources was from the others.

use features::{FEATURES, FeatureVector};
use heapless::Vec;

use super::card::{BINS, Card, EDGES, Reference};

/// Minutes of hosts before anything is said.
pub const LEAST: u32 = 1_000;
/// Minutes at which all counts are halved, so that the past fades.
const FULL: u32 = 20_000;
/// The distance below which nothing has moved.
const MUCH: f32 = 0.25;
/// What an empty bin counts as, as a share.
const FLOOR: f32 = 1e-3;
/// Octets of counts that are written down.
pub const LEN: usize = 4 + FEATURES * BINS * 2;

/// Counts of a site's minutes, by feature and bin.
///
/// **Bounds**: fewer than [`FULL`] minutes at a time, in 2 KiB.
#[derive(Clone, Debug)]
pub struct Drift {
    counts: [[u16; BINS]; FEATURES],
    minutes: u32,
}

/// A feature that moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Away {
    /// Its place in the schema.
    pub feature: usize,
    /// How far it is.
    pub distance: f32,
    /// How far the farthest of the training's own sources was.
    pub usual: f32,
}

impl Default for Drift {
    fn default() -> Self {
        Self { counts: [[0; BINS]; FEATURES], minutes: 0 }
    }
}

impl Drift {
    /// Takes in a host's minute.
    pub fn count(&mut self, card: &Card<'_>, vector: &FeatureVector) {
        for (feature, (bins, value)) in self.counts.iter_mut().zip(vector.0).enumerate() {
            if let Some(reference) = card.reference(feature) {
                bins[reference.bin(value).min(EDGES)] += 1;
            }
        }
        self.minutes += 1;
        if self.minutes >= FULL {
            self.minutes /= 2;
            self.counts.iter_mut().flatten().for_each(|count| *count /= 2);
        }
    }

    /// Minutes that are counted; older ones count less.
    #[must_use]
    pub const fn minutes(&self) -> u32 {
        self.minutes
    }

    /// The counts as they are written down: the minutes `u32`, then each bin of each feature `u16`, little-endian.
    #[must_use]
    pub fn octets(&self) -> [u8; LEN] {
        let mut octets = [0; LEN];
        let (minutes, bins) = octets.split_at_mut(4);
        minutes.copy_from_slice(&self.minutes.to_le_bytes());
        for (place, count) in bins.as_chunks_mut::<2>().0.iter_mut().zip(self.counts.iter().flatten()) {
            *place = count.to_le_bytes();
        }
        octets
    }

    /// Counts that were written down; nothing where they cannot be.
    #[must_use]
    pub fn of_octets(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; LEN] = octets.try_into().ok()?;
        let (minutes, bins) = octets.split_first_chunk()?;
        let mut drift = Self { minutes: u32::from_le_bytes(*minutes), ..Self::default() };
        for (count, place) in drift.counts.iter_mut().flatten().zip(bins.as_chunks::<2>().0) {
            *count = u16::from_le_bytes(*place);
        }
        let within = |bins: &[u16; BINS]| bins.iter().map(|count| u32::from(*count)).sum::<u32>() <= drift.minutes;
        (drift.minutes < FULL && drift.counts.iter().all(within)).then_some(drift)
    }

    /// The features that moved, farthest first; none before there are [`LEAST`] minutes.
    #[must_use]
    pub fn moved(&self, card: &Card<'_>) -> Vec<Away, FEATURES> {
        let mut moved = Vec::new();
        if self.minutes < LEAST {
            return moved;
        }
        for (feature, bins) in self.counts.iter().enumerate() {
            let Some(Reference { shares, usual, .. }) = card.reference(feature) else { continue };
            let distance = distance(&shares_of(bins), &shares);
            if distance > usual.max(MUCH) {
                // There is a place for each feature.
                let _told = moved.push(Away { feature, distance, usual });
            }
        }
        moved.sort_unstable_by(|a, b| b.distance.total_cmp(&a.distance).then(a.feature.cmp(&b.feature)));
        moved
    }
}

/// How far two distributions over the same bins are from one another.
#[must_use]
pub fn distance(one: &[f32; BINS], other: &[f32; BINS]) -> f32 {
    one.iter().zip(other).fold(0.0, |sum, (p, q)| {
        let (p, q) = (p.max(FLOOR), q.max(FLOOR));
        sum + (p - q) * libm::logf(p / q)
    })
}

/// Counts as shares.
fn shares_of(bins: &[u16; BINS]) -> [f32; BINS] {
    let all: u32 = bins.iter().map(|count| u32::from(*count)).sum();
    #[allow(clippy::cast_precision_loss, reason = "at most ten times 65,535")]
    bins.map(|count| f32::from(count) / all.max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::super::card::tests::{FOREST, card};
    use super::*;

    /// Feature 0 takes these values in turn, all others spread over their bins.
    fn site(values: &[f32], minutes: u32) -> Drift {
        let octets = card(FEATURES as u8, &[]);
        let card = Card::load(&octets, FEATURES, FOREST).unwrap();
        let mut drift = Drift::default();
        for minute in 0..minutes {
            let mut vector = FeatureVector([(minute % 10) as f32 / 10.0 + 0.05; FEATURES]);
            vector.0[0] = values[minute as usize % values.len()];
            drift.count(&card, &vector);
        }
        drift
    }

    fn moved(drift: &Drift) -> Vec<Away, FEATURES> {
        let octets = card(FEATURES as u8, &[]);
        drift.moved(&Card::load(&octets, FEATURES, FOREST).unwrap())
    }

    #[test]
    fn a_site_like_the_training_has_not_moved() {
        let even = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95];
        assert!(moved(&site(&even, 5_000)).is_empty());
        // Nine in ten of one bin's values fell into the bin below: a distance of 0.27.
        let nearly: [f32; 100] =
            core::array::from_fn(|n| if n % 10 == 8 && n > 8 { 0.75 } else { (n % 10) as f32 / 10.0 + 0.05 });
        assert!(moved(&site(&nearly, 5_000)).is_empty(), "it is not farther than the training's own sources");
    }

    #[test]
    fn the_feature_that_moved_is_named_and_no_other() {
        let moved = moved(&site(&[0.95, 0.97], LEAST));
        assert_eq!((moved.len(), moved[0].feature), (1, 0));
        assert!(moved[0].distance > 2.0 && moved[0].usual == 0.5, "{moved:?}");
    }

    #[test]
    fn counts_go_on_where_they_were_written_down_and_nonsense_is_refused() {
        let drift = site(&[0.95, 0.25], 100_000);
        let octets = drift.octets();
        let again = Drift::of_octets(&octets).unwrap();
        assert_eq!((again.minutes, again.counts), (drift.minutes, drift.counts));
        assert!(Drift::of_octets(&octets[1..]).is_none() && Drift::of_octets(&[0xff; LEN]).is_none());
        let mut more = octets;
        more[LEN - 1] = 0xff;
        assert!(Drift::of_octets(&more).is_none(), "more in a bin than there were minutes");
    }

    #[test]
    fn few_minutes_say_nothing() {
        assert!(moved(&site(&[0.95], LEAST - 1)).is_empty());
    }

    #[test]
    fn the_past_fades_and_no_count_runs_over() {
        let octets = card(FEATURES as u8, &[]);
        let card = Card::load(&octets, FEATURES, FOREST).unwrap();
        let mut drift = site(&[0.95], 100_000);
        assert!(drift.minutes() < FULL && drift.counts[0][9] < u16::MAX);
        for minute in 0..100_000u32 {
            drift.count(&card, &FeatureVector([(minute % 10) as f32 / 10.0 + 0.05; FEATURES]));
        }
        assert!(moved(&drift).is_empty(), "it moved back");
    }

    #[test]
    fn values_that_are_no_numbers_are_counted_and_harm_nothing() {
        let drift = site(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY], 3_000);
        assert!(moved(&drift).iter().all(|away| away.distance.is_finite()));
    }
}
