//! Fragments through a real bridge: later ones pass behind their first, if that one passed, and behind nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod namespace;

use std::net::IpAddr;
use std::time::Duration;

use enforce::Enforcer;
use namespace::wire::{End, TAG, bridge, ip, keep_order};
use namespace::{alone, ruleset};
use policy::{Ruleset, compile, protocol, text};
use terms::Timestamp;

const NOW: u64 = 1_800_000_000;
const DEVICE: [u8; 6] = [2, 0, 0, 0, 0, 1];
const ROUTER: [u8; 6] = [2, 0xff, 0xff, 0xff, 0xff, 0xff];
/// The LAN end and the other, of both kinds of IP.
const ENDS: [[&str; 2]; 2] = [["192.168.7.5", "203.0.113.7"], ["fd00::5", "2001:db8::7"]];
/// The header of IPv6 that a fragment has.
const FRAGMENT_HEADER: u8 = 44;
const ALLOWED: u16 = 2_000;
const DENIED: u16 = 3_000;
const OWN: u16 = 40_000;
const MARKER: u32 = 1_000_000;
const POLICY: &str = "posture = \"enforce\"\nnew = \"nothing\"\n\
    [[device]]\nname = \"pc\"\nmacs = [\"02:00:00:00:00:01\"]\nstate = \"approved\"\n\
    [[allow]]\nname = \"a\"\nwho = \"pc\"\nto = [\"203.0.113.0/24\", \"2001:db8::/32\"]\nservice = [\"udp/2000\", \"tcp/2000\", \"ping\"]\n";

/// Which part of a packet a frame holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Whole,
    /// The first of several.
    First,
    /// A later one that begins at so many times eight octets; more follow.
    Later(u16),
}

/// A packet between the two ends, whole or a piece of it.
#[derive(Clone, Copy)]
struct Packet {
    ends: [IpAddr; 2],
    from_lan: bool,
    protocol: u8,
    port: u16,
    /// What its fragments share.
    id: u16,
    piece: Piece,
}

impl Packet {
    fn with(self, id: u16, piece: Piece) -> Self {
        Self { id, piece, ..self }
    }

    fn back(self) -> Self {
        Self { from_lan: !self.from_lan, ..self }
    }

    /// The frame, by whose number it is known where it arrives.
    fn frame(self, number: u32) -> Vec<u8> {
        let tag = [TAG, &number.to_be_bytes()].concat();
        let [lan, far] = self.ends;
        let (src, dst, macs) = if self.from_lan { (lan, far, [ROUTER, DEVICE]) } else { (far, lan, [DEVICE, ROUTER]) };
        let body = [self.head(), tag].concat();
        let (offset, more) = match self.piece {
            Piece::Whole => (0, false),
            Piece::First => (0, true),
            Piece::Later(offset) => (offset, true),
        };
        let mut frame = macs.concat();
        if src.is_ipv4() || self.piece == Piece::Whole {
            let flags = u16::from(more) << 13 | offset;
            frame.extend(ip(src, dst, self.protocol, body.len(), [self.id, flags]));
        } else {
            let flags = offset << 3 | u16::from(more);
            frame.extend(ip(src, dst, FRAGMENT_HEADER, body.len() + 8, [0; 2]));
            frame.extend([[self.protocol, 0], flags.to_be_bytes(), [0xab, 0xcd], self.id.to_be_bytes()].concat());
        }
        frame.extend(body);
        frame.resize(frame.len().max(60), 0);
        frame
    }

    /// The header behind that of IP; of later fragments some octets of the middle.
    fn head(self) -> Vec<u8> {
        if matches!(self.piece, Piece::Later(_)) {
            return vec![0x55; 16];
        }
        let (own, port) = (OWN.to_be_bytes(), self.port.to_be_bytes());
        let ports = if self.from_lan { [own, port] } else { [port, own] }.concat();
        match self.protocol {
            protocol::UDP => [ports, vec![0, 24, 0, 0]].concat(),
            protocol::TCP => [ports, vec![0; 8], vec![0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]].concat(),
            protocol::ICMP => vec![if self.from_lan { 8 } else { 0 }, 0, 0, 0, own[0], own[1], 0, 1],
            protocol::ICMP6 => vec![if self.from_lan { 128 } else { 129 }, 0, 0, 0, own[0], own[1], 0, 1],
            other => panic!("no protocol of this test: {other}"),
        }
    }
}

/// A bridge that holds the policy.
struct Stand {
    host: End,
    router: End,
    _enforcer: Enforcer,
}

impl Stand {
    fn new() -> Self {
        keep_order();
        let (host, router) = bridge();
        let plan = compile(&text::read(POLICY).unwrap(), &[], Timestamp::from_secs(NOW));
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&Ruleset { plan, ..ruleset(&[]) }, Timestamp::from_secs(NOW)).unwrap();
        Self { host, router, _enforcer: enforcer }
    }

    /// Sends packets of one side; gives which of them arrived. A whole packet that passes ends the reading.
    fn pass(&self, packets: &[Packet]) -> Vec<bool> {
        let first = packets[0];
        let marker = Packet { protocol: protocol::UDP, port: ALLOWED, ..first }.with(0, Piece::Whole);
        let (from, to) = if first.from_lan { (&self.host, &self.router) } else { (&self.router, &self.host) };
        if !first.from_lan {
            // An answer needs its question.
            self.host.send(&marker.back().frame(MARKER + 1));
        }
        for (number, packet) in (0..).zip(packets) {
            assert_eq!(packet.from_lan, first.from_lan);
            from.send(&packet.frame(number));
        }
        from.send(&marker.frame(MARKER));
        let arrived = to.numbers_until(MARKER);
        assert_eq!(arrived.last(), Some(&MARKER), "the marker passes");
        (0..).zip(packets).map(|(number, _)| arrived.contains(&number)).collect()
    }
}

/// Packets of UDP from the LAN between the ends of each kind of IP.
fn both() -> [Packet; 2] {
    ENDS.map(|ends| {
        let ends = ends.map(|address| address.parse().unwrap());
        Packet { ends, from_lan: true, protocol: protocol::UDP, port: ALLOWED, id: 0, piece: Piece::Whole }
    })
}

#[test]
fn later_fragments_pass_behind_their_first_be_it_of_a_new_conversation_or_a_known_one() {
    alone(|| {
        let stand = Stand::new();
        for packet in both() {
            let piece = |id, piece| packet.with(id, piece);
            let alone = stand.pass(&[piece(1, Piece::Later(3)), piece(1, Piece::Later(180))]);
            assert_eq!(alone, [false, false], "behind nothing");
            // The marker made this conversation known by now: a port of its own begins another.
            let fresh = Packet { ends: [packet.ends[0], later(packet.ends[1])], ..packet };
            let sent = [fresh.with(2, Piece::First), fresh.with(2, Piece::Later(3)), fresh.with(2, Piece::Later(180))];
            assert_eq!(stand.pass(&sent), [true; 3], "of the packet that begins it");
            let sent = [fresh.with(3, Piece::First), fresh.with(3, Piece::Later(3)), fresh.with(4, Piece::Later(3))];
            assert_eq!(stand.pass(&sent), [true, true, false], "of a known one, and of no other packet");
            let sent = sent.map(Packet::back);
            assert_eq!(stand.pass(&sent), [true, true, false], "of an answer");
        }
    });
}

#[test]
fn what_is_denied_has_no_later_fragments() {
    alone(|| {
        let stand = Stand::new();
        for packet in both() {
            let denied = Packet { port: DENIED, ..packet };
            assert_eq!(stand.pass(&[denied.with(1, Piece::First), denied.with(1, Piece::Later(3))]), [false; 2]);
            let stranger = Packet { ends: [packet.ends[0], later(packet.ends[1])], port: DENIED, ..packet.back() };
            assert_eq!(stand.pass(&[stranger.with(2, Piece::First), stranger.with(2, Piece::Later(3))]), [false; 2]);
        }
    });
}

#[test]
fn a_fragment_that_could_rewrite_the_flags_of_tcp_does_not_pass() {
    alone(|| {
        let stand = Stand::new();
        for packet in both() {
            let packet = Packet { protocol: protocol::TCP, ..packet };
            let sent = [Piece::First, Piece::Later(1), Piece::Later(2)].map(|piece| packet.with(1, piece));
            assert_eq!(stand.pass(&sent), [true, false, true]);
        }
    });
}

#[test]
fn large_pings_and_their_answers_pass_in_fragments() {
    alone(|| {
        let stand = Stand::new();
        for (packet, number) in both().into_iter().zip([protocol::ICMP, protocol::ICMP6]) {
            let packet = Packet { protocol: number, ..packet };
            let sent = [packet.with(1, Piece::First), packet.with(1, Piece::Later(185))];
            assert_eq!(stand.pass(&sent), [true; 2], "the first ping");
            assert_eq!(stand.pass(&sent.map(|packet| packet.with(2, packet.piece).back())), [true; 2], "its answer");
            assert_eq!(stand.pass(&sent.map(|packet| packet.with(3, packet.piece))), [true; 2], "the second ping");
        }
    });
}

#[test]
fn later_fragments_do_not_pass_for_long() {
    alone(|| {
        let stand = Stand::new();
        for packet in both() {
            assert_eq!(stand.pass(&[packet.with(1, Piece::First), packet.with(1, Piece::Later(3))]), [true; 2]);
        }
        std::thread::sleep(Duration::from_secs(6));
        for packet in both() {
            assert_eq!(stand.pass(&[packet.with(1, Piece::Later(3))]), [false]);
        }
    });
}

/// The next address.
fn later(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(a) => IpAddr::V4(std::net::Ipv4Addr::from_bits(a.to_bits() + 1)),
        IpAddr::V6(a) => IpAddr::V6(std::net::Ipv6Addr::from_bits(a.to_bits() + 1)),
    }
}
