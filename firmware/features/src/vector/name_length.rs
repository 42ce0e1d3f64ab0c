//! Mean length of the names asked for, octets.
//!
//! **Horizon**: one minute. **Range**: 0..255. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "name_length",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::NameOctets, Tally::DnsOut, 0.0)
    },
};
