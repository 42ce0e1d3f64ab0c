//! Alerts that reach people: channels, and what waits for each until its receiver has it.
//!
//! An incident that begins, or that becomes High, is one notice to each channel whose level it has; what follows of the same incident is
//! none. A notice is written together with the incident that it tells of, and goes when its receiver took it; it is tried again with growing pauses,
//! and after a day, or when the receiver will never take it, it is dead and shown.
//!
//! | file | what it holds |
//! |---|---|
//! | `deliver` | what is due goes, and takes its end or its next try |
//! | `webhook`, `syslog`, `eve` | a notice in the form that a receiver expects |
//! | `journal` | the file of EVE lines on the box |
//!
//! **Bounds**: `CHANNELS_MAX` channels, `NOTICES_MAX` notices in all; the oldest dead one goes first, and what finds no room is counted.

mod deliver;
mod eve;
mod journal;
mod syslog;
mod webhook;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::incident::IncidentView;
use serde::{Deserialize, Serialize};

use crate::clock::now;
use crate::rows::{Change, Kind, Rows, RowsError};

pub use deliver::deliver;
pub use journal::Journal;
pub use webhook::Preset;

/// The most channels that a box keeps.
pub const CHANNELS_MAX: usize = 16;
/// The most notices that wait or are dead.
const NOTICES_MAX: usize = 500;
/// The first and the longest pause after a failure, and for how long a notice is tried. **Units**: seconds.
const PAUSES: (u64, u64, u64) = (1, 3_600, 86_400);

/// Where a channel leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sink {
    /// A webhook.
    Webhook {
        /// Its address.
        url: String,
        /// In which form it is told.
        preset: Preset,
        /// The authority that signed its certificate, as PEM; empty for the public ones.
        ca: String,
        /// What it is signed with, as hexadecimal digits.
        secret: String,
    },
    /// A mail, by the server of the settings.
    Mail {
        /// To whom.
        to: String,
    },
    /// A receiver of syslog.
    Syslog {
        /// `syslog+udp://`, `syslog+tcp://` or `syslog+tls://`, a host, a port.
        url: String,
        /// The authority that signed its certificate, as PEM; empty for the public ones.
        ca: String,
    },
    /// A receiver of EVE JSON lines.
    Eve {
        /// `eve+tcp://` or `eve+tls://`, a host, a port.
        url: String,
        /// The authority that signed its certificate, as PEM; empty for the public ones.
        ca: String,
    },
    /// A file of EVE JSON lines on the box.
    File,
}

/// One channel, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// Its number.
    pub number: u64,
    /// What it is called.
    pub name: String,
    /// Where it leads.
    pub sink: Sink,
    /// Whether it hears of High alone.
    pub high_only: bool,
    /// When something was taken last, in microseconds.
    pub last: Option<u64>,
    /// Why the last try failed; empty where it did not.
    pub trouble: String,
    /// Notices that found no room.
    pub dropped: u64,
}

/// One notice, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Its number: the receiver sees it, so that it can tell a repeat.
    pub number: u64,
    /// The channel.
    pub channel: u64,
    /// The incident as it was; nothing for a try.
    pub incident: Option<IncidentView>,
    /// In words.
    pub text: String,
    /// When, in microseconds.
    pub created: u64,
    /// Tries so far.
    pub tries: u32,
    /// When it is tried next, in microseconds.
    pub next: u64,
    /// Why it is tried no more.
    pub dead: Option<String>,
}

/// Channels and notices.
#[derive(Default)]
pub struct Notices {
    /// By number.
    pub channels: BTreeMap<u64, Channel>,
    /// By number.
    pub waiting: BTreeMap<u64, Notice>,
}

impl Notice {
    /// What it tells of; nothing for a try.
    fn incidents(&self) -> impl Iterator<Item = &IncidentView> {
        self.incident.iter()
    }

    /// Whether any of that is High.
    fn high(&self) -> bool {
        self.incidents().any(|incident| incident.level == "HIGH")
    }

    /// What else a person wants to know.
    fn more(&self) -> String {
        self.incident.as_ref().map_or_else(
            || "Nothing happened: somebody tries this channel.".into(),
            |incident| {
                let done = if incident.blocked { "A host was blocked." } else { "Nothing was blocked." };
                format!(
                    "Since {} (UTC), {} events. {done} More on the page, or: picket incidents {}",
                    incident.began, incident.events, incident.id
                )
            },
        )
    }
}

impl Notices {
    /// Those of the last run.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn load(rows: &Rows) -> Result<Mutex<Self>, RowsError> {
        Ok(Mutex::new(Self {
            channels: rows.all(Kind::Channel)?.into_iter().collect(),
            waiting: rows.all(Kind::Notice)?.into_iter().collect(),
        }))
    }

    /// An incident began, or became High: every channel that wants to know has a notice, in the change that tells of the incident.
    pub fn tell(&mut self, incident: &IncidentView, change: &mut Change) {
        let high = incident.level == "HIGH";
        let wanted = self.channels.values().filter(|channel| high || !channel.high_only);
        for channel in wanted.map(|channel| channel.number).collect::<Vec<_>>() {
            let text = format!("{}: {} (incident {})", incident.level, incident.summary, incident.id);
            self.add(channel, Some(incident.clone()), text, change);
        }
    }

    /// Adds a notice to a channel.
    pub fn add(&mut self, channel: u64, incident: Option<IncidentView>, text: String, change: &mut Change) {
        if self.waiting.len() >= NOTICES_MAX {
            let dead = self.waiting.values().find(|notice| notice.dead.is_some()).map(|notice| notice.number);
            let Some(dead) = dead else {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.dropped += 1;
                    change.put(Kind::Channel, channel.number, channel);
                }
                return;
            };
            self.waiting.remove(&dead);
            change.remove(Kind::Notice, dead);
        }
        let created = now().micros();
        let number = self.waiting.last_key_value().map_or(created, |(last, _)| created.max(last + 1));
        let notice = Notice { number, channel, incident, text, created, tries: 0, next: created, dead: None };
        change.put(Kind::Notice, number, &notice);
        self.waiting.insert(number, notice);
    }

    /// What is due, with where it goes.
    fn due(&self, now: u64) -> Option<(Notice, Channel)> {
        // What lies far in the future was put there before the clock was set back.
        let due = |notice: &&Notice| {
            notice.dead.is_none() && (notice.next <= now || notice.next > now + 2 * PAUSES.1 * 1_000_000)
        };
        let notice = self.waiting.values().find(due)?;
        Some((notice.clone(), self.channels.get(&notice.channel)?.clone()))
    }
}

/// The notices of an office, for as long as the guard lives.
pub fn lock(notices: &Mutex<Notices>) -> MutexGuard<'_, Notices> {
    notices.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(number: u64, high_only: bool) -> Channel {
        let sink = Sink::Mail { to: "ada@example.org".into() };
        Channel { number, name: "x".into(), sink, high_only, last: None, trouble: String::new(), dropped: 0 }
    }

    fn incident(level: &str) -> IncidentView {
        IncidentView { id: 7, level: level.into(), summary: "ann on nas: =1+1".into(), ..IncidentView::default() }
    }

    /// The notice of an incident of this level.
    pub fn told(level: &str) -> Notice {
        let mut notices = Notices { channels: BTreeMap::from([(1, channel(1, false))]), waiting: BTreeMap::new() };
        notices.tell(&incident(level), &mut Change::default());
        notices.waiting.into_values().next().expect("one")
    }

    #[test]
    fn a_channel_hears_of_its_level_and_memory_is_bounded() {
        let mut notices = Notices {
            channels: BTreeMap::from([(1, channel(1, true)), (2, channel(2, false))]),
            waiting: BTreeMap::new(),
        };
        let mut change = Change::default();
        notices.tell(&incident("MEDIUM"), &mut change);
        notices.tell(&incident("HIGH"), &mut change);
        let of = |number| notices.waiting.values().filter(|notice| notice.channel == number).count();
        assert_eq!((of(1), of(2)), (1, 2));
        (0..NOTICES_MAX).for_each(|_| notices.tell(&incident("MEDIUM"), &mut change));
        assert_eq!((notices.waiting.len(), notices.channels[&2].dropped), (NOTICES_MAX, 3));
        notices.waiting.values_mut().next().expect("one").dead = Some("refused".into());
        notices.tell(&incident("MEDIUM"), &mut change);
        assert_eq!((notices.waiting.len(), notices.channels[&2].dropped), (NOTICES_MAX, 3), "a dead one makes room");
        assert!(notices.due(now().micros() + 1).is_some());
    }
}
