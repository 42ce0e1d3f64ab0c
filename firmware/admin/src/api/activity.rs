//! What was found and done: the gateway's events.

use protocol::views::{EventPage, EventView};
use protocol::{EventsWanted, Request};
use terms::{BlockState, Family, HostKey, ThreatLevel};

use super::devices::own_addresses;
use crate::clock::Moment;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::{Call, Page, keyset};

/// Something found or done.
pub type EventRow = EventView<Moment>;

/// `GET activity`.
pub fn all(office: &Office, call: &Call) -> Result<Page<EventRow>, Problem> {
    let among = own_addresses(office, call)?;
    page(office, call, &["host", "state"], EventsWanted { among, ..EventsWanted::default() })
}

/// A page of the events that are wanted, and are as the parameters say; newest first.
pub fn page(office: &Office, call: &Call, fields: &[&str], wanted: EventsWanted) -> Result<Page<EventRow>, Problem> {
    let (limit, before) = keyset(call, fields)?;
    // No event is of a word that does not exist.
    let Some(wanted) = narrowed(call, wanted) else { return Ok(Page { items: Vec::new(), before: None }) };
    let limit = u32::try_from(limit).unwrap_or(1);
    let page: EventPage<Moment> = office.ask(Request::EventsBefore { before, limit, wanted })?;
    Ok(Page { items: page.events.into_iter().rev().collect(), before: page.next })
}

/// What is wanted, narrowed by the parameters; nothing where one of them is no word for what it names.
fn narrowed(call: &Call, wanted: EventsWanted) -> Option<EventsWanted> {
    let host = call.parameter("host").map(str::parse::<HostKey>).transpose().ok()?;
    let state = word(call, "state", &BlockState::ALL, BlockState::as_str)?;
    let level = word(call, "level", &ThreatLevel::ALL, ThreatLevel::as_str)?;
    let family = word(call, "family", Family::ALL, Family::as_str)?;
    Some(EventsWanted { host, state, level, family, ..wanted })
}

/// The value that a parameter names, whatever the size of its letters.
fn word<T: Copy>(call: &Call, name: &str, all: &[T], text: fn(T) -> &'static str) -> Option<Option<T>> {
    let Some(asked) = call.parameter(name) else { return Some(None) };
    all.iter().copied().find(|one| text(*one).eq_ignore_ascii_case(asked)).map(Some)
}
