//! The Linux cooked header, version 1, as captures on the `any` link have it.
//!
//! **Shape**: packet type (2), hardware type (2), address length (2), sender's address (8), ethertype (2).
//!
//! **Source**: the LINKTYPE_LINUX_SLL page of tcpdump.org.

use terms::MacAddr;

use crate::Ignored;
use crate::ethernet::Header;

/// Octets of the header.
const LEN: usize = 16;
/// The packet type of a frame for every host.
const BROADCAST: u16 = 1;

/// The header and what follows it. The receiver is told only where it is everybody.
#[inline]
pub(crate) fn read(octets: &[u8]) -> Result<(Header, &[u8]), Ignored> {
    let (head, rest) = octets.split_first_chunk::<LEN>().ok_or(Ignored::CookedCut)?;
    let pair = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let src = match pair(4) {
        6 => MacAddr::new([head[6], head[7], head[8], head[9], head[10], head[11]]),
        _ => MacAddr::ZERO,
    };
    let dst = if pair(0) == BROADCAST { MacAddr::BROADCAST } else { MacAddr::ZERO };
    Ok((Header { src, dst, ethertype: pair(14) }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; LEN] = [0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 8, 6];

    #[test]
    fn the_sender_is_known_and_a_broadcast_is_for_all() {
        let (header, rest) = read(&FRAME).unwrap();
        assert_eq!(header.src, MacAddr::new([2, 0, 0, 0, 0, 9]));
        assert_eq!(header.dst, MacAddr::BROADCAST);
        assert_eq!((header.ethertype, rest.len()), (0x0806, 0));
    }

    #[test]
    fn a_link_without_hardware_addresses_has_none() {
        let mut frame = FRAME;
        (frame[1], frame[5]) = (0, 0);
        let (header, _) = read(&frame).unwrap();
        assert_eq!((header.src, header.dst), (MacAddr::ZERO, MacAddr::ZERO));
    }

    #[test]
    fn a_header_cut_anywhere_is_told() {
        for len in 0..LEN {
            assert_eq!(read(&FRAME[..len]), Err(Ignored::CookedCut), "{len}");
        }
    }
}
