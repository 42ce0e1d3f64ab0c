//! What a forest is worth on rows that it has not seen.
//!
//! **Source**: leaving out captures at random flatters, because captures of one source share a lab and a filter; leaving out a
//! whole source is what a new site is like. Both are reported, and only the second sets thresholds.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use detect::forest::Forest;
use terms::ThreatLevel;

use crate::grow::Shape;
use crate::image::{Thresholds, encode};
use crate::rows::{Row, Rows};

/// Minutes in a day: what an alarm rate counts is minutes in which a host sent something.
const DAY: f64 = 1440.0;

/// By what rows are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// By capture, ten folds.
    Capture,
    /// By source, as many folds as there are sources.
    Source,
}

/// What an unseen row got.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The share of Medium and High together.
    pub threat: f32,
    /// The share of High.
    pub high: f32,
}

/// Alarms and finds at given thresholds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// By family: subjects, those found at Medium or above, those found at High.
    pub families: BTreeMap<String, [usize; 3]>,
    /// Minutes of harmless hosts.
    pub benign_minutes: usize,
    /// Of these, minutes at Medium.
    pub medium_minutes: usize,
    /// Of these, minutes at High.
    pub high_minutes: usize,
}

/// Trains once for each fold and scores the rows that were left out.
///
/// # Errors
/// A fold cannot be trained for another reason than that it lacks a class.
pub fn unseen(rows: &Rows, shape: &Shape, apart: Apart) -> Result<Vec<Score>> {
    let key = |row: &Row| match apart {
        Apart::Capture => fold_of(&row.capture),
        Apart::Source => row.source.clone(),
    };
    let folds: BTreeSet<String> = rows.rows.iter().map(key).collect();
    let mut scores = vec![Score { threat: 0.0, high: 0.0 }; rows.rows.len()];
    for fold in folds {
        let seen: Vec<&Row> = rows.rows.iter().filter(|r| key(r) != fold).collect();
        // Without this fold there may be nothing left to tell apart; then it goes unfound, which is what it would be.
        if seen.first().is_none_or(|f| seen.iter().all(|r| r.class() == f.class())) {
            continue;
        }
        let trees = crate::train(&seen, shape).with_context(|| format!("without {fold}"))?;
        let image = encode(&trees, rows, Thresholds::NEVER)?;
        let forest = Forest::load(&image, rows.schema.hash)?;
        for (row, score) in rows.rows.iter().zip(&mut scores).filter(|(r, _)| key(r) == fold) {
            *score = score_of(&forest, row);
        }
    }
    Ok(scores)
}

/// What a forest gives a row.
#[must_use]
pub fn score_of(forest: &Forest<'_>, row: &Row) -> Score {
    let [_, medium, high] = forest.classify(&row.vector).shares;
    Score { threat: medium + high, high }
}

/// The lowest thresholds that keep to so many minutes a harmless host and day.
///
/// **Bounds**: never below a half, whatever the budget would allow: below it the vote speaks for Safe.
#[must_use]
pub fn thresholds(rows: &Rows, scores: &[Score], medium_a_day: f64, high_a_day: f64) -> Thresholds {
    let benign = || rows.rows.iter().zip(scores).filter(|(r, _)| r.level == ThreatLevel::Safe).map(|(_, s)| s);
    let days = benign().count() as f64 / DAY;
    let lowest = |mut values: Vec<f32>, a_day: f64| {
        values.sort_unstable_by(|a, b| b.total_cmp(a));
        let allowed = (days * a_day) as usize;
        values.get(allowed).map_or(0.5, |v| v.next_up().max(0.5))
    };
    let medium = lowest(benign().map(|s| s.threat).collect(), medium_a_day);
    let high = lowest(benign().map(|s| s.high).collect(), high_a_day);
    Thresholds { medium, high: high.max(medium) }
}

/// The level that a score reaches.
#[must_use]
pub fn level(score: Score, thresholds: Thresholds) -> ThreatLevel {
    if score.high >= thresholds.high {
        ThreatLevel::High
    } else if score.threat >= thresholds.medium {
        ThreatLevel::Medium
    } else {
        ThreatLevel::Safe
    }
}

/// Counts finds by subject (a host of a capture) and alarms by minute, where each row got the level at its place.
#[must_use]
pub fn outcome(rows: &Rows, levels: &[ThreatLevel]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut subjects: BTreeMap<(&str, &str, &str), [bool; 2]> = BTreeMap::new();
    for (row, level) in rows.rows.iter().zip(levels) {
        let (medium, high) = (*level >= ThreatLevel::Medium, *level == ThreatLevel::High);
        if row.level == ThreatLevel::Safe {
            outcome.benign_minutes += 1;
            outcome.medium_minutes += usize::from(medium && !high);
            outcome.high_minutes += usize::from(high);
        } else {
            let best = subjects.entry((&row.family, &row.capture, &row.host)).or_default();
            *best = [best[0] || medium, best[1] || high];
        }
    }
    for ((family, ..), [medium, high]) in subjects {
        let counts = outcome.families.entry(family.to_owned()).or_default();
        *counts = [counts[0] + 1, counts[1] + usize::from(medium), counts[2] + usize::from(high)];
    }
    outcome
}

impl Outcome {
    /// Subjects, those found at Medium or above, those found at High, over all families.
    #[must_use]
    pub fn subjects(&self) -> [usize; 3] {
        self.families.values().fold([0; 3], |sum, f| [sum[0] + f[0], sum[1] + f[1], sum[2] + f[2]])
    }

    /// The mean over the families of the share that is found.
    #[must_use]
    pub fn macro_share(&self) -> f64 {
        let shares: f64 = self.families.values().map(|f| f[1] as f64 / f[0].max(1) as f64).sum();
        shares / self.families.len().max(1) as f64
    }

    /// Minutes at Medium and at High a harmless host and day.
    #[must_use]
    pub fn alarms_a_day(&self) -> [f64; 2] {
        let days = self.benign_minutes as f64 / DAY;
        [self.medium_minutes, self.high_minutes].map(|m| if days > 0.0 { m as f64 / days } else { 0.0 })
    }
}

/// The chance that a threat's minute scores above a harmless one, ties counted half.
///
/// **Source**: the area under the ROC curve by ranks (Mann and Whitney 1947).
#[must_use]
pub fn area(rows: &Rows, scores: &[Score]) -> f64 {
    let mut ranked: Vec<(f32, bool)> =
        rows.rows.iter().zip(scores).map(|(r, s)| (s.threat, r.level != ThreatLevel::Safe)).collect();
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut sum, mut threats) = (0.0, 0.0, 0.0);
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        let threat = tied.iter().filter(|t| t.1).count() as f64;
        let benign = tied.len() as f64 - threat;
        sum += threat * (below + benign / 2.0);
        threats += threat;
        below += benign;
    }
    if threats > 0.0 && below > 0.0 { sum / (threats * below) } else { 0.5 }
}

/// One of ten folds, by the capture's name.
fn fold_of(capture: &str) -> String {
    let hash = capture.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, o| (h ^ u64::from(o)).wrapping_mul(0x0100_0000_01b3));
    format!("fold {}", (hash >> 32) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::tests::synthetic;

    fn levels(scores: &[Score], thresholds: Thresholds) -> Vec<ThreatLevel> {
        scores.iter().map(|s| level(*s, thresholds)).collect()
    }

    const SHAPE: Shape = Shape { trees: 8, splits: 6, least: 3, sample: 400, seed: 1 };

    #[test]
    fn a_source_that_is_left_out_is_still_told_apart_where_it_behaves_alike() {
        let rows = synthetic(600);
        let scores = unseen(&rows, &SHAPE, Apart::Source).unwrap();
        assert!(area(&rows, &scores) > 0.98, "{}", area(&rows, &scores));
        let found = outcome(&rows, &levels(&scores, Thresholds { medium: 0.5, high: 0.5 }));
        let [subjects, medium, high] = found.subjects();
        assert!(subjects > 0 && medium * 10 >= subjects * 9, "{medium} of {subjects}");
        assert!(high > 0 && high < medium, "scans are High, ARP scans only Medium");
        assert!(found.macro_share() > 0.9);
    }

    #[test]
    fn labels_drawn_by_lot_cannot_be_learnt() {
        let mut rows = synthetic(600);
        let levels: Vec<_> = rows.rows.iter().map(|r| (r.level, r.family.clone())).collect();
        let mut random = crate::sample::Random::new(9);
        for row in &mut rows.rows {
            (row.level, row.family) = levels[random.below(levels.len())].clone();
        }
        let scores = unseen(&rows, &SHAPE, Apart::Source).unwrap();
        let area = area(&rows, &scores);
        assert!((0.4..0.6).contains(&area), "{area}: the scores have seen what they should not");
    }

    #[test]
    fn a_family_that_only_the_left_out_source_has_is_not_found_by_memory() {
        let mut rows = synthetic(300);
        rows.rows.iter_mut().filter(|r| r.level != ThreatLevel::Safe).for_each(|r| r.source = "only".into());
        let scores = unseen(&rows, &SHAPE, Apart::Source).unwrap();
        let threats = rows.rows.iter().zip(&scores).filter(|(r, _)| r.level != ThreatLevel::Safe);
        assert!(threats.into_iter().all(|(_, s)| s.threat == 0.0));
    }

    #[test]
    fn thresholds_keep_to_the_budget_and_never_fall_below_half() {
        let rows = synthetic(2160);
        let scores: Vec<Score> =
            (0..2160).map(|i| Score { threat: i as f32 / 2160.0, high: i as f32 / 4320.0 }).collect();
        let set = thresholds(&rows, &scores, 10.0, 0.0);
        let [medium, high] = outcome(&rows, &levels(&scores, set)).alarms_a_day();
        assert!(medium <= 10.0 && medium > 8.0 && high == 0.0, "{medium} {high} {set:?}");
        let low: Vec<Score> = scores.iter().map(|s| Score { threat: s.threat / 10.0, high: 0.0 }).collect();
        assert_eq!(thresholds(&rows, &low, 10.0, 1.0), Thresholds { medium: 0.5, high: 0.5 });
    }

    #[test]
    fn the_area_is_known_for_small_cases() {
        let mut rows = synthetic(4);
        for (row, level) in
            rows.rows.iter_mut().zip([ThreatLevel::High, ThreatLevel::Safe, ThreatLevel::High, ThreatLevel::Safe])
        {
            row.level = level;
        }
        let at = |values: [f32; 4]| area(&rows, &values.map(|threat| Score { threat, high: 0.0 }));
        assert_eq!(at([0.9, 0.1, 0.8, 0.2]), 1.0);
        assert_eq!(at([0.1, 0.9, 0.2, 0.8]), 0.0);
        assert_eq!(at([0.5; 4]), 0.5);
        assert_eq!(at([0.9, 0.5, 0.5, 0.1]), 0.875);
    }
}
