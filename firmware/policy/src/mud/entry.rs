//! One entry of an access list: what its packets look like.

use super::MudError;
use super::rule::{Direction, Peer, Protocol};
use super::tree::{Place, bare};
use crate::network::{Network, NetworkError};
use crate::service::Ports;

/// Names of a port's member at the sender and at the receiver: of RFC 8519, and of the drafts.
const SOURCE_PORT: [&str; 2] = ["source-port", "source-port-range-or-operator"];
const DESTINATION_PORT: [&str; 2] = ["destination-port", "destination-port-range-or-operator"];

/// Packets that an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where they go.
    pub(super) way: Direction,
    /// Who starts the conversation, where the entry says so.
    pub(super) initiated: Option<Direction>,
    pub(super) peer: Peer,
    pub(super) protocol: Protocol,
    /// Ports of the device; none stands for all. More than one range where one port is left out.
    pub(super) device_ports: Vec<Ports>,
    /// Ports of the peer.
    pub(super) peer_ports: Vec<Ports>,
    /// Whether they pass.
    pub(super) accept: bool,
}

impl Entry {
    /// Reads an entry of a list about packets that go this way.
    pub(super) fn read(ace: &Place<'_>, way: Direction) -> Result<Self, MudError> {
        ace.members(&["name", "rule-name", "matches", "actions"])?;
        let accept = accepts(&ace.need(&["actions"])?)?;
        let mut entry = Self {
            way,
            initiated: None,
            peer: Peer::Anyone,
            protocol: Protocol::Any,
            device_ports: Vec::new(),
            peer_ports: Vec::new(),
            accept,
        };
        let known = ["ipv4", "ipv6", "ipv4-acl", "ipv6-acl", "tcp", "udp", "tcp-acl", "udp-acl", "ietf-mud:mud", "mud"];
        let Some(matches) = ace.get("matches")? else { return Ok(entry) };
        for (name, part) in matches.members(&known)? {
            match name {
                "tcp" | "tcp-acl" => entry.read_ports(&part, Protocol::Tcp)?,
                "udp" | "udp-acl" => entry.read_ports(&part, Protocol::Udp)?,
                "ietf-mud:mud" | "mud" => entry.read_class(&part)?,
                _ => entry.read_ip(&part)?,
            }
        }
        let has_ports = !entry.device_ports.is_empty() || !entry.peer_ports.is_empty();
        if has_ports && !matches!(entry.protocol, Protocol::Tcp | Protocol::Udp) {
            return Err(matches.wrong("names ports without TCP or UDP"));
        }
        Ok(entry)
    }

    fn read_ip(&mut self, ip: &Place<'_>) -> Result<(), MudError> {
        // The end of the peer: the one that a packet to the device comes from.
        let theirs = |name: &str| name.contains("src-") || name.starts_with("source-");
        let known = [
            "protocol",
            "ietf-acldns:src-dnsname",
            "ietf-acldns:dst-dnsname",
            "source-ipv4-network",
            "destination-ipv4-network",
            "source-ipv6-network",
            "destination-ipv6-network",
            SOURCE_PORT[1],
            DESTINATION_PORT[1],
        ];
        for (name, member) in ip.members(&known)? {
            let is_peer = theirs(name) == (self.way == Direction::ToDevice);
            if name.ends_with("-dnsname") && is_peer {
                self.is_with(&member, Peer::Name(host_name(&member)?))?;
            } else if name.ends_with("-network") && is_peer {
                self.is_with(&member, Peer::Network(network(&member, name.contains("ipv4"))?))?;
            } else if name == "protocol" {
                let number = member.number(0..=255)?;
                self.speaks(&member, Protocol::from_number(u8::try_from(number).unwrap_or(u8::MAX)))?;
            } else if name.ends_with("-operator") {
                self.has_ports(&member, theirs(name))?;
            } else {
                return Err(member.wrong("is about the device's own end, which the network assigns"));
            }
        }
        Ok(())
    }

    fn read_ports(&mut self, part: &Place<'_>, protocol: Protocol) -> Result<(), MudError> {
        self.speaks(part, protocol)?;
        let known = [SOURCE_PORT[0], DESTINATION_PORT[0], SOURCE_PORT[1], DESTINATION_PORT[1]];
        let initiated = "ietf-mud:direction-initiated";
        let known: Vec<&str> =
            if protocol == Protocol::Tcp { [&known[..], &[initiated]].concat() } else { known.into() };
        for (name, member) in part.members(&known)? {
            if name == initiated {
                self.initiated = Some(match bare(member.text()?) {
                    "from-device" => Direction::FromDevice,
                    "to-device" => Direction::ToDevice,
                    _ => return Err(member.wrong("is neither from-device nor to-device")),
                });
            } else {
                self.has_ports(&member, name.starts_with("source-"))?;
            }
        }
        Ok(())
    }

    fn read_class(&mut self, class: &Place<'_>) -> Result<(), MudError> {
        let known = ["manufacturer", "same-manufacturer", "model", "local-networks", "controller", "my-controller"];
        for (name, member) in class.members(&known)? {
            let peer = match name {
                "manufacturer" => Peer::Manufacturer(host_name(&member)?),
                "model" => Peer::Model(address(&member)?),
                "controller" => Peer::Controller(address(&member)?),
                valueless => {
                    member.is_there()?;
                    match valueless {
                        "same-manufacturer" => Peer::SameManufacturer,
                        "local-networks" => Peer::LocalNetworks,
                        _ => Peer::MyController,
                    }
                }
            };
            self.is_with(&member, peer)?;
        }
        Ok(())
    }

    fn is_with(&mut self, place: &Place<'_>, peer: Peer) -> Result<(), MudError> {
        if self.peer != Peer::Anyone {
            return Err(place.wrong("is a second peer: a rule has one"));
        }
        self.peer = peer;
        Ok(())
    }

    fn speaks(&mut self, place: &Place<'_>, protocol: Protocol) -> Result<(), MudError> {
        if self.protocol != Protocol::Any && self.protocol != protocol {
            return Err(place.wrong("contradicts the protocol that the entry names besides"));
        }
        self.protocol = protocol;
        Ok(())
    }

    fn has_ports(&mut self, place: &Place<'_>, of_sender: bool) -> Result<(), MudError> {
        let ports = ports(place)?;
        let of_device = of_sender == (self.way == Direction::FromDevice);
        let mine = if of_device { &mut self.device_ports } else { &mut self.peer_ports };
        if !mine.is_empty() {
            return Err(place.wrong("names the same ports a second time"));
        }
        *mine = ports;
        Ok(())
    }
}

/// Whether the actions let the packets pass.
fn accepts(actions: &Place<'_>) -> Result<bool, MudError> {
    actions.members(&["forwarding", "logging"])?;
    let forwarding = actions.need(&["forwarding"])?;
    match bare(forwarding.text()?) {
        "accept" => Ok(true),
        "drop" | "reject" => Ok(false),
        _ => Err(forwarding.wrong("is none of accept, drop and reject")),
    }
}

/// Ports by an operator or from a lower to an upper one.
fn ports(place: &Place<'_>) -> Result<Vec<Ports>, MudError> {
    place.members(&["operator", "port", "lower-port", "upper-port"])?;
    if let Some(lower) = place.get("lower-port")? {
        let first = lower.number(0..=u16::MAX)?;
        let last = place.get("upper-port")?.map_or(Ok(first), |upper| upper.number(0..=u16::MAX))?;
        let upside_down = || lower.wrong(format!("is {first}, above its upper port {last}"));
        return Ok(vec![Ports::new(first, last).ok_or_else(upside_down)?]);
    }
    let port = place.need(&["port"])?.number(0..=u16::MAX)?;
    let operator = place.get("operator")?;
    let operator = operator.as_ref().map_or(Ok("eq"), Place::text)?;
    let ends = match operator {
        "eq" => vec![(port, port)],
        "lte" => vec![(0, port)],
        "gte" => vec![(port, u16::MAX)],
        "neq" => {
            let below = port.checked_sub(1).map(|last| (0, last));
            let above = port.checked_add(1).map(|first| (first, u16::MAX));
            below.into_iter().chain(above).collect()
        }
        _ => return Err(place.wrong("has an operator that is none of eq, lte, gte and neq")),
    };
    Ok(ends.into_iter().filter_map(|(first, last)| Ports::new(first, last)).collect())
}

/// A network; bits behind its prefix have no meaning.
///
/// **Source**: RFC 6991 section 4, ipv4-prefix and ipv6-prefix.
fn network(place: &Place<'_>, v4: bool) -> Result<Network, MudError> {
    let read = Some(place.text()?).filter(|text| text.contains('/')).map(str::parse::<Network>);
    let network = match read {
        Some(Ok(network) | Err(NetworkError::HostBits(network))) => Some(network),
        _ => None,
    };
    let (kind, as_in) = if v4 { (4, "192.0.2.0/24") } else { (6, "2001:db8::/32") };
    network
        .filter(|network| network.address().is_ipv4() == v4)
        .ok_or_else(|| place.wrong(format!("is no IPv{kind} network, as in {as_in}")))
}

/// A name of hosts: labels of letters, digits, hyphens and underscores.
fn host_name(place: &Place<'_>) -> Result<String, MudError> {
    let name = place.text()?.trim_end_matches('.').to_ascii_lowercase();
    if is_host_name(&name) { Ok(name) } else { Err(place.wrong("is no host name; other scripts are written as xn--")) }
}

/// Whether this is a host name in lower case.
pub(super) fn is_host_name(name: &str) -> bool {
    let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_');
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(good))
}

/// An address of a resource.
pub(super) fn address(place: &Place<'_>) -> Result<String, MudError> {
    let text = place.text()?;
    if is_address(text) {
        Ok(text.into())
    } else {
        Err(place.wrong("is no address of a resource, as in https://example.com/a or urn:a:b"))
    }
}

/// Whether this is a scheme and something behind it, in printable ASCII.
pub(super) fn is_address(text: &str) -> bool {
    let printable =
        |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
    let split = text.split_once(':');
    text.len() <= 255
        && text.bytes().all(printable)
        && split.is_some_and(|(scheme, rest)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.'))
                && !rest.is_empty()
        })
}
