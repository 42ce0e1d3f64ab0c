//! What the kernel must hold for a policy, as plain data: chains of lines, who goes through which, and which rules are alive.
//!
//! A line is one rule of nftables. Conversations that are known pass before any of them; a line that admits makes one known, under
//! the number of its policy rule, and known packets pass only while that number is alive. So ending a rule is the removal of one
//! element, with which its conversations end too.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::net::IpAddr;
use core::ops::Deref;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use terms::{MacAddr, Timestamp};

use crate::network::Network;
use crate::service::Ports;

/// The number under which conversations of a rule are known; another one when the rule comes to mean something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleNumber(pub u32);

/// Under this number the kernel knows what devices were told for whatever name.
pub const NAMED_AT_ALL: RuleNumber = RuleNumber(3);

/// The chain that frames from the LAN side go through when no device is known by their source.
pub const NEWCOMERS: &str = "newcomers";
/// The chain that frames from the uplink side go through when they are for a device that rules hold for.
pub const INBOUND: &str = "inbound";
/// The owner's own chain: jumped to before the default, never written.
pub const USER: &str = "user";

/// A policy as the kernel needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Every chain by its name.
    pub chains: BTreeMap<Name, Lines>,
    /// Through which chain frames of the LAN side go, by the hardware address that they come from; nothing means that they pass.
    pub from_mac: BTreeMap<MacAddr, Option<Name>>,
    /// The same by IP address, for devices that have no hardware address here.
    pub from_address: BTreeMap<IpAddr, Option<Name>>,
    /// Whether frames from elsewhere go through [`NEWCOMERS`]; otherwise they pass.
    pub holds_newcomers: bool,
    /// Devices that are cut off, in both directions, known conversations included.
    pub shut: BTreeSet<MacAddr>,
    /// The same for devices that have no hardware address here.
    pub shut_addresses: BTreeSet<IpAddr>,
    /// The rules that are alive, and when each ends by itself.
    pub live: BTreeMap<RuleNumber, Option<Timestamp>>,
    /// The counters that lines count on.
    pub counters: Names,
    /// The network's own servers.
    pub servers: BTreeSet<IpAddr>,
    /// The policy's names of counters and numbers, to tell people.
    pub rules: BTreeMap<Name, RuleNumber>,
}

/// The name of a chain, a counter or a rule. Copies share it, and are compared at no cost.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Name(Arc<str>);

/// Sorted names. Copies share them until one is changed, and are compared at no cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeSet<Name>", into = "BTreeSet<Name>")]
pub struct Names(Arc<BTreeSet<Name>>);

/// The rules of a chain. Copies share them, and are compared at no cost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<Line>", into = "Vec<Line>")]
pub struct Lines(Arc<[Line]>);

/// One rule of a chain: what a frame must be, and what is done with it then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Line {
    /// All of these.
    pub matches: Vec<Match>,
    /// What is done.
    pub then: Then,
}

/// The kind of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The end of the conversation that starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Begins {
    /// The LAN end.
    Lan,
    /// The uplink end.
    Uplink,
}

/// What a frame must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Match {
    /// Of this EtherType.
    EtherType(u16),
    /// An IP packet of this kind.
    Family(Family),
    /// To this hardware address.
    ToMac(MacAddr),
    /// From these addresses.
    From(Network),
    /// To these addresses.
    To(Network),
    /// From an address of the internet.
    FromGlobal(Family),
    /// To an address of the internet.
    ToGlobal(Family),
    /// To one of the network's own servers.
    ToServer(Family),
    /// To none of them.
    ToOther(Family),
    /// To an address that the sending device was told for no name: one that the kernel does not know under [`NAMED_AT_ALL`].
    ToUnnamed(Family),
    /// To an address that the sending device was told for a name of this rule.
    ToNamed(Family, RuleNumber),
    /// Of this protocol.
    Protocol(u8),
    /// Neither TCP, UDP nor ICMP.
    OtherProtocol,
    /// From these ports.
    FromPorts(Ports),
    /// To these ports.
    ToPorts(Ports),
    /// ICMP of a type from the first to the last.
    IcmpTypes(u8, u8),
}

/// What of a packet tells its conversation from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Told {
    /// Addresses, protocol, ports.
    ByPorts,
    /// Addresses, protocol, identifier of the echo.
    ByEcho,
    /// Addresses and protocol.
    ByProtocol,
}

/// What is done with a frame.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Then {
    /// It passes, and its conversation is known from now on, if the rule of this number is alive.
    Admit {
        /// Of the rule.
        number: RuleNumber,
        /// The counter.
        counter: String,
        /// Which packets belong to it.
        told: Told,
        /// The kind of IP.
        family: Family,
        /// Who begins.
        begins: Begins,
    },
    /// It passes, on its own.
    Pass {
        /// The counter.
        counter: Option<String>,
    },
    /// It is counted and dropped, and a few of them a second are told under this name, if the rule of the number is alive.
    Drop {
        /// The counter.
        counter: String,
        /// The rule's name, or `default`.
        rule: String,
        /// Of the rule; none for what has no end.
        number: Option<RuleNumber>,
    },
    /// It goes through another chain, and comes back if that decides nothing.
    Jump(String),
}

impl Lines {
    /// Whether both are one and the same.
    #[must_use]
    pub fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Names {
    /// Adds one that may be there.
    pub(crate) fn insert(&mut self, name: &str) {
        if !self.contains(name) {
            Arc::make_mut(&mut self.0).insert(name.into());
        }
    }

    /// Takes one out that may be missing.
    pub(crate) fn remove(&mut self, name: &str) {
        if self.contains(name) {
            Arc::make_mut(&mut self.0).remove(name);
        }
    }
}

impl Deref for Names {
    type Target = BTreeSet<Name>;

    fn deref(&self) -> &BTreeSet<Name> {
        &self.0
    }
}

impl From<BTreeSet<Name>> for Names {
    fn from(names: BTreeSet<Name>) -> Self {
        Self(names.into())
    }
}

impl From<Names> for BTreeSet<Name> {
    fn from(names: Names) -> Self {
        Arc::unwrap_or_clone(names.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<Vec<Line>> for Lines {
    fn from(lines: Vec<Line>) -> Self {
        Self(lines.into())
    }
}

impl From<Lines> for Vec<Line> {
    fn from(lines: Lines) -> Self {
        lines.0.to_vec()
    }
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        &self.0
    }
}

impl PartialEq for Lines {
    fn eq(&self, other: &Self) -> bool {
        self.is_shared_with(other) || self.0 == other.0
    }
}

impl Eq for Lines {}
