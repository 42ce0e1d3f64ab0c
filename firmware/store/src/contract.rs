//! What a store can be asked, and how it says no.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use policy::device::{DeviceId, DeviceRecord};
use policy::{Block, Flow};
use terms::{BlockState, Family, HostKey, Span, ThreatLevel, Timestamp};

use crate::digest::{Digest, Word};
use crate::records::{Counters, Event, Feedback, Head, HostRecord, Minute};

/// Events that one question brings back at most.
pub const EVENTS_AT_MOST: usize = 1_000;

/// What admins said of events is kept of so many; what quiets nothing goes first, then what expires first.
pub const FEEDBACK_AT_MOST: usize = 256;

/// Which events are wanted; what is not named is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// About this host, by its address or its hardware address.
    pub host: Option<HostKey>,
    /// About one of these, in the same way.
    pub among: Option<Vec<HostKey>>,
    /// In this state.
    pub state: Option<BlockState>,
    /// Of this level.
    pub level: Option<ThreatLevel>,
    /// Of this family.
    pub family: Option<Family>,
    /// Threats alone: of any family, and not `Safe`.
    pub threats: bool,
    /// Not of a minute before that of this moment.
    pub since: Option<Timestamp>,
}

/// Some of the events that were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundEvents {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// The number below which to go on; nothing where there are no more. There may be more although fewer were found than asked for.
    pub next: Option<u64>,
    /// How many events were looked at for that.
    pub looked_at: usize,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// History and hosts older than this go.
    pub max_age: Span,
    /// Beyond this the oldest history goes.
    ///
    /// **Units**: octets on the medium, sled's files included.
    pub max_octets: u64,
}

/// What a store has written and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Octets handed to the medium since the store was opened: keys and values of rows, and sealed blocks. sled adds its own.
    pub octets_written: u64,
    /// Octets on the medium when last measured (at opening and by `retain`).
    pub octets_held: u64,
    /// Sealed blocks that could not be read back; their rows are missing from answers.
    pub unreadable: u64,
}

/// What `retain` let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Rows and sealed blocks of history removed.
    pub history: usize,
    /// Hosts removed.
    pub hosts: usize,
    /// Whether a bounded slice was not enough and another call finds more.
    pub more: bool,
}

/// Why a store did not do what it was asked. Nothing is half-applied: the act left no trace.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room. Reading works on; writing works again once there is room, without a restart.
    #[error("the disk under {} is full: {left} octets left, {needed} needed to go on writing", path.display())]
    Full {
        /// The directory of the store.
        path: PathBuf,
        /// Octets left.
        left: u64,
        /// Octets that must be left.
        needed: u64,
    },
    /// The medium failed. `tick` opens the store anew.
    #[error("the store {} cannot be written or read: {source}", path.display())]
    Disk {
        /// The directory of the store.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was read is not what was written. `tick` sets the store aside and begins a new one.
    #[error("the store {} is damaged: {what}", path.display())]
    Damaged {
        /// The directory of the store.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Where the gateway keeps its state and history.
pub trait Store: Send {
    /// Appends an event within its bounds and returns the number it was given (`id` of the argument is not read).
    ///
    /// # Errors
    /// `StoreError`; the event is not kept.
    fn append_event(&mut self, event: Event) -> Result<u64, StoreError>;

    /// Gives an event another state, as `confirmed` once the kernel was read back. `false` if there is no such event.
    ///
    /// # Errors
    /// `StoreError`; the event keeps its state.
    fn set_event_state(&mut self, id: u64, state: BlockState) -> Result<bool, StoreError>;

    /// The newest `limit` events with a number below `before` (all if `None`), oldest first. Page back with the first one's `id`.
    ///
    /// **Bounds**: `EVENTS_AT_MOST`.
    ///
    /// # Errors
    /// `StoreError`.
    fn events(&self, limit: usize, before: Option<u64>) -> Result<Vec<Event>, StoreError>;

    /// The newest `limit` events that are wanted with a number below `before` (of all if `None`).
    ///
    /// **Bounds**: `EVENTS_AT_MOST`; of a long history so much is looked through that an answer takes a moment, then `next` tells where
    /// to go on.
    ///
    /// # Errors
    /// `StoreError`.
    fn find_events(&self, query: &EventQuery, limit: usize, before: Option<u64>) -> Result<FoundEvents, StoreError>;

    /// The oldest `limit` events with a number above `after`, oldest first.
    ///
    /// **Bounds**: `EVENTS_AT_MOST`.
    ///
    /// # Errors
    /// `StoreError`.
    fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Event>, StoreError>;

    /// The event with this number, if it is still kept.
    ///
    /// # Errors
    /// `StoreError`.
    fn event(&self, id: u64) -> Result<Option<Event>, StoreError>;

    /// Keeps a block in place of any other of the same host.
    ///
    /// # Errors
    /// `StoreError`; the old block, if any, stays.
    fn put_block(&mut self, block: &Block) -> Result<(), StoreError>;

    /// Lets the block of a host go. `false` if there is none.
    ///
    /// # Errors
    /// `StoreError`; the block stays.
    fn remove_block(&mut self, host: HostKey) -> Result<bool, StoreError>;

    /// Every block, in the order of hosts. Ended ones are the caller's to leave out and remove.
    fn blocks(&self) -> Vec<Block>;

    /// Keeps what an admin said of an event, in place of what was said of it before.
    ///
    /// **Bounds**: `FEEDBACK_AT_MOST`.
    ///
    /// # Errors
    /// `StoreError`; what was said before stays.
    fn put_feedback(&mut self, feedback: Feedback) -> Result<(), StoreError>;

    /// Forgets what was said of the event with this number. `false` if nothing was.
    ///
    /// # Errors
    /// `StoreError`; it stays.
    fn remove_feedback(&mut self, event: u64) -> Result<bool, StoreError>;

    /// All that was said, in the order of the events.
    fn feedback(&self) -> Vec<Feedback>;

    /// Keeps devices as they are now, and lets others go. A record is a few hundred octets; the caller bounds their number.
    ///
    /// # Errors
    /// `StoreError`; a part may be on the medium, and the same call again completes it.
    fn put_devices(&mut self, changed: &[DeviceRecord], gone: &[DeviceId]) -> Result<(), StoreError>;

    /// Every device, in the order of their numbers.
    fn devices(&self) -> Vec<DeviceRecord>;

    /// Appends what hosts were in a minute; all of it or nothing. One call a minute is best.
    ///
    /// # Errors
    /// `StoreError`; nothing of it is kept.
    fn append_minutes(&mut self, minutes: &[Minute]) -> Result<(), StoreError>;

    /// The minutes of a host within a range of minutes since the epoch, oldest first.
    ///
    /// # Errors
    /// `StoreError`.
    fn minutes(&self, host: HostKey, range: Range<u64>) -> Result<Vec<Minute>, StoreError>;

    /// Brings hosts up to date. The earliest first sight stays. The last sight alone reaches the medium once it moved by ten
    /// minutes, or with `sync` and `close`.
    ///
    /// **Bounds**: 8,192 hosts; the longest unseen go.
    ///
    /// # Errors
    /// `StoreError`; nothing of it is kept in mind, and a part may be on the medium.
    fn put_hosts(&mut self, hosts: &[HostRecord]) -> Result<(), StoreError>;

    /// Every host, in order.
    fn hosts(&self) -> Vec<HostRecord>;

    /// Appends the counters of a minute.
    ///
    /// # Errors
    /// `StoreError`; they are not kept.
    fn append_counters(&mut self, counters: &Counters) -> Result<(), StoreError>;

    /// The counters within a range of minutes since the epoch, oldest first.
    ///
    /// # Errors
    /// `StoreError`.
    fn counters(&self, range: Range<u64>) -> Result<Vec<Counters>, StoreError>;

    /// Appends flows as a sealed block of their own: collect thousands, or many minutes of them, before you call.
    ///
    /// # Errors
    /// `StoreError`; none of them is kept.
    fn append_flows(&mut self, flows: &[Flow]) -> Result<(), StoreError>;

    /// The number that the next lot of flows gets.
    ///
    /// # Errors
    /// `StoreError`.
    fn next_flows(&self) -> Result<u64, StoreError>;

    /// The newest flows that were appended with a number below `before` (all if `None`), in lots of one minute, newest lot first: so
    /// many lots that they hold `at_least` flows, or all there are. Page back with the number of the last lot.
    ///
    /// # Errors
    /// `StoreError`.
    fn flows(&self, before: Option<u64>, at_least: usize) -> Result<Vec<(u64, Vec<Flow>)>, StoreError>;

    /// Brings to the medium what was appended since the last call; due each second. After an error of the medium it opens the
    /// store anew; the text tells what was done and is worth an event.
    ///
    /// # Errors
    /// `StoreError` if the medium still fails; call again in a second.
    fn tick(&mut self) -> Result<Option<String>, StoreError>;

    /// Brings everything to the medium before it returns.
    ///
    /// # Errors
    /// `StoreError`.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// Lets a bounded slice of what is beyond the limits go; due each minute, and again at once while `more`. Works on a full disk.
    ///
    /// # Errors
    /// `StoreError`.
    fn retain(&mut self, now: Timestamp) -> Result<Retained, StoreError>;

    /// What was written and is held.
    fn figures(&self) -> Figures;

    /// Brings everything to the medium and lets go of it. Every later act is `StoreError::Closed`.
    ///
    /// # Errors
    /// `StoreError`.
    fn close(&mut self) -> Result<(), StoreError>;

    /// Octets handed to the medium since the store was opened.
    fn octets_written(&self) -> u64 {
        self.figures().octets_written
    }
}

impl EventQuery {
    /// Whether an event is wanted.
    pub(crate) fn wants(&self, head: &Head) -> bool {
        let Self { host, among, state, level, family, threats, since } = self;
        let about = |host: HostKey| head.host == host || head.mac.map(HostKey::Mac) == Some(host);
        host.is_none_or(about)
            && among.as_ref().is_none_or(|among| among.iter().copied().any(about))
            && state.is_none_or(|state| head.state == state)
            && level.is_none_or(|level| head.level == level)
            && family.is_none_or(|family| head.family == Some(family))
            && (!threats || head.is_threat())
            && since.is_none_or(|since| head.at.minute() >= since.minute())
    }

    /// Whether a block with this digest may hold an event that is wanted.
    pub(crate) fn may_be_in(&self, digest: &Digest) -> bool {
        let Self { host, among, state, level, family, threats, since: _ } = self;
        let holds = |word| digest.may_hold(word);
        host.is_none_or(|host| holds(Word::about(host)))
            && among.as_ref().is_none_or(|among| among.iter().any(|host| holds(Word::about(*host))))
            && state.is_none_or(|state| holds(Word::state(state)))
            && level.is_none_or(|level| holds(Word::level(level)))
            && family.is_none_or(|family| holds(Word::family(family)))
            && (!threats || holds(Word::threat()))
    }
}

impl Limits {
    /// What is older than this goes.
    pub(crate) fn cutoff(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_micros(now.micros().saturating_sub(self.max_age.micros()))
    }
}

impl Default for Limits {
    /// 30 days, 512 MiB.
    fn default() -> Self {
        Self { max_age: Span::from_secs(30 * 86_400), max_octets: 512 << 20 }
    }
}
