//! Time as frames tell it.

use core::ops::Add;

use serde::{Deserialize, Serialize};

/// A moment on the clock of the frames.
///
/// **Units**: microseconds since 1970-01-01T00:00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(u64);

/// A length of time.
///
/// **Units**: microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span(u64);

impl Timestamp {
    /// The beginning of the epoch; no frame is older.
    pub const EPOCH: Self = Self(0);

    /// The moment so many microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The moment so many seconds after the epoch.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// The moment so many seconds after the epoch, to the nearest microsecond: what [`Self::as_secs_f64`] wrote. What is before the
    /// epoch, or no number, is the epoch.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
    pub const fn from_secs_f64(secs: f64) -> Self {
        Self((secs.max(0.0) * 1e6 + 0.5) as u64)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Seconds since the epoch with microseconds behind the point (exact to a microsecond until the year 2255).
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a double holds 2^53 microseconds, which is 285 years")]
    pub const fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Whole minutes since the epoch.
    #[must_use]
    pub const fn minute(self) -> u64 {
        self.0 / 60_000_000
    }

    /// How long after `earlier` this is; nothing if it is before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// The length in microseconds.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The length in whole seconds.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_before_is_no_time_rather_than_a_wrap() {
        assert_eq!(Timestamp::from_secs(1).since(Timestamp::from_secs(2)), Span::ZERO);
        assert_eq!(Timestamp::from_secs(121).minute(), 2);
    }

    #[test]
    fn seconds_with_a_point_read_back_to_the_microsecond() {
        for micros in [0, 1, 999_999, 1_795_424_400_123_457] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::from_secs_f64(at.as_secs_f64()), at);
        }
        assert_eq!([-1.0, f64::NAN].map(Timestamp::from_secs_f64), [Timestamp::EPOCH; 2]);
        assert_eq!(Timestamp::from_secs_f64(f64::INFINITY).micros(), u64::MAX);
    }
}
