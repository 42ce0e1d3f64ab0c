//! Share of the conversations asked for that went to a target not among those remembered.
//!
//! **Horizon**: one minute. **Range**: 0..1. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "new_peers_share",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::NewPeers, Tally::Asks, 0.0)
    },
};
