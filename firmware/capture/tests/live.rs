//! A link of two ends in a namespace of its own: what is sent at one end is what the tap at the other lends.

#[path = "common/netns.rs"]
mod netns;

use std::time::{Duration, Instant};

use capture::{LinkGone, Plain, Ring, Tap, TapError, wait};
use netns::{in_own_namespace, ip, until_up};
use pnet_datalink::{Channel, Config, DataLinkSender};
use terms::Side;

/// What a test remembers of a frame: VLAN, length on the wire, octets kept.
type Seen = (Option<u16>, u32, Vec<u8>);

const SNAP: u32 = 128;
const DEEP: usize = 446;

fn two_ends() {
    ip("link add near type veth peer name far");
    ip("link set near up");
    ip("link set far up");
    until_up("near");
    until_up("far");
}

fn sender(link: &str) -> Box<dyn DataLinkSender> {
    let link = pnet_datalink::interfaces().into_iter().find(|known| known.name == link).expect("the link exists");
    match pnet_datalink::channel(&link, Config::default()).expect("the link can be written") {
        Channel::Ethernet(sender, _) => sender,
        _ => panic!("a link is an Ethernet"),
    }
}

fn send(sender: &mut dyn DataLinkSender, octets: &[u8]) {
    sender.send_to(octets, None).expect("the link takes frames").expect("the frame is sent");
}

/// Reads until so many frames came in, or nothing more for a second.
fn read(taps: &mut [Tap], want: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    while seen.len() < want && wait(taps, Duration::from_secs(1)).expect("the link is there") {
        for tap in &mut *taps {
            tap.drain(64, &mut |frame| {
                assert_eq!(frame.side, Side::Lan);
                seen.push((frame.vlan, frame.len, frame.octets.to_vec()));
            })
            .expect("the link is there");
        }
    }
    seen
}

/// Compares frame by frame, so that a difference is told in one line.
fn same(seen: &[Seen], want: &[Seen]) {
    for (number, (seen, want)) in seen.iter().zip(want).enumerate() {
        assert!(seen == want, "frame {number} of {} octets came as one of {}", want.1, seen.1);
    }
    assert_eq!(seen.len(), want.len(), "frames seen");
}

fn ring(frames: u32) -> [Tap; 1] {
    [Tap::Ring(Ring::open("far", Side::Lan, SNAP, frames).expect("root may read a link"))]
}

/// An Ethernet frame whose octets all differ from its neighbour's.
fn frame(number: usize, len: usize, ethertype: u16) -> Vec<u8> {
    let mut octets: Vec<u8> = (0..len).map(|at| (at + number) as u8).collect();
    octets[..6].copy_from_slice(&[2, 0, 0, 0, 0, 2]);
    octets[12..14].copy_from_slice(&ethertype.to_be_bytes());
    octets
}

/// An IPv4 packet of these ports and this payload, in a frame of so many octets.
fn ipv4(protocol: u8, src: u16, dst: u16, payload: &[u8], len: usize) -> Vec<u8> {
    let mut octets = frame(0, len, 0x0800);
    octets[14] = 0x45;
    octets[20..22].copy_from_slice(&[0, 0]);
    octets[23] = protocol;
    octets[34..36].copy_from_slice(&src.to_be_bytes());
    octets[36..38].copy_from_slice(&dst.to_be_bytes());
    let start = if protocol == 6 { 54 } else { 42 };
    octets[46] = 0x50;
    octets[start..start + payload.len()].copy_from_slice(payload);
    octets
}

#[test]
fn frames_are_seen_in_order_and_own_ones_are_not() {
    in_own_namespace(|| {
        two_ends();
        let mut taps = ring(4096);
        let (mut near, mut far) = (sender("near"), sender("far"));
        let sent: Vec<_> = (0..2000).map(|number| frame(number, 60 + number % 1455, 0x88b5)).collect();
        for octets in &sent {
            send(&mut *near, octets);
            send(&mut *far, octets);
        }
        let seen = read(&mut taps, sent.len() + 1);
        let want: Vec<Seen> =
            sent.iter().map(|octets| (None, octets.len() as u32, octets[..octets.len().min(DEEP)].to_vec())).collect();
        same(&seen, &want);
        let counters = taps[0].counters();
        assert_eq!((counters.frames, counters.dropped), (2000, 0));
    });
}

#[test]
fn times_are_those_of_the_kernel() {
    in_own_namespace(|| {
        two_ends();
        let mut taps = ring(64);
        let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as u64;
        let before = now();
        send(&mut *sender("near"), &frame(0, 60, 0x88b5));
        assert!(wait(&mut taps, Duration::from_secs(5)).unwrap());
        let after = now();
        let mut at = 0;
        taps[0].drain(1, &mut |frame| at = frame.at.micros()).unwrap();
        assert!((before..=after).contains(&at), "{before} {at} {after}");
    });
}

#[test]
fn headers_are_kept_of_every_frame_and_more_of_what_is_read_deeper() {
    in_own_namespace(|| {
        two_ends();
        let mut ipv6_dns = ipv4(17, 0, 0, b"", 600);
        ipv6_dns[12..14].copy_from_slice(&[0x86, 0xdd]);
        ipv6_dns[20] = 17;
        ipv6_dns[54..58].copy_from_slice(&[0xc0, 0, 0, 53]);
        let mut fragment = ipv4(17, 4000, 53, b"", 600);
        fragment[21] = 9;
        let cases = [
            ("bulk TCP", ipv4(6, 40000, 443, b"\x17\x03\x03", 1514), SNAP as usize),
            ("bulk UDP", ipv4(17, 40000, 443, b"", 1514), SNAP as usize),
            ("ICMP", ipv4(1, 0, 0, b"", 600), SNAP as usize),
            ("a later fragment", fragment, SNAP as usize),
            ("a TLS hello", ipv4(6, 40000, 8443, b"\x16\x03\x01", 600), DEEP),
            ("an HTTP answer", ipv4(6, 8080, 40000, b"HTTP/1.1 401", 600), DEEP),
            ("an FTP answer", ipv4(6, 21, 40000, b"530", 600), DEEP),
            ("DNS", ipv4(17, 4000, 53, b"", 600), DEEP),
            ("a DNS answer", ipv4(17, 53, 4000, b"", 600), DEEP),
            ("DHCP", ipv4(17, 68, 67, b"", 342), 342),
            ("DNS over IPv6", ipv6_dns, DEEP),
            ("ARP of odd length", frame(3, 300, 0x0806), 300),
            ("a short frame", ipv4(6, 40000, 443, b"", 138), 138),
            ("a frame cut inside its IP header", frame(0, 20, 0x0800), 20),
        ];
        let mut taps = ring(64);
        let mut near = sender("near");
        for (name, octets, kept) in cases {
            send(&mut *near, &octets);
            let seen = read(&mut taps, 1);
            assert_eq!(seen, [(None, octets.len() as u32, octets[..kept].to_vec())], "{name}");
        }
    });
}

#[test]
fn a_tag_is_told_apart_from_the_octets() {
    in_own_namespace(|| {
        two_ends();
        let mut taps = ring(64);
        let plain = frame(1, 64, 0x88b5);
        let tagged = [&plain[..12], &[0x81, 0, 0xe0, 7], &plain[12..]].concat();
        send(&mut *sender("near"), &tagged);
        assert_eq!(read(&mut taps, 1), [(Some(7), 64, plain)]);
    });
}

#[test]
fn what_the_ring_has_no_room_for_is_counted() {
    in_own_namespace(|| {
        two_ends();
        let mut taps = ring(1);
        let mut near = sender("near");
        for number in 0..2000 {
            send(&mut *near, &frame(number, 60, 0x88b5));
        }
        let seen = read(&mut taps, 2000).len() as u64;
        let counters = taps[0].counters();
        assert_eq!((counters.frames, counters.frames + counters.dropped), (seen, 2000));
        assert_eq!(seen, 512, "the smallest ring is one block");
        // The counters add up although the kernel forgets them when asked.
        send(&mut *near, &frame(0, 60, 0x88b5));
        read(&mut taps, 1);
        assert_eq!(taps[0].counters().frames, 513);
    });
}

#[test]
fn a_link_that_goes_is_reported_and_can_be_opened_again() {
    in_own_namespace(|| {
        two_ends();
        let mut taps = ring(64);
        // Down is not gone.
        ip("link set far down");
        assert!(!wait(&mut taps, Duration::from_millis(10)).expect("the link is only down"));
        ip("link set far up");
        until_up("near");
        send(&mut *sender("near"), &frame(0, 60, 0x88b5));
        assert_eq!(read(&mut taps, 1).len(), 1, "a link that was down is heard again");
        ip("link del far");
        let deadline = Instant::now() + Duration::from_secs(10);
        let gone = loop {
            match wait(&mut taps, Duration::from_millis(10)) {
                Err(LinkGone { link }) => break link,
                Ok(_) => assert!(Instant::now() < deadline, "nothing was said of the link"),
            }
        };
        assert_eq!(gone, "far");
        assert!(taps[0].drain(1, &mut |_| ()).is_err());
        assert!(matches!(Ring::open("far", Side::Lan, SNAP, 64), Err(TapError::Missing(link)) if link == "far"));
        two_ends();
        let mut taps = ring(64);
        send(&mut *sender("near"), &frame(0, 60, 0x88b5));
        assert_eq!(read(&mut taps, 1).len(), 1);
    });
}

#[test]
fn the_fallback_sees_the_same_frames() {
    in_own_namespace(|| {
        two_ends();
        let mut taps = [Tap::Plain(Plain::open("far", Side::Lan).expect("root may read a link"))];
        let (mut near, mut far) = (sender("near"), sender("far"));
        let sent: Vec<_> = (0..500).map(|number| frame(number, 60 + number, 0x88b5)).collect();
        for octets in &sent {
            send(&mut *near, octets);
            send(&mut *far, octets);
        }
        let want: Vec<Seen> =
            sent.iter().map(|octets| (None, octets.len() as u32, octets[..octets.len().min(DEEP)].to_vec())).collect();
        same(&read(&mut taps, 501), &want);
        assert_eq!((taps[0].counters().frames, taps[0].counters().dropped), (500, 0));
    });
}
