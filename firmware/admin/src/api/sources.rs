//! Who sends logs: enrolled sources and plain syslog, with what became of their lines.

use std::collections::BTreeMap;

use protocol::Request;
use protocol::intake::SourceView;
use protocol::source::{Enrolled, Handed, SourceAsk};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::audit::{Act, Who};
use crate::clock::{Moment, now};
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::source::{SOURCES_MAX, Source};
use crate::words::person;

/// One source.
#[derive(Serialize, JsonSchema)]
pub struct SourceRow {
    /// The number of its enrolment, or the address of plain syslog.
    id: String,
    /// What it is called.
    name: String,
    /// `token` for an enrolled one, `unproven` for plain syslog.
    proof: String,
    /// The address that it sends from.
    address: Option<String>,
    /// How it sends: `udp`, `tcp`, `https`.
    transports: Vec<String>,
    /// Whether it is an agent that numbers its lines.
    agent: bool,
    /// Whether an agent has said nothing for longer than it should.
    silent: bool,
    /// Whether it was handed a code and has not fetched its token yet.
    waiting: bool,
    /// Lines that came since the intake was started.
    received: u64,
    /// Lines that are stored.
    stored: u64,
    /// Lines that came and are not stored.
    dropped: u64,
    /// Those, by reason.
    dropped_for: BTreeMap<String, u64>,
    /// Lines of an agent that never came.
    lost: u64,
    /// Connections that were refused.
    refused: u64,
    /// When the first line came since the intake was started.
    first_seen: Option<Moment>,
    /// When the last one came.
    last_seen: Option<Moment>,
    /// When it was enrolled.
    enrolled: Option<String>,
    /// By whom.
    enrolled_by: Option<String>,
}

/// A source that is to be enrolled.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// What it is called, as its host is; no two alike.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// What its host is handed: a token for a shipper, or a code for an agent.
    #[serde(default)]
    with: Handed,
}

/// An agent's code.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// As it was handed out.
    #[schemars(length(min = 1, max = 64))]
    code: String,
}

/// `GET sources`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<SourceRow>, Problem> {
    // Where the intake is off there are the enrolments all the same.
    let views: Vec<SourceView> = office.ask(Request::Sources).unwrap_or_default();
    let sources = office.sources();
    let telling = |number: u64| views.iter().find(|view| view.enrolled == Some(number));
    let enrolled = sources.values().map(|source| SourceRow {
        id: source.number.to_string(),
        name: source.name.clone(),
        waiting: source.waits(),
        enrolled: Some(source.enrolled_at()),
        enrolled_by: Some(source.by.clone()),
        ..row(telling(source.number)
            .cloned()
            .unwrap_or_else(|| SourceView { proof: "token".into(), ..SourceView::default() }))
    });
    let plain = views.iter().filter(|view| view.enrolled.is_none()).cloned().map(row);
    Ok(enrolled.chain(plain).collect())
}

/// `POST sources`.
pub fn enroll(office: &Office, call: &Call, body: NewSource) -> Result<Enrolled, Problem> {
    let by = call.caller()?.email.clone();
    make(office, &body.name, body.with, by, call.act("source.enroll", ""))
}

/// `DELETE sources/{id}`.
pub fn revoke(office: &Office, call: &Call) -> Result<(), Problem> {
    let number = call.number("id", "source")?;
    end(office, number, call.act("source.revoke", ""))
}

/// `POST sources/redeem`: whoever has the code is the host that it was handed to.
pub fn redeem(office: &Office, call: &Call, body: Code) -> Result<Enrolled, Problem> {
    if let Some(secs) = office.gates().redeems.refused(&call.from, now()) {
        return Err(Problem::too_often(secs));
    }
    let mut sources = office.sources();
    let Some(mut source) = sources.values().find(|source| source.opens(&body.code)).cloned() else {
        drop(sources);
        office.gates().redeems.fail(call.from, now());
        office.refused(call.act("source.redeem", ""), "no such code");
        return Err(Problem::new(401, "this code fetches nothing; it works once, for a day"));
    };
    let token = source.token().map_err(|error| Problem::busy(error.to_string()))?;
    let mut change = Change::default();
    change.put(Kind::Source, source.number, &source);
    let mut act = call.act("source.redeem", source.name.clone());
    act.who.name.clone_from(&source.name);
    office.commit(change, act)?;
    let made = Enrolled { id: source.number, name: source.name.clone(), token: Some(token), code: None };
    sources.insert(source.number, source);
    Ok(made)
}

/// What is asked of enrolments at the command line.
///
/// # Errors
/// In words.
pub fn at_the_box(office: &Office, ask: SourceAsk) -> Result<Option<Enrolled>, Problem> {
    let act = |what: &'static str| {
        let who = Who { name: "command line".into(), ..Who::default() };
        Act { who, what: what.into(), ..Act::default() }
    };
    match ask {
        SourceAsk::Enroll { name, with } => {
            make(office, &name, with, "command line".into(), act("source.enroll")).map(Some)
        }
        SourceAsk::Revoke { name } => {
            let found = office.sources().values().find(|source| source.name == name).map(|source| source.number);
            let number = found.ok_or_else(|| Problem::missing("enrolled source"))?;
            end(office, number, act("source.revoke")).map(|()| None)
        }
    }
}

fn make(office: &Office, name: &str, with: Handed, by: String, mut act: Act) -> Result<Enrolled, Problem> {
    let name = person("name", name)?;
    let mut sources = office.sources();
    if sources.values().any(|source| source.name.eq_ignore_ascii_case(&name)) {
        return Err(Problem::conflict("a source of this name is enrolled already; end that first"));
    }
    if sources.len() >= SOURCES_MAX {
        return Err(Problem::conflict(format!("a box enrols {SOURCES_MAX} sources; end one first")));
    }
    // Of the time, so that a number is never used twice.
    let number = sources.last_key_value().map_or(0, |(last, _)| last + 1).max(now().micros());
    let (source, text) = Source::make(number, name, with, by).map_err(|error| Problem::busy(error.to_string()))?;
    let mut change = Change::default();
    change.put(Kind::Source, number, &source);
    (act.on, act.after) = (source.name.clone(), shown(&with));
    office.commit(change, act)?;
    let mut made = Enrolled { id: number, name: source.name.clone(), ..Enrolled::default() };
    match with {
        Handed::Token => made.token = Some(text),
        Handed::Code => made.code = Some(text),
    }
    sources.insert(number, source);
    Ok(made)
}

fn end(office: &Office, number: u64, mut act: Act) -> Result<(), Problem> {
    let mut sources = office.sources();
    let source = sources.get(&number).ok_or_else(|| Problem::missing("enrolled source"))?;
    let mut change = Change::default();
    change.remove(Kind::Source, number);
    act.on.clone_from(&source.name);
    office.commit(change, act)?;
    sources.remove(&number);
    drop(sources);
    // The token holds no more whether or not the intake hears of it.
    let _ = office.ask::<serde_json::Value>(Request::SourceGone { sender: number });
    Ok(())
}

fn row(view: SourceView) -> SourceRow {
    let moment = |secs: f64| (secs > 0.0).then(|| Moment::from(Timestamp::from_secs_f64(secs)));
    let plain = view.enrolled.is_none();
    SourceRow {
        id: view.source.clone(),
        address: if plain { Some(view.source.clone()) } else { view.address },
        name: view.source,
        proof: view.proof,
        transports: view.transports,
        agent: view.agent,
        silent: view.silent,
        waiting: false,
        received: view.received,
        stored: view.stored,
        dropped: view.dropped,
        dropped_for: view.dropped_for,
        lost: view.lost,
        refused: view.refused,
        first_seen: moment(view.first_seen),
        last_seen: moment(view.last_seen),
        enrolled: None,
        enrolled_by: None,
    }
}
