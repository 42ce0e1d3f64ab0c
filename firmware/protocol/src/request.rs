//! What is asked over the control socket and how it is answered.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use policy::device::Said;
use policy::{DeviceState, Flow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use terms::{BlockState, Family, HostKey, MacAddr, Posture, ThreatLevel};

use crate::access::AccessAsk;
use crate::certificate::CertificateAsk;
use crate::intake::{ActivityAsk, BATCH_MAX, LogsBatch, TestAsk};
use crate::mail::MailOrder;
use crate::post::PostOrder;
use crate::report::ReportAsk;
use crate::series::{Reach, Topic};
use crate::source::SourceAsk;

/// The longest request, in octets with its line end.
///
/// A whole policy fits, with its quotes escaped.
pub const REQUEST_MAX: usize = 8 << 20;
/// The longest response, in octets with its line end.
pub const RESPONSE_MAX: usize = 64 << 20;
/// The most events that one request can ask for.
pub const EVENTS_MAX: u32 = 1_000;
/// The most hosts among which one request can ask for events.
pub const AMONG_MAX: usize = 4_096;
/// The longest reason for a block, in octets.
pub const WHY_MAX: usize = 500;
/// The longest forest that is sent along, in octets of its base 64; a file that may vote is shorter.
pub const MODEL_TEXT_MAX: usize = 1 << 20;

/// What a command asks of the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The totals: answered by one `StatusView`.
    Status,
    /// The hosts being watched: answered by an array of `HostView`.
    Hosts,
    /// What was found and done, oldest first: answered by an array of `EventView`.
    Events {
        /// At most so many, the newest.
        limit: u32,
        /// Only those after this many seconds since the epoch.
        since: Option<f64>,
    },
    /// The newest events that are wanted with a number below this one: answered by an `EventPage`.
    EventsBefore {
        /// The number; the newest of all where there is none.
        before: Option<u64>,
        /// At most so many.
        limit: u32,
        /// Which; all where nothing is said.
        #[serde(default)]
        wanted: EventsWanted,
    },
    /// The oldest events with a number above this one, oldest first: answered by an array of `EventView`.
    EventsAfter {
        /// The number.
        after: u64,
        /// At most so many.
        limit: u32,
    },
    /// One event with its frames: answered by one `EventDetail`.
    Event {
        /// Its number.
        id: u64,
    },
    /// What devices did, newest first: answered by a `FlowPage`.
    Flows {
        /// Those with a number below this one; the newest where there is none.
        before: Option<u64>,
        /// At most so many.
        limit: u32,
        /// Which; all where nothing is said.
        #[serde(default)]
        wanted: FlowsWanted,
    },
    /// The same by the thousand, newest first: answered by a `FlowLots`.
    FlowLots {
        /// Those before this number; the newest where there is none.
        before: Option<u64>,
    },
    /// What was counted over time: answered by a `SeriesView`.
    Series {
        /// How far back.
        reach: Reach,
        /// Of what.
        topic: Topic,
    },
    /// The blocks in force: answered by an array of `BlockView`.
    Blocks,
    /// Blocks a host: answered by the `BlockView` once the kernel holds it.
    Block {
        /// Whom.
        #[serde(with = "host_text")]
        host: HostKey,
        /// For how long; the configured time if absent.
        for_secs: Option<u64>,
        /// Why, for those who read the list later.
        why: String,
    },
    /// What is known of a host and why it stands where it does: answered by an `ExplainView`.
    Explain {
        /// Whom.
        #[serde(with = "host_text")]
        host: HostKey,
    },
    /// Says of an event that it was right, or a false alarm: answered by the `FeedbackView`.
    Feedback {
        /// The event's number.
        id: u64,
        /// Whether it was right.
        right: bool,
        /// For how long a false alarm quiets its family for its host.
        for_secs: u64,
    },
    /// Takes back what was said of an event: answered by the `FeedbackView` that was.
    Unsay {
        /// The event's number.
        id: u64,
    },
    /// Makes an account a superadmin with a new one-time code, at the console: answered by the code.
    Recover {
        /// Its e-mail address; one that has no account gets one.
        email: String,
    },
    /// Requests for access, which the API process keeps.
    Access(AccessAsk),
    /// Audit records after this number, oldest first: answered by an array of lines.
    Audit {
        /// The number.
        after: u64,
        /// At most so many.
        limit: u32,
    },
    /// The signed end of an audit export whose last record has this number: answered by a line.
    AuditTrailer {
        /// The number.
        last: u64,
    },
    /// All that was said of events: answered by an array of `FeedbackView`.
    Feedbacks,
    /// The policy in force: answered by a `PolicyView`.
    Policy,
    /// A version of the policy: answered by a `VersionView`.
    PolicyVersion {
        /// Its number.
        version: u64,
    },
    /// Every version that is kept, oldest first: answered by an array of `VersionView`.
    PolicyHistory,
    /// Puts a policy in force: answered by a `PolicyView` once the kernel holds it.
    PolicyApply {
        /// As text.
        text: String,
        /// For how long it holds unless it is confirmed; for good if absent.
        within_secs: Option<u64>,
        /// Who applies it.
        author: String,
        /// Why.
        why: String,
        /// Whether it may leave devices no way to the router.
        force: bool,
        /// Only if this version holds now.
        #[serde(default)]
        if_version: Option<u64>,
        /// Whether the answer may leave out the texts, which are long where there are thousands of rules.
        #[serde(default)]
        brief: bool,
    },
    /// Keeps the policy that is on trial: answered by a `PolicyView`.
    PolicyConfirm {
        /// Who confirms it.
        author: String,
    },
    /// Goes back to a version, or ends the trial: answered by a `PolicyView`.
    PolicyRevert {
        /// Which version; the one before if absent.
        version: Option<u64>,
        /// Who.
        author: String,
        /// Why.
        why: String,
    },
    /// Another posture of the box, with everything else as it is: answered by a `PolicyView`.
    PolicyPosture {
        /// Which.
        posture: Posture,
        /// For how long; for good if absent.
        for_secs: Option<u64>,
        /// Who.
        author: String,
        /// Why.
        why: String,
    },
    /// Decides about a device: answered by a `PolicyView`.
    PolicyDevice {
        /// Its name in the policy, or a hardware or IP address.
        device: String,
        /// The name that it gets where the policy has none for it.
        name: Option<String>,
        /// What is decided; nothing forgets it.
        state: Option<DeviceState>,
        /// Who.
        author: String,
        /// Why.
        why: String,
    },
    /// Whether a conversation would pass, and which rule says so: answered by a `RulingView`.
    PolicyExplain {
        /// Who begins: a device's name, or an address.
        from: String,
        /// With whom: a device's name, an address, or a host's name.
        to: String,
        /// About what, as `tcp/443`.
        service: String,
        /// When, in seconds since the epoch; now if absent.
        at: Option<f64>,
    },
    /// What is asked of devices, or done to them by hand: `List` is answered by an array of `DeviceView`, all else by one.
    Devices(DeviceAsk),
    /// Has a mail sent: answered by a `MailSent`. Only the API process may ask.
    Mail(Box<MailOrder>),
    /// Has a message posted to its receiver: answered by a `PostSent`. Only the API process may ask.
    Post(Box<PostOrder>),
    /// The devices as they are kept, for a backup: answered by an array of records.
    DevicesKept,
    /// Puts other devices in place of all: answered by their number.
    DevicesReplace {
        /// Records, as `DevicesKept` gives them.
        devices: Vec<Value>,
    },
    /// The forests that vote, and what was counted of their votes: answered by a `VotingView`.
    Model,
    /// What the forest in this file is, or why it may not vote: answered by a `ModelView`.
    ModelCheck {
        /// The file.
        file: ModelFile,
    },
    /// What the forest in force says of a minute of a host, and why: answered by a `ClassifiedView`.
    ModelClassify {
        /// Of which.
        minute: Minute,
    },
    /// Has the forest in this file vote, or says what it would change: answered by a `LoadView`.
    ModelLoad {
        /// The file.
        file: ModelFile,
        /// Whether nothing is to be changed.
        dry_run: bool,
    },
    /// Has the former forest vote: answered by a `LoadView`.
    ModelRevert,
    /// Counts this forest's votes beside those that decide: answered by a `VotingView`.
    ModelShadow {
        /// The file.
        file: ModelFile,
        /// For how long.
        for_secs: u64,
    },
    /// Ends that: answered by the `VotingView` that was.
    ModelUnshadow,
    /// The lists of indicators, in the order of their numbers: answered by an array of `IndicatorsView`.
    Indicators,
    /// The text of one of them: answered by the text.
    IndicatorsText {
        /// Its name.
        name: String,
    },
    /// Looks for what is on a list from now on, in place of the one of this name: answered by an `IndicatorsView`.
    IndicatorsLoad {
        /// Its name.
        name: String,
        /// As it was published.
        text: String,
        /// Whether it holds High against who has to do with what it lists; else Medium.
        high: bool,
        /// Where it comes from, in words.
        origin: String,
        /// For how long it holds.
        for_secs: u64,
    },
    /// Forgets a list: answered by the `IndicatorsView` that was.
    IndicatorsRemove {
        /// Its name.
        name: String,
    },
    /// What hosts say of their users, oldest first: answered by an array of `ActivityView`.
    Activity(ActivityAsk),
    /// How much of it there is, whatever the limit: answered by a `CountView`.
    ActivityCount(ActivityAsk),
    /// What an insider rule finds in what is stored: answered by an array of `FoundView`.
    ActivityTest(TestAsk),
    /// Who sent logs, and how much of it was dropped: answered by an array of `SourceView`.
    Sources,
    /// The accounts that hosts told of: answered by an array of `SubjectView`.
    Subjects,
    /// The name behind a pseudonym: answered by a text. Only the API process may ask, once people consented.
    SubjectName {
        /// The pseudonym.
        subject: String,
    },
    /// What an enrolled source tells: answered by a `LogsTaken` once it is on the medium. Only the API process may ask.
    Logs(Box<LogsBatch>),
    /// Forgets an enrolled source: answered by nothing. Only the API process may ask.
    SourceGone {
        /// The number of its enrolment.
        sender: u64,
    },
    /// Enrolments of sources, at the command line: `Enroll` is answered by an `Enrolled`, `Revoke` by nothing.
    Source(SourceAsk),
    /// The certificates that the API serves, at the command line: answered by a `CertificateView`.
    Certificate(CertificateAsk),
    /// The report of a period, made in a process of its own: answered by its octets, in Base64.
    Report(ReportAsk),
    /// Incidents, at the command line: answered by an array of them, or by one.
    Incidents {
        /// Which one, whole; all of them if absent.
        id: Option<u64>,
    },
    /// Every key of the configuration: answered by an array of `SettingView`.
    Settings,
    /// Sets a key while the gateway runs: answered by its `SettingView`.
    Set {
        /// Its table and name.
        id: String,
        /// As TOML; as the configuration's file has it if absent.
        value: Option<String>,
    },
    /// The machine: answered by a `MachineView`.
    Machine,
    /// Starts the gateway again, in the same process: answered by nothing, before it is done.
    Restart,
    /// Switches the box off: answered by nothing, before it is done; refused where it cannot be.
    Shutdown {
        /// Whether it is done, or only said whether it could be.
        sure: bool,
    },
    /// Ends a host's block: answered by the `BlockView` that ended.
    Unblock {
        /// Whose.
        #[serde(with = "host_text")]
        host: HostKey,
    },
}

/// A forest's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelFile {
    /// By its full path, as the gateway sees it. Only the command line may name one.
    Path(PathBuf),
    /// Its octets, base 64.
    Sent(String),
}

/// A minute of a host, as a forest sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Minute {
    /// The newest one of this host.
    Newest(#[serde(with = "host_text")] HostKey),
    /// One with these features by name; what is not named is 0.
    Of(BTreeMap<String, f32>),
}

/// What is asked of devices. A device is named by its number, a hardware address, an address or its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum DeviceAsk {
    /// All of them, the last seen first.
    List,
    /// One.
    Show {
        /// Which.
        device: String,
    },
    /// Makes another record part of one.
    Merge {
        /// The one that stays.
        device: String,
        /// The one that goes.
        with: String,
    },
    /// Gives one of several hardware addresses a record of its own.
    Split {
        /// Which.
        device: String,
        /// The hardware address.
        mac: String,
    },
    /// Writes down what a person says of it. Groups and owner reach the policy too, where that knows the device.
    Describe {
        /// Which.
        device: String,
        /// What is said.
        said: Said,
        /// Who says it.
        author: String,
    },
    /// Forgets one. If it comes again, it is new.
    Forget {
        /// Which.
        device: String,
    },
}

/// Which events are wanted; what is not named is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventsWanted {
    /// About this host, by its address or its hardware address.
    pub host: Option<HostKey>,
    /// About one of these, in the same way.
    pub among: Option<Vec<HostKey>>,
    /// In this state.
    pub state: Option<BlockState>,
    /// Of this level.
    pub level: Option<ThreatLevel>,
    /// Of this family.
    pub family: Option<Family>,
    /// Threats alone: of any family, and not `SAFE`.
    pub threats: bool,
    /// Not of a minute before that of this many seconds since the epoch.
    pub since: Option<u64>,
}

/// Which flows are wanted; what is not named is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlowsWanted {
    /// Of the device with this hardware address.
    pub mac: Option<MacAddr>,
    /// Of the device with this address.
    pub device: Option<IpAddr>,
    /// Of a device with one of these, of either kind.
    pub among: Option<Vec<HostKey>>,
    /// With the other side of this address, or of a name that the device was told for it, whatever the size of its letters.
    pub peer: Option<String>,
    /// What was asked of the other, as `tcp/443`.
    pub service: Option<String>,
    /// Whether the uplink began.
    pub inbound: Option<bool>,
}

impl FlowsWanted {
    /// Whether a flow is wanted.
    #[must_use]
    pub fn wants(&self, flow: &Flow) -> bool {
        let Self { mac, device, among, peer, service, inbound } = self;
        let of = |host: &HostKey| *host == HostKey::Mac(flow.mac) || *host == HostKey::from(flow.lan);
        let with = |peer: &String| {
            flow.names.iter().any(|name| name.eq_ignore_ascii_case(peer)) || peer.parse() == Ok(flow.far)
        };
        mac.is_none_or(|mac| mac == flow.mac)
            && device.is_none_or(|device| device == flow.lan)
            && inbound.is_none_or(|inbound| inbound == flow.inbound)
            && among.as_ref().is_none_or(|among| among.iter().any(of))
            && peer.as_ref().is_none_or(with)
            && service.as_ref().is_none_or(|service| flow.asked.to_string().eq_ignore_ascii_case(service))
    }
}

/// How the gateway answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It was done, and this is what was asked for.
    Ok(Value),
    /// It was not done, and this is why, in one line.
    Error(String),
}

impl Request {
    /// Reads one line.
    ///
    /// # Errors
    /// The line is not a request, or one of its numbers is out of bounds; the text says which.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let request: Self = serde_json::from_slice(line).map_err(|error| format!("not a request: {error}"))?;
        request.checked()
    }

    /// The request, if its numbers and texts are within bounds.
    ///
    /// # Errors
    /// The text says which is not.
    pub fn checked(self) -> Result<Self, String> {
        match &self {
            Self::Events { limit, .. } | Self::EventsBefore { limit, .. } | Self::EventsAfter { limit, .. }
                if *limit > EVENTS_MAX =>
            {
                Err(format!("limit is {limit}; at most {EVENTS_MAX} events can be asked for"))
            }
            Self::EventsBefore { wanted: EventsWanted { among: Some(among), .. }, .. }
            | Self::Flows { wanted: FlowsWanted { among: Some(among), .. }, .. }
                if among.len() > AMONG_MAX =>
            {
                Err(format!("among names {} hosts; at most {AMONG_MAX} can be asked for", among.len()))
            }
            Self::Block { why, .. } if why.len() > WHY_MAX => {
                Err(format!("why is {} octets long; at most {WHY_MAX} are kept", why.len()))
            }
            Self::Feedback { for_secs: 0, .. } => {
                Err("for_secs is 0; a false alarm is quiet for at least a second".into())
            }
            Self::ModelShadow { for_secs: 0, .. } => Err("for_secs is 0; a shadow lasts at least a second".into()),
            Self::ModelCheck { file } | Self::ModelLoad { file, .. } | Self::ModelShadow { file, .. } => {
                file.checked().map(|()| self)
            }
            Self::ModelClassify { minute: Minute::Of(vector) } if vector.values().any(|value| !value.is_finite()) => {
                Err("a feature is not a number that a feature can be".into())
            }
            Self::Logs(batch) if batch.text.len() > BATCH_MAX => Err(format!("a batch has at most {BATCH_MAX} octets")),
            Self::IndicatorsLoad { for_secs: 0, .. } => Err("for_secs is 0; a list holds at least a second".into()),
            Self::IndicatorsLoad { origin, .. } if origin.len() > WHY_MAX => {
                Err(format!("origin is {} octets long; at most {WHY_MAX} are kept", origin.len()))
            }
            Self::ActivityTest(ask) => ask.checked().map(|()| self),
            Self::Activity(ask) | Self::ActivityCount(ask) => ask.checked().map(|()| self),
            Self::Block { for_secs: Some(0), .. } => Err("for_secs is 0; a block lasts at least a second".into()),
            _ => Ok(self),
        }
    }
}

impl ModelFile {
    fn checked(&self) -> Result<(), String> {
        match self {
            Self::Path(path) if !path.is_absolute() => Err("the file must be named by its full path".into()),
            Self::Sent(text) if text.len() > MODEL_TEXT_MAX => {
                Err(format!("the file is {} octets of base 64; at most {MODEL_TEXT_MAX} are read", text.len()))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for ModelFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Sent(_) => f.write_str("the file"),
        }
    }
}

impl Response {
    /// A view as the answer.
    #[must_use]
    pub fn of(view: &impl Serialize) -> Self {
        serde_json::to_value(view)
            .map_or_else(|error| Self::Error(format!("the answer cannot be written: {error}")), Self::Ok)
    }
}

/// A host as the text that people read.
pub mod host_text {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;
    use terms::HostKey;

    /// Writes the address.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(host: &HostKey, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(host)
    }

    /// Reads an IPv4, IPv6 or hardware address.
    ///
    /// # Errors
    /// The text is none of these.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<HostKey, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is neither an IP nor a hardware address")))
    }
}
