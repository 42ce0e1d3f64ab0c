//! How strongly the box reacts.

use terms::{Posture, Span};

use crate::NeverBlock;

/// The settings of a [`Responder`](crate::Responder); the default is that of an empty configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponderConfig {
    /// Whether findings are acted on at all.
    pub posture: Posture,
    /// How long the first automatic block of a host lasts; doubled for each one after.
    pub block_for: Span,
    /// By how much at most a block lasts longer than that, drawn anew each time, so that an attacker cannot wait for the end.
    ///
    /// **Units**: percent of the block's length. **Bounds**: more than 99 counts as 99.
    pub jitter_percent: u8,
    /// No automatic block lasts longer than this, jitter included.
    pub longest: Span,
    /// How many automatic blocks may be made within any 60 seconds.
    pub per_minute: u32,
    /// The share of the known LAN hosts that may be under an automatic block at a time, on each side of the box.
    ///
    /// **Units**: percent. **Bounds**: more than 100 counts as 100.
    pub share_percent: u8,
    /// So many may be under an automatic block at a time however few hosts are known.
    pub at_least: u32,
    /// For how long after an unblock a host is not blocked automatically.
    pub grace: Span,
    /// The never-block entries of the configuration file; those learnt from the network come by
    /// [`Responder::set_never`](crate::Responder::set_never).
    pub never: Vec<NeverBlock>,
}

impl ResponderConfig {
    /// How long a block lasts after so many before, without jitter and however long that is.
    pub(super) fn doubled(&self, before: u32) -> Span {
        let doubled = self.block_for.micros().saturating_mul(1 << before.min(62));
        Span::from_micros(doubled)
    }

    /// How many doublings made a block this long: jitter never makes a whole one.
    pub(super) fn doublings(&self, lasts: Span) -> u32 {
        let times = lasts.micros().checked_div(self.block_for.micros());
        times.and_then(u64::checked_ilog2).unwrap_or(0)
    }
}

impl Default for ResponderConfig {
    fn default() -> Self {
        Self {
            posture: Posture::Protect,
            block_for: Span::from_secs(10 * 60),
            jitter_percent: 10,
            longest: Span::from_secs(24 * 3600),
            per_minute: 30,
            share_percent: 20,
            at_least: 3,
            grace: Span::from_secs(10 * 60),
            never: Vec::new(),
        }
    }
}
