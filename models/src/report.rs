//! The report that stands beside the forest, in Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use detect::forest::Forest;
use terms::ThreatLevel;

use crate::evaluate::Outcome;
use crate::grow::Shape;
use crate::rows::Rows;

/// What was measured in one way of judging the rows.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What judged them, and what it had not seen.
    pub by: &'static str,
    /// The chance that a threat's minute scores above a harmless one, where there are scores.
    pub area: Option<f64>,
    /// Finds and alarms at the shipped thresholds.
    pub outcome: Outcome,
}

/// Writes the report.
#[must_use]
pub fn report(rows: &Rows, shape: &Shape, forest: &Forest<'_>, octets: usize, trials: &[Trial]) -> String {
    let mut text = String::from("# The shipped forest\n\nWritten by `models train`; do not edit.\n\n");
    about(&mut text, rows, shape, forest, octets);
    results(&mut text, trials);
    by_family(&mut text, trials);
    moved(&mut text, rows, forest);
    text
}

fn about(text: &mut String, rows: &Rows, shape: &Shape, forest: &Forest<'_>, octets: usize) {
    let count = |level| rows.rows.iter().filter(|r| r.level == level).count();
    let sources: BTreeSet<&str> = rows.rows.iter().map(|r| r.source.as_str()).collect();
    let captures: BTreeSet<&str> = rows.rows.iter().map(|r| r.capture.as_str()).collect();
    let (medium, high) = forest.thresholds();
    let lines = [
        format!(
            "rows (a host's minute each): {} from {} captures of {} sources",
            rows.rows.len(),
            captures.len(),
            sources.len()
        ),
        format!(
            "by level: {} SAFE, {} MEDIUM, {} HIGH",
            count(ThreatLevel::Safe),
            count(ThreatLevel::Medium),
            count(ThreatLevel::High)
        ),
        format!(
            "features: {}, schema {:016x}, digest of the rows {:016x}",
            forest.features(),
            rows.schema.hash,
            forest.digest()
        ),
        format!(
            "forest: {} trees of at most {} splits, {} nodes, {octets} octets",
            forest.trees(),
            shape.splits,
            forest.nodes()
        ),
        format!("a host is MEDIUM from a share of {medium:.3} (MEDIUM and HIGH together), HIGH from {high:.3}"),
    ];
    for line in lines {
        let _ = writeln!(text, "- {line}");
    }
}

fn results(text: &mut String, trials: &[Trial]) {
    text.push_str(
        "\n## What is found\n\nA subject is a host of a capture; an alarm is a minute of a harmless host.\n\n",
    );
    text.push_str(
        "| by | subjects found | at HIGH | mean over families | area under the curve | MEDIUM a day | HIGH a day |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|\n");
    for Trial { by, area, outcome } in trials {
        let [subjects, found, high] = outcome.subjects();
        let [medium_a_day, high_a_day] = outcome.alarms_a_day();
        let share = outcome.macro_share();
        let area = area.map_or("-".to_owned(), |a| format!("{a:.2}"));
        let _ = writeln!(
            text,
            "| {by} | {found} of {subjects} | {high} | {share:.2} | {area} | {medium_a_day:.2} | {high_a_day:.2} |"
        );
    }
    text.push_str(
        "\nOnly the forest without the source says anything about a new site: captures of one source share a lab and a filter, and \
         with nothing left out it is judged on what it learnt from. The rules learn nothing.\n",
    );
}

fn by_family(text: &mut String, trials: &[Trial]) {
    let families: BTreeSet<&String> = trials.iter().flat_map(|t| t.outcome.families.keys()).collect();
    text.push_str("\n## By family\n\n| family | subjects |");
    for trial in trials {
        let _ = write!(text, " {} |", trial.by);
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(trials.len()));
    text.push('\n');
    for family in families {
        let counts = |t: &Trial| t.outcome.families.get(family).copied().unwrap_or_default();
        let subjects = trials.iter().map(|t| counts(t)[0]).max().unwrap_or_default();
        let _ = write!(text, "| {family} | {subjects} |");
        for trial in trials {
            let _ = write!(text, " {} |", counts(trial)[1]);
        }
        text.push('\n');
    }
}

/// The features that explanations name most often for threats.
fn moved(text: &mut String, rows: &Rows, forest: &Forest<'_>) {
    let mut named: BTreeMap<usize, f32> = BTreeMap::new();
    for row in rows.rows.iter().filter(|r| r.level != ThreatLevel::Safe) {
        for moved in forest.explain(&row.vector).iter().flatten().filter(|m| m.share > 0.0) {
            *named.entry(moved.feature).or_default() += moved.share;
        }
    }
    let mut order: Vec<(usize, f32)> = named.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let sum: f32 = order.iter().map(|o| o.1).sum();
    text.push_str(
        "\n## What moves the vote of threats\n\n| feature | share of what the first three moved |\n|---|---|\n",
    );
    for (feature, share) in order.into_iter().take(15) {
        let name = rows.schema.names.get(feature).map_or("?", String::as_str);
        let _ = writeln!(text, "| {name} | {:.1} % |", 100.0 * share / sum.max(f32::MIN_POSITIVE));
    }
}
