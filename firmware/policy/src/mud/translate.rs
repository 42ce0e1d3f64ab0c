//! A description's rules as rules of the policy, and a device's rules as a description's.
//!
//! Neither side can tell all that the other does. What cannot be told is left out and said, a line each; nothing is told wider than
//! it is, but for `internet`, which a description can only call anyone.

use terms::Timestamp;

use super::{Description, Direction, Peer, Protocol, Rule};
use crate::hostname::HostName;
use crate::network::Network;
use crate::rules::{self, Effect, NAME, Policy, To, Who};
use crate::service::{self, Ports, Service};

/// The classes of the network's own servers.
///
/// **Source**: RFC 8520 section 8.4 and the IANA registry of MUD well-known URNs.
const SERVERS: [(&str, u16); 2] = [("urn:ietf:params:mud:dns", 53), ("urn:ietf:params:mud:ntp", 123)];

/// The rules that a description becomes for the device with this name. `local` are the networks of the LAN side.
///
/// Returns what no rule of the policy tells besides: peers that an admin must name.
#[must_use]
pub fn rules_for(device: &str, described: &[Rule], local: &[Network]) -> (Vec<rules::Rule>, Vec<String>) {
    let (mut made, mut untold) = (Vec::new(), Vec::new());
    // A rule's name has room for so much of the device's.
    let stem: String = device.chars().take(NAME - 10).collect();
    for rule in described {
        let ends = ends(device, rule, local);
        let Some((who, to)) = ends else {
            untold.push(format!("{rule}: name this peer by hand"));
            continue;
        };
        made.push(rules::Rule {
            name: format!("{stem}-mud-{}", made.len() + 1),
            effect: Effect::Allow,
            who,
            to,
            services: vec![service_of(rule)],
            when: Vec::new(),
            until: None,
            owner: String::new(),
            comment: format!("its manufacturer says: {rule}"),
            shadow: false,
        });
    }
    (made, untold)
}

/// A device of the policy as a description that was made at a moment, and what of its rules none can tell; nothing if the policy does not
/// know the device.
#[must_use]
pub fn describe(policy: &Policy, device: &str, at: Timestamp) -> Option<(Description, Vec<String>)> {
    let known = policy.device(device)?;
    let (rules, untold) = rules_of(policy, device);
    let label = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let description = Description {
        url: format!("https://picket.local/mud/{}.json", known.name.chars().map(label).collect::<String>()),
        last_update: crate::text::written(Timestamp::from_secs(at.secs())),
        cache_validity: 48,
        is_supported: true,
        system: Some(known.name.clone()),
        manufacturer: None,
        model: None,
        rules,
        notes: Vec::new(),
    };
    Some((description, untold))
}

/// What a description can tell of a device's rules, each once, and what it cannot.
#[must_use]
pub fn rules_of(policy: &Policy, device: &str) -> (Vec<Rule>, Vec<String>) {
    let (mut told, mut untold) = (Vec::new(), Vec::new());
    let Some(known) = policy.device(device) else { return (told, untold) };
    let groups = policy.groups_of(known);
    let is_it = |who: &Who| match who {
        Who::Device(name) => name == device,
        Who::Group(name) => groups.contains(name.as_str()),
        Who::Lan => true,
        _ => false,
    };
    for rule in policy.rules.iter().filter(|rule| !rule.shadow) {
        let starts = rule.who.iter().any(is_it);
        let is_called = rule.to.iter().any(|to| matches!(to, To::Device(name) if name == device));
        if !starts && !is_called {
            continue;
        }
        if rule.effect == Effect::Deny || !rule.when.is_empty() || rule.until.is_some() {
            untold.push(format!("{}: a description knows neither denies nor times", rule.name));
            continue;
        }
        let out = rule.to.iter().filter(|_| starts).flat_map(|to| peers(policy, to, &rule.services));
        let ins = rule.who.iter().filter(|who| is_called && !is_it(who)).map(caller);
        let ends = out.map(|peer| (Direction::FromDevice, peer)).chain(ins.map(|peer| (Direction::ToDevice, peer)));
        for (direction, peer) in ends {
            let Ok(peer) = peer.map_err(|what| push_once(&mut untold, format!("{}: {what}", rule.name))) else {
                continue;
            };
            for service in &rule.services {
                match carried(*service) {
                    Some((protocol, ports)) => {
                        push_once(&mut told, Rule { direction, peer: peer.clone(), protocol, ports });
                    }
                    None => push_once(&mut untold, format!("{}: a description knows no {service:?}", rule.name)),
                }
            }
        }
    }
    (told, untold)
}

/// Who starts and with whom.
fn ends(device: &str, rule: &Rule, local: &[Network]) -> Option<(Vec<Who>, Vec<To>)> {
    let networks = Some(local).filter(|local| !local.is_empty());
    if rule.direction == Direction::FromDevice {
        let to = match &rule.peer {
            Peer::Anyone => vec![To::Uplink],
            Peer::Name(name) => vec![To::Name(HostName::read(name).ok()?)],
            Peer::Network(network) => vec![To::Network(*network)],
            Peer::LocalNetworks => networks?.iter().map(|network| To::Network(*network)).collect(),
            Peer::Controller(class) if SERVERS.iter().any(|(known, _)| class == known) => vec![To::Servers],
            _ => return None,
        };
        return Some((vec![Who::Device(device.into())], to));
    }
    let who = match &rule.peer {
        Peer::Anyone => vec![Who::Uplink],
        Peer::Network(network) => vec![Who::Network(*network)],
        _ => return None,
    };
    Some((who, vec![To::Device(device.into())]))
}

fn service_of(rule: &Rule) -> Service {
    let ports = rule.ports.unwrap_or(Ports::ALL);
    match rule.protocol {
        Protocol::Any => Service::Any,
        Protocol::Tcp => Service::Tcp(ports),
        Protocol::Udp => Service::Udp(ports),
        Protocol::Other(service::protocol::ICMP | service::protocol::ICMP6) => Service::Ping,
        Protocol::Other(number) => Service::Protocol(number),
    }
}

/// What a description calls a service.
fn carried(service: Service) -> Option<(Protocol, Option<Ports>)> {
    let some = |ports: Ports| Some(ports).filter(|ports| *ports != Ports::ALL);
    match service {
        Service::Tcp(ports) => Some((Protocol::Tcp, some(ports))),
        Service::Udp(ports) => Some((Protocol::Udp, some(ports))),
        Service::Protocol(number) => Some((Protocol::Other(number), None)),
        Service::Any => Some((Protocol::Any, None)),
        // An echo is a part of ICMP, and what finds neighbours is no conversation.
        Service::Ping | Service::Arp | Service::NeighborDiscovery => None,
    }
}

/// Those with whom a device may start, or why a description cannot tell.
fn peers(policy: &Policy, to: &To, services: &[Service]) -> Vec<Result<Peer, String>> {
    let named = |host: &HostName| {
        let name = host.to_string();
        if name.starts_with("*.") {
            Err(format!("a description knows no wildcard, as in {name}"))
        } else {
            Ok(Peer::Name(name))
        }
    };
    match to {
        To::Internet | To::Uplink => vec![Ok(Peer::Anyone)],
        To::Network(network) => vec![Ok(Peer::Network(*network))],
        To::Name(host) => vec![named(host)],
        To::List(list) => {
            let list = policy.lists.iter().find(|known| known.name == *list);
            list.map(|list| list.hosts.iter().map(named).collect()).unwrap_or_default()
        }
        To::Others | To::Resolvers | To::Unnamed => {
            vec![Err("a description knows nobody by what a device was told or whom the network knows".into())]
        }
        To::Servers => {
            let is_of = |port: u16| {
                services.iter().any(|service| matches!(service, Service::Tcp(p) | Service::Udp(p) if p.contains(port)))
            };
            let classes = SERVERS.iter().filter(|(_, port)| is_of(*port));
            let classes: Vec<_> = classes.map(|(class, _)| Ok(Peer::Controller((*class).into()))).collect();
            if classes.is_empty() {
                vec![Err("a description knows the network's servers for DNS and NTP alone".into())]
            } else {
                classes
            }
        }
        To::Device(name) => vec![Err(format!("a description cannot name another device, as {name}"))],
        To::Lan => vec![Ok(Peer::LocalNetworks)],
    }
}

/// Who may start with the device, or why a description cannot tell.
fn caller(who: &Who) -> Result<Peer, String> {
    match who {
        Who::Uplink | Who::Internet => Ok(Peer::Anyone),
        Who::Network(network) => Ok(Peer::Network(*network)),
        Who::Lan => Ok(Peer::LocalNetworks),
        other => Err(format!("a description cannot name other devices, as {other:?}")),
    }
}

fn push_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Device, DeviceState, NameList};
    use terms::Posture;

    fn described(direction: Direction, peer: Peer, protocol: Protocol, port: Option<u16>) -> Rule {
        Rule { direction, peer, protocol, ports: port.map(Ports::one) }
    }

    fn policy(rules: Vec<rules::Rule>) -> Policy {
        let device = Device { name: "cam".into(), state: DeviceState::Approved, ..Device::default() };
        let rules = rules.into_iter().map(Into::into).collect();
        Policy { devices: vec![device], rules, ..Policy::empty(Posture::Protect) }
    }

    #[test]
    fn what_a_manufacturer_says_comes_back_from_the_policy() {
        use Direction::{FromDevice, ToDevice};
        let network: Network = "203.0.113.0/24".parse().unwrap();
        let rules = vec![
            described(FromDevice, Peer::Name("cloud.example.com".into()), Protocol::Tcp, Some(443)),
            described(FromDevice, Peer::Network(network), Protocol::Udp, None),
            described(FromDevice, Peer::Controller("urn:ietf:params:mud:ntp".into()), Protocol::Udp, Some(123)),
            described(FromDevice, Peer::Anyone, Protocol::Other(50), None),
            described(ToDevice, Peer::Network(network), Protocol::Tcp, Some(554)),
        ];
        let (made, untold) = rules_for("cam", &rules, &[]);
        assert_eq!((made.len(), untold), (rules.len(), vec![]));
        assert_eq!(rules_of(&policy(made), "cam"), (rules, vec![]));
    }

    #[test]
    fn peers_that_an_admin_must_name_are_said_and_become_no_rule() {
        let rules =
            [Peer::MyController, Peer::SameManufacturer, Peer::LocalNetworks, Peer::Controller("urn:x:y".into())]
                .map(|peer| described(Direction::FromDevice, peer, Protocol::Tcp, Some(80)));
        let (made, untold) = rules_for("cam", &rules, &[]);
        assert_eq!((made.len(), untold.len()), (0, 4));
        let local: Network = "192.168.7.0/24".parse().unwrap();
        let (made, untold) = rules_for("cam", &rules, &[local]);
        assert_eq!((made[0].to.as_slice(), untold.len()), (&[To::Network(local)][..], 3));
    }

    #[test]
    fn what_a_description_cannot_tell_is_said() {
        let rule = |name: &str, to: To| rules::Rule {
            name: name.into(),
            to: vec![to],
            ..rules_for("cam", &[described(Direction::FromDevice, Peer::Anyone, Protocol::Any, None)], &[]).0[0].clone()
        };
        let wild = To::Name(HostName::read("*.example.com").unwrap());
        let mut policy = policy(vec![
            rule("wild", wild.clone()),
            rule("device", To::Device("nas".into())),
            rules::Rule { effect: Effect::Deny, ..rule("deny", To::Internet) },
            rules::Rule { services: vec![Service::Ping], ..rule("ping", To::Internet) },
            rules::Rule { shadow: true, ..rule("shadow", To::Internet) },
            rules::Rule { who: vec![Who::Device("other".into())], ..rule("other", To::Internet) },
            rule("list", To::List("makers".into())),
        ]);
        let host = |name: &str| HostName::read(name).unwrap();
        policy.lists = vec![NameList { name: "makers".into(), hosts: vec![host("a.example.com")] }];
        let (told, untold) = rules_of(&policy, "cam");
        assert_eq!(told, [described(Direction::FromDevice, Peer::Name("a.example.com".into()), Protocol::Any, None)]);
        let about: Vec<_> = untold.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(about, ["wild", "device", "deny", "ping"]);
    }
}
