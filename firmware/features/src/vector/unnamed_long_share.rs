//! The share of conversations with servers that no answer from DNS named.
//!
//! **Range**: 0 to 1. **Horizon**: 10 minutes. **Empty**: 0 where the host asked for none, or its DNS is not seen.
//!
//! **Source**: own counter; malware often keeps addresses, people and most programs keep names.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature =
    Feature { name: "unnamed_long_share", read: |h| h.long.share(Tally::Unnamed, Tally::Asks, 0.0) };
