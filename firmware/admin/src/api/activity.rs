//! What was found and done: the gateway's events.

use std::collections::BTreeMap;

use protocol::Request;
use protocol::views::EventView;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::of_secs;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::{Call, Page, keyset};

/// How many events are looked through for one page.
const LOOKED_AT: usize = 2_000;
/// How many are asked for at a time.
const ASKED: u32 = 200;

/// Something found or done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EventRow {
    /// Its number, counting up.
    pub id: u64,
    /// When.
    pub at: String,
    /// The host that it is about.
    pub host: String,
    /// Its hardware address.
    pub mac: Option<String>,
    /// `lan`, `uplink` or `unknown`.
    pub side: String,
    /// `observed`, `would block`, `blocked` or `confirmed`.
    pub state: String,
    /// `SAFE`, `MEDIUM` or `HIGH`.
    pub level: String,
    /// What it was found to do.
    pub family: Option<String>,
    /// Who found it.
    pub detector: String,
    /// How sure that is, from 0 to 1.
    pub confidence: f64,
    /// In words.
    pub why: String,
    /// The numbers that it rests on.
    pub evidence: BTreeMap<String, f64>,
}

impl From<EventView> for EventRow {
    fn from(view: EventView) -> Self {
        let EventView { id, at, host, mac, side, state, level, family, detector, confidence, why, evidence } = view;
        Self { id, at: of_secs(at), host, mac, side, state, level, family, detector, confidence, why, evidence }
    }
}

/// `GET activity`.
pub fn all(office: &Office, call: &Call) -> Result<Page<EventRow>, Problem> {
    page(office, call, &["host", "state"], |_| true)
}

/// A page of the events that are wanted, newest first.
pub fn page(
    office: &Office,
    call: &Call,
    fields: &[&str],
    wanted: impl Fn(&EventView) -> bool,
) -> Result<Page<EventRow>, Problem> {
    let (limit, mut before) = keyset(call, fields)?;
    let like = |name: &str, value: &str| call.parameter(name).is_none_or(|asked| asked.eq_ignore_ascii_case(value));
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let events: Vec<EventView> = office.ask(Request::EventsBefore { before, limit: ASKED })?;
        let all = events.len() < ASKED as usize;
        for event in events.into_iter().rev() {
            before = Some(event.id);
            looked_at += 1;
            let named = event.host.eq_ignore_ascii_case(call.parameter("host").unwrap_or(&event.host))
                || event.mac.as_deref().is_some_and(|mac| call.parameter("host") == Some(mac));
            if wanted(&event)
                && named
                && like("state", &event.state)
                && like("level", &event.level)
                && like("family", event.family.as_deref().unwrap_or(""))
            {
                items.push(EventRow::from(event));
                if items.len() == limit {
                    return Ok(Page { items, before });
                }
            }
        }
        if all {
            return Ok(Page { items, before: None });
        }
        if looked_at >= LOOKED_AT {
            return Ok(Page { items, before });
        }
    }
}
