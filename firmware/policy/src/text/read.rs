//! The text to a policy, or everything that is wrong with it.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use terms::{MacAddr, Posture, Timestamp};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, line_at, refuse_depth, short};
use super::fields::{Fields, Word};
use super::nearest::nearest;
use crate::hostname::HostName;
use crate::network::{Network, NetworkError};
use crate::rules::{
    BUILT_IN, DEVICES, Device, DeviceState, Effect, Group, NAME, NameList, Newcomers, Policy, RULES, Rule, To, Who,
};
use crate::schedule::{Window, Zone};
use crate::service::{Service, ServiceError};
use crate::switch::{Dns, Quic};

/// The longest text that is read, in octets.
pub const TEXT_MAX: usize = 4 << 20;
/// The most faults that are told at once.
const FAULTS_MAX: usize = 20;
/// The most hardware or IP addresses, groups, hosts of a list, or alternatives of a rule.
const SEVERAL: usize = 256;
/// The most DNS servers that a policy names.
const SERVERS: usize = 16;
/// Words in `who` and `to` that no device, group or list may have as its name.
const WORDS: [&str; 7] = ["internet", "uplink", "lan", "new", "servers", "starter", "any"];
/// What may stand at the top of the text.
const TOP: [&str; 11] =
    ["posture", "new", "dns", "dns_servers", "quic", "time_zone", "group", "device", "list", "allow", "deny"];

/// Reads a whole policy.
///
/// # Errors
/// Every fault that was found, in the order of the lines, at most 20; never an empty list.
pub fn read(text: &str) -> Result<Policy, Vec<Fault>> {
    if text.len() > TEXT_MAX {
        return Err(vec![Fault { line: 1, what: format!("the policy is longer than {} MiB", TEXT_MAX >> 20) }]);
    }
    refuse_depth(text)?;
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        vec![Fault { line, what: format!("this is not TOML: {}", error.message().replace('\n', ", ")) }]
    })?;
    let mut reading = Reading { text, faults: Vec::new(), names: BTreeMap::new() };
    let policy = reading.policy(document.get_ref());
    let mut faults = reading.faults;
    faults.sort_by_key(|fault| fault.line);
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(policy) } else { Err(faults) }
}

/// A text being read.
pub(super) struct Reading<'t> {
    pub text: &'t str,
    pub faults: Vec<Fault>,
    /// What the names of devices, groups and lists stand for.
    pub names: BTreeMap<String, Named>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Device,
    Group,
    List,
}

impl<'t> Reading<'t> {
    fn policy(&mut self, document: &'t DeTable<'t>) -> Policy {
        let mut top = Fields::new(self.text, "the policy", document, 0);
        top.only(&TOP);
        let mut policy = Policy::empty(Posture::default());
        policy.posture = top.one_of("posture", &Posture::ALL, Posture::as_str).unwrap_or_default();
        policy.newcomers = top.one_of("new", &Newcomers::ALL, Newcomers::as_str).unwrap_or_default();
        policy.dns = top.one_of("dns", &Dns::ALL, Dns::as_str).unwrap_or_default();
        policy.dns_servers = top.each("dns_servers", ip_address);
        policy.quic = top.one_of("quic", &Quic::ALL, Quic::as_str).unwrap_or_default();
        if policy.dns_servers.len() > SERVERS {
            let what = format!("dns_servers has {} entries; at most {SERVERS} can be held", policy.dns_servers.len());
            top.fault(top.at, what);
        }
        let zone = top.each("time_zone", |name| {
            Zone::named(name).ok_or_else(|| "is no time zone; they are named as in \"Europe/Berlin\"".into())
        });
        policy.zone = zone.into_iter().next().unwrap_or_else(Zone::utc);
        self.faults.append(&mut top.faults);
        for (table, at) in self.tables(document, "group") {
            let group = self.group(table, at);
            policy.groups.extend(group);
        }
        for (table, at) in self.tables(document, "list") {
            let list = self.list(table, at);
            policy.lists.extend(list);
        }
        let devices = self.tables(document, "device");
        self.at_most(devices.len(), DEVICES, "devices", &devices);
        for (table, at) in devices {
            let device = self.device(table, at);
            policy.devices.extend(device);
        }
        name_groups(&mut self.names, &policy);
        self.cycles(&policy, document);
        self.shared_addresses(&policy, document);
        let mut rules: Vec<_> = self.tables(document, "deny").into_iter().map(|t| (Effect::Deny, t)).collect();
        rules.extend(self.tables(document, "allow").into_iter().map(|t| (Effect::Allow, t)));
        let tables: Vec<_> = rules.iter().map(|(_, table)| *table).collect();
        self.at_most(rules.len(), RULES, "rules", &tables);
        let mut named = BTreeSet::new();
        for (effect, (table, at)) in rules {
            let Some(rule) = self.rule(effect, table, at) else { continue };
            if !named.insert(rule.name.clone()) {
                self.fault(at, format!("there are two rules named \"{}\"", short(&rule.name)));
            }
            policy.rules.push(rule.into());
        }
        policy
    }

    /// The tables under a name, each with its place.
    pub fn tables(&mut self, document: &'t DeTable<'t>, name: &str) -> Vec<(&'t DeTable<'t>, usize)> {
        let Some(value) = document.get(name) else { return Vec::new() };
        let all: Option<Vec<_>> = value.get_ref().as_array().and_then(|list| list.iter().map(table_of).collect());
        if all.is_none() {
            let what =
                format!("{name} is a table that can be there several times: write [[{name}]] and its keys below it");
            self.fault(value.span().start, what);
        }
        all.unwrap_or_default()
    }

    fn at_most(&mut self, count: usize, most: usize, what: &str, tables: &[(&DeTable<'_>, usize)]) {
        if let Some((_, at)) = tables.get(most) {
            self.fault(*at, format!("{count} {what}; at most {most} can be held"));
        }
    }

    fn group(&mut self, table: &'t DeTable<'t>, at: usize) -> Option<Group> {
        let mut fields = Fields::new(self.text, "[[group]]", table, at);
        fields.only(&["name", "groups", "posture"]);
        let name = self.name(&mut fields, Some(Named::Group));
        let groups = fields.each("groups", group_name);
        let posture = fields.one_of("posture", &Posture::ALL, Posture::as_str);
        self.faults.append(&mut fields.faults);
        Some(Group { name: name?, groups, posture })
    }

    fn list(&mut self, table: &'t DeTable<'t>, at: usize) -> Option<NameList> {
        let mut fields = Fields::new(self.text, "[[list]]", table, at);
        fields.only(&["name", "hosts"]);
        let name = self.name(&mut fields, Some(Named::List));
        let hosts = fields.each("hosts", |text| HostName::read(text).map_err(Into::into));
        self.faults.append(&mut fields.faults);
        Some(NameList { name: name?, hosts })
    }

    fn device(&mut self, table: &'t DeTable<'t>, at: usize) -> Option<Device> {
        let mut fields = Fields::new(self.text, "[[device]]", table, at);
        fields.only(&["name", "macs", "addresses", "groups", "state", "posture", "shadow_since", "owner", "comment"]);
        let name = self.name(&mut fields, Some(Named::Device));
        let device = Device {
            name: name.clone().unwrap_or_default(),
            macs: fields.each("macs", hardware_address),
            addresses: fields.each("addresses", ip_address),
            groups: fields.each("groups", group_name),
            state: fields.one_of("state", &DeviceState::ALL, DeviceState::as_str).unwrap_or_default(),
            posture: fields.one_of("posture", &Posture::ALL, Posture::as_str),
            shadow_since: fields.each("shadow_since", moment_of).into_iter().next(),
            owner: fields.word("owner").map(|w| w.text).unwrap_or_default(),
            comment: fields.word("comment").map(|w| w.text).unwrap_or_default(),
        };
        for (what, count) in
            [("macs", device.macs.len()), ("addresses", device.addresses.len()), ("groups", device.groups.len())]
        {
            if count > SEVERAL {
                fields.fault(
                    fields.at,
                    format!("{what} in [[device]] has {count} entries; at most {SEVERAL} can be held"),
                );
            }
        }
        if device.macs.is_empty() && device.addresses.is_empty() && name.is_some() {
            fields.fault(fields.at, "[[device]] needs macs or addresses, or nobody can tell which it is".into());
        }
        self.faults.append(&mut fields.faults);
        name.map(|_| device)
    }

    /// A group must not be in itself, through others either.
    fn cycles(&mut self, policy: &Policy, document: &'t DeTable<'t>) {
        let places = self.tables(document, "group");
        for (group, (_, at)) in policy.groups.iter().zip(places) {
            let inside = Device { groups: group.groups.clone(), ..Device::default() };
            if policy.groups_of(&inside).contains(group.name.as_str()) {
                let what = format!("the group \"{}\" is in itself, through its groups", short(&group.name));
                self.fault(at, what);
            }
        }
    }

    /// An address that two devices claim makes neither of them.
    fn shared_addresses(&mut self, policy: &Policy, document: &'t DeTable<'t>) {
        let places = self.tables(document, "device");
        let (mut macs, mut addresses) = (BTreeMap::new(), BTreeMap::new());
        for (device, (_, at)) in policy.devices.iter().zip(places) {
            for mac in &device.macs {
                if let Some(other) = macs.insert(*mac, &device.name) {
                    self.fault(at, format!("macs in [[device]]: {mac} belongs to \"{}\" already", short(other)));
                }
            }
            for address in &device.addresses {
                if let Some(other) = addresses.insert(*address, &device.name) {
                    self.fault(
                        at,
                        format!("addresses in [[device]]: {address} belongs to \"{}\" already", short(other)),
                    );
                }
            }
        }
    }

    pub fn rule(&mut self, effect: Effect, table: &'t DeTable<'t>, at: usize) -> Option<Rule> {
        let kind = if effect == Effect::Allow { "[[allow]]" } else { "[[deny]]" };
        let mut fields = Fields::new(self.text, kind, table, at);
        fields.only(&["name", "who", "to", "service", "when", "until", "owner", "comment", "shadow"]);
        let name = self.name(&mut fields, None);
        for key in ["who", "to"] {
            let _told = fields.words(key).is_empty() && fields.needed(key).is_none();
        }
        let names = &self.names;
        let rule = Rule {
            name: name.clone().unwrap_or_default(),
            effect,
            who: fields.each("who", |text| who(text, names)),
            to: fields.each("to", |text| to(text, names)),
            services: services(&mut fields),
            when: fields.each("when", Window::read),
            until: fields.each("until", moment_of).into_iter().next(),
            owner: fields.word("owner").map(|w| w.text).unwrap_or_default(),
            comment: fields.word("comment").map(|w| w.text).unwrap_or_default(),
            shadow: fields.flag("shadow"),
        };
        let inbound = |who: &Who| matches!(who, Who::Uplink | Who::Internet | Who::Network(_));
        if rule.who.iter().any(inbound) && !rule.who.iter().all(inbound) {
            fields.fault(fields.at, format!("who in {kind} names both sides of the box; write one rule for each"));
        }
        let of_device = |to: &To| matches!(to, To::Name(_) | To::List(_) | To::Resolvers | To::Unnamed);
        let named = rule.to.iter().any(of_device);
        if named && rule.who.iter().any(inbound) {
            fields.fault(fields.at, format!("to in {kind}: names are for what devices of the LAN side start"));
        }
        self.faults.append(&mut fields.faults);
        name.map(|_| rule)
    }

    /// The table's name, checked, and taken if it is one that rules can refer to.
    fn name(&mut self, fields: &mut Fields<'_>, of: Option<Named>) -> Option<String> {
        let Word { text, at } = fields.needed("name")?;
        let fits = (1..=NAME).contains(&text.chars().count());
        let plain = text.chars().all(|c| c.is_alphanumeric() || " -_.'()+".contains(c)) && text.trim() == text;
        if !(fits && plain) {
            let what = format!("name \"{}\": 1 to {NAME} letters, digits, spaces or -_.'()+", short(&text));
            fields.fault(at, what);
            return None;
        }
        if of.is_none() && text.starts_with(BUILT_IN) {
            fields.fault(at, format!("name \"{}\": {BUILT_IN}... are the rules that every policy has", short(&text)));
            return None;
        }
        let Some(of) = of else { return Some(text) };
        if WORDS.contains(&text.as_str()) || text.parse::<Network>().is_ok() {
            fields.fault(at, format!("name \"{text}\" has a meaning of its own in rules; choose another"));
            return None;
        }
        if self.names.insert(text.clone(), of).is_some() {
            fields.fault(at, format!("there are two devices, groups or lists named \"{}\"", short(&text)));
        }
        Some(text)
    }

    fn fault(&mut self, at: usize, what: String) {
        self.faults.push(Fault { line: line_at(self.text, at), what });
    }
}

fn table_of<'t>(item: &'t Spanned<DeValue<'t>>) -> Option<(&'t DeTable<'t>, usize)> {
    item.get_ref().as_table().map(|table| (table, item.span().start))
}

fn services(fields: &mut Fields<'_>) -> Vec<Service> {
    let read = |text: &str| {
        Service::read(text).map_err(|error| match error {
            ServiceError::Ports(ports) => {
                format!("has no ports in {ports}: a port is 0 to 65535, a range goes upwards")
            }
            ServiceError::Unknown(what) => {
                let known = crate::service::NAMED.iter().map(|(name, _)| *name).chain(["tcp", "udp", "ping", "any"]);
                format!("names no service; the nearest to {what} is {}", nearest(&what, known).unwrap_or_default())
            }
        })
    };
    if fields.words("service").is_empty() {
        return vec![Service::Any];
    }
    fields.each("service", read).concat()
}

fn who(text: &str, names: &BTreeMap<String, Named>) -> Result<Who, String> {
    match (text, names.get(text)) {
        ("lan", _) => Ok(Who::Lan),
        ("new", _) => Ok(Who::New),
        ("uplink", _) => Ok(Who::Uplink),
        ("internet", _) => Ok(Who::Internet),
        (_, Some(Named::Device)) => Ok(Who::Device(text.to_owned())),
        (_, Some(Named::Group)) => Ok(Who::Group(text.to_owned())),
        (_, Some(Named::List)) => Err("is a list of names; it can stand in to, not in who".into()),
        (_, None) => match text.parse() {
            Ok(network) => Ok(Who::Network(network)),
            Err(NetworkError::Address) => {
                let known = names.iter().filter(|(_, of)| **of != Named::List).map(|(name, _)| name.as_str());
                let meant = nearest(text, known.chain(["lan", "new"])).unwrap_or_default();
                Err(format!("is no device and no group that is defined; the nearest is {meant}"))
            }
            Err(error) => Err(said(&error)),
        },
    }
}

fn to(text: &str, names: &BTreeMap<String, Named>) -> Result<To, String> {
    match (text, names.get(text)) {
        ("internet", _) => Ok(To::Internet),
        ("uplink" | "any", _) => Ok(To::Uplink),
        ("lan", _) => Ok(To::Lan),
        ("servers", _) => Ok(To::Servers),
        // Words that came later: what a policy defines under them keeps its meaning.
        ("not-servers", None) => Ok(To::Others),
        ("public-resolvers", None) => Ok(To::Resolvers),
        ("unnamed", None) => Ok(To::Unnamed),
        (_, Some(Named::Device)) => Ok(To::Device(text.to_owned())),
        (_, Some(Named::List)) => Ok(To::List(text.to_owned())),
        (_, Some(Named::Group)) => Err("is a group; name its devices, or a network".into()),
        (_, None) => match text.parse() {
            Ok(network) => Ok(To::Network(network)),
            Err(NetworkError::Address) if text.contains('.') => HostName::read(text).map(To::Name).map_err(Into::into),
            Err(NetworkError::Address) => {
                let known = names.iter().filter(|(_, of)| **of != Named::Group).map(|(name, _)| name.as_str());
                let meant = nearest(text, known.chain(["internet", "uplink", "servers"])).unwrap_or_default();
                Err(format!("is no address, no host name and no device that is defined; the nearest is {meant}"))
            }
            Err(error) => Err(said(&error)),
        },
    }
}

/// What a text in `to` means under a policy, as a rule of it would have it.
///
/// # Errors
/// It is nothing that the policy knows; the text says what was expected.
pub fn destination(text: &str, policy: &Policy) -> Result<To, String> {
    to(text, &words_of(policy))
}

/// What the names of a policy stand for.
pub(super) fn words_of(policy: &Policy) -> BTreeMap<String, Named> {
    let devices = policy.devices.iter().map(|device| (&device.name, Named::Device));
    let groups = policy.groups.iter().map(|group| (&group.name, Named::Group));
    let lists = policy.lists.iter().map(|list| (&list.name, Named::List));
    let mut names: BTreeMap<_, _> = devices.chain(groups).chain(lists).map(|(name, of)| (name.clone(), of)).collect();
    name_groups(&mut names, policy);
    names
}

/// Groups that only devices or other groups name are groups too.
fn name_groups(names: &mut BTreeMap<String, Named>, policy: &Policy) {
    let of_devices = policy.devices.iter().flat_map(|d| &d.groups);
    for name in of_devices.chain(policy.groups.iter().flat_map(|g| &g.groups)) {
        if !names.contains_key(name) {
            names.insert(name.clone(), Named::Group);
        }
    }
}

fn said(error: &NetworkError) -> String {
    match error {
        NetworkError::Address => "is no address".into(),
        NetworkError::Prefix(prefix) => format!("has a length of /{prefix}, which no such address has"),
        NetworkError::HostBits(meant) => format!("has bits set behind its length; the network is {meant}"),
    }
}

fn group_name(text: &str) -> Result<String, String> {
    let fits = (1..=NAME).contains(&text.chars().count()) && text.trim() == text;
    let plain = text.chars().all(|c| c.is_alphanumeric() || " -_.".contains(c)) && !WORDS.contains(&text);
    if fits && plain { Ok(text.to_owned()) } else { Err("cannot be the name of a group".into()) }
}

fn ip_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "is no IPv4 or IPv6 address".to_owned())
}

fn hardware_address(text: &str) -> Result<MacAddr, String> {
    let mac: MacAddr = text.parse().map_err(|error: terms::ParseMacError| format!("is none: {error}"))?;
    if mac.is_multicast() || mac == MacAddr::ZERO {
        return Err("is no single device's address".into());
    }
    Ok(mac)
}

/// A date and time with its offset from universal time, or seconds since the epoch.
fn moment_of(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse::<u32>().ok().map(|s| Timestamp::from_secs(u64::from(s)));
    seconds.or_else(|| moment(text)).ok_or_else(|| {
        "is no moment: write it as 2026-12-24T18:00:00Z or with an offset, as in 2026-12-24T18:00:00+01:00".into()
    })
}

/// A date and time with its offset from universal time, as RFC 3339 has it.
#[must_use]
pub fn moment(text: &str) -> Option<Timestamp> {
    let written: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(written.as_microsecond()).ok().map(Timestamp::from_micros)
}
