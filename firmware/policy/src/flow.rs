//! What devices did: one summary of alike conversations a minute.
//!
//! Conversations are alike that the same device had with the same address about the same service, begun by the same end. A minute is
//! the finest that schedules know, so whatever a policy says of one of them it says of all.

use core::net::IpAddr;

use serde::{Deserialize, Serialize};
use terms::{MacAddr, Timestamp};

use crate::decide::{Sender, Start};
use crate::service::Asked;

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

    /// What makes two of them alike, beside their minute.
    #[must_use]
    pub const fn alike(&self) -> (MacAddr, IpAddr, IpAddr, bool, Asked) {
        (self.mac, self.lan, self.far, self.inbound, self.asked)
    }
}
