//! The present, and moments as people and programs read them: RFC 3339, UTC.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use terms::Timestamp;

/// A moment of a view: read as the gateway tells it, in seconds since the epoch; written as RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Timestamp);

impl Moment {
    /// **Units**: microseconds since the epoch.
    #[must_use]
    pub fn micros(self) -> u64 {
        self.0.micros()
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        f64::deserialize(from).map(|secs| Self(Timestamp::from_secs_f64(secs)))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&rfc3339(self.0))
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// The present, on the system's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// A moment with its microseconds: `2026-11-22T12:05:33.000001Z`. Years beyond 9999 read as 9999.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    const LAST: u64 = 253_402_300_799;
    let (secs, micros) = (at.secs().min(LAST), at.micros() % 1_000_000);
    let (year, month, day) = civil(secs / 86_400);
    let (hour, minute, second) = (secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of a day since the epoch. **Source**: Howard Hinnant, "chrono-compatible low-level date algorithms".
#[must_use]
pub fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right_on_both_sides_of_leap_days() {
        let told =
            [0, 951_782_399, 951_782_400, 1_709_251_199, 4_107_542_400].map(|s| rfc3339(Timestamp::from_secs(s)));
        let right = [
            "1970-01-01T00:00:00",
            "2000-02-28T23:59:59",
            "2000-02-29T00:00:00",
            "2024-02-29T23:59:59",
            "2100-03-01T00:00:00",
        ];
        assert_eq!(told, right.map(|text| format!("{text}.000000Z")));
        let read: Moment = serde_json::from_str("1.25").expect("seconds");
        assert_eq!(serde_json::to_string(&read).expect("a text"), "\"1970-01-01T00:00:01.250000Z\"");
        assert!(rfc3339(Timestamp::from_micros(u64::MAX)).starts_with("9999-12-31T"));
    }
}
