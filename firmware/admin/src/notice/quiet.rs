//! When a channel is not disturbed, and what it is told afterwards.
//!
//! What is High is never held back. Anything else waits for the end of the quiet hours and for the next digest, and comes as one message
//! then. It waits on the medium, in the channel's own row, together with the incident that it tells of.
//!
//! **Bounds**: `WINDOWS_MAX` windows; of what is held `HELD_MAX` incidents and `HELD_LEN` octets, the rest is counted.

use policy::{Opening, Window, Zone, opening};
use protocol::incident::IncidentView;
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use crate::problem::Problem;
use crate::words::plain;

/// The most windows of one channel.
const WINDOWS_MAX: usize = 16;
/// The most minutes between two digests: a week.
const DIGEST_MAX: u32 = 7 * 24 * 60;
/// The most incidents that are held back with their words, and their length as JSON in octets.
const HELD_MAX: usize = 20;
const HELD_LEN: usize = 16 << 10;
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
    /// The incidents, each once and as it was last, the oldest first.
    pub incidents: Vec<IncidentView>,
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
        !held.is_empty() && waited && !self.is_quiet(at)
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
        self.incidents.is_empty() && self.more == 0
    }

    /// How many incidents.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.incidents.len() as u64 + self.more
    }

    /// Holds an incident back.
    pub fn put(&mut self, incident: &IncidentView, at: Timestamp) {
        if self.is_empty() {
            self.since = at.micros();
        }
        if let Some(same) = self.incidents.iter_mut().find(|one| one.id == incident.id) {
            same.clone_from(incident);
            return;
        }
        let len: usize = self.incidents.iter().chain([incident]).map(len).sum();
        if self.incidents.len() < HELD_MAX && len <= HELD_LEN {
            self.incidents.push(incident.clone());
        } else {
            self.more += 1;
        }
    }

    /// Lets go of an incident that is told otherwise; whether it was here.
    pub fn take_out(&mut self, incident: u64) -> bool {
        let before = self.incidents.len();
        self.incidents.retain(|one| one.id != incident);
        before != self.incidents.len()
    }

    /// In words, on one line.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} held back: {}", self.count(), self.lines().join("; "))
    }

    /// In words, a line for each that there is room for.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |incident: &IncidentView| {
            format!("{}: {} (incident {})", incident.level, plain(&incident.summary, SUMMARY_MAX), incident.id)
        };
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.incidents.iter().map(line).chain(more).collect()
    }
}

fn len(incident: &IncidentView) -> usize {
    serde_json::to_string(incident).map_or(HELD_LEN, |text| text.len())
}
