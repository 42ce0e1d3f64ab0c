//! How much of a long history is read for an answer.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use common::{Fixture, at, event, host};
use store::{Event, EventQuery, Limits, SledStore, Store};
use terms::{BlockState, Family, HostKey, Span, ThreatLevel};

/// Events of the history.
const EVENTS: u64 = 8_000;
/// Every so manieth is about a host of its own, of a family and a level of its own.
const SELDOM: u64 = 2_500;
/// What an open journal and three sealed blocks have, and one that is read in vain; some 230 events each.
const FEW: usize = 1_300;

/// A store with a long history of hosts 0 to 99, and of host 200 now and then.
fn long(fixture: &Fixture) -> SledStore {
    let mut store = fixture.open();
    for n in 1..=EVENTS {
        let seldom = n.is_multiple_of(SELDOM);
        let number = if seldom { 200 } else { n % 100 };
        let (level, family) = match n {
            _ if seldom => (ThreatLevel::High, Family::DnsTunnel),
            _ if n.is_multiple_of(2) => (ThreatLevel::Medium, Family::ArpScan),
            _ => (ThreatLevel::Safe, Family::PortScanUdp),
        };
        let event = Event { host: host(number as u8), level, family: Some(family), ..event(number) };
        store.append_event(Event { at: at(60 * (n / 10)), ..event }).unwrap();
    }
    store
}

fn seldom() -> [EventQuery; 4] {
    let any = EventQuery::default;
    [
        EventQuery { host: Some(host(200)), ..any() },
        EventQuery { among: event(200).mac.map(|mac| vec![host(201), HostKey::Mac(mac)]), ..any() },
        EventQuery { level: Some(ThreatLevel::High), ..any() },
        EventQuery { family: Some(Family::DnsTunnel), ..any() },
    ]
}

/// What one question finds, and how much is looked at for it.
fn ask(store: &SledStore, query: &EventQuery, before: Option<u64>) -> (Vec<u64>, Option<u64>, usize) {
    let found = store.find_events(query, 100, before).unwrap();
    (found.events.iter().map(|event| event.id).collect(), found.next, found.looked_at)
}

#[test]
fn what_is_seldom_is_found_without_reading_the_rest() {
    let fixture = Fixture::new();
    let store = long(&fixture);
    let ids = [SELDOM, 2 * SELDOM, 3 * SELDOM];
    for query in seldom() {
        let (found, next, looked_at) = ask(&store, &query, None);
        assert_eq!((&found[..], next), (&ids[..], None), "{query:?}");
        assert!(looked_at < FEW, "{looked_at} for {query:?}");
        let (found, next, looked_at) = ask(&store, &query, Some(2 * SELDOM));
        assert_eq!((&found[..], next), (&ids[..1], None), "{query:?}");
        assert!(looked_at < FEW, "{looked_at} for {query:?}");
    }
    let nobody = EventQuery { host: Some(host(201)), ..EventQuery::default() };
    let (found, next, looked_at) = ask(&store, &nobody, None);
    assert!(found.is_empty() && next.is_none() && looked_at < FEW, "{looked_at}");
    let since = EventQuery { since: Some(at(60 * (EVENTS / 10) - 600)), ..nobody };
    assert!(ask(&store, &since, None).2 < FEW);
    let (found, next, looked_at) = ask(&store, &EventQuery::default(), None);
    assert_eq!((found.len(), next, looked_at), (100, Some(EVENTS - 99), 100));
    let (found, _, looked_at) = ask(&store, &EventQuery::default(), Some(EVENTS / 2));
    assert_eq!((found.len(), looked_at), (100, 100));
}

#[test]
fn what_no_digest_tells_is_searched_in_bounded_steps() {
    let fixture = Fixture::new();
    let store = long(&fixture);
    // Both are everywhere, and never together.
    let level = Some(ThreatLevel::Medium);
    let query = EventQuery { level, family: Some(Family::PortScanUdp), ..EventQuery::default() };
    let (mut before, mut steps, mut all) = (None, 0, 0);
    loop {
        let (found, next, looked_at) = ask(&store, &query, before);
        assert!(found.is_empty() && looked_at < EVENTS as usize * 2 / 3, "{looked_at}");
        (before, steps, all) = (next, steps + 1, all + looked_at);
        if next.is_none() {
            break;
        }
    }
    assert!(steps > 1 && all as u64 == EVENTS, "{steps} steps, {all} events");
}

#[test]
fn a_store_of_a_version_before_digests_gives_the_same_answers() {
    let fixture = Fixture::new();
    let mut store = long(&fixture);
    let answers = seldom().map(|query| ask(&store, &query, None).0);
    store.close().unwrap();
    let before = fixture.open();
    assert_eq!(seldom().map(|query| ask(&before, &query, None).0), answers, "opened again");
    drop(before);
    let sled = sled::open(fixture.path().join("sled")).unwrap();
    assert!(!sled.open_tree("digests").unwrap().is_empty());
    sled.drop_tree("digests").unwrap();
    drop(sled);
    let without = fixture.open();
    for (query, answer) in seldom().iter().zip(&answers) {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let (page, next, _) = ask(&without, query, before);
            found.splice(0..0, page);
            before = next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(&found, answer);
    }
}

#[test]
fn a_digest_goes_with_its_block_and_when_an_event_changes() {
    let mut fixture = Fixture::new();
    fixture.limits = Limits { max_age: Span::from_secs(10), ..Limits::default() };
    let mut store = long(&fixture);
    let blocked = EventQuery { state: Some(BlockState::Blocked), ..EventQuery::default() };
    assert!(ask(&store, &blocked, None).0.is_empty());
    assert!(store.set_event_state(SELDOM, BlockState::Blocked).unwrap());
    let (found, next, looked_at) = ask(&store, &blocked, None);
    assert_eq!((&found[..], next), (&[SELDOM][..], None));
    assert!(looked_at < FEW, "{looked_at}");
    while store.retain(at(60 * EVENTS)).unwrap().more {}
    assert_eq!(ask(&store, &seldom()[0], None), (Vec::new(), None, 0));
    store.close().unwrap();
    let sled = sled::open(fixture.path().join("sled")).unwrap();
    assert!(sled.open_tree("digests").unwrap().is_empty());
}
