//! Mean size of the frames received, octets.
//!
//! **Horizon**: one minute. **Range**: 0..65535. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "mean_size_in",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::OctetsIn, Tally::FramesIn, 0.0)
    },
};
