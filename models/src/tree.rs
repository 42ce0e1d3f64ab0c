//! A tree in the trainer's own words: grown by smartcore, weighed by all rows, pruned, then written.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use detect::forest::format::CLASSES;
use terms::Family;

use crate::rows::Row;

/// Rows' worth of the whole training set that is mixed into each node's shares, so that a leaf of few rows is not certain.
const PRIOR: f64 = 1.0;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Sends values up to the threshold to the first child, greater ones to the second.
    Split {
        /// The feature that is looked at.
        feature: usize,
        /// Values up to this go to the first child.
        threshold: f32,
        /// Where values up to the threshold go.
        first: usize,
        /// Where greater values go.
        second: usize,
    },
    /// Votes.
    Leaf,
}

/// The weights of the rows that came to a place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    classes: [f64; CLASSES],
    families: BTreeMap<Family, f64>,
}

/// A node with the rows that reach it.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What it does.
    pub kind: Kind,
    /// What reaches it, the prior included.
    pub totals: Totals,
}

/// A tree; its root stands first.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    places: Vec<Place>,
}

impl Totals {
    /// The totals of these rows.
    #[must_use]
    pub fn of(rows: &[&Row], weights: &[f64]) -> Self {
        let mut totals = Self::default();
        rows.iter().zip(weights).for_each(|(row, weight)| totals.add(row, *weight));
        totals
    }

    /// The sum of all weights.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.classes.iter().sum()
    }

    /// The share of each class.
    #[must_use]
    pub fn shares(&self) -> [f64; CLASSES] {
        let weight = self.weight();
        self.classes.map(|c| if weight > 0.0 { c / weight } else { 0.0 })
    }

    /// The family with the most weight, and its share of all weight.
    #[must_use]
    pub fn family(&self) -> Option<(Family, f64)> {
        let heaviest = self.families.iter().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)))?;
        (*heaviest.1 > 0.0).then(|| (*heaviest.0, heaviest.1 / self.weight()))
    }

    fn add(&mut self, row: &Row, weight: f64) {
        self.classes[row.class()] += weight;
        if let Some(family) = row.named() {
            *self.families.entry(family).or_default() += weight;
        }
    }

    /// The same shares with another weight.
    fn scaled(&self, weight: f64) -> Self {
        let factor = if self.weight() > 0.0 { weight / self.weight() } else { 0.0 };
        Self {
            classes: self.classes.map(|c| c * factor),
            families: self.families.iter().map(|(f, w)| (*f, w * factor)).collect(),
        }
    }
}

impl Tree {
    /// A tree of these nodes, not yet weighed.
    ///
    /// # Errors
    /// There is no node, or a child does not stand behind its parent.
    pub fn new(kinds: Vec<Kind>) -> Result<Self> {
        ensure!(!kinds.is_empty(), "a tree without a node");
        let places = kinds.into_iter().map(|kind| Place { kind, totals: Totals::default() }).collect::<Vec<_>>();
        for (i, place) in places.iter().enumerate() {
            if let Kind::Split { first, second, .. } = place.kind {
                ensure!(
                    first.min(second) > i && first.max(second) < places.len(),
                    "a child does not stand behind its parent"
                );
            }
        }
        Ok(Self { places })
    }

    /// The nodes; the root stands first and children behind their parents.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Sends every row down the tree and notes the weights where it comes by.
    pub fn weigh(&mut self, rows: &[&Row], weights: &[f64], whole: &Totals) {
        let prior = whole.scaled(PRIOR);
        self.places.iter_mut().for_each(|p| p.totals = prior.clone());
        for (row, weight) in rows.iter().zip(weights) {
            let mut at = 0;
            loop {
                self.places[at].totals.add(row, *weight);
                match self.next(at, &row.vector) {
                    Some(next) => at = next,
                    None => break,
                }
            }
        }
    }

    /// Takes back splits that tell nothing apart, from the leaves upward, and orders the rest breadth first.
    pub fn prune(&mut self) {
        for i in (0..self.places.len()).rev() {
            let Kind::Split { first, second, .. } = self.places[i].kind else { continue };
            let [a, b] = [&self.places[first], &self.places[second]];
            if a.kind == Kind::Leaf && b.kind == Kind::Leaf && alike(&a.totals, &b.totals) {
                self.places[i].kind = Kind::Leaf;
            }
        }
        let mut order = vec![0];
        let mut places: Vec<Place> = Vec::new();
        while places.len() < order.len() {
            let mut place = self.places[order[places.len()]].clone();
            if let Kind::Split { first, second, .. } = &mut place.kind {
                let pair = order.len();
                order.extend([*first, *second]);
                (*first, *second) = (pair, pair + 1);
            }
            places.push(place);
        }
        self.places = places;
    }

    /// The shares of the leaf that a vector comes to.
    #[must_use]
    pub fn leaf_shares(&self, vector: &[f32]) -> [f64; CLASSES] {
        let mut at = 0;
        while let Some(next) = self.next(at, vector) {
            at = next;
        }
        self.places[at].totals.shares()
    }

    fn next(&self, at: usize, vector: &[f32]) -> Option<usize> {
        match self.places[at].kind {
            Kind::Split { feature, threshold, first, second } => {
                Some(if vector[feature] > threshold { second } else { first })
            }
            Kind::Leaf => None,
        }
    }
}

/// Whether two leaves vote the same as far as a vote of 255ths can tell, or only one class ever reached them.
fn alike(a: &Totals, b: &Totals) -> bool {
    let near = a.shares().iter().zip(b.shares()).all(|(x, y)| (x - y).abs() < 0.5 / 255.0);
    let family = |t: &Totals| t.family().map(|f| f.0);
    // With the prior in them, leaves of one class differ only in how sure they are; one leaf of both is the surer one.
    let main = |t: &Totals| t.shares().iter().position(|s| *s * t.weight() > t.weight() - PRIOR);
    let pure = main(a).is_some() && main(a) == main(b);
    (near || pure) && (family(a) == family(b) || main(a) == Some(0) && pure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::row;
    use terms::ThreatLevel::{High, Safe};

    fn split(feature: usize, threshold: f32, first: usize, second: usize) -> Kind {
        Kind::Split { feature, threshold, first, second }
    }

    #[test]
    fn shares_are_the_rows_that_come_by_and_one_row_of_all() {
        let rows = [row(Safe, "iot", "a", &[0.0]), row(High, "botnet_spread", "a", &[1.0])];
        let rows: Vec<&Row> = rows.iter().collect();
        let weights = [1.0, 3.0];
        let mut tree = Tree::new(vec![split(0, 0.5, 1, 2), Kind::Leaf, Kind::Leaf]).unwrap();
        tree.weigh(&rows, &weights, &Totals::of(&rows, &weights));
        assert_eq!(tree.leaf_shares(&[0.5]), [1.25 / 2.0, 0.0, 0.75 / 2.0]);
        assert_eq!(tree.leaf_shares(&[0.6]), [0.25 / 4.0, 0.0, 3.75 / 4.0]);
        assert_eq!(tree.places()[2].totals.family(), Some((Family::Anomaly, 3.75 / 4.0)));
    }

    #[test]
    fn a_split_between_rows_of_one_class_is_taken_back_and_the_rest_keeps_its_votes() {
        let rows = [
            row(Safe, "iot", "a", &[0.0, 0.0]),
            row(Safe, "iot", "a", &[0.0, 9.0]),
            row(High, "c2", "a", &[1.0, 0.0]),
            row(Safe, "iot", "a", &[1.0, 9.0]),
        ];
        let rows: Vec<&Row> = rows.iter().collect();
        let weights = [1.0; 4];
        // The children of the root stand last, as smartcore may number them.
        let kinds = vec![
            split(0, 0.5, 2, 1),
            split(1, 5.0, 3, 4),
            split(1, 5.0, 5, 6),
            Kind::Leaf,
            Kind::Leaf,
            Kind::Leaf,
            Kind::Leaf,
        ];
        let mut tree = Tree::new(kinds).unwrap();
        tree.weigh(&rows, &weights, &Totals::of(&rows, &weights));
        let before = tree.leaf_shares(&[1.0, 0.0]);
        tree.prune();
        assert_eq!(tree.places().len(), 5);
        assert_eq!(tree.leaf_shares(&[1.0, 0.0]), before);
        assert!(tree.leaf_shares(&[0.0, 0.0])[0] > 0.9);
        assert!(matches!(tree.places()[2].kind, Kind::Split { first: 3, second: 4, .. }), "breadth first");
    }

    #[test]
    fn a_tree_that_turns_back_is_refused() {
        assert!(Tree::new(vec![split(0, 0.5, 0, 1), Kind::Leaf]).is_err());
        assert!(Tree::new(vec![split(0, 0.5, 1, 2), Kind::Leaf]).is_err());
        assert!(Tree::new(vec![]).is_err());
    }
}
