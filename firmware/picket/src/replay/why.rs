//! What `replay --why` adds: the forest's judgement of one vector, taken apart.
//!
//! **Units**: shares of the vote for Medium and High together; counterfactual values in the feature's own unit.

use std::fmt;

use detect::forest::Forest;
use features::{FeatureVector, SCHEMA};
use serde::Serialize;

use crate::control::views::ExplanationView;

/// How many contributions people are told.
const TOLD: usize = 4;

/// Four more keys of a line; a counterfactual of more features than [`detect::forest::CHANGES`] is none.
#[derive(Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Explanation(pub ExplanationView);

/// A line with its explanation, as one object.
#[derive(Serialize)]
pub struct Explained<L> {
    #[serde(flatten)]
    line: L,
    #[serde(flatten)]
    explanation: Explanation,
}

impl Explanation {
    /// Takes the forest's judgement of a vector apart.
    pub fn new(forest: &Forest<'_>, vector: &FeatureVector) -> Self {
        let told = forest.contributions(&vector.0);
        let changes = forest.counterfactual(&vector.0);
        let name = |feature: usize| SCHEMA[feature].to_owned();
        Self(ExplanationView {
            base: told.base(),
            contributions: told.each().map(|(feature, share)| (name(feature), share)).collect(),
            score: told.score(),
            counterfactual: changes.map(|all| all.iter().map(|change| (name(change.feature), change.to)).collect()),
        })
    }

    /// The line with these keys behind its own.
    pub fn of<L: Serialize>(self, line: L) -> Explained<L> {
        Explained { line, explanation: self }
    }
}

impl fmt::Display for Explanation {
    /// In words: what moved the vote most, and what would change it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExplanationView { base, contributions, score, counterfactual } = &self.0;
        write!(f, "{score:.3} of the vote is against it: {base:.3} for any host")?;
        let mut moved: Vec<_> = contributions.iter().collect();
        moved.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let (most, rest) = moved.split_at(moved.len().min(TOLD));
        most.iter().try_for_each(|(name, share)| write!(f, ", {name} {share:+.3}"))?;
        if !rest.is_empty() {
            write!(f, ", {} more {:+.3}", rest.len(), rest.iter().map(|(_, share)| **share).sum::<f64>())?;
        }
        match counterfactual {
            None => f.write_str("; no change of a few features would make it SAFE"),
            Some(changes) if changes.is_empty() => f.write_str("; the forest says SAFE"),
            Some(changes) => changes.iter().enumerate().try_for_each(|(n, (name, value))| {
                write!(f, "{} {name} were {value}", if n == 0 { "; SAFE if" } else { " and" })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn explanation(counterfactual: Option<BTreeMap<&'static str, f32>>) -> Explanation {
        let contributions =
            [("asks_rate", 0.25), ("ports", 0.125), ("sources", -0.5), ("syn_share", 0.0625), ("targets", 1.0)];
        let contributions = contributions.map(|(name, share)| (name.to_owned(), share)).into();
        let counterfactual =
            counterfactual.map(|all| all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        Explanation(ExplanationView { base: 0.0625, contributions, score: 1.0, counterfactual })
    }

    #[test]
    fn people_are_told_the_greatest_contributions_and_what_would_change_the_vote() {
        let said = |counterfactual| explanation(counterfactual).to_string();
        let sum = "1.000 of the vote is against it: 0.062 for any host, \
            targets +1.000, sources -0.500, asks_rate +0.250, ports +0.125, 1 more +0.062; ";
        assert_eq!(said(None), format!("{sum}no change of a few features would make it SAFE"));
        assert_eq!(said(Some(BTreeMap::new())), format!("{sum}the forest says SAFE"));
        let two = [("ports", 2.5), ("targets", 0.0)].into();
        assert_eq!(said(Some(two)), format!("{sum}SAFE if ports were 2.5 and targets were 0"));
    }

    #[test]
    fn the_keys_stand_behind_those_of_the_line() {
        let line = explanation(Some([("ports", 0.1)].into())).of(BTreeMap::from([("type", "window")]));
        assert_eq!(
            serde_json::to_string(&line).expect("a line"),
            r#"{"type":"window","base":0.0625,"contributions":{"asks_rate":0.25,"ports":0.125,"sources":-0.5,"syn_share":0.0625,"targets":1.0},"score":1.0,"counterfactual":{"ports":0.1}}"#
        );
    }
}
