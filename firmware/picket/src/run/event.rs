//! What the threads tell one another.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use detect::forest::drift::Drift;
use detect::{Denied, Finding, Kinds, Quiet, Thresholds};
use enforce::{Count, Kept};
use features::listed::Indicators;
use features::talks::Talk;
use features::{FeatureVector, SCHEMA};
use policy::{Block, NeverBlock, Policy, ResponderConfig};
use store::{Event, EvidenceFrame, HostRecord, Minute};
use terms::{BlockState, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

use super::jury::{Seen, Voted, Voting};
use super::shown::Shown;
use super::told::{Told, Wanted};
use crate::config::{DevicesConfig, FailConfig};
use crate::control::{Request, Response};

/// To the enforcer.
pub enum Work {
    /// A finding with its evidence.
    Suspect(Box<Suspected>),
    /// An admin's block.
    Block(Wish, SyncSender<Response>),
    /// An admin ends a block.
    Unblock(HostKey, SyncSender<Response>),
    /// The blocks in force are asked for.
    Blocks(SyncSender<Response>),
    /// Another configuration is in force.
    Configure(ResponderConfig, FailConfig),
    /// Who serves the network, as the inspector learnt.
    Serving(Vec<NeverBlock>),
    /// The box's own addresses, where they changed.
    Own(Vec<NeverBlock>),
    /// From where admins are logged in.
    Guests(Vec<NeverBlock>),
    /// The blocks of the last run, as the store remembers them.
    Remembered(Vec<Block>),
    /// The policy in force, and who waits until the kernel holds it; nothing where the configuration's posture is all there is.
    Policy(Option<Arc<Policy>>, Option<SyncSender<Response>>),
    /// A device was told addresses for a name that a rule is about.
    Told(Box<Told>),
    /// A device showed the name of whom it means.
    Shown(Box<Shown>),
    /// How many conversations devices hold, and who was refused more.
    Counted(Box<Count>),
    /// Whether a conversation would pass is asked for.
    Explain(Box<Asking>, SyncSender<Response>),
    /// The end.
    Stop,
}

/// A conversation about which somebody asks.
pub struct Asking {
    /// Who begins: a device's name, or an address.
    pub from: String,
    /// With whom: a device's name, an address, or a host's name.
    pub to: String,
    /// About what.
    pub service: String,
    /// When.
    pub at: Timestamp,
}

/// A finding on its way.
pub struct Suspected {
    /// What was found.
    pub finding: Finding,
    /// The host's features at that moment.
    pub vector: FeatureVector,
    /// The first frames that it counted.
    pub frames: Vec<EvidenceFrame>,
    /// IPv4 hosts behind the hardware address.
    pub addresses_on_mac: u16,
    /// LAN hosts that conversed.
    pub known_lan_hosts: u32,
}

/// A block that an admin asks for, with what is known of the host.
pub struct Wish {
    /// The host.
    pub host: HostKey,
    /// Its hardware address.
    pub mac: Option<MacAddr>,
    /// Its side.
    pub side: Side,
    /// IPv4 hosts behind the hardware address.
    pub addresses_on_mac: u16,
    /// For how long; the configured time if absent.
    pub lasts: Option<Span>,
    /// Why.
    pub why: String,
}

/// To the inspector.
pub enum Order {
    /// A host is blocked, or free again.
    Mark(HostKey, bool),
    /// The policy denied something to a host.
    Denied(Denied),
    /// Other thresholds, and whether anything is looked for.
    Adjust(Thresholds, Kinds),
    /// Other lists of indicators are in force.
    LookFor(Arc<Indicators>),
    /// The names that rules are about.
    Names(Wanted),
    /// The false alarms that hold now, and the events of new ones.
    Quiet(Vec<Quiet>, Vec<Event>),
    /// The hosts of former runs, as the store remembers them.
    Remember(Vec<HostRecord>),
    /// Other forests vote from the next frame on; the answer says that they do.
    Vote(Voting, SyncSender<()>),
    /// What was counted of votes is asked for.
    Votes(SyncSender<Voted>),
    /// The counts of the drift are asked for, to be written down.
    Drift(SyncSender<Drift>),
    /// The hosts' recent minutes are asked for.
    Minutes(SyncSender<Vec<Seen>>),
    /// The end.
    Stop,
}

/// To the keeper.
pub enum News {
    /// Something was found or done.
    Event(Box<Event>),
    /// A block stands.
    Blocked(Block),
    /// A block is over.
    Freed(HostKey),
    /// The inspector's summary of a second.
    Second(Box<Second>),
    /// The enforcer's state.
    Kernel(KernelState),
    /// What the kernel holds and has confirmed, to be in force at the next start before there is a gateway.
    Holds(Box<Kept>),
    /// The bridge in words, and what is wrong with it or its links.
    Bridge(String, Vec<String>),
    /// A question, and where the answer goes.
    Ask(Request, SyncSender<Response>),
    /// The posture that counts while no policy was applied, and what becomes of devices.
    Configured(&'static str, DevicesConfig),
    /// The end.
    Stop,
}

/// What the inspector counted until now, and its hosts.
#[derive(Clone, Debug, Default)]
pub struct Second {
    /// The newest moment.
    pub at: Timestamp,
    /// Frames inspected.
    pub frames: u64,
    /// Their octets on the wire.
    pub octets: u64,
    /// Frames that the rings had no room for.
    pub dropped: u64,
    /// Frames that could not be read, by reason.
    pub ignored: BTreeMap<&'static str, u64>,
    /// Hosts pushed out of the full table.
    pub evicted: u64,
    /// Findings made.
    pub findings: u64,
    /// Findings that found the channel full.
    pub lost: u64,
    /// What devices said of themselves that found the channel full.
    pub clues_lost: u64,
    /// The hosts in the table.
    pub hosts: Vec<HostNow>,
    /// Host minutes that closed.
    pub minutes: Vec<Minute>,
    /// Conversations that began or went on.
    pub talks: Vec<Talk>,
    /// Conversations that ended too many at once to be told.
    pub talks_lost: u64,
    /// What was counted of votes.
    pub voted: Voted,
    /// What is not as it should be.
    pub warnings: Vec<String>,
}

/// One host at this moment.
#[derive(Clone, Copy, Debug)]
pub struct HostNow {
    /// What the store keeps of it.
    pub record: HostRecord,
    /// Frames sent.
    pub frames: u64,
    /// Octets sent.
    pub octets: u64,
    /// Its level's family and confidence.
    pub reason: Option<(terms::Family, f32)>,
    /// Its evidence.
    pub score: f32,
    /// IPv4 hosts behind its hardware address.
    pub addresses_on_mac: u16,
    /// Whether it is worth a place in the store: somebody answers it, something speaks against it, or it has been there for a while.
    pub lasting: bool,
}

/// How enforcement stands.
#[derive(Clone, Debug, Default)]
pub struct KernelState {
    /// Blocks in force.
    pub blocks: u64,
    /// Whether the table is as it should be.
    pub intact: bool,
    /// Frames dropped, by counter.
    pub dropped: BTreeMap<String, u64>,
    /// The addresses that serve the network.
    pub servers: Vec<IpAddr>,
    /// What is not as it should be.
    pub warnings: Vec<String>,
}

impl Suspected {
    /// The event that tells of it.
    pub fn event(self, state: BlockState, why: String) -> Event {
        let Self { finding, vector, frames, .. } = self;
        Event {
            id: 0,
            at: finding.at,
            host: finding.host,
            mac: Some(finding.mac),
            side: finding.side,
            state,
            level: finding.level,
            family: Some(finding.family),
            detector: finding.source.to_string(),
            why,
            confidence: finding.confidence,
            evidence: finding.evidence.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            features: SCHEMA.iter().map(|name| (*name).to_owned()).zip(vector.0).collect(),
            frames,
        }
    }
}

/// An event that no finding made: an admin's act, a restored table, a block that ended.
pub fn act(
    at: Timestamp,
    block: Option<&Block>,
    host: HostKey,
    state: BlockState,
    detector: &str,
    why: String,
) -> Event {
    Event {
        id: 0,
        at,
        host,
        mac: block.and_then(|b| b.mac),
        side: block.map_or(Side::Unknown, |b| b.target.side()),
        state,
        level: ThreatLevel::Safe,
        family: None,
        detector: detector.into(),
        why,
        confidence: 1.0,
        evidence: Vec::new(),
        features: Vec::new(),
        frames: Vec::new(),
    }
}

/// The present, on the system's clock.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
