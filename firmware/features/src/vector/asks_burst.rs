//! Conversations asked for a second in the last ten to twenty seconds.
//!
//! **Horizon**: the current ten seconds and the ten before. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "asks_burst",
    read: |h| {
        let c = &h.short;
        c.get(Tally::Asks) / 20.0
    },
};
