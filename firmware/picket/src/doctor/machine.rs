//! Probes of the machine itself: kernel, rights, memory lock, clock.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Row;

/// The oldest kernel on which all that the gateway needs was tried.
const KERNEL_LEAST: (u32, u32) = (5, 15);
/// From this kernel on an element's timeout can be refreshed in place.
const KERNEL_REFRESH: (u32, u32) = (6, 12);
/// From this kernel on the bridge's own table of addresses can be bounded.
const KERNEL_FDB_BOUND: (u32, u32) = (6, 7);
/// The capabilities that are needed, by their bit: NET_ADMIN, NET_RAW.
const CAPABILITIES: [(&str, u32); 2] = [("CAP_NET_ADMIN", 12), ("CAP_NET_RAW", 13)];
/// 2025-01-01: a clock before this was never set.
const CLOCK_LEAST: u64 = 1_735_689_600;

/// Every probe of the machine.
pub fn rows() -> Vec<Row> {
    let release = read("/proc/sys/kernel/osrelease");
    let mut rows = kernel(&release);
    rows.push(rights(&read("/proc/self/status")));
    rows.push(lock(&read("/proc/self/limits"), &read("/proc/swaps")));
    rows.push(clock(&read("/sys/devices/system/clocksource/clocksource0/current_clocksource")));
    rows.push(delay(&release));
    rows.push(sandbox(admin::has_landlock(), &read("/proc/self/status")));
    rows
}

/// What this kernel can hold the API process with.
fn sandbox(landlock: bool, status: &str) -> Row {
    let seccomp = status.lines().any(|line| line.starts_with("Seccomp:"));
    match (landlock, seccomp) {
        (true, true) => Row::good("API process", "a user of its own, no capabilities, seccomp, Landlock"),
        (false, true) => {
            Row::instead("API process", "no Landlock", "its files are guarded by its user and by seccomp alone")
        }
        (_, false) => Row::instead("API process", "no seccomp", "the API does not start on this kernel"),
    }
}

/// The kernel's age, and what follows from it.
fn kernel(release: &str) -> Vec<Row> {
    let Some(version) = version(release) else {
        return vec![Row::instead(
            "kernel",
            format!("of unknown age ({release:?})"),
            "every feature is probed before use",
        )];
    };
    let age = if version >= KERNEL_LEAST {
        Row::good("kernel", release)
    } else {
        Row::instead(
            "kernel",
            release,
            format!(
                "older than {}.{}, never tried; every feature is probed before use",
                KERNEL_LEAST.0, KERNEL_LEAST.1
            ),
        )
    };
    let refresh = if version >= KERNEL_REFRESH {
        Row::good("nftables: refresh a block's time", "in place")
    } else {
        Row::instead(
            "nftables: refresh a block's time",
            "not in this kernel",
            "the block is taken out and put in again in one transaction",
        )
    };
    vec![age, refresh]
}

/// Whether the kernel can bound what its bridge learns.
pub(super) fn knows_fdb_bound() -> bool {
    version(&read("/proc/sys/kernel/osrelease")).is_some_and(|version| version >= KERNEL_FDB_BOUND)
}

/// The capabilities that this process would need and does not have.
pub fn lacking_rights() -> Vec<&'static str> {
    lacking(&read("/proc/self/status"))
}

fn lacking(status: &str) -> Vec<&'static str> {
    let field = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default().trim();
    let effective = u64::from_str_radix(field, 16).unwrap_or(0);
    CAPABILITIES.iter().filter(|(_, bit)| effective >> bit & 1 == 0).map(|(name, _)| *name).collect()
}

/// The rights of this process.
fn rights(status: &str) -> Row {
    let field = |name| status.lines().find_map(|line: &str| line.strip_prefix(name)).unwrap_or_default().trim();
    let root = field("Uid:").split_whitespace().nth(1) == Some("0");
    let lacking = lacking(status);
    match (root, lacking.is_empty()) {
        (true, true) => Row::good("rights", "root"),
        (false, true) => Row::instead(
            "rights",
            "not root, with the capabilities that are needed",
            "only this user can ask the gateway",
        ),
        (_, false) => Row::missing("rights", format!("without {}", lacking.join(" and ")), "run it as root"),
    }
}

/// Whether what the gateway keeps stays in memory.
///
/// The rings lie in the kernel's own memory, which never leaves it; the gateway locks nothing besides, so that swap is what counts.
fn lock(limits: &str, swaps: &str) -> Row {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory")).unwrap_or_default();
    let allowed = match line.split_whitespace().next().map(|limit| (limit, limit.parse::<u64>())) {
        Some((_, Ok(octets))) => format!("{} KiB allowed", octets >> 10),
        Some(("unlimited", _)) => "unlimited".to_owned(),
        _ => "of unknown size".to_owned(),
    };
    // The first line is a heading.
    if swaps.lines().nth(1).is_none() {
        return Row::good("memory lock", format!("{allowed}; nothing to lock: there is no swap"));
    }
    let instead =
        "the rings stay in the kernel's memory; tables may be swapped out, which costs delay: switch swap off";
    Row::instead("memory lock", format!("{allowed}; swap is on"), instead)
}

/// The clock: its source, and whether it was ever set.
fn clock(source: &str) -> Row {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let source = if source.is_empty() { "of unknown source" } else { source };
    if now >= CLOCK_LEAST {
        Row::good("clock", source)
    } else {
        Row::instead(
            "clock",
            format!("{source}, never set"),
            "blocks last as long as they should; the times of events are wrong until it is set",
        )
    }
}

/// The delay from a frame's time stamp to the reader that is to be expected of the packet ring.
///
/// **Source**: measured at 2,000 frames a second, median and 99th of 100: 0.01 and 0.03 ms on 6.18, 0.8 and 4.8 ms on an
/// emulated 6.12.
fn delay(release: &str) -> Row {
    let tick = if version(release).is_some_and(|version| version >= (6, 18)) {
        "0.01 ms, 99 of 100 within 0.03 ms"
    } else {
        "under 1 ms, 99 of 100 within 5 ms"
    };
    Row::good("ring: delay to expect", format!("{tick} (small frames, each handed over at once)"))
}

/// Major and minor number of a release such as `6.12.9-arm64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// A small file of the kernel's; empty if it is not there.
pub(super) fn read(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn a_kernel_too_old_for_something_says_what_is_done_instead() {
        let health = |release: &str| kernel(release).iter().map(|row| row.health).collect::<Vec<_>>();
        assert_eq!(health("6.12.9+deb13-arm64"), [Health::Good; 2]);
        assert_eq!(health("6.1.0-18-amd64"), [Health::Good, Health::Instead]);
        assert_eq!(health("4.19.0"), [Health::Instead; 2]);
        assert_eq!(health("").len(), 1);
        assert!(kernel("4.19.0").iter().all(|row| !row.instead.is_empty()));
    }

    #[test]
    fn rights_are_those_in_effect() {
        let status = |uid: &str, capabilities: &str| {
            rights(&format!("Name:\tx\nUid:\t{uid}\t{uid}\t0\t0\nCapEff:\t{capabilities}\n")).health
        };
        assert_eq!(status("0", "000001ffffffffff"), Health::Good);
        assert_eq!(status("0", "0000000000000000"), Health::Missing);
        assert_eq!(status("1000", "0000000000003000"), Health::Instead);
        assert_eq!(rights("").health, Health::Missing);
    }

    #[test]
    fn memory_that_may_be_swapped_out_is_told() {
        let limits =
            "Max file size  unlimited\nMax locked memory         8388608              8388608              bytes\n";
        let heading = "Filename\tType\tSize\tUsed\tPriority";
        let row = lock(limits, heading);
        assert!(row.health == Health::Good && row.found.starts_with("8192 KiB allowed"), "{row:?}");
        let row = lock(limits, &format!("{heading}\n/dev/sda2 partition 1 0 -2"));
        assert!(row.health == Health::Instead && row.instead.contains("swap"), "{row:?}");
        assert!(lock("Max locked memory  unlimited unlimited bytes", heading).found.starts_with("unlimited"));
        assert!(lock("", "").found.starts_with("of unknown size"));
    }
}
