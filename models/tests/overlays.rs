//! Attacks laid over the traffic of networks that they were not captured in: each keeps its level, and nobody else gets one.
//!
//! The pairs are drawn anew each run, as are the other network, the hops, the frames that are lost and whether the attack takes twice as
//! long. Captures are found through PICKET_CAPTURES.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not there")]

#[path = "../../tests/common/seed.rs"]
mod seed;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use detect::forest::Forest;
use detect::{Detector, Finding, Sink, Thresholds, Window};
use features::{Capacities, FeatureVector, HashKey};
use models::labels::{Label, Labels, Subject};
use models::overlay::{self, Device, Kept, Moved};
use models::sample::Random;
use terms::{HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

static FOREST: &[u8] = include_bytes!("../picket.forest");
/// Families that are counted; the forest's are the report's business.
const DEFINED: [&str; 9] = [
    "port_scan",
    "host_sweep",
    "arp_scan",
    "arp_spoof",
    "brute_force",
    "dns_tunnel",
    "icmp_tunnel",
    "flood_icmp",
    "cryptomining",
];
/// Backgrounds are drawn from captures of so many frames.
const BACKGROUND: std::ops::Range<usize> = 200..20_000;
/// Attacks are at most so many frames.
const ATTACK: usize = 150_000;

/// Harmless pasts that are drawn for each family.
const HARMLESS: usize = 8;
/// How much later than without a past something may be found.
const LATER: Span = Span::from_secs(1);

/// What detection said.
#[derive(Default)]
struct Heard {
    /// The highest level of each host, by address and by hardware address.
    levels: BTreeMap<String, ThreatLevel>,
    /// The first finding of High about each.
    high: BTreeMap<HostKey, Timestamp>,
}

impl Heard {
    /// Of these frames, and of silence from then on until this moment.
    fn of(frames: &[Kept], until: Timestamp) -> Self {
        let forest = Forest::load(FOREST, features::schema_hash()).unwrap();
        let mut detector = Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), Some(forest));
        let mut heard = Self::default();
        for frame in frames {
            if let Ok(summary) = wire::parse(frame.link, &frame.octets, frame.len, None) {
                detector.observe(&summary, frame.at, Side::Unknown, &mut heard);
            }
        }
        detector.tick(until, &mut heard);
        detector.close(&mut heard);
        heard
    }

    fn note(&mut self, host: HostKey, mac: MacAddr, level: ThreatLevel) {
        for name in [host.to_string(), format!("mac:{mac}")] {
            let known = self.levels.entry(name).or_insert(level);
            *known = level.max(*known);
        }
    }

    fn level(&self, name: &str) -> ThreatLevel {
        self.levels.get(name).copied().unwrap_or(ThreatLevel::Safe)
    }
}

impl Sink for Heard {
    fn finding(&mut self, finding: &Finding, _: &FeatureVector) {
        self.note(finding.host, finding.mac, finding.level);
        if finding.level == ThreatLevel::High {
            self.high.entry(finding.host).or_insert(finding.at);
        }
    }

    fn window(&mut self, window: &Window) {
        self.note(window.host, window.mac, window.level);
    }
}

fn train() -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    let folder = std::env::var_os("PICKET_CAPTURES").map_or(shared, PathBuf::from).join("train");
    folder.join("labels.csv").exists().then_some(folder)
}

/// A subject's name, and its name elsewhere.
fn names(subject: &Subject, moved: &Moved) -> Option<(String, String)> {
    match subject {
        Subject::Host(host) => {
            let key = HostKey::from(host.parse::<std::net::IpAddr>().ok()?);
            Some((key.to_string(), moved.host(key).to_string()))
        }
        Subject::Mac(mac) => {
            let mac: MacAddr = mac.parse().ok()?;
            Some((format!("mac:{mac}"), format!("mac:{}", moved.hardware(mac))))
        }
        Subject::Others => None,
    }
}

fn is_defined(label: &Label) -> bool {
    label.level > ThreatLevel::Safe && DEFINED.iter().any(|family| label.family.starts_with(family))
}

/// A capture that is drawn from these, and of a size to be a background.
fn background<'a>(folder: &Path, of: &[&'a str], random: &mut Random) -> (&'a str, Vec<Kept>) {
    loop {
        let name = *random.pick(of);
        let frames = overlay::read(&folder.join(name)).unwrap();
        if BACKGROUND.contains(&frames.len()) {
            return (name, frames);
        }
    }
}

/// Every address that frames come from or go to.
fn addresses(frames: &[Kept]) -> BTreeSet<HostKey> {
    let summaries = frames.iter().filter_map(|frame| wire::parse(frame.link, &frame.octets, frame.len, None).ok());
    let of = |net| match net {
        wire::Net::Ip(packet) => vec![packet.src.into(), packet.dst.into()],
        wire::Net::Arp(arp) => vec![HostKey::V4(arp.sender), HostKey::V4(arp.target)],
        wire::Net::Lldp(_) | wire::Net::Other(_) => vec![],
    };
    summaries.flat_map(|summary| of(summary.net)).collect()
}

/// The first and the last moment.
fn span(frames: &[Kept]) -> (Timestamp, Timestamp) {
    let times = || frames.iter().map(|frame| frame.at);
    times().min().zip(times().max()).unwrap_or_default()
}

/// The private host that sends most, if its frames have hardware addresses.
fn busiest(frames: &[Kept]) -> Option<Device> {
    let mut sent: BTreeMap<(Ipv4Addr, [u8; 6]), usize> = BTreeMap::new();
    for frame in frames {
        let Ok(summary) = wire::parse(frame.link, &frame.octets, frame.len, None) else { continue };
        if let wire::Net::Ip(packet) = summary.net
            && let IpAddr::V4(address) = packet.src
            && address.is_private()
            && summary.src != MacAddr::ZERO
        {
            *sent.entry((address, summary.src.octets())).or_default() += 1;
        }
    }
    let ((address, mac), _) = sent.into_iter().max_by_key(|(_, frames)| *frames)?;
    Some(Device { address, mac: MacAddr::new(mac) })
}

#[test]
fn attacks_keep_their_level_over_foreign_traffic_and_nobody_else_gets_one() {
    let Some(folder) = train() else { return println!("SKIP: no labelled captures (PICKET_CAPTURES)") };
    let labels = Labels::of_folder(&folder).unwrap();
    let mut random = Random::new(seed::drawn("overlays"));
    let pcaps = || labels.captures().filter(|name| name.contains(".pcap"));
    let quiet: Vec<&str> = pcaps().filter(|c| labels.about(c).iter().all(|l| l.level == ThreatLevel::Safe)).collect();
    let (mut wrong, mut kept) = (Vec::new(), 0);
    for capture in pcaps().filter(|capture| labels.about(capture).iter().any(is_defined)) {
        let attack = overlay::read(&folder.join(capture)).unwrap();
        if attack.len() > ATTACK {
            continue;
        }
        let (background, frames) = background(&folder, &quiet, &mut random);
        let (first, last) = span(&frames);
        let there = addresses(&frames);
        let here = addresses(&attack);
        let mut moved = Moved {
            begin: first + Span::from_micros((random.share() * last.since(first).micros() as f64) as u64),
            slower: 1 + u64::from(random.happens(0.5)),
            lost: if random.happens(0.5) { 0.02 } else { 0.0 },
            network: random.bits() as u16,
            hops: random.below(20) as u8,
            played: None,
        };
        // Who came to have the address of another would be two.
        let collides = |moved: &Moved| {
            let [high, low] = moved.network.to_be_bytes();
            let whole = high & 15 != 0 && low != 0;
            !whole || here.iter().any(|host| there.contains(&moved.host(*host)) && moved.host(*host) != *host)
        };
        while collides(&moved) {
            moved.network = random.bits() as u16;
        }
        let (started, ended) = span(&attack);
        let until =
            last.max(moved.begin + Span::from_micros(ended.since(started).micros() * moved.slower)) + LATER + LATER;
        let (alone, calm) = (Heard::of(&attack, ended + LATER + LATER), Heard::of(&frames, until));
        // Where one frame tells all, it may be among the lost.
        let tries = if moved.lost > 0.0 { 3 } else { 1 };
        let all: Vec<Heard> = (0..tries)
            .map(|_| Heard::of(&overlay::laid_over(moved.apply(&attack, &mut random), &frames), until))
            .collect();
        let most = |name: &str| all.iter().map(|heard| heard.level(name)).max().unwrap_or_default();
        let case = format!("{capture} over {background}, {moved:?}");
        for label in labels.about(capture).iter().filter(|label| is_defined(label)) {
            let Some((here, there)) = names(&label.subject, &moved) else { continue };
            let (before, after) = (alone.level(&here), most(&there));
            kept += usize::from(after >= before);
            if after < before {
                wrong.push(format!("{} of {here} was {before} and is {after} as {there}: {case}", label.family));
            }
        }
        for (host, level) in calm.levels.iter().filter(|(host, level)| most(host) > **level) {
            wrong.push(format!("{host} was {level} and is {}: {case}", most(host)));
        }
    }
    println!("{kept} subjects kept their level");
    assert!(wrong.is_empty() && kept > 0, "{kept} kept their level\n{}", wrong.join("\n"));
}

#[test]
fn a_known_and_harmless_host_that_attacks_is_found_as_fast_as_a_stranger() {
    let Some(folder) = train() else { return println!("SKIP: no labelled captures (PICKET_CAPTURES)") };
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    let (labels, recorded) = (Labels::of_folder(&folder).unwrap(), Labels::of_folder(&recordings).unwrap());
    let mut random = Random::new(seed::drawn("known hosts"));
    let pcaps = || labels.captures().filter(|name| name.contains(".pcap"));
    let quiet: Vec<&str> = pcaps().filter(|c| labels.about(c).iter().all(|l| l.level == ThreatLevel::Safe)).collect();
    let (mut wrong, mut found) = (Vec::new(), 0);
    for family in ["port_scan_vertical", "brute_force_ftp", "brute_force_ssh", "flood_syn", "flood_udp"] {
        let of_family: Vec<&str> = recorded.captures().filter(|name| name.starts_with(family)).collect();
        for _ in 0..HARMLESS {
            let name = *random.pick(&of_family);
            let attack = overlay::read(&recordings.join(name)).unwrap();
            let label = recorded.about(name).iter().find(|label| label.family == family);
            let Some(Subject::Host(attacker)) = label.map(|label| &label.subject) else { continue };
            let Ok(attacker) = attacker.parse::<Ipv4Addr>() else { continue };
            let sent = |frame: &&Kept| frame.octets.get(26..30) == Some(&attacker.octets());
            let Some(first) = attack.iter().find(sent) else { continue };
            let mac = MacAddr::new(*first.octets[6..].first_chunk().unwrap());
            let (past, frames) = background(&folder, &quiet, &mut random);
            let Some(host) = busiest(&frames) else { continue };
            let moved = Moved {
                begin: span(&frames).1 + Span::from_secs(5),
                slower: 1,
                lost: 0.0,
                network: 0,
                hops: 0,
                played: Some([Device { address: attacker, mac }, host]),
            };
            let acts = moved.apply(&attack, &mut random);
            let high = |frames: &[Kept]| {
                Heard::of(frames, span(frames).1 + LATER + LATER).high.get(&HostKey::V4(host.address)).copied()
            };
            let (alone, known) = (high(&acts), high(&overlay::laid_over(acts.clone(), &frames)));
            let Some(alone) = alone else { continue };
            found += 1;
            if known.is_none_or(|known| known > alone + LATER) {
                wrong.push(format!("{name} by {} of {past}: a stranger at {alone:?}, it at {known:?}", host.address));
            }
        }
    }
    println!("{found} attacks of known hosts");
    assert!(wrong.is_empty() && found > HARMLESS, "{}", wrong.join("\n"));
}
