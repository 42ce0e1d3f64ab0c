//! Share of the frames sent that carry TCP.
//!
//! **Horizon**: one minute. **Range**: 0..1. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "tcp_share",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::TcpOut, Tally::FramesOut, 0.0)
    },
};
