//! Alerts that reach people: channels, and what waits for each until its receiver has it.
//!
//! An incident that begins, or that becomes High, is one notice to each channel whose level it has; what follows of the same incident is
//! none. What is not High may be held back and told together. A notice is written together with the incident that it tells of, and goes when its receiver took it; it is tried again with growing pauses,
//! and after a day, or when the receiver will never take it, it is dead and shown.
//!
//! | file | what it holds |
//! |---|---|
//! | `deliver` | what is due goes, and takes its end or its next try |
//! | `quiet` | when a channel is not disturbed, and what waits for it meanwhile |
//! | `webhook`, `syslog`, `eve` | a notice in the form that a receiver expects |
//! | `journal` | the file of EVE lines on the box |
//!
//! **Bounds**: `CHANNELS_MAX` channels, `NOTICES_MAX` notices in all; the oldest dead one goes first, and what finds no room is counted.

mod deliver;
mod eve;
mod journal;
mod quiet;
mod syslog;
#[cfg(test)]
mod tests;
mod webhook;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::incident::IncidentView;
use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::rows::{Change, Kind, Rows, RowsError};

pub use deliver::deliver;
pub use journal::Journal;
pub use quiet::{Held, Quiet};
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
    /// When it is not disturbed.
    #[serde(default)]
    pub quiet: Quiet,
    /// What is held back for it.
    #[serde(default)]
    pub held: Held,
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
    /// The incident as it was; nothing for a try, and for what was held back.
    pub incident: Option<IncidentView>,
    /// What was held back, where it tells of that.
    #[serde(default)]
    pub held: Held,
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
    /// One that is tried at once; its number is given where it is added.
    fn new(channel: u64, incident: Option<IncidentView>, held: Held, text: String, at: Timestamp) -> Self {
        let created = at.micros();
        Self { number: 0, channel, incident, held, text, created, tries: 0, next: created, dead: None }
    }

    /// What it tells of; nothing for a try.
    fn incidents(&self) -> impl Iterator<Item = &IncidentView> {
        self.incident.iter().chain(&self.held.incidents)
    }

    /// `incident`, `digest` or `test`.
    fn kind(&self) -> &'static str {
        match (&self.incident, self.held.is_empty()) {
            (Some(_), _) => "incident",
            (None, false) => "digest",
            (None, true) => "test",
        }
    }

    /// Whether any of that is High.
    fn high(&self) -> bool {
        self.incidents().any(|incident| incident.level == "HIGH")
    }

    /// In words, for a letter.
    fn lines(&self) -> Vec<String> {
        let first = if self.held.is_empty() { self.text.clone() } else { format!("{} held back:", self.held.count()) };
        [first].into_iter().chain(self.held.lines()).chain([self.more()]).collect()
    }

    /// What else a person wants to know.
    fn more(&self) -> String {
        if !self.held.is_empty() {
            return "More on the page, or: picket incidents".into();
        }
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
    /// What is not High may be held back.
    pub fn tell(&mut self, incident: &IncidentView, at: Timestamp, change: &mut Change) {
        let high = incident.level == "HIGH";
        let mut wanted = Vec::new();
        for channel in self.channels.values_mut().filter(|channel| high || !channel.high_only) {
            if !high && channel.quiet.holds(at) {
                channel.held.put(incident, at);
                change.put(Kind::Channel, channel.number, channel);
                continue;
            }
            // It is told now, and not a second time with what was held back.
            if channel.held.take_out(incident.id) {
                change.put(Kind::Channel, channel.number, channel);
            }
            wanted.push(channel.number);
        }
        for channel in wanted {
            let text = format!("{}: {} (incident {})", incident.level, incident.summary, incident.id);
            let notice = Notice::new(channel, Some(incident.clone()), Held::default(), text, at);
            self.add(notice, change);
        }
    }

    /// What was held back goes where its time has come; whether any did.
    fn let_go(&mut self, at: Timestamp, change: &mut Change) -> bool {
        let due = self.channels.values().filter(|channel| channel.quiet.lets_go(&channel.held, at));
        let due: Vec<u64> = due.map(|channel| channel.number).collect();
        let mut any = false;
        for number in due {
            // Without room it stays where it is.
            if !self.has_room(change) {
                break;
            }
            let Some(channel) = self.channels.get_mut(&number) else { continue };
            let held = std::mem::take(&mut channel.held);
            change.put(Kind::Channel, number, channel);
            let text = held.text();
            self.add(Notice::new(number, None, held, text, at), change);
            any = true;
        }
        any
    }

    /// Somebody tries a channel; quiet hours do not count.
    pub fn try_out(&mut self, channel: u64, at: Timestamp, change: &mut Change) {
        let text = "This is a message to try whether this channel works.".into();
        self.add(Notice::new(channel, None, Held::default(), text, at), change);
    }

    /// Adds a notice to its channel; without room it is counted there.
    fn add(&mut self, mut notice: Notice, change: &mut Change) {
        if !self.has_room(change) {
            if let Some(channel) = self.channels.get_mut(&notice.channel) {
                channel.dropped += 1;
                change.put(Kind::Channel, channel.number, channel);
            }
            return;
        }
        notice.number = self.waiting.last_key_value().map_or(notice.created, |(last, _)| notice.created.max(last + 1));
        change.put(Kind::Notice, notice.number, &notice);
        self.waiting.insert(notice.number, notice);
    }

    /// Whether one more notice has room; the oldest dead one goes for it.
    fn has_room(&mut self, change: &mut Change) -> bool {
        if self.waiting.len() < NOTICES_MAX {
            return true;
        }
        let dead = self.waiting.values().find(|notice| notice.dead.is_some()).map(|notice| notice.number);
        let Some(dead) = dead else { return false };
        self.waiting.remove(&dead);
        change.remove(Kind::Notice, dead);
        true
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
