//! A block: whom, by what, for how long, and why.

use core::fmt;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};
use terms::{HostKey, MacAddr, Side, Span, Timestamp};

/// What the kernel matches to drop a host's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlockTarget {
    /// Everything from this hardware address on the LAN side.
    Mac(MacAddr),
    /// One of several hosts behind a hardware address on the LAN side.
    MacAndAddress(MacAddr, IpAddr),
    /// A host on the uplink side, whose frames carry the router's hardware address.
    Address(IpAddr),
    /// A host that was never seen, so that its side is not known: its packets on either side. Only an admin asks for this: on
    /// the LAN side an address is easily forged, and a block by it could be turned against its owner.
    Anywhere(IpAddr),
}

/// One block with its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The host that it is about.
    pub host: HostKey,
    /// Its hardware address, where one is known.
    pub mac: Option<MacAddr>,
    /// What the kernel matches.
    pub target: BlockTarget,
    /// When it was decided.
    pub since: Timestamp,
    /// How long it lasts from then on.
    pub lasts: Span,
    /// In words, for the admin.
    pub why: String,
    /// Whether Picket decided it (`true`) or an admin did.
    pub automatic: bool,
}

impl Block {
    /// When it ends.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.since + self.lasts
    }
}

impl BlockTarget {
    /// The side of the box on which it is matched.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::Mac(_) | Self::MacAndAddress(..) => Side::Lan,
            Self::Address(_) => Side::Uplink,
            Self::Anywhere(_) => Side::Unknown,
        }
    }

    /// The hardware address that it matches.
    #[must_use]
    pub const fn mac(self) -> Option<MacAddr> {
        match self {
            Self::Mac(mac) | Self::MacAndAddress(mac, _) => Some(mac),
            Self::Address(_) | Self::Anywhere(_) => None,
        }
    }
}

impl fmt::Display for BlockTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => mac.fmt(f),
            Self::MacAndAddress(mac, address) => write!(f, "{mac} with {address}"),
            Self::Address(address) | Self::Anywhere(address) => address.fmt(f),
        }
    }
}
