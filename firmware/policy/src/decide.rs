//! Whether a conversation may begin, and which rule says so.
//!
//! This is the meaning of a policy; `compile` says the same to the kernel, and a test holds them together.

use core::net::IpAddr;
use std::collections::HashMap;
use std::rc::Rc;

use terms::{HostKey, MacAddr, Posture, Timestamp};

use crate::rules::{Device, DeviceState, Effect, Newcomers, Policy, Rule, To, Who};
use crate::schedule::{Opening, opening};
use crate::service::Asked;
use crate::switch::resolvers;

/// The word that stands for a rule where none decides.
pub const DEFAULT: &str = "default";

/// The first packet of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Who sends it, and on which side.
    pub from: Sender,
    /// Whom it is for.
    pub to: IpAddr,
    /// The hardware address that it goes to, where it goes to the LAN side.
    pub to_mac: Option<MacAddr>,
    /// What it is about.
    pub asked: Asked,
    /// The names for which the sending device was told the address.
    pub names: &'a [String],
    /// The network's own servers, as the box has learnt them.
    pub servers: &'a [IpAddr],
    /// When.
    pub at: Timestamp,
}

/// Who starts a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Somebody on the LAN side.
    Lan(Option<MacAddr>, IpAddr),
    /// Somebody on the uplink side.
    Uplink(IpAddr),
}

/// What was decided, by what, and why in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Whether it passes.
    pub effect: Effect,
    /// The rule's name, or [`DEFAULT`].
    pub rule: String,
    /// For the admin.
    pub why: String,
}

/// Decides about conversations under one policy; what holds for a device is looked up once.
pub struct Judge<'p> {
    policy: &'p Policy,
    by_mac: HashMap<MacAddr, &'p Device>,
    /// Devices without a hardware address here.
    by_address: HashMap<IpAddr, &'p Device>,
    /// By the device's name; nothing is the device that is unknown.
    standings: HashMap<Option<&'p str>, Rc<Standing<'p>>>,
    /// Rules about what begins on the uplink side.
    inbound: Vec<&'p Rule>,
}

/// How a device stands under the policy.
struct Standing<'p> {
    device: Option<&'p Device>,
    holds: bool,
    /// Rules about what it starts.
    rules: Vec<&'p Rule>,
}

/// Decides about one conversation that is not known yet.
#[must_use]
pub fn decide(policy: &Policy, start: &Start<'_>) -> Ruling {
    Judge::new(policy).decide(start)
}

impl<'p> Judge<'p> {
    /// Under this policy.
    #[must_use]
    pub fn new(policy: &'p Policy) -> Self {
        let by_mac = |d: &'p Device| d.macs.iter().map(move |mac| (*mac, d));
        let macless = policy.devices.iter().filter(|d| d.macs.is_empty());
        let from_outside = |who: &Who| matches!(who, Who::Uplink | Who::Internet | Who::Network(_));
        Self {
            policy,
            // Of two devices with the same address the first counts, as everywhere.
            by_mac: policy.devices.iter().rev().flat_map(by_mac).collect(),
            by_address: macless.rev().flat_map(|d| d.addresses.iter().map(move |a| (*a, d))).collect(),
            standings: HashMap::new(),
            inbound: policy.all_rules().filter(|rule| rule.who.iter().any(from_outside)).collect(),
        }
    }

    /// Decides about a conversation that is not known yet.
    pub fn decide(&mut self, start: &Start<'_>) -> Ruling {
        match start.from {
            Sender::Lan(mac, address) => self.begun_on_lan(mac, address, start),
            Sender::Uplink(address) => self.begun_on_uplink(address, start),
        }
    }

    /// The device to which a frame from the LAN side belongs: see [`Policy::device_of`].
    #[must_use]
    pub fn device_of(&self, mac: Option<MacAddr>, address: IpAddr) -> Option<&'p Device> {
        mac.and_then(|mac| self.by_mac.get(&mac)).or_else(|| self.by_address.get(&address)).copied()
    }

    fn standing(&mut self, mac: Option<MacAddr>, address: IpAddr) -> Rc<Standing<'p>> {
        let (device, policy) = (self.device_of(mac, address), self.policy);
        let standing = self.standings.entry(device.map(|d| d.name.as_str())).or_insert_with(|| {
            let rules = policy.all_rules().filter(|rule| policy.is_about(rule, device)).collect();
            Rc::new(Standing { device, holds: policy.holds(device), rules })
        });
        Rc::clone(standing)
    }

    fn begun_on_lan(&mut self, mac: Option<MacAddr>, address: IpAddr, start: &Start<'_>) -> Ruling {
        let standing = self.standing(mac, address);
        let (policy, device) = (self.policy, standing.device);
        let name = device.map_or("a device that nobody has decided about", |d| d.name.as_str());
        let state = Policy::state_of(device);
        if !standing.holds {
            return allowed(format!(
                "{name} may do what it likes: its posture is {}",
                policy.posture_of(device).as_str()
            ));
        }
        if state == DeviceState::Blocked {
            return denied(format!("{name} is blocked"));
        }
        let about = |rule: &&Rule| {
            rule.services.iter().any(|service| service.covers(start.asked))
                && rule.to.iter().any(|to| is_to(policy, to, start))
        };
        if let Some(ruling) = by_rules(policy, standing.rules.iter().copied().filter(about), start) {
            return ruling;
        }
        match (state, policy.newcomers) {
            (DeviceState::New, Newcomers::Everything) => allowed("new devices are tolerated".into()),
            (DeviceState::New, _) => denied(format!("{name} is new, and no rule for new devices allows it")),
            (DeviceState::Quarantined, _) => denied(format!("{name} is in quarantine")),
            _ => denied(format!("no rule allows it to {name}")),
        }
    }

    fn begun_on_uplink(&mut self, from: IpAddr, start: &Start<'_>) -> Ruling {
        let standing = self.standing(start.to_mac, start.to);
        let (policy, device) = (self.policy, standing.device);
        let name = device.map_or_else(|| start.to.to_string(), |d| d.name.clone());
        if !standing.holds {
            return allowed(format!("anybody may reach {name}: its posture is {}", policy.posture_of(device).as_str()));
        }
        if Policy::state_of(device) == DeviceState::Blocked {
            return denied(format!("{name} is blocked"));
        }
        let sender = |who: &Who| match who {
            Who::Uplink => true,
            Who::Internet => HostKey::from(from).is_global(),
            Who::Network(network) => network.contains(from),
            _ => false,
        };
        let receiver = |to: &To| match to {
            To::Lan | To::Uplink => true,
            To::Network(network) => network.contains(start.to),
            To::Device(name) => device.is_some_and(|d| d.name == *name),
            _ => false,
        };
        let about = |rule: &&Rule| {
            rule.who.iter().any(sender)
                && rule.to.iter().any(receiver)
                && rule.services.iter().any(|service| service.covers(start.asked))
        };
        let ruling = by_rules(policy, self.inbound.iter().copied().filter(about), start);
        ruling.unwrap_or_else(|| denied(format!("no rule lets anybody on the uplink side begin with {name}")))
    }
}

impl Policy {
    /// Whether rules hold for a device, or for one that is unknown: by its posture, or because it is in quarantine.
    #[must_use]
    pub fn holds(&self, device: Option<&Device>) -> bool {
        let shut = matches!(Self::state_of(device), DeviceState::Quarantined | DeviceState::Blocked);
        self.posture != Posture::Observe && (shut || self.posture_of(device) == Posture::Enforce)
    }
}

impl Rule {
    /// Whether it is over for good, or its windows are shut at a moment.
    #[must_use]
    pub fn sleeps(&self, policy: &Policy, at: Timestamp) -> bool {
        let over = self.until.is_some_and(|until| until <= at);
        over || matches!(opening(&self.when, &policy.zone, at), Opening::Shut(_))
    }
}

/// The denies that hold at a moment and did not hold before: what other rules admitted until then must end.
#[must_use]
pub fn new_denies<'p>(before: &Policy, then: Timestamp, policy: &'p Policy, at: Timestamp) -> Vec<&'p Rule> {
    let holds =
        |policy: &Policy, rule: &Rule, at| rule.effect == Effect::Deny && !rule.shadow && !rule.sleeps(policy, at);
    let same = |rule: &Rule, other: &Rule| {
        (&rule.who, &rule.to, &rule.services) == (&other.who, &other.to, &other.services) && holds(before, other, then)
    };
    let held = |rule: &&Rule| holds(policy, rule, at) && !before.numbered().any(|other| same(rule, other));
    policy.numbered().filter(held).collect()
}

/// A deny before every allow; shadow rules only count.
fn by_rules<'r>(policy: &Policy, about: impl Iterator<Item = &'r Rule>, start: &Start<'_>) -> Option<Ruling> {
    let awake = about.filter(|rule| !rule.shadow && !rule.sleeps(policy, start.at));
    let rule = awake.min_by_key(|rule| rule.effect)?;
    let owner = if rule.owner.is_empty() { String::new() } else { format!(" (owner {})", rule.owner) };
    let comment = if rule.comment.is_empty() { String::new() } else { format!(": {}", rule.comment) };
    let does = if rule.effect == Effect::Allow { "allows" } else { "denies" };
    Some(Ruling {
        effect: rule.effect,
        rule: rule.name.clone(),
        why: format!("{} {does} it{owner}{comment}", rule.name),
    })
}

fn is_to(policy: &Policy, to: &To, start: &Start<'_>) -> bool {
    match to {
        To::Internet => HostKey::from(start.to).is_global(),
        To::Uplink => true,
        To::Network(network) => network.contains(start.to),
        To::Name(name) => start.names.iter().any(|told| name.matches(told)),
        To::List(list) => {
            let hosts = policy.lists.iter().filter(|l| l.name == *list).flat_map(|l| &l.hosts);
            hosts.into_iter().any(|host| start.names.iter().any(|told| host.matches(told)))
        }
        To::Device(name) => policy.device(name).is_some_and(|d| d.addresses.contains(&start.to)),
        To::Servers => policy.is_server(start.to, start.servers),
        To::Others => !policy.is_server(start.to, start.servers),
        To::Resolvers => {
            let known = resolvers();
            known.addresses.contains(&start.to) || start.names.iter().any(|told| known.has_name(told))
        }
        To::Unnamed => start.names.is_empty(),
        To::Lan => false,
    }
}

fn allowed(why: String) -> Ruling {
    Ruling { effect: Effect::Allow, rule: DEFAULT.into(), why }
}

fn denied(why: String) -> Ruling {
    Ruling { effect: Effect::Deny, rule: DEFAULT.into(), why }
}

#[cfg(test)]
mod tests;
