//! IPv4 headers.
//!
//! **Shape**: version and header length (1), service (1), total length (2), id (2), flags and fragment offset (2), time to live
//! (1), protocol (1), checksum (2), source (4), destination (4), options (up to 40).
//!
//! **Source**: RFC 791 section 3.1.

use core::net::{IpAddr, Ipv4Addr};

use crate::Ignored;
use crate::icmp::Inner;
use crate::ip::{Body, Packet, Transport};
use crate::octets::upto;

/// Octets of a header without options.
const LEN: usize = 20;
/// More fragments follow.
const MORE: u16 = 0x2000;
/// The offset of a fragment in units of eight octets.
const OFFSET: u16 = 0x1fff;

/// The checked fixed part of a header.
struct Header {
    len: u32,
    total: u16,
    fragment: u16,
    protocol: u8,
    src: Ipv4Addr,
    dst: Ipv4Addr,
}

/// Reads the packet that begins `octets`, of which the frame on the wire held `on_wire`.
///
/// A total length of zero, as segmentation offload leaves it, stands for all that the frame holds.
#[inline]
pub(crate) fn read(octets: &[u8], on_wire: u32) -> Result<Packet<'_>, Ignored> {
    let header = Header::read(octets)?;
    let len = match header.total {
        0 => on_wire,
        total => u32::from(total).min(on_wire),
    };
    let body = len.checked_sub(header.len).ok_or(Ignored::Ipv4Length)?;
    let transport = if header.fragment & OFFSET == 0 {
        let captured = upto(octets, len).get(header.len as usize..).unwrap_or_default();
        let body = Body { octets: captured, len: body, fragment: header.fragment & MORE != 0 };
        Transport::read(header.protocol, 4, body)
    } else {
        Transport::LaterFragment
    };
    Ok(Packet {
        src: IpAddr::V4(header.src),
        dst: IpAddr::V4(header.dst),
        protocol: header.protocol,
        len,
        fragment: header.fragment & (MORE | OFFSET) != 0,
        transport,
    })
}

/// Reads the packet that an ICMP error quotes, which is cut short by design.
pub(crate) fn quoted(octets: &[u8]) -> Option<Inner> {
    let header = Header::read(octets).ok()?;
    let body = octets.get(header.len as usize..).filter(|_| header.fragment & OFFSET == 0);
    let (src, dst) = (IpAddr::V4(header.src), IpAddr::V4(header.dst));
    Some(Inner::new(src, dst, header.protocol, body.unwrap_or_default()))
}

impl Header {
    #[inline]
    fn read(octets: &[u8]) -> Result<Self, Ignored> {
        let h = octets.first_chunk::<LEN>().ok_or(Ignored::Ipv4Cut)?;
        let len = u32::from(h[0] & 0x0f) * 4;
        if h[0] >> 4 != 4 || len < LEN as u32 {
            return Err(Ignored::Ipv4Header);
        }
        Ok(Self {
            len,
            total: u16::from_be_bytes([h[2], h[3]]),
            fragment: u16::from_be_bytes([h[6], h[7]]),
            protocol: h[9],
            src: Ipv4Addr::new(h[12], h[13], h[14], h[15]),
            dst: Ipv4Addr::new(h[16], h[17], h[18], h[19]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::protocol;

    /// A packet of ten octets of UDP to which the link has added six octets of padding.
    const PACKET: [u8; 36] = [
        0x45, 0, 0, 30, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 168, 7, 9, 192, 168, 7, 1, //
        0x13, 0x88, 0, 53, 0, 10, 0, 0, 0xaa, 0xbb, //
        0, 0, 0, 0, 0, 0,
    ];

    fn with(change: impl FnOnce(&mut [u8; 36])) -> [u8; 36] {
        let mut packet = PACKET;
        change(&mut packet);
        packet
    }

    #[test]
    fn padding_of_the_link_is_not_payload() {
        let packet = read(&PACKET, 36).unwrap();
        assert_eq!((packet.len, packet.protocol, packet.fragment), (30, protocol::UDP, false));
        let Transport::Udp(datagram) = packet.transport else { panic!("{packet:?}") };
        assert_eq!((datagram.src_port, datagram.dst_port), (5000, 53));
        assert_eq!((datagram.payload_len, datagram.payload), (2, &[0xaa, 0xbb][..]));
    }

    #[test]
    fn a_total_length_of_zero_stands_for_the_frame() {
        let octets = with(|p| (p[3], p[9]) = (0, 200));
        let packet = read(&octets, 36).unwrap();
        assert_eq!((packet.len, packet.transport), (36, Transport::Other(200)));
    }

    #[test]
    fn a_length_beyond_the_frame_counts_only_as_far_as_the_frame() {
        let octets = with(|p| p[2] = 0xff);
        assert_eq!(read(&octets, 36).unwrap().len, 36);
    }

    #[test]
    fn a_snapped_packet_keeps_the_length_it_had() {
        let packet = read(&PACKET[..28], 36).unwrap();
        let Transport::Udp(datagram) = packet.transport else { panic!("{packet:?}") };
        assert_eq!((packet.len, datagram.payload_len, datagram.payload.len()), (30, 2, 0));
    }

    #[test]
    fn a_first_fragment_has_a_transport_and_a_later_one_has_none() {
        let first = with(|p| p[6] = 0x20);
        let first = read(&first, 36).unwrap();
        assert!(first.fragment && matches!(first.transport, Transport::Udp(_)));
        let later = with(|p| p[7] = 3);
        let later = read(&later, 36).unwrap();
        assert!(later.fragment && later.transport == Transport::LaterFragment);
    }

    #[test]
    fn options_are_stepped_over_and_options_beyond_the_capture_cut_the_transport() {
        let mut octets = [0; 40];
        octets[..20].copy_from_slice(&PACKET[..20]);
        (octets[0], octets[3]) = (0x46, 34);
        octets[24..34].copy_from_slice(&PACKET[20..30]);
        assert!(matches!(read(&octets, 40).unwrap().transport, Transport::Udp(d) if d.dst_port == 53));
        assert_eq!(read(&octets[..22], 40).unwrap().transport, Transport::Cut);
    }

    #[test]
    fn a_wrong_version_or_header_length_is_told() {
        assert_eq!(read(&with(|p| p[0] = 0x65), 36), Err(Ignored::Ipv4Header));
        assert_eq!(read(&with(|p| p[0] = 0x44), 36), Err(Ignored::Ipv4Header));
        assert_eq!(read(&with(|p| p[3] = 19), 36), Err(Ignored::Ipv4Length));
    }

    #[test]
    fn a_header_cut_anywhere_is_told() {
        for len in 0..LEN {
            assert_eq!(read(&PACKET[..len], 36), Err(Ignored::Ipv4Cut), "{len}");
        }
    }
}
