//! The configuration file: every text is a configuration or is refused with a line for each fault.

use super::{kind, size};
use crate::config::{Config, ConfigError, show};
use crate::scratch;

pub fn run(input: &[u8]) -> u64 {
    match scratch::with(input, Config::load_with_origins) {
        Ok((config, origins)) => {
            let shown = show(&config, Some(&origins));
            let again = scratch::with(shown.as_bytes(), Config::load);
            assert!(again.is_ok_and(|again| again == config), "what is shown is another configuration:\n{shown}");
            kind(origins.keys().collect::<Vec<_>>())
        }
        Err(ConfigError::Refused { faults, .. }) => {
            let lines = input.iter().filter(|octet| **octet == b'\n').count() + 1;
            assert!(!faults.is_empty());
            for fault in &faults {
                assert!((1..=lines).contains(&fault.line), "{fault} of {lines} lines");
                let words = fault.what.chars().count();
                assert!(words < 2000 && !fault.what.contains('\n'), "{words} characters: {}", fault.what);
            }
            let first = faults.first().map(|fault| fault.what.split(' ').take(4).collect::<Vec<_>>().join(" "));
            kind((faults.len(), first.filter(|words| words.len() < 60)))
        }
        Err(ConfigError::NotText { line, .. }) => kind(("not text", size(line))),
        Err(error) => panic!("{error}"),
    }
}
