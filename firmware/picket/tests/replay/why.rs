//! `picket replay --why`: the same lines, and behind their own keys what moved the forest's vote and what would change it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};

use crate::held::{Capture, Chance, Held, PICKET, skip, train};
use crate::seed;
use terms::Timestamp;
use wire::LinkType;

const CAPTURES: usize = 12;
/// Packed captures are at most so long, octets.
const SHORT: u64 = 400_000;
const KEYS: [&str; 4] = ["base", "contributions", "score", "counterfactual"];

/// What was seen in lines.
#[derive(Debug, Default)]
struct Seen {
    explained: usize,
    changed: usize,
    plain: usize,
}

fn said(path: &Path, more: &[&str]) -> String {
    let output = Command::new(PICKET).arg("replay").arg(path).args(more).output().expect("the program starts");
    assert!(output.status.success(), "{}: {}", path.display(), output.status);
    String::from_utf8(output.stdout).expect("lines are text")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object"))
}

/// The share of the vote from which the shipped forest says Medium.
fn medium_from() -> f64 {
    static FOREST: &[u8] = include_bytes!("../../../../models/picket.forest");
    let forest =
        detect::forest::Forest::load(FOREST, features::schema_hash()).expect("the shipped forest is of this schema");
    forest.thresholds().0.into()
}

/// What holds of the four keys of a line.
fn explained(line: &Value, seen: &mut Seen) {
    let contributions = object(&line["contributions"]);
    let known = |name: &String| features::SCHEMA.contains(&name.as_str());
    assert!(contributions.iter().all(|(name, share)| known(name) && number(share) != 0.0), "{line}");
    let score = number(&line["score"]);
    let sum = number(&line["base"]) + contributions.values().map(number).sum::<f64>();
    assert!((sum - score).abs() < 1e-6 && (-1e-9..=1.0 + 1e-9).contains(&score), "{line}");
    if line["level"] == "SAFE" {
        assert!((1.0 - score - number(&line["confidence"])).abs() < 1e-6, "{line}");
        // A vote against a host that had its Medium of the week leaves it Safe.
        let votes_safe = score < medium_from();
        assert!(!votes_safe || object(&line["counterfactual"]).is_empty(), "{line}");
    }
    if !line["counterfactual"].is_null() {
        let changes = object(&line["counterfactual"]);
        assert!(changes.len() <= 5 && changes.iter().all(|(name, value)| known(name) && value.is_number()), "{line}");
        seen.changed += usize::from(!changes.is_empty());
    }
    if line["type"] == "finding" {
        assert!(!line["counterfactual"].as_object().is_some_and(Map::is_empty), "a finding needs a change: {line}");
    }
    seen.explained += 1;
}

/// Compares a capture's lines without and with the reasons.
fn compare(path: &Path, seen: &mut Seen) {
    let plain = said(path, &["--format", "jsonl"]);
    let with = said(path, &["--format", "jsonl", "--why"]);
    assert_eq!(plain.lines().count(), with.lines().count(), "{}", path.display());
    for (short, long) in plain.lines().zip(with.lines()) {
        let line: Value = serde_json::from_str(long).expect("a line is JSON");
        let by = line["by"].as_str().or(line["detector"].as_str()).unwrap_or_default();
        let suspect = line["type"] == "window" && line["level"] != "SAFE";
        if by == "forest" || suspect {
            assert!(long.starts_with(&short[..short.len() - 1]), "{short} {long}");
            assert_eq!(object(&line).keys().filter(|key| KEYS.contains(&key.as_str())).count(), KEYS.len(), "{line}");
            explained(&line, seen);
        } else {
            assert_eq!(short, long, "nothing is added to a line that the forest has no part in");
            seen.plain += 1;
        }
    }
}

/// A host that asks once a second who has an address, for three minutes.
fn quiet(folder: &Path) -> PathBuf {
    let frame = |second: u64| {
        let mut octets = vec![0xff; 6];
        octets.extend([2, 0x5a, 0x10, 0, 0, 7, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0x5a, 0x10, 0, 0, 7]);
        octets.extend([192, 168, 7, 7, 0, 0, 0, 0, 0, 0, 192, 168, 7, 1]);
        octets.resize(60, 0);
        Held { at: Timestamp::from_secs(1_700_000_000 + second), len: 60, octets }
    };
    let capture = Capture { name: "quiet".into(), link: LinkType::Ethernet, frames: (0..180).map(frame).collect() };
    let path = folder.join("quiet.pcap");
    capture.write(&path, capture.frames.len(), 0);
    path
}

#[test]
fn a_line_says_why_and_is_otherwise_what_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut seen = Seen::default();
    compare(&quiet(folder.path()), &mut seen);
    assert!(seen.explained >= 3 && seen.plain >= 1, "{seen:?}");
}

#[test]
fn nothing_is_added_to_the_summary() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = quiet(folder.path());
    assert_eq!(said(&path, &["--format", "summary"]), said(&path, &["--format", "summary", "--why"]));
}

#[test]
fn what_is_said_of_real_traffic_adds_up() {
    let Some(mut files) = train(SHORT) else { return skip() };
    let mut chance = Chance(seed::drawn("why"));
    let mut seen = Seen::default();
    for _ in 0..CAPTURES {
        compare(&files.swap_remove(chance.below(files.len())), &mut seen);
    }
    assert!(seen.explained > CAPTURES && seen.plain >= CAPTURES, "{seen:?}");
}

#[test]
fn infected_hosts_are_told_what_would_make_them_safe() {
    let Some(files) = train(SHORT) else { return skip() };
    let infected = |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mta_"));
    let mut seen = Seen::default();
    files.iter().filter(infected).take(CAPTURES).for_each(|file| compare(file, &mut seen));
    assert!(seen.changed > 0, "{seen:?}");
}
