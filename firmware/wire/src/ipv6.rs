//! IPv6 headers and the extension headers behind them.
//!
//! **Shape**: version, class and flow label (4), payload length (2), next header (1), hop limit (1), source (16), destination
//! (16); then a chain of extension headers, each with the number of the next and its own length.
//!
//! **Bounds**: [`MOST`] extension headers are followed.
//!
//! **Source**: RFC 8200 sections 3 and 4; RFC 4302 section 2.2 for the length of the authentication header.

use core::net::{IpAddr, Ipv6Addr};

use crate::Ignored;
use crate::icmp::Inner;
use crate::ip::{Body, Packet, Transport, protocol};
use crate::octets::upto;

/// Octets of the fixed header.
const LEN: usize = 40;
/// Extension headers followed before the packet is given up; more than any honest sender chains.
const MOST: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// The fixed header.
struct Header {
    payload_len: u16,
    next: u8,
    src: Ipv6Addr,
    dst: Ipv6Addr,
}

/// Where the chain of extension headers ends.
struct Chain {
    /// The number of what follows.
    next: u8,
    /// Octets of the chain.
    len: u32,
    /// Whether the packet is part of a larger one.
    fragment: bool,
    end: End,
}

/// How the chain of extension headers ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// At a transport header.
    Transport,
    /// At the body of a fragment that is not the first.
    LaterFragment,
    /// Beyond what was captured.
    Cut,
}

/// Reads the packet that begins `octets`, of which the frame on the wire held `on_wire`.
///
/// A payload length of zero, as segmentation offload and jumbograms leave it, stands for all that the frame holds.
#[inline]
pub(crate) fn read(octets: &[u8], on_wire: u32) -> Result<Packet<'_>, Ignored> {
    let header = Header::read(octets)?;
    let room = on_wire.saturating_sub(LEN as u32);
    let payload_len = match (header.payload_len, header.next) {
        (0, protocol::TCP | protocol::UDP | HOP_BY_HOP) => room,
        (0, next) if next == protocol::ICMP6 || is_extension(next) => return Err(Ignored::Ipv6Length),
        // A packet may hold nothing, as those that try whether a protocol is spoken do.
        (0, _) => 0,
        (len, _) => u32::from(len).min(room),
    };
    let payload = upto(octets.get(LEN..).unwrap_or_default(), payload_len);
    let chain = Chain::follow(header.next, payload, payload_len)?;
    let transport = match chain.end {
        End::Transport => {
            let body = Body {
                octets: payload.get(chain.len as usize..).unwrap_or_default(),
                len: payload_len - chain.len,
                fragment: chain.fragment,
            };
            Transport::read(chain.next, 6, body)
        }
        End::LaterFragment => Transport::LaterFragment,
        End::Cut => Transport::Cut,
    };
    Ok(Packet {
        src: IpAddr::V6(header.src),
        dst: IpAddr::V6(header.dst),
        protocol: chain.next,
        len: LEN as u32 + payload_len,
        fragment: chain.fragment,
        transport,
    })
}

/// Reads the packet that an ICMP error quotes, which is cut short by design.
pub(crate) fn quoted(octets: &[u8]) -> Option<Inner> {
    let header = Header::read(octets).ok()?;
    let payload = octets.get(LEN..).unwrap_or_default();
    let chain = Chain::follow(header.next, payload, u32::from(header.payload_len)).ok()?;
    let body = payload.get(chain.len as usize..).filter(|_| chain.end == End::Transport);
    let (src, dst) = (IpAddr::V6(header.src), IpAddr::V6(header.dst));
    Some(Inner::new(src, dst, chain.next, body.unwrap_or_default()))
}

impl Header {
    #[inline]
    fn read(octets: &[u8]) -> Result<Self, Ignored> {
        let (fixed, addresses) = octets.split_first_chunk::<8>().ok_or(Ignored::Ipv6Cut)?;
        let (src, rest) = addresses.split_first_chunk::<16>().ok_or(Ignored::Ipv6Cut)?;
        let dst = rest.first_chunk::<16>().ok_or(Ignored::Ipv6Cut)?;
        if fixed[0] >> 4 != 6 {
            return Err(Ignored::Ipv6Header);
        }
        Ok(Self {
            payload_len: u16::from_be_bytes([fixed[4], fixed[5]]),
            next: fixed[6],
            src: Ipv6Addr::from(*src),
            dst: Ipv6Addr::from(*dst),
        })
    }
}

impl Chain {
    /// Follows the extension headers at the head of a payload of `len` octets.
    #[inline]
    fn follow(next: u8, payload: &[u8], len: u32) -> Result<Self, Ignored> {
        let mut chain = Self { next, len: 0, fragment: false, end: End::Transport };
        for _ in 0..MOST {
            if !is_extension(chain.next) {
                return Ok(chain);
            }
            let head = payload.get(chain.len as usize..).and_then(<[u8]>::first_chunk::<8>);
            let Some(head) = head else {
                chain.end = End::Cut;
                return Ok(chain);
            };
            let own = match chain.next {
                FRAGMENT => 8,
                AUTHENTICATION => (u32::from(head[1]) + 2) * 4,
                _ => (u32::from(head[1]) + 1) * 8,
            };
            if chain.len + own > len {
                return Err(Ignored::Ipv6Extensions);
            }
            if chain.next == FRAGMENT {
                let offset = u16::from_be_bytes([head[2], head[3]]);
                chain.fragment |= offset & 0xfff9 != 0;
                if offset & 0xfff8 != 0 {
                    chain.end = End::LaterFragment;
                }
            }
            chain.next = head[0];
            chain.len += own;
            if chain.end == End::LaterFragment {
                return Ok(chain);
            }
        }
        if is_extension(chain.next) { Err(Ignored::Ipv6Extensions) } else { Ok(chain) }
    }
}

/// Whether this number announces a header that names its successor in the clear.
#[inline]
const fn is_extension(number: u8) -> bool {
    matches!(number, HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY | HOST_IDENTITY | SHIM6)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// A packet with this chain of (own number, octets) in front of ten octets of UDP.
    fn packet(chain: &[(u8, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (place, (_, octets)) in chain.iter().enumerate() {
            let start = body.len();
            body.extend_from_slice(octets);
            body[start] = chain.get(place + 1).map_or(protocol::UDP, |(number, _)| *number);
        }
        body.extend_from_slice(&[0x13, 0x88, 0, 53, 0, 10, 0, 0, 0xaa, 0xbb]);
        let mut packet = std::vec![0x60, 0, 0, 0, 0, body.len() as u8, 0, 64];
        packet[6] = chain.first().map_or(protocol::UDP, |(number, _)| *number);
        packet.extend_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        packet.extend_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        packet.extend(body);
        packet
    }

    fn read_all(octets: &[u8]) -> Result<Packet<'_>, Ignored> {
        read(octets, octets.len() as u32)
    }

    fn is_dns(transport: Transport<'_>) -> bool {
        matches!(transport, Transport::Udp(d) if d.dst_port == 53 && d.payload == [0xaa, 0xbb])
    }

    #[test]
    fn a_plain_packet_carries_its_transport() {
        let octets = packet(&[]);
        let read = read_all(&octets).unwrap();
        assert_eq!(read.src, "2001:db8::1".parse::<IpAddr>().unwrap());
        assert_eq!(read.dst, "2001:db8::2".parse::<IpAddr>().unwrap());
        assert_eq!((read.len, read.protocol, read.fragment), (50, protocol::UDP, false));
        assert!(is_dns(read.transport));
    }

    #[test]
    fn the_protocol_stands_behind_the_extension_headers() {
        let long = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let authentication = [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let octets = packet(&[(HOP_BY_HOP, &[0; 8]), (DESTINATION, &long), (AUTHENTICATION, &authentication)]);
        let read = read_all(&octets).unwrap();
        assert_eq!(read.protocol, protocol::UDP);
        assert!(is_dns(read.transport), "{read:?}");
    }

    #[test]
    fn fragments_are_told_apart() {
        let first = packet(&[(FRAGMENT, &[0, 0, 0, 1, 0, 0, 0, 7])]);
        let first = read_all(&first).unwrap();
        assert!(first.fragment && is_dns(first.transport));
        let later = packet(&[(FRAGMENT, &[0, 0, 0, 8, 0, 0, 0, 7])]);
        let later = read_all(&later).unwrap();
        assert_eq!((later.fragment, later.protocol), (true, protocol::UDP));
        assert_eq!(later.transport, Transport::LaterFragment);
        let atomic = packet(&[(FRAGMENT, &[0; 8])]);
        assert!(!read_all(&atomic).unwrap().fragment);
    }

    #[test]
    fn a_chain_of_eight_is_followed_and_one_of_nine_is_not() {
        assert!(is_dns(read_all(&packet(&[(DESTINATION, &[0; 8][..]); MOST])).unwrap().transport));
        assert_eq!(read_all(&packet(&[(DESTINATION, &[0; 8][..]); MOST + 1])), Err(Ignored::Ipv6Extensions));
    }

    #[test]
    fn an_extension_longer_than_its_packet_is_told_and_one_beyond_the_capture_is_cut() {
        let octets = packet(&[(DESTINATION, &[0, 9, 0, 0, 0, 0, 0, 0])]);
        assert_eq!(read_all(&octets), Err(Ignored::Ipv6Extensions));
        let octets = packet(&[(DESTINATION, &[0; 8])]);
        let snapped = read(&octets[..44], octets.len() as u32).unwrap();
        assert_eq!((snapped.transport, snapped.len), (Transport::Cut, 58));
    }

    #[test]
    fn a_payload_length_of_zero_stands_for_the_frame_where_offload_leaves_it() {
        let mut octets = packet(&[]);
        octets[5] = 0;
        assert!(is_dns(read_all(&octets).unwrap().transport));
        octets[6] = protocol::ICMP6;
        assert_eq!(read_all(&octets), Err(Ignored::Ipv6Length));
        for empty in [protocol::NOTHING, 103, 200] {
            octets[6] = empty;
            assert_eq!(read_all(&octets).map(|p| (p.len, p.transport)), Ok((40, Transport::Other(empty))));
        }
    }

    #[test]
    fn a_header_cut_anywhere_or_of_another_version_is_told() {
        let mut octets = packet(&[]);
        for len in 0..LEN {
            assert_eq!(read(&octets[..len], 50), Err(Ignored::Ipv6Cut), "{len}");
        }
        octets[0] = 0x45;
        assert_eq!(read_all(&octets), Err(Ignored::Ipv6Header));
    }
}
