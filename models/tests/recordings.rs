//! The recordings in `models/recordings`: labelled one by one, small enough, and readable by the trainer.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not there")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use models::captures;
use terms::ThreatLevel;

/// The most octets of all recordings together.
const BUDGET: u64 = 25 << 20;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings")
}

fn recordings() -> BTreeSet<String> {
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".pcap.zst")).collect()
}

#[test]
fn each_recording_has_labels_and_they_fit_the_budget() {
    let table = fs::read_to_string(folder().join("labels.csv")).unwrap();
    let named: BTreeSet<String> = table.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()).collect();
    assert_eq!(named, recordings());
    let octets: u64 = named.iter().map(|name| fs::metadata(folder().join(name)).unwrap().len()).sum();
    assert!(octets <= BUDGET, "{octets} octets");
}

#[test]
fn each_attack_gives_the_trainer_a_row_with_its_family_and_tool() {
    let mut wrong = Vec::new();
    let rows = captures::rows(&folder(), &mut |capture, read| {
        if let Err(error) = read {
            wrong.push(format!("{capture}: {error:#}"));
        }
    })
    .unwrap();
    for name in recordings().iter().filter(|name| !name.starts_with("benign_")) {
        let mut parts = name.split('.');
        let (family, tool) = (parts.next().unwrap(), parts.next().unwrap());
        let is = |row: &&models::Row| {
            row.family == family && row.tool.split(' ').next() == Some(tool) && row.level != ThreatLevel::Safe
        };
        if !rows.rows.iter().filter(|row| row.capture == *name).any(|row| is(&row)) {
            wrong.push(format!("{name}: no row"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
