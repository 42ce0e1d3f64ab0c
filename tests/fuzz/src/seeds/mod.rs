//! Good inputs, made here from their parts, so that a fresh clone has them.

pub mod captures;
pub mod config;
pub mod frames;
pub mod logs;
pub mod model;
pub mod mud;
pub mod payloads;
