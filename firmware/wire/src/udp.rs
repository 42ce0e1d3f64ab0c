//! UDP datagrams.
//!
//! **Shape**: ports (2, 2), length (2), checksum (2).
//!
//! **Source**: RFC 768; RFC 2675 section 4 for a length of zero.

use crate::ip::Body;
use crate::octets::upto;

/// Octets of the header.
const LEN: u32 = 8;

/// One datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The port that sent it.
    pub src_port: u16,
    /// The port it is for.
    pub dst_port: u16,
    /// Octets of payload on the wire; of a first fragment, those in this packet.
    pub payload_len: u32,
    /// The payload, as far as it was captured.
    pub payload: &'a [u8],
}

impl<'a> Datagram<'a> {
    #[inline]
    pub(crate) fn read(body: Body<'a>) -> Option<Self> {
        let [a, b, c, d, e, f, _, _] = *body.octets.first_chunk()?;
        let (payload, room) = body.behind(LEN)?;
        let payload_len = match u32::from(u16::from_be_bytes([e, f])) {
            0 => room,
            told => told.checked_sub(LEN)?.min(room),
        };
        let payload_len = if body.fragment { room } else { payload_len };
        Some(Self {
            src_port: u16::from_be_bytes([a, b]),
            dst_port: u16::from_be_bytes([c, d]),
            payload_len,
            payload: upto(payload, payload_len),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATAGRAM: [u8; 12] = [0x13, 0x88, 0, 53, 0, 10, 0, 0, 1, 2, 3, 4];

    fn body(octets: &[u8], fragment: bool) -> Body<'_> {
        Body { octets, len: DATAGRAM.len() as u32, fragment }
    }

    #[test]
    fn the_payload_ends_where_the_datagram_says() {
        let datagram = Datagram::read(body(&DATAGRAM, false)).unwrap();
        assert_eq!((datagram.src_port, datagram.dst_port), (5000, 53));
        assert_eq!((datagram.payload_len, datagram.payload), (2, &[1, 2][..]));
    }

    #[test]
    fn a_length_of_zero_or_beyond_the_packet_stands_for_the_packet() {
        for len in [0, 200] {
            let mut octets = DATAGRAM;
            octets[5] = len;
            assert_eq!(Datagram::read(body(&octets, false)).unwrap().payload_len, 4, "{len}");
        }
    }

    #[test]
    fn a_length_inside_the_header_is_malformed() {
        let mut octets = DATAGRAM;
        octets[5] = 7;
        assert_eq!(Datagram::read(body(&octets, false)), None);
    }

    #[test]
    fn a_first_fragment_has_what_its_packet_holds() {
        assert_eq!(Datagram::read(body(&DATAGRAM, true)).unwrap().payload_len, 4);
    }

    #[test]
    fn a_header_cut_anywhere_is_none() {
        for len in 0..8 {
            assert_eq!(Datagram::read(body(&DATAGRAM[..len], false)), None, "{len}");
        }
    }
}
