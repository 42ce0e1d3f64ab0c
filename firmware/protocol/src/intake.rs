//! What is asked of the intake's process, and what it says: what hosts say of their users, and how much of it was dropped.
//!
//! The frames are those of [`link`](crate::link). The gateway hands questions on and understands nothing of the answers.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::link::ServerKey;
use crate::{Request, Response};

/// The longest message from the intake's process, in octets.
pub const FROM_INTAKE_MAX: usize = 8 << 20;
/// The longest message to it, in octets: a batch fits whose every other octet has to be escaped.
pub const TO_INTAKE_MAX: usize = 4 << 20;
/// The longest batch of an enrolled source, in octets.
pub const BATCH_MAX: usize = 1 << 20;
/// The most lines of a batch that are looked at.
pub const BATCH_LINES: usize = 5_000;
/// The most records that one question can ask for.
pub const ACTIVITY_MAX: u32 = 500;
/// The longest text of a rule, in octets.
pub const RULE_MAX: usize = 16 << 10;
/// The longest word of a question, in octets.
pub const WORD_MAX: usize = 1_024;

/// What the gateway tells its intake process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ToIntake {
    /// The first message: where to listen.
    Start(IntakeStart),
    /// With what TLS is served from now on; until the first one nobody is served.
    Key(ServerKey),
    /// A question: one of `Activity`, `ActivityCount`, `ActivityTest`, `Sources`, `Subjects`, `SubjectName`, `Logs` and `SourceGone`.
    Ask(u64, Request),
}

/// What the intake process needs to know before it gives up its rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeStart {
    /// Where syslog comes in as datagrams.
    pub syslog_udp: Vec<SocketAddr>,
    /// Where syslog comes in over connections.
    pub syslog_tcp: Vec<SocketAddr>,
    /// The same over TLS.
    #[serde(default)]
    pub syslog_tls: Vec<SocketAddr>,
    /// The folder that it owns; made if it is not there.
    pub folder: String,
    /// As whom it runs from then on; nobody else may have this number.
    pub uid: u32,
    /// The oldest activity that is kept, in seconds.
    pub max_age: u64,
    /// The most activity that is kept, in octets on the medium.
    pub max_octets: u64,
    /// An agent that says nothing for so many seconds is told as silent.
    pub silent_after: u64,
    /// Whether pseudonyms stand for people's names in all that it tells.
    #[serde(default)]
    pub pseudonyms: bool,
}

/// What the intake process tells the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FromIntake {
    /// It listens; what holds it.
    Ready(Vec<String>),
    /// What is not as it should be.
    Warnings(Vec<String>),
    /// An answer.
    Answer(u64, Response),
    /// A rule found something in what came just now.
    Found(FoundView),
}

/// Which activity is wanted; what is not named is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityAsk {
    /// A part of the message.
    pub text: Option<String>,
    /// The account.
    pub subject: Option<String>,
    /// The device, by the name that it claims or the address that it came from.
    pub device: Option<String>,
    /// What was done: `login`, `rights raised`, ...
    pub action: Option<String>,
    /// Not before this moment, in seconds since the epoch.
    pub since: Option<f64>,
    /// Before this moment, in seconds since the epoch.
    pub until: Option<f64>,
    /// Numbers below this one.
    pub before: Option<u64>,
    /// At most so many, the newest.
    pub limit: u32,
}

/// What an enrolled source tells at a time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogsBatch {
    /// The number of the source's enrolment.
    pub sender: u64,
    /// The name under which it was enrolled.
    pub name: String,
    /// From which address it tells.
    pub from: IpAddr,
    /// A JSON object, an array of them, or one a line.
    pub text: String,
}

impl std::fmt::Debug for LogsBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogsBatch {{ {}, {} octets }}", self.name, self.text.len())
    }
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogsTaken {
    /// Records that are stored, and on the medium.
    pub accepted: u64,
    /// Records that are not.
    pub refused: u64,
    /// Those, by reason; `told before` are stored already.
    pub refused_for: BTreeMap<String, u64>,
    /// For a source that numbers what it tells: up to this number nothing needs to be told again.
    pub through: Option<u64>,
}

/// A person's account as hosts name it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectView<At = f64> {
    /// Its name.
    pub id: String,
    /// The devices that told of it, at most 16.
    pub devices: Vec<String>,
    /// The addresses from which it was used, at most 16.
    pub addresses: Vec<String>,
    /// The first record that is remembered.
    pub first_seen: At,
    /// The newest.
    pub last_seen: At,
    /// Records.
    pub records: u64,
    /// Those of acts that failed.
    pub failed: u64,
    /// Records by what was done.
    pub actions: BTreeMap<String, u64>,
    /// Log-ins and raised rights by hour of the day, UTC: 24 counts.
    pub hours: Vec<u32>,
    /// Days with a record.
    pub days: u32,
    /// The most files that it read in a day.
    pub busiest_day: u64,
    /// What speaks for all that: `token`, or `unproven` where plain syslog has a part in it.
    pub proof: String,
}

/// Which rule is to be tried on what is stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestAsk {
    /// Its name: one that the binary carries, or any for a text.
    pub name: String,
    /// Its file's text; nothing takes the one that the binary carries.
    pub text: Option<String>,
    /// Not before this moment, in seconds since the epoch.
    pub since: Option<f64>,
    /// Before this moment, in seconds since the epoch.
    pub until: Option<f64>,
}

/// What an insider rule found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundView {
    /// The rule's name.
    pub rule: String,
    /// What it finds, as a heading.
    pub title: String,
    /// `MEDIUM` or `HIGH`, as the rule says.
    pub level: String,
    /// What it adds to a risk.
    pub weight: u8,
    /// The account or the address that it is about.
    pub about: String,
    /// The address that the record came from which completed it.
    pub source: String,
    /// When the first record of its last step came.
    pub since: f64,
    /// When it was complete.
    pub at: f64,
    /// The record that completed it.
    pub activity: u64,
    /// What speaks for it: the weakest of its records.
    pub proof: String,
    /// What happened, in words.
    pub words: String,
    /// What a person does about it.
    pub next: String,
}

/// One thing that a host says was done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityView {
    /// Its number, counting up.
    pub id: u64,
    /// When it came.
    pub at: f64,
    /// When it was, as its source claims.
    pub claimed: Option<f64>,
    /// The address that it came from.
    pub source: String,
    /// The host's name, as its source claims.
    pub device: String,
    /// The account that did it.
    pub subject: String,
    /// What was done.
    pub action: String,
    /// To what or whom.
    pub object: String,
    /// `done`, `failed` or `unknown`.
    pub result: String,
    /// From which address it was done.
    pub address: Option<String>,
    /// What speaks for it: `unproven` is the address alone.
    pub proof: String,
    /// The program that says it.
    pub program: String,
    /// Facility times eight and severity.
    pub priority: u8,
    /// Whether the message was longer than what is kept.
    pub cut: bool,
    /// The message.
    pub text: String,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountView {
    /// Records.
    pub count: u64,
}

/// One address that sent something since the intake was started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceView {
    /// The address; `kernel` for what nobody could read any more, `others` for addresses beyond those that are told apart.
    pub source: String,
    /// How it sends: `udp`, `tcp`, `tls`, `https`.
    pub transports: Vec<String>,
    /// What speaks for what it says.
    pub proof: String,
    /// Connections now.
    pub connections: u32,
    /// Lines that came.
    pub received: u64,
    /// Octets of them.
    pub octets: u64,
    /// Lines that are stored.
    pub stored: u64,
    /// Lines that came and are not stored.
    pub dropped: u64,
    /// Those, by reason.
    pub dropped_for: BTreeMap<String, u64>,
    /// Connections that were refused.
    pub refused: u64,
    /// When the first came.
    pub first_seen: f64,
    /// When the last came.
    pub last_seen: f64,
    /// The number of its enrolment; nothing for plain syslog.
    pub enrolled: Option<u64>,
    /// The address that an enrolled source told from last.
    pub address: Option<String>,
    /// Whether it is an agent that numbers its lines.
    pub agent: bool,
    /// Lines of an agent that never came.
    pub lost: u64,
    /// Whether an agent has said nothing for longer than it should.
    pub silent: bool,
}

impl ActivityAsk {
    /// Whether it is within its bounds.
    ///
    /// # Errors
    /// The text says what is not.
    pub fn checked(&self) -> Result<(), String> {
        let words =
            [("text", &self.text), ("subject", &self.subject), ("device", &self.device), ("action", &self.action)];
        for (name, word) in words {
            if word.as_ref().is_some_and(|word| word.len() > WORD_MAX) {
                return Err(format!("{name} is longer than {WORD_MAX} octets"));
            }
        }
        if self.limit > ACTIVITY_MAX {
            return Err(format!("limit is {}; at most {ACTIVITY_MAX} records can be asked for at a time", self.limit));
        }
        Ok(())
    }
}

impl TestAsk {
    /// Whether it is within its bounds.
    ///
    /// # Errors
    /// The text says what is not.
    pub fn checked(&self) -> Result<(), String> {
        match &self.text {
            Some(text) if text.len() > RULE_MAX => Err(format!("the rule is longer than {} KiB", RULE_MAX >> 10)),
            _ if self.name.len() > WORD_MAX => Err(format!("the rule's name is longer than {WORD_MAX} octets")),
            _ => Ok(()),
        }
    }
}
