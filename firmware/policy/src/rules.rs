//! The policy: devices, groups, and who may start a conversation with whom about what, as plain values.
//!
//! Rules have no order: an explicit deny wins over every allow, and without an allow nothing passes.

use core::net::IpAddr;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use terms::{MacAddr, Posture, Timestamp};

use crate::hostname::HostName;
use crate::network::Network;
use crate::schedule::{Window, Zone};
use crate::service::{Ports, Service};
use crate::switch::{Dns, Quic, resolvers};

/// The most devices of a policy.
pub const DEVICES: usize = 4_096;
/// The most rules of a policy.
pub const RULES: usize = 16_384;
/// The longest name of a device, a group, a list or a rule, in characters.
pub const NAME: usize = 64;

/// The whole of what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What the box does by default.
    pub posture: Posture,
    /// What a device may do that nobody has decided about.
    pub newcomers: Newcomers,
    /// Whom devices may ask for names.
    pub dns: Dns,
    /// The network's own DNS servers, beside those that the box learns.
    pub dns_servers: Vec<IpAddr>,
    /// With whom devices may speak QUIC.
    pub quic: Quic,
    /// Where schedules' clocks hang.
    pub zone: Zone,
    /// Groups that say more than that devices are in them.
    pub groups: Vec<Group>,
    /// Every device that somebody decided about.
    pub devices: Vec<Device>,
    /// Lists of host names, by which rules name a provider.
    pub lists: Vec<NameList>,
    /// Denies and allows; policies that have a rule in common share it.
    pub rules: Vec<Arc<Rule>>,
}

/// What a device may do that nobody has decided about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Newcomers {
    /// Whatever it likes: it is tolerated.
    Everything,
    /// What a network cannot live without: see [`starter`].
    #[default]
    Starter,
    /// Nothing.
    Nothing,
}

/// How far an admin has decided about a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceState {
    /// Not yet.
    #[default]
    New,
    /// Known: rules allow it what they say.
    Approved,
    /// The starter set and nothing else.
    Quarantined,
    /// Nothing at all.
    Blocked,
}

/// A device as an admin knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its name, unlike any other's and any group's.
    pub name: String,
    /// Its hardware addresses, by which its frames are known.
    pub macs: Vec<MacAddr>,
    /// Its IP addresses: where others find it, and by which its packets are known where it has no hardware address here.
    pub addresses: Vec<IpAddr>,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// How far somebody has decided about it.
    pub state: DeviceState,
    /// Its own posture instead of its groups' and the box's.
    pub posture: Option<Posture>,
    /// Since when it is watched as if it were enforced; nothing is cut by it.
    pub shadow_since: Option<Timestamp>,
    /// Whose it is.
    pub owner: String,
    /// For those who read it later.
    pub comment: String,
}

/// A group that is in others, or has a posture of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The groups that it is in: their rules hold for its devices too.
    pub groups: Vec<String>,
    /// Its devices' posture instead of the box's.
    pub posture: Option<Posture>,
}

/// Host names under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameList {
    /// Its name.
    pub name: String,
    /// The hosts.
    pub hosts: Vec<HostName>,
}

/// Whether a rule lets pass or cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Cuts, whatever else allows it.
    Deny,
    /// Lets pass.
    Allow,
}

/// Who starts the conversation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A device of the LAN side.
    Device(String),
    /// Every approved device of a group.
    Group(String),
    /// Every approved device.
    Lan,
    /// Every device that nobody has decided about.
    New,
    /// Whoever has the starter set: approved and quarantined devices, and new ones where newcomers get it.
    Starter,
    /// Every device of the LAN side that rules hold for.
    Everyone,
    /// Anybody on the uplink side.
    Uplink,
    /// Anybody on the internet, behind the uplink side.
    Internet,
    /// These addresses, on the uplink side.
    Network(Network),
}

/// With whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum To {
    /// Addresses of the internet.
    Internet,
    /// Whatever is on the other side.
    Uplink,
    /// These addresses.
    Network(Network),
    /// The addresses that the starting device was told for this name.
    Name(HostName),
    /// The names of a list.
    List(String),
    /// The addresses of a device, or its hardware addresses where it is on the LAN side.
    Device(String),
    /// Every device of the LAN side; for conversations that begin on the uplink side.
    Lan,
    /// The network's own servers: the router, the DHCP and DNS servers in use.
    Servers,
    /// Whoever is none of those.
    Others,
    /// Public resolvers of encrypted DNS, by their addresses and by the names that the starting device was told.
    Resolvers,
    /// Addresses that the starting device was told for no name.
    Unnamed,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, unlike any other's.
    pub name: String,
    /// What it does.
    pub effect: Effect,
    /// Any of these.
    pub who: Vec<Who>,
    /// Any of these.
    pub to: Vec<To>,
    /// Any of these.
    pub services: Vec<Service>,
    /// When it holds; always if there are none.
    pub when: Vec<Window>,
    /// When it ends for good.
    pub until: Option<Timestamp>,
    /// Who is responsible for it.
    pub owner: String,
    /// Why it is there.
    pub comment: String,
    /// Whether it only counts what it would do.
    pub shadow: bool,
}

/// The names of the rules that every policy has.
pub const BUILT_IN: &str = "default-";

impl Policy {
    /// A policy that allows nothing beyond the starter set.
    #[must_use]
    pub fn empty(posture: Posture) -> Self {
        Self {
            posture,
            newcomers: Newcomers::default(),
            dns: Dns::default(),
            dns_servers: Vec::new(),
            quic: Quic::default(),
            zone: Zone::utc(),
            groups: Vec::new(),
            devices: Vec::new(),
            lists: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The device to which a frame from the LAN side belongs: by its hardware address, or by its IP address if no device has that
    /// hardware address and the one with the IP address names none of its own.
    #[must_use]
    pub fn device_of(&self, mac: Option<MacAddr>, address: Option<IpAddr>) -> Option<&Device> {
        let by_mac = self.devices.iter().find(|d| mac.is_some_and(|mac| d.macs.contains(&mac)));
        by_mac.or_else(|| {
            self.devices.iter().find(|d| d.macs.is_empty() && address.is_some_and(|a| d.addresses.contains(&a)))
        })
    }

    /// The groups that a device is in, through other groups too.
    #[must_use]
    pub fn groups_of<'p>(&'p self, device: &'p Device) -> BTreeSet<&'p str> {
        let mut all = BTreeSet::new();
        let mut open: Vec<&str> = device.groups.iter().map(String::as_str).collect();
        while let Some(name) = open.pop() {
            if all.insert(name) {
                let group = self.groups.iter().find(|g| g.name == name);
                open.extend(group.iter().flat_map(|g| g.groups.iter().map(String::as_str)));
            }
        }
        all
    }

    /// How strictly rules hold for a device: its own posture, else the strictest of its groups', else the box's; nothing is cut while
    /// the box observes.
    #[must_use]
    pub fn posture_of(&self, device: Option<&Device>) -> Posture {
        if self.posture == Posture::Observe {
            return Posture::Observe;
        }
        let Some(device) = device else { return self.posture };
        let all = self.groups_of(device);
        let of_groups = self.groups.iter().filter(|g| all.contains(g.name.as_str())).filter_map(|g| g.posture);
        device.posture.or_else(|| of_groups.max_by_key(|p| *p as u8)).unwrap_or(self.posture)
    }

    /// The state of a device that may be unknown.
    #[must_use]
    pub fn state_of(device: Option<&Device>) -> DeviceState {
        device.map_or(DeviceState::New, |d| d.state)
    }

    /// Whether a rule can be about what this device of the LAN side starts.
    #[must_use]
    pub fn is_about(&self, rule: &Rule, device: Option<&Device>) -> bool {
        let state = Self::state_of(device);
        let approved = state == DeviceState::Approved;
        rule.who.iter().any(|who| match (who, device) {
            (Who::Device(name), Some(device)) => approved && device.name == *name,
            (Who::Group(name), Some(device)) => approved && self.groups_of(device).contains(name.as_str()),
            (Who::Lan, Some(_)) => approved,
            (Who::New, _) => state == DeviceState::New,
            (Who::Everyone, _) => true,
            (Who::Starter, _) => match state {
                DeviceState::New => self.newcomers == Newcomers::Starter,
                DeviceState::Approved | DeviceState::Quarantined => true,
                DeviceState::Blocked => false,
            },
            _ => false,
        })
    }

    /// The names that a rule's `to` stands for, through its lists.
    pub fn names_in<'p>(&'p self, rule: &'p Rule) -> impl Iterator<Item = &'p HostName> {
        rule.to.iter().flat_map(move |to| match to {
            To::Name(name) => std::slice::from_ref(name),
            To::List(list) => self.lists.iter().find(|l| l.name == *list).map_or(&[][..], |l| &l.hosts),
            To::Resolvers => &resolvers().names,
            _ => &[],
        })
    }

    /// Every name that a rule is about, each once.
    #[must_use]
    pub fn names(&self) -> Vec<HostName> {
        let all: BTreeSet<&HostName> = self.numbered().flat_map(|rule| self.names_in(rule)).collect();
        all.into_iter().cloned().collect()
    }

    /// Whether any rule is about a name.
    #[must_use]
    pub fn is_about_name(&self, name: &str) -> bool {
        self.numbered().any(|rule| self.names_in(rule).any(|wanted| wanted.matches(name)))
    }

    /// Whether everything but the rules is the same as in another.
    #[must_use]
    pub fn differs_in_rules_alone(&self, other: &Self) -> bool {
        let Self { posture, newcomers, dns, dns_servers, quic, zone, groups, devices, lists, rules: _ } = other;
        (posture, newcomers, dns, quic) == (&self.posture, &self.newcomers, &self.dns, &self.quic)
            && (dns_servers, zone, groups) == (&self.dns_servers, &self.zone, &self.groups)
            && (devices, lists) == (&self.devices, &self.lists)
    }

    /// A device by its name.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|d| d.name == name)
    }

    /// Whether a rule asks for addresses without any name, so that every name counts.
    #[must_use]
    pub fn counts_every_name(&self) -> bool {
        self.numbered().any(|rule| rule.to.contains(&To::Unnamed))
    }

    /// The rules that have a number of their own: the policy's own, then those of its switches.
    pub fn numbered(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|rule| -> &Rule { rule }).chain(self.switched().map(|rule| -> &Rule { rule }))
    }

    /// Every rule: the policy's own, those of its switches, then the starter set.
    pub fn all_rules(&self) -> impl Iterator<Item = &Rule> {
        self.numbered().chain(starter())
    }
}

/// What a network cannot live without, as rules like any other: address resolution, DHCP, the network's own DNS and time.
#[must_use]
pub fn starter() -> &'static [Rule] {
    static STARTER: LazyLock<Vec<Rule>> = LazyLock::new(make_starter);
    &STARTER
}

fn make_starter() -> Vec<Rule> {
    let udp = |port| Service::Udp(Ports::one(port));
    let rule = |name: &str, to, services: &[Service], comment: &str| {
        Rule::built_in(name, (Effect::Allow, Who::Starter), to, services, comment)
    };
    vec![
        rule("arp", To::Uplink, &[Service::Arp], "finds neighbours of IPv4"),
        rule("neighbors", To::Uplink, &[Service::NeighborDiscovery], "finds neighbours and routers of IPv6"),
        rule("dhcp", To::Uplink, &[udp(67), udp(547)], "gets an address"),
        rule("dns", To::Servers, &[udp(53), Service::Tcp(Ports::one(53))], "asks the network's own DNS server"),
        rule("ntp", To::Uplink, &[udp(123)], "asks for the time"),
    ]
}

impl Rule {
    /// One that is there without anybody's asking, under a name that says so.
    pub(crate) fn built_in(
        name: &str,
        (effect, who): (Effect, Who),
        to: To,
        services: &[Service],
        comment: &str,
    ) -> Self {
        Self {
            name: format!("{BUILT_IN}{name}"),
            effect,
            who: vec![who],
            to: vec![to],
            services: services.to_vec(),
            when: Vec::new(),
            until: None,
            owner: "picket".into(),
            comment: comment.into(),
            shadow: false,
        }
    }

    /// Whether it is one of the [`starter`] set, or of a switch.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.name.starts_with(BUILT_IN)
    }
}

impl Newcomers {
    /// The word of the text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Starter => "starter",
            Self::Nothing => "nothing",
        }
    }

    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Everything, Self::Starter, Self::Nothing];
}

impl DeviceState {
    /// The word of the text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Approved => "approved",
            Self::Quarantined => "quarantined",
            Self::Blocked => "blocked",
        }
    }

    /// Every state.
    pub const ALL: [Self; 4] = [Self::New, Self::Approved, Self::Quarantined, Self::Blocked];
}

impl Effect {
    /// The word of the text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}
