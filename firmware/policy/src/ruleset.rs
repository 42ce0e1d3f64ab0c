//! The ruleset as plain data: what table `bridge picket` must hold besides its blocks and counters.

use core::fmt;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};
use terms::MacAddr;

use crate::plan::Plan;

/// An end point that no block may cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NeverBlock {
    /// A hardware address: the router's, the box's own.
    Mac(MacAddr),
    /// An IP address.
    Address(IpAddr),
}

/// Everything that the kernel's table is made from.
///
/// Two equal rulesets compile to the same table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruleset {
    /// Name of the link to the switch.
    pub lan: String,
    /// Name of the link to the router.
    pub uplink: String,
    /// Whom no block may cut; sorted, without doubles.
    pub never_block: Vec<NeverBlock>,
    /// What the policy allows; nothing where it holds for nobody.
    pub plan: Option<Plan>,
}

impl NeverBlock {
    /// The hardware address, if it is one.
    #[must_use]
    pub const fn mac(&self) -> Option<MacAddr> {
        match self {
            Self::Mac(mac) => Some(*mac),
            Self::Address(_) => None,
        }
    }

    /// The IP address, if it is one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Mac(_) => None,
            Self::Address(address) => Some(*address),
        }
    }
}

impl fmt::Display for NeverBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => mac.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}
