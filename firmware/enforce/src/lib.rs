//! A ruleset and blocks to the kernel's nftables, and what the kernel holds back.
//!
//! In: a `policy::Ruleset`, and blocks with the time they last. Out: table `bridge picket` in the kernel, and `Held`, which is
//! read from the kernel. Each change is one transaction: all of it takes effect or nothing does, and an
//! error names the table, set, element, chain or rule at which the kernel stopped.
//!
//! What this room refuses: to decide anything (that is `policy`), and to empty what was learned: blocks with the time left,
//! conversations that are known, names and counters outlive each change of the rules.
//!
//! The enforcer thread of `picket` calls it; nothing here waits for anything but the kernel's own answer.
//!
//! ```text
//! layout      the table's parts: sets with what each holds, names of counters
//! key         an element's key as octets
//! attribute   netlink attributes, written and read            (pure)
//! message     the messages that nftnl has no words for        (pure)
//! expression  the expressions that nftnl has no words for     (unsafe: calls into libnftnl)
//! draft       messages on their way into one transaction      (unsafe: hands octets to libnftnl)
//! part        an expression as plain data, and the rule that several make
//! talk        conversations that are known: keys, and the rules by which they pass
//! tracked     the same where the kernel tracks connections in the bridge
//! connections the connections that the kernel tracks: listed and ended
//! room        whether one conversation more may begin: what one device may take up
//! lines       the lines of a policy's plan to rules
//! ruleset     a ruleset to what the table must hold           (pure)
//! change      what of that a transaction must change
//! socket      a draft to the kernel, and its answers          (unsafe: socket options)
//! held        what the kernel lists to plain values
//! census      how many conversations each device holds
//! closed      the table that lets nothing cross the bridge
//! kept        the last good ruleset as a file's octets, and back   (pure)
//! shape       the table's form: digests of what nobody but its owner changes
//! denied      packets that rules denied, as the kernel's log tells them (unsafe: waits for a socket)
//! probe       which features the running kernel has
//! ```

mod attribute;
mod census;
mod change;
mod closed;
mod connections;
mod denied;
mod draft;
mod enforcer;
mod error;
mod expression;
mod held;
mod kept;
mod key;
mod layout;
mod lines;
mod message;
mod part;
mod probe;
mod room;
mod ruleset;
mod shape;
mod socket;
mod talk;
mod tracked;

pub use census::{Census, Count, Holder};
pub use closed::{CLOSED_TABLE, close, reopen};
pub use connections::CONNECTIONS_NEEDED;
pub use denied::{Denials, Denied};
pub use enforcer::{Enforcer, Plan, plan};
pub use error::EnforceError;
pub use held::{Dropped, Held};
pub use kept::{Kept, KeptError, LONGEST as LONGEST_KEPT};
pub use layout::{BLOCKS_A_SET, COUNTERS, TABLE, TALKS_A_DEVICE, TALKS_OF_STRANGERS, TALKS_V4, TALKS_V6};
pub use lines::DENIED_GROUP;
pub use probe::{Feature, Found, probe, tracking};
pub use ruleset::Tracking;
pub use talk::Talk;

/// The reader of what the kernel sends, for the fuzz target: never panics, whatever the octets.
#[doc(hidden)]
pub fn read_anything(octets: &[u8]) -> usize {
    held::read_anything(octets) + denied::read(octets).len()
}
