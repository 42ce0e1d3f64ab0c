//! The audit, for those who oversee.

use protocol::link::Head;
use schemars::JsonSchema;
use serde::Serialize;

use crate::audit::Record;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::{Call, Page, keyset};

/// How the audit stands.
#[derive(Serialize, JsonSchema)]
pub struct State {
    /// The number of the newest record.
    records: u64,
    /// Its hash.
    head: String,
    /// The key that exports are signed with, hexadecimal.
    key: String,
}

/// `GET audit`.
pub fn all(office: &Office, call: &Call) -> Result<Page<Record>, Problem> {
    let (limit, before) = keyset(call, &[])?;
    let lines = office.rows().lines_before(before.unwrap_or(u64::MAX), limit);
    let lines = lines.map_err(|error| Problem::busy(error.to_string()))?;
    let before = lines.last().map(|(number, _)| *number).filter(|number| lines.len() == limit && *number > 1);
    // A line that is no record is a break, which is told when the audit is opened.
    Ok(Page { items: lines.iter().filter_map(|(_, line)| serde_json::from_str(line).ok()).collect(), before })
}

/// `GET audit/state`.
pub fn state(office: &Office, _: &Call) -> Result<State, Problem> {
    let Head { number, hash } = office.audit().head();
    Ok(State { records: number, head: hash, key: office.audit().public() })
}

/// What reading the whole audit again told.
#[derive(Serialize, JsonSchema)]
pub struct Verdict {
    /// How many records were read.
    records: u64,
    /// Whether each follows from the one before it, up to the newest.
    whole: bool,
    /// The number of the first that does not.
    broken_at: Option<u64>,
    /// Why it does not.
    why: Option<String>,
}

/// `GET audit/verify`.
pub fn verify(office: &Office, _: &Call) -> Result<Verdict, Problem> {
    let records = office.audit().head().number;
    let broken = office.read_audit().map_err(|error| Problem::busy(error.to_string()))?;
    let (broken_at, why) = broken.map(|broken| (broken.number, broken.why)).unzip();
    Ok(Verdict { records, whole: broken_at.is_none(), broken_at, why })
}
