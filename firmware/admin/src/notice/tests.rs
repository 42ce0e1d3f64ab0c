//! Channels that hear of their level, bounds, quiet hours and digests, with a clock that is moved by hand.

use super::*;
use crate::clock::now;

pub fn channel(number: u64, high_only: bool) -> Channel {
    let sink = Sink::Mail { to: "ada@example.org".into() };
    let (quiet, held) = (Quiet::default(), Held::default());
    let (name, trouble) = ("x".into(), String::new());
    let (families, recent) = (Family::USUAL.into(), BTreeMap::new());
    Channel { number, name, sink, high_only, families, recent, quiet, held, last: None, trouble, dropped: 0 }
}

fn incident(level: &str) -> IncidentView {
    IncidentView { id: 7, level: level.into(), summary: "ann on nas: =1+1".into(), ..IncidentView::default() }
}

fn hear(notices: &mut Notices, incident: &IncidentView, at: Timestamp, change: &mut Change) {
    notices.tell(incident, Family::Incident, "https://box/#/incidents/7", at, change);
}

/// The notice of an incident of this level.
pub fn told(level: &str) -> Notice {
    let mut notices = Notices { channels: BTreeMap::from([(1, channel(1, false))]), ..Notices::default() };
    hear(&mut notices, &incident(level), now(), &mut Change::default());
    notices.waiting.into_values().next().expect("one")
}

#[test]
fn a_channel_hears_of_its_level_and_memory_is_bounded() {
    let mut notices =
        Notices { channels: BTreeMap::from([(1, channel(1, true)), (2, channel(2, false))]), ..Notices::default() };
    let mut change = Change::default();
    hear(&mut notices, &incident("MEDIUM"), now(), &mut change);
    hear(&mut notices, &incident("HIGH"), now(), &mut change);
    let of = |number| notices.waiting.values().filter(|notice| notice.channel == number).count();
    assert_eq!((of(1), of(2)), (1, 2));
    notices.channels.get_mut(&1).expect("one").families = [Family::Link].into();
    (0..NOTICES_MAX).for_each(|_| hear(&mut notices, &incident("HIGH"), now(), &mut change));
    assert_eq!((notices.waiting.len(), notices.channels[&2].dropped), (NOTICES_MAX, 3));
    notices.waiting.values_mut().next().expect("one").dead = Some("refused".into());
    hear(&mut notices, &incident("HIGH"), now(), &mut change);
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
        hear(&mut notices, &IncidentView { id, ..incident("MEDIUM") }, sunday(600), &mut change);
    }
    hear(
        &mut notices,
        &IncidentView { id: 3, summary: "it grew".into(), ..incident("MEDIUM") },
        sunday(900),
        &mut change,
    );
    assert!(notices.waiting.is_empty());
    hear(&mut notices, &IncidentView { id: 5, ..incident("HIGH") }, sunday(1_000), &mut change);
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
    hear(&mut notices, &incident("MEDIUM"), sunday(5 * 3_600), &mut Change::default());
    assert_eq!(notices.waiting.len(), 3, "by day it is told as it happens");
}

#[test]
fn a_digest_comes_every_so_many_minutes_and_waits_for_the_end_of_quiet_hours() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_rows, mut notices) = again(quiet(folder.path(), &["sun 10:00-12:00"], 60), folder.path());
    let mut change = Change::default();
    let go = |notices: &mut Notices, at| notices.let_go(at, &mut Change::default());
    hear(&mut notices, &incident("MEDIUM"), sunday(3_600), &mut change);
    assert!(!go(&mut notices, sunday(7_199)) && go(&mut notices, sunday(7_200)) && !go(&mut notices, sunday(9_000)));
    // Its hour ends at 10:30 there, when it is quiet until 12:00, which is 10:00 in UTC.
    hear(&mut notices, &incident("MEDIUM"), sunday(7 * 3_600 + 1_800), &mut change);
    assert!(!go(&mut notices, sunday(10 * 3_600 - 1)) && go(&mut notices, sunday(10 * 3_600)));
    hear(&mut notices, &incident("MEDIUM"), sunday(86_400), &mut change);
    assert!(go(&mut notices, sunday(0)), "a clock that was set back holds nothing back");
}

#[test]
fn what_is_held_back_waits_for_room_and_takes_little_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_rows, mut notices) = again(quiet(folder.path(), &[], 60), folder.path());
    let mut change = Change::default();
    let long = IncidentView { summary: "x".repeat(5_000), ..incident("MEDIUM") };
    (0..1_000).for_each(|id| hear(&mut notices, &IncidentView { id, ..long.clone() }, sunday(0), &mut change));
    let held = &notices.channels[&1].held;
    assert_eq!((held.count(), held.incidents.len()), (1_000, 3));
    assert!(held.text().chars().count() < 4_000);
    let high = IncidentView { id: 5_000, ..incident("HIGH") };
    (0..NOTICES_MAX).for_each(|_| hear(&mut notices, &high, sunday(0), &mut change));
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

fn matter(family: Family, about: u64) -> Matter {
    Matter::new(family, about.to_string(), &format!("number {about}"), "Nothing was blocked.")
}

#[test]
fn a_channel_hears_of_its_families_and_what_is_too_much_is_held_back_with_its_number() {
    let mut notices =
        Notices { channels: BTreeMap::from([(1, channel(1, false)), (2, channel(2, true))]), ..Notices::default() };
    let mut change = Change::default();
    let mut tell = |notices: &mut Notices, matter: &Matter, at| notices.tell_matter(matter, None, at, &mut change);
    tell(&mut notices, &matter(Family::Device, 1), sunday(0));
    assert_eq!((notices.waiting.len(), notices.channels[&1].held.count()), (0, 0), "nobody chose that family");
    (0..20).for_each(|about| tell(&mut notices, &matter(Family::Link, about), sunday(about)));
    assert_eq!((notices.waiting.len(), notices.channels[&1].held.count()), (6, 14));
    let severed = Matter { level: "HIGH".into(), ..matter(Family::Link, 99) };
    tell(&mut notices, &severed, sunday(30));
    assert_eq!(notices.waiting.len(), 8, "High is told at once, and to who hears of nothing else");
    // Incidents are counted for themselves.
    hear(&mut notices, &incident("MEDIUM"), sunday(40), &mut Change::default());
    assert_eq!(notices.waiting.len(), 9);
    assert!(
        !notices.let_go(sunday(3_599), &mut Change::default()) && notices.let_go(sunday(3_600), &mut Change::default())
    );
    let digest = notices.waiting.values().last().expect("the digest");
    assert!(digest.text.starts_with("14 held back: MEDIUM: number 6; "), "{}", digest.text);
    tell(&mut notices, &matter(Family::Link, 100), sunday(3_700));
    assert_eq!(notices.waiting.len(), 11, "another hour");
}

#[test]
fn new_devices_come_together_and_what_is_denied_is_counted() {
    let mut notices = Notices { channels: BTreeMap::from([(1, channel(1, false))]), ..Notices::default() };
    notices.channels.get_mut(&1).expect("one").families = [Family::Device, Family::Denied].into();
    let mut change = Change::default();
    for wave in 0..8 {
        let at = sunday(wave * 60);
        (0..5).for_each(|about| notices.tell_matter(&matter(Family::Device, wave * 5 + about), None, at, &mut change));
        let early = notices.let_go(sunday(wave * 60 + 29), &mut change);
        let sent = notices.let_go(sunday(wave * 60 + 30), &mut change);
        assert_eq!((early, sent), (false, wave < 6), "six groups in an hour: {wave}");
    }
    let first = notices.waiting.values().next().expect("a group");
    assert!(first.text.starts_with("5 together: MEDIUM: number 0; "), "{}", first.text);
    assert!(notices.let_go(sunday(3_600), &mut change));
    let last = notices.waiting.values().last().expect("the rest");
    assert!(last.text.starts_with("10 held back: "), "{}", last.text);
    notices.tell_matter(&matter(Family::Denied, 7), None, sunday(9_000), &mut change);
    (0..4).for_each(|_| notices.tell_again(Family::Denied, "7", &mut change));
    notices.tell_again(Family::Denied, "8", &mut change);
    assert!(notices.let_go(sunday(9_030), &mut change));
    let last = notices.waiting.values().last().expect("one");
    assert_eq!((last.text.as_str(), last.kind()), ("MEDIUM: number 7 (and 4 times more)", "denied"));
    assert_eq!(last.lines(), ["MEDIUM: number 7 (and 4 times more)", "Nothing was blocked. More: on the page"]);
}

#[test]
fn receivers_that_hang_hold_up_themselves_alone() {
    let mut notices = Notices { channels: (1..=16).map(|n| (n, channel(n, false))).collect(), ..Notices::default() };
    (1..=15).for_each(|n| notices.channels.get_mut(&n).expect("one").trouble = "it hangs".into());
    (0..3).for_each(|_| hear(&mut notices, &incident("HIGH"), sunday(0), &mut Change::default()));
    let due = |notices: &mut Notices| notices.due(sunday(1).micros()).map(|(notice, _)| notice.channel);
    assert_eq!(due(&mut notices), Some(16), "one that works comes first");
    let hanging: Vec<_> = (0..3).map(|_| due(&mut notices).expect("another")).collect();
    assert!(!hanging.contains(&16) && hanging.iter().collect::<BTreeSet<_>>().len() == 3, "{hanging:?}");
    assert_eq!(due(&mut notices), None, "a place is left for those that work");
    notices.busy.remove(&16);
    assert_eq!(due(&mut notices), Some(16));
}
