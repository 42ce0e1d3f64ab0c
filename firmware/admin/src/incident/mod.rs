//! Incidents: findings, what hosts say of their users, and denials that belong together become one story.
//!
//! Two things belong together when they are about the same account, or about the same host and not about two different accounts, and
//! the second comes within `WINDOW` of the first one's story. What hosts' plain logs say joins a story and never makes two of them
//! one: anybody can forge it.
//!
//! **Bounds**: `INCIDENTS_MAX`, the oldest closed one goes first; of each 40 different things, 16 hosts and accounts, 50 comments. The same thing again
//! is counted and not written down again.

mod join;
mod story;

use std::collections::{BTreeMap, HashMap};

use protocol::incident::Comment;
use serde::{Deserialize, Serialize};
use terms::Span;

pub use join::Clue;

/// The most incidents that are kept.
pub const INCIDENTS_MAX: usize = 500;
/// The most comments of one.
pub const COMMENTS_MAX: usize = 50;
/// How long after its last event a story goes on.
const WINDOW: Span = Span::from_secs(6 * 3_600);
/// Different things of one story.
const THINGS_MAX: usize = 40;
/// Hosts, accounts and sources of one story, each.
const NAMES_MAX: usize = 16;
/// The longest text of a thing, in characters.
const TEXT_MAX: usize = 300;
/// Denials of one host within the window that are a story by themselves.
const DENIED_MANY: u32 = 20;
/// Hosts whose denials are counted.
const DENIED_HOSTS: usize = 256;

/// One incident, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub number: u64,
    /// The addresses that take part: IP and hardware.
    pub hosts: Vec<String>,
    /// The accounts that take part.
    pub subjects: Vec<String>,
    /// The hosts whose logs tell of it.
    pub sources: Vec<String>,
    /// What happened, oldest first.
    pub things: Vec<Thing>,
    /// Things that there was no room for.
    pub left_out: u64,
    /// When the last one happened, in microseconds.
    pub last: u64,
    /// The level that notifications told last; nothing before the first.
    #[serde(default)]
    pub told: String,
    /// To whom it was given.
    pub assigned: Option<String>,
    /// Why it was closed.
    pub closed: Option<String>,
    /// What people wrote to it and did to it.
    pub comments: Vec<Comment>,
}

/// One thing that happened, and how often again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// When it first happened, in microseconds.
    pub at: u64,
    /// The first event's number.
    pub event: u64,
    /// The record of hosts' logs behind it.
    pub activity: Option<u64>,
    /// Who found it.
    pub detector: String,
    /// What was found, where that has a name.
    pub family: Option<String>,
    /// The host.
    pub host: String,
    /// The account.
    pub subject: String,
    /// `SAFE`, `MEDIUM` or `HIGH`.
    pub level: String,
    /// How far the act against the host came.
    pub state: String,
    /// In words.
    pub text: String,
    /// How often again.
    pub repeats: u64,
    /// When last, in microseconds.
    pub last: u64,
}

/// All incidents.
#[derive(Default)]
pub struct Incidents {
    /// By number.
    pub all: BTreeMap<u64, Incident>,
    /// Denials of a host: how many, and when the first of them was.
    denied: HashMap<String, (u32, u64)>,
}

impl Incidents {
    /// Those that were kept.
    #[must_use]
    pub fn of(all: BTreeMap<u64, Incident>) -> Self {
        Self { all, denied: HashMap::new() }
    }

    /// Takes those away that are too many: the oldest closed one first.
    pub fn let_go(&mut self) -> Vec<u64> {
        let mut gone = Vec::new();
        while self.all.len() > INCIDENTS_MAX {
            let closed = self.all.values().find(|incident| incident.closed.is_some()).map(|incident| incident.number);
            let Some(oldest) = closed.or_else(|| self.all.keys().next().copied()) else { break };
            self.all.remove(&oldest);
            gone.push(oldest);
        }
        gone
    }

    /// Makes another incident part of this one. Whether both were there.
    pub fn merge(&mut self, into: u64, other: u64) -> bool {
        if into == other || !self.all.contains_key(&into) {
            return false;
        }
        let Some(gone) = self.all.remove(&other) else { return false };
        if let Some(incident) = self.all.get_mut(&into) {
            incident.absorb(gone);
        }
        true
    }
}

#[cfg(test)]
mod tests;
