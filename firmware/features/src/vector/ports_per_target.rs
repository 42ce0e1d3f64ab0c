//! Distinct ports for each distinct target.
//!
//! **Horizon**: one minute. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::{Feature, ratio_of};

pub(super) const FEATURE: Feature = Feature {
    name: "ports_per_target",
    read: |h| {
        let c = &h.middle;
        ratio_of(c.ports.estimate(), c.targets.estimate())
    },
};
