//! Share of the TCP conversations asked of this host whose handshake was not completed.
//!
//! **Horizon**: one minute. **Range**: 0..1. **Empty**: 0. **Source**: own count.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "half_open_share",
    read: |h| {
        let c = &h.middle;
        (1.0 - c.share(Tally::CompletedIn, Tally::SynIn, 1.0)).max(0.0)
    },
};
