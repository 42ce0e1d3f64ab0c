//! Counts what passed, failed and was skipped, from what the test programs print.

use std::collections::{BTreeMap, BTreeSet};

/// What a test prints to say that it could not run.
const SKIP: &str = "SKIP: ";
/// First words of the reason of an `#[ignore]` that leaves nothing untested here: another form of it runs elsewhere.
const ELSEWHERE: [&str; 2] = ["long form", "child"];

/// The counts. Feed it each line that `cargo test -- --show-output` writes.
#[derive(Debug, Default)]
pub struct Tally {
    passed: usize,
    failures: Vec<String>,
    skips: BTreeMap<String, String>,
    /// The test program whose lines are read, so that equal names in two crates stay apart.
    program: String,
    /// The test whose output is read.
    block: Option<String>,
    /// Passed tests of this program.
    here: BTreeSet<String>,
    /// Whether the line before said that something panicked: this one says why.
    panicked: bool,
}

impl Tally {
    /// Reads one line, and tells whether a person wants to see it while it runs.
    pub fn read(&mut self, line: &str) -> bool {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix("Running ").or_else(|| trimmed.strip_prefix("Doc-tests ")) {
            let name = name.split('(').next_back().unwrap_or(name).trim_end_matches(')');
            let name = name.rsplit('/').next().unwrap_or(name);
            self.program = name.rsplit_once('-').map_or(name, |(stem, _)| stem).to_owned();
            self.here.clear();
            self.block = None;
            return true;
        }
        if let Some(name) = trimmed.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.block = Some(name.to_owned());
        } else if matches!(trimmed, "successes:" | "failures:") || trimmed.starts_with("test result:") {
            self.block = None;
        }
        if let Some(at) = trimmed.find(SKIP) {
            self.skipped_by_itself(&trimmed[at + SKIP.len()..]);
            return true;
        }
        if self.block.is_none()
            && let Some((name, outcome)) = trimmed.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        {
            return self.outcome(name, outcome);
        }
        let why = std::mem::replace(&mut self.panicked, trimmed.contains("panicked at"));
        why || self.panicked || trimmed.starts_with("error") || trimmed.starts_with("test result: FAILED")
    }

    /// Counts something that passes or fails as a whole.
    pub fn whole(&mut self, name: &str, passed: bool) {
        if passed { self.passed += 1 } else { self.failures.push(name.to_owned()) }
    }

    /// Counts something that could not run.
    pub fn skip(&mut self, name: &str, why: &str) {
        self.skips.insert(name.to_owned(), why.to_owned());
    }

    /// How many passed.
    #[must_use]
    pub const fn passed(&self) -> usize {
        self.passed
    }

    /// How many failed.
    #[must_use]
    pub const fn failed(&self) -> usize {
        self.failures.len()
    }

    /// The names of those that failed.
    #[must_use]
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Each that was skipped, and why.
    #[must_use]
    pub const fn skips(&self) -> &BTreeMap<String, String> {
        &self.skips
    }

    fn outcome(&mut self, name: &str, outcome: &str) -> bool {
        let full = format!("{}::{name}", self.program);
        if let Some(why) = outcome.strip_prefix("ignored") {
            let why = why.trim_start_matches([',', ' ']);
            if !ELSEWHERE.iter().any(|word| why.starts_with(word)) {
                self.skip(&full, if why.is_empty() { "marked as ignored, no reason given" } else { why });
            }
        } else if outcome.starts_with("ok") {
            if !self.skips.contains_key(&full) {
                self.passed += 1;
                self.here.insert(full);
            }
        } else if outcome.contains("FAILED") {
            self.failures.push(full);
            return true;
        }
        false
    }

    /// A test that says so itself passes in cargo's eyes, so that its pass is taken back.
    fn skipped_by_itself(&mut self, why: &str) {
        let full = match &self.block {
            Some(name) => format!("{}::{name}", self.program),
            None => format!("{}: {why}", self.program),
        };
        if self.here.remove(&full) {
            self.passed -= 1;
        }
        self.skip(&full, why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Tally {
        let mut tally = Tally::default();
        for line in text.lines() {
            tally.read(line);
        }
        tally
    }

    #[test]
    fn passes_failures_and_ignored_tests_are_counted_over_programs() {
        let tally = read(
            "     Running unittests src/lib.rs (target/debug/deps/wire-0123)\ntest a ... ok\ntest b ... FAILED\n\
             test result: FAILED. 1 passed; 1 failed\n     Running tests/x.rs (target/debug/deps/x-0123)\n\
             test a ... ok\ntest c ... ignored, needs a board\ntest d ... ignored, long form: minutes\n",
        );
        assert_eq!((tally.passed(), tally.failed(), tally.skips().len()), (2, 1, 1));
        assert_eq!(tally.failures(), ["wire::b"]);
    }

    #[test]
    fn a_test_that_says_skip_counts_once_as_skipped_and_not_as_passed() {
        let tally = read(
            "Running unittests src/lib.rs (target/debug/deps/ring-01)\ntest a ... ok\ntest b ... ok\n\nsuccesses:\n\n\
             ---- b stdout ----\nSKIP: not root\nSKIP: not root\n\nsuccesses:\n    a\n    b\n",
        );
        assert_eq!((tally.passed(), tally.skips().len()), (1, 1));
        assert_eq!(tally.skips()["ring::b"], "not root");
    }

    #[test]
    fn a_panic_is_shown_with_its_reason() {
        let mut tally = Tally::default();
        let shown = ["thread 'a' panicked at a.rs:1:1:", "two is not one", "stack backtrace:"].map(|l| tally.read(l));
        assert_eq!(shown, [true, true, false]);
    }

    #[test]
    fn what_a_test_prints_is_not_taken_for_an_outcome() {
        let tally = read(
            "Running x (target/debug/deps/x-01)\ntest a ... ok\nsuccesses:\n---- a stdout ----\ntest z ... FAILED\n",
        );
        assert_eq!((tally.passed(), tally.failed()), (1, 0));
    }
}
