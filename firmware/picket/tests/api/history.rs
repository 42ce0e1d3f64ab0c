//! Lists of a box with a history: what is asked for is found wherever in it, page by page, and nothing else.

use std::time::{SystemTime, UNIX_EPOCH};

use policy::device::{DeviceId, DeviceRecord};
use policy::{Asked, Flow};
use serde_json::Value;
use store::{Event, Limits, Store};
use terms::{BlockState, Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

use super::client::{BASE, Box};

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

/// Devices that are kept, as many as there is room for, and conversations, in lots as the gateway writes them.
const DEVICES: u16 = 2_048;
const LOTS: u64 = 250;
const LOT: u64 = 4_000;

/// Conversation number `n` of a device, of a week that ends now.
fn flow(n: u64, now: u64) -> Flow {
    let device = (n % u64::from(DEVICES)) as u16;
    let [high, low] = device.to_be_bytes();
    let at = Timestamp::from_secs(now - 7 * 86_400) + Span::from_secs(n * 7 * 86_400 / (LOTS * LOT));
    Flow {
        mac: MacAddr::new([2, 0, 0, 1, high, low]),
        lan: std::net::Ipv4Addr::new(10, 9, high, low).into(),
        far: std::net::Ipv4Addr::new(203, 0, 113, (n % 251) as u8).into(),
        inbound: false,
        asked: Asked { protocol: 6, port: 443, echo: false },
        names: vec![format!("host-{}.example.org", n % 251)],
        first: at,
        last: at + Span::from_secs(9),
        count: 1,
        octets: [1_000 + n % 977, 90_000],
    }
}

/// How long a page takes from the end of the question to its last octet, over one connection. **Units**: milliseconds.
fn takes(made: &Box, token: &str, path: &str) -> f64 {
    let mut curl = made.stand.gate.command("curl");
    curl.args(["-sk", "--fail", "-H", &format!("Authorization: Bearer {token}")]);
    curl.args(["-w", "%{time_total} %{time_pretransfer}\n"]);
    for _ in 0..8 {
        curl.args(["-o", "/dev/null", &format!("{BASE}/api/v1/{path}")]);
    }
    let output = curl.output().unwrap();
    assert!(output.status.success(), "{path}: {output:?}");
    // The first one opens the connection.
    let mut times: Vec<f64> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .skip(1)
        .map(|line| {
            let (total, begun) = line.split_once(' ').unwrap();
            (total.parse::<f64>().unwrap() - begun.parse::<f64>().unwrap()) * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[test]
#[ignore = "long form: a million conversations"]
fn pages_of_a_million_conversations_take_less_than_fifty_milliseconds_whatever_is_asked_of_them() {
    let Some((mut made, root)) = Box::claimed("tables") else { return };
    made.stand.stop();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    {
        let mut store = store::open(&made.stand.file("store/state"), Limits::default()).unwrap().store;
        let device = |n: u16| {
            let [high, low] = n.to_be_bytes();
            let id = DeviceId::of(1_000 + u32::from(n));
            DeviceRecord { id, macs: vec![MacAddr::new([2, 0, 0, 1, high, low])], ..DeviceRecord::default() }
        };
        store.put_devices(&(0..DEVICES).map(device).collect::<Vec<_>>(), &[]).unwrap();
        for lot in 0..LOTS {
            store.append_flows(&(0..LOT).map(|n| flow(lot * LOT + n, now)).collect::<Vec<_>>()).unwrap();
        }
        store.close().unwrap();
    }
    made.stand.start();
    made.answers();
    let newest = made.get(&root, "/api/v1/flows?limit=1").json()["items"][0]["id"].as_u64().unwrap();
    let lists = [
        "flows?limit=100".to_owned(),
        format!("flows?limit=100&before={}", newest / 2),
        "flows?limit=100&mac=02:00:00:01:00:07".into(),
        "flows?limit=100&peer=203.0.113.7".into(),
        "flows?limit=100&peer=198.51.100.1".into(),
        "hosts?limit=100".into(),
        "audit?limit=100".into(),
    ];
    let times: Vec<(f64, &String)> = lists.iter().map(|path| (takes(&made, &root, path), path)).collect();
    // All devices go through the API for a page of them: told, and not yet within the bound.
    println!("{times:.1?}; a page of {DEVICES} devices: {:.1} ms", takes(&made, &root, "devices?limit=100"));
    assert!(times.iter().all(|(time, _)| *time < 50.0), "{times:.1?}");
}
