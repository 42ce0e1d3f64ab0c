//! Why the forest votes as it does: what each feature moved, and the smallest change that would have made a host Safe.
//!
//! Every node holds the share of Medium and High that was expected there when it was trained, so a vector's way through a tree is
//! a chain of differences that begins at the root's expectation and ends at the leaf's vote. The differences are whole numbers of
//! 1/255, and loading checks that a leaf's expectation is its vote: the chain adds up exactly, for any image and any vector.

use heapless::Vec;
use terms::ThreatLevel;

use super::format::{LEAF, MAX_FEATURES};
use super::{Forest, WHOLE, step};

/// How many features [`Forest::explain`] names.
pub const EXPLAINED: usize = 3;

/// The most features that [`Forest::counterfactual`] changes.
pub const CHANGES: usize = 5;

/// How far one feature moved the vote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// The feature's place in the schema.
    pub feature: usize,
    /// The share of the vote that it moved; above zero towards a threat, below zero towards Safe.
    pub share: f32,
}

/// What each feature moved: a base and one contribution a feature, which add up to the score.
///
/// **Units**: shares of the vote for Medium and High together, from 0 to 1; a contribution from -1 to 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributions {
    base: i32,
    moved: [i32; MAX_FEATURES],
    all: i32,
}

/// One feature's part of a counterfactual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The feature's place in the schema.
    pub feature: usize,
    /// The value that it has.
    pub from: f32,
    /// The value that it would have to have.
    pub to: f32,
}

/// How good a changed vector is; less is better. What is Safe comes first, then what leaves fewer votes, then what is nearer.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Cost {
    /// The share for Medium and High that is left; zero as soon as the level is Safe.
    left: f32,
    distance: f64,
}

impl Contributions {
    /// The share that the forest expects of a vector that it knows nothing of: the mean over the roots.
    #[must_use]
    pub fn base(&self) -> f64 {
        self.share(self.base)
    }

    /// What one feature moved; nothing for one that no split on the way asked, or that is not in the schema.
    #[must_use]
    pub fn of(&self, feature: usize) -> f64 {
        self.share(self.moved.get(feature).copied().unwrap_or(0))
    }

    /// The features that moved the vote and how far, in the order of the schema.
    pub fn each(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.moved
            .iter()
            .enumerate()
            .filter(|(_, moved)| **moved != 0)
            .map(|(feature, &moved)| (feature, self.share(moved)))
    }

    /// The share of the vote for Medium and High together.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.share(self.base + self.moved.iter().sum::<i32>())
    }

    fn share(&self, votes: i32) -> f64 {
        f64::from(votes) / f64::from(self.all)
    }
}

impl Forest<'_> {
    /// What each feature of this vector moved, exactly.
    ///
    /// **Bounds**: the vector is read as [`Forest::classify`] reads it; the score is the share from which it finds Medium.
    ///
    /// **Source**: Saabas 2014, contributions along the decision path: each split's feature is credited with the difference
    /// between the expected vote after and before the split.
    #[must_use]
    pub fn contributions(&self, vector: &[f32]) -> Contributions {
        let x = self.padded(vector);
        let mut told =
            Contributions { base: 0, moved: [0; MAX_FEATURES], all: (WHOLE * self.roots.len() as u32).cast_signed() };
        for root in self.roots {
            let mut at = usize::from(u16::from_le_bytes(*root));
            let mut node = self.node(at);
            told.base += i32::from(node[7]);
            while node[6] != LEAF {
                at = step(&node, &x);
                let next = self.node(at);
                told.moved[usize::from(node[6]) % MAX_FEATURES] += i32::from(next[7]) - i32::from(node[7]);
                node = next;
            }
        }
        told
    }

    /// The features that moved the vote for this vector most, the strongest first: towards a threat where the classification is
    /// Medium or High, towards Safe where it is Safe.
    #[must_use]
    pub fn explain(&self, vector: &[f32]) -> [Option<Moved>; EXPLAINED] {
        let mut told = self.contributions(vector);
        let sign = if self.classify(vector).level == ThreatLevel::Safe { -1 } else { 1 };
        let mut top = [None; EXPLAINED];
        for slot in &mut top {
            let best = told.moved.iter().enumerate().max_by_key(|&(i, &m)| (m * sign, core::cmp::Reverse(i)));
            if let Some((feature, &m)) = best.filter(|&(_, &m)| m * sign > 0) {
                *slot = Some(Moved { feature, share: m as f32 / self.votes() });
                told.moved[feature] = 0;
            }
        }
        top
    }

    /// The smallest change that was found which makes this vector Safe; empty where it is Safe already, nothing where none of up
    /// to [`CHANGES`] features was found.
    ///
    /// A value moves just across a threshold that the forest asks, in either direction: between thresholds nothing changes. Each
    /// round takes the one more feature and the threshold that make the vector Safe by the nearest change or, where none does,
    /// leave the fewest votes; then each value goes back as near to its own as the vector stays Safe. So one feature is changed
    /// where one can do it, by as little as can be; several are a greedy choice, of which none can be left out.
    ///
    /// **Units**: near is what a value changes by against its size, |to - from| / (|to| + |from|), then the plain difference.
    ///
    /// **Bounds**: time is at most 5 rounds and 5 passes of one classification a split; it is not for the path of a frame.
    ///
    /// **Source**: Wachter, Mittelstadt and Russell 2017, counterfactual explanations.
    #[must_use]
    pub fn counterfactual(&self, vector: &[f32]) -> Option<Vec<Change, CHANGES>> {
        let own = self.padded(vector);
        let mut x = own;
        let mut features: Vec<usize, CHANGES> = Vec::new();
        let mut left = self.left(&x);
        while left > 0.0 {
            let (cost, feature, to) = self.best(&own, &x, &features).filter(|best| best.0.left < left)?;
            features.push(feature).ok()?;
            x[feature] = to;
            left = cost.left;
        }
        for _ in 0..CHANGES {
            let before = x;
            features.iter().for_each(|&feature| self.draw_near(&own, &mut x, feature));
            if features.iter().all(|&feature| x[feature].to_bits() == before[feature].to_bits()) {
                break;
            }
        }
        let changes = features.into_iter().map(|feature| Change { feature, from: own[feature], to: x[feature] });
        Some(changes.filter(|change| change.to.to_bits() != change.from.to_bits()).collect())
    }

    /// The best change of one feature that has not been changed yet.
    fn best(&self, own: &[f32; MAX_FEATURES], x: &[f32; MAX_FEATURES], taken: &[usize]) -> Option<(Cost, usize, f32)> {
        let mut best: Option<(Cost, usize, f32)> = None;
        for (feature, to) in self.crossings(own).filter(|(feature, _)| !taken.contains(feature)) {
            let distance = distance(own[feature], to);
            // Once a change makes Safe, only a nearer one can be better, whatever the forest says of it.
            if best.as_ref().is_some_and(|(found, ..)| found.left <= 0.0 && distance > found.distance) {
                continue;
            }
            let mut tried = *x;
            tried[feature] = to;
            let cost = Cost { left: self.left(&tried), distance };
            let nearer = |than: &(Cost, usize, f32)| {
                cost < than.0 || (cost == than.0 && (to - own[feature]).abs() < (than.2 - own[than.1]).abs())
            };
            if best.as_ref().is_none_or(nearer) {
                best = Some((cost, feature, to));
            }
        }
        best
    }

    /// Puts one value of a Safe vector as near to its own as the vector stays Safe.
    fn draw_near(&self, own: &[f32; MAX_FEATURES], x: &mut [f32; MAX_FEATURES], feature: usize) {
        let values = self.crossings(own).filter(|(other, _)| *other == feature).map(|(_, to)| to);
        for to in values.chain([own[feature]]) {
            let mut tried = *x;
            tried[feature] = to;
            let near = |value: f32| (distance(own[feature], value), (value - own[feature]).abs());
            if near(to) < near(x[feature]) && self.left(&tried) <= 0.0 {
                *x = tried;
            }
        }
    }

    /// For each split its feature and the nearest value on the threshold's other side, where there is a finite one.
    fn crossings(&self, own: &[f32; MAX_FEATURES]) -> impl Iterator<Item = (usize, f32)> {
        self.nodes.iter().filter(|node| node[6] != LEAF).filter_map(|node| {
            let feature = usize::from(node[6]) % MAX_FEATURES;
            let threshold = f32::from_le_bytes([node[0], node[1], node[2], node[3]]);
            let to = if own[feature] > threshold { threshold } else { threshold.next_up() };
            to.is_finite().then_some((feature, to))
        })
    }

    fn left(&self, x: &[f32; MAX_FEATURES]) -> f32 {
        let said = self.classify(x);
        if said.level == ThreatLevel::Safe { 0.0 } else { 1.0 - said.shares[0] }
    }
}

/// How far a value is from its own, from 0 to 1; a value that is not finite is as far as can be from any other.
fn distance(own: f32, value: f32) -> f64 {
    let (own, value) = (f64::from(own), f64::from(value));
    if own.to_bits() == value.to_bits() {
        return 0.0;
    }
    let share = (value - own).abs() / (value.abs() + own.abs());
    if share.is_finite() { share } else { 1.0 }
}

#[cfg(test)]
mod tests;
