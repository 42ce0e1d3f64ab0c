//! The time machine: what a draft would have cut, and let pass, of what devices really did.
//!
//! **Bounds**: [`DIFFERENCES`] kinds of conversations are told apart; what is beyond is counted.

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use terms::Timestamp;

use crate::decide::Judge;
use crate::flow::Flow;
use crate::hostname::HostName;
use crate::network::Network;
use crate::rules::{Effect, Policy, Rule, To, Who};
use crate::service::{Asked, Ports, Service, protocol};

/// Kinds of conversations that are told apart.
pub const DIFFERENCES: usize = 10_000;

/// A draft beside the policy in force, with flows passing by.
pub struct Rehearsal<'p> {
    draft: &'p Policy,
    servers: &'p [IpAddr],
    held_judge: Judge<'p>,
    draft_judge: Judge<'p>,
    differences: BTreeMap<(String, String, Asked, bool, Effect), Difference>,
    conversations: u64,
    untold: u64,
}

/// Alike conversations about which a draft decides otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The device: its name in the draft, else its address.
    pub device: String,
    /// Whom it was with: the name that was asked for, else the address.
    pub peer: String,
    /// What was asked.
    pub asked: Asked,
    /// Whether the other side began.
    pub inbound: bool,
    /// What the draft does about it.
    pub effect: Effect,
    /// The rule of the draft that decides, or `default`.
    pub rule: String,
    /// Why, in words.
    pub why: String,
    /// How many began.
    pub conversations: u64,
    /// What they carried.
    ///
    /// **Units**: octets, both ways.
    pub octets: u64,
    /// The last of them.
    pub last: Timestamp,
    /// A rule that would let them pass, if they would be cut and one can.
    pub allow: Option<Rule>,
}

impl<'p> Rehearsal<'p> {
    /// A draft against the policy in force; `servers` serve the network.
    #[must_use]
    pub fn new(held: &'p Policy, draft: &'p Policy, servers: &'p [IpAddr]) -> Self {
        let (held_judge, draft_judge) = (Judge::new(held), Judge::new(draft));
        Self { draft, servers, held_judge, draft_judge, differences: BTreeMap::new(), conversations: 0, untold: 0 }
    }

    /// Lets a flow pass by.
    pub fn see(&mut self, flow: &Flow) {
        if flow.count == 0 {
            return;
        }
        self.conversations += u64::from(flow.count);
        let start = flow.start(self.servers);
        let ruling = self.draft_judge.decide(&start);
        if self.held_judge.decide(&start).effect == ruling.effect {
            return;
        }
        let device = self.draft_judge.device_of(Some(flow.mac), flow.lan);
        let name = device.map_or_else(|| flow.lan.to_string(), |device| device.name.clone());
        let full = self.differences.len() >= DIFFERENCES;
        let known = match self.differences.entry((name.clone(), flow.peer(), flow.asked, flow.inbound, ruling.effect)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if full => {
                self.untold += u64::from(flow.count);
                return;
            }
            Entry::Vacant(room) => room.insert(Difference {
                allow: (ruling.effect == Effect::Deny).then(|| allowing(self.draft, &name, flow)).flatten(),
                device: name,
                peer: flow.peer(),
                asked: flow.asked,
                inbound: flow.inbound,
                effect: ruling.effect,
                rule: ruling.rule,
                why: ruling.why,
                conversations: 0,
                octets: 0,
                last: flow.last,
            }),
        };
        known.conversations += u64::from(flow.count);
        known.octets += flow.octets.iter().sum::<u64>();
        known.last = known.last.max(flow.last);
    }

    /// Conversations that passed by.
    #[must_use]
    pub const fn conversations(&self) -> u64 {
        self.conversations
    }

    /// Conversations that would differ and are of a kind for which there was no room.
    #[must_use]
    pub const fn untold(&self) -> u64 {
        self.untold
    }

    /// What would differ, the most frequent first within a device.
    #[must_use]
    pub fn differences(self) -> Vec<Difference> {
        let mut all: Vec<_> = self.differences.into_values().collect();
        all.sort_by(|a, b| a.device.cmp(&b.device).then(b.conversations.cmp(&a.conversations)));
        all
    }
}

/// A rule that lets alike conversations pass: none where the device must be approved first, or where nothing allows it.
fn allowing(policy: &Policy, device: &str, flow: &Flow) -> Option<Rule> {
    let known = policy.device(device)?;
    let here = To::Device(known.name.clone());
    let far = Network::host(flow.far);
    let (who, to) = if flow.inbound {
        (Who::Network(far), here)
    } else {
        let name = flow.names.first().and_then(|name| HostName::read(name).ok());
        (Who::Device(known.name.clone()), name.map_or(To::Network(far), To::Name))
    };
    let service = service_of(flow.asked)?;
    let end = flow.peer().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-', "-");
    Some(Rule {
        name: format!("{device}-{end}-{}", service.to_string().replace('/', "-")).chars().take(crate::NAME).collect(),
        effect: Effect::Allow,
        who: vec![who],
        to: vec![to],
        services: vec![service],
        when: Vec::new(),
        until: None,
        owner: String::new(),
        comment: String::new(),
        shadow: false,
    })
}

/// The narrowest service of rules that covers what was asked; none where no rule can.
pub(crate) const fn service_of(asked: Asked) -> Option<Service> {
    Some(match asked.protocol {
        protocol::TCP => Service::Tcp(Ports::one(asked.port)),
        protocol::UDP => Service::Udp(Ports::one(asked.port)),
        protocol::ICMP | protocol::ICMP6 if asked.echo => Service::Ping,
        protocol::ICMP | protocol::ICMP6 => return None,
        other => Service::Protocol(other),
    })
}
