//! What goes into a decision and what comes out of it.

use core::fmt;

use terms::{Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

use crate::{Block, NeverBlock};

/// A host that detection speaks against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The host.
    pub host: HostKey,
    /// The hardware address that its frames carry, where one is known. On the uplink side that is the router's.
    pub mac: Option<MacAddr>,
    /// The side from which its frames come.
    pub side: Side,
    /// How bad it is.
    pub level: ThreatLevel,
    /// What it is taken for.
    pub family: Family,
    /// When the finding was made.
    pub at: Timestamp,
    /// The finding in words, with its numbers.
    pub why: String,
    /// How many IPv4 hosts were seen behind the hardware address lately.
    pub addresses_on_mac: u16,
}

/// What is to be done about a suspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Hand this block to the kernel. If the kernel does not take it, say so by [`Responder::undo`](crate::Responder::undo).
    Block(Block),
    /// A block is due, but the posture is to observe.
    WouldBlock {
        /// The finding and what holds the block back.
        why: String,
    },
    /// Worth watching; no block is due.
    Watch {
        /// The finding.
        why: String,
    },
    /// A block is due, but a bound on automatic blocks is reached or nothing is known by which to match the host.
    HoldBack {
        /// The finding and the bound.
        why: String,
        /// Whether the admin should hear of it: true for the first of a reason in a minute.
        tell: bool,
    },
    /// A block is due, but the never-block list forbids it.
    Never {
        /// The finding and the entry of the list.
        why: String,
    },
    /// Blocked already: what it sends meanwhile is no new evidence, and the end does not move.
    Already {
        /// When the block ends.
        until: Timestamp,
    },
    /// A block is due, but an admin has unblocked the host a short while ago.
    Grace {
        /// The finding and how long the grace lasts.
        why: String,
    },
}

/// A block that an admin asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualBlock {
    /// The host.
    pub host: HostKey,
    /// Its hardware address, where one is known.
    pub mac: Option<MacAddr>,
    /// The side from which its frames come.
    pub side: Side,
    /// How many IPv4 hosts were seen behind the hardware address lately.
    pub addresses_on_mac: u16,
    /// How long it is to last. **Bounds**: from 1 s to [`MANUAL_LONGEST`](crate::MANUAL_LONGEST).
    pub lasts: Span,
    /// In the admin's words.
    pub why: String,
    /// The present.
    pub at: Timestamp,
}

/// Why a block that an admin asked for was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The never-block list forbids it.
    Never {
        /// The host.
        host: HostKey,
        /// The entry that matched.
        entry: NeverBlock,
    },
    /// Nothing is known by which the kernel could match the host's frames.
    NoTarget {
        /// The host.
        host: HostKey,
        /// What is missing.
        missing: &'static str,
    },
    /// The time asked for is below a second or above [`MANUAL_LONGEST`](crate::MANUAL_LONGEST).
    Length {
        /// The time asked for.
        asked: Span,
    },
    /// As many blocks are held as there is room for.
    Full,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never { host, entry } => {
                write!(f, "{host} is not blocked: {entry} is on the never-block list")
            }
            Self::NoTarget { host, missing } => write!(f, "{host} is not blocked: {missing}"),
            Self::Length { asked } => write!(
                f,
                "a block lasts from 1 s to {} days, not {}.{:03} s",
                crate::MANUAL_LONGEST.secs() / 86_400,
                asked.secs(),
                asked.micros() % 1_000_000 / 1_000,
            ),
            Self::Full => write!(f, "no room for another block: {} are held; unblock some first", crate::BLOCKS),
        }
    }
}

impl core::error::Error for Refusal {}
