//! Frames sent a second in the last ten to twenty seconds.
//!
//! **Horizon**: the current ten seconds and the ten before. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "frames_out_burst",
    read: |h| {
        let c = &h.short;
        c.get(Tally::FramesOut) / 20.0
    },
};
