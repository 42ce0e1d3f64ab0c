//! What the gateway shows: plain rows, in the words that people and programs read.
//!
//! **Units**: times are seconds since the epoch with microseconds behind the point, lengths of time are seconds. A view that holds a
//! moment is told how to hold it by `At`: the commands show the number, the API reads it and writes RFC 3339.

mod flow;
mod forest;
mod indicators;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use flow::{FlowLots, FlowPage, FlowView};
pub use forest::{
    ClassifiedView, DriftView, ExplanationView, LevelChange, LoadView, ModelView, MovedView, ShadowView, VotingView,
};
pub use indicators::{IndicatorsView, MetView, PastView};

/// The totals since the gateway started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatusView {
    /// The gateway's version.
    pub version: String,
    /// `observe` or `protect`.
    pub posture: String,
    /// The bridge and its links, in words.
    pub bridge: String,
    /// Frames inspected.
    pub frames: u64,
    /// Frames that the ring dropped before they could be inspected (they were forwarded all the same).
    pub dropped: u64,
    /// Octets inspected, as they were on the wire.
    pub octets: u64,
    /// Hosts being watched.
    pub hosts: u64,
    /// Hosts pushed out of the full table.
    pub evicted: u64,
    /// Hosts that are Medium now.
    pub medium: u64,
    /// Hosts that are High now.
    pub high: u64,
    /// Findings made.
    pub findings: u64,
    /// Blocks in force.
    pub blocks: u64,
    /// Whether the kernel's table is as it should be.
    pub table_intact: bool,
    /// Frames that the kernel dropped for the blocks, by counter.
    pub blocked_frames: BTreeMap<String, u64>,
    /// Frames that could not be read, by reason.
    pub ignored: BTreeMap<String, u64>,
    /// The forest that votes, in words; nothing where the rules are alone.
    #[serde(default)]
    pub forest: Option<String>,
    /// How long the gateway has run.
    pub uptime: f64,
    /// Octets written to the store.
    pub store_octets: u64,
    /// What is not as it should be, a line each; empty when all is well.
    pub warnings: Vec<String>,
    /// Why the store takes nothing; nothing where it does.
    #[serde(default)]
    pub store_trouble: Option<String>,
    /// The code with which the box can be claimed, until it is; nothing where the API is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_code: Option<String>,
    /// SHA-256 of the API's certificate, hexadecimal; nothing where the API is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// What holds the API process: its user, capabilities, seccomp, Landlock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api: Vec<String>,
    /// What holds the intake process, in the same words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intake: Vec<String>,
}

/// One host being watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Host")]
pub struct HostView<At = f64> {
    /// Its IP address, or its hardware address where it has none.
    pub host: String,
    /// Its hardware address, where one is known.
    pub mac: Option<String>,
    /// `lan` or `uplink`.
    pub side: String,
    /// `SAFE`, `MEDIUM` or `HIGH`.
    pub level: String,
    /// What it is suspected of, where it is not `SAFE`.
    pub family: Option<String>,
    /// How sure that is, from 0 to 1.
    pub confidence: f64,
    /// The evidence against it that has not faded.
    pub score: f64,
    /// Its first frame.
    pub first_seen: At,
    /// Its newest frame.
    pub last_seen: At,
    /// Frames from it.
    pub frames: u64,
    /// Octets from it.
    pub octets: u64,
}

/// One device that is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Device")]
pub struct DeviceView<At = f64> {
    /// Its number.
    pub id: u32,
    /// What it is called: by a person, else by itself, else by its hardware address.
    pub name: String,
    /// Its hardware addresses, the newest last.
    pub macs: Vec<String>,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Every name that is known of it.
    pub names: Vec<DeviceName>,
    /// Who made it, where its hardware address tells.
    pub vendor: Option<String>,
    /// What it probably is: `camera`, `phone`, `printer` and so on.
    pub kind: Option<String>,
    /// What speaks for that.
    pub kind_reasons: Vec<String>,
    /// Whether all its hardware addresses were drawn by chance.
    pub randomised: bool,
    /// Its first frame.
    pub first_seen: At,
    /// Its newest frame.
    pub last_seen: At,
    /// `lan` or `uplink`.
    pub side: String,
    /// `new`, `approved`, `quarantined`, `blocked` or `forgotten`.
    pub state: String,
    /// Where its description is, if it announces one.
    pub mud_url: Option<String>,
    /// Whose it is.
    pub owner: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What people wrote down of it.
    pub notes: String,
    /// What about it cannot be true, a line each.
    pub conflicts: Vec<String>,
    /// The number of the device that it may be, under a fresh hardware address.
    pub returns_as: Option<u32>,
    /// What speaks for that.
    pub returns_reasons: Vec<String>,
}

/// A name of a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceName {
    /// Who told it: `dhcp`, `mdns`, `dns`, `lldp` or `upnp`.
    pub source: String,
    /// The name.
    pub name: String,
}

/// Something found or done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct EventView<At = f64> {
    /// Its number, counting up.
    pub id: u64,
    /// When.
    pub at: At,
    /// The host that it is about.
    pub host: String,
    /// Its hardware address, where one is known.
    pub mac: Option<String>,
    /// `lan`, `uplink` or `unknown`.
    pub side: String,
    /// `observed`, `would block`, `blocked` or `confirmed`.
    pub state: String,
    /// `SAFE`, `MEDIUM` or `HIGH`.
    pub level: String,
    /// What it was found to do.
    pub family: Option<String>,
    /// Who found it: `rule:...`, `forest` or `baseline...`.
    pub detector: String,
    /// How sure that is, from 0 to 1.
    pub confidence: f64,
    /// In words.
    pub why: String,
    /// The numbers that it rests on.
    pub evidence: BTreeMap<String, f64>,
}

/// Some of the events that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventPage<At = f64> {
    /// The events, oldest first.
    pub events: Vec<EventView<At>>,
    /// The number to ask for to get those before; nothing where there are no more. There may be more although fewer were found than
    /// asked for: of a long history so much is looked through that an answer takes a moment.
    pub next: Option<u64>,
}

/// One frame that an event rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Frame")]
pub struct FrameView<At = f64> {
    /// When it passed.
    pub at: At,
    /// Its length on the wire.
    pub len: u32,
    /// Who sent it: address and port, or hardware address.
    #[serde(default)]
    pub source: String,
    /// Whom it is for.
    #[serde(default)]
    pub destination: String,
    /// What it is, with the flags of a TCP header.
    #[serde(default)]
    pub protocol: String,
    /// Its first octets, two hexadecimal digits each.
    pub octets: String,
}

/// An event with its frames.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EventDetail")]
pub struct EventDetail<At = f64> {
    /// The event.
    pub event: EventView<At>,
    /// The host's features at that moment, by name.
    #[serde(default)]
    pub features: BTreeMap<String, f64>,
    /// The first frames that it counted.
    pub frames: Vec<FrameView<At>>,
}

/// One block in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Block")]
pub struct BlockView<At = f64> {
    /// Who is blocked.
    pub host: String,
    /// Its hardware address, where one is known.
    pub mac: Option<String>,
    /// What the kernel matches.
    pub target: String,
    /// `blocked` or `confirmed`.
    pub state: String,
    /// In words.
    pub why: String,
    /// When it was decided.
    pub since: At,
    /// When it ends.
    pub until: At,
    /// What is left of it.
    pub left: f64,
    /// Whether the gateway decided it by itself.
    pub automatic: bool,
}

/// What was learnt of a device at its site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Baseline")]
pub struct BaselineView<At = f64> {
    /// Since when; times in which nothing was learnt for more than a day do not count.
    pub since: At,
    /// Minutes learnt.
    pub minutes: u32,
    /// Whether it is old enough to be held against the device.
    pub holds: bool,
    /// The highest share of the forest's vote against it that is usual.
    pub usual_share: f64,
    /// The most octets that it sent in an hour.
    pub busiest_hour: u64,
    /// How it administers other hosts.
    pub administers_by: Vec<String>,
    /// How it lets the internet in.
    #[serde(default)]
    pub exposed_by: Vec<String>,
    /// The signs of an infection that are its nature.
    pub usual_signs: Vec<String>,
}

/// A host with all that its level rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Explain")]
pub struct ExplainView<At = f64> {
    /// The host now.
    pub host: HostView<At>,
    /// What was learnt of it; nothing where that is nothing yet.
    pub baseline: Option<BaselineView<At>>,
    /// Its block, in words: what for, and until when.
    pub blocked: Option<BlockedView<At>>,
    /// Of the last day, how many minutes it was at each level.
    pub minutes: BTreeMap<String, u32>,
    /// The newest events about it, oldest first.
    pub events: Vec<EventView<At>>,
    /// What was said of events about it and holds.
    pub feedback: Vec<FeedbackView<At>>,
}

/// A block as the history keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Blocked")]
pub struct BlockedView<At = f64> {
    /// In words.
    pub why: String,
    /// When it ends.
    pub until: At,
    /// Whether the gateway decided it by itself.
    pub automatic: bool,
}

/// What an admin said of an event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Feedback")]
pub struct FeedbackView<At = f64> {
    /// The event's number.
    pub id: u64,
    /// When it was said.
    pub at: At,
    /// `right` or `false alarm`.
    pub verdict: String,
    /// The host that the event is about.
    pub host: String,
    /// The event's level.
    pub level: String,
    /// What it was found to do.
    pub family: String,
    /// Until when a false alarm quiets this family for this host.
    pub until: Option<At>,
    /// The host's features at that moment, by name.
    pub features: BTreeMap<String, f64>,
}

/// One key of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SettingView {
    /// Its table and name, as `detect.icmp_per_second`.
    pub id: String,
    /// The value in force.
    pub value: serde_json::Value,
    /// The value where nobody says anything.
    pub default: serde_json::Value,
    /// Who set it: `default`, `file` or `here`.
    pub origin: String,
    /// The line of the configuration's file that sets it, where one does.
    pub line: Option<u64>,
    /// What it means.
    pub meaning: String,
    /// What its value must be.
    pub expected: String,
    /// Whether it can be changed while the gateway runs.
    pub changeable: bool,
}

/// The machine that the gateway runs on.
///
/// **Units**: octets, seconds, degrees Celsius.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MachineView {
    /// The gateway's version.
    pub version: String,
    /// The kernel's.
    pub kernel: String,
    /// What processors these are.
    pub machine: String,
    /// How many.
    pub processors: u64,
    /// For how long the machine has run.
    pub up: f64,
    /// The load of the last 1, 5 and 15 minutes.
    pub load: Vec<f64>,
    /// Memory in all.
    pub memory: u64,
    /// Memory that programs can still have.
    pub memory_free: u64,
    /// The gateway's own.
    pub memory_gateway: u64,
    /// The API process's own.
    pub memory_api: u64,
    /// The medium of the store.
    pub disk: u64,
    /// What of it is free.
    pub disk_free: u64,
    /// How warm the processor is, where that can be read.
    pub temperature: Option<f64>,
    /// Its links.
    pub links: Vec<LinkView>,
    /// Every port that is open.
    pub listening: Vec<ListeningView>,
}

/// One link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkView {
    /// Its name.
    pub name: String,
    /// Its hardware address.
    pub mac: String,
    /// Whether something is at its other end.
    pub carrier: bool,
    /// **Units**: Mbit/s.
    pub speed: Option<i64>,
    /// Octets that came in.
    pub octets_in: u64,
    /// Octets that went out.
    pub octets_out: u64,
    /// Frames that it dropped.
    pub dropped: u64,
}

/// One open port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListeningView {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// The policy in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyView {
    /// Its version; zero while the configuration's posture is all there is.
    pub version: u64,
    /// What the box does.
    pub posture: String,
    /// What a device may do that nobody has decided about.
    pub new: String,
    /// How many devices it names.
    pub devices: u64,
    /// How many rules it has, the built-in ones apart.
    pub rules: u64,
    /// The seconds until it goes unless it is confirmed; absent where it is for good.
    pub confirm_within: Option<f64>,
    /// The addresses that serve the network, as the box has learnt them: `servers` in rules.
    #[serde(default)]
    pub servers: Vec<String>,
    /// The policy as text.
    pub text: String,
    /// The rules that every policy has, as text.
    pub built_in: String,
}

/// One version of the policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Version")]
pub struct VersionView<At = f64> {
    /// Its number.
    pub version: u64,
    /// When it was made, in seconds since the epoch.
    pub at: At,
    /// By whom.
    pub author: String,
    /// What was done.
    pub act: String,
    /// Why.
    pub why: String,
    /// Whether it holds now.
    pub in_force: bool,
    /// The policy as text.
    pub text: String,
}

/// What would happen to a conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RulingView {
    /// `allow` or `deny`.
    pub decision: String,
    /// The deciding rule, or `default`.
    pub rule: String,
    /// In words.
    pub why: String,
    /// Who begins.
    pub from: String,
    /// With whom.
    pub to: String,
    /// About what.
    pub service: String,
}
