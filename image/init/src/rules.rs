//! The last good ruleset, in force before the bridge and while the gateway does not run; and the closed one, where its owner chose that.
//!
//! The gateway keeps the file; what is read of it here is checked wholly first. A box without one forwards as a plain bridge until
//! its gateway runs.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use enforce::{Enforcer, Kept, LONGEST_KEPT};
use terms::{Failure, Timestamp};

use crate::console::say;

/// Where the gateway keeps it, and the variable in which it is told so; `firmware/picket` knows the same.
pub const FILE: &str = "/var/lib/picket/ruleset";
pub const WHERE: &str = "PICKET_RULESET";

/// Puts in force what the file holds, and says what came of it.
pub fn restore(file: &Path) {
    let kept = match read(file) {
        Ok(Some(kept)) => kept,
        Ok(None) => return say("no ruleset is kept: everything passes until picket runs"),
        Err(why) => {
            return say(format_args!("the kept ruleset can't be used: {why}; everything passes until picket runs"));
        }
    };
    if kept.failure == Failure::Closed {
        match enforce::close() {
            Ok(()) => say("closed, as its owner chose: nothing passes until picket runs"),
            Err(error) => say(format_args!("not closed, though its owner chose that: {error}")),
        }
    }
    let blocks = kept.blocks_left(now());
    let done = Enforcer::open().and_then(|mut kernel| kernel.rebuild(&kept.ruleset, &blocks, now().max(kept.at)));
    let policy = if kept.ruleset.plan.is_some() { "its policy" } else { "no policy" };
    match done {
        Ok(()) => say(format_args!("the last ruleset stands: {policy}, {} blocks", blocks.len())),
        Err(error) => {
            say(format_args!("the last ruleset does not stand: {error}; everything passes until picket runs"))
        }
    }
}

/// Lets nothing pass any more, if that is what the file says of a gateway that is gone; whether it was done.
///
/// # Errors
/// Why it is not closed though it is to be.
pub fn close_if_chosen(file: &Path) -> Result<bool, String> {
    // A box that never kept one, or whose file is lost, was never told to close.
    let closed = read(file).ok().flatten().is_some_and(|kept| kept.failure == Failure::Closed);
    if closed {
        enforce::close().map_err(|error| error.to_string())?;
    }
    Ok(closed)
}

/// What the file holds; nothing where there is none.
fn read(file: &Path) -> Result<Option<Kept>, String> {
    let mut octets = Vec::new();
    let read = File::open(file).and_then(|file| file.take(LONGEST_KEPT as u64 + 1).read_to_end(&mut octets));
    match read {
        Ok(_) => Kept::read(&octets).map(Some).map_err(|error| error.to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_kept_ruleset_is_said_and_closes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ruleset");
        assert_eq!(read(&file), Ok(None));
        for damaged in [&b""[..], b"PICKETRS", &[0xff; 5_000]] {
            std::fs::write(&file, damaged).expect("written");
            assert!(read(&file).is_err());
            assert_eq!(close_if_chosen(&file), Ok(false));
        }
    }
}
