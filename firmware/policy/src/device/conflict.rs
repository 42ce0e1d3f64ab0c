//! Two things about devices that cannot both be true.

use core::fmt;
use core::net::IpAddr;

use terms::{MacAddr, Side};

use super::DeviceId;

/// What contradicts what is known. Nobody gains by it: records keep what they had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A hardware address speaks like another device than before: it asks for its lease in another way and calls itself otherwise.
    OtherDevice {
        /// Whose record it is.
        device: DeviceId,
        /// The hardware address.
        mac: MacAddr,
        /// What it called itself.
        was: String,
        /// What it calls itself now.
        now: String,
    },
    /// An address is used by another device, while its owner was there a moment ago and no server gave it away.
    AddressTaken {
        /// Whose it was.
        device: DeviceId,
        /// Who uses it.
        by: DeviceId,
        /// The address.
        address: IpAddr,
    },
    /// A hardware address of one side was seen on the other.
    OtherSide {
        /// Whose it is.
        device: DeviceId,
        /// The hardware address.
        mac: MacAddr,
        /// Where it was not seen before.
        side: Side,
    },
}

impl Conflict {
    /// The device that it is about.
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        match self {
            Self::OtherDevice { device, .. } | Self::AddressTaken { device, .. } | Self::OtherSide { device, .. } => {
                *device
            }
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherDevice { device, mac, was, now } => {
                write!(
                    f,
                    "{mac} of device {device} was {was:?} and calls itself {now:?} now, and asks for its lease as another does"
                )
            }
            Self::AddressTaken { device, by, address } => {
                write!(f, "device {by} uses {address} of device {device}, which was there a moment ago")
            }
            Self::OtherSide { device, mac, side } => {
                write!(f, "{mac} of device {device} was seen on the {} side", side.as_str())
            }
        }
    }
}
