//! Trees grown by smartcore, each on its own weighted sample.
//!
//! smartcore 0.7 weighs no classes and skips a possible split between two values whenever the neighbouring rows on its two sides
//! have the same class; on counts and flags, where most values repeat, that loses good splits. Two things are done about it:
//! each tree gets a sample that was drawn by weight, and each class is divided at random into [`PARTS`] parts before the tree is
//! grown. A part says nothing, so the expected gain of every split falls by the same factor and their order stays; but
//! neighbours rarely share a part, so that nearly every split is tried. The parts are joined again when shares are computed.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use crate::rows::Row;
use crate::sample::{Random, draw};
use crate::tree::{Kind, Tree};

/// Into how many parts a class is divided.
pub const PARTS: usize = 4;

/// The shape of a forest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many trees vote.
    pub trees: u16,
    /// The most splits between a root and a leaf.
    pub splits: u16,
    /// The fewest sampled rows in a leaf.
    pub least: usize,
    /// How many rows a tree's sample has at most.
    pub sample: usize,
    /// Where the draws begin.
    pub seed: u64,
}

impl Default for Shape {
    fn default() -> Self {
        Self { trees: 40, splits: 12, least: 5, sample: 6_000, seed: 1 }
    }
}

/// What smartcore writes of a forest, as far as it is read here.
#[derive(Deserialize)]
struct Grown {
    trees: Vec<GrownTree>,
}

#[derive(Deserialize)]
struct GrownTree {
    nodes: Vec<GrownNode>,
}

/// A node; a leaf may carry the value of a split that was not made, so only the children tell.
#[derive(Deserialize)]
struct GrownNode {
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

/// Grows the trees, side by side on all cores. The same rows and seed give the same trees on any number of cores.
///
/// # Errors
/// There are not at least two classes, the vectors differ in length, or smartcore refuses.
pub fn grow(rows: &[&Row], weights: &[f64], shape: &Shape) -> Result<Vec<Tree>> {
    let first = rows.first().context("there is no row to learn from")?;
    ensure!(
        rows.iter().any(|r| r.class() != first.class()),
        "all rows have the same level: there is nothing to tell apart"
    );
    ensure!(rows.iter().all(|r| r.vector.len() == first.vector.len()), "the rows have vectors of different lengths");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let seeds: Vec<u64> =
        (0..u64::from(shape.trees)).map(|t| shape.seed.wrapping_mul(1_000_003).wrapping_add(t)).collect();
    let share = seeds.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = seeds
            .chunks(share)
            .map(|seeds| {
                scope.spawn(move || {
                    seeds.iter().map(|&seed| grow_one(rows, weights, shape, seed)).collect::<Result<Vec<_>>>()
                })
            })
            .collect();
        let mut trees = Vec::new();
        for thread in threads {
            trees.extend(thread.join().map_err(|_| anyhow::anyhow!("a tree's thread panicked"))??);
        }
        Ok(trees)
    })
}

fn grow_one(rows: &[&Row], weights: &[f64], shape: &Shape, seed: u64) -> Result<Tree> {
    let mut random = Random::new(seed);
    let sample = draw(weights, shape.sample.min(rows.len()).max(2), &mut random);
    let features = rows.first().map_or(0, |r| r.vector.len());
    let mut values: Vec<f32> = Vec::with_capacity(sample.len() * features);
    let mut classes: Vec<u32> = Vec::with_capacity(sample.len());
    for i in sample {
        values.extend_from_slice(&rows[i].vector);
        classes.push((rows[i].class() * PARTS + random.below(PARTS)) as u32);
    }
    let x = DenseMatrix::new(classes.len(), features, values, false)?;
    // smartcore counts the root as a level, so one more than there are splits. It also divides rows that are all of one class by
    // their parts; `Tree::prune` takes that back.
    let parameters = RandomForestClassifierParameters::default()
        .with_n_trees(1)
        .with_max_depth(shape.splits + 1)
        .with_min_samples_leaf(shape.least)
        .with_min_samples_split(2 * shape.least)
        .with_m(features.isqrt().max(1) * 2)
        .with_seed(random.bits());
    let forest = RandomForestClassifier::fit(&x, &classes, parameters)?;
    let mut grown: Grown =
        serde_json::from_value(serde_json::to_value(&forest)?).context("smartcore writes forests in another way")?;
    let tree = grown.trees.pop().context("smartcore grew no tree")?;
    read(&tree.nodes)
}

/// The tree in the trainer's own words.
fn read(nodes: &[GrownNode]) -> Result<Tree> {
    let mut tree = Vec::with_capacity(nodes.len());
    for node in nodes {
        tree.push(match (node.true_child, node.false_child, node.split_value) {
            (Some(first), Some(second), Some(value)) => {
                ensure!(first < nodes.len() && second < nodes.len(), "smartcore wrote a child that is not there");
                Kind::Split { feature: node.split_feature, threshold: floor(value), first, second }
            }
            _ => Kind::Leaf,
        });
    }
    Tree::new(tree)
}

/// The greatest `f32` that is not above the value: for an `f32` x, `x <= value` and `x <= floor(value)` are then the same.
fn floor(value: f64) -> f32 {
    let near = value as f32;
    let floor = if f64::from(near) > value { near.next_down() } else { near };
    floor.clamp(f32::MIN, f32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::row;
    use crate::tree::Totals;
    use terms::ThreatLevel::{High, Safe};

    /// How many of `sets` random sets of 200 rows with one flag, right in 80 % of them, leave smartcore without a split.
    fn unsplit(parts: usize, sets: u64) -> usize {
        let mut none = 0;
        for set in 0..sets {
            let mut random = Random::new(set);
            let (mut x, mut y) = (Vec::new(), Vec::new());
            for _ in 0..200 {
                let class = random.below(2);
                let flag = if random.share() < 0.8 { class } else { 1 - class };
                x.push(flag as f32);
                y.push((class * parts + random.below(parts)) as u32);
            }
            let parameters = RandomForestClassifierParameters::default().with_n_trees(1).with_max_depth(2).with_m(1);
            let x = DenseMatrix::new(200, 1, x, false).unwrap();
            let forest = RandomForestClassifier::fit(&x, &y, parameters).unwrap();
            let mut grown: Grown = serde_json::from_value(serde_json::to_value(&forest).unwrap()).unwrap();
            none += usize::from(grown.trees.pop().unwrap().nodes[0].true_child.is_none());
        }
        none
    }

    #[test]
    fn dividing_the_classes_finds_the_splits_that_ties_hide() {
        let (plain, divided) = (unsplit(1, 100), unsplit(PARTS, 100));
        assert!(plain >= 20, "smartcore has changed ({plain} of 100 unsplit): see whether the parts are still needed");
        assert!(divided < plain / 2, "{divided} of 100 unsplit with parts, {plain} without");
    }

    #[test]
    fn a_threshold_keeps_its_side_when_it_loses_bits() {
        for value in [0.1f64, 1.0 + 1e-12, -0.1, 1e300, -1e300, 3.0, 16_777_216.5] {
            let floor = floor(value);
            assert!(f64::from(floor) <= value || floor == f32::MIN, "{value}");
            assert!(f64::from(floor.next_up()) > value || floor == f32::MAX, "{value}");
        }
    }

    #[test]
    fn two_interleaved_counts_are_told_apart_and_a_seed_repeats() {
        let rows: Vec<Row> = (0..400)
            .map(|i| {
                let noisy = (i * 7919 % 13) as f32;
                let level = if i % 5 == 0 { High } else { Safe };
                row(level, "c2", "s", &[noisy, if level == High { 6.0 + noisy % 3.0 } else { noisy % 6.0 }])
            })
            .collect();
        let rows: Vec<&Row> = rows.iter().collect();
        let shape = Shape { trees: 5, splits: 4, least: 2, sample: 400, seed: 3 };
        let trees = crate::train(&rows, &shape).unwrap();
        assert_eq!(trees, crate::train(&rows, &shape).unwrap());
        let whole = Totals::of(&rows, &crate::sample::weights(&rows));
        assert!(whole.weight() > 0.0);
        for row in &rows {
            let threat: f64 = trees.iter().map(|t| t.leaf_shares(&row.vector)[2]).sum::<f64>() / 5.0;
            assert_eq!(threat > 0.5, row.level == High, "{:?} {threat}", row.vector);
        }
    }

    #[test]
    fn nothing_to_tell_apart_is_said() {
        let rows = [row(Safe, "iot", "s", &[1.0]), row(Safe, "iot", "s", &[2.0])];
        let rows: Vec<&Row> = rows.iter().collect();
        let said = crate::train(&rows, &Shape::default()).unwrap_err().to_string();
        assert!(said.contains("nothing to tell apart"), "{said}");
        assert!(crate::train(&[], &Shape::default()).unwrap_err().to_string().contains("no row"));
    }
}
