//! Resets received a second.
//!
//! **Horizon**: one minute. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "resets_in_rate",
    read: |h| {
        let c = &h.middle;
        c.get(Tally::RstIn) / 60.0
    },
};
