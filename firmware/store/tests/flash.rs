//! How little is written, how much is kept, and what a full disk does.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Fixture, at, block, event, host, host_record, minute};
use store::{Limits, Minute, Store, StoreError, open};
use terms::{HostKey, Span, ThreatLevel};

/// Octets that this process gave to the medium, as the kernel counts them.
fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|l| l.strip_prefix("wchar: ")).unwrap();
    line.parse().unwrap()
}

/// A minute of many hosts, a little different each time.
fn busy_minute(n: u64, hosts: u32) -> Vec<Minute> {
    let one = |h: u32| Minute {
        minute: n,
        host: HostKey::V4((0x0a00_0000 + h).into()),
        level: if (n + u64::from(h)).is_multiple_of(50) { ThreatLevel::Medium } else { ThreatLevel::Safe },
        confidence: ((n * u64::from(h)) % 100) as f32 / 100.0,
        score: (n % 7) as f32,
    };
    (0..hosts).map(one).collect()
}

#[test]
fn history_reaches_the_medium_about_once() {
    if fs::read_to_string("/proc/self/io").is_err() {
        eprintln!("SKIP: /proc/self/io cannot be read");
        return;
    }
    // in a process of its own: the other tests of this file write as well
    if std::env::var("STORE_ALONE").is_err() {
        return again("history_reaches_the_medium_about_once");
    }
    let fixture = Fixture::new();
    let mut store = fixture.open();
    let before = written();
    for n in 0..600 {
        store.append_minutes(&busy_minute(n, 500)).unwrap();
        store.tick().unwrap();
    }
    store.close().unwrap();
    // a minute of a host is 6 octets of address, 4 of confidence, 4 of score, and 4 of the rest
    let (given, wrote) = (600 * 500 * 18_u64, written() - before);
    eprintln!("given {given}, handed on {}, written {wrote}", store.octets_written());
    assert!(store.octets_written() < 2 * given);
    assert!(wrote < 4 * given, "{wrote} octets were written for {given}");
}

#[test]
fn sealed_history_is_told_like_open_history() {
    let fixture = Fixture::new();
    let mut store = fixture.open();
    for n in 0..300 {
        store.append_minutes(&busy_minute(n, 200)).unwrap();
    }
    assert!(!sealed(&fixture.path()).is_empty());
    let expected: Vec<Minute> = (5..290).map(|n| busy_minute(n, 200)[77]).collect();
    assert_eq!(store.minutes(expected[0].host, 5..290).unwrap(), expected);
    store.close().unwrap();
    drop(store);
    assert_eq!(fixture.open().minutes(expected[0].host, 5..290).unwrap(), expected);
}

#[test]
fn a_sealed_event_is_confirmed_and_stays_so() {
    let fixture = Fixture::new();
    let mut store = fixture.open();
    for n in 1..=1_200 {
        store.append_event(event(n)).unwrap();
    }
    assert!(store.set_event_state(1, terms::BlockState::Confirmed).unwrap());
    store.close().unwrap();
    drop(store);
    assert_eq!(fixture.open().event(1).unwrap().unwrap().state, terms::BlockState::Confirmed);
}

#[test]
fn the_oldest_history_goes_when_there_is_too_much() {
    let mut fixture = Fixture::new();
    let mut store = fixture.open();
    // far more than the half MiB by which sled grows at a time, also by being opened
    for n in 0..3_000 {
        store.append_minutes(&busy_minute(n, 1_000)).unwrap();
    }
    store.close().unwrap();
    drop(store);
    let blocks = sealed(&fixture.path()).len();
    let all = octets_of(&sealed(&fixture.path()));
    fixture.limits = Limits { max_octets: fixture_octets(&fixture.path()) - all / 2, ..Limits::default() };
    let mut store = fixture.open();
    while store.retain(at(60)).unwrap().more {}
    let left = sealed(&fixture.path());
    assert!(left.len() < blocks && left.len() > blocks / 4, "{} of {blocks}", left.len());
    assert!(store.figures().octets_held <= fixture.limits.max_octets);
    let host = busy_minute(0, 1)[0].host;
    let kept = store.minutes(host, 0..u64::MAX).unwrap();
    assert!(kept[0].minute > 0 && kept.last().unwrap().minute == 2_999);
}

#[test]
fn retention_by_age_goes_in_slices() {
    let mut fixture = Fixture::new();
    fixture.limits.max_age = Span::from_secs(3_600);
    let mut store = fixture.open();
    for n in 0..1_500 {
        store.append_counters(&store::Counters { minute: n, ..Default::default() }).unwrap();
    }
    let first = store.retain(at(1_000_000)).unwrap();
    assert_eq!((first.history, first.more), (1_000, true));
    let second = store.retain(at(1_000_000)).unwrap();
    assert_eq!((second.history, second.more), (500, false));
    assert_eq!(store.counters(0..u64::MAX).unwrap(), []);
}

/// Works in a file system of 24 MiB that it makes for itself, in a mount namespace of its own.
#[test]
fn a_full_disk_is_told_and_writing_goes_on_once_there_is_room() {
    let Ok(small) = std::env::var("STORE_SMALL_DISK").map(PathBuf::from) else {
        return on_a_small_disk("a_full_disk_is_told_and_writing_goes_on_once_there_is_room");
    };
    let path = small.join("store");
    let mut store = open(&path, Limits::default()).unwrap().store;
    store.append_event(event(1)).unwrap();
    store.put_block(&block(1, 10)).unwrap();
    store.tick().unwrap();
    let ballast = small.join("ballast");
    for round in 0..3 {
        let kept = store.events(1_000, None).unwrap().len();
        fill(&ballast);
        let full = store.append_event(event(2)).unwrap_err();
        assert!(matches!(full, StoreError::Full { .. }), "{full}");
        assert!(store.put_block(&block(2, 10)).is_err());
        assert!(store.append_minutes(&[minute(1, 1)]).is_err());
        assert!(store.put_hosts(&[host_record(1, 1)]).is_err());
        assert_eq!(store.events(1_000, None).unwrap().len(), kept, "nothing is half-applied");
        assert_eq!((store.blocks().len(), store.hosts().len()), (1, 0));
        assert_eq!(store.minutes(host(1), 0..9).unwrap(), []);
        store.tick().unwrap();
        fs::remove_file(&ballast).unwrap();
        assert_eq!(store.append_event(event(2)).unwrap(), round + 2);
        store.tick().unwrap();
    }
    store.close().unwrap();
    drop(store);
    assert_eq!(open(&path, Limits::default()).unwrap().store.events(9, None).unwrap().len(), 4);
}

/// The kernel refuses to let the files of the process grow, which the check for room cannot see.
#[test]
fn a_store_whose_disk_failed_comes_back_with_its_blocks() {
    if std::env::var("STORE_LIMITED").is_err() {
        // a signal that is ignored makes the write fail instead
        let script = r#"trap "" XFSZ; ulimit -S -f 4096; exec "$@""#;
        let out = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "a_store_whose_disk_failed_comes_back_with_its_blocks", "--nocapture"])
            .env("STORE_LIMITED", "1")
            .output()
            .unwrap();
        return assert_passed(&out);
    }
    let fixture = Fixture::new();
    let mut store = fixture.open();
    store.append_event(event(1)).unwrap();
    store.put_block(&block(1, 10)).unwrap();
    store.put_hosts(&[host_record(1, 1)]).unwrap();
    store.sync().unwrap();
    let (mut last, mut acknowledged) = (1, 1);
    let mut appended = Ok(0);
    while appended.is_ok() && last < 100_000 {
        appended = store.append_event(event(last + 1));
        last = appended.as_ref().map_or(last, |&id| id);
        if appended.is_ok() && last % 50 == 0 {
            appended = store.tick().map(|_| last);
            acknowledged = appended.as_ref().map_or(acknowledged, |&id| id);
        }
    }
    let error = appended.expect_err("the limit was reached");
    eprintln!("after {last} events: {error}");
    assert!(matches!(error, StoreError::Disk { .. }));
    assert!(store.put_block(&block(2, 10)).is_err());
    assert_eq!(store.blocks(), [block(1, 10)], "what is known can still be read");
    raise_limit();
    let told = store.tick().unwrap();
    assert!(told.is_some_and(|text| text.contains("can be written again")));
    assert_eq!((store.blocks(), store.hosts()), (vec![block(1, 10)], vec![host_record(1, 1)]));
    assert_eq!(store.append_event(event(7)).unwrap(), last + 1, "a number is not used twice");
    store.close().unwrap();
    drop(store);
    let store = fixture.open();
    assert_eq!(store.blocks(), [block(1, 10)]);
    assert!(acknowledged > 1);
    for id in 1..=acknowledged {
        assert!(store.event(id).unwrap().is_some(), "{id} of {acknowledged} acknowledged");
    }
    assert!(store.event(last + 1).unwrap().is_some());
}

fn raise_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, rustix::process::Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// Runs one test of this file again, in a process of its own.
fn again(test: &str) {
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("STORE_ALONE", "1")
        .output()
        .unwrap();
    assert_passed(&out);
}

fn on_a_small_disk(test: &str) {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o size=24m none "$STORE_SMALL_DISK" || exit 77; exec "$@""#;
    let out = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("STORE_SMALL_DISK", dir.path())
        .output();
    match out {
        Ok(out) if out.status.code() == Some(77) || String::from_utf8_lossy(&out.stderr).contains("unshare failed") => {
            eprintln!("SKIP: a file system of its own needs root");
        }
        Ok(out) => assert_passed(&out),
        Err(error) => eprintln!("SKIP: unshare cannot be run: {error}"),
    }
}

fn assert_passed(out: &std::process::Output) {
    let text = [&out.stdout[..], &out.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(out.status.success() && text.contains("1 passed"), "{text}");
    eprintln!("{text}");
}

/// Writes until nothing fits.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(path).unwrap();
    for step in [1 << 16, 1 << 12] {
        while file.write_all(&vec![1; step]).is_ok() {}
    }
}

fn sealed(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path.join("sealed")).unwrap().map(|e| e.unwrap().path()).collect()
}

fn octets_of(files: &[PathBuf]) -> u64 {
    files.iter().map(|f| fs::metadata(f).unwrap().len()).sum()
}

fn fixture_octets(path: &Path) -> u64 {
    open(path, Limits::default()).unwrap().store.figures().octets_held
}
