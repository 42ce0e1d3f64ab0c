//! What moves the forest's vote.

use std::collections::BTreeMap;

use detect::forest::Forest;
use terms::ThreatLevel;

use crate::rows::Rows;

/// Features that are told.
const TOLD: usize = 15;

/// The features that explanations of threats name most often, with their share of what was moved.
#[must_use]
pub fn moved(rows: &Rows, forest: &Forest<'_>) -> Vec<(String, f64)> {
    let mut named: BTreeMap<usize, f32> = BTreeMap::new();
    for row in rows.rows.iter().filter(|r| r.level != ThreatLevel::Safe) {
        for moved in forest.explain(&row.vector).iter().flatten().filter(|m| m.share > 0.0) {
            *named.entry(moved.feature).or_default() += moved.share;
        }
    }
    let mut order: Vec<(usize, f32)> = named.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let sum: f32 = order.iter().map(|o| o.1).sum();
    let name = |feature: usize| rows.schema.names.get(feature).cloned().unwrap_or_else(|| "?".into());
    order.into_iter().take(TOLD).map(|(f, share)| (name(f), f64::from(share / sum.max(f32::MIN_POSITIVE)))).collect()
}
