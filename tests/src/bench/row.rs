//! One line of the results: what was measured, raw, and what it must come to.

use serde::{Deserialize, Serialize};

/// What a figure must come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// `ratio` is at least this; the second figure is what would be better still.
    Ratio(f64, Option<f64>),
    /// `ratio` is at most this; the second figure is what would be better still.
    RatioAtMost(f64, Option<f64>),
    /// The median of ours is not above this.
    AtMost(f64),
    /// The median of ours is not below this.
    AtLeast(f64),
    /// Nothing is asked; the peer stands there for comparison.
    None,
}

/// The other side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// Its version, as its package or it itself tells.
    pub version: String,
    /// Its raw figures.
    pub figures: Vec<f64>,
}

/// One benchmark's outcome, as `results.json` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was measured; stands in the README word for word.
    pub what: String,
    /// The unit of all figures.
    pub unit: String,
    /// Our raw figures, in the order in which they were measured.
    pub ours: Vec<f64>,
    /// The other side, where there is one.
    pub peer: Option<String>,
    /// Its version.
    pub peer_version: Option<String>,
    /// Its raw figures.
    pub theirs: Vec<f64>,
    /// The median of ours over the median of theirs.
    pub ratio: Option<f64>,
    /// What it must come to, in words.
    pub goal: String,
    /// Whether it does.
    pub met: bool,
}

impl Row {
    /// Puts figures beside each other and holds them to the goal.
    #[must_use]
    pub fn new(what: &str, unit: &str, ours: Vec<f64>, peer: Option<Peer>, goal: Goal) -> Self {
        let theirs = peer.as_ref().map(|peer| peer.figures.clone()).unwrap_or_default();
        let ratio = median(&ours).zip(median(&theirs)).filter(|(_, theirs)| *theirs != 0.0).map(|(a, b)| a / b);
        let (name, version) = peer.map(|peer| (peer.name, peer.version)).unzip();
        let (what, unit) = (what.to_owned(), unit.to_owned());
        let (goal, met) = (goal.words(&unit), goal.is_met(&ours, ratio));
        Self { what, unit, ours, peer: name, peer_version: version, theirs, ratio, goal, met }
    }
}

impl Goal {
    fn is_met(self, ours: &[f64], ratio: Option<f64>) -> bool {
        match self {
            Self::Ratio(least, _) => ratio.is_some_and(|ratio| ratio >= least),
            Self::RatioAtMost(most, _) => ratio.is_some_and(|ratio| ratio <= most),
            Self::AtMost(most) => median(ours).is_some_and(|figure| figure <= most),
            Self::AtLeast(least) => median(ours).is_some_and(|figure| figure >= least),
            Self::None => !ours.is_empty(),
        }
    }

    fn words(self, unit: &str) -> String {
        let better =
            |sign: &str, goal: Option<f64>| goal.map_or_else(String::new, |goal| format!(" (goal {sign} {goal} x)"));
        match self {
            Self::Ratio(least, goal) => format!("ratio >= {least} x{}", better(">=", goal)),
            Self::RatioAtMost(most, goal) => format!("ratio <= {most} x{}", better("<=", goal)),
            Self::AtMost(most) => format!("<= {most} {unit}"),
            Self::AtLeast(least) => format!(">= {least} {unit}"),
            Self::None => "for comparison".into(),
        }
    }
}

/// The middle figure; the mean of the two middle ones of an even number.
#[must_use]
pub fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// The figure that the given share of all does not exceed (nearest rank).
#[must_use]
pub fn percentile(figures: &[f64], share: f64) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(figures: &[f64]) -> Option<Peer> {
        Some(Peer { name: "other".into(), version: "1".into(), figures: figures.to_vec() })
    }

    #[test]
    fn the_ratio_is_of_the_medians_and_not_of_the_best() {
        let row = Row::new("w", "u", vec![9.0, 2.0, 4.0], peer(&[1.0, 2.0, 8.0]), Goal::Ratio(2.0, None));
        assert_eq!((row.ratio, row.met), (Some(2.0), true));
        let row = Row::new("w", "u", vec![1.0, 2.0, 4.0, 9.0], peer(&[2.0]), Goal::RatioAtMost(1.45, Some(1.25)));
        assert_eq!((row.ratio, row.met), (Some(1.5), false));
        assert_eq!(row.goal, "ratio <= 1.45 x (goal <= 1.25 x)");
    }

    #[test]
    fn a_row_without_a_peer_is_held_to_its_median() {
        let row = Row::new("w", "ms", vec![1.0, 5.1, 5.2], None, Goal::AtMost(5.0));
        assert_eq!((row.ratio, row.met, row.theirs.len()), (None, false, 0));
        assert!(!Row::new("w", "ms", vec![], None, Goal::AtMost(5.0)).met);
    }

    #[test]
    fn json_has_the_promised_fields_and_null_where_there_is_no_peer() {
        let row = Row::new("what it is", "ms", vec![1.0], None, Goal::AtMost(5.0));
        let json = serde_json::to_value(&row).expect("a row is JSON");
        let fields: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
        let mut wanted = ["what", "unit", "ours", "peer", "peer_version", "theirs", "ratio", "goal", "met"];
        wanted.sort_unstable();
        assert_eq!(fields, wanted);
        assert!(json["peer"].is_null() && json["theirs"].as_array().is_some_and(Vec::is_empty));
    }

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        let figures: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&figures, 0.99), Some(99.0));
        assert_eq!(percentile(&figures[..50], 0.99), Some(50.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
