//! VLAN tags inside the frame.
//!
//! **Shape**: each tag is its ethertype (read before), the control information (2) and the next ethertype (2).
//!
//! **Source**: IEEE 802.1Q-2018 clause 9.6.

use crate::Ignored;

/// The ethertypes that announce a tag: customer, service provider, and the one in use before 802.1ad.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// How many tags are taken off, the one of the ring included.
pub(crate) const MOST: usize = 2;
/// Octets of a tag.
pub(crate) const LEN: u32 = 4;
/// The VLAN id inside the control information.
const ID: u16 = 0x0fff;

/// What the tags of a frame say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tags {
    /// The outermost VLAN id.
    pub(crate) id: Option<u16>,
    /// What lies behind the tags.
    pub(crate) ethertype: u16,
}

impl Tags {
    /// Takes off at most so many tags at the head of `octets`, if `ethertype` announces one.
    #[inline]
    pub(crate) fn read(ethertype: u16, octets: &[u8], most: usize) -> Result<(Self, &[u8]), Ignored> {
        let (mut tags, mut octets) = (Self { id: None, ethertype }, octets);
        for _ in 0..most {
            if !TAGS.contains(&tags.ethertype) {
                break;
            }
            let ([a, b, c, d], rest) = octets.split_first_chunk().ok_or(Ignored::VlanCut)?;
            tags.id = tags.id.or(id(u16::from_be_bytes([*a, *b])));
            tags.ethertype = u16::from_be_bytes([*c, *d]);
            octets = rest;
        }
        Ok((tags, octets))
    }
}

/// The VLAN that the control information names; id 0 carries a priority only.
#[inline]
pub(crate) fn id(control: u16) -> Option<u16> {
    Some(control & ID).filter(|id| *id != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_of_two_tags_names_the_vlan() {
        let octets = [0xe0, 100, 0x81, 0, 0, 7, 8, 0, 0x45];
        let (tags, rest) = Tags::read(0x88a8, &octets, MOST).unwrap();
        assert_eq!(tags, Tags { id: Some(100), ethertype: 0x0800 });
        assert_eq!(rest, [0x45]);
    }

    #[test]
    fn a_priority_tag_names_no_vlan() {
        let (tags, _) = Tags::read(0x8100, &[0xe0, 0, 8, 0], MOST).unwrap();
        assert_eq!(tags, Tags { id: None, ethertype: 0x0800 });
    }

    #[test]
    fn a_third_tag_stays_in_the_frame() {
        let (tags, rest) = Tags::read(0x8100, &[0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0], MOST).unwrap();
        assert_eq!((tags.ethertype, rest.len()), (0x8100, 4));
    }

    #[test]
    fn a_tag_cut_anywhere_is_told() {
        for len in 0..4 {
            assert_eq!(Tags::read(0x8100, &[0, 1, 8, 0][..len], MOST), Err(Ignored::VlanCut), "{len}");
        }
    }
}
