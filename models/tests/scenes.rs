//! Drawn scenes: the same for the same seed, well formed, harmless where they say so, and what they claim where they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use detect::Window;
use models::replay::Replay;
use models::scenes::{self, Deed, Habit, Made, Rhythm, Scene, characters, draw, plots};
use terms::{ThreatLevel, Timestamp};
use wire::tcp::{Flags, Segment};
use wire::{Net, Packet, Transport, dns, tls};

/// A scene of each character, with each plot in one of them.
fn one_of_each(seed: u64, hours: f64) -> impl Iterator<Item = Scene> {
    let plots: Vec<_> = plots().collect();
    let scene = move |(n, character)| Scene::of((seed, n as u64), character, plots.get(n).copied(), hours);
    characters().enumerate().map(scene)
}

/// A scene of each plot, whatever the device.
fn one_of_each_plot(seed: u64, hours: f64) -> impl Iterator<Item = Scene> {
    let characters: Vec<_> = characters().collect();
    let character = move |n: usize| characters[(3 * n + seed as usize) % characters.len()];
    plots().enumerate().map(move |(n, plot)| Scene::of((seed, n as u64), character(n), Some(plot), hours))
}

fn packet(frame: &Made) -> Option<Packet<'_>> {
    let lent = frame.as_frame();
    let summary = wire::parse(lent.link, lent.octets, lent.len, lent.vlan).expect("a drawn frame is well formed");
    match summary.net {
        Net::Ip(packet) => Some(packet),
        Net::Arp(_) => None,
        Net::Other(ethertype) => panic!("nobody draws frames of type {ethertype:04x}"),
    }
}

fn minutes(scene: Scene) -> Vec<Window> {
    let mut replay = Replay::default();
    scene.frames.for_each(|frame| replay.observe(&frame.as_frame()));
    replay.end()
}

#[test]
fn the_same_seed_gives_the_same_frames_and_another_others() {
    let digest = |seed| {
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        let mut mix = |octet: u8| hash = (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        for frame in (0..4).flat_map(|n| draw(seed, n).frames.take(2_000)) {
            frame.at.micros().to_le_bytes().into_iter().for_each(&mut mix);
            frame.octets.iter().copied().for_each(&mut mix);
        }
        hash
    };
    assert_eq!(digest(5), digest(5));
    assert_ne!(digest(5), digest(6));
}

#[test]
fn frames_come_in_order_and_parse_down_to_their_transport() {
    let mut seen = BTreeMap::new();
    for scene in one_of_each(11, 0.5) {
        let (mut last, until) = (scene.from, scene.until + terms::Span::from_secs(600));
        for frame in scene.frames {
            assert!(frame.at >= last && frame.at < until, "{}: {:?}", scene.name, frame.at);
            last = frame.at;
            let Some(packet) = packet(&frame) else { continue };
            let kind = match packet.transport {
                Transport::Tcp(segment) => {
                    assert!(segment.payload.len() <= segment.payload_len as usize);
                    "tcp"
                }
                Transport::Udp(datagram) => {
                    if datagram.dst_port == 53 && packet.dst.is_ipv4() && datagram.payload[2..4] == [1, 0] {
                        assert!(dns::Message::parse(datagram.payload).unwrap().question().is_some());
                    }
                    "udp"
                }
                Transport::Icmp(_) => "icmp",
                Transport::Icmp6(_) => "icmp6",
                other => panic!("{other:?} in {}", scene.name),
            };
            *seen.entry((kind, packet.src.is_ipv4())).or_insert(0) += 1;
        }
    }
    let expected = [("icmp", true), ("icmp6", false), ("tcp", false), ("tcp", true), ("udp", false), ("udp", true)];
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), expected);
}

/// What was seen of one TCP conversation: of `orig`, then of `resp`.
#[derive(Default)]
struct Seen {
    next: [Option<u32>; 2],
    fin: [bool; 2],
    reset: bool,
}

impl Seen {
    /// Takes in a segment; `way` is 0 from `orig`.
    fn takes(&mut self, segment: &Segment<'_>, way: usize) {
        let [syn, fin, ack] = [Flags::SYN, Flags::FIN, Flags::ACK].map(|flag| segment.flags.contains(flag));
        let repeated = syn && self.next[way] == Some(segment.seq.wrapping_add(1));
        if let Some(next) = self.next[way].filter(|_| !repeated) {
            // An acknowledgment may be on its way while its sender goes on.
            let late = segment.payload_len == 0 && !fin && next.wrapping_sub(segment.seq) < 1 << 24;
            assert!(segment.seq == next || late, "octets are missing, or told twice");
            assert!(!self.fin[way] || segment.payload_len == 0, "words after the end");
        } else {
            assert!(syn || segment.flags.contains(Flags::RST), "it begins with a handshake");
        }
        assert!(way == 0 || ack, "who is asked acknowledges");
        let numbered = segment.payload_len + u32::from(syn) + u32::from(fin);
        let next = segment.seq.wrapping_add(numbered);
        if numbered > 0 {
            self.next[way] = Some(next);
        }
        self.fin[way] |= fin;
        self.reset |= segment.flags.contains(Flags::RST);
    }
}

#[test]
fn tcp_conversations_are_complete() {
    let (mut whole, mut silent) = (0, 0);
    for scene in one_of_each(12, 1.0) {
        let mut all: BTreeMap<(IpAddr, u16, IpAddr, u16), Seen> = BTreeMap::new();
        for frame in scene.frames {
            let Some(Packet { src, dst, transport: Transport::Tcp(segment), .. }) = packet(&frame) else { continue };
            let (up, down) =
                ((src, segment.src_port, dst, segment.dst_port), (dst, segment.dst_port, src, segment.src_port));
            if all.contains_key(&down) {
                all.get_mut(&down).unwrap().takes(&segment, 1);
                continue;
            }
            let seen = all.entry(up).or_default();
            // A port may come round again.
            if segment.flags.contains(Flags::SYN) && (seen.reset || seen.fin == [true; 2]) {
                *seen = Seen::default();
            }
            seen.takes(&segment, 0);
        }
        for seen in all.values() {
            if seen.next[1].is_none() && !seen.reset {
                silent += 1;
                continue;
            }
            assert!(seen.reset || seen.fin == [true; 2], "a conversation of {} stays open", scene.name);
            whole += 1;
        }
    }
    assert!(whole > 20 * silent && silent > 20, "{whole} whole, {silent} that nobody answered");
}

#[test]
fn hellos_name_the_server_that_was_looked_up() {
    let (mut named, mut unnamed) = (0, 0);
    for scene in one_of_each(13, 0.3) {
        let mut asked = BTreeSet::new();
        for frame in scene.frames {
            match packet(&frame).map(|p| p.transport) {
                Some(Transport::Udp(datagram)) if datagram.dst_port == 53 => {
                    let question = dns::Message::parse(datagram.payload).and_then(|m| m.question());
                    asked.extend(question.map(|q| q.name.as_bytes().to_vec()));
                }
                Some(Transport::Tcp(segment)) => match tls::client_hello(segment.payload).map(|hello| hello.sni) {
                    Some(Some(name)) => {
                        assert!(asked.contains(name.as_bytes()), "{name} in {}", scene.name);
                        named += 1;
                    }
                    Some(None) => unnamed += 1,
                    None => {}
                },
                _ => {}
            }
        }
    }
    assert!(named > 1_000 && unnamed > 10, "{named} with a name, {unnamed} without");
}

#[test]
fn every_character_is_quiet_by_the_rules_and_cheap() {
    assert!(characters().count() >= 24);
    let names: BTreeSet<_> = characters().map(|c| c.name).collect();
    assert_eq!(names.len(), characters().count(), "names are different");
    let mut found = BTreeMap::new();
    for character in characters() {
        let mut frames = 0;
        for seed in 0..4 {
            let scene = Scene::of((seed, 0), character, None, 1.0);
            let mut replay = Replay::default();
            for frame in scene.frames {
                replay.observe(&frame.as_frame());
                frames += 1;
            }
            for window in replay.end().into_iter().filter(|w| w.level > ThreatLevel::Safe) {
                found.insert((character.name, window.host), (seed, window.family, window.evidence));
            }
        }
        assert!((200..=120_000).contains(&frames), "{} sends {frames} frames in four hours", character.name);
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn beats_keep_within_their_drawn_jitter() {
    let mut checked = 0;
    for scene in (20..24).flat_map(|seed| one_of_each_plot(seed, 2.0)) {
        let threat = scene.threat.clone().unwrap();
        let (Some((period, jitter)), Some(Habit(_, Deed::Visit(visit)))) = (threat.beat(), threat.habits.first())
        else {
            continue;
        };
        // The second habit of a beacon visits the same place by no clock.
        let Some(Habit(Rhythm::Now(_), _)) = threat.habits.get(1) else { continue };
        if !matches!(threat.plot.name, "beacon" | "beacon_jitter") {
            continue;
        }
        let (port, from) = (visit.port, threat.from);
        let mut far = BTreeMap::<IpAddr, Vec<Timestamp>>::new();
        for frame in scene.frames {
            let Some(Packet { dst, transport: Transport::Tcp(segment), .. }) = packet(&frame) else { continue };
            let opens = segment.flags.contains(Flags::SYN) && !segment.flags.contains(Flags::ACK);
            if opens && segment.dst_port == port && frame.at >= from {
                far.entry(dst).or_default().push(frame.at);
            }
        }
        let beats = |times: &[Timestamp]| {
            // Half a second for a name to be found; what lies between two beats is an order.
            let fits =
                |a: Timestamp, b: Timestamp| (b.since(a).micros() as f64 / 1e6 - period).abs() <= period * jitter + 0.5;
            times.iter().filter(|a| times.iter().any(|b| b > a && fits(**a, *b))).count()
        };
        let expected = scene.until.since(from).micros() as f64 / 1e6 / period;
        let most = far.values().map(|times| beats(times)).max().unwrap_or(0) as f64;
        assert!(most >= (expected * 0.6).floor() - 1.0, "{}: {most} beats of {expected:.1}", scene.name);
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
}

#[test]
fn a_threat_begins_after_the_device_and_its_label_with_it() {
    for scene in one_of_each_plot(31, 1.0) {
        let from = scene.threat.as_ref().unwrap().from;
        assert!(scene.from < from && from < scene.until, "{}", scene.name);
        let labels = scene.labels("a.pcap");
        assert!(labels.lines().count() == 2 && labels.contains(&format!(",{:.6},", from.as_secs_f64())), "{labels}");
    }
}

#[test]
fn rows_bear_the_character_and_the_level_of_their_time() {
    let rows = scenes::rows(7, 6, &mut |_, _| ()).unwrap().rows;
    let devices: BTreeSet<_> = rows.iter().map(|r| r.device.as_str()).collect();
    assert!(devices.len() >= 4 && !devices.contains(""));
    assert!(rows.iter().all(|r| r.source == scenes::SOURCE && r.capture.starts_with("scene-7-")));
    for n in 0..6 {
        let scene = draw(7, n);
        let bad = rows.iter().filter(|r| r.capture == scene.name && r.level > ThreatLevel::Safe);
        let first = bad.map(|r| r.minute).min();
        match &scene.threat {
            Some(threat) => assert!(first.unwrap() >= threat.from.minute()),
            None => assert_eq!(first, None),
        }
    }
}

#[test]
fn a_day_needs_no_more_memory_than_an_hour() {
    for name in ["nas", "video_call", "crawler", "smart_tv"] {
        let character = characters().find(|c| c.name == name).unwrap();
        let mut frames = Scene::of((3, 3), character, None, 24.0).frames;
        let mut most = 0;
        while frames.next().is_some() {
            most = most.max(frames.waiting());
        }
        assert!(most < 20_000, "{name}: {most} frames wait at a time");
    }
}

#[test]
fn captures_read_back_as_the_rows_of_the_scenes() {
    let folder = tempfile::tempdir().unwrap();
    scenes::write(9, 2, folder.path()).unwrap();
    let read = models::captures::rows(folder.path(), &mut |_, read| assert!(read.unwrap() > 60)).unwrap().rows;
    let drawn = scenes::rows(9, 2, &mut |_, _| ()).unwrap().rows;
    assert_eq!(read.len(), drawn.len());
    assert!(read.iter().zip(&drawn).all(|(a, b)| (&a.vector, a.level, a.minute) == (&b.vector, b.level, b.minute)));
}

#[test]
fn plots_with_a_definition_are_found() {
    let always = ["dga", "spam_sending"];
    for scene in one_of_each_plot(41, 2.0) {
        let plot = scene.threat.as_ref().unwrap().plot;
        let subject = scene.device;
        if always.contains(&plot.name) {
            let found = minutes(scene).into_iter().any(|w| w.mac == subject && w.family.as_str() == plot.family);
            assert!(found, "{}", plot.name);
        }
    }
}
