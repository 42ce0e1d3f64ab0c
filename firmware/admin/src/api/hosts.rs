//! The hosts being watched.

use std::collections::BTreeMap;

use protocol::Request;
use protocol::views::{ExplainView, HostView};
use schemars::JsonSchema;
use serde::Serialize;
use terms::HostKey;

use super::activity::EventRow;
use crate::clock::of_secs;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// A host.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HostRow {
    /// Its IP address, or its hardware address where it has none.
    pub host: String,
    /// Its hardware address.
    pub mac: Option<String>,
    /// `lan` or `uplink`.
    pub side: String,
    /// `SAFE`, `MEDIUM` or `HIGH`.
    pub level: String,
    /// What it is suspected of.
    pub family: Option<String>,
    /// How sure that is, from 0 to 1.
    pub confidence: f64,
    /// The evidence against it that has not faded.
    pub score: f64,
    /// Its first frame.
    pub first_seen: String,
    /// Its newest frame.
    pub last_seen: String,
    /// Frames from it.
    pub frames: u64,
    /// Octets from it.
    pub octets: u64,
}

impl From<HostView> for HostRow {
    fn from(view: HostView) -> Self {
        let HostView { host, mac, side, level, family, confidence, score, first_seen, last_seen, frames, octets } =
            view;
        let (first_seen, last_seen) = (of_secs(first_seen), of_secs(last_seen));
        Self { host, mac, side, level, family, confidence, score, first_seen, last_seen, frames, octets }
    }
}

/// A host with what its level rests on.
#[derive(Serialize, JsonSchema)]
pub struct HostDetail {
    /// The host now.
    host: HostRow,
    /// Since when its habits are learnt.
    learnt_since: Option<String>,
    /// Whether they are old enough to be held against it.
    habits_hold: bool,
    /// The most octets that it sent in an hour.
    busiest_hour: u64,
    /// How it administers other hosts.
    administers_by: Vec<String>,
    /// Its block: why.
    blocked: Option<String>,
    /// Until when.
    blocked_until: Option<String>,
    /// Of the last day, how many minutes it was at each level.
    minutes: BTreeMap<String, u32>,
    /// The newest events about it, oldest first.
    events: Vec<EventRow>,
}

/// `GET hosts`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<HostRow>, Problem> {
    Ok(office.ask::<Vec<HostView>>(Request::Hosts)?.into_iter().map(HostRow::from).collect())
}

/// `GET hosts/{host}`.
pub fn one(office: &Office, call: &Call) -> Result<HostDetail, Problem> {
    let host = key(call)?;
    let view: ExplainView = office.ask(Request::Explain { host }).map_err(|problem| match problem.status {
        409 => Problem::missing("host"),
        _ => problem,
    })?;
    let learnt = view.baseline.unwrap_or_default();
    Ok(HostDetail {
        host: view.host.into(),
        learnt_since: (learnt.since > 0.0).then(|| of_secs(learnt.since)),
        habits_hold: learnt.holds,
        busiest_hour: learnt.busiest_hour,
        administers_by: learnt.administers_by,
        blocked_until: view.blocked.as_ref().map(|blocked| of_secs(blocked.until)),
        blocked: view.blocked.map(|blocked| blocked.why),
        minutes: view.minutes,
        events: view.events.into_iter().map(EventRow::from).collect(),
    })
}

/// The host in the path.
///
/// # Errors
/// It is no address, so there is no such host.
pub fn key(call: &Call) -> Result<HostKey, Problem> {
    call.text("host").parse().map_err(|_| Problem::missing("host"))
}
