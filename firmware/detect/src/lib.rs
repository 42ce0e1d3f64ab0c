//! Counters and feature vectors become findings, and a host's evidence becomes a level.
//!
//! `Detector` owns the host table: it takes `wire::Summary` values with their times, lets the rules look at every change and the
//! forest at every closed minute, and hands `Finding`s and `Window`s to a `Sink`. It refuses nothing, allocates nothing after start
//! and knows no clock but the frames'. `picket` drives it live and in replay, `models` in training.
#![no_std]

mod baseline;
pub mod catalogue;
mod denied;
mod detector;
mod evidence;
mod finding;
pub mod forest;
mod rules;
mod signs;
mod thresholds;

pub use baseline::{Baseline, Record};
pub use denied::Denied;
pub use detector::{Detector, Kinds, QUIET_AT_MOST, Quiet, Sink, Window, weigh};
pub use evidence::{HostState, level_with};
pub use finding::{Evidence, Finding, Habit, Source};
pub use rules::Rule;
pub use thresholds::Thresholds;
