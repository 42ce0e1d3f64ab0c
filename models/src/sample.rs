//! How much each row counts, and the draws by that weight.
//!
//! Rows are far from fair: one long scan has more minutes than all log-in guessing together, and one source holds nearly all
//! command and control. So harmless rows and threats weigh the same, and on each side a group of rows of one level, source and
//! family weighs as the square root of its size. Medium is no side of its own: its few rows would weigh a hundred times the others.

use std::collections::BTreeMap;

use crate::rows::Row;

/// A small generator of its own, so that a seed gives the same forest with every version of every library.
///
/// **Source**: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that begins here.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below 1.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        ((self.share() * bound as f64) as usize).min(bound.saturating_sub(1))
    }
}

/// The weight of each row; their mean is 1.
#[must_use]
pub fn weights(rows: &[&Row]) -> Vec<f64> {
    let mut groups: BTreeMap<(usize, &str, &str), f64> = BTreeMap::new();
    for row in rows {
        *groups.entry((row.class(), &row.source, &row.family)).or_default() += 1.0;
    }
    let mut sides: BTreeMap<bool, f64> = BTreeMap::new();
    for ((class, ..), size) in &groups {
        *sides.entry(*class > 0).or_default() += size.sqrt();
    }
    let weight = |row: &&Row| {
        let size = groups[&(row.class(), row.source.as_str(), row.family.as_str())];
        rows.len() as f64 / (sides.len() as f64 * sides[&(row.class() > 0)] * size.sqrt())
    };
    rows.iter().map(weight).collect()
}

/// Draws so many indices with replacement, each by its weight.
#[must_use]
pub fn draw(weights: &[f64], count: usize, random: &mut Random) -> Vec<usize> {
    let mut sums = Vec::with_capacity(weights.len());
    let mut sum = 0.0;
    for weight in weights {
        sum += weight;
        sums.push(sum);
    }
    let mut one = || {
        let at = random.share() * sum;
        sums.partition_point(|s| *s <= at).min(weights.len().saturating_sub(1))
    };
    (0..count).map(|_| one()).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use terms::ThreatLevel;

    /// A row as the tests need it.
    pub fn row(level: ThreatLevel, family: &str, source: &str, vector: &[f32]) -> Row {
        Row {
            vector: vector.to_vec(),
            level,
            family: family.into(),
            source: source.into(),
            tool: String::new(),
            capture: format!("{source}.pcap"),
            device: String::new(),
            host: "10.0.0.1".into(),
            minute: 1,
            rules: ThreatLevel::Safe,
        }
    }

    #[test]
    fn threats_weigh_as_much_as_the_rest_and_sources_as_the_root_of_their_size() {
        let mut rows =
            vec![row(ThreatLevel::High, "c2", "x", &[1.0]), row(ThreatLevel::Medium, "arp_scan", "x", &[1.0])];
        rows.extend((0..9).map(|_| row(ThreatLevel::Safe, "iot", "a", &[0.0])));
        rows.extend((0..36).map(|_| row(ThreatLevel::Safe, "iot", "b", &[0.0])));
        let rows: Vec<&Row> = rows.iter().collect();
        let weights = weights(&rows);
        let safe: f64 = weights[2..].iter().sum();
        assert!((weights[0] + weights[1] - safe).abs() < 1e-9);
        assert!((weights.iter().sum::<f64>() - 47.0).abs() < 1e-9, "the mean is 1");
        let [a, b]: [f64; 2] = [weights[2..11].iter().sum(), weights[11..].iter().sum()];
        assert!((b / a - 2.0).abs() < 1e-9, "36 rows against 9 weigh 6 to 3, not 4 to 1");
    }

    #[test]
    fn draws_follow_the_weights_and_repeat_with_the_seed() {
        let drawn = draw(&[1.0, 0.0, 3.0], 40_000, &mut Random::new(5));
        let share = drawn.iter().filter(|&&i| i == 2).count() as f64 / 40_000.0;
        assert!((share - 0.75).abs() < 0.01, "{share}");
        assert!(!drawn.contains(&1));
        assert_eq!(drawn, draw(&[1.0, 0.0, 3.0], 40_000, &mut Random::new(5)));
        assert_ne!(drawn, draw(&[1.0, 0.0, 3.0], 40_000, &mut Random::new(6)));
    }
}
