//! Signs of an infection.
//!
//! **Range**: 0 and up. **Horizon**: 10 minutes. **Empty**: 0.
//!
//! **Source**: own counter, see `signs`.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature { name: "signs_long", read: |h| h.long.get(Tally::Signs) };
