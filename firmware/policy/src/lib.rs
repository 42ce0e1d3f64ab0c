//! What to do about a finding, as plain data: no clock, no input or output, no kernel.
//!
//! `respond` turns findings into decisions (block this target for so long, or hold back, and why). A `Policy` says who may start a
//! conversation with whom; `text` reads and writes it, `decide` names the rule that decides about one. `Ruleset` is the whole of
//! what the kernel must hold besides the blocks. `enforce` carries it out; `picket` wires them.

mod block;
mod compile;
mod decide;
pub mod device;
mod flow;
mod hostname;
pub mod indicators;
pub mod mud;
mod network;
mod plan;
pub mod preset;
mod propose;
mod rehearsal;
mod respond;
mod rules;
mod ruleset;
mod schedule;
mod service;
mod switch;
pub mod text;

pub use block::{Block, BlockTarget};
pub use compile::{Between, Compiler, DENIED, compile, kernel_name, next_opening};
pub use decide::{DEFAULT, Judge, Ruling, Sender, Start, decide, new_denies};
pub use flow::{Flow, NAMES};
pub use hostname::HostName;
pub use network::{Network, NetworkError};
pub use plan::{
    Begins, Family, INBOUND, Line, Lines, Match, NAMED_AT_ALL, NEWCOMERS, Name, Names, Plan, RuleNumber, Then, Told,
    USER,
};
pub use propose::{Learning, Proposal};
pub use rehearsal::{DIFFERENCES, Difference, Rehearsal};
pub use respond::{BLOCKS, Decision, MANUAL_LONGEST, ManualBlock, Refusal, Responder, ResponderConfig, Suspect};
pub use rules::{
    DEVICES, Device, DeviceState, Effect, Group, NAME, NameList, Newcomers, Policy, RULES, Rule, To, Who, starter,
};
pub use ruleset::{NeverBlock, Ruleset};
pub use schedule::{Opening, Turn, Window, Zone, opening};
pub use service::{Asked, NAMED, Ports, Service, ServiceError, protocol};
pub use switch::{Dns, Quic, Resolvers, resolvers};
