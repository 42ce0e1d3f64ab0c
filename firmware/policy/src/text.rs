//! The policy's text form: TOML to read, compare and keep, and back.
//!
//! ```toml
//! posture = "enforce"
//! new = "starter"
//! dns = "own"
//! quic = "named"
//! time_zone = "Europe/Berlin"
//!
//! [[device]]
//! name = "camera-2"
//! macs = ["02:5a:10:00:00:07"]
//! addresses = ["192.168.7.9"]
//! groups = ["cameras"]
//! state = "approved"
//!
//! [[allow]]
//! name = "cameras-cloud"
//! who = "cameras"
//! to = "*.example.com"
//! service = "https"
//! when = "mon-fri 08:00-18:00"
//! owner = "ada"
//! comment = "recordings"
//! ```
//! What is written reads back as the same policy. Unknown keys, names that nothing defines, ranges upside down and the like are faults
//! with their line; nothing is taken of a text with a fault.

mod difference;
mod fault;
mod fields;
mod nearest;
mod read;
mod reread;
mod write;

pub use difference::{Difference, difference};
pub use fault::{Fault, line_at, refuse_depth, short};
pub use nearest::{likely, nearest};
pub use read::{TEXT_MAX, destination, moment, read};
pub use reread::reread;
pub use write::{moment as written, to, who, write, write_rule};

#[cfg(test)]
mod tests;
