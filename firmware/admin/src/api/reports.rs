//! Reports on demand: asked for, made in a process of the gateway's, kept for a while, fetched.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::Request;
use protocol::report::ReportAsk;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock::now;
use crate::office::Office;
use crate::problem::Problem;
use crate::reports::{Report, Stage};
use crate::route::{Call, Reply};
use crate::words::plain;

/// A report.
#[derive(Serialize, JsonSchema)]
pub struct ReportRow {
    /// Its number.
    id: u64,
    /// Of which period, and in which form.
    #[serde(flatten)]
    asked: ReportAsk,
    /// `making`, `done` or `failed`.
    state: Stage,
    /// Why it failed.
    why: String,
    /// Its length.
    octets: u64,
    /// When it was asked for.
    created: String,
    /// By whom.
    by: String,
}

/// The longest name of an organisation, in characters.
const ORGANISATION_MAX: usize = 64;

/// Whose network it is, as the settings say.
pub fn organisation(office: &Office) -> String {
    plain(office.settings().value("box.organisation").as_str().unwrap_or_default(), ORGANISATION_MAX)
}

/// A moment as RFC 3339, in seconds since the epoch.
///
/// # Errors
/// 422.
pub fn moment(field: &str, text: &str) -> Result<f64, Problem> {
    let wrong = || Problem::field(field, "takes a time as 2026-11-16T00:00:00Z");
    let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).map_err(|_| wrong())?;
    #[allow(clippy::cast_precision_loss, reason = "microseconds of this millennium stay below 2^53")]
    let secs = (at.unix_timestamp_nanos() / 1_000) as f64 / 1e6;
    Ok(secs)
}

/// `GET reports`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<ReportRow>, Problem> {
    Ok(office.reports().all().map(row).collect())
}

/// `GET reports/{id}`.
pub fn one(office: &Office, call: &Call) -> Result<ReportRow, Problem> {
    let number = call.number("id", "report")?;
    office.reports().get(number).map(row).ok_or_else(|| Problem::missing("report"))
}

/// `POST reports`: answered before it is made.
pub fn make(office: &Arc<Office>, call: &Call, mut asked: ReportAsk) -> Result<ReportRow, Problem> {
    if asked.organisation.chars().count() > ORGANISATION_MAX {
        return Err(Problem::field("organisation", format!("takes at most {ORGANISATION_MAX} characters")));
    }
    if asked.organisation.is_empty() {
        asked.organisation = organisation(office);
    }
    if moment("from", &asked.from)? >= moment("to", &asked.to)? {
        return Err(Problem::field("to", "is not after from: the period has no length"));
    }
    let made = office.reports().begin(asked.clone(), call.caller()?.email.clone(), now())?;
    let mut act = call.act("report.make", made.number.to_string());
    act.after = crate::office::shown(&asked);
    office.record(act)?;
    let (office, number) = (Arc::clone(office), made.number);
    let work = move || {
        let answer = office.ask::<String>(Request::Report(asked)).map_err(|problem| problem.detail);
        let octets = answer.and_then(|text| STANDARD.decode(text).map_err(|error| error.to_string()));
        office.reports().end(office.rows(), number, octets);
    };
    std::thread::Builder::new().name("report".into()).spawn(work).map_err(|error| Problem::busy(error.to_string()))?;
    Ok(row(&made))
}

/// `GET reports/{id}/file`.
pub fn file(office: &Office, call: &Call) -> Result<Reply, Problem> {
    let number = call.number("id", "report")?;
    let reports = office.reports();
    let report = reports.get(number).ok_or_else(|| Problem::missing("report"))?;
    if report.stage != Stage::Done {
        return Err(Problem::conflict("this report is not made"));
    }
    let body = report.read().map_err(|error| Problem::busy(error.to_string()))?;
    let form = report.asked.format;
    let day = |text: &str| text.get(..10).unwrap_or_default().to_owned();
    let name = format!("picket-{}-{}.{}", day(&report.asked.from), day(&report.asked.to), form.as_str());
    Ok(Reply::file(form.kind(), body, name))
}

fn row(report: &Report) -> ReportRow {
    ReportRow {
        id: report.number,
        asked: report.asked.clone(),
        state: report.stage,
        why: report.why.clone(),
        octets: report.octets,
        created: crate::clock::rfc3339(terms::Timestamp::from_micros(report.created)),
        by: report.by.clone(),
    }
}
