use terms::Timestamp;

use super::*;
use crate::api::EventRow;

fn event(id: u64, minute: u64, host: &str, detector: &str, level: &str) -> EventRow {
    let family = detector.strip_prefix("rule:").map(str::to_owned);
    let why = match detector.strip_prefix("insider:") {
        Some(rule) => format!("Title of {rule}: ann: it was done (token logs of {host}). Ask Ann."),
        None => format!("{detector} by {host}"),
    };
    EventRow {
        id,
        at: Timestamp::from_secs(1_000_000 + minute * 60).into(),
        host: host.into(),
        detector: detector.into(),
        family,
        level: level.into(),
        state: "observed".into(),
        why,
        ..EventRow::default()
    }
}

fn told(subject: &str, address: Option<&str>, proven: bool) -> Clue {
    let (subject, address) = (subject.to_owned(), address.map(str::to_owned));
    Clue { activity: Some(1), subject, address, source: "nas".into(), proven }
}

fn seen() -> Clue {
    Clue { proven: true, ..Clue::default() }
}

#[test]
fn a_hosts_hardware_address_is_no_second_host() {
    let mut incidents = Incidents::default();
    let scan =
        EventRow { mac: Some("02:09:00:00:00:10".into()), ..event(1, 0, "10.0.0.9", "rule:vertical_scan", "HIGH") };
    incidents.hear(&scan, &seen());
    let story = incidents.all[&1].story();
    assert_eq!(story.incident.hosts, ["10.0.0.9", "02:09:00:00:00:10"]);
    assert!(story.incident.summary.starts_with("10.0.0.9: "), "{}", story.incident.summary);
}

#[test]
fn the_log_in_the_scan_and_the_stick_are_one_story_in_its_order() {
    let mut incidents = Incidents::default();
    let first = incidents.hear(
        &event(1, 0, "10.0.0.2", "insider:guessed-password", "HIGH"),
        &told("ann on nas", Some("10.0.0.9"), true),
    );
    assert_eq!(first, Some((1, None)));
    // The scan comes from where the log-in came from, the stick from the host whose log told of it.
    let mut scan = event(2, 5, "10.0.0.9", "rule:vertical_scan", "HIGH");
    scan.state = "blocked".into();
    assert_eq!(incidents.hear(&scan, &seen()), Some((1, None)));
    let stick = event(3, 9, "10.0.0.2", "insider:stick", "HIGH");
    assert_eq!(incidents.hear(&stick, &told("", None, true)), Some((1, None)));
    for n in 0..500 {
        incidents.hear(&event(10 + n, 10, "10.0.0.9", "rule:vertical_scan", "MEDIUM"), &seen());
    }
    let story = incidents.all[&1].story();
    assert_eq!(story.timeline.iter().map(|thing| thing.event).collect::<Vec<_>>(), [1, 2, 3, 10]);
    assert_eq!((story.incident.events, story.timeline[3].repeats, story.incident.blocked), (503, 499, true));
    assert!(
        story.incident.summary.starts_with("ann on nas: title of guessed-password, then "),
        "{}",
        story.incident.summary
    );
    assert!(story.incident.summary.ends_with("; blocked"), "{}", story.incident.summary);
    assert_eq!(story.next[0], "Ask Ann.");
    assert!(story.done[0].starts_with("10.0.0.9 blocked"), "{:?}", story.done);
}

#[test]
fn two_people_on_one_server_two_days_and_two_devices_are_stories_apart() {
    let mut incidents = Incidents::default();
    let read = |id, minute| event(id, minute, "10.0.0.2", "insider:bulk-read", "MEDIUM");
    assert_eq!(incidents.hear(&read(1, 0), &told("ann on nas", None, true)), Some((1, None)));
    assert_eq!(incidents.hear(&read(2, 1), &told("bob on nas", None, true)), Some((2, None)));
    assert_eq!(incidents.hear(&read(3, 2), &told("ann on nas", None, true)), Some((1, None)));
    assert_eq!(incidents.hear(&read(4, 8 * 60), &told("ann on nas", None, true)), Some((3, None)));
    assert_eq!(incidents.hear(&event(5, 8 * 60, "10.0.0.7", "rule:host_sweep", "HIGH"), &seen()), Some((4, None)));
    incidents.all.get_mut(&4).expect("there").closed = Some("a test".into());
    assert_eq!(incidents.hear(&event(6, 8 * 60, "10.0.0.7", "rule:host_sweep", "HIGH"), &seen()), Some((5, None)));
}

#[test]
fn what_is_proven_makes_two_stories_one_and_what_is_forged_does_not() {
    for (proven, merged) in [(true, Some(2)), (false, None)] {
        let mut incidents = Incidents::default();
        incidents.hear(&event(1, 0, "10.0.0.2", "insider:bulk-read", "MEDIUM"), &told("ann", None, proven));
        incidents.hear(&event(2, 1, "10.0.0.9", "rule:host_sweep", "HIGH"), &seen());
        let more = told("ann", Some("10.0.0.9"), proven);
        let joined = incidents.hear(&event(3, 2, "10.0.0.2", "insider:several-places", "MEDIUM"), &more);
        // A subject that is in no other story names the address: with proof the two are one.
        assert_eq!(joined, Some((1, merged)), "proven: {proven}");
        assert_eq!(incidents.all.len(), if proven { 1 } else { 2 });
    }
}

#[test]
fn denials_join_a_story_and_many_of_them_are_one() {
    let mut incidents = Incidents::default();
    let mut denial = event(1, 0, "10.0.0.9", "policy", "SAFE");
    denial.state = "blocked".into();
    for _ in 1..DENIED_MANY {
        assert_eq!(incidents.hear(&denial, &seen()), None);
    }
    assert_eq!(incidents.hear(&denial, &seen()), Some((1, None)));
    assert!(!incidents.all[&1].view().blocked, "a denied packet is no blocked host");
    assert_eq!(incidents.hear(&event(9, 0, "10.0.0.4", "gateway", "SAFE"), &seen()), None);
}

#[test]
fn the_oldest_closed_one_goes_first_and_each_has_bounds() {
    let mut incidents = Incidents::default();
    for n in 0..=INCIDENTS_MAX as u64 {
        incidents.hear(&event(n + 1, 0, &format!("h{n}"), "rule:host_sweep", "HIGH"), &seen());
    }
    incidents.all.get_mut(&7).expect("there").closed = Some("done".into());
    assert_eq!(incidents.let_go(), [7]);
    for n in 0..100 {
        incidents.hear(&event(9_000 + n, 1, "h3", &format!("rule:kind{n}"), "HIGH"), &seen());
    }
    let one = &incidents.all[&4];
    assert_eq!((one.things.len(), one.left_out), (THINGS_MAX, 61));
}
