//! The hosts being watched.

use std::collections::BTreeMap;

use protocol::Request;
use protocol::views::{ExplainView, HostView};
use schemars::JsonSchema;
use serde::Serialize;
use terms::HostKey;

use super::activity::EventRow;
use crate::clock::Moment;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// A host.
pub type HostRow = HostView<Moment>;

/// A host with what its level rests on.
#[derive(Serialize, JsonSchema)]
pub struct HostDetail {
    /// The host now.
    host: HostRow,
    /// Since when its habits are learnt.
    learnt_since: Option<Moment>,
    /// Whether they are old enough to be held against it.
    habits_hold: bool,
    /// The most octets that it sent in an hour.
    busiest_hour: u64,
    /// How it administers other hosts.
    administers_by: Vec<String>,
    /// How it lets the internet in.
    exposed_by: Vec<String>,
    /// Its block: why.
    blocked: Option<String>,
    /// Until when.
    blocked_until: Option<Moment>,
    /// Of the last day, how many minutes it was at each level.
    minutes: BTreeMap<String, u32>,
    /// The newest events about it, oldest first.
    events: Vec<EventRow>,
}

/// `GET hosts`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<HostRow>, Problem> {
    office.ask(Request::Hosts)
}

/// `GET hosts/{host}`.
pub fn one(office: &Office, call: &Call) -> Result<HostDetail, Problem> {
    let host = key(call)?;
    let view: ExplainView<Moment> = office.ask(Request::Explain { host }).map_err(|problem| match problem.status {
        409 => Problem::missing("host"),
        _ => problem,
    })?;
    let learnt = view.baseline.unwrap_or_default();
    Ok(HostDetail {
        host: view.host,
        learnt_since: (learnt.since > Moment::default()).then_some(learnt.since),
        habits_hold: learnt.holds,
        busiest_hour: learnt.busiest_hour,
        administers_by: learnt.administers_by,
        exposed_by: learnt.exposed_by,
        blocked_until: view.blocked.as_ref().map(|blocked| blocked.until),
        blocked: view.blocked.map(|blocked| blocked.why),
        minutes: view.minutes,
        events: view.events,
    })
}

/// The host in the path.
///
/// # Errors
/// It is no address, so there is no such host.
pub fn key(call: &Call) -> Result<HostKey, Problem> {
    call.text("host").parse().map_err(|_| Problem::missing("host"))
}
