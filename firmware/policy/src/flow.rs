//! What devices did: one summary of alike conversations a minute.
//!
//! Conversations are alike that the same device had with the same address about the same service, begun by the same end. A minute is
//! the finest that schedules know, so whatever a policy says of one of them it says of all.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};
use terms::{MacAddr, Timestamp};

use crate::decide::{Sender, Start};
use crate::service::{Asked, protocol};

/// Names that are kept of one address.
pub const NAMES: usize = 4;

/// Alike conversations of one minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// The hardware address of the device on the LAN side.
    pub mac: MacAddr,
    /// Its address.
    pub lan: IpAddr,
    /// The address on the other side.
    pub far: IpAddr,
    /// Whether the other side began.
    pub inbound: bool,
    /// What was asked of whoever did not begin.
    pub asked: Asked,
    /// The names for which the device was told the other address when it began.
    ///
    /// **Bounds**: [`NAMES`].
    pub names: Vec<String>,
    /// The first of them that began in this minute, or the minute's first packet where none did.
    pub first: Timestamp,
    /// The last packet.
    pub last: Timestamp,
    /// How many began; none where they only went on.
    pub count: u32,
    /// What they carried: from the LAN end, and towards it.
    ///
    /// **Units**: octets on the wire.
    pub octets: [u64; 2],
}

impl Flow {
    /// The question that a policy answers about each of them.
    #[must_use]
    pub fn start<'a>(&'a self, servers: &'a [IpAddr]) -> Start<'a> {
        let (from, to, to_mac) = if self.inbound {
            (Sender::Uplink(self.far), self.lan, Some(self.mac))
        } else {
            (Sender::Lan(Some(self.mac), self.lan), self.far, None)
        };
        Start { from, to, to_mac, asked: self.asked, names: &self.names, servers, at: self.first }
    }

    /// Whom it was with, as a person would say it: the name that was asked for, else the address.
    #[must_use]
    pub fn peer(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| self.far.to_string())
    }

    /// The same, with what a name at that address is worth: whether the device was told it for others too, and whether what it spoke
    /// hides the name and none was told.
    #[must_use]
    pub fn peer_in_words(&self) -> String {
        let hides = matches!((self.asked.protocol, self.asked.port), (protocol::TCP | protocol::UDP, 443 | 853));
        match &self.names[..] {
            [] if hides && !self.inbound => format!("{} (name not visible)", self.far),
            [first, others @ ..] if !others.is_empty() => {
                format!("{first} (address shared with {})", others.join(", "))
            }
            _ => self.peer(),
        }
    }

    /// What makes two of them alike, beside their minute.
    #[must_use]
    pub const fn alike(&self) -> (MacAddr, IpAddr, IpAddr, bool, Asked) {
        (self.mac, self.lan, self.far, self.inbound, self.asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_says_what_its_name_is_worth() {
        let flow = |names: &[&str], protocol, port| Flow {
            mac: MacAddr::new([2, 0, 0, 0, 0, 1]),
            lan: [10, 0, 0, 5].into(),
            far: [203, 0, 113, 7].into(),
            inbound: false,
            asked: Asked::port(protocol, port),
            names: names.iter().map(ToString::to_string).collect(),
            first: Timestamp::EPOCH,
            last: Timestamp::EPOCH,
            count: 1,
            octets: [0; 2],
        };
        let said = |names, protocol, port| flow(names, protocol, port).peer_in_words();
        assert_eq!(said(&[], protocol::UDP, 443), "203.0.113.7 (name not visible)");
        assert_eq!(said(&[], protocol::TCP, 22), "203.0.113.7");
        assert_eq!(said(&["a.example"], protocol::TCP, 443), "a.example");
        assert_eq!(said(&["a.example", "b.example"], protocol::TCP, 443), "a.example (address shared with b.example)");
    }
}
