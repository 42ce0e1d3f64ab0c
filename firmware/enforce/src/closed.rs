//! The closed ruleset: a table beside Picket's own, whose one chain lets no frame cross the bridge.
//!
//! It comes and goes in one transaction and touches nothing else: what the last ruleset knew of conversations and blocks stands
//! unchanged behind it. Frames for the box itself pass, so that its owner reaches it.

use std::ffi::CStr;

use nftnl::{Chain, ChainType, Hook, Policy, ProtoFamily, Table};

use crate::draft::Draft;
use crate::error::EnforceError;
use crate::socket::Socket;

/// The table's name, in the bridge family.
pub const CLOSED_TABLE: &str = "picket_closed";
const NAME: &CStr = c"picket_closed";
/// Before Picket's own chains, so that nothing is counted there that does not pass.
const PRIORITY: i32 = -300;

/// Lets nothing cross the bridge any more; closed already is no error.
///
/// # Errors
/// `Unreachable` if the kernel has no nftables, `Refused` with nothing changed.
pub fn close() -> Result<(), EnforceError> {
    let table = Table::new(NAME, ProtoFamily::Bridge);
    let mut chain = Chain::new(c"forward", &table);
    chain.set_type(ChainType::Filter);
    chain.set_hook(Hook::Forward, PRIORITY);
    chain.set_policy(Policy::Drop);
    let mut draft = Draft::new();
    draft.add(format!("table bridge {CLOSED_TABLE}"), &table);
    draft.add(format!("chain forward of table bridge {CLOSED_TABLE}"), &chain);
    Socket::open()?.commit(&draft.finish())
}

/// Lets Picket's own table decide again; not closed is no error.
///
/// # Errors
/// As [`close`].
pub fn reopen() -> Result<(), EnforceError> {
    let table = Table::new(NAME, ProtoFamily::Bridge);
    let mut draft = Draft::new();
    // Added first: what is missing can't be removed.
    draft.add(format!("table bridge {CLOSED_TABLE}"), &table);
    draft.remove(format!("table bridge {CLOSED_TABLE}"), &table);
    Socket::open()?.commit(&draft.finish())
}
