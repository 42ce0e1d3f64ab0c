//! The API's own rows on flash: accounts, sessions, tokens, alerts, and the audit's records, in one sled tree.
//!
//! One tree, because a batch of sled is atomic within a tree: a change and its audit record are both there or neither is.
//!
//! | key | value |
//! |---|---|
//! | kind (1 octet), number (8, big-endian) | format tag (1 octet), JSON: a field that is added later has a default |
//! | `a`, number | one audit record, the line as it is exported |
//!
//! **Durability**: `commit` returns when the change is on the medium: sled's `flush` (which does not wait for the device) and then a
//! sync of its file. `jot` leaves that to the next `commit` or to `sync`.

mod kind;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::{Batch, Db, Mode, Tree};

pub use kind::{Keeping, Kind, Single};

/// What sled keeps in memory. **Units**: octets.
const CACHE: u64 = 4 << 20;
/// How often sled brings to the medium what nobody waits for.
const FLUSH_EVERY_MS: u64 = 2_000;
/// How often the folder's lock is tried: an API process that was killed lets go of it a moment later.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// The format of the values.
const FORMAT: u8 = 1;
/// The least that must stay free on the medium. **Units**: octets.
const RESERVE: u64 = 8 << 20;

/// Why rows cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// Another process owns them.
    #[error("the API's store is in use by another process")]
    Busy,
    /// There is no room.
    #[error("the disk is full; nothing was changed")]
    Full,
    /// The medium refuses.
    #[error("the API's store fails: {0}")]
    Medium(String),
    /// A row makes no sense.
    #[error("the API's store is damaged: {0}")]
    Damaged(String),
}

impl From<sled::Error> for RowsError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Corruption { .. } => Self::Damaged(error.to_string()),
            error => Self::Medium(error.to_string()),
        }
    }
}

impl From<io::Error> for RowsError {
    fn from(error: io::Error) -> Self {
        Self::Medium(error.to_string())
    }
}

/// Rows that change together.
#[derive(Default)]
pub struct Change {
    batch: Batch,
}

impl Change {
    /// Sets a row.
    pub fn put(&mut self, kind: Kind, number: u64, row: &impl Serialize) {
        let mut value = vec![FORMAT];
        // Rows are plain structs with text keys, which always serialise.
        if serde_json::to_writer(&mut value, row).is_ok() {
            self.batch.insert(&key(kind, number), value);
        }
    }

    /// Sets a row that is one of a kind.
    pub fn set(&mut self, single: Single, row: &impl Serialize) {
        self.put(Kind::Single, single as u64, row);
    }

    /// Takes a row away that is one of a kind.
    pub fn unset(&mut self, single: Single) {
        self.remove(Kind::Single, single as u64);
    }

    /// Sets an audit line.
    pub fn line(&mut self, number: u64, line: &str) {
        self.batch.insert(&key(Kind::Audit, number), line.as_bytes());
    }

    /// Takes a row away.
    pub fn remove(&mut self, kind: Kind, number: u64) {
        self.batch.remove(&key(kind, number));
    }
}

/// The open rows.
pub struct Rows {
    db: Db,
    tree: Tree,
    file: File,
    folder: File,
    writing: Mutex<()>,
}

impl Rows {
    /// Opens the rows in a folder; makes them if there are none.
    ///
    /// # Errors
    /// Another process has them, or they are damaged. Damage is never taken for an empty store: a box that lost its accounts must
    /// not be claimed anew by whoever comes first.
    pub fn open(folder: &Path) -> Result<Self, RowsError> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join("rows");
        let config = sled::Config::new()
            .path(&path)
            .cache_capacity(CACHE)
            .flush_every_ms(Some(FLUSH_EVERY_MS))
            .mode(Mode::LowSpace);
        let mut tries = 0;
        let db = loop {
            match catch_unwind(AssertUnwindSafe(|| config.open())) {
                Err(_) => return Err(RowsError::Damaged("sled panicked while reading it".into())),
                Ok(Err(sled::Error::Io(error))) if error.to_string().contains("could not acquire lock") => {
                    tries += 1;
                    if tries == LOCK_TRIES {
                        return Err(RowsError::Busy);
                    }
                    sleep(LOCK_PAUSE);
                }
                Ok(done) => break done?,
            }
        };
        let tree = db.open_tree("rows")?;
        let layout = folder.join("layout");
        if tree.is_empty() && layout.exists() {
            return Err(RowsError::Damaged("all of its rows are lost".into()));
        }
        let rows =
            Self { file: File::open(path.join("db"))?, folder: File::open(folder)?, db, tree, writing: Mutex::new(()) };
        if !layout.exists() {
            // A row of no kind first, on the medium: a cut of the power between the two would look like the loss of all rows.
            rows.tree.insert([0], &[FORMAT])?;
            rows.sync()?;
            std::fs::write(&layout, "1\n")?;
            rows.folder.sync_all()?;
        }
        Ok(rows)
    }

    /// Makes the change and brings it to the medium.
    ///
    /// # Errors
    /// Nothing was acknowledged; after a failure of the medium the change may or may not be there.
    pub fn commit(&self, change: Change) -> Result<(), RowsError> {
        self.jot(change)?;
        self.sync()
    }

    /// Whether there is room for so many octets, with what is always left free.
    ///
    /// # Errors
    /// The disk is full, or the medium fails.
    pub fn room(&self, octets: u64) -> Result<(), RowsError> {
        let stat = rustix::fs::fstatvfs(&self.folder).map_err(io::Error::from)?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free < RESERVE.saturating_add(octets) { Err(RowsError::Full) } else { Ok(()) }
    }

    /// Makes the change; it is on the medium after the next `commit` or `sync`.
    ///
    /// # Errors
    /// The disk is full, and nothing was changed; or the medium fails.
    pub fn jot(&self, change: Change) -> Result<(), RowsError> {
        self.room(0)?;
        self.tree.apply_batch(change.batch)?;
        Ok(())
    }

    /// Brings everything to the medium.
    ///
    /// # Errors
    /// The medium fails.
    pub fn sync(&self) -> Result<(), RowsError> {
        // sled's writers wait for one another in a way that can end in a standstill; one at a time cannot.
        let turn = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.db.flush()?;
        self.file.sync_all()?;
        drop(turn);
        Ok(())
    }

    /// All rows of a kind, by number.
    ///
    /// # Errors
    /// The medium fails, or a row makes no sense.
    pub fn all<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<(u64, T)>, RowsError> {
        self.tree
            .scan_prefix([kind as u8])
            .map(|item| {
                let (key, value) = item?;
                Ok((number(&key)?, read(&value)?))
            })
            .collect()
    }

    /// One row.
    ///
    /// # Errors
    /// The medium fails, or the row makes no sense.
    pub fn get<T: DeserializeOwned>(&self, kind: Kind, number: u64) -> Result<Option<T>, RowsError> {
        self.tree.get(key(kind, number))?.map(|value| read(&value)).transpose()
    }

    /// A row that is one of a kind.
    ///
    /// # Errors
    /// The medium fails, or the row makes no sense.
    pub fn single<T: DeserializeOwned>(&self, single: Single) -> Result<Option<T>, RowsError> {
        self.get(Kind::Single, single as u64)
    }

    /// Audit lines with numbers from `first` on, at most `limit`.
    ///
    /// # Errors
    /// The medium fails, or a line is no text.
    pub fn lines(&self, first: u64, limit: usize) -> Result<Vec<(u64, String)>, RowsError> {
        self.tree.range(key(Kind::Audit, first)..=key(Kind::Audit, u64::MAX)).take(limit).map(line).collect()
    }

    /// Audit lines with numbers below `before`, newest first, at most `limit`.
    ///
    /// # Errors
    /// The medium fails, or a line is no text.
    pub fn lines_before(&self, before: u64, limit: usize) -> Result<Vec<(u64, String)>, RowsError> {
        self.tree.range(key(Kind::Audit, 0)..key(Kind::Audit, before)).rev().take(limit).map(line).collect()
    }
}

fn key(kind: Kind, number: u64) -> [u8; 9] {
    let mut key = [kind as u8; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

fn number(key: &[u8]) -> Result<u64, RowsError> {
    let digits = key.get(1..).and_then(|rest| rest.try_into().ok());
    digits.map(u64::from_be_bytes).ok_or_else(|| RowsError::Damaged("a key of no known kind".into()))
}

fn line(item: sled::Result<(sled::IVec, sled::IVec)>) -> Result<(u64, String), RowsError> {
    let (key, value) = item?;
    let text = String::from_utf8(value.to_vec()).map_err(|_| RowsError::Damaged("an audit line is no text".into()))?;
    Ok((number(&key)?, text))
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, RowsError> {
    match value.split_first() {
        Some((&FORMAT, json)) => serde_json::from_slice(json).map_err(|error| RowsError::Damaged(error.to_string())),
        _ => Err(RowsError::Damaged("a row of another version".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_there_as_a_whole_after_opening_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = Rows::open(folder.path()).expect("rows");
        let mut change = Change::default();
        change.put(Kind::Account, 7, &"seven");
        change.put(Kind::Account, 300, &"three hundred");
        change.line(1, "{}");
        rows.commit(change).expect("room");
        drop(rows);
        let rows = Rows::open(folder.path()).expect("rows");
        let all: Vec<(u64, String)> = rows.all(Kind::Account).expect("rows");
        assert_eq!(all, [(7, "seven".into()), (300, "three hundred".into())]);
        assert_eq!(rows.lines(0, 9).expect("lines"), [(1, "{}".into())]);
        assert_eq!(rows.get::<String>(Kind::Account, 8).expect("rows"), None);
    }

    #[test]
    fn rows_that_are_lost_are_not_taken_for_a_new_box() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = Rows::open(folder.path()).expect("rows");
        let mut change = Change::default();
        change.put(Kind::Account, 1, &"root");
        rows.commit(change).expect("room");
        drop(rows);
        std::fs::remove_dir_all(folder.path().join("rows")).expect("gone");
        assert!(matches!(Rows::open(folder.path()), Err(RowsError::Damaged(_))));
    }
}
