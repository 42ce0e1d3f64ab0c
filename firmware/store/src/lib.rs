//! State and history on flash: events, blocks, hosts, and what each minute was like.
//!
//! Turns records into few, large, checked writes, and a directory back into records after a crash. `Store` is the whole of what
//! the gateway may ask; `SledStore` keeps it on flash, `MemoryStore` stands in where there is no disk. It refuses what would not
//! fit (a full disk) as a whole, and sets aside what it cannot read rather than keep the gateway from starting.
//!
//! | where | what | written |
//! |---|---|---|
//! | `sled/` | blocks, hosts, devices, feedback, the open journal of history, the index and the digests of sealed blocks | a row each |
//! | `sealed/` | history: compressed, checksummed blocks | once, as a whole, synced before the journal rows go |
//! | `layout` | the number of the layout, for people and to notice a store that lost everything | once |
//! | `closed` | how much there was when the store was closed, gone while it is open | at closing |
//! | `lock` | held by the one process that owns the directory | never |
//!
//! `ActivityLog` is a store of its own for what hosts say of their users, in a directory of its own, owned by the intake process.
//!
//! **Durability**: what was given before a `tick` that returned without error is on the medium (`tick` is due each second).
//! `sync` does the same at once, for people's acts. Called by `picket` alone, from one thread.
#![forbid(unsafe_code)]

mod activity;
mod attached;
mod codec;
mod contract;
mod digest;
mod disk;
mod hosts;
mod journal;
mod memory;
mod open;
mod policies;
mod records;
mod sealed;
mod sled_store;
mod upkeep;

pub use activity::{ActivityLog, Query, Shot, Unfinished};
pub use contract::{
    EVENTS_AT_MOST, EventQuery, FEEDBACK_AT_MOST, Figures, FoundEvents, Limits, Retained, Store, StoreError,
};
pub use disk::room;
pub use memory::MemoryStore;
pub use open::{OpenError, Opened, open};
pub use policies::{Policies, PolicyState, PolicyVersion, Trial, VERSIONS};
pub use records::{Counters, Event, EvidenceFrame, Feedback, HostRecord, Minute};
pub use sled_store::SledStore;
