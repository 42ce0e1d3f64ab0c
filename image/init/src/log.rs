//! The gateway's last words, in bounded memory, and its crash reports.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Lines that are kept.
const LINES: usize = 100;
/// Octets of a line that are kept.
const LONGEST: u64 = 400;
/// Crash reports that are kept.
const REPORTS: usize = 8;

/// The last lines of what somebody writes.
#[derive(Clone, Debug, Default)]
pub struct LastWords(Arc<Mutex<VecDeque<String>>>);

impl LastWords {
    /// Reads lines until their end, on a thread of its own so that nobody ever waits for being read.
    pub fn follow(&self, from: impl Read + Send + 'static) -> std::io::Result<()> {
        let words = self.clone();
        thread::Builder::new().name("log".into()).spawn(move || words.read(BufReader::new(from)))?;
        Ok(())
    }

    /// What was said last.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn read(&self, mut from: impl BufRead) {
        let mut line = Vec::new();
        // A line that is too long goes on as the next one.
        while (&mut from).take(LONGEST).read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == LINES {
                lines.pop_front();
            }
            lines.push_back(text);
            line.clear();
        }
    }
}

/// Keeps a report of a crash, and removes the oldest beyond those that are kept.
pub fn report(folder: &Path, why: &str, words: &[String]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut numbers: Vec<u64> =
        fs::read_dir(folder)?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    let next = numbers.last().map_or(1, |last| last + 1);
    fs::write(folder.join(next.to_string()), format!("{why}\n\n{}\n", words.join("\n")))?;
    for old in numbers.iter().rev().skip(REPORTS - 1) {
        fs::remove_file(folder.join(old.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_in_bounded_memory() {
        let words = LastWords::default();
        let text = format!("{}{}end", "x".repeat(5000), (0..500).map(|n| format!("\nline {n}")).collect::<String>());
        words.read(text.as_bytes());
        let lines = words.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines.last().map(String::as_str), Some("line 499end"));
        assert!(lines.iter().all(|line| line.len() as u64 <= LONGEST));
    }

    #[test]
    fn the_newest_reports_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        for n in 1..=20 {
            report(folder.path(), &format!("crash {n}"), &["last words".into()]).expect("written");
        }
        let kept: Vec<_> = fs::read_dir(folder.path()).expect("read").flatten().collect();
        assert_eq!(kept.len(), REPORTS);
        assert!(fs::read_to_string(folder.path().join("20")).expect("kept").starts_with("crash 20\n\nlast words"));
    }
}
