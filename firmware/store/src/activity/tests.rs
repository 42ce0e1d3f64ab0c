use std::time::Duration;

use intake::{Act, plain};
use terms::Span;

use super::*;

const SOON: Duration = Duration::from_secs(60);
/// A morning, 2026-11-22.
const BEGIN: u64 = 1_795_334_400;

fn login(n: u64, secs: u64) -> Activity {
    let line = format!(
        "<38>1 - host{} sshd - - - Accepted password for user{:03} from 192.0.2.{} port {n}",
        n % 7,
        n % 500,
        n % 200
    );
    plain(line.as_bytes(), [127, 0, 0, 1].into(), Timestamp::from_secs(BEGIN + secs)).unwrap()
}

fn of(subject: &str) -> Query {
    Query { subject: Some(subject.into()), ..Query::default() }
}

fn containing(text: &str) -> Query {
    Query { text: Some(text.into()), ..Query::default() }
}

fn open(path: &Path) -> ActivityLog {
    let (log, repaired) = ActivityLog::open(path, Limits::default()).unwrap();
    assert_eq!(repaired, None);
    log
}

/// Appends so many log-ins, a tick each thousand.
fn fill(log: &mut ActivityLog, count: u64) {
    for n in 0..count {
        log.append(login(n, n / 1_000)).unwrap();
        if n % 1_000 == 999 {
            log.tick(Timestamp::from_secs(BEGIN + n / 1_000)).unwrap();
        }
    }
    log.tick(Timestamp::from_secs(BEGIN + count / 1_000)).unwrap();
}

#[test]
fn what_was_ticked_is_there_after_a_crash_and_numbers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    fill(&mut log, 60_500);
    assert!(log.sealed.len() == 1, "{} segments", log.sealed.len());
    // Dropped without a word, as by kill -9; what was not ticked is gone.
    log.append(login(1, 70)).unwrap();
    drop(log);
    let mut log = open(dir.path());
    assert_eq!((log.shot().count(&Query::default(), SOON), log.next()), (Ok(60_500), 60_501));
    assert_eq!(log.append(login(7, 99)).unwrap(), 60_501);
    let numbers: Vec<u64> = log.shot().find(&Query::default(), 60_000, SOON).unwrap().iter().map(|a| a.id).collect();
    assert_eq!((numbers[0], numbers.len()), (502, 60_000));
    assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "each number once");
}

#[test]
fn questions_by_subject_text_time_and_action_find_what_is_meant() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    fill(&mut log, 40_000);
    let shot = log.shot();
    assert_eq!(shot.count(&of("user007"), SOON), Ok(80));
    assert_eq!(
        shot.find(&of("user007"), 3, SOON).unwrap().iter().map(|a| a.id).collect::<Vec<_>>(),
        [38_508, 39_008, 39_508]
    );
    assert_eq!(shot.count(&containing("port 39999"), SOON), Ok(1));
    assert_eq!(shot.count(&containing("user007 from"), SOON), Ok(80));
    assert_eq!(shot.count(&containing("host3"), SOON), Ok(0), "the message, not the header");
    let early = Query { until: Some(Timestamp::from_secs(BEGIN + 2)), ..Query::default() };
    assert_eq!(shot.count(&early, SOON), Ok(2_000));
    let late =
        Query { since: Some(Timestamp::from_secs(BEGIN + 39)), device: Some("host3".into()), ..Query::default() };
    assert_eq!(shot.count(&late, SOON), Ok(143));
    let none = Query { action: Some(Act::Delete), ..Query::default() };
    assert_eq!(shot.count(&none, SOON), Ok(0));
    let page = Query { before: Some(11), ..Query::default() };
    assert_eq!(shot.find(&page, 4, SOON).unwrap().iter().map(|a| a.id).collect::<Vec<_>>(), [7, 8, 9, 10]);
    let mut seen = Vec::new();
    shot.each(&of("user007"), SOON, |activity| {
        seen.push(activity.id);
        seen.len() < 2
    })
    .unwrap();
    assert_eq!(seen, [8, 508]);
}

#[test]
fn a_search_that_takes_too_long_says_so_rather_than_half() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    fill(&mut log, 40_000);
    let error = log.shot().count(&Query::default(), Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("too much to search"), "{error}");
}

#[test]
fn the_open_log_cut_anywhere_keeps_what_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    for n in 0..3 {
        log.append(login(n, 0)).unwrap();
        log.tick(Timestamp::from_secs(BEGIN)).unwrap();
    }
    drop(log);
    let file = dir.path().join("open");
    let whole = std::fs::read(&file).unwrap();
    let mut counts = Vec::new();
    for len in 0..whole.len() {
        std::fs::write(&file, &whole[..len]).unwrap();
        let (log, _) = ActivityLog::open(dir.path(), Limits::default()).unwrap();
        counts.push(log.shot().count(&Query::default(), SOON).unwrap());
        assert_eq!(log.next(), counts[len] + 1);
    }
    assert!(counts.is_sorted() && counts.first() == Some(&0) && counts.last() == Some(&2), "{counts:?}");
    let mut told = 0;
    for at in 4..60 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&file, damaged).unwrap();
        let (log, repaired) = ActivityLog::open(dir.path(), Limits::default()).unwrap();
        let left = log.shot().count(&Query::default(), SOON).unwrap();
        // zstd leaves a few bits of its header without meaning.
        assert_eq!(repaired.is_some(), left < 3, "octet {at}: {left} are left, and that is told: {repaired:?}");
        told += u32::from(repaired.is_some());
    }
    assert!(told > 50, "{told}");
}

#[test]
fn a_crash_between_sealing_and_emptying_tells_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    log.append(login(1, 0)).unwrap();
    log.tick(Timestamp::from_secs(BEGIN)).unwrap();
    let before = std::fs::read(dir.path().join("open")).unwrap();
    // The next day.
    log.tick(Timestamp::from_secs(BEGIN + 86_400)).unwrap();
    assert_eq!(log.sealed.len(), 1);
    drop(log);
    std::fs::write(dir.path().join("open"), before).unwrap();
    let log = open(dir.path());
    assert_eq!((log.shot().count(&Query::default(), SOON), log.next()), (Ok(1), 2));
}

#[test]
fn a_damaged_segment_is_set_aside_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    for day in 0..2 {
        log.append(login(day, day * 86_400)).unwrap();
        log.tick(Timestamp::from_secs(BEGIN + day * 86_400)).unwrap();
    }
    log.tick(Timestamp::from_secs(BEGIN + 2 * 86_400)).unwrap();
    let path = log.sealed[0].path().to_owned();
    drop(log);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let (log, repaired) = ActivityLog::open(dir.path(), Limits::default()).unwrap();
    assert!(repaired.is_some_and(|told| told.contains("set aside")));
    assert_eq!(log.shot().count(&Query::default(), SOON), Ok(1));
    drop(log);
    open(dir.path());
}

#[test]
fn the_oldest_days_go_by_age_and_by_size() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { max_age: Span::from_secs(3 * 86_400), max_octets: 1 << 30 };
    let (mut log, _) = ActivityLog::open(dir.path(), limits).unwrap();
    let day = |n: u64| Timestamp::from_secs(BEGIN + n * 86_400);
    for n in 0..6 {
        log.append(login(n, n * 86_400)).unwrap();
        log.tick(day(n)).unwrap();
    }
    assert_eq!(log.retain(day(5)).unwrap(), 2, "those of the first two days");
    assert_eq!(log.shot().count(&Query::default(), SOON), Ok(4));
    log.limits.max_octets = 0;
    assert_eq!(log.retain(day(5)).unwrap(), 3, "all that is sealed");
    assert_eq!(log.shot().count(&Query::default(), SOON), Ok(1));
}

#[test]
fn a_directory_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let _log = open(dir.path());
    assert!(ActivityLog::open(dir.path(), Limits::default()).is_err());
}

#[test]
fn ten_records_a_second_write_far_less_than_the_budget_of_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    let seconds = 2_000;
    for second in 0..seconds {
        for n in 0..10 {
            log.append(login(second * 10 + n, second)).unwrap();
        }
        log.tick(Timestamp::from_secs(BEGIN + second)).unwrap();
    }
    let a_day = log.figures().octets_written * 86_400 / seconds;
    assert!(a_day < 100_000_000, "{a_day} octets a day");
}
