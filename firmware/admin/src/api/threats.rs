//! The threat log.

use std::collections::BTreeMap;

use protocol::views::{EventDetail, FeedbackView, FrameView};
use protocol::{EventsWanted, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::activity::{EventRow, page};
use crate::clock::Moment;
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::{Call, Page};

/// The longest that a false alarm is quiet. **Units**: seconds.
const QUIET_MAX: u64 = 365 * 86_400;

/// A threat with what it rests on.
#[derive(Serialize, JsonSchema)]
pub struct ThreatDetail {
    /// The threat.
    #[serde(flatten)]
    event: EventRow,
    /// The host's features at that moment, by name.
    features: BTreeMap<String, f64>,
    /// The first frames that it counted.
    frames: Vec<FrameView<Moment>>,
}

/// What is said of a threat.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// Whether it was right; else it was a false alarm.
    right: bool,
    /// For how many seconds a false alarm quiets its family for its host; 30 days where nothing is said.
    #[schemars(range(min = 1, max = 31_536_000))]
    for_secs: Option<u64>,
}

/// What was said of a threat.
pub type Judged = FeedbackView<Moment>;

/// `GET threats`.
pub fn all(office: &Office, call: &Call) -> Result<Page<EventRow>, Problem> {
    page(office, call, &["host", "level", "family"], EventsWanted { threats: true, ..EventsWanted::default() })
}

/// `GET threats/{id}`.
pub fn one(office: &Office, call: &Call) -> Result<ThreatDetail, Problem> {
    let EventDetail { event, features, frames } = detail(office, call)?;
    Ok(ThreatDetail { event, features, frames })
}

/// `GET threats/{id}/pcap`: as text, since what a browser downloads it may open.
pub fn pcap(office: &Office, call: &Call) -> Result<String, Problem> {
    let mut text = header();
    for frame in detail(office, call)?.frames {
        let micros = frame.at.micros();
        let kept = u32::try_from(frame.octets.len() / 2).unwrap_or(0);
        let numbers = [
            u32::try_from(micros / 1_000_000).unwrap_or(u32::MAX),
            u32::try_from(micros % 1_000_000).unwrap_or(0),
            kept,
            frame.len,
        ];
        numbers.iter().for_each(|number| text.push_str(&crate::secret::hex(&number.to_le_bytes())));
        text.push_str(&frame.octets);
    }
    Ok(text + "\n")
}

/// The head of a pcap file: microseconds, version 2.4, frames of at most 65,535 octets, Ethernet.
fn header() -> String {
    let mut octets = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    octets.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    crate::secret::hex(&octets)
}

/// `POST threats/{id}/feedback`.
pub fn judge(office: &Office, call: &Call, body: Judgement) -> Result<Judged, Problem> {
    let id = call.number("id", "threat")?;
    let for_secs = body.for_secs.unwrap_or(30 * 86_400);
    if !(1..=QUIET_MAX).contains(&for_secs) {
        return Err(Problem::field("for_secs", format!("takes 1 to {QUIET_MAX}")));
    }
    say(office, call, id, body.right, for_secs)
}

/// Says of an event that it was right or not.
pub fn say(office: &Office, call: &Call, id: u64, right: bool, for_secs: u64) -> Result<Judged, Problem> {
    let said: Judged = office.ask(Request::Feedback { id, right, for_secs }).map_err(missing)?;
    let mut act = call.act("threat.feedback", id.to_string());
    (act.why, act.after) = (said.verdict.clone(), shown(&(&said.host, &said.family)));
    office.record(act)?;
    Ok(said)
}

/// `DELETE threats/{id}/feedback`.
pub fn unsay(office: &Office, call: &Call) -> Result<(), Problem> {
    let id = call.number("id", "threat")?;
    office.ask::<Judged>(Request::Unsay { id }).map_err(missing)?;
    office.record(call.act("threat.feedback.undo", id.to_string()))
}

fn detail(office: &Office, call: &Call) -> Result<EventDetail<Moment>, Problem> {
    let id = call.number("id", "threat")?;
    office.ask(Request::Event { id }).map_err(missing)
}

/// The gateway refuses what it does not have.
fn missing(problem: Problem) -> Problem {
    if problem.status == 409 { Problem { detail: problem.detail, ..Problem::missing("threat") } } else { problem }
}
