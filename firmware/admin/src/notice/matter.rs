//! What a notice tells of beside an incident, and the family that it belongs to.

use protocol::incident::IncidentView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use crate::words::plain;

/// The longest text of a matter, in characters.
const TEXT_MAX: usize = 400;

/// What a channel hears of: each family is chosen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// An incident that begins, or becomes High.
    Incident,
    /// An agent that has fallen silent, was stopped, or lost lines.
    Agent,
    /// A device on another's address, or that speaks with another's hardware address.
    Conflict,
    /// A link that passes nothing any more, and its return.
    Link,
    /// A store that takes nothing any more, or a medium that is nearly full.
    Store,
    /// Another channel that does not deliver.
    Channel,
    /// A device that was never seen before.
    Device,
    /// What the policy denied a device.
    Denied,
}

/// How many of one family a channel is told in a window before more are gathered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// When the window began, in microseconds.
    since: u64,
    /// How many were told in it.
    count: u32,
}

/// Who a matter is about, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What the device is called.
    pub name: String,
    /// Its hardware address.
    pub mac: String,
    /// Its address.
    pub address: String,
    /// Whose it is.
    pub owner: String,
}

/// One thing that people should know and that is no incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    /// Its family.
    pub family: Family,
    /// What it is about, so that the same is gathered: a device's number, a link, a channel.
    pub about: String,
    /// `MEDIUM`, or `HIGH`, which no quiet hours hold back.
    pub level: String,
    /// What happened.
    pub text: String,
    /// What Picket did.
    pub done: String,
    /// Who it is about.
    pub who: Identity,
    /// Where the page tells more; empty where that is not known.
    pub link: String,
    /// How often the same happened again until this left.
    pub again: u32,
}

impl Family {
    /// What a channel hears of for which nobody chose.
    pub const USUAL: [Self; 5] = [Self::Incident, Self::Agent, Self::Conflict, Self::Link, Self::Store];
    /// How long those of one family are counted together.
    const WINDOW: Span = Span::from_secs(3_600);
    /// How long one of a family that comes in groups waits for others.
    const GATHERED: Span = Span::from_secs(30);

    /// In one word, as it is written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Agent => "agent",
            Self::Conflict => "conflict",
            Self::Link => "link",
            Self::Store => "store",
            Self::Channel => "channel",
            Self::Device => "device",
            Self::Denied => "denied",
        }
    }

    /// How many of it that are not High a channel is told in an hour; more are gathered.
    const fn most(self) -> u32 {
        match self {
            Self::Incident | Self::Agent => 60,
            Self::Conflict | Self::Link | Self::Store | Self::Channel | Self::Device | Self::Denied => 6,
        }
    }

    /// For how long one of it waits for others in any case.
    pub(super) const fn gathered(self) -> Span {
        match self {
            Self::Device | Self::Denied => Self::GATHERED,
            _ => Span::ZERO,
        }
    }

    /// The family of an incident: what hosts' agents do not say any more is apart from what they say.
    #[must_use]
    pub fn of<'d>(detectors: impl Iterator<Item = &'d str>) -> Self {
        let agent = |detector: &str| {
            matches!(detector, "insider:agent-silent" | "insider:watch-stopped" | "insider:lines-lost")
        };
        let mut any = false;
        let all = detectors.inspect(|_| any = true).all(agent);
        if any && all { Self::Agent } else { Self::Incident }
    }
}

impl Recent {
    /// Counts one more; when the window ends, if this one is too many for it.
    pub(super) fn count(&mut self, family: Family, at: Timestamp) -> Option<u64> {
        // A clock that was set back begins another window.
        if at.micros().abs_diff(self.since) >= Family::WINDOW.micros() {
            *self = Self { since: at.micros(), count: 0 };
        }
        if self.count >= family.most() {
            return Some(self.since + Family::WINDOW.micros());
        }
        self.count += 1;
        None
    }
}

impl Matter {
    /// One of this family about this, in words.
    #[must_use]
    pub fn new(family: Family, about: impl Into<String>, text: &str, done: &str) -> Self {
        let (text, done) = (plain(text, TEXT_MAX), done.to_owned());
        let (level, link, who) = ("MEDIUM".into(), String::new(), Identity::default());
        Self { family, about: about.into(), level, text, done, who, link, again: 0 }
    }

    /// In words, on one line: who, what, how often.
    #[must_use]
    pub fn line(&self) -> String {
        let again = if self.again > 0 { format!(" (and {} times more)", self.again) } else { String::new() };
        format!("{}: {}{}{again}", self.level, self.text, self.who.words())
    }
}

impl Identity {
    /// Behind a text: ` [name, address, hardware address, of owner]`.
    fn words(&self) -> String {
        let owner = if self.owner.is_empty() { String::new() } else { format!("of {}", self.owner) };
        let known: Vec<&str> = [&self.name, &self.address, &self.mac, &owner]
            .into_iter()
            .map(String::as_str)
            .filter(|word| !word.is_empty())
            .collect();
        if known.is_empty() { String::new() } else { format!(" [{}]", known.join(", ")) }
    }
}

/// An incident in words, on one line.
#[must_use]
pub fn told(incident: &IncidentView, max: usize) -> String {
    format!("{}: {} (incident {})", incident.level, plain(&incident.summary, max), incident.id)
}
