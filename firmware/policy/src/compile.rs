//! A policy to what the kernel must hold for it.
//!
//! One chain for each thing that rules name (`deny-...` and `allow-...` of a device, a group, all approved devices, newcomers), and
//! one for each device that jumps through its own, denies first. A change of one rule is a change of one chain.

mod change;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terms::{MacAddr, Timestamp};

use crate::plan::{Begins, Family, INBOUND, Line, Lines, Match, NEWCOMERS, Name, Plan, RuleNumber, Then, Told, USER};
use crate::rules::{Device, DeviceState, Effect, Newcomers, Policy, Rule, To, Who, starter};
use crate::schedule::{Opening, opening};
use crate::service::{Ports, Service, protocol};
use crate::switch::resolvers;
use crate::{DEFAULT, Network};

pub use change::{Between, Compiler};

/// Counts what no rule allowed.
pub const DENIED: [&str; 2] = ["denied_lan", "denied_uplink"];
/// Counts what devices that are tolerated began, by no rule.
const TOLERATED: &str = "tolerated";
const ARP: u16 = 0x0806;
/// Numbers that have a meaning of their own.
const RESERVED: core::ops::Range<u32> = 0..16;
/// The chain of the policy's switches.
const SWITCHES: &str = "switches";
const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// What the kernel must hold for a policy at a moment; nothing where rules hold for nobody.
#[must_use]
pub fn compile(policy: &Policy, servers: &[core::net::IpAddr], at: Timestamp) -> Option<Plan> {
    let anybody = policy.holds(None) || policy.devices.iter().any(|d| policy.holds(Some(d)));
    anybody.then(|| {
        let plan = Plan { rules: numbers(policy), servers: policy.servers(servers).collect(), ..Plan::default() };
        let mut compiling = Compiling { policy, plan, chains: BTreeMap::new(), at };
        compiling.all();
        let chains = compiling.chains.into_iter().map(|(name, lines)| (name.into(), Lines::from(lines)));
        Plan { chains: chains.collect(), ..compiling.plan }
    })
}

/// When a window opens next that is shut at a moment, or shuts first. What ends, the kernel ends by itself.
#[must_use]
pub fn next_opening(policy: &Policy, at: Timestamp) -> Option<Timestamp> {
    let next = |rule: &Rule| match opening(&rule.when, &policy.zone, at) {
        Opening::Shut(until) => until,
        Opening::Open(end) => match opening(&rule.when, &policy.zone, end?) {
            Opening::Shut(until) => until,
            Opening::Open(_) => None,
        },
    };
    policy.rules.iter().filter_map(|rule| next(rule)).min()
}

/// A name as a chain or counter of the kernel has it: legible, and unlike any other's.
#[must_use]
pub fn kernel_name(kind: &str, name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(40).collect();
    format!("{kind}-{plain}-{:08x}", hash(name.as_bytes()))
}

struct Compiling<'p> {
    policy: &'p Policy,
    /// What is made, but for the chains; the rules' numbers are known from the start.
    plan: Plan,
    chains: BTreeMap<String, Vec<Line>>,
    at: Timestamp,
}

impl Compiling<'_> {
    fn all(&mut self) {
        let policy = self.policy;
        DENIED.into_iter().for_each(|counter| self.plan.counters.insert(counter));
        let basics = starter().iter().flat_map(|rule| self.lines(rule, Begins::Lan)).collect();
        self.chains.insert("starter".into(), basics);
        for rule in &policy.rules {
            self.alive(rule);
            self.rule(rule, |_| true);
        }
        self.switches();
        self.plan.holds_newcomers = policy.holds(None);
        for device in &policy.devices {
            self.device(device);
        }
        self.ways();
        self.inbound();
        self.chains.insert(USER.into(), Vec::new());
        // Chains without lines need not be, nor jumps to what is not there.
        self.chains.retain(|name, lines| !lines.is_empty() || name == USER);
        let known: BTreeSet<String> = self.chains.keys().cloned().collect();
        for lines in self.chains.values_mut() {
            prune(lines, |chain| known.contains(chain));
        }
    }

    /// A rule's lines into the chains of those that it is about and that are wanted.
    fn rule(&mut self, rule: &Rule, wanted: impl Fn(&Who) -> bool) {
        let lines = self.lines(rule, Begins::Lan);
        for who in rule.who.iter().filter(|who| !is_outside(who) && wanted(who)) {
            self.chains.entry(chain_of(rule.effect, who)).or_default().extend(lines.iter().cloned());
        }
    }

    /// The chains of devices that rules hold for, and of newcomers.
    fn ways(&mut self) {
        let policy = self.policy;
        let newcomers = self.way(None);
        self.chains.insert(NEWCOMERS.into(), newcomers);
        for device in policy.devices.iter().filter(|device| policy.holds(Some(device))) {
            let way = self.way(Some(device));
            self.chains.insert(way_of(device), way);
        }
    }

    /// What the switches deny: a chain for each of their rules, which only packets of its services go through.
    fn switches(&mut self) {
        for rule in self.policy.switched() {
            self.alive(rule);
            let chain = kernel_name("deny", &rule.name);
            let lines = self.lines(rule, Begins::Lan);
            self.chains.insert(chain.clone(), lines);
            let way = |service: &Service| {
                // Of a service with ports what is matched is the same for both kinds of IP.
                Line { matches: service_matches(Family::V4, *service), then: Then::Jump(chain.clone()) }
            };
            self.chains.entry(SWITCHES.into()).or_default().extend(rule.services.iter().map(way));
        }
    }

    /// Notes whether a rule is alive, and until when.
    fn alive(&mut self, rule: &Rule) {
        let Some(&number) = self.plan.rules.get(rule.name.as_str()) else { return };
        let until = match opening(&rule.when, &self.policy.zone, self.at) {
            Opening::Open(until) => [until, rule.until].into_iter().flatten().min(),
            Opening::Shut(_) => return,
        };
        if rule.until.is_none_or(|until| until > self.at) {
            self.plan.live.insert(number, until);
        }
    }

    /// The chain of a device, and how its frames get there.
    fn device(&mut self, device: &Device) {
        let chain = self.policy.holds(Some(device)).then(|| Name::from(way_of(device)));
        if chain.is_some() && device.state == DeviceState::Blocked {
            self.plan.shut.extend(&device.macs);
            if device.macs.is_empty() {
                self.plan.shut_addresses.extend(&device.addresses);
            }
        }
        self.plan.from_mac.extend(device.macs.iter().map(|mac| (*mac, chain.clone())));
        if device.macs.is_empty() {
            self.plan.from_address.extend(device.addresses.iter().map(|address| (*address, chain.clone())));
        }
    }

    /// The chains that frames of a device, or of an unknown one, go through.
    fn way(&mut self, device: Option<&Device>) -> Vec<Line> {
        let state = Policy::state_of(device);
        let mut names: Vec<Who> = Vec::new();
        match (state, device) {
            (DeviceState::Approved, Some(device)) => {
                names.push(Who::Device(device.name.clone()));
                names.extend(self.policy.groups_of(device).into_iter().map(|g| Who::Group(g.to_owned())));
                names.push(Who::Lan);
            }
            (DeviceState::New, _) => names.push(Who::New),
            _ => {}
        }
        let of = |effect| names.iter().map(move |who| chain_of(effect, who)).collect::<Vec<_>>();
        let mut jumps = [vec![SWITCHES.to_owned()], of(Effect::Deny), of(Effect::Allow)].concat();
        if state != DeviceState::New && state != DeviceState::Blocked
            || state == DeviceState::New && self.policy.newcomers == Newcomers::Starter
        {
            jumps.push("starter".into());
        }
        jumps.push(USER.into());
        let mut way: Vec<Line> = jumps.into_iter().map(|to| Line { matches: vec![], then: Then::Jump(to) }).collect();
        if state == DeviceState::New && self.policy.newcomers == Newcomers::Everything {
            let number = RuleNumber(1);
            self.plan.live.insert(number, None);
            self.plan.counters.insert(TOLERATED);
            for family in FAMILIES {
                way.extend(self.admissions(
                    vec![Match::Family(family)],
                    family,
                    Service::Any,
                    number,
                    TOLERATED,
                    Begins::Lan,
                ));
            }
            way.push(Line { matches: vec![], then: Then::Pass { counter: None } });
        } else {
            way.push(drop_default(DENIED[0]));
        }
        way
    }

    /// What may begin on the uplink side, and what a network cannot live without from there.
    fn inbound(&mut self) {
        let pass = |matches: Vec<Match>| Line { matches, then: Then::Pass { counter: None } };
        let mut lines = vec![pass(vec![Match::EtherType(ARP)])];
        // Multicast listener queries, neighbour and router discovery.
        for (first, last) in [(130, 130), (133, 136)] {
            lines.push(pass(vec![
                Match::Family(Family::V6),
                Match::Protocol(protocol::ICMP6),
                Match::IcmpTypes(first, last),
            ]));
        }
        for (family, from, to) in [(Family::V4, 67, 68), (Family::V6, 547, 546)] {
            let ports = [Match::FromPorts(Ports::one(from)), Match::ToPorts(Ports::one(to))];
            let mut matches = vec![Match::Family(family), Match::Protocol(protocol::UDP)];
            matches.extend(ports);
            lines.push(pass(matches));
        }
        let outside = |rule: &&Arc<Rule>| rule.who.iter().any(is_outside);
        let mut rules: Vec<&Arc<Rule>> = self.policy.rules.iter().filter(outside).collect();
        rules.sort_by_key(|rule| rule.effect);
        for rule in rules {
            lines.extend(self.lines(rule, Begins::Uplink));
        }
        lines.push(Line { matches: vec![], then: Then::Jump(USER.into()) });
        lines.push(drop_default(DENIED[1]));
        self.chains.insert(INBOUND.into(), lines);
    }

    /// A rule's lines in the chains of one direction. Shadow rules have none: what they would do is judged from the flows.
    fn lines(&mut self, rule: &Rule, begins: Begins) -> Vec<Line> {
        if rule.shadow {
            return Vec::new();
        }
        let number = self.plan.rules.get(rule.name.as_str()).copied();
        let counter = kernel_name("rule", &rule.name);
        self.plan.counters.insert(&counter);
        let ends = match begins {
            Begins::Lan => self.destinations(rule, number.unwrap_or(RuleNumber(0))),
            Begins::Uplink => self.begun_outside(rule),
        };
        let mut lines = Vec::new();
        for (family, ends) in ends {
            for service in &rule.services {
                if (rule.is_built_in() && rule.effect == Effect::Allow)
                    || matches!(service, Service::Arp | Service::NeighborDiscovery)
                {
                    lines.extend(self.basics(family, &ends, *service, &counter));
                } else if let (Effect::Allow, Some(number)) = (rule.effect, number) {
                    lines.extend(self.admissions(ends.clone(), family, *service, number, &counter, begins));
                } else {
                    // What is no conversation (errors, discovery of neighbours) no deny means.
                    for (matches, _) in conversations(family, *service) {
                        let then = Then::Drop { counter: counter.clone(), rule: rule.name.clone(), number };
                        lines.push(Line { matches: [ends.clone(), matches].concat(), then });
                    }
                }
            }
        }
        lines
    }

    /// The lines of the starter set: what is a conversation becomes one, the rest passes on its own.
    fn basics(&mut self, family: Family, ends: &[Match], service: Service, counter: &str) -> Vec<Line> {
        let pass = |matches| vec![Line { matches, then: Then::Pass { counter: Some(counter.to_owned()) } }];
        match (service, family) {
            (Service::Arp, Family::V4) => pass(vec![Match::EtherType(ARP)]),
            (Service::NeighborDiscovery, Family::V6) => {
                let types = |first, last| {
                    vec![Match::Family(Family::V6), Match::Protocol(protocol::ICMP6), Match::IcmpTypes(first, last)]
                };
                // Listener reports, neighbour and router discovery, listener reports of version 2.
                [types(131, 136), types(143, 143)].into_iter().flat_map(pass).collect()
            }
            (Service::Arp | Service::NeighborDiscovery, _) => Vec::new(),
            (service, family) => {
                let number = RuleNumber(2);
                self.plan.live.insert(number, None);
                self.admissions(ends.to_vec(), family, service, number, counter, Begins::Lan)
            }
        }
    }

    fn admissions(
        &self,
        ends: Vec<Match>,
        family: Family,
        service: Service,
        number: RuleNumber,
        counter: &str,
        begins: Begins,
    ) -> Vec<Line> {
        let admit = |(matches, told): (Vec<Match>, Told)| {
            let then = Then::Admit { number, counter: counter.to_owned(), told, family, begins };
            Line { matches: [ends.clone(), matches].concat(), then }
        };
        conversations(family, service).into_iter().map(admit).collect()
    }

    /// What packets that a LAN device starts must be to go where the rule says: alternatives by kind of IP.
    fn destinations(&self, rule: &Rule, number: RuleNumber) -> Vec<(Family, Vec<Match>)> {
        let mut ends = Vec::new();
        let mut named = false;
        for to in &rule.to {
            match to {
                To::Internet => ends.extend(FAMILIES.map(|f| (f, vec![Match::ToGlobal(f)]))),
                To::Uplink => ends.extend(FAMILIES.map(|f| (f, vec![Match::Family(f)]))),
                To::Network(network) => ends.push((family_of(*network), vec![Match::To(*network)])),
                To::Device(name) => {
                    let device = self.policy.device(name);
                    let addresses = device.iter().flat_map(|d| &d.addresses).map(|a| Network::host(*a));
                    ends.extend(addresses.map(|n| (family_of(n), vec![Match::To(n)])));
                }
                To::Servers => ends.extend(FAMILIES.map(|f| (f, vec![Match::ToServer(f)]))),
                To::Others => ends.extend(FAMILIES.map(|f| (f, vec![Match::ToOther(f)]))),
                To::Unnamed => ends.extend(FAMILIES.map(|f| (f, vec![Match::ToUnnamed(f)]))),
                To::Resolvers => {
                    named = true;
                    let addresses = resolvers().addresses.iter().map(|a| Network::host(*a));
                    ends.extend(addresses.map(|n| (family_of(n), vec![Match::To(n)])));
                }
                To::Name(_) | To::List(_) => named = true,
                To::Lan => {}
            }
        }
        if named {
            ends.extend(FAMILIES.map(|f| (f, vec![Match::ToNamed(f, number)])));
        }
        ends
    }

    /// The same for packets that the uplink side starts.
    fn begun_outside(&self, rule: &Rule) -> Vec<(Family, Vec<Match>)> {
        let mut ends = Vec::new();
        for who in &rule.who {
            let froms: Vec<(Family, Vec<Match>)> = match who {
                Who::Uplink => FAMILIES.map(|f| (f, vec![Match::Family(f)])).to_vec(),
                Who::Internet => FAMILIES.map(|f| (f, vec![Match::FromGlobal(f)])).to_vec(),
                Who::Network(network) => vec![(family_of(*network), vec![Match::From(*network)])],
                _ => continue,
            };
            for (family, from) in froms {
                let to = |more: Match| (family, [from.clone(), vec![more]].concat());
                for target in &rule.to {
                    match target {
                        To::Lan | To::Uplink => ends.push((family, from.clone())),
                        To::Network(network) if family_of(*network) == family => ends.push(to(Match::To(*network))),
                        To::Device(name) => {
                            let Some(device) = self.policy.device(name) else { continue };
                            ends.extend(device.macs.iter().map(|mac: &MacAddr| to(Match::ToMac(*mac))));
                            let addresses =
                                device.addresses.iter().map(|a| Network::host(*a)).filter(|_| device.macs.is_empty());
                            ends.extend(addresses.filter(|n| family_of(*n) == family).map(|n| to(Match::To(n))));
                        }
                        _ => {}
                    }
                }
            }
        }
        ends
    }
}

fn drop_default(counter: &str) -> Line {
    Line { matches: vec![], then: Then::Drop { counter: counter.to_owned(), rule: DEFAULT.into(), number: None } }
}

/// Whether it is somebody on the uplink side.
const fn is_outside(who: &Who) -> bool {
    matches!(who, Who::Uplink | Who::Internet | Who::Network(_))
}

/// Takes out jumps to chains that are not there.
fn prune(lines: &mut Vec<Line>, is_there: impl Fn(&str) -> bool) {
    lines.retain(|line| !matches!(&line.then, Then::Jump(to) if !is_there(to)));
}

/// The chain of a device.
fn way_of(device: &Device) -> String {
    kernel_name("dev", &device.name)
}

/// The chain that a rule stands in.
fn chain_of(effect: Effect, who: &Who) -> String {
    let effect = effect.as_str();
    match who {
        Who::Device(name) => kernel_name(&format!("{effect}-dev"), name),
        Who::Group(name) => kernel_name(&format!("{effect}-group"), name),
        Who::Lan => format!("{effect}-lan"),
        _ => format!("{effect}-new"),
    }
}

/// What first packets of conversations about a service are, and what of them tells one from another.
fn conversations(family: Family, service: Service) -> Vec<(Vec<Match>, Told)> {
    let told = |service: &Service| match service {
        Service::Tcp(_) | Service::Udp(_) => Told::ByPorts,
        Service::Ping => Told::ByEcho,
        _ => Told::ByProtocol,
    };
    let each = match service {
        Service::Any => vec![Service::Tcp(Ports::ALL), Service::Udp(Ports::ALL), Service::Ping],
        one => vec![one],
    };
    let mut all: Vec<_> = each.iter().map(|one| (service_matches(family, *one), told(one))).collect();
    if service == Service::Any {
        all.push((vec![Match::OtherProtocol], Told::ByProtocol));
    }
    all
}

fn service_matches(family: Family, service: Service) -> Vec<Match> {
    let ports = |ports: Ports| if ports == Ports::ALL { vec![] } else { vec![Match::ToPorts(ports)] };
    match (service, family) {
        (Service::Tcp(list), _) => [vec![Match::Protocol(protocol::TCP)], ports(list)].concat(),
        (Service::Udp(list), _) => [vec![Match::Protocol(protocol::UDP)], ports(list)].concat(),
        (Service::Ping, Family::V4) => vec![Match::Protocol(protocol::ICMP), Match::IcmpTypes(8, 8)],
        (Service::Ping, Family::V6) => vec![Match::Protocol(protocol::ICMP6), Match::IcmpTypes(128, 128)],
        (Service::Protocol(number), _) => vec![Match::Protocol(number)],
        (Service::Any | Service::Arp | Service::NeighborDiscovery, _) => vec![],
    }
}

fn family_of(network: Network) -> Family {
    if network.address().is_ipv4() { Family::V4 } else { Family::V6 }
}

/// Each rule's number: the same as long as it means the same.
fn numbers(policy: &Policy) -> BTreeMap<Name, RuleNumber> {
    let mut taken: BTreeSet<u32> = RESERVED.collect();
    let mut sorted: Vec<&Rule> = policy.numbered().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut numbers = BTreeMap::new();
    for rule in sorted {
        let mut number = number(rule);
        while !taken.insert(number) {
            number = number.wrapping_add(1);
        }
        numbers.insert(rule.name.as_str().into(), RuleNumber(number));
    }
    numbers
}

/// The number that a rule has where no other has it.
fn number(rule: &Rule) -> u32 {
    let meaning =
        format!("{} {:?} {:?} {:?} {:?} {}", rule.name, rule.effect, rule.who, rule.to, rule.services, rule.shadow);
    hash(meaning.as_bytes())
}

/// FNV-1a of 32 bits: legible in the kernel's own listing.
fn hash(octets: &[u8]) -> u32 {
    octets.iter().fold(0x811c_9dc5, |sum, octet| (sum ^ u32::from(*octet)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::read;

    const POLICY: &str = "posture = \"enforce\"\n[[device]]\nname = \"cam\"\nmacs = [\"02:00:00:00:00:01\"]\ngroups = [\"cams\"]\nstate = \"approved\"\n\
        [[allow]]\nname = \"a\"\nwho = \"cams\"\nto = \"203.0.113.0/24\"\nservice = \"tcp/443\"\nwhen = \"mon 08:00-09:00\"\n\
        [[allow]]\nname = \"b\"\nwho = \"cam\"\nto = \"internet\"\n";

    fn plan(text: &str, at: u64) -> Plan {
        compile(&read(text).unwrap(), &[], Timestamp::from_secs(at)).unwrap()
    }

    #[test]
    fn nothing_is_held_where_rules_hold_for_nobody() {
        let policy = read(&POLICY.replace("enforce", "protect")).unwrap();
        assert_eq!(compile(&policy, &[], Timestamp::EPOCH), None);
    }

    #[test]
    fn a_rule_ends_with_its_window() {
        // Monday, 23 November 2026.
        let open = plan(POLICY, 1_795_424_400 - 1_800);
        let number = open.rules["a"];
        assert_eq!(open.live[&number], Some(Timestamp::from_secs(1_795_424_400)));
        assert!(!plan(POLICY, 1_795_424_400).live.contains_key(&number));
        let policy = read(POLICY).unwrap();
        assert_eq!(
            next_opening(&policy, Timestamp::from_secs(1_795_424_400)),
            Some(Timestamp::from_secs(1_795_424_400 + 7 * 86_400 - 3_600))
        );
    }

    #[test]
    fn a_rule_keeps_its_number_until_it_means_something_else() {
        let before = plan(POLICY, 0);
        let commented = plan(&POLICY.replace("to = \"internet\"\n", "to = \"internet\"\ncomment = \"x\"\n"), 0);
        assert_eq!(before.rules, commented.rules);
        let wider = plan(&POLICY.replace("tcp/443", "tcp/442-443"), 0);
        assert_ne!(before.rules["a"], wider.rules["a"]);
        assert_eq!(before.rules["b"], wider.rules["b"]);
    }

    #[test]
    fn every_jump_has_a_chain_and_every_counter_is_declared() {
        let plan = plan(POLICY, 0);
        for line in plan.chains.values().flat_map(|lines| lines.iter()) {
            match &line.then {
                Then::Jump(to) => assert!(plan.chains.contains_key(to.as_str()), "{to}"),
                Then::Admit { counter, .. } | Then::Drop { counter, .. } | Then::Pass { counter: Some(counter) } => {
                    assert!(plan.counters.contains(counter.as_str()), "{counter}");
                }
                Then::Pass { counter: None } => {}
            }
        }
        assert!(plan.from_mac.values().flatten().all(|chain| plan.chains.contains_key(chain)));
    }
}
