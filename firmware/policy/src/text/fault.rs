//! What is wrong with a text, and where.

use core::fmt;

/// The most of a wrong value or name that is repeated, in characters.
const QUOTE_MAX: usize = 60;
/// The deepest nesting of brackets; what any key needs is two.
const DEPTH_MAX: usize = 16;

/// One thing that is wrong, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line of the text, from 1.
    pub line: usize,
    /// In words.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Refuses brackets nested so deep that no key needs them, before anything follows them down.
///
/// # Errors
/// The line on which they are.
pub fn refuse_depth(text: &str) -> Result<(), Vec<Fault>> {
    for (number, line) in text.lines().enumerate() {
        let deepest = line.bytes().fold((0_usize, 0_usize), |(depth, deepest), octet| match octet {
            b'[' | b'{' => (depth + 1, deepest.max(depth + 1)),
            b']' | b'}' => (depth.saturating_sub(1), deepest),
            _ => (depth, deepest),
        });
        if deepest.1 > DEPTH_MAX {
            return Err(vec![Fault {
                line: number + 1,
                what: format!("brackets are nested more than {DEPTH_MAX} deep"),
            }]);
        }
    }
    Ok(())
}

/// The line on which an octet of the text stands, from 1.
#[must_use]
pub fn line_at(text: &str, offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..offset.min(text.len())]).count() + 1
}

/// The text without what a terminal could obey, cut to what a line can hold.
#[must_use]
pub fn short(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(QUOTE_MAX)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    if text.chars().nth(QUOTE_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}
