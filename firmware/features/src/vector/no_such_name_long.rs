//! Names that do not exist, a second over ten minutes.
//!
//! **Horizon**: ten minutes. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "no_such_name_long",
    read: |h| {
        let c = &h.long;
        c.get(Tally::NoSuchName) / 600.0
    },
};
