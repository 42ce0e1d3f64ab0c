//! Alerts: one for each rise of a host to High, with its repeats counted on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::clock::{now, rfc3339};

/// The most alerts that are kept; the oldest acknowledged one goes first.
pub const ALERTS_MAX: usize = 1_000;
/// The most notes of one alert.
pub const NOTES_MAX: usize = 50;

/// One alert, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alert {
    /// Its number.
    pub number: u64,
    /// The event that raised it.
    pub threat: u64,
    /// The host.
    pub host: String,
    /// Its hardware address.
    pub mac: Option<String>,
    /// What it was found to do.
    pub family: String,
    /// `HIGH`.
    pub severity: String,
    /// In words.
    pub why: String,
    /// When, in microseconds.
    pub created: u64,
    /// Further findings of the same rise.
    pub repeats: u64,
    /// The newest of them.
    pub last: u64,
    /// Whether the host has fallen below High since.
    pub over: bool,
    /// Who said that it was seen, and when.
    pub acknowledged: Option<(String, u64)>,
    /// To whom it was given.
    pub assigned: Option<String>,
    /// What was written to it.
    pub notes: Vec<Note>,
    /// Until when it tells nobody, in microseconds.
    #[serde(default)]
    pub muted: Option<u64>,
}

/// A note to an alert.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// When.
    pub at: String,
    /// Who.
    pub who: String,
    /// What.
    pub text: String,
}

/// An alert as it is shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AlertRow {
    /// Its number.
    id: u64,
    /// The threat that raised it.
    threat: u64,
    /// The host.
    host: String,
    /// Its hardware address.
    mac: Option<String>,
    /// What it was found to do.
    family: String,
    /// `HIGH`.
    severity: String,
    /// In words.
    why: String,
    /// When.
    created: String,
    /// Further findings of the same rise.
    repeats: u64,
    /// When the newest of them was made.
    last: String,
    /// Whether the host has fallen below High since.
    over: bool,
    /// Whether somebody has seen it.
    acknowledged: bool,
    /// Who.
    acknowledged_by: Option<String>,
    /// When.
    acknowledged_at: Option<String>,
    /// To whom it was given.
    assigned: Option<String>,
    /// What was written to it.
    notes: Vec<Note>,
    /// Until when it tells nobody; further findings of the same rise are counted on.
    muted_until: Option<String>,
}

impl From<&Alert> for AlertRow {
    fn from(alert: &Alert) -> Self {
        let at = |micros| rfc3339(Timestamp::from_micros(micros));
        Self {
            id: alert.number,
            threat: alert.threat,
            host: alert.host.clone(),
            mac: alert.mac.clone(),
            family: alert.family.clone(),
            severity: alert.severity.clone(),
            why: alert.why.clone(),
            created: at(alert.created),
            repeats: alert.repeats,
            last: at(alert.last),
            over: alert.over,
            acknowledged: alert.acknowledged.is_some(),
            acknowledged_by: alert.acknowledged.as_ref().map(|(who, _)| who.clone()),
            acknowledged_at: alert.acknowledged.as_ref().map(|(_, when)| at(*when)),
            assigned: alert.assigned.clone(),
            notes: alert.notes.clone(),
            muted_until: alert.muted.filter(|until| *until > now().micros()).map(at),
        }
    }
}
