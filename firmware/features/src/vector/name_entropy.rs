//! Mean entropy of the letters of the names asked for, bits a letter.
//!
//! **Horizon**: one minute. **Range**: 0..5.25. **Empty**: 0. **Source**: C. E. Shannon, A Mathematical Theory of Communication, 1948.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "name_entropy",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::NameEntropy, Tally::DnsOut, 0.0) / 100.0
    },
};
