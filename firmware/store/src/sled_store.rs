//! The store on flash.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use policy::device::{DeviceId, DeviceRecord};
use policy::{Block, Flow};
use sled::Batch;
use terms::{BlockState, HostKey, Timestamp};

use crate::attached::{Attached, Kind, State, Trouble};
use crate::codec::{FlowSlab, Slab, decode, decode_head, encode, host_key};
use crate::contract::{EVENTS_AT_MOST, EventQuery, Figures, FoundEvents, Limits, Retained, Store, StoreError};
use crate::digest::Digest;
use crate::disk::{octets_in, room_for};
use crate::hosts::Hosts;
use crate::journal::{BlockIndex, Journal, Search};
use crate::memory::superfluous;
use crate::open::note_closed;
use crate::records::{Counters, Event, Feedback, HostRecord, Minute};
use crate::sealed::Row;

/// How much sled is given before its buffers are waited for.
///
/// sled 0.34 writes each buffer (512 KiB) on a pool of seven threads. A writer that needs room at the end of the file waits, with the lock
/// on sled's list of segments held, until a thread of the pool has cut the file there; when all seven wait for that lock, nothing
/// ever goes on. A writer that waits for its buffers now and then never has seven of them under way.
///
/// **Units**: octets of rows and pages; sled makes a few times as many of them.
const UNDER_WAY: u64 = 256 << 10;
/// What an act makes sled write anew at least.
///
/// **Units**: octets.
const PAGE: u64 = 2 << 10;
/// Rows of hosts in one batch.
const ROWS: usize = 1_024;
/// Minutes in one row of the journal; sled keeps rows of this length in its own file.
const SLAB: usize = 1_024;

/// Sealed blocks of events that one question reads at most; each is some 256 KiB of rows.
const SEARCHED: usize = 16;

/// State and history in a directory.
pub struct SledStore {
    pub(crate) path: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) medium: Medium,
    pub(crate) blocks: BTreeMap<HostKey, Block>,
    pub(crate) hosts: Hosts,
    pub(crate) feedback: BTreeMap<u64, Feedback>,
    pub(crate) devices: BTreeMap<DeviceId, DeviceRecord>,
    pub(crate) figures: Figures,
    /// The number that the next event gets, whatever the medium lost.
    pub(crate) next_event: u64,
    /// Something was written since the last flush.
    dirty: bool,
    /// Octets that sled was given since its buffers were last waited for.
    under_way: u64,
    /// A read failed since the last `tick`.
    doubtful: Cell<bool>,
}

/// Whether there is a medium to write to.
pub(crate) enum Medium {
    Open(Box<Attached>),
    /// It failed; `tick` tries again.
    Failed,
    Closed,
}

impl SledStore {
    pub(crate) fn new(path: &Path, limits: Limits, attached: Attached, state: State) -> Self {
        let figures = Figures { octets_held: octets_in(path), ..Figures::default() };
        Self {
            path: path.into(),
            limits,
            next_event: attached.events.next(),
            medium: Medium::Open(Box::new(attached)),
            blocks: state.blocks,
            hosts: state.hosts,
            feedback: state.feedback,
            devices: state.devices,
            figures,
            dirty: true,
            under_way: 0,
            doubtful: Cell::new(false),
        }
    }

    pub(crate) fn attached(&self) -> Result<&Attached, StoreError> {
        match &self.medium {
            Medium::Open(attached) => Ok(attached),
            Medium::Failed => Err(self.disk(io::Error::other("it failed before and has not come back yet"))),
            Medium::Closed => Err(StoreError::Closed),
        }
    }

    /// Does something to the medium; one that fails is let go of until the next `tick`.
    pub(crate) fn act<T>(&mut self, act: impl FnOnce(&mut Attached) -> Result<T, Trouble>) -> Result<T, StoreError> {
        self.attached()?;
        let Medium::Open(attached) = &mut self.medium else {
            return Err(StoreError::Closed);
        };
        let wait = self.under_way >= UNDER_WAY;
        self.under_way = if wait { PAGE } else { self.under_way + PAGE };
        let waited = if wait { attached.db.flush().map(drop).map_err(Trouble::from) } else { Ok(()) };
        waited.and_then(|()| act(attached)).map_err(|trouble| {
            self.let_go(Medium::Failed);
            self.error(trouble)
        })
    }

    /// sled panics when its last sync fails; there is nothing left to lose then.
    pub(crate) fn let_go(&mut self, after: Medium) {
        self.figures = self.figures();
        let before = std::mem::replace(&mut self.medium, after);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(before)));
    }

    /// Checks the room, seals what is long enough, and appends rows with their minutes. Returns the number of the first.
    fn append(&mut self, kind: Kind, rows: Vec<(u64, Vec<u8>)>) -> Result<u64, StoreError> {
        self.make_room(rows.iter().map(|(_, value)| value.len()).sum())?;
        self.seal_if_full(kind)?;
        let (first, octets) = self.act(|attached| {
            let journal = attached.journal_mut(kind);
            let first = journal.next();
            Ok((first, journal.append(rows)?))
        })?;
        self.wrote(octets);
        Ok(first)
    }

    fn make_room(&self, octets: usize) -> Result<(), StoreError> {
        self.attached()?;
        room_for(&self.path, octets)
    }

    /// A block that cannot be written leaves its rows in the journal, and the medium in use.
    fn seal_if_full(&mut self, kind: Kind) -> Result<(), StoreError> {
        if !self.attached()?.journal(kind).is_full() {
            return Ok(());
        }
        self.seal(|attached| attached.journal_mut(kind).seal())
    }

    /// Writes a block; where it cannot be written the medium stays in use.
    fn seal(&mut self, write: impl FnOnce(&mut Attached) -> Result<u64, Trouble>) -> Result<(), StoreError> {
        let octets = self.act(|attached| match write(attached) {
            Err(Trouble::Disk(source)) => Ok(Err(source)),
            done => done.map(Ok),
        })?;
        let octets = octets.map_err(|source| self.disk(source))?;
        self.wrote(octets);
        Ok(())
    }

    /// Puts and removes rows of hosts, a part of them where the medium fails in between.
    pub(crate) fn write_hosts(&mut self, put: &[HostRecord], gone: &[HostKey]) -> Result<(), StoreError> {
        if put.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = put.iter().map(|r| (host_key(r.host), encode(r))).collect();
        let octets = rows.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        if octets > 0 {
            self.make_room(octets)?;
        }
        let gone = gone.iter().map(|&host| (host_key(host), None));
        let rows: Vec<_> = gone.chain(rows.into_iter().map(|(key, value)| (key, Some(value)))).collect();
        for some in rows.chunks(ROWS) {
            self.act(|attached| {
                let mut batch = Batch::default();
                for (key, value) in some {
                    match value {
                        Some(value) => batch.insert(&key[..], &value[..]),
                        None => batch.remove(&key[..]),
                    }
                }
                Ok(attached.host_rows.apply_batch(batch)?)
            })?;
            self.wrote((some.len() * octets / rows.len()) as u64);
        }
        self.hosts.written(put);
        Ok(())
    }

    pub(crate) fn write_block(&mut self, block: &Block) -> Result<(), StoreError> {
        let value = encode(block);
        let octets = value.len();
        self.make_room(octets)?;
        self.act(|attached| Ok(attached.block_rows.insert(host_key(block.host), value)?))?;
        self.wrote(octets as u64);
        Ok(())
    }

    /// Puts one row of feedback and removes others, all or none.
    pub(crate) fn write_feedback(&mut self, put: &Feedback, gone: Option<u64>) -> Result<(), StoreError> {
        let value = encode(put);
        let octets = value.len();
        self.make_room(octets)?;
        self.act(|attached| {
            let mut batch = Batch::default();
            batch.insert(&put.event.id.to_be_bytes(), value);
            gone.iter().for_each(|event| batch.remove(&event.to_be_bytes()));
            Ok(attached.feedback_rows.apply_batch(batch)?)
        })?;
        self.wrote(octets as u64);
        Ok(())
    }

    /// Puts and removes rows of devices, a part of them where the medium fails in between.
    pub(crate) fn write_devices(&mut self, put: &[DeviceRecord], gone: &[DeviceId]) -> Result<(), StoreError> {
        let key = |id: DeviceId| id.number().to_be_bytes();
        let rows = put.iter().map(|device| (key(device.id), Some(encode(device))));
        let rows: Vec<_> = gone.iter().map(|id| (key(*id), None)).chain(rows).collect();
        for some in rows.chunks(ROWS) {
            let octets = some.iter().filter_map(|(_, value)| value.as_ref().map(Vec::len)).sum();
            if octets > 0 {
                self.make_room(octets)?;
            }
            self.act(|attached| {
                let mut batch = Batch::default();
                for (key, value) in some {
                    match value {
                        Some(value) => batch.insert(key, &value[..]),
                        None => batch.remove(key),
                    }
                }
                Ok(attached.device_rows.apply_batch(batch)?)
            })?;
            self.wrote(octets as u64);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.act(|attached| {
            attached.db.flush()?;
            // sled's flush hands over to the kernel only
            attached.file.sync_all().map_err(Trouble::Disk)
        })?;
        (self.dirty, self.under_way) = (false, 0);
        Ok(())
    }

    fn wrote(&mut self, octets: u64) {
        self.figures.octets_written += octets;
        self.under_way += octets;
        self.dirty = true;
    }

    pub(crate) fn disk(&self, source: io::Error) -> StoreError {
        StoreError::Disk { path: self.path.clone(), source }
    }

    /// The error of a read; the next `tick` looks at the medium as a whole.
    fn misread(&self, trouble: Trouble) -> StoreError {
        self.doubtful.set(true);
        self.error(trouble)
    }

    fn error(&self, trouble: Trouble) -> StoreError {
        match trouble {
            Trouble::Disk(source) => self.disk(source),
            Trouble::Damaged(what) => StoreError::Damaged { path: self.path.clone(), what },
        }
    }
}

impl Store for SledStore {
    fn append_event(&mut self, event: Event) -> Result<u64, StoreError> {
        let id = self.attached()?.events.next();
        let event = Event { id, ..event.bounded() };
        self.append(Kind::Events, vec![(event.at.minute(), encode(&event))])?;
        self.next_event = id + 1;
        Ok(id)
    }

    fn set_event_state(&mut self, id: u64, state: BlockState) -> Result<bool, StoreError> {
        let Some(event) = self.event(id)? else {
            return Ok(false);
        };
        if event.state == state {
            return Ok(true);
        }
        let (value, note) = (encode(&Event { state, ..event }), encode(&state));
        self.make_room(value.len())?;
        let octets = (value.len() + note.len()) as u64;
        self.act(|attached| {
            if !attached.events.replace(id, value)? {
                attached.events.note(id, note)?;
            }
            Ok(())
        })?;
        self.wrote(octets);
        Ok(true)
    }

    fn events(&self, limit: usize, before: Option<u64>) -> Result<Vec<Event>, StoreError> {
        let (journal, limit) = (&self.attached()?.events, limit.min(EVENTS_AT_MOST));
        let mut events = Vec::new();
        if limit > 0 {
            let walked = journal.walk_back(before.unwrap_or(u64::MAX), &mut |row| {
                events.push(event_of(journal, row)?);
                Ok(events.len() < limit)
            });
            walked.map_err(|trouble| self.misread(trouble))?;
        }
        events.reverse();
        Ok(events)
    }

    fn find_events(&self, query: &EventQuery, limit: usize, before: Option<u64>) -> Result<FoundEvents, StoreError> {
        let (journal, limit) = (&self.attached()?.events, limit.min(EVENTS_AT_MOST));
        let mut found = FoundEvents::default();
        if limit == 0 {
            return Ok(found);
        }
        let since = query.since.map_or(0, Timestamp::minute);
        let meant = |block: &BlockIndex, digest: Option<&Digest>| {
            block.until >= since && digest.is_none_or(|digest| query.may_be_in(digest))
        };
        let search = Search { meant: &meant, blocks: SEARCHED };
        let searched = journal.search_back(before.unwrap_or(u64::MAX), search, &mut |row| {
            found.looked_at += 1;
            let mut head = decode_head(&row.value)?;
            if query.state.is_some()
                && let Some(note) = journal.noted(head.id)?
            {
                head.state = decode(&note)?;
            }
            if query.wants(&head) {
                found.events.push(event_of(journal, row)?);
            }
            Ok(found.events.len() < limit)
        });
        found.next = searched.map_err(|trouble| self.misread(trouble))?;
        found.events.reverse();
        Ok(found)
    }

    fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        let (journal, limit) = (&self.attached()?.events, limit.min(EVENTS_AT_MOST));
        let mut events = Vec::new();
        if limit > 0 {
            let walked = journal.walk_on(after, &mut |row| {
                events.push(event_of(journal, row)?);
                Ok(events.len() < limit)
            });
            walked.map_err(|trouble| self.misread(trouble))?;
        }
        Ok(events)
    }

    fn event(&self, id: u64) -> Result<Option<Event>, StoreError> {
        let journal = &self.attached()?.events;
        let row = journal.row(id).map_err(|trouble| self.misread(trouble))?;
        row.map(|row| event_of(journal, &row)).transpose().map_err(|trouble| self.misread(trouble))
    }

    fn put_block(&mut self, block: &Block) -> Result<(), StoreError> {
        if self.blocks.get(&block.host) != Some(block) {
            self.write_block(block)?;
            self.blocks.insert(block.host, block.clone());
        }
        Ok(())
    }

    fn remove_block(&mut self, host: HostKey) -> Result<bool, StoreError> {
        if !self.blocks.contains_key(&host) {
            return self.attached().map(|_| false);
        }
        self.act(|attached| Ok(attached.block_rows.remove(host_key(host))?))?;
        self.dirty = true;
        Ok(self.blocks.remove(&host).is_some())
    }

    fn blocks(&self) -> Vec<Block> {
        self.blocks.values().cloned().collect()
    }

    fn put_feedback(&mut self, feedback: Feedback) -> Result<(), StoreError> {
        let feedback = feedback.bounded();
        let before = self.feedback.insert(feedback.event.id, feedback.clone());
        let gone = superfluous(&self.feedback);
        let done = self.write_feedback(&feedback, gone);
        match (&done, before) {
            (Ok(()), _) => drop(gone.map(|event| self.feedback.remove(&event))),
            (Err(_), Some(before)) => drop(self.feedback.insert(before.event.id, before)),
            (Err(_), None) => drop(self.feedback.remove(&feedback.event.id)),
        }
        done
    }

    fn remove_feedback(&mut self, event: u64) -> Result<bool, StoreError> {
        if !self.feedback.contains_key(&event) {
            return self.attached().map(|_| false);
        }
        self.act(|attached| Ok(attached.feedback_rows.remove(event.to_be_bytes())?))?;
        self.dirty = true;
        Ok(self.feedback.remove(&event).is_some())
    }

    fn feedback(&self) -> Vec<Feedback> {
        self.feedback.values().cloned().collect()
    }

    fn put_devices(&mut self, changed: &[DeviceRecord], gone: &[DeviceId]) -> Result<(), StoreError> {
        self.attached()?;
        self.write_devices(changed, gone)?;
        gone.iter().for_each(|id| drop(self.devices.remove(id)));
        self.devices.extend(changed.iter().map(|device| (device.id, device.clone())));
        Ok(())
    }

    fn devices(&self) -> Vec<DeviceRecord> {
        self.devices.values().cloned().collect()
    }

    fn append_minutes(&mut self, minutes: &[Minute]) -> Result<(), StoreError> {
        let mut sorted = minutes.to_vec();
        sorted.sort_by_key(|m| m.minute);
        let slabs = sorted.chunk_by(|a, b| a.minute == b.minute).flat_map(|same| same.chunks(SLAB));
        let rows = slabs.map(|slab| (slab[0].minute, encode(&Slab(slab.to_vec())))).collect();
        self.append(Kind::Minutes, rows).map(drop)
    }

    fn minutes(&self, host: HostKey, range: Range<u64>) -> Result<Vec<Minute>, StoreError> {
        let mut minutes = Vec::new();
        let read = self.attached()?.minutes.each_in(&range, &mut |row| {
            let slab: Slab = decode(&row.value)?;
            minutes.extend(slab.0.into_iter().filter(|m| m.host == host));
            Ok(())
        });
        read.map_err(|trouble| self.misread(trouble))?;
        minutes.sort_by_key(|m| m.minute);
        Ok(minutes)
    }

    fn put_hosts(&mut self, hosts: &[HostRecord]) -> Result<(), StoreError> {
        self.attached()?;
        let before = self.hosts.clone();
        hosts.iter().for_each(|&host| self.hosts.put(host));
        let gone = self.hosts.shrink();
        let due = self.hosts.due();
        let done = self.write_hosts(&due, &gone);
        if done.is_err() {
            self.hosts = before;
        }
        done
    }

    fn hosts(&self) -> Vec<HostRecord> {
        self.hosts.all()
    }

    fn append_counters(&mut self, counters: &Counters) -> Result<(), StoreError> {
        self.append(Kind::Counters, vec![(counters.minute, encode(counters))]).map(drop)
    }

    fn counters(&self, range: Range<u64>) -> Result<Vec<Counters>, StoreError> {
        let mut counters = Vec::new();
        let read = self.attached()?.counters.each_in(&range, &mut |row| {
            counters.push(decode::<Counters>(&row.value)?);
            Ok(())
        });
        read.map_err(|trouble| self.misread(trouble))?;
        counters.sort_by_key(|c| c.minute);
        Ok(counters)
    }

    fn append_flows(&mut self, flows: &[Flow]) -> Result<(), StoreError> {
        let rows = lots(flows).map(|lot| (lot[0].first.minute(), encode(&FlowSlab(lot.to_vec())))).collect::<Vec<_>>();
        self.make_room(rows.iter().map(|(_, value)| value.len()).sum())?;
        self.seal(|attached| attached.flows.append_sealed(rows))
    }

    fn next_flows(&self) -> Result<u64, StoreError> {
        Ok(self.attached()?.flows.next())
    }

    fn flows(&self, before: Option<u64>, at_least: usize) -> Result<Vec<(u64, Vec<Flow>)>, StoreError> {
        let (mut found, mut count) = (Vec::new(), 0);
        let walked = self.attached()?.flows.walk_back(before.unwrap_or(u64::MAX), &mut |row| {
            let FlowSlab(lot) = decode(&row.value)?;
            count += lot.len();
            found.push((row.seq, lot));
            Ok(count < at_least)
        });
        walked.map_err(|trouble| self.misread(trouble))?;
        Ok(found)
    }

    fn tick(&mut self) -> Result<Option<String>, StoreError> {
        if self.doubtful.take() && matches!(self.medium, Medium::Open(_)) {
            self.let_go(Medium::Failed);
        }
        let told = if matches!(self.medium, Medium::Failed) { Some(self.come_back()?) } else { None };
        self.attached()?;
        if self.dirty {
            self.flush()?;
        }
        Ok(told)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        // a full disk keeps hosts from being written, not what was appended before from being brought to the medium
        let hosts = self.write_hosts(&self.hosts.unwritten(), &[]);
        self.flush().and(hosts)
    }

    fn retain(&mut self, now: Timestamp) -> Result<Retained, StoreError> {
        let by_age = self.retain_age(self.limits.cutoff(now))?;
        let (blocks, more) = self.retain_octets()?;
        self.dirty |= by_age.history + blocks > 0;
        Ok(Retained { history: by_age.history + blocks, more: by_age.more || more, ..by_age })
    }

    fn figures(&self) -> Figures {
        let now: u64 = match &self.medium {
            Medium::Open(attached) => Kind::ALL.iter().map(|&kind| attached.journal(kind).unreadable()).sum(),
            Medium::Failed | Medium::Closed => 0,
        };
        Figures { unreadable: self.figures.unreadable + now, ..self.figures }
    }

    fn close(&mut self) -> Result<(), StoreError> {
        let done = self.sync().and_then(|()| {
            let (blocks, hosts) = (self.blocks.len(), self.hosts.len());
            note_closed(&self.path, self.attached()?, blocks, hosts).map_err(|source| self.disk(source))
        });
        self.let_go(Medium::Closed);
        done
    }
}

/// Flows in lots of one minute, none too long, in the order in which they come.
pub(crate) fn lots(flows: &[Flow]) -> impl Iterator<Item = &[Flow]> {
    flows.chunk_by(|a, b| a.first.minute() == b.first.minute()).flat_map(|same| same.chunks(SLAB))
}

/// The event of a row, with the state that was noted after it was sealed.
fn event_of(journal: &Journal, row: &Row) -> Result<Event, Trouble> {
    let event: Event = decode(&row.value)?;
    match journal.noted(event.id)? {
        Some(note) => Ok(Event { state: decode(&note)?, ..event }),
        None => Ok(event),
    }
}
