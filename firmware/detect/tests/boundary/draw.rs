//! What is drawn: hosts, ports, moments; and how a hundred draws are judged.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use detect::forest::Forest;
use detect::{Detector, Finding, Sink, Thresholds, Window};
use features::listed::{Indicators, List};
use features::{Capacities, FeatureVector, HashKey};
use terms::{Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};
use wire::LinkType;

use crate::common::Chance;
use crate::frames::{self, ACK, End, FIN, PSH, SYN};
use crate::seed;

/// Draws on each side of a threshold.
const DRAWS: usize = 100;
/// How long after the crossing packet a finding may come.
pub const IN_TIME: Span = Span::from_secs(3);
/// Clients' ports that differ before they come again.
const MOST_PORTS: usize = 40_000;
/// One second.
pub const SECOND: u64 = 1_000_000;

static FOREST: &[u8] = include_bytes!("../../../../models/picket.forest");

/// A stretch of traffic that is being drawn; its frames come in the order of their times.
pub struct Draw {
    /// Where chance comes from.
    pub chance: Chance,
    /// Whether the hosts speak IPv6.
    v6: bool,
    net: [u8; 2],
    taken: BTreeSet<u16>,
    /// Clients' ports that were used.
    used: BTreeSet<u16>,
    /// Their lengths on the wire come last.
    frames: Vec<(u64, Side, Vec<u8>, u32)>,
    /// Whether nobody else is on the wire.
    quiet: bool,
    /// Who must not become High.
    innocent: Option<HostKey>,
    /// The lists of indicators in force.
    indicators: Arc<Indicators>,
    /// When the drawn traffic begins, microseconds since the epoch.
    pub start: u64,
}

/// What must be found: by whom, of which families, and when the crossing packet was sent.
pub struct Crossing {
    pub host: HostKey,
    pub families: Vec<Family>,
    pub at: u64,
}

/// What detection said.
#[derive(Default)]
struct Heard {
    findings: Vec<Finding>,
    windows: Vec<Window>,
}

impl Sink for Heard {
    fn finding(&mut self, finding: &Finding, _vector: &FeatureVector) {
        self.findings.push(finding.clone());
    }

    fn window(&mut self, window: &Window) {
        self.windows.push(window.clone());
    }
}

impl Draw {
    /// Nothing is drawn yet.
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let start = chance.within(1_500_000_000 * SECOND..1_900_000_000 * SECOND);
        let (v6, net) = (chance.percent(50), chance.word(0..65_535).to_be_bytes());
        Self {
            chance,
            v6,
            net,
            taken: BTreeSet::new(),
            used: BTreeSet::new(),
            frames: Vec::new(),
            quiet: false,
            innocent: None,
            indicators: Arc::default(),
            start,
        }
    }

    /// From here on hosts speak IPv4 only.
    pub fn only_v4(&mut self) {
        self.v6 = false;
    }

    /// From here on hosts speak IPv6 only.
    pub fn only_v6(&mut self) {
        self.v6 = true;
    }

    /// Nobody else is on the wire, but for one frame minutes later.
    pub fn quiet(&mut self) {
        self.quiet = true;
        let (one, last) = (self.host(), self.frames.iter().map(|f| f.0).max().unwrap_or(self.start));
        let later = last + self.chance.within(100 * SECOND..900 * SECOND);
        self.lan(later, frames::udp(one, one, (40_000, 514), b"late"));
    }

    /// This host must not become High.
    pub fn innocent(&mut self, host: End) {
        self.innocent = Some(host.key());
    }

    /// This list of indicators is in force.
    pub fn listed(&mut self, list: List) {
        self.indicators = Arc::new(Indicators::new([Arc::new(list)].into_iter()));
    }

    /// A host that is no other.
    pub fn host(&mut self) -> End {
        let number = loop {
            let number = self.chance.word(2..65_000);
            if self.taken.insert(number) {
                break number;
            }
        };
        let [a, b] = number.to_be_bytes();
        let [c, d] = self.net;
        let ip = if self.v6 {
            IpAddr::V6(Ipv6Addr::new(
                0xfd00,
                u16::from_be_bytes([c, d]),
                0,
                0,
                0x5a,
                0,
                number,
                self.chance.word(0..65_535),
            ))
        } else {
            IpAddr::V4(Ipv4Addr::new(10, c, a, b))
        };
        End { mac: MacAddr::new([2, 0x5a, c, d, a, b]), ip }
    }

    /// A server on the internet that is no other.
    pub fn stranger(&mut self) -> End {
        let mut server = self.host();
        server.ip = match server.ip {
            IpAddr::V4(a) => IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & 0xffff | 0xc612_0000)),
            IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & (u128::MAX >> 16) | 0x2001 << 112)),
        };
        server
    }

    /// A port of a client, used once: conversations that overlap under one pair of ports would be one.
    pub fn client_port(&mut self) -> u16 {
        if self.used.len() == MOST_PORTS {
            self.used.clear();
        }
        loop {
            let port = self.chance.word(20_000..65_000);
            if self.used.insert(port) {
                break port;
            }
        }
    }

    /// So many ports that all differ, below 20,000 and none on which log-ins show.
    pub fn ports(&mut self, n: usize) -> Vec<u16> {
        let mut ports = BTreeSet::new();
        while ports.len() < n {
            let port = self.chance.word(1_024..20_000);
            if !matches!(port, 3389 | 5353 | 8000 | 8080) {
                ports.insert(port);
            }
        }
        let mut ports: Vec<u16> = ports.into_iter().collect();
        self.chance.shuffle(&mut ports);
        ports
    }

    /// So many moments in order, within a stretch of `most` microseconds and of at least `least`, the first at its beginning and
    /// the last at its end.
    pub fn moments(&mut self, n: usize, least: u64, most: u64) -> Vec<u64> {
        let stretch = self.chance.within(least..most + 1);
        let mut moments: Vec<u64> = (0..n).map(|_| self.start + self.chance.within(0..stretch + 1)).collect();
        moments.sort_unstable();
        moments[0] = self.start;
        if n > 1 {
            moments[n - 1] = self.start + stretch;
        }
        moments
    }

    /// So many moments in each of several seconds, so that every second of the stretch holds exactly `n`.
    pub fn rate(&mut self, n: usize, seconds: u64) -> Vec<u64> {
        let mut one: Vec<u64> = (0..n).map(|_| self.chance.within(0..SECOND)).collect();
        one.sort_unstable();
        one.dedup();
        while one.len() < n {
            let extra = self.chance.within(0..SECOND);
            if let Err(place) = one.binary_search(&extra) {
                one.insert(place, extra);
            }
        }
        (0..seconds)
            .flat_map(|s| one.iter().map(move |at| (s, *at)))
            .map(|(s, at)| self.start + s * SECOND + at)
            .collect()
    }

    /// Moments that never come closer than `gap`.
    pub fn apart(&mut self, n: usize, gap: u64) -> Vec<u64> {
        let mut at = self.start;
        (0..n)
            .map(|_| {
                let this = at;
                at += gap + self.chance.within(0..gap / 4);
                this
            })
            .collect()
    }

    /// A frame seen on the LAN side.
    pub fn lan(&mut self, at: u64, frame: Vec<u8>) {
        self.on(Side::Lan, at, frame);
    }

    /// A frame seen on the uplink side.
    pub fn uplink(&mut self, at: u64, frame: Vec<u8>) {
        self.on(Side::Uplink, at, frame);
    }

    /// A frame of `from`, which is on one side and stays there.
    pub fn on(&mut self, side: Side, at: u64, frame: Vec<u8>) {
        let len = frame.len() as u32;
        self.frames.push((at, side, frame, len));
    }

    /// A frame of the LAN side of which only the beginning is kept.
    pub fn long(&mut self, at: u64, frame: Vec<u8>, len: u32) {
        self.frames.push((at, Side::Lan, frame, len));
    }

    /// A TCP conversation in which each side says something, from its first SYN to both FINs. `says` is (whether `orig`, octets).
    pub fn talk(&mut self, at: u64, orig: End, resp: End, port: u16, says: &[(bool, Vec<u8>)]) -> u64 {
        let ports = (self.client_port(), port);
        let back = (ports.1, ports.0);
        let mut seq = [1, 1];
        let mut at = at;
        self.lan(at, frames::tcp(orig, resp, ports, SYN, 0, b""));
        self.lan(at + 200, frames::tcp(resp, orig, back, SYN | ACK, 0, b""));
        self.lan(at + 400, frames::tcp(orig, resp, ports, ACK, 1, b""));
        for (forth, octets) in says {
            at += self.chance.within(1_000..20_000);
            let (from, to, ports, way) = if *forth { (orig, resp, ports, 0) } else { (resp, orig, back, 1) };
            self.lan(at, frames::tcp(from, to, ports, PSH | ACK, seq[way], octets));
            seq[way] += octets.len() as u32;
        }
        let server_ends = self.chance.percent(50);
        for forth in [!server_ends, server_ends] {
            at += self.chance.within(500..5_000);
            let (from, to, ports, way) = if forth { (orig, resp, ports, 0) } else { (resp, orig, back, 1) };
            self.lan(at, frames::tcp(from, to, ports, FIN | ACK, seq[way], b""));
        }
        at
    }

    /// Another household on the same wire, so that time goes on: it fetches a page now and then.
    fn household(&mut self) {
        let first = self.frames.iter().map(|f| f.0).min().unwrap_or(self.start);
        let last = self.frames.iter().map(|f| f.0).max().unwrap_or(self.start);
        let (me, server) = (self.host(), self.host());
        let mut at = first.saturating_sub(5 * SECOND);
        while at < last + 5 * SECOND {
            let page = vec![0x70; self.chance.count(50..900)];
            self.talk(at, me, server, 443, &[(true, vec![0x71; 90]), (false, page)]);
            at += self.chance.within(100_000..900_000);
        }
    }

    /// What detection says of it, at the thresholds that are shipped.
    fn judge(&mut self, thresholds: Thresholds) -> Heard {
        if !self.quiet {
            self.household();
        }
        self.frames.sort_by_key(|frame| frame.0);
        let forest = Forest::load(FOREST, features::schema_hash()).expect("the shipped forest is of this schema");
        let mut detector = Detector::new(HashKey::FIXED, Capacities::default(), thresholds, Some(forest));
        detector.look_for(Arc::clone(&self.indicators));
        let mut heard = Heard::default();
        for (at, side, octets, len) in &self.frames {
            let summary = wire::parse(LinkType::Ethernet, octets, *len, None);
            let summary = summary.unwrap_or_else(|why| panic!("a drawn frame is not read: {why:?} {octets:02x?}"));
            detector.observe(&summary, Timestamp::from_micros(*at), *side, &mut heard);
        }
        detector.close(&mut heard);
        heard
    }
}

/// A hundred draws just below the shipped default: none may make anybody High.
pub fn never_high(name: &str, draw: impl FnMut(&mut Draw)) {
    never(name, draw, |heard| {
        let high = ThreatLevel::High;
        if let Some(finding) = heard.findings.iter().find(|f| f.level == high || f.host_level == high) {
            return Some(format!("{} is High: {} {finding}", finding.host, finding.family));
        }
        let window = heard.windows.iter().find(|w| w.level == high)?;
        Some(format!("a minute of {} is High: {}", window.host, window.family))
    });
}

/// A hundred draws just below a definition that makes nobody High by itself: none may be called by its name.
pub fn never_found(name: &str, family: Family, draw: impl FnMut(&mut Draw)) {
    never(name, draw, |heard| {
        let finding = heard.findings.iter().find(|f| f.family == family)?;
        Some(format!("{} is found: {finding}", finding.host))
    });
}

/// A hundred draws in which a family may be told of a host once within an hour, and no more.
pub fn never_twice(name: &str, family: Family, draw: impl FnMut(&mut Draw)) {
    never(name, draw, |heard| {
        let told: Vec<&Finding> = heard.findings.iter().filter(|f| f.family == family).collect();
        let hour = Span::from_secs(3_600);
        let again = told
            .iter()
            .enumerate()
            .find(|(n, f)| told[..*n].iter().any(|before| before.host == f.host && f.at.since(before.at) < hour));
        again.map(|(_, finding)| format!("{} is told again: {finding}", finding.host))
    });
}

/// A hundred draws of which none may be wrong; `wrong` says what is.
fn never(name: &str, mut draw: impl FnMut(&mut Draw), wrong: impl Fn(&Heard) -> Option<String>) {
    let seed = seed::drawn(name);
    for n in 0..DRAWS as u64 {
        let mut story = Draw::new(seed.wrapping_add(n));
        draw(&mut story);
        if let Some(what) = wrong(&story.judge(Thresholds::default())) {
            panic!("{name}, draw {n} of seed {seed}: {what}");
        }
    }
}

/// A hundred draws just above: each is found, at the right host and in time.
pub fn always_found(name: &str, draw: impl FnMut(&mut Draw) -> Crossing) {
    always_found_with(name, Thresholds::default(), draw);
}

/// A hundred draws in which no finding is High by itself, whatever several make of a host together.
pub fn never_high_itself(name: &str, draw: impl FnMut(&mut Draw)) {
    never(name, draw, |heard| {
        let finding = heard.findings.iter().find(|f| f.level == ThreatLevel::High)?;
        Some(format!("{} is High: {} {finding}", finding.host, finding.family))
    });
}

/// A hundred draws in each of which a finding is High in time: by itself or, with `Finding::host_level`, with others.
pub fn always_high(name: &str, level: impl Fn(&Finding) -> ThreatLevel, mut draw: impl FnMut(&mut Draw) -> Crossing) {
    let seed = seed::drawn(name);
    for n in 0..DRAWS as u64 {
        let mut story = Draw::new(seed.wrapping_add(n));
        let Crossing { host, families, at } = draw(&mut story);
        let heard = story.judge(Thresholds::default());
        let due = Timestamp::from_micros(at) + IN_TIME;
        let of_it = |f: &&Finding| f.host == host && families.contains(&f.family) && f.at <= due;
        let told: Vec<_> = heard.findings.iter().filter(of_it).map(ToString::to_string).collect();
        let high = heard.findings.iter().filter(of_it).any(|f| level(f) == ThreatLevel::High);
        assert!(high, "{name}, draw {n} of seed {seed}: {host} is not High; found: {told:#?}");
    }
}

/// A hundred draws as of `always_found`, with other thresholds.
pub fn always_found_with(name: &str, thresholds: Thresholds, mut draw: impl FnMut(&mut Draw) -> Crossing) {
    let seed = seed::drawn(name);
    for n in 0..DRAWS as u64 {
        let mut story = Draw::new(seed.wrapping_add(n));
        let Crossing { host, families, at } = draw(&mut story);
        let heard = story.judge(thresholds);
        let due = Timestamp::from_micros(at) + IN_TIME;
        let found = heard.findings.iter().find(|f| f.host == host && families.contains(&f.family));
        let told: Vec<_> =
            heard.findings.iter().map(|f| format!("{} {} {}", f.host, f.family, f.at.micros())).collect();
        let Some(found) = found else {
            panic!("{name}, draw {n} of seed {seed}: {host} is not found as one of {families:?}; found: {told:?}")
        };
        if let Some(wrong) =
            heard.findings.iter().find(|f| Some(f.host) == story.innocent && f.level == ThreatLevel::High)
        {
            panic!("{name}, draw {n} of seed {seed}: {} is accused: {wrong}", wrong.host);
        }
        assert!(
            found.at <= due,
            "{name}, draw {n} of seed {seed}: found {} us after the crossing packet",
            found.at.micros() - at
        );
    }
}
