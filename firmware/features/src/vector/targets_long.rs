//! Distinct targets asked over ten minutes: the size of the peer set.
//!
//! **Horizon**: ten minutes. **Range**: 0..621. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;

pub(super) const FEATURE: Feature = Feature {
    name: "targets_long",
    read: |h| {
        let c = &h.long;
        c.targets.estimate()
    },
};
