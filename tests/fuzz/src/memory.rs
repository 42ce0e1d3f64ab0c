//! How much memory the process has needed.

/// More than this is growth: the readers' own buffers are a few MiB, a decompressor's window is at most 16 MiB.
///
/// **Units**: MiB.
pub const MOST_MIB: u64 = 192;

/// The largest resident size since start. **Units**: MiB. Zero where the kernel does not tell.
pub fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
