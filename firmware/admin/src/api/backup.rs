//! Backup: the whole box in one sealed file, and back from it.

use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::Request;
use protocol::views::PolicyView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::audit::{Act, chain};
use crate::backup::{FILE_MAX, Kept, Line, Writer, open};
use crate::clock::{Moment, now};
use crate::office::{AUDIT_KEY, Office};
use crate::password::LENGTH;
use crate::people::NUMBERS;
use crate::problem::Problem;
use crate::role::Role;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::settings;
use crate::token::Token;

/// The longest body with a backup: base 64 is a third longer.
pub const BODY_MAX: usize = FILE_MAX / 3 * 4 + (16 << 10);
/// Rows that are one of a kind and belong to the box's people, not to this machine.
const SINGLES: [u64; 3] = [NUMBERS, AUDIT_KEY, settings::ROW];
/// How many audit lines are read at a time.
const PAGE: usize = 500;
/// How long the answer to a restore may need before the API starts again with what was restored.
const ANSWERED: Duration = Duration::from_millis(700);

/// What seals a backup.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Passphrase {
    /// Without it nobody opens the file again, and nobody can give it back.
    #[schemars(length(min = 12, max = 256))]
    passphrase: String,
}

/// A backup.
#[derive(Serialize, JsonSchema)]
pub struct Backup {
    /// When it was made.
    at: Moment,
    /// The newest audit record in it.
    records: u64,
    /// The file, base 64.
    backup: String,
}

/// `POST backup`.
pub fn make(office: &Office, call: &Call, body: Passphrase) -> Result<Backup, Problem> {
    let length = body.passphrase.chars().count();
    if !(LENGTH.0..=LENGTH.1).contains(&length) {
        return Err(Problem::field("passphrase", format!("takes {} to {} characters", LENGTH.0, LENGTH.1)));
    }
    // First, so that the backup says of itself that it was made.
    office.record(call.act("backup.make", "box"))?;
    let busy = |error: crate::rows::RowsError| Problem::busy(error.to_string());
    let mut writer = Writer::new();
    let policy: PolicyView = office.ask(Request::Policy)?;
    writer.line(&Line::Policy(policy.text))?;
    for device in office.ask::<Vec<Value>>(Request::DevicesKept)? {
        writer.line(&Line::Device(Box::new(device)))?;
    }
    for kept in [Kept::Account, Kept::Token] {
        for (number, row) in office.rows().all::<Value>(kept.into()).map_err(busy)? {
            writer.line(&Line::Row(kept, number, row))?;
        }
    }
    for number in SINGLES {
        if let Some(row) = office.rows().get::<Value>(Kind::Single, number).map_err(busy)? {
            writer.line(&Line::Row(Kept::Single, number, row))?;
        }
    }
    let (mut records, last) = (0, office.audit().head().number);
    while records < last {
        let lines = office.rows().lines(records + 1, PAGE).map_err(busy)?;
        let Some((newest, _)) = lines.last() else { break };
        records = *newest;
        lines.into_iter().try_for_each(|(_, line)| writer.line(&Line::Audit(line)))?;
    }
    let file = writer.seal(&office.hasher, &body.passphrase)?;
    Ok(Backup { at: Moment::from(now()), records, backup: STANDARD.encode(file) })
}

/// A backup to go back to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// What seals it.
    #[schemars(length(min = 1, max = 256))]
    passphrase: String,
    /// The file, base 64.
    #[schemars(length(min = 1))]
    backup: String,
}

/// What was restored.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Restored {
    /// Accounts.
    accounts: u64,
    /// Devices.
    devices: u64,
    /// Audit records.
    records: u64,
    /// What comes next.
    next: &'static str,
}

/// A backup that was read whole, before anything of it counts.
#[derive(Default)]
struct Read {
    policy: String,
    devices: Vec<Value>,
    rows: Vec<(Kept, u64, Value)>,
    audit: Vec<String>,
}

/// `POST backup/restore`: everything of this box's people is replaced; all sessions end, and the API starts again.
pub fn restore(office: &Office, call: &Call, body: Restore) -> Result<Restored, Problem> {
    let refused = |problem: Problem| {
        office.refused(call.act("backup.restore", "box"), &problem.detail);
        problem
    };
    let file = STANDARD.decode(&body.backup).map_err(|_| refused(Problem::field("backup", "is not base 64")))?;
    let read = open(&office.hasher, &body.passphrase, file).and_then(read).map_err(refused)?;
    let author = call.caller()?.email.clone();
    let restored = Restored {
        accounts: read.rows.iter().filter(|(kept, ..)| *kept == Kept::Account).count() as u64,
        devices: read.devices.len() as u64,
        records: read.audit.len() as u64,
        next: "log in again, with an account of the backup",
    };
    // What may be refused comes first: a policy while another is on trial.
    let (why, text) = ("restored from a backup".to_owned(), read.policy);
    let apply = Request::PolicyApply { text, within_secs: None, author, why, force: true, if_version: None };
    office.ask::<PolicyView>(apply).map_err(refused)?;
    office.ask::<u64>(Request::DevicesReplace { devices: read.devices }).map_err(refused)?;
    let mut change = Change::default();
    for kind in [Kind::Account, Kind::Token, Kind::Session, Kind::Draft] {
        let there = office.rows().all::<Value>(kind).map_err(|error| Problem::busy(error.to_string()))?;
        there.iter().for_each(|(number, _)| change.remove(kind, *number));
    }
    for (kept, number, row) in &read.rows {
        change.put((*kept).into(), *number, row);
    }
    let act = Act { why: format!("{} records", restored.records), ..call.act("backup.restore", "box") };
    office.replace_audit(change, &read.audit, act)?;
    thread::spawn(|| {
        thread::sleep(ANSWERED);
        tracing::warn!("a backup was restored; the API starts again with it");
        std::process::exit(0);
    });
    Ok(restored)
}

/// Sorts the lines, and refuses what this box could not live with.
fn read(lines: Vec<Line>) -> Result<Read, Problem> {
    let mut read = Read::default();
    for line in lines {
        match line {
            Line::Policy(text) => read.policy = text,
            Line::Device(device) => read.devices.push(*device),
            Line::Row(kept, number, row) => read.rows.push((kept, number, row)),
            Line::Audit(line) => read.audit.push(line),
            Line::End(_) => {}
        }
    }
    let wrong = |what: &str| Problem::field("backup", what);
    let mut owner = false;
    for (kept, number, row) in &read.rows {
        match kept {
            Kept::Account => {
                let account: Account =
                    serde_json::from_value(row.clone()).map_err(|_| wrong("holds an account that is none"))?;
                owner |= account.role == Role::Superadmin && account.active && account.hash.is_some();
            }
            Kept::Token => {
                drop(serde_json::from_value::<Token>(row.clone()).map_err(|_| wrong("holds a token that is none"))?)
            }
            Kept::Single if SINGLES.contains(number) => {}
            Kept::Single => return Err(wrong("holds a row that no backup does")),
        }
    }
    if !owner {
        return Err(wrong("holds no superadmin who could log in"));
    }
    policy::text::read(&read.policy).map_err(|faults| wrong(&super::policy::told(&faults)))?;
    chain(&read.audit)?;
    Ok(read)
}
