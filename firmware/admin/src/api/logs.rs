//! Hosts' own logs: what enrolled sources tell, and what is stored of all of them.

use protocol::Request;
use protocol::intake::{ActivityAsk, ActivityView, BATCH_MAX, LogsBatch, LogsTaken, SubjectView};
use schemars::JsonSchema;
use serde::Serialize;
use terms::Timestamp;

use crate::clock::Moment;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::{Call, Page, keyset};

/// The parameters of the list beside its pages.
pub const FIELDS: [&str; 6] = ["text", "subject", "device", "action", "since", "until"];

/// One thing that a host says was done.
#[derive(Serialize, JsonSchema)]
pub struct LogRow {
    /// When it came.
    at: Moment,
    /// When it was, as its source claims.
    claimed: Option<Moment>,
    /// The record.
    #[serde(flatten)]
    record: Record,
}

/// The rest of a record.
#[derive(Serialize, JsonSchema)]
pub struct Record {
    /// Its number, counting up.
    id: u64,
    /// The address that it came from.
    source: String,
    /// The host: of an enrolled source its name, else what it claims.
    device: String,
    /// The account that did it.
    subject: String,
    /// What was done.
    action: String,
    /// To what or whom.
    object: String,
    /// `done`, `failed` or `unknown`.
    result: String,
    /// From which address it was done.
    address: Option<String>,
    /// What speaks for it: `token`, or `unproven` for plain syslog.
    proof: String,
    /// The program that says it.
    program: String,
    /// The message.
    text: String,
}

/// An account that hosts told of.
pub type SubjectRow = SubjectView<Moment>;

/// `POST logs`.
pub fn take(office: &Office, call: &Call) -> Result<LogsTaken, Problem> {
    let telling = call.telling.as_ref().ok_or_else(Problem::unknown)?;
    let text = String::from_utf8(call.octets.clone()).map_err(|_| Problem::malformed("the body is no UTF-8"))?;
    // One batch at a time is on its way to the intake, so that sources together hold no more than one; others come again.
    let Ok(_turn) = office.batches().try_lock() else {
        return Err(Problem {
            retry_after: Some(1),
            ..Problem::busy("another batch is just being stored; tell it again")
        });
    };
    debug_assert!(text.len() <= BATCH_MAX, "the route has this bound");
    let batch = LogsBatch { sender: telling.number, name: telling.name.clone(), from: call.from.to_canonical(), text };
    office.ask(Request::Logs(Box::new(batch))).map_err(|problem| Problem::busy(problem.detail))
}

/// `GET logs`: newest first.
pub fn all(office: &Office, call: &Call) -> Result<Page<LogRow>, Problem> {
    let (limit, before) = keyset(call, &FIELDS)?;
    let word = |name: &str| call.parameter(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let moment = |name: &'static str| word(name).map(|text| super::reports::moment(name, &text)).transpose();
    let ask = ActivityAsk {
        text: word("text"),
        subject: word("subject"),
        device: word("device"),
        action: word("action"),
        since: moment("since")?,
        until: moment("until")?,
        before,
        limit: u32::try_from(limit).unwrap_or(1),
    };
    let views: Vec<ActivityView> = office.ask(Request::Activity(ask))?;
    let before = views.first().filter(|_| views.len() == limit).map(|first| first.id);
    Ok(Page { items: views.into_iter().rev().map(row).collect(), before })
}

/// `GET subjects`.
pub fn subjects(office: &Office, _: &Call) -> Result<Vec<SubjectRow>, Problem> {
    office.ask(Request::Subjects)
}

fn row(view: ActivityView) -> LogRow {
    let moment = |secs: f64| Moment::from(Timestamp::from_secs_f64(secs));
    LogRow {
        at: moment(view.at),
        claimed: view.claimed.map(moment),
        record: Record {
            id: view.id,
            source: view.source,
            device: view.device,
            subject: view.subject,
            action: view.action,
            object: view.object,
            result: view.result,
            address: view.address,
            proof: view.proof,
            program: view.program,
            text: view.text,
        },
    }
}
