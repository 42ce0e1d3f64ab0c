//! Shares with their uncertainty, and medians.

use std::fmt;

use serde::Serialize;

/// The standard score of 95 %.
const Z: f64 = 1.959_964;

/// Where a share lies with a confidence of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end, 0 to 1.
    pub from: f64,
    /// The upper end.
    pub to: f64,
}

/// The interval of a share, good for few and for extreme cases.
///
/// **Source**: E. B. Wilson, Probable Inference, 1927.
#[must_use]
pub fn wilson(hits: usize, of: usize) -> Interval {
    if of == 0 {
        return Interval { from: 0.0, to: 1.0 };
    }
    let (n, share) = (of as f64, hits as f64 / of as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    Interval { from: ((middle - half) / scale).max(0.0), to: ((middle + half) / scale).min(1.0) }
}

/// The middle of these; nothing where there are none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} to {:.0} %", 100.0 * self.from, 100.0 * self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_cases_say_little() {
        let one = wilson(1, 1);
        assert!((one.from - 0.2065).abs() < 1e-3 && one.to > 0.999, "{one}");
        let many = wilson(90, 100);
        assert!((many.from - 0.8256).abs() < 1e-3 && (many.to - 0.9448).abs() < 1e-3, "{many}");
        assert_eq!(wilson(0, 0).to_string(), "0 to 100 %");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
