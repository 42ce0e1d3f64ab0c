//! Frames: the same for the same seed, in order, well formed, and no more of them at a time than need be.

use std::collections::{BTreeMap, BTreeSet};

use models::scenes::{Scene, characters, draw};
use terms::Span;
use wire::{Transport, dns, tls};

use crate::{one_of_each, packet};

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
        let (mut last, until) = (scene.from, scene.until + Span::from_secs(600));
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
fn a_day_needs_no_more_memory_than_an_hour() {
    for name in ["nas", "video_call", "crawler", "smart_tv"] {
        let character = characters().find(|c| c.name == name).unwrap();
        let mut frames = Scene::of((3, 3), character, None, 24.0, None).frames;
        let mut most = 0;
        while frames.next().is_some() {
            most = most.max(frames.waiting());
        }
        assert!(most < 20_000, "{name}: {most} frames wait at a time");
    }
}
