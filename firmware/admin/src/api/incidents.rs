//! Incidents, and what people do with them.

use protocol::incident::{Comment, IncidentStory, IncidentView};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::clock::{now, rfc3339};
use crate::incident::{COMMENTS_MAX, INCIDENTS_MAX, Incident};
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::words::plain;

/// The longest comment or reason, in characters.
const TEXT_MAX: usize = 1_000;

/// A text to an incident.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// What to remember.
    #[schemars(length(min = 1, max = 1_000))]
    text: String,
}

/// Why an incident is closed, or opened again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For those who look later.
    #[schemars(length(min = 1, max = 1_000))]
    reason: String,
}

/// To whom an incident is given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Giving {
    /// An account's e-mail address or user name.
    #[schemars(length(min = 1, max = 254))]
    to: String,
}

/// What becomes part of an incident.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// The number of the incident that goes into this one.
    with: u64,
}

/// What becomes an incident of its own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The numbers of the events of the time line that go into it.
    #[schemars(length(min = 1, max = 40))]
    events: Vec<u64>,
}

/// `GET incidents`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<IncidentView>, Problem> {
    Ok(office.incidents().all.values().map(Incident::view).collect())
}

/// `GET incidents/{id}`.
pub fn one(office: &Office, call: &Call) -> Result<IncidentStory, Problem> {
    let number = call.number("id", "incident")?;
    office.incidents().all.get(&number).map(Incident::story).ok_or_else(|| Problem::missing("incident"))
}

/// `POST incidents/{id}/assign`.
pub fn assign(office: &Office, call: &Call, body: Giving) -> Result<IncidentStory, Problem> {
    let found = office.people().named(&body.to).map(|account| account.email.as_str().to_owned());
    let to = found.ok_or_else(|| Problem::field("to", "is nobody's e-mail address or user name"))?;
    change(office, call, "incident.assign", |incident, who| {
        let said = comment(incident, who, format!("given to {to}"));
        incident.assigned = Some(to);
        said
    })
}

/// `POST incidents/{id}/comment`.
pub fn write(office: &Office, call: &Call, body: Text) -> Result<IncidentStory, Problem> {
    let text = checked("text", &body.text)?;
    change(office, call, "incident.comment", |incident, who| comment(incident, who, text))
}

/// `POST incidents/{id}/close`: whatever happens from now on is another incident.
pub fn close(office: &Office, call: &Call, body: Reason) -> Result<IncidentStory, Problem> {
    let reason = checked("reason", &body.reason)?;
    change(office, call, "incident.close", |incident, who| {
        if incident.closed.is_some() {
            return Err(Problem::conflict("it is closed already"));
        }
        comment(incident, who, format!("closed: {reason}"))?;
        incident.closed = Some(reason);
        Ok(())
    })
}

/// `POST incidents/{id}/reopen`.
pub fn reopen(office: &Office, call: &Call, body: Reason) -> Result<IncidentStory, Problem> {
    let reason = checked("reason", &body.reason)?;
    change(office, call, "incident.reopen", |incident, who| {
        if incident.closed.take().is_none() {
            return Err(Problem::conflict("it is open"));
        }
        comment(incident, who, format!("opened again: {reason}"))
    })
}

/// `POST incidents/{id}/merge`.
pub fn merge(office: &Office, call: &Call, body: Other) -> Result<IncidentStory, Problem> {
    let number = call.number("id", "incident")?;
    let who = call.caller()?.email.clone();
    let mut incidents = office.incidents();
    let missing = || Problem::missing("incident");
    let (incident, other) =
        (incidents.all.get(&number).ok_or_else(missing)?, incidents.all.get(&body.with).ok_or_else(missing)?);
    if number == body.with {
        return Err(Problem::field("with", "is the incident itself"));
    }
    let mut merged = incident.clone();
    comment(&mut merged, &who, format!("incident {} is part of this one", body.with))?;
    merged.absorb(other.clone());
    let mut change = Change::default();
    change.put(Kind::Incident, number, &merged);
    change.remove(Kind::Incident, body.with);
    let mut act = call.act("incident.merge", number.to_string());
    act.why = format!("with {}", body.with);
    office.commit(change, act)?;
    let story = merged.story();
    incidents.all.insert(number, merged);
    incidents.all.remove(&body.with);
    Ok(story)
}

/// `POST incidents/{id}/split`: the answer is the new incident.
pub fn split(office: &Office, call: &Call, body: Part) -> Result<IncidentStory, Problem> {
    let number = call.number("id", "incident")?;
    let who = call.caller()?.email.clone();
    let mut incidents = office.incidents();
    let mut incident = incidents.all.get(&number).cloned().ok_or_else(|| Problem::missing("incident"))?;
    if incident.closed.is_some() {
        return Err(Problem::conflict("it is closed; open it again first"));
    }
    if incidents.all.len() >= INCIDENTS_MAX {
        return Err(Problem::conflict(format!("a box keeps {INCIDENTS_MAX} incidents; merge some first")));
    }
    let fresh = incidents.all.last_key_value().map_or(1, |(last, _)| last + 1);
    let other = incident.split(fresh, &body.events);
    let mut other = other.ok_or_else(|| Problem::field("events", "names some of its events, and not all of them"))?;
    comment(&mut incident, &who, format!("a part of it is incident {fresh} now"))?;
    comment(&mut other, &who, format!("it was a part of incident {number}"))?;
    // Who hears of incidents heard of this when it was a part.
    other.told.clone_from(&incident.told);
    let mut change = Change::default();
    change.put(Kind::Incident, number, &incident);
    change.put(Kind::Incident, fresh, &other);
    let mut act = call.act("incident.split", number.to_string());
    act.why = format!("into {fresh}");
    office.commit(change, act)?;
    let story = other.story();
    incidents.all.insert(number, incident);
    incidents.all.insert(fresh, other);
    Ok(story)
}

/// Incidents for the command line: one whole, or all.
///
/// # Errors
/// There is no such incident.
pub fn at_the_box(office: &Office, id: Option<u64>) -> Result<serde_json::Value, Problem> {
    let incidents = office.incidents();
    let told = match id {
        None => serde_json::to_value(incidents.all.values().map(Incident::view).collect::<Vec<_>>()),
        Some(id) => serde_json::to_value(incidents.all.get(&id).ok_or_else(|| Problem::missing("incident"))?.story()),
    };
    told.map_err(|error| Problem::new(500, error.to_string()))
}

fn checked(field: &str, text: &str) -> Result<String, Problem> {
    if text.trim().is_empty() || text.chars().count() > TEXT_MAX {
        return Err(Problem::field(field, format!("takes 1 to {TEXT_MAX} characters")));
    }
    Ok(plain(text.trim(), TEXT_MAX))
}

fn comment(incident: &mut Incident, who: &str, text: String) -> Result<(), Problem> {
    if incident.comments.len() >= COMMENTS_MAX {
        return Err(Problem::conflict(format!("an incident keeps {COMMENTS_MAX} comments")));
    }
    incident.comments.push(Comment { at: rfc3339(now()), who: who.into(), text });
    Ok(())
}

/// Changes an incident and says so in the audit.
fn change(
    office: &Office,
    call: &Call,
    what: &'static str,
    act: impl FnOnce(&mut Incident, &str) -> Result<(), Problem>,
) -> Result<IncidentStory, Problem> {
    let number = call.number("id", "incident")?;
    let mut incidents = office.incidents();
    let mut incident = incidents.all.get(&number).cloned().ok_or_else(|| Problem::missing("incident"))?;
    call.unchanged(&incident.story())?;
    act(&mut incident, &call.caller()?.email)?;
    let mut change = Change::default();
    change.put(Kind::Incident, number, &incident);
    let mut record = call.act(what, number.to_string());
    record.after = shown(&incident.comments.last());
    office.commit(change, record)?;
    let story = incident.story();
    incidents.all.insert(number, incident);
    Ok(story)
}
