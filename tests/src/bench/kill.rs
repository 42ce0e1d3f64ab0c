//! Frames lost while the gateway is killed again and again: the fault test of the gate, at its full length.

use anyhow::{Context, Result, ensure};

use super::Plan;
use super::row::{Goal, Row};
use crate::faults::{Round, killed_under_load};
use crate::site::Site;

/// Kills it as often as planned; a lost frame is an error of the test itself, so the figure is what is left to tell.
///
/// # Errors
/// When a promise of the fault test is broken for another reason than lost frames.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let site = Site::build(false)?;
    let Round { kills, sent, received, .. } = killed_under_load(site.network(), site.folder(), plan.kills)?;
    ensure!(kills == plan.kills, "{kills} of {} kills were made", plan.kills);
    let lost = sent.checked_sub(received).context("more frames arrived than were sent")?;
    let kills = if kills == 1_000 { "1,000".to_owned() } else { kills.to_string() };
    let what = format!("frames lost in {kills} kills");
    Ok(vec![Row::new(&what, "frames", vec![lost as f64], None, Goal::AtMost(0.0))])
}
