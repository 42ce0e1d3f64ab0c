//! The words that every room shares, as newtypes: who (`MacAddr`, `HostKey`), when (`Timestamp`), where (`Side`), how bad
//! (`ThreatLevel`, `Family`) and what was done about it (`Posture`, `BlockState`).
//!
//! Pure values: no clock, no input or output, no allocation. Every other room imports this one; it imports none.
#![no_std]

mod address;
mod family;
mod fnv;
mod level;
mod time;

pub use address::{HostKey, MacAddr, ParseMacError, Side};
pub use family::Family;
pub use fnv::{FNV_BEGINS, fnv};
pub use level::{BlockState, Failure, Posture, ThreatLevel};
pub use time::{Span, Timestamp};
