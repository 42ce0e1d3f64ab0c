//! Lists of a box with a history: what is asked for is found wherever in it, page by page, and nothing else.

use std::time::{SystemTime, UNIX_EPOCH};

use policy::device::{DeviceId, DeviceRecord};
use serde_json::Value;
use store::{Event, Limits, Store};
use terms::{BlockState, Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

use super::client::Box;

/// Events of the history.
const EVENTS: u64 = 3_000;
/// Every so manieth is about a host of its own.
const SELDOM: u64 = 750;
/// That host, and its hardware address, which is a user's.
const RARE: [u8; 4] = [10, 9, 0, 250];
const RARE_MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 9, 250]);

/// Event number `n` of a history that ends now.
fn event(n: u64, now: u64) -> Event {
    let seldom = n.is_multiple_of(SELDOM);
    let host = if seldom { RARE } else { [10, 9, 0, (n % 50) as u8] };
    Event {
        id: 0,
        at: Timestamp::from_secs(now - 86_400) + Span::from_secs(n * 86_400 / EVENTS),
        host: HostKey::V4(host.into()),
        mac: Some(if seldom { RARE_MAC } else { MacAddr::new([2, 0, 0, 0, 9, host[3]]) }),
        side: Side::Lan,
        state: if seldom { BlockState::WouldBlock } else { BlockState::Observed },
        level: if n.is_multiple_of(2) { ThreatLevel::Medium } else { ThreatLevel::Safe },
        family: n.is_multiple_of(3).then_some(if seldom { Family::DnsTunnel } else { Family::ArpScan }),
        detector: "rule:port_scan".into(),
        why: format!("number {n} of a history"),
        confidence: 0.7,
        evidence: Vec::new(),
        features: features::SCHEMA.iter().map(|name| ((*name).to_owned(), n as f32)).collect(),
        frames: Vec::new(),
    }
}

/// The numbers of all rows of a list, page by page, newest first.
fn all(made: &Box, token: &str, path: &str) -> Vec<u64> {
    let (mut next, mut ids) = (format!("/api/v1/{path}"), Vec::new());
    loop {
        let page = made.get(token, &next);
        assert_eq!(page.status, 200, "{page:?}");
        let page = page.json();
        ids.extend(page["items"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()));
        match page["next"].as_str() {
            Some(path) => path.clone_into(&mut next),
            None => return ids,
        }
    }
}

#[test]
fn a_list_finds_what_is_asked_for_wherever_it_is_in_the_history() {
    let Some((mut made, root)) = Box::claimed("history") else { return };
    let (_, user) = made.account(&root, "user");
    made.stand.stop();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = {
        let mut store = store::open(&made.stand.file("store/state"), Limits::default()).unwrap().store;
        let before = store.events(1, None).unwrap().first().map_or(0, |event| event.id);
        (1..=EVENTS).for_each(|n| assert_eq!(store.append_event(event(n, now)).unwrap(), before + n));
        let (id, owner) = (DeviceId::of(77), "user@example.org".into());
        let device = DeviceRecord { id, macs: vec![RARE_MAC], owner, ..DeviceRecord::default() };
        store.put_devices(&[device], &[]).unwrap();
        store.close().unwrap();
        before
    };
    made.stand.start();
    made.answers();

    let expect = |path: &str, is: &dyn Fn(&Event) -> bool| {
        let expected: Vec<u64> = (1..=EVENTS).rev().filter(|n| is(&event(*n, now))).map(|n| before + n).collect();
        let mut found = all(&made, &root, path);
        found.retain(|id| *id > before && *id <= before + EVENTS);
        assert_eq!(found, expected, "{path}");
    };
    let rare = |event: &Event| event.host == HostKey::V4(RARE.into());
    let threat = |event: &Event| event.family.is_some() && event.level != ThreatLevel::Safe;
    expect("activity?limit=100", &|_| true);
    expect("activity?host=10.9.0.250", &rare);
    expect("activity?host=02:00:00:00:09:FA&limit=1", &rare);
    expect("activity?state=Would%20Block", &rare);
    expect("activity?host=10.9.0.7&state=observed&limit=25", &|event| event.host == HostKey::V4([10, 9, 0, 7].into()));
    expect("threats?limit=100", &threat);
    expect("threats?family=dns_tunnel", &|event| event.family == Some(Family::DnsTunnel) && threat(event));
    expect("threats?level=medium&host=10.9.0.6", &|event| {
        threat(event) && event.host == HostKey::V4([10, 9, 0, 6].into())
    });
    for path in ["activity?host=10.9.0.251", "activity?host=nobody", "activity?state=gone", "threats?family=weather"] {
        assert!(all(&made, &root, path).is_empty(), "{path}");
    }
    // Who sees its own devices alone sees all of their history.
    let own: Vec<u64> = (1..=EVENTS / SELDOM).rev().map(|n| before + n * SELDOM).collect();
    assert_eq!(all(&made, &user, "activity"), own);
    assert!(all(&made, &user, "activity?host=10.9.0.7").is_empty());
    let told = made.stand.ask(&["explain", "10.9.0.250"]);
    let events: &Vec<Value> = told["events"].as_array().unwrap();
    assert_eq!(events.len() as u64, EVENTS / SELDOM, "{told}");
}
