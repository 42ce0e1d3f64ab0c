//! Share of the TCP segments sent that open a conversation.
//!
//! **Horizon**: one minute. **Range**: 0..1. **Empty**: 0. **Source**: own count; see `detection` in the design.

use super::Feature;
use crate::window::Tally;

pub(super) const FEATURE: Feature = Feature {
    name: "syn_share",
    read: |h| {
        let c = &h.middle;
        c.share(Tally::SynOut, Tally::TcpOut, 0.0)
    },
};
