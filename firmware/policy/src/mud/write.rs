//! A description to a file, in the form of RFC 8519.

use core::fmt::{self, Write as _};

use super::LONGEST;
use super::entry::{is_address, is_host_name};
use super::fold::is_silent_about_direction;
use super::json::quoted;
use super::read::is_moment;
use super::rule::{Description, Direction, Peer, Protocol, Rule};
use crate::service::Ports;

/// Why a description is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// A member that a file could not hold; its name and its value.
    Member(&'static str, String),
    /// This rule cannot be told from the one with the ends exchanged: without TCP or ports nothing says who starts.
    Ambiguous(Rule),
    /// The file would be too long. **Units**: octets.
    TooLong(usize),
}

/// Writes a file that [`super::read`] reads as the same rules.
///
/// A rule becomes an entry for the packets of each way, in a list for IPv4 and one for IPv6.
///
/// # Errors
/// A member or a rule that a file cannot tell, or more than 64 KiB of them.
pub fn write(description: &Description) -> Result<String, Unwritable> {
    check(description)?;
    let lists = [Direction::FromDevice, Direction::ToDevice].map(|way| {
        let families = [4, 6].map(|family| list(description, way, family));
        families.into_iter().flatten().collect::<Vec<_>>()
    });
    let names = |lists: &[(String, String)]| {
        let names: Vec<_> = lists.iter().map(|(name, _)| format!("{{\"name\": {}}}", quoted(name))).collect();
        format!("{{\"access-lists\": {{\"access-list\": [{}]}}}}", names.join(", "))
    };
    let mut header = vec![
        ("mud-version", "1".into()),
        ("mud-url", quoted(&description.url)),
        ("last-update", quoted(&description.last_update)),
        ("cache-validity", description.cache_validity.to_string()),
        ("is-supported", description.is_supported.to_string()),
    ];
    let texts = [
        ("systeminfo", &description.system),
        ("mfg-name", &description.manufacturer),
        ("model-name", &description.model),
    ];
    header.extend(texts.into_iter().filter_map(|(name, text)| Some((name, quoted(text.as_ref()?)))));
    for (name, lists) in ["from-device-policy", "to-device-policy"].into_iter().zip(&lists) {
        if !lists.is_empty() {
            header.push((name, names(lists)));
        }
    }
    let header: Vec<_> = header.iter().map(|(name, value)| format!("    \"{name}\": {value}")).collect();
    let lists: Vec<_> = lists.into_iter().flatten().map(|(_, list)| list).collect();
    let file = format!(
        "{{\n  \"ietf-mud:mud\": {{\n{}\n  }},\n  \"ietf-access-control-list:acls\": {{\n    \"acl\": [\n{}\n    ]\n  }}\n}}\n",
        header.join(",\n"),
        lists.join(",\n")
    );
    if file.len() > LONGEST { Err(Unwritable::TooLong(file.len())) } else { Ok(file) }
}

/// Refuses what would not read back.
fn check(description: &Description) -> Result<(), Unwritable> {
    let bad = |name, value: &str| Err(Unwritable::Member(name, value.into()));
    if !description.url.starts_with("https://") || description.url.len() <= 8 || !is_address(&description.url) {
        return bad("mud-url", &description.url);
    }
    if !is_moment(&description.last_update) {
        return bad("last-update", &description.last_update);
    }
    if !(1..=168).contains(&description.cache_validity) {
        return bad("cache-validity", &description.cache_validity.to_string());
    }
    for text in [&description.system, &description.manufacturer, &description.model].into_iter().flatten() {
        if text.len() > 1_024 || text.chars().any(char::is_control) {
            return bad("systeminfo, mfg-name or model-name", text);
        }
    }
    for rule in &description.rules {
        match &rule.peer {
            Peer::Name(name) | Peer::Manufacturer(name) if !is_host_name(name) => return bad("host name", name),
            Peer::Controller(address) | Peer::Model(address) if !is_address(address) => return bad("address", address),
            _ => {}
        }
        if rule.ports.is_some() && !matches!(rule.protocol, Protocol::Tcp | Protocol::Udp) {
            return bad("ports", &rule.to_string());
        }
        let other = Rule { direction: Direction::FromDevice, ..rule.clone() };
        if rule.direction == Direction::ToDevice
            && is_silent_about_direction(rule)
            && description.rules.contains(&other)
        {
            return Err(Unwritable::Ambiguous(rule.clone()));
        }
    }
    if description.rules.is_empty() { bad("rules", "none") } else { Ok(()) }
}

/// The list of entries about packets of one way and family, with its name. `None` if there are none.
fn list(description: &Description, way: Direction, family: u8) -> Option<(String, String)> {
    let word = if way == Direction::FromDevice { "from" } else { "to" };
    let entries: Vec<_> = description
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| is_of(rule, family) && (rule.direction == way || !answers_would_start(rule)))
        .map(|(n, rule)| entry(rule, way, family, &format!("{word}-{family}-{n}")))
        .collect();
    let name = format!("{word}-ipv{family}");
    let list = format!(
        "      {{\n        \"name\": \"{name}\",\n        \"type\": \"ipv{family}-acl-type\",\n        \"aces\": {{\n          \
         \"ace\": [\n{}\n          ]\n        }}\n      }}",
        entries.join(",\n")
    );
    (!entries.is_empty()).then_some((name, list))
}

fn is_of(rule: &Rule, family: u8) -> bool {
    match &rule.peer {
        Peer::Network(network) => network.address().is_ipv4() == (family == 4),
        _ => true,
    }
}

/// Whether the entry for the replies would read as one that lets the device start.
fn answers_would_start(rule: &Rule) -> bool {
    rule.direction == Direction::ToDevice && is_silent_about_direction(rule)
}

fn entry(rule: &Rule, way: Direction, family: u8, name: &str) -> String {
    let out = way == Direction::FromDevice;
    let (end, word) = if out { ("dst", "destination") } else { ("src", "source") };
    let mut ip: Vec<String> =
        rule.protocol.number().map(|number| format!("\"protocol\": {number}")).into_iter().collect();
    let mut class = None;
    match &rule.peer {
        Peer::Anyone => {}
        Peer::Name(name) => ip.push(format!("\"ietf-acldns:{end}-dnsname\": {}", quoted(name))),
        Peer::Network(network) => {
            ip.push(format!("\"{word}-ipv{family}-network\": \"{}/{}\"", network.address(), network.prefix()))
        }
        Peer::LocalNetworks => class = Some("\"local-networks\": [null]".into()),
        Peer::MyController => class = Some("\"my-controller\": [null]".into()),
        Peer::SameManufacturer => class = Some("\"same-manufacturer\": [null]".into()),
        Peer::Controller(address) => class = Some(format!("\"controller\": {}", quoted(address))),
        Peer::Manufacturer(host) => class = Some(format!("\"manufacturer\": {}", quoted(host))),
        Peer::Model(address) => class = Some(format!("\"model\": {}", quoted(address))),
    }
    let mut matches = Vec::new();
    if !ip.is_empty() {
        matches.push(format!("\"ipv{family}\": {{{}}}", ip.join(", ")));
    }
    if let Some(service) = service(rule, way) {
        matches.push(service);
    }
    matches.extend(class.map(|class: String| format!("\"ietf-mud:mud\": {{{class}}}")));
    format!(
        "            {{\n              \"name\": \"{name}\",\n              \"matches\": {{{}}},\n              \
         \"actions\": {{\"forwarding\": \"accept\"}}\n            }}",
        matches.join(", ")
    )
}

/// Who starts, for TCP, and the ports of the end that is called.
fn service(rule: &Rule, way: Direction) -> Option<String> {
    let mut members = Vec::new();
    let word = match rule.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Any | Protocol::Other(_) => return None,
    };
    if rule.protocol == Protocol::Tcp {
        let who = if rule.direction == Direction::FromDevice { "from-device" } else { "to-device" };
        members.push(format!("\"ietf-mud:direction-initiated\": \"{who}\""));
    }
    let end = if rule.direction == way { "destination" } else { "source" };
    members.extend(rule.ports.map(|ports| format!("\"{end}-port\": {}", range(ports))));
    Some(format!("\"{word}\": {{{}}}", members.join(", ")))
}

fn range(ports: Ports) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = if ports.first() == ports.last() {
        write!(text, "{{\"operator\": \"eq\", \"port\": {}}}", ports.first())
    } else {
        write!(text, "{{\"lower-port\": {}, \"upper-port\": {}}}", ports.first(), ports.last())
    };
    text
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name, value) => write!(f, "a MUD file cannot hold this {name}: {value:?}"),
            Self::Ambiguous(rule) => {
                write!(f, "a MUD file cannot tell that both ends may start: {rule}; name TCP, or ports")
            }
            Self::TooLong(octets) => write!(f, "the MUD file would be {octets} octets long; it may have {LONGEST}"),
        }
    }
}

impl core::error::Error for Unwritable {}
