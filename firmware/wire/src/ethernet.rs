//! Ethernet II and IEEE 802.3 headers.
//!
//! **Shape**: destination (6), source (6), ethertype or length (2).
//!
//! **Source**: IEEE 802.3-2018 clause 3.

use terms::MacAddr;

use crate::{ETHERTYPE_IPV4, ETHERTYPE_IPV6, Ignored};

/// Octets of the header.
const LEN: usize = 14;

/// Who sent a frame to whom, and what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) src: MacAddr,
    pub(crate) dst: MacAddr,
    pub(crate) ethertype: u16,
}

impl Header {
    /// The header and what follows it.
    #[inline]
    pub(crate) fn read(octets: &[u8]) -> Result<(Self, &[u8]), Ignored> {
        let (head, rest) = octets.split_first_chunk::<LEN>().ok_or(Ignored::EthernetCut)?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, high, low] = *head;
        let header = Self {
            src: MacAddr::new([g, h, i, j, k, l]),
            dst: MacAddr::new([a, b, c, d, e, f]),
            ethertype: u16::from_be_bytes([high, low]),
        };
        Ok((header, rest))
    }

    /// What stands for the header on a link without one, whose packets begin with this octet.
    #[inline]
    pub(crate) const fn none(first: u8) -> Self {
        let ethertype = match first >> 4 {
            4 => ETHERTYPE_IPV4,
            6 => ETHERTYPE_IPV6,
            _ => 0,
        };
        Self { src: MacAddr::ZERO, dst: MacAddr::ZERO, ethertype }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 15] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xcc, 0xaa];

    #[test]
    fn the_destination_comes_first_on_the_wire() {
        let (header, rest) = Header::read(&FRAME).unwrap();
        assert_eq!(header.dst, MacAddr::new([2, 0, 0, 0, 0, 1]));
        assert_eq!(header.src, MacAddr::new([2, 0, 0, 0, 0, 2]));
        assert_eq!((header.ethertype, rest), (0x88cc, &[0xaa][..]));
    }

    #[test]
    fn a_header_cut_anywhere_is_told() {
        for len in 0..LEN {
            assert_eq!(Header::read(&FRAME[..len]), Err(Ignored::EthernetCut), "{len}");
        }
    }
}
