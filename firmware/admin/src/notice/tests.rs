//! Channels that hear of their level, bounds, quiet hours and digests, with a clock that is moved by hand.

use super::*;
use crate::clock::now;

fn channel(number: u64, high_only: bool) -> Channel {
    let sink = Sink::Mail { to: "ada@example.org".into() };
    let (quiet, held) = (Quiet::default(), Held::default());
    let (name, trouble) = ("x".into(), String::new());
    Channel { number, name, sink, high_only, quiet, held, last: None, trouble, dropped: 0 }
}

fn incident(level: &str) -> IncidentView {
    IncidentView { id: 7, level: level.into(), summary: "ann on nas: =1+1".into(), ..IncidentView::default() }
}

/// The notice of an incident of this level.
pub fn told(level: &str) -> Notice {
    let mut notices = Notices { channels: BTreeMap::from([(1, channel(1, false))]), waiting: BTreeMap::new() };
    notices.tell(&incident(level), now(), &mut Change::default());
    notices.waiting.into_values().next().expect("one")
}

#[test]
fn a_channel_hears_of_its_level_and_memory_is_bounded() {
    let mut notices =
        Notices { channels: BTreeMap::from([(1, channel(1, true)), (2, channel(2, false))]), waiting: BTreeMap::new() };
    let mut change = Change::default();
    notices.tell(&incident("MEDIUM"), now(), &mut change);
    notices.tell(&incident("HIGH"), now(), &mut change);
    let of = |number| notices.waiting.values().filter(|notice| notice.channel == number).count();
    assert_eq!((of(1), of(2)), (1, 2));
    (0..NOTICES_MAX).for_each(|_| notices.tell(&incident("MEDIUM"), now(), &mut change));
    assert_eq!((notices.waiting.len(), notices.channels[&2].dropped), (NOTICES_MAX, 3));
    notices.waiting.values_mut().next().expect("one").dead = Some("refused".into());
    notices.tell(&incident("MEDIUM"), now(), &mut change);
    assert_eq!((notices.waiting.len(), notices.channels[&2].dropped), (NOTICES_MAX, 3), "a dead one makes room");
    assert!(notices.due(now().micros() + 1).is_some());
}

/// The morning of 29 March 2026, on which clocks in Berlin go from 02:00 to 03:00; **Units**: seconds after midnight UTC.
fn sunday(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_774_742_400 + secs)
}

/// Rows with one channel that is quiet as told.
fn quiet(folder: &std::path::Path, windows: &[&str], digest: u32) -> Rows {
    let rows = Rows::open(folder).expect("rows");
    let windows = windows.iter().map(|window| (*window).to_owned()).collect();
    let quiet = Quiet::new(windows, "Europe/Berlin", digest, sunday(0)).expect("good");
    let mut change = Change::default();
    change.put(Kind::Channel, 1, &Channel { quiet, ..channel(1, false) });
    rows.commit(change).expect("room");
    rows
}

/// What the medium knows of the notices, as after a restart.
fn again(rows: Rows, folder: &std::path::Path) -> (Rows, Notices) {
    drop(rows);
    let rows = Rows::open(folder).expect("rows");
    let notices = Notices::load(&rows).expect("notices").into_inner().expect("whole");
    (rows, notices)
}

#[test]
fn what_is_held_back_in_quiet_hours_comes_once_at_their_end_over_a_restart_and_high_comes_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = quiet(folder.path(), &["daily 22:00-06:00"], 0);
    let (rows, mut notices) = again(rows, folder.path());
    let mut change = Change::default();
    for id in 1..=30 {
        notices.tell(&IncidentView { id, ..incident("MEDIUM") }, sunday(600), &mut change);
    }
    notices.tell(&IncidentView { id: 3, summary: "it grew".into(), ..incident("MEDIUM") }, sunday(900), &mut change);
    assert!(notices.waiting.is_empty());
    notices.tell(&IncidentView { id: 5, ..incident("HIGH") }, sunday(1_000), &mut change);
    assert_eq!(notices.waiting.len(), 1, "High is told at once");
    rows.commit(change).expect("room");
    // Six o'clock there is four in UTC on this day.
    let (rows, mut notices) = again(rows, folder.path());
    let mut change = Change::default();
    assert!(!notices.let_go(sunday(4 * 3_600 - 1), &mut change));
    assert!(notices.let_go(sunday(4 * 3_600), &mut change));
    let digest = notices.waiting.values().last().expect("the digest");
    let (text, lines) = (digest.text.clone(), digest.lines());
    assert_eq!((lines.len(), lines[0].as_str(), lines[20].as_str()), (22, "29 held back:", "and 10 more"), "{lines:?}");
    assert!(text.starts_with("29 held back: MEDIUM: ") && text.ends_with("and 10 more"), "{text}");
    assert!(text.contains("it grew (incident 3)") && !text.contains("(incident 5)"), "{text}");
    rows.commit(change).expect("room");
    let (_rows, mut notices) = again(rows, folder.path());
    assert!(!notices.let_go(sunday(5 * 3_600), &mut Change::default()), "once");
    assert_eq!(notices.waiting.len(), 2);
    notices.tell(&incident("MEDIUM"), sunday(5 * 3_600), &mut Change::default());
    assert_eq!(notices.waiting.len(), 3, "by day it is told as it happens");
}

#[test]
fn a_digest_comes_every_so_many_minutes_and_waits_for_the_end_of_quiet_hours() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_rows, mut notices) = again(quiet(folder.path(), &["sun 10:00-12:00"], 60), folder.path());
    let mut change = Change::default();
    let go = |notices: &mut Notices, at| notices.let_go(at, &mut Change::default());
    notices.tell(&incident("MEDIUM"), sunday(3_600), &mut change);
    assert!(!go(&mut notices, sunday(7_199)) && go(&mut notices, sunday(7_200)) && !go(&mut notices, sunday(9_000)));
    // Its hour ends at 10:30 there, when it is quiet until 12:00, which is 10:00 in UTC.
    notices.tell(&incident("MEDIUM"), sunday(7 * 3_600 + 1_800), &mut change);
    assert!(!go(&mut notices, sunday(10 * 3_600 - 1)) && go(&mut notices, sunday(10 * 3_600)));
    notices.tell(&incident("MEDIUM"), sunday(86_400), &mut change);
    assert!(go(&mut notices, sunday(0)), "a clock that was set back holds nothing back");
}

#[test]
fn what_is_held_back_waits_for_room_and_takes_little_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_rows, mut notices) = again(quiet(folder.path(), &[], 60), folder.path());
    let mut change = Change::default();
    let long = IncidentView { summary: "x".repeat(5_000), ..incident("MEDIUM") };
    (0..1_000).for_each(|id| notices.tell(&IncidentView { id, ..long.clone() }, sunday(0), &mut change));
    let held = &notices.channels[&1].held;
    assert_eq!((held.count(), held.incidents.len()), (1_000, 3));
    assert!(held.text().chars().count() < 4_000);
    let high = IncidentView { id: 5_000, ..incident("HIGH") };
    (0..NOTICES_MAX).for_each(|_| notices.tell(&high, sunday(0), &mut change));
    assert!(!notices.let_go(sunday(3_600), &mut change));
    assert_eq!(notices.channels[&1].held.count(), 1_000, "nothing is lost");
    notices.waiting.pop_first();
    assert!(notices.let_go(sunday(3_600), &mut change));
}

#[test]
fn windows_that_never_end_and_unknown_zones_are_refused_by_their_names() {
    let field = |windows: &[&str], zone: &str, digest: u32| {
        let windows = windows.iter().map(|window| (*window).to_owned()).collect();
        Quiet::new(windows, zone, digest, sunday(0)).err().and_then(|problem| problem.field)
    };
    assert_eq!(field(&["daily 00:00-24:00"], "UTC", 0).as_deref(), Some("quiet"));
    assert_eq!(field(&["mon-fri 00:00-24:00", "sat,sun 07:00-07:00"], "UTC", 0).as_deref(), Some("quiet"));
    assert_eq!(
        field(&["mon-thu 00:00-24:00", "fri-sun 00:00-12:00", "fri-sun 12:00-24:00"], "Asia/Tokyo", 0).as_deref(),
        Some("quiet")
    );
    assert_eq!(field(&["mo 08:00-09:00"], "UTC", 0).as_deref(), Some("quiet"));
    assert_eq!(field(&["mon 08:00-09:00"; 17], "UTC", 0).as_deref(), Some("quiet"));
    assert_eq!(field(&[], "Mars/Olympus", 0).as_deref(), Some("time_zone"));
    assert_eq!(field(&[], "", 0).as_deref(), Some("time_zone"));
    assert_eq!(field(&[], "UTC", 10_081).as_deref(), Some("digest_minutes"));
    // All of the week but one minute, and over a change of clocks, does end.
    assert_eq!(field(&["mon-sat 00:00-24:00", "sun 00:00-23:59"], "Europe/Berlin", 10_080), None);
}
