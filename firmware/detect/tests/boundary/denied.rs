//! What the policy denies: a few attempts are nothing, many are one modest finding, and nobody is blocked for them.

use std::net::Ipv4Addr;

use detect::{Denied, Detector, Finding, Kinds, Sink, Thresholds, Window};
use features::{Capacities, FeatureVector, HashKey};
use terms::{Family, HostKey, Side, ThreatLevel, Timestamp};
use wire::LinkType;

use crate::draw::{Draw, SECOND};
use crate::frames::{self, End, SYN};
use crate::seed;

const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const TCP: u8 = 6;

#[derive(Default)]
struct Heard(Vec<Finding>);

impl Sink for Heard {
    fn finding(&mut self, finding: &Finding, _vector: &FeatureVector) {
        self.0.push(finding.clone());
    }

    fn window(&mut self, window: &Window) {
        assert!(window.level < ThreatLevel::High, "a minute of {} is High: {}", window.host, window.family);
    }
}

/// A box that denies: it sees the first packet of a conversation, and the kernel tells that it was cut.
struct Box {
    detector: Detector<'static>,
    heard: Heard,
}

impl Box {
    fn new() -> Self {
        let detector = Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), None);
        Self { detector, heard: Heard::default() }
    }

    fn see(&mut self, at: u64, frame: &[u8]) {
        let summary = wire::parse(LinkType::Ethernet, frame, frame.len() as u32, None).expect("a frame that is read");
        self.detector.observe(&summary, Timestamp::from_micros(at), Side::Lan, &mut self.heard);
    }

    /// A segment that opens a conversation, and is cut.
    fn cut(&mut self, at: u64, ports: (u16, u16), from: End, to: End) {
        self.see(at, &frames::tcp(from, to, ports, SYN, 0, b""));
        let denied = Denied { mac: from.mac, host: from.key(), target: to.key(), protocol: TCP, port: ports.1 };
        self.detector.deny(&denied, &mut self.heard);
    }

    /// What was found of denied attempts.
    fn denied(&self) -> Vec<&Finding> {
        self.heard.0.iter().filter(|finding| finding.family == Family::Denied).collect()
    }

    /// That nothing of all this blocks anybody.
    fn nobody_is_high(&self) {
        assert!(self.heard.0.iter().all(|f| f.host_level < ThreatLevel::High), "{:?}", self.heard.0);
    }
}

/// Several draws of one story.
fn drawn(name: &str, mut story: impl FnMut(&mut Draw, &mut Box)) {
    let seed = seed::drawn(name);
    for n in 0..20 {
        let mut site = Box::new();
        story(&mut Draw::new(seed.wrapping_add(n)), &mut site);
        site.nobody_is_high();
    }
}

/// So many attempts at one service, within the hour; returns when the last was.
fn attempts(draw: &mut Draw, site: &mut Box, n: u64) -> u64 {
    let (device, server, mut at) = (draw.host(), draw.host(), draw.start);
    let port = draw.ports(1)[0];
    for _ in 0..n {
        at += 10 * SECOND + draw.chance.within(0..90 * SECOND);
        site.cut(at, (draw.client_port(), port), device, server);
    }
    at
}

/// Attempts at so many services of hosts of the network, within the hour.
fn services(draw: &mut Draw, site: &mut Box, n: u64) {
    let (device, mut at) = (draw.host(), draw.start);
    let several = [draw.host(), draw.host(), draw.host()];
    for port in draw.ports(n as usize) {
        // Slower than a scan.
        at += 5 * MINUTE + draw.chance.within(0..SECOND);
        let server = draw.chance.pick(&several);
        site.cut(at, (draw.client_port(), port), device, server);
    }
}

#[test]
fn thirty_attempts_and_ten_services_that_are_denied_are_nothing() {
    drawn("denied, a few", |draw, site| {
        attempts(draw, site, 30);
        assert_eq!(site.denied(), [] as [&Finding; 0]);
        services(draw, site, 10);
        assert_eq!(site.denied(), [] as [&Finding; 0]);
    });
}

#[test]
fn thirty_one_attempts_or_eleven_services_that_are_denied_are_told() {
    drawn("denied, many", |draw, site| {
        let at = attempts(draw, site, 31);
        let told = site.denied();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].source.to_string().as_str(), told[0].at.micros()), ("rule:denied_again", at));
        assert_eq!((told[0].level, told[0].host_level), (ThreatLevel::Medium, ThreatLevel::Medium));
        let mut site = Box::new();
        services(draw, &mut site, 11);
        let told = site.denied();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].source.to_string(), "rule:denied_services");
        assert_eq!(told[0].host_level, ThreatLevel::Medium);
    });
}

#[test]
fn a_printer_that_tries_a_denied_cloud_for_days_is_told_once() {
    drawn("denied, a printer", |draw, site| {
        let printer = draw.host();
        let cloud = [draw.stranger(), draw.stranger(), draw.stranger()];
        let mut at = draw.start;
        let end = at + 2 * DAY;
        while at < end {
            let address = draw.chance.pick(&cloud);
            let ports = (draw.client_port(), 443);
            // The segment is repeated, as any system does that hears nothing.
            for later in [0, SECOND, 3 * SECOND, 7 * SECOND, 15 * SECOND] {
                site.cut(at + later, ports, printer, address);
            }
            at += 30 * SECOND;
        }
        let told = site.denied();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(site.heard.0.len(), 1, "nothing else either: {:?}", site.heard.0);
        let now = Timestamp::from_micros(at);
        let level = site.detector.table().host(printer.key()).unwrap().judgement.level(now);
        assert_eq!(level, ThreatLevel::Safe, "it fades while the printer goes on");
    });
}

#[test]
fn a_device_that_was_quiet_for_a_week_is_told_again() {
    let (mut draw, mut site) = (Draw::new(seed::drawn("denied, again")), Box::new());
    let (device, server) = (draw.host(), draw.stranger());
    let start = draw.start;
    let mut burst = |site: &mut Box, at: u64| {
        (0..31).for_each(|n| site.cut(at + n * 10 * SECOND, (draw.client_port(), 443), device, server));
    };
    for day in 0..6 {
        burst(&mut site, start + day * DAY);
    }
    assert_eq!(site.denied().len(), 1);
    burst(&mut site, start + 13 * DAY);
    assert_eq!(site.denied().len(), 2);
}

/// Both kinds at once, for hours: nobody is blocked for what was cut.
#[test]
fn whatever_is_denied_never_makes_a_device_high_by_itself() {
    drawn("denied, all of it", |draw, site| {
        let device = draw.host();
        let servers = [draw.host(), draw.host()];
        for n in 0..600 {
            let (server, port) = match n % 2 {
                0 => (servers[0], 443),
                _ => (servers[n / 2 % 2], [22, 445, 3389, 5900, 5985, 443][n / 4 % 6]),
            };
            site.cut(draw.start + n as u64 * 11 * SECOND, (draw.client_port(), port), device, server);
        }
        let told = site.denied();
        assert_eq!(told.len(), 2, "{told:?}");
    });
}

#[test]
fn nothing_is_told_where_detection_is_off_and_of_nobody_beyond_the_box() {
    let (mut draw, mut site) = (Draw::new(seed::drawn("denied, off")), Box::new());
    site.detector.enable(Kinds::NONE);
    attempts(&mut draw, &mut site, 40);
    services(&mut draw, &mut site, 12);
    assert!(site.heard.0.is_empty(), "{:?}", site.heard.0);
    site.detector.enable(Kinds::ALL);
    // One who was never seen on the LAN side, under its hardware address.
    let stranger = HostKey::V4(Ipv4Addr::new(198, 51, 100, 7));
    let (device, server) = (draw.host(), draw.host());
    for port in 1..50 {
        let denied = Denied { mac: device.mac, host: stranger, target: server.key(), protocol: TCP, port };
        site.detector.deny(&denied, &mut site.heard);
    }
    assert!(site.heard.0.is_empty(), "{:?}", site.heard.0);
}
