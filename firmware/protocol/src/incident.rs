//! Incidents as they are shown: what belongs together, told as one story.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An incident in a list. Times are RFC 3339, UTC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Incident")]
pub struct IncidentView {
    /// Its number.
    pub id: u64,
    /// `open` or `closed`.
    pub state: String,
    /// `MEDIUM` or `HIGH`.
    pub level: String,
    /// What happened, in plain words.
    pub summary: String,
    /// The addresses that take part.
    pub hosts: Vec<String>,
    /// The accounts that take part.
    pub subjects: Vec<String>,
    /// The hosts whose logs tell of it.
    pub sources: Vec<String>,
    /// When it began.
    pub began: String,
    /// When the last thing of it happened.
    pub last: String,
    /// How many things happened.
    pub events: u64,
    /// Whether one of its hosts was blocked for it.
    pub blocked: bool,
    /// To whom it was given.
    pub assigned: Option<String>,
    /// Why it was closed.
    pub closed_for: Option<String>,
}

/// An incident as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IncidentStory")]
pub struct IncidentStory {
    /// The incident.
    #[serde(flatten)]
    pub incident: IncidentView,
    /// What happened, oldest first.
    pub timeline: Vec<Happening>,
    /// How many things happened that the time line has no room for.
    pub left_out: u64,
    /// What was done about it so far.
    pub done: Vec<String>,
    /// What to do next.
    pub next: Vec<String>,
    /// What people wrote to it.
    pub comments: Vec<Comment>,
}

/// One thing that happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Happening {
    /// When.
    pub at: String,
    /// The event's number; 0 where it is in the history of another box, from whose backup this was restored.
    pub event: u64,
    /// The record of the hosts' logs that completed it, where there is one.
    pub activity: Option<u64>,
    /// Who found it: `insider:...`, `rule:...`, `policy` and so on.
    pub detector: String,
    /// The host that it is about.
    pub host: String,
    /// The account that it is about.
    pub subject: String,
    /// How bad it is by itself.
    pub level: String,
    /// `observed`, `would block`, `blocked` or `confirmed`.
    pub state: String,
    /// In words.
    pub text: String,
    /// How often the same happened again.
    pub repeats: u64,
    /// When it did last.
    pub last: String,
}

/// What somebody wrote, or did to the incident.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// What.
    pub text: String,
}
