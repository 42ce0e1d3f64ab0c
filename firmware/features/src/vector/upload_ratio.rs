//! Share of the octets that were sent, of all sent and received.
//!
//! **Horizon**: one minute. **Range**: 0..1. **Empty**: 0.5. **Source**: own count; see `detection` in the design.

use super::{Feature, ratio};
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "upload_ratio",
    read: |h| {
        let c = &h.middle;
        ratio(c.get(Tally::OctetsOut), c.get(Tally::OctetsIn), 0.5)
    },
};
