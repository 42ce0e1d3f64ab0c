//! When a channel is not disturbed, and what it is told afterwards.
//!
//! What is High is never held back. Anything else waits for the end of the quiet hours and for the next digest, and comes as one message
//! then. It waits on the medium, in the channel's own row, together with the incident that it tells of.
//!
//! **Bounds**: `WINDOWS_MAX` windows; of what is held `HELD_MAX` incidents and matters and `HELD_LEN` octets, the rest is counted.

use policy::{Opening, Window, Zone, opening};
use protocol::incident::IncidentView;
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use super::{Family, Matter, Notice, Tale, told};
use crate::problem::Problem;

/// The most windows of one channel.
const WINDOWS_MAX: usize = 16;
/// The most minutes between two digests: a week.
const DIGEST_MAX: u32 = 7 * 24 * 60;
/// The most incidents that are held back with their words, and their length as JSON in octets.
const HELD_MAX: usize = 20;
const HELD_LEN: usize = 16 << 10;
/// Longer than this nothing waits for its family alone; what lies farther away was put there before the clock was set back.
const UNTIL_MAX: Span = Span::from_secs(3_600);
/// The most characters of an incident in words: some chats take no more than 4,096 of a message.
const SUMMARY_MAX: usize = 120;
/// Longer than this no weekly window is open, unless it never ends: a week less a minute, and the hour of a clock's change.
const LONGEST: Span = Span::from_secs(7 * 24 * 3_600 + 3_600);

/// When a channel hears only of High, and how often of anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Weekly windows; none means never quiet.
    pub windows: Vec<String>,
    /// The zone of their times, by its name in the IANA database.
    pub zone: String,
    /// Minutes from the first thing that is held back to the message that tells of all; 0 means that nothing is gathered.
    pub digest: u32,
}

/// What was held back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Since when, in microseconds.
    pub since: u64,
    /// Until when in any case, in microseconds; 0 where nothing says so.
    #[serde(default)]
    pub until: u64,
    /// Whether anything was held back that would have gone otherwise; what only came together was not.
    #[serde(default)]
    pub limited: bool,
    /// The incidents, each once and as it was last, the oldest first.
    pub incidents: Vec<IncidentView>,
    /// What else, the same once, the oldest first.
    #[serde(default)]
    pub matters: Vec<Matter>,
    /// Where the page tells more.
    #[serde(default)]
    pub link: String,
    /// How many more there were.
    pub more: u64,
}

impl Quiet {
    /// Checks what somebody wrote.
    ///
    /// # Errors
    /// 422 with the field: a window that is none or never ends, a zone that nobody knows, too long a pause.
    pub fn new(windows: Vec<String>, zone: &str, digest: u32, now: Timestamp) -> Result<Self, Problem> {
        let zone = Zone::named(zone)
            .ok_or_else(|| Problem::field("time_zone", "is no time zone; take one such as Europe/Berlin"))?;
        if windows.len() > WINDOWS_MAX {
            return Err(Problem::field("quiet", format!("takes at most {WINDOWS_MAX} windows")));
        }
        let read = windows.iter().map(|window| Window::read(window)).collect::<Result<Vec<_>, _>>();
        let read = read.map_err(|why| Problem::field("quiet", why))?;
        let ends = |end: Timestamp| end.micros().saturating_sub(now.micros()) <= LONGEST.micros();
        if !read.is_empty() && matches!(opening(&read, &zone, now), Opening::Open(end) if !end.is_some_and(ends)) {
            return Err(Problem::field("quiet", "never ends: together the windows take the whole week"));
        }
        if digest > DIGEST_MAX {
            return Err(Problem::field("digest_minutes", format!("takes 0 to {DIGEST_MAX}")));
        }
        let windows = read.iter().map(Window::to_string).collect();
        Ok(Self { windows, zone: zone.name().to_owned(), digest })
    }

    /// Whether what is not High waits at a moment.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.digest > 0 || self.is_quiet(at)
    }

    /// Whether what was held back may go at a moment.
    #[must_use]
    pub fn lets_go(&self, held: &Held, at: Timestamp) -> bool {
        // Of a clock that was set back: what lies in the future has waited as long as what lies in the past.
        let waited = at.micros().abs_diff(held.since) >= u64::from(self.digest) * 60_000_000;
        let wait = held.until.saturating_sub(at.micros());
        !held.is_empty() && waited && !(1..=UNTIL_MAX.micros()).contains(&wait) && !self.is_quiet(at)
    }

    fn is_quiet(&self, at: Timestamp) -> bool {
        let windows: Option<Vec<_>> = self.windows.iter().map(|window| Window::read(window).ok()).collect();
        let (Some(windows), Some(zone)) = (windows, Zone::named(&self.zone)) else {
            // What an earlier version took and this one cannot read holds nothing back: too early is better than never.
            return false;
        };
        !windows.is_empty() && matches!(opening(&windows, &zone, at), Opening::Open(_))
    }
}

impl Held {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty() && self.matters.is_empty() && self.more == 0
    }

    /// How many incidents and matters.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.incidents.len() + self.matters.len()) as u64 + self.more
    }

    /// Whether a matter of a family waits.
    pub(super) fn has(&self, family: Family) -> bool {
        self.matters.iter().any(|matter| matter.family == family)
    }

    /// Holds a tale back, until a moment in any case.
    pub(super) fn put(&mut self, tale: Tale<'_>, until: u64, at: Timestamp) {
        if self.is_empty() {
            self.since = at.micros();
        }
        self.until = self.until.max(until);
        let room = self.incidents.len() + self.matters.len() < HELD_MAX;
        let taken: usize = self.incidents.iter().map(len).sum::<usize>() + self.matters.iter().map(len).sum::<usize>();
        match tale {
            Tale::Incident(incident, link) => {
                if let Some(same) = self.incidents.iter_mut().find(|one| one.id == incident.id) {
                    same.clone_from(incident);
                } else if room && taken + len(incident) <= HELD_LEN {
                    self.incidents.push(incident.clone());
                } else {
                    self.more += 1;
                }
                link.clone_into(&mut self.link);
            }
            Tale::Matter(matter) => {
                if self.again(matter.family, &matter.about) {
                    // What is new about it is its newest words.
                } else if room && taken + len(matter) <= HELD_LEN {
                    self.matters.push(matter.clone());
                } else {
                    self.more += 1;
                }
                self.link.clone_from(&matter.link);
            }
        }
    }

    /// Counts that the same happened again; whether it waits.
    pub(super) fn again(&mut self, family: Family, about: &str) -> bool {
        let same = self.matters.iter_mut().find(|one| one.family == family && one.about == about);
        same.map(|same| same.again += 1).is_some()
    }

    /// Lets go of an incident that is told otherwise; whether it was here.
    pub fn take_out(&mut self, incident: u64) -> bool {
        let before = self.incidents.len();
        self.incidents.retain(|one| one.id != incident);
        before != self.incidents.len()
    }

    /// The notice of all of it: of a single matter it is that one's own.
    pub(super) fn notice(self, channel: u64, at: Timestamp) -> Notice {
        match &self.matters[..] {
            [only] if self.count() == 1 => Tale::Matter(only).notice(channel, at),
            _ => Notice { link: self.link.clone(), held: self.clone(), ..Notice::new(channel, self.text(), at) },
        }
    }

    /// How many, in words.
    pub(super) fn heading(&self) -> String {
        let how = if self.limited || !self.incidents.is_empty() { "held back" } else { "together" };
        format!("{} {how}:", self.count())
    }

    /// In words, on one line.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}", self.heading(), self.lines().join("; "))
    }

    /// In words, a line for each that there is room for.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let incidents = self.incidents.iter().map(|incident| told(incident, SUMMARY_MAX));
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        incidents.chain(self.matters.iter().map(Matter::line)).chain(more).collect()
    }
}

fn len(one: &impl Serialize) -> usize {
    serde_json::to_string(one).map_or(HELD_LEN, |text| text.len())
}
