//! A configuration as TOML that can be read back.

use std::fmt::Write as _;

use super::keys::{Config, KEYS, Key, TABLES};
use super::reader::Origins;

/// Every key as one `key = value` a line, under its table, with what it means; with the origins also who set it.
#[must_use]
pub fn show(config: &Config, origins: Option<&Origins>) -> String {
    let mut text = String::new();
    let top = ("", [].as_slice());
    for (table, about) in std::iter::once(&top).chain(TABLES) {
        if !table.is_empty() {
            text.push('\n');
            about.iter().for_each(|line| comment(&mut text, line));
            text.push_str(&format!("[{table}]\n"));
        }
        KEYS.iter().filter(|key| key.table == *table).for_each(|key| entry(&mut text, key, config, origins));
    }
    text
}

/// One key with its comment.
fn entry(text: &mut String, key: &Key, config: &Config, origins: Option<&Origins>) {
    key.help.iter().for_each(|line| comment(text, line));
    let origin = match origins.map(|origins| origins.get(&(key.table, key.name))) {
        None => String::new(),
        Some(None) => "  # default".into(),
        Some(Some(line)) => format!("  # set on line {line}"),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{} = {}{origin}", key.name, (key.write)(config));
}

/// One line of a doc comment, as a comment of TOML.
fn comment(text: &mut String, line: &str) {
    let _ = writeln!(text, "#{line}");
}
