//! The report as a text for people: `REPORT.md`.

use std::fmt::Write as _;

use super::{FamilyRow, FieldRow, Report};

/// A table in Markdown.
struct Sheet<'a>(&'a mut String);

impl Sheet<'_> {
    fn head(&mut self, columns: &[&str]) {
        self.row(columns.iter().map(|c| (*c).to_owned()));
        self.row(columns.iter().map(|_| "---".to_owned()));
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        let _ = writeln!(self.0, "| {} |", cells.join(" | "));
    }
}

/// The whole text.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::from(
        "# What Picket finds\n\nWritten by `make report`; do not edit. A subject is a host that a label calls a threat, in one capture; it is found \
         when a line of at least MEDIUM about it is decided in its time. An alarm is a minute of a harmless host; a host-day is 1,440 minutes \
         in which a host sent something. Intervals are confidence intervals of 95 % (Wilson). Chance finds what alarms thrown by lot at the same rate would.\n",
    );
    data(&mut out, report);
    field(&mut out, report);
    days(&mut out, report);
    tools(&mut out, report);
    left_out(&mut out, report);
    confidence(&mut out, report);
    never_found(&mut out, report);
    out
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn delay(seconds: Option<f64>) -> String {
    seconds.map_or("-".into(), |s| format!("{s:.0} s"))
}

fn data(out: &mut String, report: &Report) {
    out.push_str("\n## Data\n\n");
    let mut sheet = Sheet(out);
    sheet.head(&["data", "captures or scenes", "rows (a host's minute each)"]);
    report
        .data
        .iter()
        .for_each(|(name, captures, rows)| sheet.row([name.clone(), captures.to_string(), rows.to_string()]));
    let f = &report.forest;
    let _ = writeln!(
        out,
        "\nThe forest: {} trees, {} nodes, {} octets; trained on {} rows with digest {}; {} features, schema {}. A host without a baseline is \
         MEDIUM from a share of the vote of {:.3}. With a baseline (a day, 60 minutes learnt) it is MEDIUM above 3/64 over its highest usual share, from a half \
         on, and HIGH by the forest alone above 16/64 over it, from 0.9 on.",
        f.trees, f.nodes, f.octets, f.rows, f.digest, f.features, f.schema, f.thresholds[0]
    );
}

fn field(out: &mut String, report: &Report) {
    out.push_str(
        "\n## The shipped binary on real captures\n\nThe forest has seen these captures, and the points of rule:infection were set with them in view: only the \
         rows of \"the forest with something left out\" say anything about a new site.\n\n",
    );
    switched(out, &report.field);
    by_family(out, &report.families);
    confusion(out, report);
}

/// What the switches make of it.
fn switched(out: &mut String, rows: &[FieldRow]) {
    let mut sheet = Sheet(out);
    sheet.head(&[
        "evidence",
        "found",
        "interval",
        "at their level",
        "mean over families",
        "chance",
        "MEDIUM, HIGH a host-day",
        "without the worst device",
        "median delay",
    ]);
    for row in rows {
        sheet.row([
            row.by.clone(),
            format!("{} of {}", row.found, row.subjects),
            row.interval.to_string(),
            row.at_level.to_string(),
            format!("{:.2}", row.by_family),
            format!("{:.1}", row.chance),
            format!("{:.2}, {:.2}", row.alarms[0], row.alarms[1]),
            format!("{:.2}, {:.2}", row.alarms_without_worst[0], row.alarms_without_worst[1]),
            delay(row.delay),
        ]);
    }
    if let Some(row) = rows.first() {
        let _ = writeln!(out, "\nHarmless hosts were watched for {:.2} host-days.", row.days);
    }
}

fn by_family(out: &mut String, rows: &[FamilyRow]) {
    out.push_str("\n### By family\n\n");
    let mut sheet = Sheet(out);
    sheet.head(&["family", "n", "found", "interval", "at its level", "median delay", "mostly by"]);
    for row in rows {
        sheet.row([
            row.family.clone(),
            row.subjects.to_string(),
            row.found.to_string(),
            row.interval.to_string(),
            row.at_level.to_string(),
            delay(row.delay),
            row.by.clone(),
        ]);
    }
}

fn days(out: &mut String, report: &Report) {
    out.push_str(
        "\n## The shipped binary on drawn scenes of more than a day\n\nA device is harmless for 26 to 34 hours, which gives it a baseline, and then infected: \
         each plot of the scenes three times, drawn from a seed that the forest has not seen, but by the same generator.\n\n",
    );
    switched(out, &report.days);
    by_family(out, &report.day_families);
}

fn confusion(out: &mut String, report: &Report) {
    out.push_str("\n### Confusion of levels\n\nHosts of captures; harmless ones are labelled SAFE.\n\n");
    let mut sheet = Sheet(out);
    sheet.head(&["labelled", "said SAFE", "said MEDIUM", "said HIGH"]);
    for (level, row) in ["SAFE", "MEDIUM", "HIGH"].iter().zip(report.confusion) {
        sheet.row(std::iter::once((*level).to_owned()).chain(row.map(|n| n.to_string())));
    }
    let all: usize = report.confusion.iter().flatten().sum();
    let right: usize = (0..3).map(|n| report.confusion[n][n]).sum();
    let hits: usize = report.confusion[1..].iter().map(|row| row[1] + row[2]).sum();
    let wrong = report.confusion[0][1] + report.confusion[0][2];
    let missed: usize = report.confusion[1..].iter().map(|row| row[0]).sum();
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let (precision, recall) = (share(hits, hits + wrong), share(hits, hits + missed));
    let _ = writeln!(
        out,
        "\nAccuracy (level exactly right) {}, precision {}, recall {}, F1 {:.2}.",
        percent(share(right, all)),
        percent(precision),
        percent(recall),
        2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE)
    );
}

fn tools(out: &mut String, report: &Report) {
    out.push_str(
        "\n## Recordings, by tool\n\nMade in the lab by `make record`. The forest's column is of a forest that never saw the tool; \"own\" tools are scripts of \
         this project.\n\n",
    );
    let mut sheet = Sheet(out);
    sheet.head(&["family", "tool left out", "n", "found by the rules", "found by the forest, tool left out"]);
    for row in &report.tools {
        let figures = [row.subjects, row.rules, row.forest].map(|n| n.to_string());
        sheet.row([row.family.clone(), row.tool.clone()].into_iter().chain(figures));
    }
}

fn left_out(out: &mut String, report: &Report) {
    out.push_str("\n## The forest with something left out\n\nAt the model's threshold, without a baseline, and before the budget of one MEDIUM a device and week that the box keeps: alarms are what the vote alone \
         would raise.\n\n");
    let mut sheet = Sheet(out);
    sheet.head(&[
        "left out in turn",
        "found",
        "interval",
        "chance",
        "mean over families",
        "area under the ROC curve",
        "MEDIUM, HIGH a host-day",
    ]);
    for row in &report.left_out {
        sheet.row([
            row.what.clone(),
            format!("{} of {}", row.found, row.subjects),
            row.interval.to_string(),
            format!("{:.1}", row.chance),
            format!("{:.2}", row.by_family),
            format!("{:.2}", row.area),
            format!("{:.2}, {:.2}", row.alarms[0], row.alarms[1]),
        ]);
    }
    let [guessed, largest] = report.source_guessed;
    let _ = writeln!(
        out,
        "\nThe vector names the source of a harmless window, its capture left out, in {} of cases (the largest source alone: {}): as far as that goes beyond \
         the largest source, labs still show.",
        percent(guessed),
        percent(largest)
    );
    out.push_str("\n### What moves the vote of threats\n\n");
    let mut sheet = Sheet(out);
    sheet.head(&["feature", "share of what the first three moved"]);
    report.moved.iter().for_each(|(name, share)| sheet.row([name.clone(), format!("{:.1} %", 100.0 * share)]));
}

fn confidence(out: &mut String, report: &Report) {
    out.push_str("\n## Confidence\n\nMinutes above SAFE by the confidence that was told, and how many of them were a threat's.\n\n");
    let mut sheet = Sheet(out);
    sheet.head(&["confidence from", "minutes", "right"]);
    for (from, lines, right) in &report.reliability {
        sheet.row([format!("{from:.1}"), lines.to_string(), percent(*right as f64 / *lines as f64)]);
    }
}

fn never_found(out: &mut String, report: &Report) {
    out.push_str("\n## What is never found\n\n");
    let mut sheet = Sheet(out);
    sheet.head(&["capture", "subject", "family"]);
    report.never_found.iter().for_each(|(a, b, c)| sheet.row([a.clone(), b.clone(), c.clone()]));
    out.push_str("\nAnd of the catalogue:\n\n");
    let mut sheet = Sheet(out);
    sheet.head(&["threat", "why it is not found"]);
    report.not_found.iter().for_each(|(word, why)| sheet.row([word.clone(), why.clone()]));
}
