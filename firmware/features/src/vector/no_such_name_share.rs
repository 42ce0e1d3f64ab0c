//! Share of the DNS queries whose name does not exist.
//!
//! **Horizon**: one minute. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "no_such_name_share",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::NoSuchName, Tally::DnsOut, 0.0)
    },
};
