//! Totals: what a person wants to see first.

use std::collections::BTreeMap;

use protocol::views::{EventPage, StatusView};
use protocol::{EventsWanted, Request};
use schemars::JsonSchema;
use serde::Serialize;

use super::hosts::HostRow;
use crate::clock::Moment;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// The worst hosts that are shown.
const WORST: usize = 10;
/// The newest events that are counted.
const EVENTS: u32 = 500;

/// Totals.
#[derive(Serialize, JsonSchema)]
pub struct Totals {
    /// Frames inspected.
    frames: u64,
    /// Octets inspected.
    octets: u64,
    /// Frames that were forwarded without having been inspected.
    not_inspected: u64,
    /// Hosts by level.
    hosts: BTreeMap<String, u64>,
    /// Hosts by side.
    sides: BTreeMap<String, u64>,
    /// Findings since the gateway started.
    findings: u64,
    /// Blocks in force.
    blocks: u64,
    /// Frames that the kernel dropped for the blocks, by counter.
    dropped: BTreeMap<String, u64>,
    /// Of the newest 500 events, how many of each family.
    families: BTreeMap<String, u64>,
    /// The hosts with the most evidence against them, worst first.
    worst: Vec<HostRow>,
    /// The hosts that sent most, largest first.
    busiest: Vec<HostRow>,
}

/// `GET statistics`.
pub fn now(office: &Office, _: &Call) -> Result<Totals, Problem> {
    let status: StatusView = office.ask(Request::Status)?;
    let hosts: Vec<HostRow> = office.ask(Request::Hosts)?;
    let ask = Request::EventsBefore { before: None, limit: EVENTS, wanted: EventsWanted::default() };
    let events = office.ask::<EventPage<Moment>>(ask)?.events;
    let count = |names: &mut dyn Iterator<Item = String>| {
        let mut counted = BTreeMap::new();
        names.for_each(|name| *counted.entry(name).or_insert(0) += 1);
        counted
    };
    let mut by_octets: Vec<&HostRow> = hosts.iter().collect();
    by_octets.sort_by_key(|host| std::cmp::Reverse(host.octets));
    Ok(Totals {
        frames: status.frames,
        octets: status.octets,
        not_inspected: status.dropped,
        findings: status.findings,
        blocks: status.blocks,
        dropped: status.blocked_frames,
        families: count(&mut events.iter().filter_map(|event| event.family.clone())),
        busiest: by_octets.into_iter().take(WORST).cloned().collect(),
        worst: hosts.iter().filter(|host| host.score > 0.0).take(WORST).cloned().collect(),
        sides: count(&mut hosts.iter().map(|host| host.side.clone())),
        hosts: count(&mut hosts.iter().map(|host| host.level.clone())),
    })
}
