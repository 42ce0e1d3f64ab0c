//! The gateway as a whole: the real binary between two namespaces, asked over its socket, judged by the kernel and by frames.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod bridge;
mod devices;
mod failing;
mod flows;
mod indicators;
mod intake;
mod leaf;
mod memory;
mod model;
mod policy;
mod report;
mod room;
mod signing;
mod stand;
mod table;
mod trouble;
