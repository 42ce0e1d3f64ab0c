//! What a description says: who may start which conversation.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::network::Network;
use crate::service::Ports;

/// What a manufacturer says that a device does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Where the description is kept.
    pub url: String,
    /// When it was made, as it is written (RFC 3339).
    pub last_update: String,
    /// How long it may be kept before it is asked for again.
    ///
    /// **Units**: hours, 1 to 168.
    pub cache_validity: u8,
    /// Whether the manufacturer still looks after the device.
    pub is_supported: bool,
    /// The device in words.
    pub system: Option<String>,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// What it may do and what may be done with it, in the order of the file, each once.
    pub rules: Vec<Rule>,
    /// What the file says besides and no rule can tell, a line each.
    pub notes: Vec<String>,
}

/// One kind of conversation that is part of the device's work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Who starts it.
    pub direction: Direction,
    /// The other end.
    pub peer: Peer,
    /// Over what.
    pub protocol: Protocol,
    /// The ports of the end that is called; every port where there are none.
    pub ports: Option<Ports>,
}

/// Who starts a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The device.
    FromDevice,
    /// The other end.
    ToDevice,
}

/// The other end of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum Peer {
    /// Whoever it is.
    Anyone,
    /// The hosts behind a name.
    Name(String),
    /// The hosts of a network.
    Network(Network),
    /// The hosts of the network that the device is in.
    LocalNetworks,
    /// The devices that a class names by its address.
    Controller(String),
    /// What the admin says is this device's controller.
    MyController,
    /// Devices whose descriptions come from the same host.
    SameManufacturer,
    /// Devices whose descriptions come from this host.
    Manufacturer(String),
    /// Devices with this description.
    Model(String),
}

/// What a conversation is carried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Every protocol.
    Any,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Another, by its IANA number.
    Other(u8),
}

impl Protocol {
    /// The protocol with this IANA number.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            6 => Self::Tcp,
            17 => Self::Udp,
            other => Self::Other(other),
        }
    }

    /// Its IANA number; none for all of them.
    #[must_use]
    pub const fn number(self) -> Option<u8> {
        match self {
            Self::Any => None,
            Self::Tcp => Some(6),
            Self::Udp => Some(17),
            Self::Other(number) => Some(number),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Name(name) => f.write_str(name),
            Self::Network(network) => network.fmt(f),
            Self::LocalNetworks => f.write_str("local networks"),
            Self::Controller(class) => write!(f, "controllers of the class {class}"),
            Self::MyController => f.write_str("its controller"),
            Self::SameManufacturer => f.write_str("devices of the same manufacturer"),
            Self::Manufacturer(host) => write!(f, "devices of the manufacturer {host}"),
            Self::Model(url) => write!(f, "devices of the model {url}"),
        }
    }
}

impl fmt::Display for Rule {
    /// In one line: `the device may start tcp/443 with cloud.example.com`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = match self.protocol {
            Protocol::Any => "anything".into(),
            Protocol::Tcp => "tcp".into(),
            Protocol::Udp => "udp".into(),
            Protocol::Other(number) => format!("protocol {number}"),
        };
        let ports = self.ports.map(|ports| format!("/{ports}")).unwrap_or_default();
        match self.direction {
            Direction::FromDevice => write!(f, "the device may start {service}{ports} with {}", self.peer),
            Direction::ToDevice => write!(f, "{} may start {service}{ports} with the device", self.peer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_as_a_sentence() {
        let rule = Rule {
            direction: Direction::FromDevice,
            peer: Peer::Name("cloud.example.com".into()),
            protocol: Protocol::Tcp,
            ports: Ports::new(443, 443),
        };
        assert_eq!(rule.to_string(), "the device may start tcp/443 with cloud.example.com");
        let back = Rule { direction: Direction::ToDevice, peer: Peer::LocalNetworks, ports: None, ..rule };
        assert_eq!(back.to_string(), "local networks may start tcp with the device");
    }
}
