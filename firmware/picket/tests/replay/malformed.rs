//! The malformed captures that broke other readers, through the program: status 0 or 2, no signal, one line for a refusal, memory
//! within the fixed tables.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::archive;
use crate::held::{PICKET, replay, skip};

/// The most memory that a replay of anything takes, KiB.
const MOST: u64 = 64 * 1024;
/// Frames that follow on standard input: more than the pipe and the reader's buffers hold.
const FOLLOWING: usize = 40_000;

#[test]
fn every_malformed_capture_ends_with_a_summary_or_one_clear_line() {
    let Some(folder) = archive::captures() else { return skip() };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let files = archive::malformed(&folder, dir.path());
    let (next, read) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    read.fetch_add(usize::from(is_read(file)), Ordering::Relaxed);
                }
            });
        }
    });
    let read = read.into_inner();
    println!("{} files, {read} read, {} refused", files.len(), files.len() - read);
    assert!(files.len() > 2_000 && read > 1_500, "only {read} of {} are read", files.len());
}

/// Whether the program reads a file; panics where it does neither that nor refuse it as it should.
fn is_read(file: &PathBuf) -> bool {
    let output = replay(file);
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let bytes = || fs::read(file).unwrap_or_default();
    match output.status.code() {
        Some(0) => {
            let last = said.lines().last().unwrap_or_default();
            let summary: Value = serde_json::from_str(last).unwrap_or_default();
            assert_eq!(summary["type"], "summary", "the last line of {:02x?}: {last}", bytes());
            true
        }
        Some(2) => {
            assert_eq!(errors.trim().lines().count(), 1, "{errors}");
            false
        }
        _ => panic!("{}: {errors}: {:02x?}", output.status, bytes()),
    }
}

#[test]
fn all_malformed_captures_in_one_run_stay_within_the_fixed_tables() {
    let Some(folder) = archive::captures() else { return skip() };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let files = archive::malformed(&folder, dir.path());
    let mut command = Command::new(PICKET);
    command.arg("replay").args(&files).args(["-", "--format", "summary"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    // Once all this is taken, everything before it was read.
    let mut input = child.stdin.take().expect("a pipe");
    input
        .write_all(&[&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0][..], &[0; 8], &[0xff, 0xff, 0, 0, 1, 0, 0, 0]].concat())
        .expect("a pipe");
    for _ in 0..FOLLOWING {
        input.write_all(&[0, 0, 0, 1, 0, 0, 0, 0, 14, 0, 0, 0, 14, 0, 0, 0]).expect("the program reads on");
        input.write_all(&[2; 14]).expect("the program reads on");
    }
    let peak = memory(child.id(), "VmHWM:");
    drop(input);
    let status = child.wait().expect("the program ends");
    assert_eq!(status.code(), Some(2), "some are refused");
    println!("{} files in one run, at most {peak} KiB", files.len());
    assert!((1_000..=MOST).contains(&peak), "{peak} KiB");
}

/// A figure of a running program's memory, KiB.
pub fn memory(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the program runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
