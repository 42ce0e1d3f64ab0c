//! Alerts, and what people do with them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::threats::say;
use crate::alert::{Alert, AlertRow, NOTES_MAX, Note};
use crate::clock::{now, rfc3339};
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::words::plain;

/// The longest note, in characters.
const NOTE_MAX: usize = 500;

/// `GET alerts`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<AlertRow>, Problem> {
    Ok(office.alerts().values().map(AlertRow::from).collect())
}

/// `GET alerts/{id}`.
pub fn one(office: &Office, call: &Call) -> Result<AlertRow, Problem> {
    let number = call.number("id", "alert")?;
    office.alerts().get(&number).map(AlertRow::from).ok_or_else(|| Problem::missing("alert"))
}

/// A word to go with it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// For those who look later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    note: String,
}

/// `POST alerts/{id}/acknowledge`: the first to say so stands.
pub fn acknowledge(office: &Office, call: &Call, body: Word) -> Result<AlertRow, Problem> {
    change(office, call, "alert.acknowledge", |alert, who| {
        alert.acknowledged.get_or_insert((who.into(), now().micros()));
        add(alert, who, &body.note)
    })
}

/// To whom an alert is given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// An account's e-mail address or user name.
    #[schemars(length(min = 1, max = 254))]
    to: String,
}

/// `POST alerts/{id}/assign`.
pub fn assign(office: &Office, call: &Call, body: Assign) -> Result<AlertRow, Problem> {
    let found = office.people().named(&body.to).map(|account| account.email.as_str().to_owned());
    let to = found.ok_or_else(|| Problem::field("to", "is nobody's e-mail address or user name"))?;
    change(office, call, "alert.assign", |alert, _| {
        alert.assigned = Some(to);
        Ok(())
    })
}

/// A note.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// What to remember.
    #[schemars(length(min = 1, max = 500))]
    note: String,
}

/// `POST alerts/{id}/note`.
pub fn note(office: &Office, call: &Call, body: NewNote) -> Result<AlertRow, Problem> {
    if body.note.trim().is_empty() {
        return Err(Problem::field("note", format!("takes 1 to {NOTE_MAX} characters")));
    }
    change(office, call, "alert.note", |alert, who| add(alert, who, &body.note))
}

/// For how long an alert tells nobody.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    /// Seconds; 0 has it tell again.
    #[schemars(range(max = 31_536_000))]
    for_secs: u64,
    /// For those who look later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    note: String,
}

/// `POST alerts/{id}/mute`: it ends by itself; the host stays at its level, and a block stands.
pub fn mute(office: &Office, call: &Call, body: Mute) -> Result<AlertRow, Problem> {
    if body.for_secs > 31_536_000 {
        return Err(Problem::field("for_secs", "takes 0 to 31536000"));
    }
    change(office, call, "alert.mute", |alert, who| {
        alert.muted = (body.for_secs > 0).then(|| now().micros() + body.for_secs * 1_000_000);
        add(alert, who, &body.note)
    })
}

/// Why it was nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FalseAlarm {
    /// For those who look later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    note: String,
    /// For how many seconds its family is quiet for its host; 30 days where nothing is said.
    #[schemars(range(min = 1, max = 31_536_000))]
    for_secs: Option<u64>,
}

/// `POST alerts/{id}/false-alarm`: its block ends, and the alert counts as seen.
pub fn false_alarm(office: &Office, call: &Call, body: FalseAlarm) -> Result<AlertRow, Problem> {
    let number = call.number("id", "alert")?;
    let threat = office.alerts().get(&number).map(|alert| alert.threat).ok_or_else(|| Problem::missing("alert"))?;
    let for_secs = body.for_secs.unwrap_or(30 * 86_400);
    if !(1..=31_536_000).contains(&for_secs) {
        return Err(Problem::field("for_secs", "takes 1 to 31536000"));
    }
    say(office, call, threat, false, for_secs)?;
    change(office, call, "alert.false_alarm", |alert, who| {
        alert.acknowledged.get_or_insert((who.into(), now().micros()));
        alert.over = true;
        add(alert, who, &body.note)
    })
}

fn add(alert: &mut Alert, who: &str, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Ok(());
    }
    if text.chars().count() > NOTE_MAX {
        return Err(Problem::field("note", format!("takes 1 to {NOTE_MAX} characters")));
    }
    if alert.notes.len() >= NOTES_MAX {
        return Err(Problem::conflict(format!("an alert keeps {NOTES_MAX} notes")));
    }
    alert.notes.push(Note { at: rfc3339(now()), who: who.into(), text: plain(text, NOTE_MAX) });
    Ok(())
}

/// Changes an alert and says so in the audit.
fn change(
    office: &Office,
    call: &Call,
    what: &'static str,
    act: impl FnOnce(&mut Alert, &str) -> Result<(), Problem>,
) -> Result<AlertRow, Problem> {
    let number = call.number("id", "alert")?;
    let mut alerts = office.alerts();
    let mut alert = alerts.get(&number).cloned().ok_or_else(|| Problem::missing("alert"))?;
    let before = AlertRow::from(&alert);
    call.unchanged(&before)?;
    act(&mut alert, &call.caller()?.email)?;
    let after = AlertRow::from(&alert);
    let mut change = Change::default();
    change.put(Kind::Alert, number, &alert);
    let mut record = call.act(what, alert.host.clone());
    (record.before, record.after) = (shown(&before), shown(&after));
    office.commit(change, record)?;
    alerts.insert(number, alert);
    Ok(after)
}
