//! MUD: what a manufacturer says that a device does, as a file and as rules.
//!
//! [`read`] turns a file into a [`Description`] with plain rules, [`write`] makes a file of one.
//! [`rules_for`] and [`rules_of`] translate between these rules and the policy's. A file speaks of packets, each way
//! on its own; a rule speaks of conversations and of who starts them. Entries that only let replies pass become no rule, since
//! replies pass by themselves. Nothing is guessed: a match that no rule can tell refuses the whole file, because half of a
//! description would cut what the device needs or open what it does not.
//!
//! **Bounds**: a file of 64 KiB.
//!
//! **Source**: RFC 8520, RFC 8519; also read: the form of the drafts (`access-list-entries`, `rule-name`, `ipv6-acl`).

mod entry;
mod fold;
mod json;
mod read;
mod rule;
mod translate;
mod tree;
mod write;

#[cfg(test)]
mod tests;

use core::fmt;

pub use read::read;
pub use rule::{Description, Direction, Peer, Protocol, Rule};
pub use translate::{describe, rules_for, rules_of};
pub use write::{Unwritable, write};

/// The longest file. **Units**: octets.
pub const LONGEST: usize = 64 << 10;

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MudError {
    /// The line, from 1; 0 where it is the file as a whole.
    pub line: u32,
    /// The member, as names joined by dots, with `[n]` for the n-th of a list from 0; empty for the file as a whole.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for MudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.what)
    }
}

impl core::error::Error for MudError {}
