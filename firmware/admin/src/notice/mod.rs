//! Alerts that reach people: channels, and what waits for each until its receiver has it.
//!
//! An incident that begins, or that becomes High, is one notice to each channel that wants its family and level; what follows of the same
//! incident is none. Beside incidents there are matters: a new device, a lost link, a full store. What is not High may be held back and told
//! together, and is where there is much of it. A notice is written together with the incident that it tells of, and goes when its receiver
//! took it; it is tried again with growing pauses, and after a day, or when the receiver will never take it, it is dead and shown.
//!
//! | file | what it holds |
//! |---|---|
//! | `deliver` | what is due goes, and takes its end or its next try; several channels at a time |
//! | `matter` | what is told of beside incidents, by families |
//! | `watch` | what of the gateway's events and of the box's state is such a matter |
//! | `quiet` | when a channel is not disturbed, and what waits for it meanwhile |
//! | `webhook`, `syslog`, `eve` | a notice in the form that a receiver expects |
//! | `journal` | the file of EVE lines on the box |
//!
//! **Bounds**: `CHANNELS_MAX` channels, `NOTICES_MAX` notices in all; the oldest dead one goes first, and what finds no room is counted.

mod deliver;
mod eve;
mod journal;
mod matter;
mod quiet;
mod syslog;
#[cfg(test)]
mod tests;
mod watch;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::incident::IncidentView;
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use crate::rows::{Change, Kind, Rows, RowsError};

pub use deliver::deliver;
pub use journal::Journal;
pub use matter::{Family, Matter};
pub use quiet::{Held, Quiet};
pub use watch::{Heard, Watch};
pub use webhook::Preset;

use matter::{Recent, told};

/// The most channels that a box keeps.
pub const CHANNELS_MAX: usize = 16;
/// The most notices that wait or are dead.
const NOTICES_MAX: usize = 500;
/// The first and the longest pause after a failure, and for how long a notice is tried. **Units**: seconds.
const PAUSES: (u64, u64, u64) = (1, 3_600, 86_400);
/// Notices on their way at a time, and how many of them to receivers that failed the last time.
const TOGETHER: usize = protocol::POSTS_MAX;
const FAILING: usize = TOGETHER - 1;

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
    /// What it hears of.
    #[serde(default = "usual")]
    pub families: BTreeSet<Family>,
    /// How much of each it was told lately.
    #[serde(default)]
    pub recent: BTreeMap<Family, Recent>,
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
    /// What it tells of that is no incident.
    #[serde(default)]
    pub matter: Option<Matter>,
    /// Where the page tells more; empty where that is not known.
    #[serde(default)]
    pub link: String,
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
    /// The channels that something is on its way to.
    busy: BTreeSet<u64>,
}

/// What a channel hears of that was made before there was a choice.
fn usual() -> BTreeSet<Family> {
    Family::USUAL.into()
}

/// What is told at a time.
#[derive(Clone, Copy)]
enum Tale<'t> {
    /// An incident, with where the page tells more.
    Incident(&'t IncidentView, &'t str),
    /// Anything else.
    Matter(&'t Matter),
}

impl Tale<'_> {
    fn is_high(self) -> bool {
        match self {
            Self::Incident(incident, _) => incident.level == "HIGH",
            Self::Matter(matter) => matter.level == "HIGH",
        }
    }

    fn notice(self, channel: u64, at: Timestamp) -> Notice {
        match self {
            Self::Incident(incident, link) => {
                let text = format!("{}: {} (incident {})", incident.level, incident.summary, incident.id);
                Notice { incident: Some(incident.clone()), link: link.into(), ..Notice::new(channel, text, at) }
            }
            Self::Matter(matter) => Notice {
                link: matter.link.clone(),
                matter: Some(matter.clone()),
                ..Notice::new(channel, matter.line(), at)
            },
        }
    }
}

impl Channel {
    /// Whether its last try failed.
    fn fails(&self) -> bool {
        !self.trouble.is_empty()
    }

    /// Until when a tale that is not High waits, in microseconds; nothing where it goes at once.
    fn holds(&mut self, family: Family, at: Timestamp) -> Option<u64> {
        if self.quiet.holds(at) {
            self.held.limited = true;
            return Some(0);
        }
        // One of a group that waits already is no further message.
        if family.gathered() > Span::ZERO && self.held.has(family) {
            return Some(0);
        }
        let end = self.recent.entry(family).or_default().count(family, at);
        self.held.limited |= end.is_some();
        let together = (family.gathered() > Span::ZERO).then(|| at.micros() + family.gathered().micros());
        end.or(together)
    }
}

impl Notice {
    /// One that is tried at once; its number is given where it is added.
    fn new(channel: u64, text: String, at: Timestamp) -> Self {
        let (created, held, link) = (at.micros(), Held::default(), String::new());
        Self {
            number: 0,
            channel,
            incident: None,
            matter: None,
            link,
            held,
            text,
            created,
            tries: 0,
            next: created,
            dead: None,
        }
    }

    /// The incidents that it tells of.
    fn incidents(&self) -> impl Iterator<Item = &IncidentView> {
        self.incident.iter().chain(&self.held.incidents)
    }

    /// What else it tells of.
    fn matters(&self) -> impl Iterator<Item = &Matter> {
        self.matter.iter().chain(&self.held.matters)
    }

    /// `incident`, `digest`, `test`, or the family of what it tells of.
    fn kind(&self) -> &'static str {
        match (&self.incident, &self.matter, self.held.is_empty()) {
            (Some(_), ..) => "incident",
            (None, Some(matter), _) => matter.family.as_str(),
            (None, None, false) => "digest",
            (None, None, true) => "test",
        }
    }

    /// Whether any of that is High.
    fn high(&self) -> bool {
        self.incidents()
            .map(|incident| &incident.level)
            .chain(self.matters().map(|matter| &matter.level))
            .any(|level| level == "HIGH")
    }

    /// In words, for a letter.
    fn lines(&self) -> Vec<String> {
        let first = if self.held.is_empty() { self.text.clone() } else { self.held.heading() };
        [first].into_iter().chain(self.held.lines()).chain([self.more()]).collect()
    }

    /// What else a person wants to know.
    fn more(&self) -> String {
        let page = if self.link.is_empty() { String::from("on the page") } else { self.link.clone() };
        if !self.held.is_empty() {
            return format!("More: {page}, or: picket incidents");
        }
        if let Some(matter) = &self.matter {
            return format!("{} More: {page}", matter.done);
        }
        self.incident.as_ref().map_or_else(
            || "Nothing happened: somebody tries this channel.".into(),
            |incident| {
                let done = if incident.blocked { "A host was blocked." } else { "Nothing was blocked." };
                format!(
                    "Since {} (UTC), {} events. {done} More: {page}, or: picket incidents {}",
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
            busy: BTreeSet::new(),
        }))
    }

    /// An incident began, or became High: every channel that wants to know has a notice, in the change that tells of the incident.
    /// What is not High may be held back.
    pub fn tell(&mut self, incident: &IncidentView, family: Family, link: &str, at: Timestamp, change: &mut Change) {
        self.spread(Tale::Incident(incident, link), family, None, at, change);
    }

    /// The same of a matter; a channel that is the matter itself is left out.
    pub fn tell_matter(&mut self, matter: &Matter, except: Option<u64>, at: Timestamp, change: &mut Change) {
        self.spread(Tale::Matter(matter), matter.family, except, at, change);
    }

    fn spread(&mut self, tale: Tale<'_>, family: Family, except: Option<u64>, at: Timestamp, change: &mut Change) {
        let high = tale.is_high();
        let mut wanted = Vec::new();
        let wants = |channel: &&mut Channel| {
            (high || !channel.high_only) && channel.families.contains(&family) && except != Some(channel.number)
        };
        for channel in self.channels.values_mut().filter(wants) {
            let before = channel.recent.get(&family).copied();
            if let Some(until) = if high { None } else { channel.holds(family, at) } {
                channel.held.put(tale, until, at);
                change.put(Kind::Channel, channel.number, channel);
                continue;
            }
            // It is told now, and not a second time with what was held back.
            let out = matches!(tale, Tale::Incident(incident, _) if channel.held.take_out(incident.id));
            if out || before != channel.recent.get(&family).copied() {
                change.put(Kind::Channel, channel.number, channel);
            }
            wanted.push(channel.number);
        }
        for channel in wanted {
            self.add(tale.notice(channel, at), change);
        }
    }

    /// The same happened again to what waits in a group; what left already is not told again.
    pub fn tell_again(&mut self, family: Family, about: &str, change: &mut Change) {
        for channel in self.channels.values_mut() {
            if channel.held.again(family, about) {
                change.put(Kind::Channel, channel.number, channel);
            }
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
            self.add(held.notice(number, at), change);
            any = true;
        }
        any
    }

    /// Somebody tries a channel; quiet hours do not count.
    pub fn try_out(&mut self, channel: u64, at: Timestamp, change: &mut Change) {
        let text = "This is a message to try whether this channel works.".into();
        self.add(Notice::new(channel, text, at), change);
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

    /// What is due, with where it goes: of a channel that is not busy, one whose last try failed after those that work, so that receivers that
    /// hang hold up nobody but themselves. The channel is busy until its notice is settled.
    fn due(&mut self, now: u64) -> Option<(Notice, Channel)> {
        // What lies far in the future was put there before the clock was set back.
        let due = |notice: &&Notice| {
            notice.dead.is_none()
                && !self.busy.contains(&notice.channel)
                && (notice.next <= now || notice.next > now + 2 * PAUSES.1 * 1_000_000)
        };
        let due = self.waiting.values().filter(due);
        let found = due.filter_map(|notice| Some((notice, self.channels.get(&notice.channel)?)));
        let failing = self.busy.iter().filter(|busy| self.channels.get(*busy).is_some_and(Channel::fails)).count();
        let found = found.filter(|(_, channel)| !channel.fails() || failing < FAILING);
        let (notice, channel) = found.min_by_key(|(notice, channel)| (channel.fails(), notice.number))?;
        let found = (notice.clone(), channel.clone());
        self.busy.insert(found.1.number);
        Some(found)
    }
}

/// The notices of an office, for as long as the guard lives.
pub fn lock(notices: &Mutex<Notices>) -> MutexGuard<'_, Notices> {
    notices.lock().unwrap_or_else(PoisonError::into_inner)
}
