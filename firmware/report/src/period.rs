//! From when to when.

use jiff::Timestamp;

/// A span of time, its end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    from: Timestamp,
    to: Timestamp,
}

/// Why it is no period.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not a time.
    #[error("{0:?} is no time as 2026-11-22T00:00:00Z (RFC 3339)")]
    NoTime(String),
    /// Its end is not after its beginning.
    #[error("the period ends at {to}, which is not after its beginning, {from}")]
    Backwards {
        /// Its beginning.
        from: String,
        /// Its end.
        to: String,
    },
}

impl Period {
    /// The period between two times of RFC 3339.
    ///
    /// # Errors
    /// One is no time, or the end is not after the beginning.
    pub fn new(from: &str, to: &str) -> Result<Self, PeriodError> {
        let read = |text: &str| text.parse().map_err(|_| PeriodError::NoTime(text.into()));
        let (from, to): (Timestamp, Timestamp) = (read(from)?, read(to)?);
        if to <= from {
            return Err(PeriodError::Backwards { from: from.to_string(), to: to.to_string() });
        }
        Ok(Self { from, to })
    }

    /// Whether a moment in seconds since the epoch lies in it.
    #[must_use]
    pub fn holds(&self, at: f64) -> bool {
        (seconds(self.from)..seconds(self.to)).contains(&at)
    }

    /// Its beginning, in seconds since the epoch.
    #[must_use]
    pub fn begin(&self) -> f64 {
        seconds(self.from)
    }

    /// Its beginning and its end, as RFC 3339.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        (self.from.to_string(), self.to.to_string())
    }

    /// How it is cut for the chart: where it begins, how long a slot is in seconds, and how many there are; 92 at most.
    #[must_use]
    pub fn slots(&self) -> (i64, i64, usize) {
        let (from, to) = (self.from.as_second(), self.to.as_second());
        let lasts = to - from;
        let slot = match lasts {
            ..=172_800 => 3_600,
            172_801..=7_862_400 => 86_400,
            _ => 604_800,
        };
        // Years: whole weeks, as many together as it takes.
        let slot = slot * (lasts / slot / 92 + 1);
        let begin = from.div_euclid(slot) * slot;
        (begin, slot, usize::try_from((to - 1 - begin) / slot + 1).unwrap_or(1))
    }
}

/// A moment as people write it, in UTC.
#[must_use]
pub(crate) fn moment(at: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
    let at = Timestamp::from_second(at.floor() as i64).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The day of a moment, and its hour where that matters.
pub(crate) fn slot_name(begin: i64, slot: i64) -> String {
    let at = Timestamp::from_second(begin).unwrap_or_default();
    at.strftime(if slot < 86_400 { "%m-%d %H:00" } else { "%Y-%m-%d" }).to_string()
}

fn seconds(at: Timestamp) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a double holds 2^53 microseconds, which is 285 years")]
    let micros = at.as_microsecond() as f64;
    micros / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_holds_its_beginning_and_not_its_end() {
        let period = Period::new("2026-11-22T00:00:00Z", "2026-11-22T02:00:00+01:00").unwrap();
        let begin = 1_795_305_600.0;
        assert_eq!(
            [begin - 0.1, begin, begin + 3_599.9, begin + 3_600.0].map(|at| period.holds(at)),
            [false, true, true, false]
        );
        assert_eq!(period.words().1, "2026-11-22T01:00:00Z");
    }

    #[test]
    fn what_is_no_period_is_told() {
        assert_eq!(Period::new("yesterday", "2026-11-22T00:00:00Z"), Err(PeriodError::NoTime("yesterday".into())));
        let error = Period::new("2026-02-02T00:00:00Z", "2026-01-01T00:00:00Z").unwrap_err();
        assert!(error.to_string().contains("not after its beginning"), "{error}");
        assert!(Period::new("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z").is_err());
    }

    #[test]
    fn a_chart_never_has_more_slots_than_fit() {
        for (from, to, slots) in [
            ("2026-01-01T00:30:00Z", "2026-01-01T01:30:00Z", 2),
            ("2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z", 7),
            ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 53),
        ] {
            assert_eq!(Period::new(from, to).unwrap().slots().2, slots, "{from}");
        }
        assert!(Period::new("0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z").unwrap().slots().2 <= 93);
    }
}
