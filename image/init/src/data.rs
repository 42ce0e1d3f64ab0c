//! The data partition: mended, or made anew, or memory in its place. The box comes up whatever is wrong with it.

use std::ffi::CStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::mount::{UnmountFlags, unmount};

use crate::clock::Clock;
use crate::console::say;
use crate::{mounts, rules};

/// Where it is mounted.
pub const FOLDER: &str = "/var/lib/picket";
/// How much memory stands in for it.
const STAND_IN: &CStr = c"size=64m,mode=0700";
/// e2fsck: nothing wrong, or all mended. **Source**: e2fsck(8), exit code.
const MENDED: i32 = 1;
/// A new one: what can wait is written later, since a card may be large and slow.
const MAKE: [&str; 10] = [
    "-q",
    "-F",
    "-t",
    "ext4",
    "-L",
    "picket-data",
    "-m",
    "1",
    "-E",
    "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
];
/// How much of a medium is overwritten at a time, in octets.
const PIECE: usize = 1 << 20;

/// How long the first look at the data partition may hold the bridge back, and how long it may take in all.
const GLIMPSE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(60);

/// A first look at the data partition, before it is mended: at the time and the last good ruleset that it holds.
///
/// The kernel plays the journal back, which is short; what is beyond that is left for [`up`]. A card that does not answer holds the
/// bridge back for a bounded time.
#[derive(Debug)]
pub struct Glimpse(Receiver<()>, bool);

impl Glimpse {
    /// Looks, for as long as the bridge may wait.
    pub fn take(device: PathBuf) -> Self {
        let (done, over) = sync_channel(1);
        let look = move || {
            if mounts::data_to_read(&device.to_string_lossy(), FOLDER).is_ok() {
                Clock::start();
                rules::restore(Path::new(rules::FILE));
                if let Err(error) = unmount(FOLDER, UnmountFlags::empty()) {
                    say(format_args!("the data partition stays mounted: {error}"));
                }
            }
            // Whoever gave up waiting does not hear of it.
            let _ = done.send(());
        };
        if let Err(error) = thread::Builder::new().name("glimpse".into()).spawn(look) {
            say(format_args!("no ruleset before the bridge: {error}"));
            return Self(over, true);
        }
        let is_over = over.recv_timeout(GLIMPSE).is_ok();
        if !is_over {
            say("the data partition does not answer yet: the bridge comes up without the last ruleset");
        }
        Self(over, is_over)
    }

    /// Waits for its end; whether it has come in time.
    pub fn ends(self) -> bool {
        self.1 || self.0.recv_timeout(PATIENCE).is_ok()
    }
}

/// Mounts the data partition, and says what had to be done for it.
pub fn up(device: &Path) {
    let name = device.to_string_lossy();
    let checked = tool("/sbin/e2fsck", &["-p", &name]);
    let sound = matches!(checked, Ok(code) if code <= MENDED);
    if !(sound && mount(&name)) {
        say("the data partition is new or beyond mending; it is made anew");
        let made = tool("/sbin/mke2fs", &[&MAKE[..], &[&*name]].concat());
        match made {
            Ok(0) if mount(&name) => {}
            made => {
                say(format_args!("the data partition can't be made ({made:?})"));
                return stand_in();
            }
        }
    }
    say("the data partition is there");
}

/// Has memory stand in for the data partition.
pub fn stand_in() {
    say("nothing is kept over a restart");
    if let Err(error) = mounts::memory(FOLDER, STAND_IN) {
        say(format_args!("and memory can't stand in for the data partition: {error}"));
    }
}

/// Overwrites all of it with zeros, so that nothing that it held is left on the medium, and says how far that is.
/// `alive` is called with each piece.
pub fn forget(device: &Path, mut alive: impl FnMut()) -> io::Result<()> {
    unmount(FOLDER, UnmountFlags::DETACH)?;
    let mut file = OpenOptions::new().write(true).open(device)?;
    let zeros = vec![0; PIECE];
    let mut done = 0_u64;
    // The end of the device is the end of the work.
    while let Ok(len @ 1..) = file.write(&zeros) {
        alive();
        done += len as u64;
        if done.is_multiple_of(64 * PIECE as u64) {
            // A slow card would otherwise have all of it to write at the end, without a sign of life.
            file.sync_data()?;
            say(format_args!("{} MiB forgotten", done >> 20));
        }
    }
    file.sync_all()
}

fn mount(device: &str) -> bool {
    mounts::data(device, FOLDER).inspect_err(|error| say(format_args!("the data partition: {error}"))).is_ok()
}

/// Runs a program of the slot to its end, its words thrown away: what they mean is said here.
fn tool(program: &str, words: &[&str]) -> io::Result<i32> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.status()?.code().unwrap_or(i32::MAX))
}
