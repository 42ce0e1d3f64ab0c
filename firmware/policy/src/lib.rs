//! What to do about a finding, as plain data: no clock, no input or output, no kernel.
//!
//! `respond` turns findings into decisions (block this target for so long, or hold back, and why); `Ruleset` is the whole of
//! what the kernel must hold besides the blocks. `enforce` carries both out; `picket` wires them.

mod block;
mod respond;
mod ruleset;

pub use block::{Block, BlockTarget};
pub use respond::{BLOCKS, Decision, MANUAL_LONGEST, ManualBlock, Refusal, Responder, ResponderConfig, Suspect};
pub use ruleset::{NeverBlock, Ruleset};
