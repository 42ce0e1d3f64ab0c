//! TCP segments.
//!
//! **Shape**: ports (2, 2), sequence number (4), acknowledgement (4), data offset (1), flags (1), window (2), checksum (2),
//! urgent pointer (2), options (up to 40).
//!
//! **Source**: RFC 9293 section 3.1.

use core::ops::BitOr;

use crate::ip::Body;

/// Octets of a header without options.
const LEN: usize = 20;

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The port that sent it.
    pub src_port: u16,
    /// The port it is for.
    pub dst_port: u16,
    /// The sequence number of its first octet.
    pub seq: u32,
    /// The sequence number expected next, if [`Flags::ACK`] is set.
    pub ack: u32,
    /// Its flags.
    pub flags: Flags,
    /// The window as written, not scaled.
    pub window: u16,
    /// Octets of payload on the wire, from the length of the packet.
    pub payload_len: u32,
    /// The payload, as far as it was captured.
    pub payload: &'a [u8],
}

/// The flags of a segment.
///
/// **Shape**: one octet; FIN is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl<'a> Segment<'a> {
    #[inline]
    pub(crate) fn read(body: Body<'a>) -> Option<Self> {
        let h = body.octets.first_chunk::<LEN>()?;
        let header_len = u32::from(h[12] >> 4) * 4;
        if header_len < LEN as u32 {
            return None;
        }
        let (payload, payload_len) = body.behind(header_len)?;
        Some(Self {
            src_port: u16::from_be_bytes([h[0], h[1]]),
            dst_port: u16::from_be_bytes([h[2], h[3]]),
            seq: u32::from_be_bytes([h[4], h[5], h[6], h[7]]),
            ack: u32::from_be_bytes([h[8], h[9], h[10], h[11]]),
            flags: Flags(h[13]),
            window: u16::from_be_bytes([h[14], h[15]]),
            payload_len,
            payload,
        })
    }
}

impl Flags {
    /// The sender has nothing more to send.
    pub const FIN: Self = Self(0x01);
    /// Opens a connection.
    pub const SYN: Self = Self(0x02);
    /// Refuses or breaks a connection.
    pub const RST: Self = Self(0x04);
    /// To be handed on at once.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement counts.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x20);

    /// The flags of this octet.
    #[must_use]
    pub const fn new(bits: u8) -> Self {
        Self(bits)
    }

    /// The octet, congestion bits included.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of these are set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether any of these is set.
    #[must_use]
    pub const fn intersects(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// Whether this opens a connection: SYN without ACK.
    #[must_use]
    pub const fn is_open(self) -> bool {
        self.0 & (Self::SYN.0 | Self::ACK.0) == Self::SYN.0
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: [u8; 26] =
        [0x9c, 0x40, 0, 22, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x18, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0xaa, 0xbb];

    fn body(octets: &[u8]) -> Body<'_> {
        Body { octets, len: SEGMENT.len() as u32, fragment: false }
    }

    #[test]
    fn options_are_not_payload() {
        let segment = Segment::read(body(&SEGMENT)).unwrap();
        assert_eq!((segment.src_port, segment.dst_port), (40_000, 22));
        assert_eq!((segment.seq, segment.ack, segment.window), (1, 2, 256));
        assert_eq!(segment.flags, Flags::PSH | Flags::ACK);
        assert_eq!((segment.payload_len, segment.payload), (2, &[0xaa, 0xbb][..]));
    }

    #[test]
    fn a_segment_cut_behind_its_fixed_header_is_read_and_one_cut_before_is_not() {
        for len in 0..SEGMENT.len() {
            let segment = Segment::read(body(&SEGMENT[..len]));
            assert_eq!(segment.map(|s| s.payload_len), (len >= LEN).then_some(2), "{len}");
        }
    }

    #[test]
    fn a_data_offset_inside_the_header_or_beyond_the_packet_is_malformed() {
        for offset in [0x40, 0x70, 0xf0] {
            let mut octets = SEGMENT;
            octets[12] = offset;
            assert_eq!(Segment::read(body(&octets)), None, "{offset:#x}");
        }
    }

    #[test]
    fn only_a_syn_without_ack_opens() {
        assert!(Flags::SYN.is_open());
        assert!(!(Flags::SYN | Flags::ACK).is_open());
        assert!((Flags::SYN | Flags::ACK).contains(Flags::SYN));
        assert!(!Flags::SYN.contains(Flags::SYN | Flags::ACK));
        assert!(Flags::SYN.intersects(Flags::SYN | Flags::ACK));
    }
}
