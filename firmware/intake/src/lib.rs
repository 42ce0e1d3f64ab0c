//! What hosts say of themselves: octets of a log line become one normal form, an [`Activity`].
//!
//! | module | turns | into |
//! |---|---|---|
//! | `framing` | octets of a TCP connection | lines, by either framing of RFC 6587 |
//! | `syslog` | a line | its header and its message (RFC 5424, RFC 3164, or text as it is) |
//! | `json` | an object of an agent or a shipper | the same, with its place in what the agent tells |
//! | `said` | the message of a program that is known | who did what, from where, and how it went |
//! | `activity` | all of that | one record within its bounds |
//! | `habits` | records in a row | what is usual for an account, and what is not |
//! | `rules` | records in a row | what is worth a person's look |
//!
//! Pure: no clock, no IO, no memory between two lines but the framer's, which is bounded. What a line claims is kept as a claim; the
//! time of a record is when it came. Whatever the octets are, a line becomes a record or a counted [`Refusal`], and nothing panics.
//! Called by the intake process of `picket`, and by nobody with rights.
#![forbid(unsafe_code)]

mod activity;
mod framing;
pub mod habits;
pub mod json;
pub mod rules;
mod said;
mod syslog;

pub use activity::{Act, Activity, Outcome, Proof, TEXT_MAX, WORD_MAX, shown};
pub use framing::{Cut, Framer, LINE_MAX};
pub use said::{Said, said};
pub use syslog::{Line, line};

use std::net::IpAddr;

use terms::Timestamp;

/// Why a line that came is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Nothing but white space.
    Empty,
    /// Longer than `LINE_MAX`.
    TooLong,
    /// The connection ended in the middle of it.
    Torn,
    /// Its source sends more than it may.
    TooFast,
    /// No room is left in the queue.
    Queue,
    /// The store takes nothing.
    Store,
    /// The kernel had no room before anybody could read it.
    Kernel,
    /// No JSON object that says anything.
    NoRecord,
    /// It was told and stored before.
    Again,
    /// More in one batch than are looked at.
    TooMany,
}

impl Refusal {
    /// Every reason, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::Empty,
        Self::TooLong,
        Self::Torn,
        Self::TooFast,
        Self::Queue,
        Self::Store,
        Self::Kernel,
        Self::NoRecord,
        Self::Again,
        Self::TooMany,
    ];

    /// The reason in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too long",
            Self::Torn => "torn",
            Self::TooFast => "too fast",
            Self::Queue => "queue full",
            Self::Store => "store takes none",
            Self::Kernel => "kernel queue full",
            Self::NoRecord => "no record",
            Self::Again => "told before",
            Self::TooMany => "too many at once",
        }
    }
}

/// The record of one line of plain syslog that came from an address at a moment.
///
/// # Errors
/// Why it is none.
pub fn plain(octets: &[u8], from: IpAddr, at: Timestamp) -> Result<Activity, Refusal> {
    if octets.len() > LINE_MAX {
        return Err(Refusal::TooLong);
    }
    if octets.iter().all(|octet| octet.is_ascii_whitespace() || *octet == 0) {
        return Err(Refusal::Empty);
    }
    let line = line(octets, at);
    let said = said(&line.app, &line.message);
    Ok(Activity::of(line, said, from, at, Proof::Unproven))
}
