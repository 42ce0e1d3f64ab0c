//! Share of the conversations asked for that stayed silent.
//!
//! **Horizon**: one minute. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "silent_share",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::Silent, Tally::Asks, 0.0)
    },
};
