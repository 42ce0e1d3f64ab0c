//! What a device says of itself in one frame.

use core::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use terms::{MacAddr, Side, Timestamp};

/// Octets kept of a text that a device says.
pub const TEXT: usize = 128;

/// One thing said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clue {
    /// Whose hardware address it is about.
    pub mac: MacAddr,
    /// On which side it was said.
    pub side: Side,
    /// When.
    pub at: Timestamp,
    /// What.
    pub says: Says,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    /// A name.
    Name(NameSource, String),
    /// How it asks for an address: the options wanted (DHCP option 55) and its make (option 60).
    Fingerprint(Vec<u8>, String),
    /// A service that it offers, as multicast DNS names it: `_ipp._tcp`.
    Service(String),
    /// Its model.
    Model(String),
    /// What UPnP calls it: `MediaRenderer`.
    UpnpType(String),
    /// What it runs, as UPnP says it.
    Software(String),
    /// What LLDP says that it works as: the bits of IEEE 802.1AB.
    Capabilities(u16),
    /// Where its description is.
    Mud(MudSource, String),
    /// The network's DHCP server gave it this address.
    Leased(Ipv4Addr),
}

/// Who told a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameSource {
    /// DHCP options 12 and 81, DHCPv6 option 39.
    Dhcp,
    /// Multicast DNS.
    Mdns,
    /// The network's name server.
    Dns,
    /// LLDP.
    Lldp,
    /// UPnP, as people named the device.
    Upnp,
}

/// How a MUD address came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MudSource {
    /// DHCP option 161.
    Dhcp,
    /// DHCPv6 option 112.
    Dhcp6,
    /// LLDP.
    Lldp,
}

impl NameSource {
    /// The word that people read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dhcp => "dhcp",
            Self::Mdns => "mdns",
            Self::Dns => "dns",
            Self::Lldp => "lldp",
            Self::Upnp => "upnp",
        }
    }
}

impl Says {
    /// A text as it is kept: UTF-8, at most [`TEXT`] octets, without what a terminal would obey. `None` if nothing is left.
    #[must_use]
    pub fn text(octets: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(octets.get(..TEXT).unwrap_or(octets));
        let kept: String = text.trim().chars().filter(|c| !c.is_control() && *c != '\u{fffd}').collect();
        (!kept.is_empty()).then_some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_obeys_nobody_and_stays_short() {
        assert_eq!(Says::text(b" Kim's\x1b[2J PC\n\0").as_deref(), Some("Kim's[2J PC"));
        assert_eq!(Says::text("K\u{fc}che".as_bytes()).as_deref(), Some("K\u{fc}che"));
        assert_eq!(Says::text(b"\xff\n "), None);
        assert_eq!(Says::text(&[b'a'; 500]).map(|text| text.len()), Some(TEXT));
    }
}
