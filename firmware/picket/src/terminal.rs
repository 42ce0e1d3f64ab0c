//! What people read on a terminal: text that is safe to print, tables, moments.

use std::fmt::Write as _;
use std::io::{self, Write as _};

/// Prints to standard output; a reader that went away, as `head` does, is no fault.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        eprintln!("picket: standard output: {error}");
    }
}

/// The text without what a terminal would obey: names and reasons come from the network.
#[must_use]
pub fn clean(text: &str) -> String {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if unseen(c) { '?' } else { c }).collect()
}

/// Rows under headings, in columns as wide as they need to be.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings and no rows.
    #[must_use]
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| (*heading).to_owned()).collect()] }
    }

    /// Adds a row; what the terminal would obey is taken out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell)).collect());
    }

    /// Whether there is nothing below the headings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The whole table as lines.
    #[must_use]
    pub fn text(&self) -> String {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.rows.iter().map(Vec::len).max().unwrap_or(0)).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                // Writing to a string cannot fail.
                let _ = write!(line, "{cell:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A moment as people write it, in UTC: `2026-11-21 14:31:48`.
#[must_use]
pub fn moment(secs_since_epoch: f64) -> String {
    let (year, month, day, second) = civil(secs_since_epoch);
    format!("{year:04}-{month:02}-{day:02} {}", clock(second))
}

/// The time of day of a moment, in UTC: `14:31:48`.
#[must_use]
pub fn time_of_day(secs_since_epoch: f64) -> String {
    clock(civil(secs_since_epoch).3)
}

/// Octets or frames in at most four digits: `999`, `1.2 k`, `45 M`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "four digits are shown")]
pub fn rounded(number: u64) -> String {
    let mut rest = number as f64;
    for unit in ["", " k", " M", " G", " T"] {
        if rest < 999.5 {
            return if unit.is_empty() || rest >= 99.5 {
                format!("{rest:.0}{unit}")
            } else {
                format!("{rest:.1}{unit}")
            };
        }
        rest /= 1_000.0;
    }
    format!("{rest:.0} P")
}

/// Seconds of a day as hours, minutes and seconds.
fn clock(second: u64) -> String {
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// Year, month, day and second of the day. **Source**: the proleptic Gregorian calendar, counted in eras of 400 years from
/// 1 March of year 0.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates; shown times lie after 1970"
)]
fn civil(secs_since_epoch: f64) -> (u64, u64, u64, u64) {
    let secs = (secs_since_epoch as u64).min(253_402_300_799);
    let days = secs / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day, secs % 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right_on_both_sides_of_leap_days() {
        let told = [0.0, 951_782_399.0, 951_782_400.0, 1_709_251_199.9, 4_107_542_400.0, -5.0].map(moment);
        let right = [
            "1970-01-01 00:00:00",
            "2000-02-28 23:59:59",
            "2000-02-29 00:00:00",
            "2024-02-29 23:59:59",
            "2100-03-01 00:00:00",
            "1970-01-01 00:00:00",
        ];
        assert_eq!(told, right);
    }

    #[test]
    fn a_table_stands_in_columns_and_obeys_nobody() {
        let mut table = Table::new(&["HOST", "WHY"]);
        table.row(["10.0.0.1".into(), "a\u{1b}[2Jb\nc".into()]);
        assert_eq!(table.text(), "HOST      WHY\n10.0.0.1  a?[2Jb?c\n");
    }

    #[test]
    fn numbers_are_rounded_to_what_an_eye_takes_in() {
        assert_eq!(
            [0, 999, 1_234, 999_999, 45_000_000, u64::MAX].map(rounded),
            ["0", "999", "1.2 k", "1.0 M", "45.0 M", "18447 P"]
        );
    }
}
