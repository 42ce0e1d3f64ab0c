//! A busy past: what a box would know after weeks in a large network, laid down by the store itself before the gateway starts on it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use policy::device::{DeviceId, DeviceRecord, Name, NameSource, Place};
use store::{Event, HostRecord, Limits, Store};
use terms::{BlockState, Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

/// Devices on the LAN.
const DEVICES: u32 = 500;
/// Events of two weeks.
const EVENTS: u64 = 100_000;
/// Events of one host that follow on each other.
const RUN: u64 = 50;
/// What some of them call themselves; the network writes these, so nothing of it may become more than text.
const NAMES: [&str; 5] =
    ["<img src=x onerror=alert(1)>", "طابعة الطابق الثالث", "=cmd|' /C calc'!A1", "\u{202e}gpj.exe", "кофемашина"];
const TOLD: [(ThreatLevel, BlockState, &str, &str); 4] = [
    (ThreatLevel::Medium, BlockState::Observed, "forest", "unlike what this device did before"),
    (
        ThreatLevel::High,
        BlockState::Confirmed,
        "rule:port_scan",
        "41 ports of one target in 60 s, 39 refused (threshold 10)",
    ),
    (ThreatLevel::Medium, BlockState::Observed, "rule:host_sweep", "23 hosts in 60 s, 4 answered (threshold 20)"),
    (ThreatLevel::High, BlockState::WouldBlock, "rule:brute_force", "9 failed log-ins in 5 min (threshold 5)"),
];

/// Fills the store in a directory, which no gateway may hold open.
pub fn lay_down(path: &Path) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut store = store::open(path, Limits::default()).unwrap().store;
    let devices: Vec<DeviceRecord> = (1..=DEVICES).map(|number| device(number, now)).collect();
    store.put_devices(&devices, &[]).unwrap();
    let hosts: Vec<HostRecord> = (1..=DEVICES).map(|number| host(number, now)).collect();
    store.put_hosts(&hosts).unwrap();
    for number in 0..EVENTS {
        store.append_event(event(number, now)).unwrap();
        if number.is_multiple_of(4_096) {
            store.tick().unwrap();
        }
    }
    store.close().unwrap();
}

fn address(number: u32) -> Ipv4Addr {
    let [.., high, low] = number.to_be_bytes();
    Ipv4Addr::new(192, 168, 10 + high, low)
}

fn mac(number: u32) -> MacAddr {
    let [.., high, low] = number.to_be_bytes();
    MacAddr::new([2, 0x50, 0, 0, high, low])
}

fn device(number: u32, now: u64) -> DeviceRecord {
    let last = Timestamp::from_secs(now - u64::from(number) * 60);
    let name = match number as usize {
        one if one <= NAMES.len() => NAMES[one - 1].to_owned(),
        6 => "long-".repeat(2_000),
        _ => format!("{}-{number}", ["camera", "phone", "printer", "laptop", "sensor"][number as usize % 5]),
    };
    DeviceRecord {
        id: DeviceId::of(10_000 + number),
        macs: vec![mac(number)],
        addresses: vec![Place { address: IpAddr::V4(address(number)), last_seen: last, leased: last }],
        names: vec![Name { source: NameSource::Dhcp, text: name, at: last }],
        side: Side::Lan,
        first_seen: Timestamp::from_secs(now - 14 * 86_400),
        last_seen: last,
        ..DeviceRecord::default()
    }
}

fn host(number: u32, now: u64) -> HostRecord {
    HostRecord {
        host: HostKey::V4(address(number)),
        mac: Some(mac(number)),
        side: Side::Lan,
        first_seen: Timestamp::from_secs(now - 14 * 86_400),
        last_seen: Timestamp::from_secs(now - u64::from(number) * 60),
        level: if number.is_multiple_of(40) { ThreatLevel::Medium } else { ThreatLevel::Safe },
        learnt: [0; 7],
    }
}

/// Two weeks of events, evenly, of all families in turn; what a host does comes in runs.
fn event(number: u64, now: u64) -> Event {
    let (level, state, detector, why) = TOLD[number as usize % TOLD.len()];
    let at = Timestamp::from_secs(now - 14 * 86_400) + Span::from_secs(number * 14 * 86_400 / EVENTS);
    let who = 1 + (number / RUN * 7_919 % u64::from(DEVICES)) as u32;
    Event {
        id: 0,
        at,
        host: HostKey::V4(address(who)),
        mac: Some(mac(who)),
        side: Side::Lan,
        state,
        level,
        family: Some(Family::ALL[1 + number as usize % (Family::ALL.len() - 1)]),
        detector: detector.into(),
        why: why.into(),
        confidence: 0.7,
        evidence: vec![("ports".into(), 41.0), ("threshold".into(), 10.0)],
        features: Vec::new(),
        frames: Vec::new(),
    }
}
