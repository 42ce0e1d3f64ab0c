//! Distinct ports asked over ten minutes.
//!
//! **Horizon**: ten minutes. **Range**: 0..621. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;

pub(super) const FEATURE: Feature = Feature {
    name: "ports_long",
    read: |h| {
        let c = &h.long;
        c.ports.estimate()
    },
};
