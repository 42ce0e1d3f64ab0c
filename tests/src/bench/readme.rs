//! The README's table of benchmarks, written from the results between two marks.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::row::{Row, median};

const BEGIN: &str = "<!-- bench -->";
const END: &str = "<!-- /bench -->";

/// Puts the table of these rows between the marks of a file.
///
/// # Errors
/// When the marks are not there, once each and in order, or the file can't be written.
pub fn update(file: &Path, rows: &[Row]) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    let new = with_table(&text, &table(rows)).with_context(|| format!("{}", file.display()))?;
    if new != text {
        fs::write(file, new).with_context(|| format!("can't write {}", file.display()))?;
    }
    Ok(())
}

fn with_table(text: &str, table: &str) -> Result<String> {
    ensure!(text.matches(BEGIN).count() == 1 && text.matches(END).count() == 1, "needs {BEGIN} and {END}, once each");
    let (before, rest) = text.split_once(BEGIN).context("no first mark")?;
    let (_, after) = rest.split_once(END).context("the marks are in the wrong order")?;
    Ok(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

/// Medians side by side; what is not met says so.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "| what | unit | Picket | peer | its figure | ratio | goal | met |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let peer = match (&row.peer, &row.peer_version) {
            (Some(name), Some(version)) => format!("{name} {version}"),
            _ => "-".into(),
        };
        let ratio = row.ratio.map_or_else(|| "-".into(), |ratio| figure(&[ratio]) + " x");
        out += &format!(
            "| {} | {} | {} | {peer} | {} | {ratio} | {} | {} |\n",
            row.what,
            row.unit,
            figure(&row.ours),
            figure(&row.theirs),
            row.goal,
            if row.met { "yes" } else { "**no**" },
        );
    }
    out
}

/// The median with three digits that count.
fn figure(figures: &[f64]) -> String {
    let Some(value) = median(figures) else { return "-".into() };
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.1 => format!("{value:.2}"),
        0.0 => "0".into(),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::{Goal, Peer};
    use super::*;

    fn rows() -> Vec<Row> {
        let peer = Peer { name: "other".into(), version: "1.2".into(), figures: vec![1.0] };
        vec![
            Row::new("one thing, word for word", "ms", vec![3.0], Some(peer), Goal::Ratio(2.0, None)),
            Row::new("another", "MiB", vec![70.0], None, Goal::AtMost(64.0)),
        ]
    }

    #[test]
    fn the_table_replaces_what_stood_between_the_marks() {
        let text = format!("# A\n{BEGIN}\nold\n{END}\nend\n");
        let new = with_table(&text, &table(&rows())).expect("both marks are there");
        assert!(new.starts_with("# A\n") && new.ends_with("\nend\n") && !new.contains("old"));
        assert_eq!(with_table(&new, &table(&rows())).expect("still there"), new);
    }

    #[test]
    fn a_goal_that_is_not_met_is_in_the_table_and_said() {
        let table = table(&rows());
        assert!(
            table.contains("| one thing, word for word | ms | 3.00 | other 1.2 | 1.00 | 3.00 x | ratio >= 2 x | yes |")
        );
        assert!(table.contains("| another | MiB | 70.0 | - | - | - | <= 64 MiB | **no** |"));
    }

    #[test]
    fn without_marks_nothing_is_written() {
        assert!(with_table("# A", "").is_err());
        assert!(with_table(&format!("{END}{BEGIN}"), "").is_err());
    }
}
