//! ARP packets sent a second.
//!
//! **Horizon**: one minute. **Range**: 0.... **Empty**: 0. **Source**: own count.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "arp_rate",
    read: |h| {
        let c = &h.middle;
        c.get(Tally::ArpOut) / 60.0
    },
};
