//! Standard deviation of the size of the frames sent, octets.
//!
//! **Horizon**: one minute. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;

pub(super) const FEATURE: Feature = Feature {
    name: "size_deviation",
    read: |h| {
        let c = &h.middle;
        c.size_deviation()
    },
};
