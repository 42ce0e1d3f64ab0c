//! Trees to the image that the box loads.

use anyhow::{Context, Result, ensure};
use detect::forest::Forest;
use detect::forest::format::{Header, MAX_FAMILIES, MAX_FEATURES, MAX_LEN, NAME_LEN, NO_FAMILY, Node, seal};
use terms::Family;

use crate::rows::Rows;
use crate::tree::{Kind, Place, Totals, Tree};

/// The shares of the vote from which a host is Medium and High.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Of Medium and High together.
    pub medium: f32,
    /// Of High alone.
    pub high: f32,
}

impl Thresholds {
    /// Never anything but Safe: above any share.
    pub const NEVER: Self = Self { medium: 1.5, high: 1.5 };
}

/// Writes an image and loads it as the box does.
///
/// # Errors
/// The forest does not fit the format; what the box would say of it.
pub fn encode(trees: &[Tree], rows: &Rows, thresholds: Thresholds) -> Result<Vec<u8>> {
    let families = families(trees);
    let count: usize = trees.iter().map(|t| t.places().len()).sum();
    let features = rows.schema.names.len();
    ensure!(features <= MAX_FEATURES, "{features} features are more than the format holds");
    ensure!(families.len() <= MAX_FAMILIES, "{} families are more than the format holds", families.len());
    let header = Header {
        features: u8::try_from(features)?,
        families: u8::try_from(families.len())?,
        trees: u16::try_from(trees.len())?,
        nodes: u16::try_from(count)
            .with_context(|| format!("{count} nodes are too many: fewer trees, or fewer splits"))?,
        medium_at: thresholds.medium,
        high_at: thresholds.high,
        rows: u32::try_from(rows.rows.len())?,
        schema: rows.schema.hash,
        digest: rows.digest(),
    };
    let mut image = header.octets().to_vec();
    for family in &families {
        let mut name = [0; NAME_LEN];
        let word = family.as_str().as_bytes();
        ensure!(word.len() <= NAME_LEN, "the name {family} is longer than the format holds");
        name[..word.len()].copy_from_slice(word);
        image.extend(name);
    }
    let mut root = 0u16;
    for tree in trees {
        image.extend(root.to_le_bytes());
        root += u16::try_from(tree.places().len())?;
    }
    root = 0;
    for tree in trees {
        for place in tree.places() {
            image.extend(node(place, root, &families)?.octets());
        }
        root += u16::try_from(tree.places().len())?;
    }
    ensure!(
        image.len() <= MAX_LEN,
        "{} octets are more than the {MAX_LEN} allowed: fewer trees, or fewer splits",
        image.len()
    );
    seal(&mut image);
    Forest::load(&image, rows.schema.hash).context("the box would refuse this forest")?;
    Ok(image)
}

/// The families that a leaf leads with, in their own order.
fn families(trees: &[Tree]) -> Vec<Family> {
    let leaves = trees.iter().flat_map(Tree::places).filter(|p| p.kind == Kind::Leaf);
    let mut families: Vec<Family> = leaves.filter_map(|p| p.totals.family()).map(|f| f.0).collect();
    families.sort_unstable();
    families.dedup();
    families
}

fn node(place: &Place, root: u16, families: &[Family]) -> Result<Node> {
    let (medium, high) = votes(&place.totals);
    Ok(match place.kind {
        Kind::Split { feature, threshold, first, .. } => Node::Split {
            feature: u8::try_from(feature)?,
            threshold,
            first: root + u16::try_from(first)?,
            threat: medium + high,
        },
        Kind::Leaf => {
            let lead = place.totals.family().filter(|_| medium + high > 0);
            let index = lead.and_then(|(family, _)| families.binary_search(&family).ok());
            Node::Leaf {
                medium,
                high,
                family: index.map_or(Ok(NO_FAMILY), u8::try_from)?,
                strength: index.and(lead).map_or(0, |(_, share)| in_255ths(share)),
            }
        }
    })
}

/// The shares of Medium and High in 255ths; never more than 255 together.
fn votes(totals: &Totals) -> (u8, u8) {
    let [_, medium, high] = totals.shares();
    let high = in_255ths(high);
    (in_255ths(medium).min(255 - high), high)
}

fn in_255ths(share: f64) -> u8 {
    (share * 255.0).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::grow::Shape;
    use crate::rows::{Row, Schema};
    use crate::sample::{Random, tests::row};
    use terms::ThreatLevel::{High, Medium, Safe};

    /// Three classes in each of three sources, which two of four features tell apart, with noise.
    pub fn synthetic(count: usize) -> Rows {
        let mut random = Random::new(11);
        let rows = (0..count).map(|i| {
            let (level, family, base) = match i % 6 {
                0 => (High, "c2", [30.0, 2.0]),
                1 => (Medium, "spam_sending", [2.0, 40.0]),
                _ => (Safe, "benign_iot", [3.0, 3.0]),
            };
            let mut noise = || (random.share() * 12.0).floor() as f32;
            let vector = [base[0] + noise(), noise(), base[1] + noise(), noise()];
            let mut row = row(level, family, ["a", "b", "c"][i / 6 % 3], &vector);
            (row.host, row.minute) = (format!("10.0.0.{}", i % 20), i as u64 / 20);
            row
        });
        Rows {
            schema: Schema { names: ["p", "q", "r", "s"].map(String::from).to_vec(), hash: 42 },
            rows: rows.collect(),
        }
    }

    #[test]
    fn the_box_votes_as_the_trainer_does() {
        let rows = synthetic(900);
        let all: Vec<&Row> = rows.rows.iter().collect();
        let trees = crate::train(&all, &Shape { trees: 11, splits: 6, least: 3, sample: 600, seed: 2 }).unwrap();
        let image = encode(&trees, &rows, Thresholds { medium: 0.5, high: 0.6 }).unwrap();
        let forest = Forest::load(&image, 42).unwrap();
        let mut right = 0;
        for row in &rows.rows {
            let answer = forest.classify(&row.vector);
            for (class, share) in answer.shares.iter().enumerate() {
                let mean = trees.iter().map(|t| t.leaf_shares(&row.vector)[class]).sum::<f64>() / trees.len() as f64;
                assert!((f64::from(*share) - mean).abs() < 1.0 / 255.0, "{class}: {share} against {mean}");
            }
            right += usize::from(answer.level == row.level && answer.family == row.named());
        }
        assert!(right > 850, "{right} of 900");
        assert_eq!(forest.trained_on(), 900);
        assert_eq!(forest.digest(), rows.digest());
    }

    #[test]
    fn a_forest_that_does_not_fit_is_refused_with_advice() {
        let leaf = Tree::new(vec![Kind::Leaf]).unwrap();
        let said = encode(&vec![leaf; 600], &synthetic(6), Thresholds::NEVER).unwrap_err();
        assert!(format!("{said:#}").contains("trees"), "{said:#}");
        let mut wide = synthetic(6);
        wide.schema.names = vec!["x".into(); 129];
        let leaf = Tree::new(vec![Kind::Leaf]).unwrap();
        assert!(encode(&[leaf], &wide, Thresholds::NEVER).unwrap_err().to_string().contains("129 features"));
    }
}
