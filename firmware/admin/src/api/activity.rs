//! What was found and done: the gateway's events.

use protocol::Request;
use protocol::views::EventView;

use super::devices::own_addresses;
use crate::clock::Moment;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::{Call, Page, keyset};

/// How many events are looked through for one page.
const LOOKED_AT: usize = 2_000;
/// How many are asked for at a time.
const ASKED: u32 = 200;

/// Something found or done.
pub type EventRow = EventView<Moment>;

/// `GET activity`.
pub fn all(office: &Office, call: &Call) -> Result<Page<EventRow>, Problem> {
    let own = own_addresses(office, call)?;
    page(office, call, &["host", "state"], |event| {
        own.as_ref()
            .is_none_or(|own| own.contains(&event.host) || event.mac.as_ref().is_some_and(|mac| own.contains(mac)))
    })
}

/// A page of the events that are wanted, newest first.
pub fn page(
    office: &Office,
    call: &Call,
    fields: &[&str],
    wanted: impl Fn(&EventRow) -> bool,
) -> Result<Page<EventRow>, Problem> {
    let (limit, mut before) = keyset(call, fields)?;
    let like = |name: &str, value: &str| call.parameter(name).is_none_or(|asked| asked.eq_ignore_ascii_case(value));
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let events: Vec<EventRow> = office.ask(Request::EventsBefore { before, limit: ASKED })?;
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
                items.push(event);
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
