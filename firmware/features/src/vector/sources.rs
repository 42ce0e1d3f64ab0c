//! Distinct hosts that asked this one.
//!
//! **Horizon**: one minute. **Range**: 0..621. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;

pub(super) const FEATURE: Feature = Feature {
    name: "sources",
    read: |h| {
        let c = &h.middle;
        c.sources.estimate()
    },
};
