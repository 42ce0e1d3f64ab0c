//! The table of `tests/ETSI.md`: that the tests which it names exist, and that it promises nothing without one.

use std::collections::BTreeSet;
use std::fs;

use crate::gateway::root;
use crate::machine::CHECKS;
use crate::named::is_a_test;

/// Provisions that the standard's text calls mandatory, conditional ones included.
const MANDATORY: [&str; 32] = [
    "5.1-1", "5.1-2", "5.1-3", "5.1-4", "5.1-5", "5.2-1", "5.3-2", "5.3-3", "5.3-7", "5.3-8", "5.3-10", "5.3-13",
    "5.3-16", "5.4-1", "5.4-2", "5.4-3", "5.4-4", "5.5-1", "5.5-5", "5.5-7", "5.5-8", "5.6-1", "5.6-2", "5.6-4",
    "5.8-2", "5.8-3", "5.11-1", "5.13-1", "6-1", "6-2", "6-3", "6-5",
];
const STATES: [&str; 4] = ["held", "partly", "open", "does not apply"];

/// Whether there is a test of this name in the file, or a check of the image.
fn exists(named: &str) -> bool {
    let Some((place, test)) = named.rsplit_once("::") else { return false };
    if place == "image" {
        return CHECKS.iter().any(|(name, ..)| *name == test);
    }
    is_a_test(place, test)
}

#[test]
fn every_test_that_the_table_names_exists_and_nothing_mandatory_is_held_without_one() {
    let text = fs::read_to_string(root().join("tests/ETSI.md")).expect("the table");
    let mut seen = BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("| 5.") || line.starts_with("| 6-")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, kind, asked, state, how, shown] = cells[..] else { panic!("a row of six cells: {line}") };
        assert!(STATES.contains(&state) && !asked.is_empty(), "{line}");
        assert!(seen.insert(id.to_owned()), "{id} stands there twice");
        assert_eq!(kind.starts_with('M'), MANDATORY.contains(&id), "{id} is {kind}");
        let tests: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        for test in &tests {
            assert!(exists(test), "{id} names {test}, which is no test");
        }
        let claims = matches!(state, "held" | "partly");
        assert!(!claims || !kind.starts_with('M') || !tests.is_empty(), "{id} is {state} and names no test");
        assert!(claims || !how.is_empty(), "{id} is {state} and says nothing of why");
    }
    for id in MANDATORY {
        assert!(seen.contains(id), "{id} is missing");
    }
    assert!(!exists("image/init/src/network/sntp.rs::no_such_test") && !exists("image::no_such_check"));
}
