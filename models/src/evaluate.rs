//! What a forest is worth on rows that it has not seen.
//!
//! **Source**: leaving out captures at random flatters, because captures of one source share a lab and a filter; leaving out a
//! whole source is what a new site is like. Both are reported, and only the second sets thresholds.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use detect::forest::Forest;
use terms::{FNV_BEGINS, ThreatLevel, fnv};

use crate::grow::Shape;
use crate::image::{Thresholds, encode};
use crate::rows::{Row, Rows};
use crate::side_by_side::side_by_side;

/// Minutes in a day: what an alarm rate counts is minutes in which a host sent something.
pub(crate) const DAY: f64 = 1440.0;

/// The source of recordings.
const MADE_IN_THE_LAB: &str = "picket-lab";

/// By what rows are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// By capture, ten folds.
    Capture,
    /// By source, as many folds as there are sources.
    Source,
    /// By tool, where one is named.
    Tool,
    /// By family of a threat: nobody ever showed it.
    Family,
    /// By device, ten folds: a kind of device where it is named, else a host of a capture.
    Device,
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
    /// Minutes of each subject.
    pub subject_minutes: Vec<usize>,
}

impl Apart {
    /// The fold that a row belongs to; nothing where it is never left out.
    fn fold(self, row: &Row) -> Option<String> {
        let threat = row.level > ThreatLevel::Safe;
        match self {
            Self::Capture => Some(fold_of(&row.capture)),
            Self::Source => Some(row.source.clone()),
            Self::Tool => (threat && !row.tool.is_empty()).then(|| row.tool.clone()),
            Self::Family => threat.then(|| row.family.clone()),
            Self::Device if row.device.is_empty() => Some(fold_of(&format!("{} {}", row.capture, row.host))),
            Self::Device => Some(fold_of(&row.device)),
        }
    }
}

/// Trains once for each fold and scores the rows that were left out; a row that is in no fold has no score.
///
/// # Errors
/// A fold cannot be trained for another reason than that it lacks a class.
pub fn unseen(rows: &Rows, shape: &Shape, apart: Apart) -> Result<Vec<Option<Score>>> {
    let keys: Vec<Option<String>> = rows.rows.iter().map(|row| apart.fold(row)).collect();
    let folds: Vec<&String> = keys.iter().flatten().collect::<BTreeSet<_>>().into_iter().collect();
    let done = side_by_side(&folds, |fold| without(rows, shape, &keys, fold))?;
    let mut scores = vec![None; rows.rows.len()];
    for (row, score) in done.into_iter().flatten() {
        scores[row] = Some(score);
    }
    Ok(scores)
}

/// The scores of a fold's rows, by their places, from a forest that never saw them.
fn without(rows: &Rows, shape: &Shape, keys: &[Option<String>], fold: &str) -> Result<Vec<(usize, Score)>> {
    let is_left_out = |n: usize| keys[n].as_deref() == Some(fold);
    let places = || 0..rows.rows.len();
    let seen: Vec<&Row> = places().filter(|n| !is_left_out(*n)).map(|n| &rows.rows[n]).collect();
    let left_out = places().filter(|n| is_left_out(*n));
    // Without this fold there may be nothing left to tell apart; then it goes unfound, which is what it would be.
    if seen.first().is_none_or(|f| seen.iter().all(|r| r.class() == f.class())) {
        return Ok(left_out.map(|n| (n, Score { threat: 0.0, high: 0.0 })).collect());
    }
    let trees = crate::train(&seen, shape).with_context(|| format!("without {fold}"))?;
    let image = encode(&trees, rows, Thresholds::NEVER)?;
    let forest = Forest::load(&image, rows.schema.hash)?;
    Ok(left_out.map(|n| (n, score_of(&forest, &rows.rows[n]))).collect())
}

/// What a forest gives a row.
#[must_use]
pub fn score_of(forest: &Forest<'_>, row: &Row) -> Score {
    let [_, medium, high] = forest.classify(&row.vector).shares;
    Score { threat: medium + high, high }
}

/// The lowest thresholds that keep to so many minutes a harmless host and day, on real captures: what was drawn or recorded for the
/// training is left out here, since a site is neither.
///
/// **Bounds**: never below a half, whatever the budget would allow: below it the vote speaks for Safe.
#[must_use]
pub fn thresholds(rows: &Rows, scores: &[Option<Score>], medium_a_day: f64, high_a_day: f64) -> Thresholds {
    let scored = || rows.rows.iter().zip(scores).filter_map(|(row, score)| Some((row, score.as_ref()?)));
    let is_real = |row: &Row| row.tool.is_empty() && row.device.is_empty() && row.source != MADE_IN_THE_LAB;
    let benign = || scored().filter(|(r, _)| r.level == ThreatLevel::Safe && is_real(r)).map(|(_, s)| s);
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

/// Counts finds by subject (a host of a capture) and alarms by minute, where each row got the level at its place; a row without one
/// counts nowhere.
#[must_use]
pub fn outcome(rows: &Rows, levels: &[Option<ThreatLevel>]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut subjects: BTreeMap<(&str, &str, &str), ([bool; 2], usize)> = BTreeMap::new();
    for (row, level) in rows.rows.iter().zip(levels).filter_map(|(row, level)| Some((row, (*level)?))) {
        let (medium, high) = (level >= ThreatLevel::Medium, level == ThreatLevel::High);
        if row.level == ThreatLevel::Safe {
            outcome.benign_minutes += 1;
            outcome.medium_minutes += usize::from(medium && !high);
            outcome.high_minutes += usize::from(high);
        } else {
            let (best, minutes) = subjects.entry((&row.family, &row.capture, &row.host)).or_default();
            *best = [best[0] || medium, best[1] || high];
            *minutes += 1;
        }
    }
    for ((family, ..), ([medium, high], minutes)) in subjects {
        outcome.subject_minutes.push(minutes);
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

    /// How many subjects would be found by alarms thrown by lot at the same rate.
    #[must_use]
    pub fn by_chance(&self) -> f64 {
        let share = (self.medium_minutes + self.high_minutes) as f64 / self.benign_minutes.max(1) as f64;
        by_chance(share, self.subject_minutes.iter().copied())
    }

    /// Minutes at Medium and at High a harmless host and day.
    #[must_use]
    pub fn alarms_a_day(&self) -> [f64; 2] {
        let days = self.benign_minutes as f64 / DAY;
        [self.medium_minutes, self.high_minutes].map(|m| if days > 0.0 { m as f64 / days } else { 0.0 })
    }
}

/// How many subjects, each of so many minutes, are found by alarms thrown by lot at this share of minutes.
pub(crate) fn by_chance(share: f64, minutes: impl Iterator<Item = usize>) -> f64 {
    let power = |minutes: usize| i32::try_from(minutes).unwrap_or(i32::MAX);
    minutes.map(|minutes| 1.0 - (1.0 - share).powi(power(minutes))).sum()
}

/// The chance that a threat's minute scores above a harmless one, ties counted half.
///
/// **Source**: the area under the ROC curve by ranks (Mann and Whitney 1947).
#[must_use]
pub fn area(rows: &Rows, scores: &[Option<Score>]) -> f64 {
    let ranked = ranked(rows, scores);
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

/// The ROC curve by minutes: the share of harmless minutes above each score, and that of threats' minutes; about a hundred points.
#[must_use]
pub fn roc(rows: &Rows, scores: &[Option<Score>]) -> Vec<[f64; 2]> {
    let mut ranked = ranked(rows, scores);
    ranked.reverse();
    let threats = ranked.iter().filter(|r| r.1).count();
    let (all, mut found, mut points) = (ranked.len(), 0, vec![[0.0, 0.0]]);
    let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
    for (n, (_, threat)) in ranked.iter().enumerate() {
        found += usize::from(*threat);
        if (n + 1).is_multiple_of((all / 100).max(1)) || n + 1 == all {
            points.push([share(n + 1 - found, all - threats), share(found, threats)]);
        }
    }
    points
}

/// Scores in ascending order, and whether each was a threat's.
fn ranked(rows: &Rows, scores: &[Option<Score>]) -> Vec<(f32, bool)> {
    let scored = rows.rows.iter().zip(scores).filter_map(|(row, score)| Some((row, (*score)?)));
    let mut ranked: Vec<(f32, bool)> = scored.map(|(r, s)| (s.threat, r.level != ThreatLevel::Safe)).collect();
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    ranked
}

/// How often the nearest harmless window of another capture is of the same source, and the share of the largest source: what the
/// vector tells of the lab.
///
/// **Bounds**: every tenth harmless window is asked, features are scaled by their deviation.
#[must_use]
pub fn source_guessed(rows: &Rows) -> [f64; 2] {
    let benign: Vec<&Row> = rows.rows.iter().filter(|r| r.level == ThreatLevel::Safe && r.device.is_empty()).collect();
    let n = benign.len().max(1) as f32;
    let scales: Vec<f32> = (0..rows.schema.names.len())
        .map(|f| {
            let mean = benign.iter().map(|r| r.vector[f]).sum::<f32>() / n;
            let deviation = (benign.iter().map(|r| (r.vector[f] - mean).powi(2)).sum::<f32>() / n).sqrt();
            if deviation > 0.0 { 1.0 / deviation } else { 0.0 }
        })
        .collect();
    let apart = |a: &Row, b: &Row| -> f32 {
        a.vector.iter().zip(&b.vector).zip(&scales).map(|((a, b), scale)| ((a - b) * scale).powi(2)).sum()
    };
    let asked: Vec<&&Row> = benign.iter().step_by(10).collect();
    let guessed = asked.iter().filter(|row| {
        let others = benign.iter().filter(|other| other.capture != row.capture);
        let nearest = others.map(|other| (apart(row, other), other)).min_by(|a, b| a.0.total_cmp(&b.0));
        nearest.is_some_and(|(_, other)| other.source == row.source)
    });
    let mut sources: BTreeMap<&str, usize> = BTreeMap::new();
    benign.iter().for_each(|row| *sources.entry(&row.source).or_default() += 1);
    let largest = sources.values().max().copied().unwrap_or(0);
    [guessed.count() as f64 / asked.len().max(1) as f64, largest as f64 / benign.len().max(1) as f64]
}

/// One of ten folds, by the capture's name.
fn fold_of(capture: &str) -> String {
    let hash = fnv(FNV_BEGINS, capture.as_bytes());
    format!("fold {}", (hash >> 32) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::tests::synthetic;

    fn levels(scores: &[Option<Score>], thresholds: Thresholds) -> Vec<Option<ThreatLevel>> {
        scores.iter().map(|s| s.map(|s| level(s, thresholds))).collect()
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
        assert!(high > 0 && high < medium, "command and control is High, spam only Medium");
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
        assert!(threats.into_iter().all(|(_, s)| s.is_some_and(|s| s.threat == 0.0)));
    }

    #[test]
    fn thresholds_keep_to_the_budget_and_never_fall_below_half() {
        let rows = synthetic(2160);
        let scores: Vec<Option<Score>> =
            (0..2160).map(|i| Some(Score { threat: i as f32 / 2160.0, high: i as f32 / 4320.0 })).collect();
        let set = thresholds(&rows, &scores, 10.0, 0.0);
        let [medium, high] = outcome(&rows, &levels(&scores, set)).alarms_a_day();
        assert!(medium <= 10.0 && medium > 8.0 && high == 0.0, "{medium} {high} {set:?}");
        let low: Vec<Option<Score>> =
            scores.iter().flatten().map(|s| Some(Score { threat: s.threat / 10.0, high: 0.0 })).collect();
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
        let at = |values: [f32; 4]| area(&rows, &values.map(|threat| Some(Score { threat, high: 0.0 })));
        assert_eq!(at([0.9, 0.1, 0.8, 0.2]), 1.0);
        assert_eq!(at([0.1, 0.9, 0.2, 0.8]), 0.0);
        assert_eq!(at([0.5; 4]), 0.5);
        assert_eq!(at([0.9, 0.5, 0.5, 0.1]), 0.875);
    }
}
