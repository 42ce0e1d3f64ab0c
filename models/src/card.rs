//! The card that goes with a forest: how the features of harmless rows are distributed, and what a vote is worth on unseen sources.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use detect::forest::card::{BINS, Card, EDGES, Reference, checksum, header};
use detect::forest::{drift, format};
use terms::ThreatLevel;

use crate::evaluate::Score;
use crate::rows::{Row, Rows};

/// Harmless rows that a source must have to be held against the others.
const LEAST_ROWS: usize = 100;
/// The distance below which no source stands apart.
const MUCH: f32 = 0.25;
/// Steps of the vote for each of which the share of threats is counted.
const STEPS: usize = 20;

/// How often each bin of each feature was met.
type Counts = Vec<[usize; BINS]>;

/// Writes the card of a forest and reads it back; `day` is the day of the training, in days since the epoch.
///
/// # Errors
/// There is no harmless row, or the box would refuse the card.
pub fn write(image: &[u8], rows: &Rows, unseen: &[Option<Score>], day: u32) -> Result<Vec<u8>> {
    let features = rows.schema.names.len();
    let harmless: Vec<&Row> = rows.rows.iter().filter(|row| row.level == ThreatLevel::Safe).collect();
    ensure!(!harmless.is_empty(), "there is no harmless row that could be a reference");
    let mut references: Vec<Reference> = (0..features).map(|feature| reference(&harmless, feature)).collect();
    let apart = hold_apart(&mut references, &harmless);
    let knots = curve(rows, unseen);
    let forest = format::checksum(image);
    let [counted, curved] = [features, knots.len()].map(u8::try_from);
    let mut octets = header(counted?, curved?, day, forest, u32::try_from(harmless.len())?, apart).to_vec();
    references.iter().for_each(|reference| octets.extend(reference.octets()));
    knots.iter().for_each(|(vote, chance)| octets.extend([vote.to_le_bytes(), chance.to_le_bytes()].concat()));
    let sum = checksum(&octets);
    octets.extend(sum);
    Card::load(&octets, features, forest).context("the box would refuse this card")?;
    Ok(octets)
}

/// The tenths of a feature's values and what is in them.
fn reference(rows: &[&Row], feature: usize) -> Reference {
    let mut values: Vec<f32> = rows.iter().map(|row| row.vector[feature]).collect();
    values.sort_unstable_by(f32::total_cmp);
    let mut edges = [0.0; EDGES];
    for (n, edge) in edges.iter_mut().enumerate() {
        *edge = values[values.len() * (n + 1) / BINS];
    }
    let mut reference = Reference { edges, shares: [0.0; BINS], usual: 0.0 };
    let mut counts = [0; BINS];
    values.iter().for_each(|value| counts[reference.bin(*value)] += 1);
    reference.shares = shares(&counts);
    reference
}

/// Notes with each feature how far the farthest source is from all others; the most features at which one source alone stands apart,
/// the oddest source left aside: there is one in any collection.
fn hold_apart(references: &mut [Reference], rows: &[&Row]) -> u32 {
    let mut sources: BTreeMap<&str, (usize, Counts)> = BTreeMap::new();
    for row in rows {
        let (seen, counts) = sources.entry(&row.source).or_insert_with(|| (0, vec![[0; BINS]; references.len()]));
        *seen += 1;
        for ((bins, reference), value) in counts.iter_mut().zip(references.iter()).zip(&row.vector) {
            bins[reference.bin(*value)] += 1;
        }
    }
    let mut all: Counts = vec![[0; BINS]; references.len()];
    for (_, counts) in sources.values() {
        for (sum, bins) in all.iter_mut().zip(counts) {
            sum.iter_mut().zip(bins).for_each(|(sum, bin)| *sum += bin);
        }
    }
    let large: Vec<&Counts> =
        sources.values().filter(|(seen, _)| *seen >= LEAST_ROWS).map(|(_, counts)| counts).collect();
    let mut farthest = vec![0; large.len()];
    for (feature, reference) in references.iter_mut().enumerate() {
        let away = |counts: &&Counts| {
            let mut others = all[feature];
            others.iter_mut().zip(counts[feature]).for_each(|(sum, bin)| *sum -= bin);
            drift::distance(&shares(&counts[feature]), &shares(&others))
        };
        let first = large.iter().map(away).enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((source, distance)) = first {
            reference.usual = distance;
            farthest[source] += u32::from(distance > MUCH);
        }
    }
    farthest.sort_unstable();
    farthest.iter().rev().nth(1).copied().unwrap_or(0)
}

fn shares(counts: &[usize; BINS]) -> [f32; BINS] {
    let all = counts.iter().sum::<usize>().max(1);
    counts.map(|count| count as f32 / all as f32)
}

/// What a vote was worth on rows of sources that the forest had not seen: the share of threats by the vote, made to ascend.
///
/// Rows of threats that rules define are left out, as in the training.
///
/// **Source**: pool adjacent violators (Ayer and others, 1955), over equal steps of the vote.
fn curve(rows: &Rows, unseen: &[Option<Score>]) -> Vec<(f32, f32)> {
    let mut steps = [(0.0f64, 0usize, 0usize); STEPS];
    for (row, score) in rows.rows.iter().zip(unseen) {
        let Some(score) = score.filter(|_| !row.is_defined()) else { continue };
        let step = &mut steps[((f64::from(score.threat) * STEPS as f64) as usize).min(STEPS - 1)];
        *step = (step.0 + f64::from(score.threat), step.1 + 1, step.2 + usize::from(row.level > ThreatLevel::Safe));
    }
    // Blocks of steps with one share each; a block that is below the one before it joins it.
    let mut blocks: Vec<(Vec<f32>, usize, usize)> = Vec::new();
    for (votes, count, threats) in steps.into_iter().filter(|step| step.1 > 0) {
        let mut block = (vec![(votes / count as f64) as f32], count, threats);
        while let Some((places, all, hits)) = blocks.pop_if(|last| last.2 * block.1 > block.2 * last.1) {
            block = ([places, block.0].concat(), all + block.1, hits + block.2);
        }
        blocks.push(block);
    }
    let knots = blocks.into_iter().flat_map(|(places, count, threats)| {
        let share = threats as f32 / count as f32;
        // A flat piece needs its two ends only.
        let ends = if places.len() > 1 { vec![places[0], places[places.len() - 1]] } else { places };
        ends.into_iter().map(move |vote| (vote, share))
    });
    knots.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::tests::row;
    use terms::ThreatLevel::{High, Safe};

    fn rows(of: impl Iterator<Item = (Row, Option<Score>)>) -> (Rows, Vec<Option<Score>>) {
        let (rows, scores) = of.unzip();
        let schema = crate::rows::Schema { names: vec!["a".into(), "b".into()], hash: 7 };
        (Rows { schema, rows }, scores)
    }

    fn score(threat: f32) -> Option<Score> {
        Some(Score { threat, high: 0.0 })
    }

    /// Three sources of 200 harmless rows: alike in the first feature, one apart in the second.
    fn three() -> (Rows, Vec<Option<Score>>) {
        rows((0..600).map(|n| {
            let source = ["x", "y", "z"][n % 3];
            let second = if source == "z" { 50.0 } else { (n / 3 % 10) as f32 };
            (row(Safe, "benign", source, &[(n / 3 % 20) as f32, second]), score(0.1))
        }))
    }

    #[test]
    fn a_card_holds_tenths_and_how_far_its_sources_are_from_one_another() {
        let (rows, scores) = three();
        let image = [1u8; 100];
        let octets = write(&image, &rows, &scores, 20_000).unwrap();
        let card = Card::load(&octets, 2, format::checksum(&image)).unwrap();
        let [alike, apart] = [0, 1].map(|feature| card.reference(feature).unwrap());
        assert!(alike.shares.iter().all(|share| (0.04..=0.16).contains(share)), "{alike:?}");
        assert!(alike.usual < 0.05 && apart.usual > 2.0, "{} {}", alike.usual, apart.usual);
        assert_eq!((card.rows(), card.day(), card.apart()), (600, 20_000, 0), "the oddest source is left aside");
        assert_eq!(octets, write(&image, &rows, &scores, 20_000).unwrap(), "the same rows give the same card");
    }

    #[test]
    fn the_curve_ascends_and_is_the_share_of_threats() {
        let (rows, scores) = rows((0..1_000).map(|n| {
            let vote = n as f32 / 1_000.0;
            // Threats grow with the vote, but for a dent in the middle.
            let threat = if (450..500).contains(&n) { false } else { n * 7 % 1_000 < n };
            let level = if threat { High } else { Safe };
            (row(level, if threat { "c2" } else { "benign" }, "x", &[0.0, 0.0]), score(vote))
        }));
        let curve = curve(&rows, &scores);
        assert!(curve.len() >= 8 && curve.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{curve:?}");
        for (vote, share) in curve.iter().filter(|knot| knot.0 < 0.3 || knot.0 > 0.6) {
            assert!((vote - share).abs() < 0.1, "{vote} {share}");
        }
    }

    #[test]
    fn rows_without_a_score_and_rows_that_rules_define_are_no_part_of_the_curve() {
        let (rows, scores) = rows(
            [
                (row(High, "port_scan_vertical", "x", &[0.0, 0.0]), score(0.5)),
                (row(High, "c2", "x", &[0.0, 0.0]), None),
            ]
            .into_iter(),
        );
        assert!(curve(&rows, &scores).is_empty());
    }
}
