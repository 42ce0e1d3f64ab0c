//! Conversations that others asked for a second.
//!
//! **Horizon**: one minute. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "asked_of_rate",
    read: |h| {
        let c = &h.middle;
        c.get(Tally::AskedOf) / 60.0
    },
};
