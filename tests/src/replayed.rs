//! Replays recorded scenes and compares what is found with the labels, which a live run wrote.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::gateway::binary;
use crate::process::output;
use crate::scene::Level;

/// One line of the labels.
#[derive(Debug, PartialEq, Eq)]
struct Label {
    file: String,
    host: String,
    level: Level,
    family: String,
}

/// Replays each capture of a folder and prints a line for each that differs from its label.
///
/// # Errors
/// When the folder has no labels or the program is missing.
pub fn run(folder: &Path) -> Result<ExitCode> {
    let wrong = differences(folder)?;
    wrong.iter().for_each(|(file, why)| println!("{file}: {why}"));
    println!("replay: {} captures differ from their labels", wrong.len());
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Each capture whose replay differs from its label, and how.
///
/// # Errors
/// When the folder has no labels or the program is missing.
pub fn differences(folder: &Path) -> Result<Vec<(String, String)>> {
    let table = fs::read_to_string(folder.join("labels.csv")).context("labels.csv")?;
    let labels = table.lines().skip(1).map(read).collect::<Result<Vec<_>>>()?;
    let picket = binary()?;
    let mut wrong = Vec::new();
    for label in labels {
        let text = output(Command::new(&picket).args(["replay", "--format", "jsonl"]).arg(folder.join(&label.file)));
        let why = text.and_then(|text| {
            let lines = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
            Ok(difference(&label, &lines))
        });
        match why {
            Ok(None) => {}
            Ok(Some(why)) => wrong.push((label.file, why)),
            Err(error) => wrong.push((label.file, format!("{error:#}"))),
        }
    }
    Ok(wrong)
}

fn read(line: &str) -> Result<Label> {
    let cells: Vec<&str> = line.split(',').collect();
    ensure!(cells.len() >= 9, "labels.csv: {line}");
    let level = Level::read(cells[2]).with_context(|| format!("labels.csv: no level {}", cells[2]))?;
    Ok(Label { file: cells[0].into(), host: cells[1].into(), level, family: cells[3].into() })
}

/// How the lines of a replay differ from a label.
fn difference(label: &Label, lines: &[Value]) -> Option<String> {
    let level = |line: &Value| line["level"].as_str().and_then(Level::read);
    let about = |line: &&Value| ["host", "mac"].iter().any(|key| line[key].as_str() == Some(&label.host));
    if !lines.last().is_some_and(|line| line["type"] == "summary") {
        return Some("no summary".into());
    }
    if label.level == Level::Safe {
        let raised = lines.iter().find(|line| level(line) >= Some(Level::Medium))?;
        return Some(format!("raises {raised}"));
    }
    let mine: Vec<&Value> = lines.iter().filter(|line| line["type"] == "finding").filter(about).collect();
    let hit = mine.iter().any(|line| line["family"] == label.family.as_str() && level(line) >= Some(label.level));
    (!hit).then(|| match mine.first() {
        Some(other) => format!("finds {} {} about {}", other["level"], other["family"], label.host),
        None => format!("finds nothing about {}", label.host),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LABEL: &str = "scan.pcap,192.168.77.13,HIGH,port_scan_vertical,1.0,2.0,lab,Apache-2.0,A host scans.";

    #[test]
    fn a_replay_must_find_the_same_family_on_the_same_host() {
        let label = read(LABEL).expect("a label");
        let finding = |host: &str, level: &str| json!({"type": "finding", "host": host, "level": level, "family": "port_scan_vertical"});
        let summary = json!({"type": "summary"});
        assert_eq!(difference(&label, &[finding("192.168.77.13", "HIGH"), summary.clone()]), None);
        assert!(difference(&label, &[finding("192.168.77.14", "HIGH"), summary.clone()]).is_some());
        assert!(difference(&label, &[finding("192.168.77.13", "MEDIUM"), summary.clone()]).is_some());
        assert!(difference(&label, &[finding("192.168.77.13", "HIGH")]).is_some());
    }

    #[test]
    fn a_benign_capture_may_raise_nothing() {
        let label = Label { file: "b.pcap".into(), host: "*".into(), level: Level::Safe, family: "benign_misc".into() };
        assert_eq!(difference(&label, &[json!({"type": "summary"})]), None);
        let window = json!({"type": "window", "host": "192.168.77.13", "level": "MEDIUM"});
        assert!(difference(&label, &[window, json!({"type": "summary"})]).is_some());
    }
}
