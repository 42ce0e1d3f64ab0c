//! How the box ends: its file systems at rest, then the kernel starts it anew.

use rustix::fs::sync;
use rustix::mount::{MountFlags, mount_remount};
use rustix::system::{RebootCommand, reboot};

use crate::console::say;
use crate::{clock, data};

/// Starts the box anew.
pub fn restart(why: &str) -> ! {
    say(format_args!("the box restarts: {why}"));
    rest();
    let _ = reboot(RebootCommand::Restart);
    panic!("the kernel does not restart the box");
}

/// Switches the box off: nothing crosses it until somebody switches it on again.
pub fn switch_off(why: &str) -> ! {
    say(format_args!("the box is switched off: {why}"));
    rest();
    let _ = reboot(RebootCommand::PowerOff);
    panic!("the kernel does not switch the box off");
}

/// Leaves nothing unwritten.
fn rest() {
    clock::keep_now();
    sync();
    // A partition that is not mounted is at rest already.
    let _ = mount_remount(data::FOLDER, MountFlags::RDONLY, c"");
}
