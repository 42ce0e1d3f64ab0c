//! Frames sent a second.
//!
//! **Horizon**: one minute. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "frames_out_rate",
    read: |h| {
        let c = &h.middle;
        c.get(Tally::FramesOut) / 60.0
    },
};
