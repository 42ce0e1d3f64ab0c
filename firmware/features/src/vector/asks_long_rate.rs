//! Conversations asked for a second over ten minutes.
//!
//! **Horizon**: ten minutes. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "asks_long_rate",
    read: |h| {
        let c = &h.long;
        c.get(Tally::Asks) / 600.0
    },
};
