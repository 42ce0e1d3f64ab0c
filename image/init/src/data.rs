//! The data partition: mended, or made anew, or memory in its place. The box comes up whatever is wrong with it.

use std::ffi::CStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::mount::{UnmountFlags, unmount};

use crate::console::say;
use crate::mounts;

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
                say(format_args!("the data partition can't be made ({made:?}): nothing is kept over a restart"));
                if let Err(error) = mounts::memory(FOLDER, STAND_IN) {
                    say(format_args!("and memory can't stand in for it: {error}"));
                }
                return;
            }
        }
    }
    say("the data partition is there");
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
