//! Share of the frames sent that are DNS queries.
//!
//! **Horizon**: one minute. **Range**: 0..1. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "dns_share",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::DnsOut, Tally::FramesOut, 0.0)
    },
};
