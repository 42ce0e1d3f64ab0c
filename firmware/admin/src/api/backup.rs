//! Backup: the whole box in one sealed file, and back from it.

mod gateway;

use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::Request;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::Access;
use crate::account::Account;
use crate::audit::{Act, chain};
use crate::backup::{FILE_MAX, Line, Writer, open};
use crate::clock::{Moment, now};
use crate::incident::Incident;
use crate::notice::Channel;
use crate::office::Office;
use crate::password::LENGTH;
use crate::people::Numbers;
use crate::problem::Problem;
use crate::role::Role;
use crate::route::Call;
use crate::rows::{Change, Keeping, Kind, Single};
use crate::serve::Installed;
use crate::settings::Settings;
use crate::source::Source;
use crate::token::Token;
use gateway::Made;

/// The longest body with a backup: base 64 is a third longer.
pub const BODY_MAX: usize = FILE_MAX / 3 * 4 + (16 << 10);
/// How many audit lines are read at a time.
const PAGE: usize = 500;
/// How long the answer to a restore may need before the API starts again with what was restored.
const ANSWERED: Duration = Duration::from_millis(700);
/// Room that a restore wants for each octet of what it brings: sled writes a row several times before it tidies up.
const ROOM: u64 = 4;

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
    let mut writer = Writer::new();
    Made::of(office)?.write(&mut writer)?;
    for kind in Kind::ALL {
        match kind.keeping() {
            Keeping::Kept => {
                rows(office, *kind)?
                    .into_iter()
                    .try_for_each(|(number, row)| writer.line(&Line::Row(*kind, number, row)))?;
            }
            Keeping::Each => {
                for (number, row) in rows(office, *kind)? {
                    let single = Single::of(number).ok_or_else(|| unknown(number))?;
                    if single.keeping() == Keeping::Kept {
                        writer.line(&Line::Row(*kind, number, row))?;
                    }
                }
            }
            Keeping::Chained | Keeping::Stays(_) | Keeping::Goes(_) => {}
        }
    }
    // Last, so that whatever it tells of is in the rows.
    let records = write_audit(office, &mut writer)?;
    let file = writer.seal(&office.hasher, &body.passphrase)?;
    Ok(Backup { at: Moment::from(now()), records, backup: STANDARD.encode(file) })
}

fn rows(office: &Office, kind: Kind) -> Result<Vec<(u64, Value)>, Problem> {
    office.rows().all(kind).map_err(|error| Problem::busy(error.to_string()))
}

fn unknown(number: u64) -> Problem {
    Problem::new(
        500,
        format!("the store holds a row {number} that this version does not know, and would not be whole without it"),
    )
}

/// Writes the audit's lines; the number of the last one.
fn write_audit(office: &Office, writer: &mut Writer) -> Result<u64, Problem> {
    let (mut records, last) = (0, office.audit().head().number);
    while records < last {
        let lines = office.rows().lines(records + 1, PAGE).map_err(|error| Problem::busy(error.to_string()))?;
        let Some((newest, _)) = lines.last() else { break };
        records = *newest;
        lines.into_iter().try_for_each(|(_, line)| writer.line(&Line::Audit(line)))?;
    }
    Ok(records)
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
    /// Incidents.
    incidents: u64,
    /// Audit records.
    records: u64,
    /// Settings and lists of indicators that this box did not take, each with the reason.
    left: Vec<String>,
    /// What comes next.
    next: &'static str,
}

/// A backup that was read whole, before anything of it counts.
#[derive(Default)]
struct Read {
    made: Made,
    rows: Vec<(Kind, u64, Value)>,
    audit: Vec<String>,
}

impl Read {
    /// How long its rows are together, as text.
    fn octets(&self) -> u64 {
        let rows = self.rows.iter().map(|(.., row)| row.to_string().len());
        let devices = self.made.devices.iter().map(|device| device.to_string().len());
        rows.chain(devices).chain(self.audit.iter().map(String::len)).map(|len| len as u64).sum()
    }
}

/// `POST backup/restore`: everything of this box's people is replaced; all sessions end, and the API starts again.
pub fn restore(office: &Office, call: &Call, body: Restore) -> Result<Restored, Problem> {
    let refused = |problem: Problem| {
        office.refused(call.act("backup.restore", "box"), &problem.detail);
        problem
    };
    let file = STANDARD.decode(&body.backup).map_err(|_| refused(Problem::field("backup", "is not base 64")))?;
    let read = open(&office.hasher, &body.passphrase, file).and_then(read).map_err(refused)?;
    // The gateway's part goes first and its store is on the same medium: neither begins what the other has no room for.
    office
        .rows()
        .room(read.octets().saturating_mul(ROOM))
        .map_err(|error| refused(Problem::busy(error.to_string())))?;
    let author = call.caller()?.email.clone();
    let before = Made::of(office).map_err(refused)?;
    read.made.put(office, &author).map_err(refused)?;
    let count = |wanted: Kind| read.rows.iter().filter(|(kind, ..)| *kind == wanted).count() as u64;
    let mut restored = Restored {
        accounts: count(Kind::Account),
        devices: read.made.devices.len() as u64,
        incidents: count(Kind::Incident),
        records: read.audit.len() as u64,
        left: Vec::new(),
        next: "log in again, with an account of the backup",
    };
    let revoked: Vec<u64> = office.sources().keys().copied().collect();
    let act = Act { why: format!("{} records", restored.records), ..call.act("backup.restore", "box") };
    office.replace_audit(|| change(office, &read.rows), &read.audit, act).inspect_err(|_| {
        if let Err(problem) = before.put(office, &author) {
            tracing::error!("the policy of a backup that was not restored stays: {}", problem.detail);
        }
    })?;
    let untold = |problem: Problem| vec![format!("settings and lists of indicators: {}", problem.detail)];
    restored.left = read.made.settle(office).unwrap_or_else(untold);
    // Their tokens hold no more whether or not the intake hears of it.
    let kept = |number: &u64| read.rows.iter().any(|(kind, kept, _)| *kind == Kind::Source && kept == number);
    for sender in revoked.into_iter().filter(|number| !kept(number)) {
        let _ = office.ask::<Value>(Request::SourceGone { sender });
    }
    thread::spawn(|| {
        thread::sleep(ANSWERED);
        tracing::warn!("a backup was restored; the API starts again with it");
        std::process::exit(0);
    });
    Ok(restored)
}

/// Everything that a backup keeps, or that belongs to what it replaces, goes; its rows come.
fn change(office: &Office, kept: &[(Kind, u64, Value)]) -> Result<Change, Problem> {
    let mut change = Change::default();
    for kind in Kind::ALL {
        if matches!(kind.keeping(), Keeping::Kept | Keeping::Goes(_)) {
            rows(office, *kind)?.iter().for_each(|(number, _)| change.remove(*kind, *number));
        }
    }
    for single in Single::ALL.iter().filter(|single| matches!(single.keeping(), Keeping::Kept | Keeping::Goes(_))) {
        change.unset(*single);
    }
    kept.iter().for_each(|(kind, number, row)| change.put(*kind, *number, row));
    Ok(change)
}

/// Sorts the lines, and refuses what this box could not live with.
fn read(lines: Vec<Line>) -> Result<Read, Problem> {
    let mut read = Read::default();
    for line in lines {
        match line {
            Line::Policy(text) => read.made.policy = text,
            Line::Device(device) => read.made.devices.push(*device),
            Line::Setting(id, value) => read.made.settings.push((id, value)),
            Line::List(list) => read.made.lists.push(list),
            Line::Row(kind, number, row) => read.rows.push((kind, number, row)),
            Line::Audit(line) => read.audit.push(line),
            Line::End(_) => {}
        }
    }
    let wrong = |what: &str| Problem::field("backup", what);
    let mut owner = false;
    for (kind, number, row) in &mut read.rows {
        if !good(*kind, *number, row) {
            return Err(wrong("holds a row that no backup does"));
        }
        if *kind == Kind::Account {
            let account = serde_json::from_value::<Account>(row.clone());
            owner |= account.is_ok_and(|one| one.role == Role::Superadmin && one.active && one.hash.is_some());
        }
        if *kind == Kind::Incident {
            detach(row);
        }
        // What was held back for a channel is as a notice that waits: nobody shall have it twice.
        if let Some(channel) = row.as_object_mut().filter(|_| *kind == Kind::Channel) {
            channel.remove("held");
        }
    }
    if !owner {
        return Err(wrong("holds no superadmin who could log in"));
    }
    read.made.check()?;
    chain(&read.audit)?;
    Ok(read)
}

/// Whether a row is one that a backup holds, and can be read once it is there.
fn good(kind: Kind, number: u64, row: &Value) -> bool {
    fn is<T: DeserializeOwned>(row: &Value) -> bool {
        serde_json::from_value::<T>(row.clone()).is_ok()
    }
    match kind {
        Kind::Account => is::<Account>(row),
        Kind::Token => is::<Token>(row),
        Kind::Access => is::<Access>(row),
        Kind::Source => is::<Source>(row),
        Kind::Channel => is::<Channel>(row),
        Kind::Incident => is::<Incident>(row),
        Kind::Single => match Single::of(number) {
            Some(Single::Numbers) => is::<Numbers>(row),
            Some(Single::AuditKey) => is::<String>(row),
            Some(Single::Settings) => is::<Settings>(row),
            Some(Single::Certificate) => is::<Installed>(row),
            Some(Single::Keys | Single::Boot | Single::Followed | Single::Told | Single::Reported) | None => false,
        },
        Kind::Session
        | Kind::Alert
        | Kind::Draft
        | Kind::Letter
        | Kind::Report
        | Kind::Notice
        | Kind::Disclosure
        | Kind::Audit => false,
    }
}

/// Takes out of an incident the numbers of events and of hosts' log lines: on this box they would be those of others.
fn detach(incident: &mut Value) {
    let things = incident.get_mut("things").and_then(Value::as_array_mut);
    for thing in things.into_iter().flatten() {
        (thing["event"], thing["activity"]) = (0.into(), Value::Null);
    }
}
