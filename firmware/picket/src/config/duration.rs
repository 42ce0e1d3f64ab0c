//! Durations as people write them: `5s`, `10m`, `1h`, `7d`.

use terms::Span;

/// The units, largest first, with their seconds.
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Reads a whole number followed by one unit; `None` for anything else or for more than the clock can hold.
#[must_use]
pub fn parse(text: &str) -> Option<Span> {
    let (unit, secs) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text.strip_suffix(unit)?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let secs = digits.then(|| number.parse::<u64>().ok()?.checked_mul(*secs))??;
    secs.checked_mul(1_000_000).map(Span::from_micros)
}

/// Writes a span in the largest unit that divides it; parts of a second are left out.
#[must_use]
pub fn write(span: Span) -> String {
    let secs = span.secs();
    let fits = UNITS.iter().find(|(_, unit)| secs >= *unit && secs.is_multiple_of(*unit));
    fits.map_or_else(|| format!("{secs}s"), |(unit, size)| format!("{}{unit}", secs / size))
}

/// Writes what is left of a span so that it reads at a glance: `9m12s`, `23h59m`, `40s`.
#[must_use]
pub fn glance(span: Span) -> String {
    let secs = span.secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3_600 => format!("{}m{:02}s", secs / 60, secs % 60),
        3_600..86_400 => format!("{}h{:02}m", secs / 3_600, secs / 60 % 60),
        _ => format!("{}d{:02}h", secs / 86_400, secs / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_back_as_written() {
        for text in ["0s", "5s", "90s", "10m", "1h", "7d"] {
            assert_eq!(parse(text).map(write).as_deref(), Some(text));
        }
        assert_eq!(parse("60m"), parse("1h"));
    }

    #[test]
    fn a_number_without_unit_a_sign_or_an_overflow_is_refused() {
        for text in
            ["", "5", "s", "-5s", "+5s", "1.5h", "5 s", "5S", "1h30m", "99999999999999999999s", "18446744073709551615d"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_left_is_told_in_its_two_largest_units() {
        let told: Vec<_> = [0, 59, 60, 3_599, 3_600, 90_000].map(|s| glance(Span::from_secs(s))).into();
        assert_eq!(told, ["0s", "59s", "1m00s", "59m59s", "1h00m", "1d01h"]);
    }
}
