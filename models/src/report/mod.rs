//! The report: what the shipped binary finds, what the forest is worth on what it has not seen, and what is never found.
//!
//! The text, the figures as JSON and the page are three looks at one [`Report`]; nothing in them depends on the clock or on who ran it.

mod figures;
mod forest;
mod page;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use detect::catalogue::{Found as Finder, THREATS};
use serde::Serialize;
use terms::ThreatLevel;

use crate::evaluate::Outcome;
use crate::field::{Found, Trial};
use crate::rows::Rows;

pub use figures::{Interval, wilson};
pub use forest::moved;
pub use page::page;
pub use text::text;

/// Everything that the report tells.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The data: name, captures or scenes, rows.
    pub data: Vec<(String, usize, usize)>,
    /// The forest.
    pub forest: ForestFacts,
    /// The binary on real captures, by switches.
    pub field: Vec<FieldRow>,
    /// The binary on scenes of more than a day, by switches.
    pub days: Vec<FieldRow>,
    /// The same, all together, by family.
    pub day_families: Vec<FamilyRow>,
    /// The binary, all together, by family.
    pub families: Vec<FamilyRow>,
    /// Subjects by labelled and said level; the first line is harmless hosts.
    pub confusion: [[usize; 3]; 3],
    /// The binary on recordings, rules and all, by family and tool.
    pub tools: Vec<ToolRow>,
    /// The forest with something left out.
    pub left_out: Vec<LeftOut>,
    /// How often the vector names the source of a harmless window whose capture was not seen, and the share of the largest source.
    pub source_guessed: [f64; 2],
    /// The ROC of the forest, source left out: false alarms, finds, by minute.
    pub roc: Vec<[f64; 2]>,
    /// Confidence of lines above SAFE: the tenth, lines, those about labelled hosts.
    pub reliability: Vec<(f64, usize, usize)>,
    /// Subjects that nothing finds.
    pub never_found: Vec<(String, String, String)>,
    /// Threats of the catalogue that are not found, and why.
    pub not_found: Vec<(String, String)>,
    /// What moves the vote of threats, and its share.
    pub moved: Vec<(String, f64)>,
}

/// What the forest is.
#[derive(Clone, Debug, Serialize)]
pub struct ForestFacts {
    /// Rows it was trained on.
    pub rows: usize,
    /// Their digest.
    pub digest: String,
    /// The features' hash, and how many there are.
    pub schema: String,
    /// How many features.
    pub features: usize,
    /// Trees, nodes, octets.
    pub trees: usize,
    /// Nodes.
    pub nodes: usize,
    /// Octets of the image.
    pub octets: usize,
    /// The shares of the vote from which MEDIUM and HIGH are reached by hosts without a baseline.
    pub thresholds: [f32; 2],
}

/// The binary with some kinds of evidence.
#[derive(Clone, Debug, Serialize)]
pub struct FieldRow {
    /// Which.
    pub by: String,
    /// Subjects, found, found at their level.
    pub subjects: usize,
    /// Found at MEDIUM or above.
    pub found: usize,
    /// The confidence interval of the share found.
    pub interval: Interval,
    /// Found at the labelled level or above.
    pub at_level: usize,
    /// The mean over the families of the share found.
    pub by_family: f64,
    /// Found by alarms thrown by lot at the same rate.
    pub chance: f64,
    /// MEDIUM and HIGH minutes a harmless host-day.
    pub alarms: [f64; 2],
    /// The same without the worst device.
    pub alarms_without_worst: [f64; 2],
    /// Host-days.
    pub days: f64,
    /// The median seconds from a subject's first frame to the decision.
    pub delay: Option<f64>,
}

/// One family.
#[derive(Clone, Debug, Serialize)]
pub struct FamilyRow {
    /// Its word.
    pub family: String,
    /// Subjects.
    pub subjects: usize,
    /// Found.
    pub found: usize,
    /// The confidence interval.
    pub interval: Interval,
    /// At the labelled level.
    pub at_level: usize,
    /// The median delay, seconds.
    pub delay: Option<f64>,
    /// What spoke first, most often.
    pub by: String,
}

/// One tool's recordings.
#[derive(Clone, Debug, Serialize)]
pub struct ToolRow {
    /// The family.
    pub family: String,
    /// The tool with its version.
    pub tool: String,
    /// Recordings.
    pub subjects: usize,
    /// Found by the rules.
    pub rules: usize,
    /// Found by the forest that never saw the tool.
    pub forest: usize,
}

/// The forest on what it has not seen.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// What was left out in turn.
    pub what: String,
    /// Subjects.
    pub subjects: usize,
    /// Found at MEDIUM or above.
    pub found: usize,
    /// The confidence interval.
    pub interval: Interval,
    /// Found by alarms thrown by lot at the same rate.
    pub chance: f64,
    /// The mean over the families.
    pub by_family: f64,
    /// The area under the ROC curve, by minutes.
    pub area: f64,
    /// MEDIUM and HIGH minutes a harmless host-day.
    pub alarms: [f64; 2],
}

impl FieldRow {
    /// What a trial says.
    #[must_use]
    pub fn new(by: &str, trial: &Trial) -> Self {
        let (subjects, found) = (trial.found.len(), trial.found.iter().filter(|f| f.level > ThreatLevel::Safe).count());
        let (alarms, days) = trial.alarms();
        let families = by_family(&trial.found);
        let share = |found: &Vec<&Found>| {
            found.iter().filter(|f| f.level > ThreatLevel::Safe).count() as f64 / found.len().max(1) as f64
        };
        Self {
            by: by.to_owned(),
            subjects,
            found,
            interval: wilson(found, subjects),
            at_level: trial.found.iter().filter(|f| f.level >= f.wanted).count(),
            by_family: families.values().map(share).sum::<f64>() / families.len().max(1) as f64,
            chance: trial.by_chance(),
            alarms,
            alarms_without_worst: trial.alarms_without_the_worst().0,
            days,
            delay: figures::median(trial.found.iter().filter_map(|f| f.delay).collect()),
        }
    }
}

impl LeftOut {
    /// What an outcome says; `area` is under the ROC curve.
    #[must_use]
    pub fn new(what: &str, outcome: &Outcome, area: f64) -> Self {
        let [subjects, found, _] = outcome.subjects();
        Self {
            what: what.to_owned(),
            subjects,
            found,
            interval: wilson(found, subjects),
            chance: outcome.by_chance(),
            by_family: outcome.macro_share(),
            area,
            alarms: outcome.alarms_a_day(),
        }
    }
}

/// The families of a trial.
#[must_use]
pub fn families(trial: &Trial) -> Vec<FamilyRow> {
    let rows = by_family(&trial.found).into_iter().map(|(family, found)| {
        let hits = || found.iter().filter(|f| f.level > ThreatLevel::Safe);
        let mut by: BTreeMap<&str, usize> = BTreeMap::new();
        hits().filter_map(|f| f.by.as_deref()).for_each(|detector| *by.entry(detector).or_default() += 1);
        FamilyRow {
            family: family.to_owned(),
            subjects: found.len(),
            found: hits().count(),
            interval: wilson(hits().count(), found.len()),
            at_level: found.iter().filter(|f| f.level >= f.wanted).count(),
            delay: figures::median(found.iter().filter_map(|f| f.delay).collect()),
            by: by.into_iter().max_by_key(|(_, n)| *n).map_or("-".into(), |(detector, _)| detector.to_owned()),
        }
    });
    rows.collect()
}

/// Hosts by labelled and said level.
#[must_use]
pub fn confusion(trial: &Trial) -> [[usize; 3]; 3] {
    let mut table = [[0; 3]; 3];
    for [_, medium, high] in trial.calm.values() {
        table[0][if *high > 0 { 2 } else { usize::from(*medium > 0) }] += 1;
    }
    for found in &trial.found {
        table[found.wanted as usize][found.level as usize] += 1;
    }
    table
}

/// Subjects that were not found: capture, subject, family.
#[must_use]
pub fn never_found(trial: &Trial) -> Vec<(String, String, String)> {
    let missed = trial.found.iter().filter(|f| f.level == ThreatLevel::Safe);
    missed.map(|f| (f.capture.clone(), f.subject.clone(), f.family.clone())).collect()
}

/// What the catalogue says of threats that are not found.
#[must_use]
pub fn not_found() -> Vec<(String, String)> {
    let why = |finder: &Finder| if let Finder::Not(why) = finder { Some((*why).to_owned()) } else { None };
    THREATS.iter().filter_map(|threat| Some((threat.word.to_owned(), why(&threat.found)?))).collect()
}

/// Lines above SAFE by the tenth of their confidence.
#[must_use]
pub fn reliability(trial: &Trial) -> Vec<(f64, usize, usize)> {
    let mut tenths = [(0, 0); 10];
    for (confidence, right) in &trial.confidences {
        let (lines, hits) = &mut tenths[((confidence * 10.0) as usize).min(9)];
        (*lines, *hits) = (*lines + 1, *hits + usize::from(*right));
    }
    let rows = tenths.iter().enumerate().filter(|(_, (lines, _))| *lines > 0);
    rows.map(|(tenth, (lines, hits))| (tenth as f64 / 10.0, *lines, *hits)).collect()
}

/// Each source of rows: captures or scenes, and rows.
#[must_use]
pub fn data(rows: &Rows) -> Vec<(String, usize, usize)> {
    let mut sources: BTreeMap<&str, (BTreeSet<&str>, usize)> = BTreeMap::new();
    for row in &rows.rows {
        let (captures, count) = sources.entry(&row.source).or_default();
        captures.insert(&row.capture);
        *count += 1;
    }
    sources.into_iter().map(|(source, (captures, rows))| (source.to_owned(), captures.len(), rows)).collect()
}

/// Recordings by family and tool: what the rules found, and what a forest found that never saw the tool.
#[must_use]
pub fn tools(rows: &Rows, rules: &Trial, levels: &[Option<ThreatLevel>]) -> Vec<ToolRow> {
    // Recorded, found by the rules, found by the forest.
    type Subjects<'a> = BTreeSet<(&'a str, &'a str)>;
    let mut tools: BTreeMap<(&str, &str), [Subjects<'_>; 3]> = BTreeMap::new();
    for found in rules.found.iter().filter(|found| !found.tool.is_empty()) {
        let [all, hits, _] = tools.entry((&found.family, &found.tool)).or_default();
        let subject = (found.capture.as_str(), found.subject.as_str());
        all.insert(subject);
        if found.level > ThreatLevel::Safe {
            hits.insert(subject);
        }
    }
    for (row, level) in rows.rows.iter().zip(levels).filter_map(|(row, level)| Some((row, (*level)?))) {
        if level > ThreatLevel::Safe && row.level > ThreatLevel::Safe {
            tools.entry((&row.family, &row.tool)).or_default()[2].insert((&row.capture, &row.host));
        }
    }
    let rows = tools.into_iter().map(|((family, tool), [all, rules, forest])| ToolRow {
        family: family.to_owned(),
        tool: tool.to_owned(),
        subjects: all.len(),
        rules: rules.len(),
        forest: forest.len(),
    });
    rows.collect()
}

fn by_family(found: &[Found]) -> BTreeMap<&str, Vec<&Found>> {
    let mut families: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    found.iter().for_each(|f| families.entry(&f.family).or_default().push(f));
    families
}
