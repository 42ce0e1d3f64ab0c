//! Each rule at its boundary: a hundred draws just below the shipped default make nobody High, a hundred just above are found
//! within three seconds of the crossing packet.
//!
//! Hosts, ports, gaps, order and the mix of answers are drawn anew in every run; the seed is printed, and PICKET_SEED repeats it.
//! Frames are octets and take the way of the gateway: `wire::parse`, then `Detector::observe`, with the shipped forest.

mod chance;
mod claims;
#[path = "../../../../tests/common/chance.rs"]
mod common;
mod denied;
mod draw;
mod floods;
mod frames;
mod habits;
mod infection;
mod intrusion;
mod listed;
mod logins;
mod names;
mod remembered;
mod scans;
#[path = "../../../../tests/common/seed.rs"]
mod seed;
mod sweeps;
mod unwanted;
mod web;
