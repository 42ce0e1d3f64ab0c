//! Whole-system tests: the lab's network and scenes, and the gate that `make test` is.
//!
//! Turns scene files (`tests/lab/scenes/*.toml`) into real traffic between network namespaces with the gateway in
//! the middle, and compares what the kernel, the receivers and `picket events` say with what each scene declares.
//! Refuses to believe the gateway's own word on blocks: only the kernel's ruleset counts.
//! Called by the Makefile, through the binary `lab`.

pub mod bench;
#[path = "../common/chance.rs"]
pub mod chance;
pub mod clock;
pub mod crossing;
pub mod datagrams;
pub mod demo;
#[cfg(test)]
mod etsi;
pub mod faults;
pub mod gate;
pub mod gateway;
pub mod insider;
pub mod keep;
pub mod kernel;
pub mod live;
pub mod load;
pub mod machine;
#[cfg(test)]
mod named;
pub mod namespace;
pub mod network;
pub mod page;
pub mod pings;
pub mod power;
pub mod process;
pub mod recipe;
pub mod record;
pub mod recordings;
pub mod replayed;
pub mod scene;
#[cfg(test)]
mod security;
pub mod servers;
pub mod site;
pub mod stage;
pub mod stop;
pub mod stream;
pub mod verdict;
