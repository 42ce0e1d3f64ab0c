//! How regularly the same targets are asked: the shorter of two successive gaps as a share of the longer, mean over all.
//!
//! A clock has 1, chance 0.39. Gaps below a second are left out.
//!
//! **Horizon**: ten minutes. **Range**: 0..1. **Empty**: 0. **Source**: own count; the mean for chance is 2 ln 2 - 1.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "gap_equality",
    read: |h| {
        let c = &h.long;
        c.share(Tally::EqualGaps, Tally::Gaps, 0.0) / 100.0
    },
};
