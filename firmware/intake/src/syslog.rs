//! The header of a syslog line.
//!
//! **Source**: RFC 5424 section 6, RFC 3164 section 4, and what programs write instead; whatever is neither is a message without a header.

use std::str;

use chrono::{DateTime, Datelike, TimeZone, Utc};
use syslog_loose::{Variant, parse_message_with_year_tz};
use terms::Timestamp;

/// The priority of a line without one: user, notice (RFC 3164 section 4.3.3).
const NO_PRIORITY: u8 = 13;
/// The highest priority: local7, debug.
const PRIORITY_MAX: u8 = 191;

/// A line with its header told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Facility times eight and severity.
    pub priority: u8,
    /// When it was written, as it claims.
    pub at: Option<Timestamp>,
    /// The host's name, as it claims; empty where it does not.
    pub host: String,
    /// The program; empty where it names none.
    pub app: String,
    /// Its structured data (RFC 5424 section 6.3), as it was; empty where it has none.
    pub data: String,
    /// The message.
    pub message: String,
}

/// Reads a line that came at a moment, from which a date without a year takes its year. What is no UTF-8 becomes U+FFFD.
#[must_use]
pub fn line(octets: &[u8], came: Timestamp) -> Line {
    let text = String::from_utf8_lossy(octets);
    let text = text.trim_end_matches(['\n', '\r', '\0']);
    let Some((priority, rest)) = priority(text) else {
        return Line { priority: NO_PRIORITY, message: text.to_owned(), ..Line::default() };
    };
    let now = date(came);
    let year = |(month, ..): (u32, u32, u32, u32, u32)| year(now, month);
    // RFC 5424 has a version behind the priority; a time of RFC 3164 begins with a letter.
    let variant = if rest.starts_with("1 ") { Variant::RFC5424 } else { Variant::RFC3164 };
    let parsed = parse_message_with_year_tz(text, year, Some(Utc), variant);
    let data = parsed.structured_data.iter().map(ToString::to_string).collect();
    let body = parsed.msg.strip_prefix('\u{feff}').unwrap_or(parsed.msg);
    // What could not be read as a header comes back whole.
    let message = if body.len() == text.trim().len() { rest } else { body }.to_owned();
    let claimed = parsed.timestamp.and_then(|at| u64::try_from(at.timestamp_micros()).ok());
    let word = |word: Option<&str>| word.filter(|word| *word != "-").unwrap_or_default().to_owned();
    Line {
        priority,
        at: claimed.map(Timestamp::from_micros),
        host: word(parsed.hostname),
        app: word(parsed.appname),
        data,
        message,
    }
}

/// The priority and what follows it.
fn priority(text: &str) -> Option<(u8, &str)> {
    let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
    let plain = (1..=3).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit());
    let number = number.parse().ok().filter(|number| plain && *number <= PRIORITY_MAX)?;
    Some((number, rest))
}

/// The year and the month of a moment.
fn date(at: Timestamp) -> (i32, u32) {
    let micros = i64::try_from(at.micros()).unwrap_or(i64::MAX);
    let at: Option<DateTime<Utc>> = Utc.timestamp_micros(micros).single();
    at.map_or((1970, 1), |at| (at.year(), at.month()))
}

/// The year of a date of which only the month is known: the one that makes it nearest to now.
fn year((year, now): (i32, u32), month: u32) -> i32 {
    match (now, month) {
        (1..=3, 10..=12) => year - 1,
        (10..=12, 1..=3) => year + 1,
        _ => year,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-22T16:00:00Z.
    const CAME: Timestamp = Timestamp::from_secs(1_795_363_200);

    fn read(text: &str) -> Line {
        line(text.as_bytes(), CAME)
    }

    fn words(line: &Line) -> (u8, Option<u64>, &str, &str, &str) {
        (line.priority, line.at.map(Timestamp::secs), &line.host, &line.app, &line.message)
    }

    #[test]
    fn rfc_5424_gives_time_host_program_and_message() {
        let told = read("<38>1 2026-11-22T15:00:00.5+01:00 web sshd 77 - - Accepted password for a");
        assert_eq!(words(&told), (38, Some(1_795_356_000), "web", "sshd", "Accepted password for a"));
        let told = read("<34>1 - - =x - - - @SUM(1+1)");
        assert_eq!(words(&told), (34, None, "", "=x", "@SUM(1+1)"));
        let told = read("<13>1 - h a - - [b@32473 c=\"d\"] \u{feff}e");
        assert_eq!((&*told.data, &*told.message), ("[b@32473 c=\"d\"]", "e"));
    }

    #[test]
    fn rfc_3164_takes_the_year_that_is_nearest() {
        let told = read("<38>Nov 22 15:00:00 web sshd[77]: Accepted password for a");
        assert_eq!(words(&told), (38, Some(1_795_359_600), "web", "sshd", "Accepted password for a"));
        let told = line(b"<38>Dec 31 23:59:59 web sshd[77]: x", Timestamp::from_secs(1_798_761_600));
        assert_eq!(told.at.map(Timestamp::secs), Some(1_798_761_599), "it is 2027 here, and was 2026 there");
    }

    #[test]
    fn whatever_is_no_header_is_the_message() {
        for text in ["plain words", "<999>99 x", "<>a", "<1", "<13 >b", "{\"a\":1}", "<-1>x", "<0001>x"] {
            assert_eq!(words(&read(text)), (13, None, "", "", text), "{text}");
        }
        assert_eq!(read("<14>").message, "");
        assert!(!read("<14>1 2026 x").message.is_empty());
        assert_eq!(line(b"<13>a \xff b\n", CAME).message, "a \u{fffd} b");
    }

    #[test]
    fn a_time_before_the_epoch_is_no_claim() {
        assert_eq!(read("<13>1 1901-01-01T00:00:00Z h a - - - x").at, None);
        assert!(read("<13>1 2099-01-01T00:00:00Z h a - - - x").at.is_some(), "a claim, and nothing more");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_line(octets in prop::collection::vec(any::<u8>(), 0..300), came in any::<u64>()) {
            let _ = line(&octets, Timestamp::from_micros(came));
            let _ = line(&[b"<38>1 ", &octets[..]].concat(), CAME);
            let _ = line(&[b"<38>Nov 22 ", &octets[..]].concat(), CAME);
        }
    }
}
