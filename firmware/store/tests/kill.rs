//! What was acknowledged survives a kill at any moment.
//!
//! The test starts itself again as a child that writes and says after each `tick` how far it is; then it kills the child.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Fixture, block, event, host, host_record, minute};
use store::{Limits, Store, open};

const KILLS: u64 = 12;
const DIRECTORY: &str = "STORE_KILL_DIRECTORY";

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let fixture = Fixture::new();
    let mut acknowledged = 0;
    for round in 0..KILLS {
        let mut child = writer(&fixture);
        // from before the first write until the middle of a block being sealed
        acknowledged =
            acknowledged_until(&mut child, Duration::from_millis(60 + round * 83 % 400)).unwrap_or(acknowledged);
        let store = fixture.open();
        let newest = store.events(1_000, None).unwrap();
        let last = newest.last().map_or(0, |e| e.id);
        assert!(last >= acknowledged, "round {round}: {acknowledged} were acknowledged, {last} are there");
        for (event, id) in newest.iter().rev().zip((1..=last).rev()) {
            assert_eq!(event.id, id, "no gap");
            assert_eq!(event.why, self::event(id).why);
        }
        assert!(last < 2 || store.event(last / 2).unwrap().is_some_and(|e| e.id == last / 2));
        assert_eq!(store.figures().unreadable, 0);
        assert!(acknowledged == 0 || store.blocks().iter().any(|b| b.lasts.secs() >= acknowledged));
        assert!(acknowledged == 0 || store.minutes(host(1), acknowledged..acknowledged + 1).unwrap().len() == 1);
        assert!(acknowledged == 0 || store.hosts().len() == 1);
    }
    assert!(acknowledged > 0, "no child got as far as an acknowledgement");
}

/// Not a test of its own: the child of the one above.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let mut store = open(directory.as_ref(), Limits::default()).unwrap().store;
    let next = store.events(1, None).unwrap().last().map_or(1, |e| e.id + 1);
    let mut out = std::io::stderr();
    for n in next.. {
        store.append_event(event(n)).unwrap();
        store.append_minutes(&[minute(n, 1)]).unwrap();
        store.put_block(&block(1, n)).unwrap();
        store.put_hosts(&[host_record(1, n)]).unwrap();
        if n % 8 == 0 {
            store.tick().unwrap();
            writeln!(out, "acknowledged {n}").unwrap();
        }
    }
}

fn writer(fixture: &Fixture) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_writes_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, fixture.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills the child so long after its first acknowledgement, and tells its last one.
fn acknowledged_until(child: &mut Child, after: Duration) -> Option<u64> {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut last = None;
    let mut number = |line: String| {
        let number = line.rsplit_once("acknowledged ").and_then(|(_, n)| n.trim().parse().ok());
        last = number.or(last);
        number.is_some()
    };
    let started = Instant::now();
    while !lines.next().is_none_or(&mut number) {
        assert!(started.elapsed() < Duration::from_secs(60), "the child writes nothing");
    }
    thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        // the last line may be cut short, and a number cut short is not one that was said
        if line.ends_with(|c: char| c.is_ascii_digit()) {
            number(line);
        }
    }
    last
}
