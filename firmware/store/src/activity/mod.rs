//! What hosts say of their users, on flash: an open log of the newest records, and sealed segments of a day at most.
//!
//! A directory of its own with one owner, beside the gateway's store and never inside sled, which would write each record several times
//! over. Records wait in memory until `tick` appends them to the open log as one compressed, checksummed frame; a full log becomes a
//! segment, sorted by subject, so that one person's day is a few blocks and not all of it.
//!
//! | file | what | written |
//! |---|---|---|
//! | `open` | frames of records, not sorted | appended and synced with each `tick` that has any |
//! | `day-<first day>-<last record>` | a segment | once, as a whole, synced before the open log is emptied |
//! | `lock` | held by the owner | never |
//!
//! **Bounds**: 4 MiB of records in the open log (before compression) and as much again that waits for the medium.

mod open_log;
mod query;
mod segment;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use intake::Activity;
use terms::Timestamp;

use crate::codec::{decode, encode};
use crate::contract::{Figures, Limits, StoreError};
use crate::disk::{lock, make_private, room_for, sync_names};
use crate::open::OpenError;
use open_log::OpenLog;
pub use query::{Query, Shot, Unfinished};
use segment::Segment;

/// The open log is sealed once its records are this long together.
///
/// **Units**: octets before compression.
const SEAL_AT: usize = 4 << 20;
/// Records that wait for the medium are no longer than this together.
const WAITING_MAX: usize = 4 << 20;
/// Microseconds of a day.
const DAY: u64 = 86_400_000_000;

/// The activity in a directory.
pub struct ActivityLog {
    path: PathBuf,
    limits: Limits,
    sealed: Vec<Arc<Segment>>,
    open: OpenLog,
    next: u64,
    figures: Figures,
    _lock: File,
}

impl ActivityLog {
    /// Opens the directory, or makes it. The text says what was lost to an unclean end, if anything was.
    ///
    /// # Errors
    /// Another process holds it, or the system refuses.
    pub fn open(path: &Path, limits: Limits) -> Result<(Self, Option<String>), OpenError> {
        let disk = |source| OpenError::Disk { path: path.into(), source };
        make_private(path).map_err(disk)?;
        let lock = lock(path).map_err(disk)?.ok_or_else(|| OpenError::Busy(path.into()))?;
        let mut sealed = Vec::new();
        let (mut repaired, mut last) = (None, 0);
        for entry in fs::read_dir(path).map_err(disk)? {
            let file = entry.map_err(disk)?.path();
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(".draft") {
                fs::remove_file(&file).map_err(disk)?;
            } else if let Some((_, number)) = name.strip_prefix("day-").and_then(|name| name.split_once('-')) {
                // Numbers of a segment that is set aside are not given away again.
                last = last.max(number.split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0));
                if number.contains('.') {
                    continue;
                }
                match Segment::load(&file) {
                    Ok(segment) => sealed.push(Arc::new(segment)),
                    Err(error) => {
                        // It stays where it is for whoever wants to look, under a name that is not read again.
                        let aside = file.with_extension("damaged");
                        fs::rename(&file, &aside).map_err(disk)?;
                        repaired = Some(format!("{} cannot be read ({error}) and is set aside", file.display()));
                    }
                }
            }
        }
        sealed.sort_by_key(|segment| segment.last());
        let (open, torn) = OpenLog::load(&path.join("open"), last).map_err(disk)?;
        if torn > 0 {
            repaired =
                Some(format!("{torn} octets at the end of {} were torn and are gone", path.join("open").display()));
        }
        let next = open.last().max(last) + 1;
        let mut log = Self { path: path.into(), limits, sealed, open, next, figures: Figures::default(), _lock: lock };
        log.measure();
        Ok((log, repaired))
    }

    /// Takes a record within its bounds, and gives it its number; it is on the medium after the next `tick` without an error.
    ///
    /// # Errors
    /// The medium takes nothing, and too much waits for it or its day is over; the record is not kept.
    pub fn append(&mut self, mut activity: Activity) -> Result<u64, StoreError> {
        if self.open.waiting() >= WAITING_MAX {
            room_for(&self.path, WAITING_MAX)?;
            let source = io::Error::other("too much waits for it");
            return Err(StoreError::Disk { path: self.path.clone(), source });
        }
        let day = activity.at.micros() / DAY;
        if self.open.day().is_some_and(|open| open < day) {
            self.tick(activity.at)?;
        }
        activity.id = self.next;
        self.open.push(activity.id, day, &encode(&activity));
        self.next += 1;
        Ok(activity.id)
    }

    /// Brings to the medium what was appended, and seals what is long enough or of a day that is over; due each second.
    ///
    /// # Errors
    /// `StoreError`; what waits goes on waiting.
    pub fn tick(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.open.waiting() > 0 {
            room_for(&self.path, self.open.waiting())?;
            self.figures.octets_written += self.open.write().map_err(|source| self.disk(source))?;
        }
        let over = self.open.day().is_some_and(|day| day < now.micros() / DAY);
        if over || self.open.octets().len() >= SEAL_AT {
            self.seal()?;
        }
        Ok(())
    }

    /// Lets go of what is beyond the limits: whole segments, the oldest first. Returns how many.
    ///
    /// # Errors
    /// `StoreError`.
    pub fn retain(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let (cutoff, mut gone) = (self.limits.cutoff(now), 0);
        while let Some(oldest) = self.sealed.first() {
            if oldest.until() >= cutoff && self.figures.octets_held <= self.limits.max_octets {
                break;
            }
            match fs::remove_file(oldest.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.disk(error)),
                _ => {}
            }
            self.sealed.remove(0);
            gone += 1;
            self.measure();
        }
        Ok(gone)
    }

    /// What there is now, for questions that are answered while this goes on.
    #[must_use]
    pub fn shot(&self) -> Shot {
        Shot::new(self.sealed.clone(), self.open.octets().to_vec())
    }

    /// What was written and is held.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// The number that the next record gets.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        let (Some(day), last) = (self.open.day(), self.open.last()) else { return Ok(()) };
        let path = self.path.join(format!("day-{day:06}-{last:020}"));
        let written = Segment::write(&path, self.open.octets()).map_err(|source| self.disk(source))?;
        sync_names(&self.path).map_err(|source| self.disk(source))?;
        self.figures.octets_written += written.octets();
        self.sealed.push(Arc::new(written));
        self.open.clear().map_err(|source| self.disk(source))?;
        self.measure();
        Ok(())
    }

    fn measure(&mut self) {
        let sealed: u64 = self.sealed.iter().map(|segment| segment.octets()).sum();
        self.figures.octets_held = sealed + self.open.file_len();
    }

    fn disk(&self, source: io::Error) -> StoreError {
        StoreError::Disk { path: self.path.clone(), source }
    }
}

/// One record of a row.
fn record(value: &[u8]) -> Option<Activity> {
    decode(value).ok()
}

#[cfg(test)]
mod tests;
