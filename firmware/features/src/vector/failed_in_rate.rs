//! Conversations a second that others asked this host for and that it refused or left silent.
//!
//! **Horizon**: one minute. **Range**: 0.... **Empty**: 0. **Source**: own count.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "failed_in_rate",
    read: |h| {
        let c = &h.middle;
        c.get(Tally::FailedIn) / 60.0
    },
};
