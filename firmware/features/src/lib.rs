//! What frames say becomes per-host counters, changes that rules look at, and a feature vector.
//!
//! `HostTable::observe` takes one `wire::Summary` and its time and returns the `Noted` changes that it caused; `HostTable::vector`
//! reads a host's features. All memory is reserved at start: hosts, conversations, pairs, neighbours and bindings are tables of named
//! capacity that evict by a stated order and count it. Time comes from frames only.
//!
//! `detect` judges the changes and the vectors; `picket` and `models` drive both with the same code.
#![no_std]

mod change;
mod doings;
mod flow;
mod hash;
mod host;
mod host_table;
pub mod listed;
mod names;
mod neighbors;
mod observe;
mod pair;
mod peers;
mod rate;
mod signs;
mod table;
pub mod talks;
pub mod vector;
mod window;

pub use change::{Administration, Ask, Change, Exposure, Listing, Noted, Service};
pub use hash::HashKey;
pub use host::{Host, Judgement};
pub use host_table::{Capacities, HostTable, Infrastructure, Occupancy};
pub use observe::{NOTED, Notes};
pub use signs::{Sign, SignCounts};
pub use vector::{FEATURES, FeatureVector, SCHEMA, schema_hash};
