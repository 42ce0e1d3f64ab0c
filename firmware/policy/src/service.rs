//! What a conversation is about: a protocol and ports, or a name for several of them.

use core::fmt;

use serde::{Deserialize, Serialize};

/// IP protocol numbers. **Source**: IANA, protocol numbers.
pub mod protocol {
    /// ICMP of IPv4.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP of IPv6.
    pub const ICMP6: u8 = 58;
}

/// A run of ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ports {
    first: u16,
    last: u16,
}

/// One thing that a rule can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Service {
    /// TCP towards these ports.
    Tcp(Ports),
    /// UDP towards these ports.
    Udp(Ports),
    /// Echo requests of ICMP, of either kind of IP.
    Ping,
    /// Any other protocol over IP, by its number; never TCP, UDP or ICMP.
    Protocol(u8),
    /// Whatever runs over IP.
    Any,
    /// Address resolution of IPv4, which is no conversation.
    Arp,
    /// Neighbour and router discovery of IPv6 (ICMPv6 types 133 to 136), and multicast listener reports.
    NeighborDiscovery,
}

/// What the first packet of a conversation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Asked {
    /// The IP protocol's number.
    pub protocol: u8,
    /// The port that it goes to; zero where the protocol has none.
    pub port: u16,
    /// Of ICMP, whether it is an echo request.
    pub echo: bool,
}

/// What is wrong with the text of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceError {
    /// No such protocol, and no such name.
    Unknown(String),
    /// Ports that are none, or the last before the first.
    Ports(String),
}

/// The services that have a name of their own. **Source**: IANA, service names and port numbers.
pub const NAMED: [(&str, &[&str]); 33] = [
    ("dhcp", &["udp/67", "udp/547"]),
    ("dns", &["udp/53", "tcp/53"]),
    ("dns-over-tls", &["tcp/853", "udp/853"]),
    ("ftp", &["tcp/20-21"]),
    ("git", &["tcp/9418"]),
    ("http", &["tcp/80"]),
    ("https", &["tcp/443", "udp/443"]),
    ("imap", &["tcp/143", "tcp/993"]),
    ("ipp", &["tcp/631"]),
    ("kerberos", &["tcp/88", "udp/88"]),
    ("ldap", &["tcp/389", "tcp/636", "udp/389"]),
    ("mail", &["tcp/25", "tcp/110", "tcp/143", "tcp/465", "tcp/587", "tcp/993", "tcp/995"]),
    ("mdns", &["udp/5353"]),
    ("modbus", &["tcp/502"]),
    ("mqtt", &["tcp/1883", "tcp/8883"]),
    ("mysql", &["tcp/3306"]),
    ("nfs", &["tcp/2049", "udp/2049"]),
    ("ntp", &["udp/123"]),
    ("opc-ua", &["tcp/4840"]),
    ("pop3", &["tcp/110", "tcp/995"]),
    ("postgres", &["tcp/5432"]),
    ("printing", &["tcp/515", "tcp/631", "tcp/9100"]),
    ("rdp", &["tcp/3389", "udp/3389"]),
    ("rtsp", &["tcp/554", "udp/554"]),
    ("sip", &["tcp/5060-5061", "udp/5060"]),
    ("smb", &["tcp/139", "tcp/445"]),
    ("smtp", &["tcp/25", "tcp/465", "tcp/587"]),
    ("snmp", &["udp/161-162"]),
    ("ssdp", &["udp/1900"]),
    ("ssh", &["tcp/22"]),
    ("syslog", &["udp/514", "tcp/514", "tcp/6514"]),
    ("telnet", &["tcp/23"]),
    ("vnc", &["tcp/5900-5903"]),
];

/// Protocols over IP that are known by name beside TCP, UDP and ICMP.
const PROTOCOLS: [(&str, u8); 6] = [("ah", 51), ("esp", 50), ("gre", 47), ("igmp", 2), ("ipv6", 41), ("sctp", 132)];

impl Ports {
    /// Every port.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// From the first to the last; nothing where the last comes before the first.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first <= last { Some(Self { first, last }) } else { None }
    }

    /// One port.
    #[must_use]
    pub const fn one(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// The first of them.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The last of them.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// Whether a port is among them.
    #[must_use]
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    fn read(text: &str) -> Option<Self> {
        let port = |text: &str| text.parse::<u16>().ok().filter(|_| text.bytes().all(|o| o.is_ascii_digit()));
        match text.split_once('-') {
            Some((first, last)) => Self::new(port(first)?, port(last)?),
            None => port(text).map(Self::one),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { self.first.fmt(f) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

impl Service {
    /// Reads `tcp/443`, `udp/1-99`, `ip/47`, `ping`, `any`, or a named service, which may stand for several.
    ///
    /// # Errors
    /// What is unknown, or which ports are none.
    pub fn read(text: &str) -> Result<Vec<Self>, ServiceError> {
        let ports = |ports: &str| Ports::read(ports).ok_or_else(|| ServiceError::Ports(ports.to_owned()));
        let one = match text.split_once('/') {
            Some(("tcp", list)) => Self::Tcp(ports(list)?),
            Some(("udp", list)) => Self::Udp(ports(list)?),
            Some(("ip", number)) => match number.parse().ok().map(Self::of_protocol) {
                Some(one) => return Ok(one),
                None => return Err(ServiceError::Unknown(text.to_owned())),
            },
            Some((other, _)) => return Err(ServiceError::Unknown(other.to_owned())),
            None => match text {
                "any" => Self::Any,
                "tcp" => Self::Tcp(Ports::ALL),
                "udp" => Self::Udp(Ports::ALL),
                "ping" | "icmp" => Self::Ping,
                "arp" => Self::Arp,
                "neighbor-discovery" => Self::NeighborDiscovery,
                _ => return Self::named(text).ok_or_else(|| ServiceError::Unknown(text.to_owned())),
            },
        };
        Ok(vec![one])
    }

    /// What a conversation's first packet must be for the rule to be about it.
    #[must_use]
    pub const fn covers(self, asked: Asked) -> bool {
        match self {
            Self::Tcp(ports) => asked.protocol == protocol::TCP && ports.contains(asked.port),
            Self::Udp(ports) => asked.protocol == protocol::UDP && ports.contains(asked.port),
            Self::Ping => matches!(asked.protocol, protocol::ICMP | protocol::ICMP6) && asked.echo,
            Self::Protocol(number) => asked.protocol == number,
            Self::Any => !matches!(asked.protocol, protocol::ICMP | protocol::ICMP6) || asked.echo,
            Self::Arp | Self::NeighborDiscovery => false,
        }
    }

    fn named(name: &str) -> Option<Vec<Self>> {
        if let Some((_, number)) = PROTOCOLS.iter().find(|(known, _)| *known == name) {
            return Some(Self::of_protocol(*number));
        }
        let (_, list) = NAMED.iter().find(|(known, _)| *known == name)?;
        Some(list.iter().filter_map(|one| Self::read(one).ok()).flatten().collect())
    }

    /// What a protocol's number means.
    fn of_protocol(number: u8) -> Vec<Self> {
        vec![match number {
            protocol::TCP => Self::Tcp(Ports::ALL),
            protocol::UDP => Self::Udp(Ports::ALL),
            protocol::ICMP | protocol::ICMP6 => Self::Ping,
            other => Self::Protocol(other),
        }]
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(ports) => write!(f, "tcp/{ports}"),
            Self::Udp(ports) => write!(f, "udp/{ports}"),
            Self::Ping => f.write_str("ping"),
            Self::Protocol(number) => write!(f, "ip/{number}"),
            Self::Any => f.write_str("any"),
            Self::Arp => f.write_str("arp"),
            Self::NeighborDiscovery => f.write_str("neighbor-discovery"),
        }
    }
}

impl Asked {
    /// Something towards a port of TCP or UDP, by the protocol's number.
    #[must_use]
    pub const fn port(protocol: u8, port: u16) -> Self {
        Self { protocol, port, echo: false }
    }

    /// Reads what is asked of `explain`: `tcp/443`, `udp/53`, `ping`, `ip/47`; of several or a range the first.
    ///
    /// # Errors
    /// As [`Service::read`]; `any`, `arp` and the like are no single thing.
    pub fn read(text: &str) -> Result<Self, ServiceError> {
        match Service::read(text)?.first() {
            Some(Service::Tcp(ports)) => Ok(Self::port(protocol::TCP, ports.first())),
            Some(Service::Udp(ports)) => Ok(Self::port(protocol::UDP, ports.first())),
            Some(Service::Ping) => Ok(Self { protocol: protocol::ICMP, port: 0, echo: true }),
            Some(Service::Protocol(number)) => Ok(Self::port(*number, 0)),
            _ => Err(ServiceError::Unknown(text.to_owned())),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { protocol: protocol::TCP, port, .. } => write!(f, "tcp/{port}"),
            Self { protocol: protocol::UDP, port, .. } => write!(f, "udp/{port}"),
            Self { echo: true, .. } => f.write_str("ping"),
            Self { protocol, .. } => write!(f, "ip/{protocol}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_reads_back_as_written() {
        for text in ["tcp/443", "udp/1-99", "ping", "ip/47", "any", "arp"] {
            let read = Service::read(text).unwrap();
            assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), [text]);
        }
    }

    #[test]
    fn every_named_service_can_be_read_and_is_sorted() {
        for (name, list) in NAMED {
            assert_eq!(Service::read(name).unwrap().len(), list.len(), "{name}");
        }
        assert!(NAMED.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn ports_upside_down_and_protocols_that_do_not_exist_are_refused() {
        assert_eq!(Service::read("tcp/443-80"), Err(ServiceError::Ports("443-80".into())));
        assert_eq!(Service::read("tcp/70000"), Err(ServiceError::Ports("70000".into())));
        assert_eq!(Service::read("tcp/+1"), Err(ServiceError::Ports("+1".into())));
        assert_eq!(Service::read("tpc/443"), Err(ServiceError::Unknown("tpc".into())));
        assert_eq!(Service::read("htpps"), Err(ServiceError::Unknown("htpps".into())));
    }

    #[test]
    fn tcp_by_its_number_is_tcp() {
        assert_eq!(Service::read("ip/6"), Ok(vec![Service::Tcp(Ports::ALL)]));
    }
}
