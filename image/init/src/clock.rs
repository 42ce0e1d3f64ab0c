//! The clock of a box without one: it begins where the last run, or the build of the image, ended, and never runs backwards over a
//! restart. [`crate::network`] sets it right later.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, Timespec, clock_settime};

use crate::console::say;
use crate::data::FOLDER;

/// The file of the last known time: seconds since 1970 as text.
const FILE: &str = "clock";
/// 2026-01-01: no box of this version ran before.
pub const EARLIEST: u64 = 1_767_225_600;
/// How often the time is kept, which bounds how far it may stand still over a pulled plug. Each is one small write to the card.
const KEEP_EVERY: Duration = Duration::from_secs(1800);

/// The clock, once it was set.
#[derive(Debug)]
pub struct Clock {
    kept: Instant,
}

impl Clock {
    /// Sets the clock, where it lies behind what is known.
    pub fn start() -> Self {
        let known = known(Path::new(FOLDER));
        if now() < known {
            let seconds = i64::try_from(known).unwrap_or(i64::MAX);
            let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
            match clock_settime(ClockId::Realtime, time) {
                Ok(()) => say("the clock goes on from the last known time"),
                Err(error) => say(format_args!("the clock can't be set: {error}")),
            }
        }
        Self { kept: Instant::now() }
    }

    /// Keeps the time, if that is due.
    pub fn look(&mut self) {
        if self.kept.elapsed() >= KEEP_EVERY {
            self.kept = Instant::now();
            keep(Path::new(FOLDER), now());
        }
    }
}

/// Keeps the time before a restart.
pub fn keep_now() {
    keep(Path::new(FOLDER), now());
}

/// The latest time that is known to have been.
fn known(folder: &Path) -> u64 {
    let kept = fs::read_to_string(folder.join(FILE)).ok().and_then(|text| text.trim().parse().ok());
    // What a damaged file says counts only within a century.
    kept.filter(|kept| *kept < EARLIEST + 100 * 365 * 86_400).unwrap_or(0).max(EARLIEST)
}

fn keep(folder: &Path, now: u64) {
    // Where the card can't be written the clock begins a little earlier next time.
    let half = folder.join("clock.half");
    let _ = fs::write(&half, format!("{now}\n")).and_then(|()| fs::rename(&half, folder.join(FILE)));
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_known_time_is_the_later_of_what_was_kept_and_what_was_built() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(known(folder.path()), EARLIEST);
        keep(folder.path(), EARLIEST + 5);
        assert_eq!(known(folder.path()), EARLIEST + 5);
        for damaged in ["", "x", "-1", "18446744073709551615", "5"] {
            fs::write(folder.path().join(FILE), damaged).expect("written");
            assert_eq!(known(folder.path()), EARLIEST, "{damaged}");
        }
    }
}
