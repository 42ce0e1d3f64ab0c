//! What a ping pays for the start, the reload and the end of the gateway, over the plain bridge.

use anyhow::{Context, Result};

use super::Plan;
use super::row::{Goal, Row};
use crate::pings::{Round, added_p99};
use crate::site::Site;

/// Series of which the best counts: a busy machine adds to some.
const SERIES: u32 = 3;

/// Measures the 99th percentile with and without.
///
/// # Errors
/// When the lab can't be built or no ping is answered.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let site = Site::build(false)?;
    let rounds = added_p99(site.network(), site.folder(), SERIES)?;
    let added: Vec<f64> = rounds.iter().map(Round::added_p99).collect();
    plan.told("ping, ms added", SERIES, &added);
    let best = added.into_iter().min_by(f64::total_cmp).context("no series of pings")?;
    let what = "99th percentile of a 1 kHz ping, added by start, reload and stop, best of 3";
    Ok(vec![Row::new(what, "ms", vec![best], None, Goal::AtMost(1.0))])
}
