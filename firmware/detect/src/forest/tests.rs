//! What holds for every image and every vector, on a forest of two small trees.

extern crate std;

use std::vec::Vec;

use super::format::{Header, MAX_LEN, NAME_LEN, NO_FAMILY, Node, seal};
use super::*;

pub(super) const SCHEMA: u64 = 0x0123_4567_89ab_cdef;

pub(super) fn split(feature: u8, threshold: f32, first: u16, threat: u8) -> Node {
    Node::Split { feature, threshold, first, threat }
}

pub(super) fn leaf(medium: u8, high: u8, family: u8) -> Node {
    Node::Leaf { medium, high, family, strength: if family == NO_FAMILY { 0 } else { medium + high } }
}

/// Tree 0 asks feature 0 and then feature 1; tree 1 asks feature 2. Family 0 is a port scan, family 1 a SYN flood.
fn nodes() -> Vec<Node> {
    std::vec![
        split(0, 10.0, 1, 100),
        leaf(0, 0, NO_FAMILY),
        split(1, 0.5, 3, 200),
        leaf(155, 0, 0),
        leaf(0, 255, 1),
        split(2, -1.0, 6, 60),
        leaf(0, 0, NO_FAMILY),
        leaf(20, 100, 0),
    ]
}

pub(super) fn image_of(nodes: &[Node], roots: &[u16]) -> Vec<u8> {
    let header = Header {
        features: 3,
        families: 2,
        trees: roots.len() as u16,
        nodes: nodes.len() as u16,
        medium_at: 0.4,
        high_at: 0.6,
        rows: 77,
        schema: SCHEMA,
        digest: 9,
    };
    let mut image = header.octets().to_vec();
    for family in [Family::PortScanVertical, Family::FloodSyn] {
        let mut name = family.as_str().as_bytes().to_vec();
        name.resize(NAME_LEN, 0);
        image.extend(name);
    }
    image.extend(roots.iter().flat_map(|r| r.to_le_bytes()));
    image.extend(nodes.iter().flat_map(Node::octets));
    seal(&mut image);
    image
}

fn image() -> Vec<u8> {
    image_of(&nodes(), &[0, 5])
}

fn refusal(nodes: &[Node], roots: &[u16]) -> ModelError {
    Forest::load(&image_of(nodes, roots), SCHEMA).unwrap_err()
}

#[test]
fn the_vote_is_the_mean_of_the_leaves() {
    let image = image();
    let forest = Forest::load(&image, SCHEMA).unwrap();
    let high = forest.classify(&[11.0, 1.0, 0.0]);
    assert_eq!(high.shares, [135.0 / 510.0, 20.0 / 510.0, 355.0 / 510.0]);
    assert_eq!((high.level, high.confidence, high.family), (ThreatLevel::High, 355.0 / 510.0, Some(Family::FloodSyn)));
    let medium = forest.classify(&[11.0, 0.0, 0.0]);
    assert_eq!((medium.level, medium.confidence), (ThreatLevel::Medium, 275.0 / 510.0));
    assert_eq!(medium.family, Some(Family::PortScanVertical));
    let safe = forest.classify(&[10.0, 1.0, -1.0]);
    assert_eq!((safe.shares, safe.level, safe.confidence), ([1.0, 0.0, 0.0], ThreatLevel::Safe, 1.0));
    assert_eq!(safe.family, None);
}

#[test]
fn a_value_on_the_threshold_and_one_that_is_no_number_go_to_the_first_child() {
    let image = image();
    let forest = Forest::load(&image, SCHEMA).unwrap();
    for first in [10.0, f32::NAN, f32::NEG_INFINITY] {
        assert_eq!(forest.classify(&[first, 1.0, -2.0]).shares[0], 1.0, "{first}");
    }
    assert_eq!(forest.classify(&[10.000_001, 1.0, -2.0]).shares[2], 0.5);
}

#[test]
fn a_short_vector_counts_as_zeros_and_a_long_one_is_cut() {
    let image = image();
    let forest = Forest::load(&image, SCHEMA).unwrap();
    assert_eq!(forest.classify(&[]), forest.classify(&[0.0; 3]));
    assert_eq!(forest.classify(&[11.0, 1.0, 0.0, 5.0]), forest.classify(&[11.0, 1.0, 0.0]));
    assert_eq!(forest.classify(&[3.0; 1000]), forest.classify(&[3.0; 3]));
}

#[test]
fn lanes_do_not_disturb_each_other() {
    let many = |trees: u16| {
        let nodes: Vec<Node> = (0..trees)
            .flat_map(|t| [split(0, f32::from(t), t * 3 + 1, 128), leaf(0, 0, NO_FAMILY), leaf(0, 255, 1)])
            .collect();
        image_of(&nodes, &(0..trees).map(|t| t * 3).collect::<Vec<_>>())
    };
    for trees in 1..=20 {
        let image = many(trees);
        let forest = Forest::load(&image, SCHEMA).unwrap();
        for value in 0..=trees {
            let share = forest.classify(&[f32::from(value)]).shares[2];
            assert_eq!(share, f32::from(value) / f32::from(trees), "{value} of {trees}");
        }
    }
}

#[test]
fn an_explanation_names_the_features_that_moved_the_vote() {
    let image = image();
    let forest = Forest::load(&image, SCHEMA).unwrap();
    let [first, second, third] = forest.explain(&[11.0, 1.0, 0.0]);
    assert_eq!(first, Some(Moved { feature: 0, share: 100.0 / 510.0 }));
    assert_eq!(second, Some(Moved { feature: 2, share: 60.0 / 510.0 }));
    assert_eq!(third, Some(Moved { feature: 1, share: 55.0 / 510.0 }));
    assert_eq!(forest.explain(&[0.0, 0.0, -5.0])[0], Some(Moved { feature: 0, share: -100.0 / 510.0 }));
    assert_eq!(forest.explain(&[0.0, 0.0, -5.0])[2], None, "feature 1 was not asked");
}

#[test]
fn every_flipped_bit_every_cut_and_every_appendix_is_refused() {
    let whole = image();
    for bit in 0..whole.len() * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Forest::load(&damaged, SCHEMA).is_err(), "bit {bit}");
    }
    for len in 0..whole.len() {
        assert!(Forest::load(&whole[..len], SCHEMA).is_err(), "cut to {len}");
        let mut cut = whole[..len].to_vec();
        seal(&mut cut);
        assert!(Forest::load(&cut, SCHEMA).is_err(), "cut to {len} with a right checksum");
    }
    let mut longer = whole.clone();
    longer.push(0);
    seal(&mut longer);
    assert_eq!(
        Forest::load(&longer, SCHEMA).unwrap_err(),
        ModelError::Length { expected: whole.len(), found: whole.len() + 1 }
    );
}

#[test]
fn each_kind_of_damage_has_its_own_name() {
    let good = image();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut image = good.clone();
        change(&mut image);
        seal(&mut image);
        Forest::load(&image, SCHEMA).unwrap_err()
    };
    assert_eq!(with(&|i| i[0] = b'X'), ModelError::Magic);
    assert_eq!(with(&|i| i[8] = 2), ModelError::Version(2));
    assert_eq!(with(&|i| i[10] = 4), ModelError::Field("classes"));
    assert_eq!(with(&|i| i[11] = 0), ModelError::Field("features"));
    assert_eq!(with(&|i| i[11] = 129), ModelError::Field("features"));
    assert_eq!(with(&|i| i[12] = 65), ModelError::Field("families"));
    assert_eq!(with(&|i| i[14] = 0), ModelError::Field("trees"));
    assert_eq!(with(&|i| i[48] = 1), ModelError::Field("the unused places"));
    assert_eq!(with(&|i| i[HEADER_OF_NAMES] = b'q'), ModelError::Family(0));
    assert_eq!(with(&|i| i.resize(MAX_LEN + 1, 0)), ModelError::Large(MAX_LEN + 1));
    assert_eq!(Forest::load(&good, SCHEMA + 1).unwrap_err(), ModelError::Schema(SCHEMA));
    assert_eq!(Forest::load(&[], SCHEMA).unwrap_err(), ModelError::Cut);
}

const HEADER_OF_NAMES: usize = super::format::HEADER_LEN;

#[test]
fn a_tree_that_is_not_a_tree_is_refused() {
    let change = |at: usize, node: Node| {
        let mut nodes = nodes();
        nodes[at] = node;
        refusal(&nodes, &[0, 5])
    };
    assert_eq!(change(0, split(0, 10.0, 0, 100)), ModelError::Child(0), "points to itself");
    assert_eq!(change(2, split(1, 0.5, 1, 200)), ModelError::Child(2), "points to its sibling");
    assert_eq!(change(2, split(1, 0.5, 60_000, 200)), ModelError::Child(2), "points out of the forest");
    assert_eq!(change(0, split(3, 10.0, 1, 100)), ModelError::Feature(0));
    assert_eq!(change(0, split(0, f32::NAN, 1, 100)), ModelError::Threshold(0));
    assert_eq!(change(0, split(0, f32::INFINITY, 1, 100)), ModelError::Threshold(0));
    assert_eq!(change(1, Node::Leaf { medium: 200, high: 200, family: 0, strength: 0 }), ModelError::Leaf(1));
    assert_eq!(change(1, Node::Leaf { medium: 0, high: 0, family: 2, strength: 0 }), ModelError::Leaf(1));
    assert_eq!(change(4, split(0, 1.0, 5, 0)), ModelError::Child(5), "takes the next tree's root for a child");
    assert_eq!(refusal(&nodes(), &[0, 4]), ModelError::Root(1));
    assert_eq!(refusal(&nodes()[..7], &[0, 5]), ModelError::Root(1), "a child is missing");
    assert_eq!(refusal(&nodes()[..5], &[1]), ModelError::Root(0));
    assert_eq!(refusal(&nodes(), &[0]), ModelError::Root(1), "nodes without a tree");
}

#[test]
fn golden_rows_hold_the_forest_to_every_bit() {
    let image = image();
    let forest = Forest::load(&image, SCHEMA).unwrap();
    let vector = [11.0f32, 1.0, 0.0];
    let answer = forest.classify(&vector);
    let mut rows = golden::MAGIC.to_vec();
    rows.extend([1u32, 3].iter().flat_map(|n| n.to_le_bytes()));
    rows.extend(vector.iter().chain(&answer.shares).flat_map(|v| v.to_le_bytes()));
    rows.extend([golden::level_octet(answer.level), 0, 0, 0]);
    assert_eq!(golden::check(&forest, &rows), Ok(1));
    for len in 0..rows.len() {
        assert_eq!(golden::check(&forest, &rows[..len]), Err(golden::GoldenError::Shape), "cut to {len}");
    }
    for at in golden::HEADER_LEN + 12..rows.len() {
        let mut damaged = rows.clone();
        damaged[at] ^= 1;
        assert_eq!(golden::check(&forest, &damaged), Err(golden::GoldenError::Differs(0)), "octet {at}");
    }
    rows[12] = 2;
    assert_eq!(golden::check(&forest, &rows), Err(golden::GoldenError::Features(2)));
}

proptest::proptest! {
    #[test]
    fn sealed_noise_never_panics_and_what_loads_classifies(
        edits in proptest::collection::vec((0usize..200, 0u8..), 0..6),
        vector in proptest::collection::vec(proptest::num::f32::ANY, 0..5),
    ) {
        let mut image = image();
        let len = image.len();
        for (at, octet) in edits {
            image[at % len] = octet;
        }
        seal(&mut image);
        if let Ok(forest) = Forest::load(&image, SCHEMA) {
            let answer = forest.classify(&vector);
            let sum: f32 = answer.shares.iter().sum();
            proptest::prop_assert!((sum - 1.0).abs() < 1e-5, "{answer:?}");
            proptest::prop_assert!(forest.explain(&vector).iter().flatten().all(|m| m.feature < forest.features()));
            let told = forest.contributions(&vector);
            proptest::prop_assert!((told.score() - f64::from(1.0 - answer.shares[0])).abs() < 1e-6, "{told:?}");
            if let Some(changes) = forest.counterfactual(&vector) {
                let mut changed = vector.clone();
                changed.resize(forest.features(), 0.0);
                changes.iter().for_each(|change| changed[change.feature] = change.to);
                proptest::prop_assert_eq!(forest.classify(&changed).level, ThreatLevel::Safe, "{:?}", changes);
            }
        }
    }
}
