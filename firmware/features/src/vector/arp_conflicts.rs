//! ARP claims a second that contradict a living owner or that nobody asked for.
//!
//! **Horizon**: ten minutes. **Range**: 0.... **Empty**: 0. **Source**: own count.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "arp_conflicts",
    read: |h| {
        let c = &h.long;
        c.get(Tally::Claims) / 600.0
    },
};
