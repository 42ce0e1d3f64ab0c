//! From what a device did to the smallest readable set of rules that lets it go on.
//!
//! Names come before addresses, and what is wider than what was seen says why in its comment. What every policy allows anyway needs no
//! rule; what the other side began, and what the device did while a finding stood against it, gets none by itself.

use core::net::IpAddr;
use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use terms::{HostKey, Posture, Timestamp};

use crate::decide::Judge;
use crate::flow::Flow;
use crate::hostname::HostName;
use crate::network::Network;
use crate::rehearsal::service_of;
use crate::rules::{Device, DeviceState, Effect, NAME, Policy, Rule, To, Who};
use crate::service::{NAMED, Ports, Service};

/// Hosts of one domain, for the same service, from which on the domain is meant.
const HOSTS: usize = 3;
/// Addresses of the internet without a name, for the same service, from which on the internet is meant.
const ADDRESSES: usize = 6;
/// Ports of one peer from which on all of the protocol are meant.
const PORTS: usize = 8;
/// Kinds of conversations that are looked at; more are no habit.
const KINDS: usize = 20_000;

/// What a device would need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The rules.
    pub rules: Vec<Rule>,
    /// Conversations that they cover.
    pub covered: u64,
    /// Conversations that every policy allows.
    pub anyway: u64,
    /// What was left out: how many conversations, and why.
    pub left_out: BTreeMap<&'static str, u64>,
}

/// What was seen of one device, on the way to a proposal.
pub struct Learning<'p> {
    device: Device,
    /// What any policy allows this device.
    bare: Policy,
    servers: &'p [IpAddr],
    /// When findings stood against it.
    doubtful: &'p [Range<Timestamp>],
    /// Peers by service.
    seen: BTreeMap<Service, BTreeMap<Peer, u64>>,
    kinds: usize,
    /// The names of addresses that were also reached before anybody heard their name.
    named: BTreeMap<IpAddr, String>,
    proposal: Proposal,
}

/// The other end, as a rule would have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    /// A name, and whether what it stood for is on the internet.
    Name(String, bool),
    Address(IpAddr),
}

/// The other end with the reason why it is wider than what was seen, if it is.
type Reasoned = (To, Option<String>);

impl<'p> Learning<'p> {
    /// Nothing seen yet of a device; `servers` serve the network, `doubtful` is when findings stood against it.
    #[must_use]
    pub fn new(device: &Device, servers: &'p [IpAddr], doubtful: &'p [Range<Timestamp>]) -> Self {
        let posture = Some(Posture::Enforce);
        let device = Device { groups: Vec::new(), state: DeviceState::Approved, posture, ..device.clone() };
        let bare = Policy { devices: vec![device.clone()], ..Policy::empty(Posture::Enforce) };
        Self {
            device,
            bare,
            servers,
            doubtful,
            seen: BTreeMap::new(),
            kinds: 0,
            named: BTreeMap::new(),
            proposal: Proposal::default(),
        }
    }

    /// Takes in flows; those of other devices are passed over.
    pub fn see<'f>(&mut self, flows: impl IntoIterator<Item = &'f Flow>) {
        let mut judge = Judge::new(&self.bare);
        let proposal = &mut self.proposal;
        for flow in flows {
            if judge.device_of(Some(flow.mac), flow.lan).is_none() || flow.count == 0 {
                continue;
            }
            let count = u64::from(flow.count);
            let mut leave = |why| *proposal.left_out.entry(why).or_default() += count;
            if judge.decide(&flow.start(self.servers)).effect == Effect::Allow {
                proposal.anyway += count;
                continue;
            }
            let Some(service) = service_of(flow.asked) else {
                leave("no rule can be about it");
                continue;
            };
            if flow.inbound {
                leave("the other side began: write a rule by hand if it may");
                continue;
            }
            if self.doubtful.iter().any(|during| during.contains(&flow.first)) {
                leave("a finding stood against the device then");
                continue;
            }
            let peer = flow.names.first().filter(|name| HostName::read(name).is_ok());
            let peer = peer.map_or(Peer::Address(flow.far), |name| {
                Peer::Name(name.to_ascii_lowercase(), HostKey::from(flow.far).is_global())
            });
            if let Peer::Name(name, _) = &peer
                && self.kinds < KINDS
            {
                self.named.entry(flow.far).or_insert_with(|| name.clone());
            }
            let peers = self.seen.entry(service).or_default();
            if self.kinds >= KINDS && !peers.contains_key(&peer) {
                leave("too many kinds of conversations for one device");
                continue;
            }
            let known = peers.entry(peer).or_insert_with(|| {
                self.kinds += 1;
                0
            });
            *known += count;
            proposal.covered += count;
        }
    }

    /// The smallest readable set of rules for what was seen.
    #[must_use]
    pub fn proposal(mut self) -> Proposal {
        self.name_addresses();
        self.merge_ports();
        // Peers with the same services are one rule.
        let mut services: BTreeMap<To, (BTreeSet<Service>, BTreeSet<String>)> = BTreeMap::new();
        for (service, peers) in &self.seen {
            for (to, reason) in widened(peers.keys()) {
                let entry = services.entry(to).or_default();
                entry.0.insert(*service);
                entry.1.extend(reason);
            }
        }
        let mut rules: BTreeMap<BTreeSet<Service>, (Vec<To>, BTreeSet<String>)> = BTreeMap::new();
        for (to, (set, reasons)) in services {
            let rule = rules.entry(set).or_default();
            rule.0.push(to);
            rule.1.extend(reasons);
        }
        let mut names = BTreeSet::new();
        for (services, (to, reasons)) in rules {
            let name = self.name_of(&services, &mut names);
            let comment: Vec<String> = reasons.into_iter().collect();
            self.proposal.rules.push(Rule {
                name,
                effect: Effect::Allow,
                who: vec![Who::Device(self.device.name.clone())],
                to,
                services: services.into_iter().collect(),
                when: Vec::new(),
                until: None,
                owner: String::new(),
                comment: comment.join("; "),
                shadow: false,
            });
        }
        self.proposal
    }

    /// An address that has a name by now is meant by it: it was reached before the box heard the name.
    fn name_addresses(&mut self) {
        for peers in self.seen.values_mut() {
            for (address, name) in &self.named {
                if let Some(count) = peers.remove(&Peer::Address(*address)) {
                    let is_global = HostKey::from(*address).is_global();
                    *peers.entry(Peer::Name(name.clone(), is_global)).or_default() += count;
                }
            }
        }
    }

    /// Many ports of one peer are one service: all ports of the protocol.
    fn merge_ports(&mut self) {
        let all = [Service::Tcp(Ports::ALL), Service::Udp(Ports::ALL)];
        let whole = |service: Service| match service {
            Service::Tcp(_) => Some(all[0]),
            Service::Udp(_) => Some(all[1]),
            _ => None,
        };
        let mut ports: BTreeMap<(Service, Peer), usize> = BTreeMap::new();
        for (service, peers) in &self.seen {
            for (whole, peer) in peers.keys().filter_map(|peer| Some((whole(*service)?, peer))) {
                *ports.entry((whole, peer.clone())).or_default() += 1;
            }
        }
        for ((all, peer), _) in ports.into_iter().filter(|(_, count)| *count >= PORTS) {
            let mut moved = 0;
            for (_, peers) in self.seen.iter_mut().filter(|(service, _)| whole(**service) == Some(all)) {
                moved += peers.remove(&peer).unwrap_or_default();
            }
            self.seen.entry(all).or_default().insert(peer, moved);
        }
        self.seen.retain(|_, peers| !peers.is_empty());
    }

    /// A name for a rule of these services that no other has.
    fn name_of(&self, services: &BTreeSet<Service>, taken: &mut BTreeSet<String>) -> String {
        let named = |(_, list): &&(&str, &[&str])| {
            let all: BTreeSet<Service> = list.iter().filter_map(|one| Service::read(one).ok()).flatten().collect();
            services.is_subset(&all)
        };
        let first = services.first().map(ToString::to_string).unwrap_or_default().replace('/', "-");
        let about = NAMED.iter().find(named).map_or(first, |(name, _)| (*name).to_owned());
        let room = NAME.saturating_sub(about.len() + 4);
        let short: String = self.device.name.chars().take(room).collect();
        let base = format!("{}-{about}", short.trim());
        let numbered = (2..).map(|n| format!("{base}-{n}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(base);
        taken.insert(name.clone());
        name
    }
}

/// The peers of one service, the many of a kind as one.
fn widened<'s>(peers: impl Iterator<Item = &'s Peer>) -> Vec<Reasoned> {
    let (mut names, mut global, mut local) = (BTreeMap::<&str, bool>::new(), Vec::new(), Vec::new());
    for peer in peers {
        match peer {
            Peer::Name(name, is_global) => *names.entry(name).or_insert(true) &= is_global,
            Peer::Address(address) if HostKey::from(*address).is_global() => global.push(*address),
            Peer::Address(address) => local.push(*address),
        }
    }
    // What the internet covers needs no name.
    let anywhere = global.len() >= ADDRESSES;
    names.retain(|_, is_global| !(anywhere && *is_global));
    let mut domains = BTreeMap::<String, Vec<&str>>::new();
    names.into_keys().for_each(|name| domains.entry(domain(name)).or_default().push(name));
    let mut all: Vec<Reasoned> = Vec::new();
    for (domain, hosts) in domains {
        let below: Vec<_> = hosts.iter().filter(|host| **host != domain).collect();
        let many = below.len() >= HOSTS;
        let wide = HostName::read(&format!("*.{domain}")).ok().filter(|_| many);
        let said = hosts.iter().filter(|host| !many || **host == domain).filter_map(|host| HostName::read(host).ok());
        all.extend(said.map(|name| (To::Name(name), None)));
        all.extend(wide.map(|wide| (To::Name(wide), Some(format!("{} hosts of {domain}", below.len())))));
    }
    all.extend(local.into_iter().map(|address| (To::Network(Network::host(address)), None)));
    if anywhere {
        all.push((To::Internet, Some(format!("{} addresses of the internet without a name", global.len()))));
    } else {
        let unnamed = |address| (To::Network(Network::host(address)), Some(format!("{address} has no name here")));
        all.extend(global.into_iter().map(unnamed));
    }
    all
}

/// The domain that somebody registered, as far as that can be told without a list: the last two labels, or three where the last two are
/// short as in `co.uk`.
fn domain(name: &str) -> String {
    let labels: Vec<&str> = name.split('.').collect();
    let short =
        |n: usize| labels.len() > n && labels[labels.len() - n].len() <= 3 && labels[labels.len() - 1].len() == 2;
    let take = if short(2) { 3 } else { 2 };
    labels[labels.len().saturating_sub(take)..].join(".")
}

#[cfg(test)]
mod tests;
