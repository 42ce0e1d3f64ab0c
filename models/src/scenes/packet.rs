//! Octets of frames: Ethernet, ARP, IP, TCP, UDP, ICMP.
//!
//! **Shape**: a frame holds what a ring would keep of it: all headers and the head of the payload; its length on the wire may be
//! more. IPv4 and ICMP have their checksums; those of TCP and UDP are left to the card, as in captures made at the sender.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use terms::{MacAddr, Timestamp};
use wire::{ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6};

/// The flags of TCP segments (RFC 9293, section 3.1).
pub const FIN: u8 = 0x01;
/// Opens.
pub const SYN: u8 = 0x02;
/// Aborts.
pub const RST: u8 = 0x04;
/// Hands over.
pub const PSH: u8 = 0x08;
/// Acknowledges.
pub const ACK: u8 = 0x10;

/// The shortest frame, its checksum not counted.
const SHORTEST: usize = 60;
/// Options of a SYN: MSS 1460, SACK permitted, window scale 7.
const SYN_OPTIONS: [u8; 12] = [2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7, 1, 1];

/// One end point with both of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its hardware address, or that of the router in front of it.
    pub mac: MacAddr,
    /// Its address.
    pub ip: IpAddr,
    /// How many hops a packet of it may still go.
    pub ttl: u8,
}

/// A frame and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// When it is seen.
    pub at: Timestamp,
    /// Octets on the wire.
    pub len: u32,
    /// The first of them.
    pub octets: Vec<u8>,
}

/// What a segment or datagram carries: its head, and how long it is in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The head.
    pub head: Vec<u8>,
    /// Octets in all; not fewer than the head's.
    pub len: usize,
}

/// One TCP segment's header.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// The ports of the sender and of the receiver.
    pub ports: (u16, u16),
    /// The flags.
    pub flags: u8,
    /// The number of its first octet.
    pub seq: u32,
    /// The number that the sender expects next.
    pub ack: u32,
}

impl Said {
    /// All of it.
    #[must_use]
    pub fn all(head: impl Into<Vec<u8>>) -> Self {
        let head = head.into();
        Self { len: head.len(), head }
    }

    /// This head, and octets that nobody looks at up to `len`.
    #[must_use]
    pub fn long(head: impl Into<Vec<u8>>, len: usize) -> Self {
        let head = head.into();
        Self { len: len.max(head.len()), head }
    }
}

/// A frame, padded as a card pads it; `rest` octets more were on the wire.
fn ethernet(at: Timestamp, src: MacAddr, dst: MacAddr, ethertype: u16, body: &[&[u8]], rest: usize) -> Made {
    let mut octets = Vec::with_capacity(192);
    octets.extend(dst.octets());
    octets.extend(src.octets());
    octets.extend(ethertype.to_be_bytes());
    body.iter().for_each(|part| octets.extend_from_slice(part));
    if rest == 0 {
        octets.resize(octets.len().max(SHORTEST), 0);
    }
    Made { at, len: u32::try_from(octets.len() + rest).unwrap_or(u32::MAX), octets }
}

/// A packet of the family of its ends.
///
/// # Panics
/// The ends speak different families.
fn packet(at: Timestamp, from: End, to: End, protocol: u8, header: &[u8], said: &Said) -> Made {
    let carried = header.len() + said.len;
    let rest = said.len - said.head.len();
    match (from.ip, to.ip) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut ip = [0; 20];
            ip[0] = 0x45;
            ip[2..4].copy_from_slice(&short(carried + 20).to_be_bytes());
            ip[4..6].copy_from_slice(&short((at.micros() & 0xffff) as usize).to_be_bytes());
            ip[6] = 0x40;
            (ip[8], ip[9]) = (from.ttl, protocol);
            ip[12..16].copy_from_slice(&src.octets());
            ip[16..].copy_from_slice(&dst.octets());
            let sum = checksum(&ip);
            ip[10..12].copy_from_slice(&sum.to_be_bytes());
            ethernet(at, from.mac, to.mac, ETHERTYPE_IPV4, &[&ip, header, &said.head], rest)
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut ip = [0; 40];
            ip[0] = 0x60;
            ip[4..6].copy_from_slice(&short(carried).to_be_bytes());
            (ip[6], ip[7]) = (protocol, from.ttl);
            ip[8..24].copy_from_slice(&src.octets());
            ip[24..].copy_from_slice(&dst.octets());
            ethernet(at, from.mac, to.mac, ETHERTYPE_IPV6, &[&ip, header, &said.head], rest)
        }
        _ => panic!("both ends of a packet speak the same IP"),
    }
}

/// A TCP segment.
#[must_use]
pub fn tcp(at: Timestamp, from: End, to: End, header: Header, said: &Said) -> Made {
    let syn = header.flags & SYN != 0;
    let mut octets = [0; 32];
    octets[..2].copy_from_slice(&header.ports.0.to_be_bytes());
    octets[2..4].copy_from_slice(&header.ports.1.to_be_bytes());
    octets[4..8].copy_from_slice(&header.seq.to_be_bytes());
    octets[8..12].copy_from_slice(&header.ack.to_be_bytes());
    octets[12] = if syn { 0x80 } else { 0x50 };
    octets[13] = header.flags;
    octets[14..16].copy_from_slice(&[0xfa, 0xf0]);
    octets[20..].copy_from_slice(&SYN_OPTIONS);
    packet(at, from, to, wire::protocol::TCP, if syn { &octets } else { &octets[..20] }, said)
}

/// A UDP datagram; `ports` are those of the sender and of the receiver.
#[must_use]
pub fn udp(at: Timestamp, from: End, to: End, ports: (u16, u16), said: &Said) -> Made {
    let [a, b] = ports.0.to_be_bytes();
    let [c, d] = ports.1.to_be_bytes();
    let [e, f] = short(said.len + 8).to_be_bytes();
    packet(at, from, to, wire::protocol::UDP, &[a, b, c, d, e, f, 0, 0], said)
}

/// An ICMP message; `kinds` are its types for IPv4 and for IPv6.
#[must_use]
pub fn icmp(at: Timestamp, from: End, to: End, kinds: (u8, u8), words: (u16, u16), said: &Said) -> Made {
    let (protocol, kind) =
        if from.ip.is_ipv4() { (wire::protocol::ICMP, kinds.0) } else { (wire::protocol::ICMP6, kinds.1) };
    let [a, b] = words.0.to_be_bytes();
    let [c, d] = words.1.to_be_bytes();
    let mut header = [kind, 0, 0, 0, a, b, c, d];
    let mut summed = match (from.ip, to.ip) {
        // RFC 4443, section 2.3: the addresses, the length and the protocol count as well.
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let len = short(header.len() + said.len).to_be_bytes();
            [&src.octets()[..], &dst.octets(), &[0, 0], &len, &[0, 0, 0, protocol]].concat()
        }
        _ => Vec::new(),
    };
    summed.extend(header);
    summed.extend(&said.head);
    header[2..4].copy_from_slice(&checksum(&summed).to_be_bytes());
    packet(at, from, to, protocol, &header, said)
}

/// An ARP packet: a question where `answers` is nothing, else the answer to that hardware address.
#[must_use]
pub fn arp(at: Timestamp, from: (MacAddr, Ipv4Addr), about: Ipv4Addr, answers: Option<MacAddr>) -> Made {
    let target = answers.unwrap_or(MacAddr::ZERO).octets();
    let operation = if answers.is_some() { 2 } else { 1 };
    let dst = answers.unwrap_or(MacAddr::BROADCAST);
    let head = [0, 1, 8, 0, 6, 4, 0, operation];
    let body = [&head[..], &from.0.octets(), &from.1.octets(), &target, &about.octets()];
    ethernet(at, from.0, dst, ETHERTYPE_ARP, &body, 0)
}

/// The end that stands for a multicast group or the broadcast address.
#[must_use]
pub fn group(ip: IpAddr) -> End {
    let mac = match ip {
        IpAddr::V4(Ipv4Addr::BROADCAST) => MacAddr::BROADCAST,
        IpAddr::V4(ip) => {
            let [_, b, c, d] = ip.octets();
            MacAddr::new([1, 0, 0x5e, b & 0x7f, c, d])
        }
        IpAddr::V6(ip) => {
            let [.., a, b, c, d] = ip.octets();
            MacAddr::new([0x33, 0x33, a, b, c, d])
        }
    };
    End { mac, ip, ttl: 1 }
}

/// The group of those that may have an IPv6 address (RFC 4291, section 2.7.1).
#[must_use]
pub fn solicited(address: Ipv6Addr) -> End {
    let [.., a, b, c] = address.octets();
    group(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c])).into())
}

/// A length as a header tells it.
fn short(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

/// **Source**: RFC 1071.
fn checksum(octets: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    let sum: u32 = octets.chunks(2).map(word).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !(((folded & 0xffff) + (folded >> 16)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_that_of_the_rfc() {
        // RFC 1071, section 3, and the header that everybody checks with.
        assert_eq!(checksum(&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        let header = [0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7];
        assert_eq!(checksum(&header), 0xb861);
        assert_eq!(checksum(&[1]), !0x0100);
    }

    #[test]
    fn a_frame_is_padded_and_tells_its_length_on_the_wire() {
        let end = |n| End { mac: MacAddr::new([2, 0, 0, 0, 0, n]), ip: Ipv4Addr::new(10, 0, 0, n).into(), ttl: 64 };
        let at = Timestamp::from_secs(1);
        let short = udp(at, end(1), end(2), (1, 2), &Said::all(*b"abc"));
        assert_eq!((short.len, short.octets.len()), (60, 60));
        let long = udp(at, end(1), end(2), (1, 2), &Said::long(*b"abc", 1_000));
        assert_eq!((long.len, long.octets.len()), (1_042, 45));
    }
}
