//! How bad it is and what was done about it.

use core::fmt;

use serde::{Deserialize, Serialize};

/// How much of a threat a host is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ThreatLevel {
    /// Nothing speaks against it.
    #[default]
    Safe,
    /// Worth watching; nobody is blocked for it.
    Medium,
    /// An attacker by definition; `protect` blocks it.
    High,
}

/// What the box does with what it finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Posture {
    /// Nothing is dropped; what would have been is counted.
    Observe,
    /// Flagged hosts are blocked, the rest flows.
    #[default]
    Protect,
    /// Default deny: only what a rule allows passes, and flagged hosts are blocked.
    Enforce,
}

/// What passes the box while the gateway does not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// What the last ruleset lets pass.
    #[default]
    Open,
    /// Nothing.
    Closed,
}

/// How far an act against a host has come. Each word is true when it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlockState {
    /// Seen and noted; no block was due.
    #[serde(rename = "observed")]
    Observed,
    /// Due, but the posture, a bound or the never-block list holds it back.
    #[serde(rename = "would block")]
    WouldBlock,
    /// Sent to the kernel and acknowledged.
    #[serde(rename = "blocked")]
    Blocked,
    /// Read back from the kernel.
    #[serde(rename = "confirmed")]
    Confirmed,
}

impl ThreatLevel {
    /// Every level, the mildest first.
    pub const ALL: [Self; 3] = [Self::Safe, Self::Medium, Self::High];

    /// The word of the replay contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "SAFE",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

impl fmt::Display for ThreatLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Posture {
    /// Every posture, the mildest first.
    pub const ALL: [Self; 3] = [Self::Observe, Self::Protect, Self::Enforce];

    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Protect => "protect",
            Self::Enforce => "enforce",
        }
    }
}

impl Failure {
    /// Both, the one that is the default first.
    pub const ALL: [Self; 2] = [Self::Open, Self::Closed];

    /// The word of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl BlockState {
    /// Every state, in the order in which an act comes along.
    pub const ALL: [Self; 4] = [Self::Observed, Self::WouldBlock, Self::Blocked, Self::Confirmed];

    /// The words of the event.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::WouldBlock => "would block",
            Self::Blocked => "blocked",
            Self::Confirmed => "confirmed",
        }
    }
}
