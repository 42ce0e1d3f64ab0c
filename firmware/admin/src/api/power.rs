//! The gateway started again, the box switched off, and whom to tell of its weaknesses.

use protocol::Request;
use schemars::JsonSchema;
use serde::Serialize;
use terms::{Span, Timestamp};

use super::policy::{Why, reason};
use crate::clock::{now, rfc3339};
use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// For how long what `security.txt` says is to be believed. **Source**: RFC 9116, 2.5.5: less than a year.
const EXPIRES: Span = Span::from_secs(180 * 86_400);

/// What is going to happen.
#[derive(Serialize, JsonSchema)]
pub struct Ending {
    /// In words.
    what: &'static str,
}

/// `POST system/restart`: the record is there before it is done. Traffic crosses meanwhile, under the last ruleset.
pub fn restart(office: &Office, call: &Call, body: Why) -> Result<Ending, Problem> {
    let mut act = call.act("system.restart", "gateway");
    act.why = reason(&body.why);
    office.record(act)?;
    office.ask::<()>(Request::Restart)?;
    Ok(Ending { what: "the gateway starts again within seconds; the bridge forwards on under the last ruleset" })
}

/// `POST system/shutdown`: the record is there before it is done; refused where the box cannot switch itself off.
pub fn shutdown(office: &Office, call: &Call, body: Why) -> Result<Ending, Problem> {
    let mut act = call.act("system.shutdown", "box");
    act.why = reason(&body.why);
    if let Err(problem) = office.ask::<()>(Request::Shutdown { sure: false }) {
        office.refused(act, &problem.detail);
        return Err(problem);
    }
    office.record(act)?;
    office.ask::<()>(Request::Shutdown { sure: true })?;
    Ok(Ending { what: "the box switches itself off; no traffic crosses it until somebody switches it on again" })
}

/// `GET /.well-known/security.txt`.
pub fn security(office: &Office, _: &Call) -> Result<String, Problem> {
    let contact = office.settings().value("security.contact");
    let contact = match contact.as_str().unwrap_or_default() {
        "" => "# Nobody is named yet: an admin sets security.contact.".into(),
        contact => format!("Contact: {contact}"),
    };
    // To the hour, so that asking twice tells nothing of the clock.
    let until = (now().secs() + EXPIRES.secs()) / 3_600 * 3_600;
    Ok(format!("{contact}\nExpires: {}\nPreferred-Languages: en, de\n", rfc3339(Timestamp::from_secs(until))))
}
