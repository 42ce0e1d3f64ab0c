//! Media that are mounted.

use std::collections::BTreeSet;
use std::fs;
use std::sync::mpsc::SyncSender;
use std::thread::sleep;
use std::time::Duration;

use super::Line;

/// How often the mounts are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Tells which media are mounted from now on. Ends when nobody listens.
pub fn watch(told: &SyncSender<Line>) {
    let read = || media(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default());
    let mut before = read();
    loop {
        sleep(LOOK);
        let after = read();
        for (device, at, kind) in after.difference(&before) {
            let message = format!("{device} ({kind}) was mounted at {at}");
            if told.send(Line::act("medium", "", &format!("{device} {at}"), message)).is_err() {
                return;
            }
        }
        before = after;
    }
}

/// Device, place and kind of each mount of a block device, but for packages that snapd mounts by themselves.
///
/// **Source**: proc(5), mountinfo: the fields behind the hyphen are kind and source; blanks are written as `\040`.
fn media(mounts: &str) -> BTreeSet<(String, String, String)> {
    let read = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut words = after.split(' ');
        let (kind, device) = (words.next()?, words.next()?);
        let at = before.split(' ').nth(4)?;
        let own = kind == "squashfs" || !device.starts_with("/dev/");
        let plain = |text: &str| text.replace("\\040", " ");
        (!own).then(|| (plain(device), plain(at), kind.to_owned()))
    };
    mounts.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stick_is_a_medium_and_proc_and_snaps_are_not() {
        let mounts = "22 27 0:20 / /proc rw - proc proc rw\n\
            99 27 8:17 / /media/my\\040stick rw,nosuid shared:9 - vfat /dev/sdb1 rw\n\
            98 27 7:1 / /snap/core ro - squashfs /dev/loop1 ro\n";
        let found: Vec<_> = media(mounts).into_iter().collect();
        assert_eq!(found, [("/dev/sdb1".into(), "/media/my stick".into(), "vfat".into())]);
    }
}
