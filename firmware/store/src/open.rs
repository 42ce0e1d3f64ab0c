//! Opening a store: the lock, sled, the check of every row, and what happens to one that is damaged.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use policy::Block;
use policy::device::DeviceRecord;
use sled::{Db, Mode, Tree};
use terms::BlockState;

use crate::attached::{Attached, State, Trouble};
use crate::codec::{Record, SCHEMA, Slab, decode};
use crate::contract::Limits;
use crate::disk;
use crate::hosts::Hosts;
use crate::journal::Journal;
use crate::records::{Counters, Event, Feedback, HostRecord};
use crate::sled_store::SledStore;

/// What sled keeps in memory.
///
/// **Units**: octets; its own default is 1 GB.
const CACHE: u64 = 8 << 20;
/// How often sled brings to the medium what nobody waits for.
const FLUSH_EVERY_MS: u64 = 2_000;
/// How long sled's own lock is waited for: a closed sled lets go of it a moment later.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// An open store.
pub struct Opened {
    /// The store.
    pub store: SledStore,
    /// What had to be done so that it opens, in words; worth an event.
    pub repaired: Option<String>,
}

/// Why a store could not be opened. Damage is no reason: a damaged store is set aside and a new one begun.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store {} is in use by another process; stop that one or set another [store] path", .0.display())]
    Busy(PathBuf),
    /// The directory cannot be made, read or written.
    #[error("the store {} cannot be opened: {source}", path.display())]
    Disk {
        /// The directory of the store.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens the store in a directory; makes it if there is none.
///
/// A damaged store, or one of a layout that this version does not know, is moved to `path.damaged-<n>` and a new one is begun.
///
/// # Errors
/// `OpenError`; nothing was changed.
pub fn open(path: &Path, limits: Limits) -> Result<Opened, OpenError> {
    let (attached, state, repaired) = attach_or_begin_anew(path)?;
    Ok(Opened { store: SledStore::new(path, limits, attached, state), repaired })
}

/// Attaches to the store; sets it aside and begins a new one if it is damaged.
pub(crate) fn attach_or_begin_anew(path: &Path) -> Result<(Attached, State, Option<String>), OpenError> {
    let disk = |source| OpenError::Disk { path: path.into(), source };
    let what = match attach(path)? {
        Ok((attached, state)) => return Ok((attached, state, None)),
        Err(Trouble::Disk(source)) => return Err(disk(source)),
        Err(Trouble::Damaged(what)) => what,
    };
    let aside = disk::set_aside(path).map_err(disk)?;
    let text = format!(
        "the store {} was damaged ({what}); it was set aside as {} and a new one was begun",
        path.display(),
        aside.display()
    );
    match attach(path)? {
        Ok((attached, state)) => Ok((attached, state, Some(text))),
        Err(Trouble::Disk(source)) => Err(disk(source)),
        Err(Trouble::Damaged(what)) => Err(disk(io::Error::other(format!("a new store does not read back: {what}")))),
    }
}

/// The outer error is for good, the inner one may be mended by setting the store aside.
fn attach(path: &Path) -> Result<Result<(Attached, State), Trouble>, OpenError> {
    let disk = |source| OpenError::Disk { path: path.into(), source };
    let sealed = path.join("sealed");
    disk::make_private(path).map_err(disk)?;
    let lock = disk::lock(path).map_err(disk)?.ok_or_else(|| OpenError::Busy(path.into()))?;
    if let Err(error) = disk::make_private(&sealed).and_then(|()| disk::sync_names(path)) {
        return if error.kind() == io::ErrorKind::AlreadyExists {
            Ok(Err(Trouble::Damaged("sealed is no directory".into())))
        } else {
            Err(disk(error))
        };
    }
    // sled panics on some damage instead of saying so
    let caught = catch_unwind(AssertUnwindSafe(|| load(path, &sealed, lock)));
    Ok(caught.unwrap_or_else(|_| Err(Trouble::Damaged("sled panicked while reading it".into()))))
}

fn load(path: &Path, sealed: &Path, lock: File) -> Result<(Attached, State), Trouble> {
    let db = open_sled(&path.join("sled"))?;
    check_schema(&db, &path.join("layout"))?;
    let history = db.open_tree("history")?;
    let [events, minutes, counters] = [b'e', b'm', b'c'].map(|kind| Journal::load(kind, &history, sealed));
    let (events, minutes, counters) = (events?, minutes?, counters?);
    // Trees of their own, which a version before them does not look at.
    let events = events.with_digests(&db.open_tree("digests")?)?;
    let flows = Journal::load(b'f', &db.open_tree("flows")?, sealed)?;
    check_rows(&history)?;
    let [block_rows, host_rows, feedback_rows, device_rows] =
        ["blocks", "hosts", "feedback", "devices"].map(|name| db.open_tree(name));
    let (block_rows, host_rows, feedback_rows, device_rows) = (block_rows?, host_rows?, feedback_rows?, device_rows?);
    let mut state =
        State { blocks: BTreeMap::new(), hosts: Hosts::default(), feedback: BTreeMap::new(), devices: BTreeMap::new() };
    for item in &block_rows {
        let block: Block = decode(&item?.1)?;
        state.blocks.insert(block.host, block);
    }
    for item in &host_rows {
        state.hosts.load(decode::<HostRecord>(&item?.1)?);
    }
    for item in &feedback_rows {
        let said: Feedback = decode(&item?.1)?;
        state.feedback.insert(said.event.id, said);
    }
    for item in &device_rows {
        let device: DeviceRecord = decode(&item?.1)?;
        state.devices.insert(device.id, device);
    }
    let known: HashSet<PathBuf> = [&events, &minutes, &counters, &flows].into_iter().flat_map(Journal::files).collect();
    check_closed(path, &tally([&events, &minutes, &counters], state.blocks.len(), state.hosts.len()))?;
    remove_unknown(sealed, &known).map_err(Trouble::Disk)?;
    let file = File::open(path.join("sled").join("db")).map_err(Trouble::Disk)?;
    let attached = Attached {
        events,
        minutes,
        counters,
        flows,
        block_rows,
        host_rows,
        feedback_rows,
        device_rows,
        db,
        file,
        _lock: lock,
    };
    Ok((attached, state))
}

fn open_sled(path: &Path) -> Result<Db, Trouble> {
    let config =
        sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(Some(FLUSH_EVERY_MS)).mode(Mode::LowSpace);
    for _ in 0..LOCK_TRIES {
        match config.open() {
            // the directory is ours, so this can only be a sled of this process that is going away
            Err(sled::Error::Io(e)) if e.to_string().contains("could not acquire lock") => thread::sleep(LOCK_PAUSE),
            done => return Ok(done?),
        }
    }
    Err(Trouble::Disk(io::Error::other("an earlier sled of this process still holds its file")))
}

/// sled takes a file without one good segment for a new one; the file `layout` tells a store that lost everything from a new one.
fn check_schema(db: &Db, layout: &Path) -> Result<(), Trouble> {
    let meta = db.open_tree("meta")?;
    match meta.get("schema")? {
        Some(number) if *number == SCHEMA.to_be_bytes() => {}
        Some(number) => return Err(Trouble::Damaged(format!("this version does not know its layout, {number:?}"))),
        None if layout.exists() => return Err(Trouble::Damaged("all of its rows are lost".into())),
        None => drop(meta.insert("schema", &SCHEMA.to_be_bytes())?),
    }
    if !layout.exists() {
        db.flush()?;
        fs::write(layout, format!("{SCHEMA}\n")).map_err(Trouble::Disk)?;
    }
    Ok(())
}

/// Reads every open row, so that damage shows now and not in the middle of the night.
fn check_rows(history: &Tree) -> Result<(), Trouble> {
    fn check<T: Record>(value: &[u8]) -> Result<(), Trouble> {
        decode::<T>(value).map(drop).map_err(Into::into)
    }
    for item in history {
        let (key, value) = item?;
        match key.get(..2) {
            Some([b'e', 1]) => check::<Event>(&value)?,
            Some([b'm', 1]) => check::<Slab>(&value)?,
            Some([b'c', 1]) => check::<Counters>(&value)?,
            Some([b'e', 3]) => check::<BlockState>(&value)?,
            // counters and indexes were read when the journals were loaded
            Some([b'e' | b'm' | b'c', 0 | 2]) => {}
            _ => return Err(Trouble::Damaged("a row of no known kind".into())),
        }
    }
    Ok(())
}

/// What a store that was closed must still have when it is opened: sled does not notice when the end of its file is lost.
fn tally(history: [&Journal; 3], blocks: usize, hosts: usize) -> String {
    format!("next rows {:?}, {blocks} blocks, {hosts} hosts\n", history.map(Journal::next))
}

/// Compares what was loaded with what there was when the store was closed, if it was.
fn check_closed(path: &Path, tally: &str) -> Result<(), Trouble> {
    let closed = path.join("closed");
    match fs::read(&closed) {
        Ok(expected) if expected == tally.as_bytes() => {
            // a store that is killed from now on does not have this any more
            fs::remove_file(&closed).and_then(|()| disk::sync_names(path)).map_err(Trouble::Disk)
        }
        Ok(_) => Err(Trouble::Damaged("rows are lost".into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Trouble::Disk(error)),
    }
}

/// Notes what there is, once everything is on the medium.
pub(crate) fn note_closed(path: &Path, attached: &Attached, blocks: usize, hosts: usize) -> io::Result<()> {
    fs::write(path.join("closed"), tally([&attached.events, &attached.minutes, &attached.counters], blocks, hosts))
}

/// A block without an index is one whose sealing was cut short: its rows are still in the journal.
fn remove_unknown(sealed: &Path, known: &HashSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(sealed)? {
        let path = entry?.path();
        if !known.contains(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
