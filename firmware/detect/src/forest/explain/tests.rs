//! What holds for explanations, on the shipped forest and on ones that can't be pleased.

extern crate std;

use std::vec::Vec;

use super::super::format::{CLASSES, NO_FAMILY, at, seal};
use super::super::golden;
use super::super::tests::{SCHEMA, image_of, leaf, split};
use super::*;

#[path = "../../../../../tests/common/chance.rs"]
mod chance;
use chance::Chance;

static IMAGE: &[u8] = include_bytes!("../../../../../models/picket.forest");
static GOLDEN: &[u8] = include_bytes!("../../../../../models/picket.golden");

/// How many vectors must add up.
const VECTORS: usize = 10_000;
/// How many threats are asked what would make them Safe.
const THREATS: usize = 300;

fn shipped() -> Forest<'static> {
    Forest::load(IMAGE, features::schema_hash()).expect("the shipped forest is of this schema")
}

/// The vectors of the golden rows: hosts as they were.
fn hosts(forest: &Forest<'_>) -> Vec<Vec<f32>> {
    let rows = GOLDEN[golden::HEADER_LEN..].chunks_exact(golden::row_len(forest.features()));
    let words = |row: &[u8]| row.as_chunks().0.iter().map(|word| f32::from_le_bytes(*word)).collect::<Vec<_>>();
    rows.map(|row| words(&row[..row.len() - (CLASSES + 1) * 4])).collect()
}

/// Vectors from around the thresholds that the forest asks; every second one is a host with some of its values changed.
fn vectors(forest: &Forest<'_>, seed: u64) -> impl Iterator<Item = Vec<f32>> {
    let mut asked = std::vec![std::vec![0.0f32]; forest.features()];
    forest.crossings(&[0.0; MAX_FEATURES]).for_each(|(feature, value)| asked[feature].push(value));
    let hosts = hosts(forest);
    let mut chance = Chance(seed);
    (0usize..).map(move |n| {
        let mut value = |feature: usize| {
            let near = asked[feature][(chance.draw() % asked[feature].len() as u64) as usize];
            near * (chance.draw() % 2_000) as f32 / 1_000.0
        };
        if n.is_multiple_of(2) {
            return (0..asked.len()).map(value).collect();
        }
        let mut host = hosts[n / 2 % hosts.len()].clone();
        for k in 0..n / 2 / hosts.len() % 12 {
            let feature = (n * 31 + k * 17) % asked.len();
            host[feature] = value(feature);
        }
        host
    })
}

fn threats<'f>(forest: &'f Forest<'_>) -> impl Iterator<Item = Vec<f32>> + use<'f> {
    let threat = |vector: &Vec<f32>| forest.classify(vector).level > ThreatLevel::Safe;
    vectors(forest, 2).filter(threat).take(THREATS)
}

fn level(forest: &Forest<'_>, vector: &[f32], changes: &[Change]) -> ThreatLevel {
    let mut changed = vector.to_vec();
    changes.iter().for_each(|change| changed[change.feature] = change.to);
    forest.classify(&changed).level
}

#[test]
fn base_and_contributions_add_up_to_the_score_for_10_000_vectors() {
    let forest = shipped();
    let (mut bases, mut moved) = (Vec::new(), 0);
    for vector in vectors(&forest, 1).take(VECTORS) {
        let told = forest.contributions(&vector);
        let answer = forest.classify(&vector);
        let sum = told.base() + (0..forest.features()).map(|feature| told.of(feature)).sum::<f64>();
        assert!((sum - told.score()).abs() < 1e-12, "{vector:?}");
        assert!((sum - f64::from(answer.shares[1]) - f64::from(answer.shares[2])).abs() < 1e-6, "{vector:?}");
        assert_eq!(told.score() as f32, (told.base + told.moved.iter().sum::<i32>()) as f32 / forest.votes());
        assert!(told.each().all(|(feature, share)| share != 0.0 && share == told.of(feature)));
        bases.push(told.base);
        moved += told.each().count();
    }
    bases.dedup();
    assert_eq!(bases.len(), 1, "the base knows nothing of the vector");
    assert!(moved > 10 * VECTORS, "{moved}");
}

#[test]
fn the_three_features_that_are_named_are_the_greatest_contributions() {
    let forest = shipped();
    for vector in vectors(&forest, 3).take(1_000) {
        let told = forest.contributions(&vector);
        let sign = if forest.classify(&vector).level == ThreatLevel::Safe { -1.0 } else { 1.0 };
        let mut shares: Vec<f64> = told.each().map(|(_, share)| share * sign).filter(|share| *share > 0.0).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        shares.truncate(EXPLAINED);
        let named: Vec<f64> = forest.explain(&vector).iter().flatten().map(|m| f64::from(m.share) * sign).collect();
        assert_eq!(named.len(), shares.len());
        assert!(named.iter().zip(&shares).all(|(a, b)| (a - b).abs() < 1e-6), "{named:?} {shares:?}");
    }
}

#[test]
fn every_counterfactual_makes_the_vector_safe_and_says_what_changes() {
    let forest = shipped();
    let (mut given, mut counts) = (0, [0; CHANGES + 1]);
    for vector in threats(&forest) {
        let Some(changes) = forest.counterfactual(&vector) else { continue };
        assert_eq!(level(&forest, &vector, &changes), ThreatLevel::Safe, "{changes:?}");
        for (n, change) in changes.iter().enumerate() {
            assert_eq!(change.from.to_bits(), vector[change.feature].to_bits());
            assert!(change.to.is_finite() && change.to != change.from, "{change:?}");
            assert!(changes[..n].iter().all(|other| other.feature != change.feature), "{changes:?}");
        }
        given += 1;
        counts[changes.len()] += 1;
    }
    assert_eq!(counts[0], 0, "a threat needs a change");
    assert!(given > THREATS * 9 / 10, "{given}: {counts:?}");
}

#[test]
fn no_change_of_a_counterfactual_can_be_left_out_or_be_any_smaller() {
    let forest = shipped();
    for vector in threats(&forest).step_by(3) {
        let Some(changes) = forest.counterfactual(&vector) else { continue };
        for n in 0..changes.len() {
            let mut fewer = changes.clone();
            fewer.swap_remove(n);
            assert_ne!(level(&forest, &vector, &fewer), ThreatLevel::Safe, "without {:?}", changes[n]);
            let mut smaller = changes.clone();
            let Change { from, to, .. } = changes[n];
            smaller[n].to = if to < from { to.next_up() } else { to.next_down() };
            assert_ne!(level(&forest, &vector, &smaller), ThreatLevel::Safe, "less than {:?}", changes[n]);
        }
    }
}

#[test]
fn where_one_feature_can_do_it_no_other_single_change_is_nearer() {
    let forest = shipped();
    let mut chance = Chance(5);
    for vector in threats(&forest).step_by(3) {
        let Some(&[Change { feature, from, to }]) = forest.counterfactual(&vector).as_deref() else { continue };
        let nearest = distance(from, to);
        for _ in 0..200 {
            let other = (chance.draw() % vector.len() as u64) as usize;
            let share = 1.0 + nearest as f32 * ((chance.draw() % 4_001) as f32 / 1_000.0 - 2.0);
            let change = Change { feature: other, from: vector[other], to: vector[other] * share };
            if distance(change.from, change.to) < nearest {
                assert_ne!(
                    level(&forest, &vector, &[change]),
                    ThreatLevel::Safe,
                    "{change:?}, not {feature} {from} {to}"
                );
            }
        }
    }
}

/// As many trees as features; each votes High where its own feature is above its place. Medium begins at 0.4 of them.
fn each_its_own(trees: u16) -> Vec<u8> {
    let nodes = |t: u16| [split(t as u8, f32::from(t), t * 3 + 1, 128), leaf(0, 0, NO_FAMILY), leaf(0, 255, 1)];
    let roots: Vec<u16> = (0..trees).map(|t| t * 3).collect();
    let mut image = image_of(&(0..trees).flat_map(nodes).collect::<Vec<_>>(), &roots);
    image[at::FEATURES] = trees as u8;
    seal(&mut image);
    image
}

#[test]
fn as_many_features_change_as_it_takes_and_the_nearest_of_them() {
    for (trees, needed) in [(1, 1), (2, 2), (3, 2), (5, 4), (6, 4), (8, 5)] {
        let image = each_its_own(trees);
        let forest = Forest::load(&image, SCHEMA).unwrap();
        let vector: Vec<f32> = (0..trees).map(|t| f32::from(t) + 1.0).collect();
        let changes = forest.counterfactual(&vector).expect("five are enough");
        assert_eq!(level(&forest, &vector, &changes), ThreatLevel::Safe);
        let mut features: Vec<usize> = changes.iter().map(|change| change.feature).collect();
        features.sort_unstable();
        let last = usize::from(trees);
        assert_eq!(features, (last - needed..last).collect::<Vec<_>>(), "one is nearest to greater values");
        assert!(changes.iter().all(|change| change.to == change.feature as f32 && change.from == change.to + 1.0));
    }
}

#[test]
fn what_is_safe_needs_no_change() {
    let forest = shipped();
    let safe = |vector: &Vec<f32>| forest.classify(vector).level == ThreatLevel::Safe;
    let mut asked = 0;
    for vector in vectors(&forest, 4).take(1_000).filter(safe) {
        assert!(forest.counterfactual(&vector).is_some_and(|changes| changes.is_empty()));
        asked += 1;
    }
    assert!(asked > 100, "{asked}");
}

#[test]
fn what_five_features_cannot_make_safe_has_no_counterfactual() {
    for (image, features) in [(image_of(&[leaf(0, 255, 0)], &[0]), 3), (each_its_own(9), 9)] {
        let forest = Forest::load(&image, SCHEMA).unwrap();
        assert_eq!(forest.counterfactual(&[100.0; 9][..features]), None);
    }
}

#[test]
fn a_value_that_is_no_number_or_has_no_neighbour_is_no_fault() {
    let nodes =
        [split(0, f32::MAX, 1, 100), leaf(0, 255, 1), split(1, 0.0, 3, 9), leaf(0, 0, NO_FAMILY), leaf(0, 255, 0)];
    let image = image_of(&nodes, &[0]);
    let forest = Forest::load(&image, SCHEMA).unwrap();
    for first in [0.0, f32::NAN, f32::NEG_INFINITY, f32::MAX] {
        assert_eq!(
            forest.counterfactual(&[first, 0.0, 0.0]),
            None,
            "{first}: only infinity is above the greatest number"
        );
    }
    let infinite = forest.counterfactual(&[f32::INFINITY, f32::INFINITY, 0.0]).expect("the second split");
    assert_eq!(infinite.as_slice(), [Change { feature: 1, from: f32::INFINITY, to: 0.0 }]);
}
