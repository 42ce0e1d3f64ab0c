//! What is remembered of a device: over a restart, under a new address, and after an admin said that it was nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use detect::{Baseline, Detector, Finding, Quiet, Sink, Thresholds, Window};
use features::{Capacities, FeatureVector, HashKey};
use terms::{Family, HostKey, MacAddr, Side, ThreatLevel, Timestamp};
use wire::LinkType;

use crate::frames::{self, ACK, End, RST, SYN};

const START: u64 = 1_700_000_000;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Hears findings, and knows what was learnt of one device.
#[derive(Default)]
struct Memory {
    findings: Vec<Finding>,
    known: Option<(HostKey, MacAddr, Baseline)>,
}

impl Sink for Memory {
    fn finding(&mut self, finding: &Finding, _vector: &FeatureVector) {
        self.findings.push(finding.clone());
    }

    fn window(&mut self, _window: &Window) {}

    fn newcomer(&mut self, host: HostKey, mac: MacAddr) -> Option<Baseline> {
        self.known.filter(|known| (known.0, known.1) == (host, mac)).map(|known| known.2)
    }
}

/// A detector with its sink, fed with frames at whole seconds.
struct Site {
    detector: Detector<'static>,
    memory: Memory,
}

impl Site {
    fn new(memory: Memory) -> Self {
        let detector = Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), None);
        Self { detector, memory }
    }

    fn lan(&mut self, second: u64, frame: &[u8]) {
        let summary = wire::parse(LinkType::Ethernet, frame, frame.len() as u32, None).expect("a frame that is read");
        self.detector.observe(&summary, Timestamp::from_secs(START + second), Side::Lan, &mut self.memory);
    }

    /// A conversation that is opened, and ends.
    fn talk(&mut self, second: u64, from: End, to: End, port: u16) {
        let ports = (30_000 + (second % 30_000) as u16, port);
        self.lan(second, &frames::tcp(from, to, ports, SYN, 0, b""));
        self.lan(second, &frames::tcp(to, from, (ports.1, ports.0), SYN | ACK, 0, b""));
        self.lan(second, &frames::tcp(from, to, ports, ACK, 1, b""));
        self.lan(second, &frames::tcp(from, to, ports, RST, 1, b""));
    }

    /// A device that says something to a server each five minutes for a bit more than a day.
    fn steady(device: End) -> Self {
        let mut site = Self::new(Memory::default());
        for second in (0..DAY + HOUR).step_by(300) {
            site.talk(second, device, server(device), 8883);
        }
        assert!(site.memory.findings.is_empty());
        site
    }

    /// Tries 40 ports of a neighbour that refuses them.
    fn scan(&mut self, second: u64, from: End, to: End) {
        for port in 2_000..2_040 {
            self.lan(second, &frames::tcp(from, to, (40_000, port), SYN, 0, b""));
            self.lan(second, &frames::tcp(to, from, (port, 40_000), RST | ACK, 0, b""));
        }
    }

    fn baseline(&mut self, device: End) -> Baseline {
        *self.detector.table().host(device.key()).expect("a host of the table").judgement.baseline()
    }

    fn found(&self, device: End, family: Family) -> usize {
        self.memory.findings.iter().filter(|f| f.host == device.key() && f.family == family).count()
    }
}

fn end(n: u8) -> End {
    End { mac: MacAddr::new([2, 0x5a, 0, 0, 0, n]), ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)) }
}

fn v6(n: u8) -> End {
    End { ip: IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, n.into())), ..end(n) }
}

/// One that speaks the same IP.
fn server(of: End) -> End {
    if of.ip.is_ipv4() { end(200) } else { v6(200) }
}

#[test]
fn what_was_learnt_before_a_restart_speaks_after_it() {
    let device = end(7);
    let baseline = Baseline::of_record(&Site::steady(device).baseline(device).record()).expect("what was written down");
    let lateral = |known: Option<(HostKey, MacAddr, Baseline)>| {
        let mut site = Site::new(Memory { known, ..Memory::default() });
        site.talk(2 * DAY, device, end(9), 3389);
        site.found(device, Family::LateralMovement)
    };
    assert_eq!(lateral(Some((device.key(), device.mac, baseline))), 1);
    assert_eq!(lateral(None), 0, "a device that is met now may administer");
    assert_eq!(lateral(Some((device.key(), end(8).mac, baseline))), 0, "that was another device of this address");
}

#[test]
fn a_store_that_is_slow_is_heard_all_the_same() {
    let device = end(7);
    let before = Site::steady(device).baseline(device);
    let mut site = Site::new(Memory::default());
    site.talk(2 * DAY, device, server(device), 8883);
    site.detector.recall(device.key(), end(8).mac, before);
    assert!(!site.baseline(device).holds(Timestamp::from_secs(START + 2 * DAY)), "of another device");
    site.detector.recall(device.key(), device.mac, before);
    site.talk(2 * DAY + 1, device, end(9), 3389);
    assert_eq!(site.found(device, Family::LateralMovement), 1);
}

#[test]
fn a_device_with_a_new_address_has_its_habits() {
    for (new, late) in [(v6(7), 0), (End { ip: end(77).ip, ..end(7) }, HOUR)] {
        let mut site = Site::steady(end(7));
        site.talk(DAY + HOUR + late, new, server(new), 8883);
        site.talk(DAY + HOUR + late + 1, new, if new.ip.is_ipv4() { end(9) } else { v6(9) }, 3389);
        assert_eq!(site.found(new, Family::LateralMovement), 1, "{new:?}");
    }
}

#[test]
fn hosts_behind_one_hardware_address_are_not_taken_for_one() {
    let (router, second) = (end(7), End { ip: end(77).ip, ..end(7) });
    let mut site = Site::steady(router);
    site.talk(DAY + HOUR, second, server(second), 8883);
    site.talk(DAY + HOUR + 1, second, end(9), 3389);
    assert_eq!(site.found(second, Family::LateralMovement), 0);
}

#[test]
fn a_false_alarm_is_quiet_for_its_family_its_host_and_its_time() {
    let (scanner, other, target) = (end(7), end(8), end(9));
    let mut site = Site::new(Memory::default());
    site.scan(0, scanner, target);
    assert_eq!(site.found(scanner, Family::PortScanVertical), 1);
    let until = Timestamp::from_secs(START + HOUR);
    let (host, mac, family) = (scanner.key(), Some(scanner.mac), Family::PortScanVertical);
    site.detector.quiet([Quiet { host, mac, family, until }]);
    let level = |site: &mut Site, at: u64| {
        let host = site.detector.table().host(scanner.key()).expect("the scanner");
        host.judgement.level(Timestamp::from_secs(START + at))
    };
    assert_eq!(level(&mut site, 1), ThreatLevel::High, "what was said stands until it is taken back");
    site.detector.forgive(scanner.key(), Family::PortScanVertical, [].into_iter());
    assert_eq!(level(&mut site, 1), ThreatLevel::Safe);
    site.scan(600, scanner, target);
    site.scan(600, other, target);
    assert_eq!(site.found(scanner, Family::PortScanVertical), 1, "it is quiet");
    assert_eq!(site.found(other, Family::PortScanVertical), 1, "for this host alone");
    for n in 20..60 {
        site.lan(700, &frames::tcp(scanner, end(n), (41_000, 445), SYN, 0, b""));
        site.lan(700, &frames::tcp(end(n), scanner, (445, 41_000), RST | ACK, 0, b""));
    }
    assert_eq!(site.found(scanner, Family::PortScanHorizontal), 1, "for this family alone");
    let heir = End { ip: scanner.ip, ..end(99) };
    site.scan(1_200, heir, target);
    assert_eq!(site.found(scanner, Family::PortScanVertical), 2, "for this device alone, whoever has its address");
    site.detector.forgive(scanner.key(), Family::PortScanVertical, [].into_iter());
    site.scan(2 * HOUR, scanner, target);
    assert_eq!(site.found(scanner, Family::PortScanVertical), 3, "and for this time alone");
}
