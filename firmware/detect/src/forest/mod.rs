//! The forest's evaluator: a flat, checked image of trees and a feature vector to a classification.
//!
//! [`Forest::load`] is the one door. It checks the whole image once (`load.rs`), so that the walk needs no check of its own:
//! every index it follows is in range and points forward. Nothing here allocates, and nothing panics for any image or vector.
//! The trainer writes images with the words of [`format`]; [`golden`] holds a forest to the answers it gave there; `explain.rs` says
//! why it votes as it does. A [`card`] tells what the training's features looked like, [`drift`] how far a site is from that, and
//! a [`package`] is all of it in one file that somebody signed.
//!
//! Several trees are walked side by side, because a step of one tree waits for memory and the steps of different trees do not
//! wait for each other.

pub mod card;
pub mod drift;
mod explain;
pub mod format;
pub mod golden;
mod load;
pub mod package;

use core::hint::select_unpredictable;

use terms::{Family, ThreatLevel};

pub use explain::{CHANGES, Change, Contributions, EXPLAINED, Moved};
use format::{CLASSES, LEAF, MAX_FAMILIES, MAX_FEATURES, NO_FAMILY, NODE_LEN};
pub use load::ModelError;

/// How many trees are walked side by side.
const LANES: usize = 8;

/// The most that one tree can give to a class: the whole of a leaf's share.
const WHOLE: u32 = 255;

/// A checked forest, borrowed from its image.
#[derive(Clone, Copy, Debug)]
pub struct Forest<'a> {
    nodes: &'a [[u8; NODE_LEN]],
    roots: &'a [[u8; 2]],
    features: usize,
    families: [Option<Family>; MAX_FAMILIES],
    medium_at: f32,
    high_at: f32,
    trained_on: u32,
    digest: u64,
}

/// What the forest says of one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Classification {
    /// The shares of the vote for Safe, Medium and High, in this order; their sum is 1.
    pub shares: [f32; CLASSES],
    /// The level that the shares reach by the model's own thresholds.
    pub level: ThreatLevel,
    /// The share of the vote that speaks for this level or a higher one (for Safe: for Safe).
    pub confidence: f32,
    /// The family that most leaves name, unless the level is Safe.
    pub family: Option<Family>,
}

impl<'a> Forest<'a> {
    /// Checks an image that was trained for the schema with this hash.
    ///
    /// # Errors
    /// Names the first thing that is wrong: an image is used as a whole or not at all.
    pub fn load(image: &'a [u8], schema: u64) -> Result<Self, ModelError> {
        load::load(image, schema)
    }

    /// How many features a vector has.
    #[must_use]
    pub const fn features(&self) -> usize {
        self.features
    }

    /// How many trees vote.
    #[must_use]
    pub const fn trees(&self) -> usize {
        self.roots.len()
    }

    /// How many nodes all trees have, leaves included.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// How many rows the trees were trained on.
    #[must_use]
    pub const fn trained_on(&self) -> u32 {
        self.trained_on
    }

    /// The digest of these rows, as the trainer computed it.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// The shares of the vote from which Medium (of Medium and High together) and High (alone) are reached.
    #[must_use]
    pub const fn thresholds(&self) -> (f32, f32) {
        (self.medium_at, self.high_at)
    }

    /// Classifies one vector.
    ///
    /// **Bounds**: values missing at the end count as zero, values beyond the schema are left out. A value that is not a number
    /// goes the way of small values.
    #[must_use]
    pub fn classify(&self, vector: &[f32]) -> Classification {
        let x = self.padded(vector);
        let (mut medium, mut high) = (0u32, 0u32);
        let mut named = [0u32; MAX_FAMILIES];
        for roots in self.roots.chunks(LANES) {
            for [m, h, family, strength] in self.leaves(roots, &x).into_iter().take(roots.len()) {
                medium += u32::from(m);
                high += u32::from(h);
                if let Some(votes) = named.get_mut(usize::from(family)) {
                    *votes += u32::from(strength);
                }
            }
        }
        self.judge(medium, high, &named)
    }

    /// The vector as the walk wants it: any feature number a node can hold is in range.
    fn padded(&self, vector: &[f32]) -> [f32; MAX_FEATURES] {
        let mut x = [0.0; MAX_FEATURES];
        for (slot, value) in x.iter_mut().zip(vector.iter().take(self.features)) {
            *slot = *value;
        }
        x
    }

    /// Walks up to [`LANES`] trees side by side, each to its leaf. Lanes without a tree repeat the first.
    #[inline]
    fn leaves(&self, roots: &[[u8; 2]], x: &[f32; MAX_FEATURES]) -> [[u8; 4]; LANES] {
        let mut at = [0usize; LANES];
        for (lane, slot) in at.iter_mut().enumerate() {
            *slot = roots.get(lane).or(roots.first()).map_or(0, |r| usize::from(u16::from_le_bytes(*r)));
        }
        loop {
            let mut open = false;
            for slot in &mut at {
                let node = self.node(*slot);
                let split = node[6] != LEAF;
                // Which way a vector goes is a coin toss to the processor; a select costs less than a wrong guess.
                *slot = select_unpredictable(split, step(&node, x), *slot);
                open |= split;
            }
            if !open {
                return at.map(|slot| {
                    let [medium, high, family, strength, ..] = self.node(slot);
                    [medium, high, family, strength]
                });
            }
        }
    }

    /// The node at this place; a leaf that votes Safe where there is none, which a checked forest never asks for.
    #[inline]
    fn node(&self, at: usize) -> [u8; NODE_LEN] {
        self.nodes.get(at).copied().unwrap_or([0, 0, NO_FAMILY, 0, 0, 0, LEAF, 0])
    }

    /// All the votes there are. Exact: 255 times 512 trees is far below 2^24.
    fn votes(&self) -> f32 {
        (WHOLE * self.roots.len() as u32) as f32
    }

    fn judge(&self, medium: u32, high: u32, named: &[u32; MAX_FAMILIES]) -> Classification {
        let all = WHOLE * self.roots.len() as u32;
        let share = |votes: u32| votes as f32 / self.votes();
        let shares = [share(all.saturating_sub(medium + high)), share(medium), share(high)];
        let (level, confidence) = if shares[2] >= self.high_at {
            (ThreatLevel::High, shares[2])
        } else if share(medium + high) >= self.medium_at {
            (ThreatLevel::Medium, share(medium + high))
        } else {
            (ThreatLevel::Safe, shares[0])
        };
        let strongest = named.iter().enumerate().max_by_key(|&(i, &votes)| (votes, core::cmp::Reverse(i)));
        let family =
            strongest.filter(|&(_, &v)| v > 0 && level != ThreatLevel::Safe).and_then(|(i, _)| self.families[i]);
        Classification { shares, level, confidence, family }
    }
}

/// The child that a split sends the vector to: the first for values up to the threshold, the second for greater ones.
#[inline]
fn step(node: &[u8; NODE_LEN], x: &[f32; MAX_FEATURES]) -> usize {
    let threshold = f32::from_le_bytes([node[0], node[1], node[2], node[3]]);
    let first = usize::from(u16::from_le_bytes([node[4], node[5]]));
    first + usize::from(x[usize::from(node[6]) % MAX_FEATURES] > threshold)
}

#[cfg(test)]
mod tests;
