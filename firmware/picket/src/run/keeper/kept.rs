//! The last good ruleset, written where the box's first process finds it at the next start.
//!
//! A policy on trial is not good yet: what it made of the kernel's table is held back until somebody confirms it.
//!
//! **Bounds**: [`A_DAY`] octets a day while only blocks come and go; a change of the rules is written within seconds.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use enforce::Kept;
use terms::Timestamp;

use super::super::api::replace;
use super::super::event::now;
use super::Book;

/// The variable in which the box's first process says where it looks; `image/init` knows the same. Without it nothing is kept.
const WHERE: &str = "PICKET_RULESET";
/// The shortest time between two writes.
const PAUSE: Duration = Duration::from_secs(5);
/// Octets a day that blocks may cost the card.
const A_DAY: u64 = 20_000_000;

/// The file, and what waits for it.
pub(super) struct Shelf {
    file: Option<PathBuf>,
    waiting: Option<Kept>,
    /// What the file holds, and its length.
    written: Option<(Kept, usize)>,
    last: Option<Instant>,
    /// What the kernel held before this was another policy's.
    since: Timestamp,
    complained: bool,
}

impl Shelf {
    pub fn open() -> Self {
        let file = std::env::var_os(WHERE).map(PathBuf::from);
        let octets = file.as_ref().and_then(|file| fs::read(file).ok());
        let written = octets.and_then(|octets| Some((Kept::read(&octets).ok()?, octets.len())));
        Self { file, waiting: None, written, last: None, since: Timestamp::EPOCH, complained: false }
    }

    /// The kernel holds this now.
    pub fn hold(&mut self, kept: Kept) {
        if self.file.is_some() && kept.at >= self.since {
            self.waiting = Some(kept);
        }
    }

    /// Another policy is in force: what was told of the kernel before does not count.
    pub fn forget(&mut self) {
        (self.waiting, self.since) = (None, now());
    }

    /// Whether what waits may be written.
    fn is_due(&self, kept: &Kept) -> bool {
        let Some(passed) = self.last.map(|last| last.elapsed()) else { return true };
        let Some((written, len)) = &self.written else { return passed >= PAUSE };
        let only_blocks = (written.failure, &written.ruleset) == (kept.failure, &kept.ruleset);
        let pause = Duration::from_secs(*len as u64 * 86_400 / A_DAY);
        passed >= if only_blocks { pause.max(PAUSE) } else { PAUSE }
    }

    fn write(&mut self) {
        let (Some(file), Some(kept)) = (&self.file, self.waiting.take()) else { return };
        if self.written.as_ref().is_some_and(|(written, _)| written.says_the_same(&kept)) {
            return;
        }
        if !self.is_due(&kept) {
            self.waiting = Some(kept);
            return;
        }
        self.last = Some(Instant::now());
        let octets = kept.write().map_err(|error| error.to_string());
        let len = octets.as_ref().map_or(0, Vec::len);
        let done = octets.and_then(|octets| replace(file, &octets).map_err(|error| error.to_string()));
        match done {
            Ok(()) => {
                tracing::info!(octets = len, blocks = kept.blocks.len(), "the ruleset is kept for the next start");
                (self.written, self.complained) = (Some((kept, len)), false);
            }
            Err(why) => {
                if !std::mem::replace(&mut self.complained, true) {
                    tracing::error!("{}: {why}; the next start begins with an older ruleset, or none", file.display());
                }
                self.waiting = Some(kept);
            }
        }
    }
}

impl Book {
    /// Each second: writes what the kernel holds, unless its policy is on trial.
    pub(super) fn keep_ruleset(&mut self) {
        if !self.policies.is_on_trial() {
            self.kept.write();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{BlockTarget, Ruleset};
    use terms::{Failure, MacAddr};

    fn kept(at: u64, blocks: u8) -> Kept {
        let target = |n| (BlockTarget::Mac(MacAddr::new([2, 0, 0, 0, 0, n])), Timestamp::from_secs(9_000));
        let ruleset = Ruleset { lan: "a".into(), uplink: "b".into(), never_block: vec![], plan: None };
        Kept {
            at: Timestamp::from_secs(at),
            failure: Failure::Open,
            ruleset,
            blocks: (0..blocks).map(target).collect(),
        }
    }

    fn shelf(file: PathBuf) -> Shelf {
        Shelf { file: Some(file), waiting: None, written: None, last: None, since: Timestamp::EPOCH, complained: false }
    }

    #[test]
    fn what_holds_is_written_once_and_blocks_wait_for_their_turn() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ruleset");
        let mut shelf = shelf(file.clone());
        let held = || Kept::read(&fs::read(&file).expect("a file")).expect("a ruleset").blocks.len();
        shelf.hold(kept(1, 1));
        shelf.write();
        assert_eq!(held(), 1);
        shelf.hold(kept(2, 1));
        shelf.write();
        assert!(shelf.waiting.is_none(), "the same again is not written");
        shelf.hold(kept(3, 2));
        shelf.write();
        assert_eq!(held(), 1, "too soon");
        shelf.last = Instant::now().checked_sub(PAUSE);
        shelf.write();
        assert_eq!(held(), 2);
        // A large one costs more of the day.
        shelf.written = shelf.written.map(|(kept, _)| (kept, 1 << 20));
        shelf.hold(kept(4, 3));
        assert!(!shelf.is_due(&kept(4, 3)));
        let closed = Kept { failure: Failure::Closed, ..kept(4, 3) };
        shelf.last = Instant::now().checked_sub(PAUSE);
        assert!(!shelf.is_due(&kept(4, 3)) && shelf.is_due(&closed), "rules come first");
    }

    #[test]
    fn what_a_policy_made_of_the_table_that_is_gone_is_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut shelf = shelf(folder.path().join("ruleset"));
        shelf.hold(kept(1, 1));
        shelf.forget();
        shelf.hold(kept(2, 1));
        shelf.write();
        assert!(!folder.path().join("ruleset").exists());
    }

    #[test]
    fn where_it_cannot_be_written_it_waits() {
        let mut shelf = shelf("/nowhere/at/all".into());
        shelf.hold(kept(1, 1));
        shelf.write();
        assert!(shelf.waiting.is_some() && shelf.complained);
    }
}
