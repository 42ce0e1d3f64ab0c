//! Failed log-ins over ten minutes.
//!
//! **Horizon**: ten minutes. **Range**: 0... **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "logins_failed",
    read: |h| {
        let c = &h.long;
        c.get(Tally::LoginsFailed)
    },
};
