//! Cuts of the power under writes: what was acknowledged is there, and the chain is whole.
//!
//! The test starts itself again as a child that writes accounts with their records onto a medium that forgets what was not flushed, and
//! says after each how far it is. The same child without the flush must lose what it said, or the test would not bite.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lab::power::Medium;

use super::tests::{act, key};
use super::*;

const FOLDER: &str = "AUDIT_POWER_FOLDER";
const UNSYNCED: &str = "AUDIT_POWER_UNSYNCED";

#[test]
fn nothing_acknowledged_is_lost_when_the_power_is_cut_and_without_the_flush_it_is() {
    cut(4);
}

#[test]
#[ignore = "long form: two hundred cuts of the power"]
fn nothing_acknowledged_is_lost_in_two_hundred_cuts_of_the_power() {
    cut(200);
}

/// Not a test of its own: the child of those above.
#[test]
fn child_that_writes_until_the_power_is_cut() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let unsynced = std::env::var(UNSYNCED).is_ok();
    let rows = Rows::open(Path::new(&folder)).expect("rows");
    let (audit, broken) = Audit::open(&rows, 1, key(), None).expect("an audit");
    assert_eq!(broken, None);
    for n in audit.head().number + 1.. {
        let mut change = Change::default();
        change.put(Kind::Account, n, &format!("account {n}"));
        let done =
            if unsynced { audit.jot(&rows, change, vec![act(n)]) } else { audit.commit(&rows, change, vec![act(n)]) };
        if done.is_err() || writeln!(std::io::stderr(), "acknowledged {n}").is_err() {
            return;
        }
    }
}

fn cut(times: u64) {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIP: a medium whose power can be cut needs root");
        return;
    }
    let (mut thrown_away, mut last) = (0, 0);
    let folder = tempfile::tempdir().expect("a folder");
    let mut medium = Medium::make(folder.path()).expect("a medium");
    for round in 0..times {
        // Every other cut keeps a random half of what was not flushed.
        let (lost, acknowledged) = round_of(&mut medium, (round % 2 == 1).then_some(round), round * 83 % 400, false);
        thrown_away += lost;
        last = acknowledged.unwrap_or(last);
        let (records, broken, all) = medium.looked_at(found).expect("the medium");
        assert!(records >= last, "cut {round}: {last} were acknowledged, {records} are there");
        assert_eq!(broken, None, "cut {round}: the chain");
        assert!(all, "cut {round}: each record has its account");
    }
    println!("{times} cuts of the power: {last} acknowledged, {thrown_away} sectors that were not flushed thrown away");
    assert!(thrown_away > 0, "no cut threw anything away");

    // Without the flush: one cut of a few must lose what was said.
    let folder = tempfile::tempdir().expect("a folder");
    let mut medium = Medium::make(folder.path()).expect("a medium");
    let lost_one = (0..8).any(|round| {
        let (_, acknowledged) = round_of(&mut medium, None, 150 + 37 * round, true);
        // What is left may not even be opened.
        let there =
            medium.looked_at(|path| std::panic::catch_unwind(|| found(path).0).unwrap_or(0)).expect("the medium");
        acknowledged.is_some_and(|said| there < said)
    });
    assert!(lost_one, "a writer that does not flush lost nothing: this test could not fail");
}

/// One start, so many milliseconds of writing, one cut: sectors that were lost, and the last number that was acknowledged.
fn round_of(medium: &mut Medium, seed: Option<u64>, millis: u64, unsynced: bool) -> (u64, Option<u64>) {
    let mounted = medium.on(seed).expect("the medium");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "audit::power::child_that_writes_until_the_power_is_cut", "--nocapture"]);
    command.env(FOLDER, mounted.join("admin")).stdout(Stdio::null()).stderr(Stdio::piped());
    if unsynced {
        command.env(UNSYNCED, "1");
    }
    let mut child = command.spawn().expect("a child");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let number = |line: &str| line.rsplit_once("acknowledged ").and_then(|(_, n)| n.trim().parse::<u64>().ok());
    let mut last = lines.by_ref().find_map(|line| number(&line));
    assert!(last.is_some(), "the child writes nothing");
    // Whatever it says is read, so that it never waits for its reader.
    let said = std::thread::spawn(move || {
        lines.filter(|line| line.ends_with(|c: char| c.is_ascii_digit())).filter_map(|line| number(&line)).last()
    });
    std::thread::sleep(Duration::from_millis(millis));
    let lost = medium.cut().expect("a cut");
    end(&mut child);
    last = said.join().expect("the reader").or(last);
    (lost, last)
}

/// Ends the child; one that waits for a medium that is gone takes its time.
fn end(child: &mut Child) {
    let _ = child.kill();
    let until = Instant::now() + Duration::from_secs(60);
    while child.try_wait().expect("a child").is_none() {
        assert!(Instant::now() < until, "the child does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How many records stand in a folder, the first break of their chain, and whether each has its account.
fn found(mounted: &Path) -> (u64, Option<Broken>, bool) {
    let rows = Rows::open(&mounted.join("admin")).expect("rows");
    let (audit, _) = Audit::open(&rows, 1, key(), None).expect("an audit");
    let (records, broken) = (audit.head().number, audit.verify(&rows).expect("rows"));
    let all = rows.all::<String>(Kind::Account).expect("accounts").iter().map(|(n, _)| *n).eq(1..=records);
    (records, broken, all)
}
