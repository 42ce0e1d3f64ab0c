//! ICMP for IPv6, and neighbour discovery in it.
//!
//! **Shape**: type (1), code (1), checksum (2), then four octets by type. Neighbour messages go on with the target address (16)
//! and options of a type (1), a length in units of eight octets (1) and a value.
//!
//! **Source**: RFC 4443 section 2.1; RFC 4861 sections 4.2 to 4.4 and 4.6.1.

use core::net::Ipv6Addr;

use terms::MacAddr;

use crate::icmp::Inner;
use crate::ip::Body;
use crate::ipv6;

/// The packet could not be delivered.
pub const UNREACHABLE: u8 = 1;
/// The packet ran out of hops or of time.
pub const TIME_EXCEEDED: u8 = 3;
/// Asks for an answer.
pub const ECHO_REQUEST: u8 = 128;
/// The answer to an echo.
pub const ECHO_REPLY: u8 = 129;
/// Asks for routers.
pub const ROUTER_SOLICITATION: u8 = 133;
/// Says that the sender is a router.
pub const ROUTER_ADVERTISEMENT: u8 = 134;
/// Asks who has an address.
pub const NEIGHBOR_SOLICITATION: u8 = 135;
/// Says who has an address.
pub const NEIGHBOR_ADVERTISEMENT: u8 = 136;

/// The highest type of an error that quotes a packet; the ones above carry no quotation.
const LAST_ERROR: u8 = 4;
/// Octets in front of the payload.
const LEN: u32 = 8;
/// The option with the hardware address of a solicitation's sender.
const SOURCE_LLADDR: u8 = 1;
/// The option with the hardware address that an advertisement is about.
const TARGET_LLADDR: u8 = 2;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The type of the message.
    pub kind: u8,
    /// What exactly, by type.
    pub code: u8,
    /// The id of an echo; in other messages the fifth and sixth octet.
    pub id: u16,
    /// The sequence number of an echo; in other messages the seventh and eighth octet.
    pub seq: u16,
    /// Octets on the wire behind the first eight.
    pub payload_len: u32,
    /// What lies behind the first eight octets, as far as it was captured.
    pub payload: &'a [u8],
}

/// A neighbour solicitation or advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// Which of the two.
    pub kind: NeighborKind,
    /// The address asked for or claimed.
    pub target: Ipv6Addr,
    /// The hardware address of the asker, or the one claimed for the target.
    pub lladdr: Option<MacAddr>,
    /// Whether an advertisement answers a solicitation.
    pub solicited: bool,
    /// Whether an advertisement is to replace what is known.
    pub override_: bool,
}

/// Which neighbour message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighborKind {
    /// Asks who has the target address.
    Solicitation,
    /// Says who has the target address.
    Advertisement,
}

impl<'a> Message<'a> {
    #[inline]
    pub(crate) fn read(body: Body<'a>) -> Option<Self> {
        let [kind, code, _, _, a, b, c, d] = *body.octets.first_chunk()?;
        let (payload, payload_len) = body.behind(LEN)?;
        let (id, seq) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        Some(Self { kind, code, id, seq, payload_len, payload })
    }

    /// Whether this is an error about another packet.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        self.kind >= UNREACHABLE && self.kind <= LAST_ERROR
    }

    /// The packet at fault, if this is an error and its header was captured.
    #[must_use]
    pub fn inner(&self) -> Option<Inner> {
        if self.is_error() { ipv6::quoted(self.payload) } else { None }
    }

    /// Whether the sender says that it is a router.
    #[must_use]
    pub const fn is_router_advertisement(&self) -> bool {
        self.kind == ROUTER_ADVERTISEMENT && self.code == 0
    }

    /// The neighbour message in this, if it is one and its target was captured.
    #[must_use]
    pub fn neighbor(&self) -> Option<Neighbor> {
        let (kind, option) = match (self.kind, self.code) {
            (NEIGHBOR_SOLICITATION, 0) => (NeighborKind::Solicitation, SOURCE_LLADDR),
            (NEIGHBOR_ADVERTISEMENT, 0) => (NeighborKind::Advertisement, TARGET_LLADDR),
            _ => return None,
        };
        let (target, options) = self.payload.split_first_chunk::<16>()?;
        let advertised = kind == NeighborKind::Advertisement;
        Some(Neighbor {
            kind,
            target: Ipv6Addr::from(*target),
            lladdr: lladdr(options, option),
            solicited: advertised && self.id & 0x4000 != 0,
            override_: advertised && self.id & 0x2000 != 0,
        })
    }
}

/// The hardware address in the first option of this type.
fn lladdr(mut options: &[u8], wanted: u8) -> Option<MacAddr> {
    while let [kind, units, a, b, c, d, e, f, ..] = *options {
        if kind == wanted && units == 1 {
            return Some(MacAddr::new([a, b, c, d, e, f]));
        }
        // A length of zero would never end (RFC 4861 section 4.6: discard).
        if units == 0 {
            return None;
        }
        options = options.get(usize::from(units) * 8..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVERTISEMENT: [u8; 40] = [
        136, 0, 0, 0, 0x60, 0, 0, 0, //
        0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
        14, 1, 0, 0, 0, 0, 0, 0, //
        2, 1, 2, 0, 0, 0, 0, 9,
    ];

    fn read(octets: &[u8]) -> Option<Message<'_>> {
        Message::read(Body { octets, len: ADVERTISEMENT.len() as u32, fragment: false })
    }

    #[test]
    fn an_advertisement_claims_an_address() {
        let neighbor = read(&ADVERTISEMENT).unwrap().neighbor().unwrap();
        assert_eq!(neighbor.kind, NeighborKind::Advertisement);
        assert_eq!(neighbor.target, "fe80::1".parse::<Ipv6Addr>().unwrap());
        assert_eq!(neighbor.lladdr, Some(MacAddr::new([2, 0, 0, 0, 0, 9])));
        assert!(neighbor.solicited && neighbor.override_);
    }

    #[test]
    fn a_solicitation_has_no_flags_and_its_own_option() {
        let mut octets = ADVERTISEMENT;
        octets[0] = NEIGHBOR_SOLICITATION;
        let neighbor = read(&octets).unwrap().neighbor().unwrap();
        assert!(!neighbor.solicited && !neighbor.override_ && neighbor.lladdr.is_none());
        octets[32] = SOURCE_LLADDR;
        assert!(read(&octets).unwrap().neighbor().unwrap().lladdr.is_some());
    }

    #[test]
    fn an_option_of_no_length_ends_the_options() {
        let mut octets = ADVERTISEMENT;
        octets[25] = 0;
        assert_eq!(read(&octets).unwrap().neighbor().unwrap().lladdr, None);
    }

    #[test]
    fn only_a_router_advertises_itself_as_one() {
        let mut octets = ADVERTISEMENT;
        assert!(!read(&octets).unwrap().is_router_advertisement());
        octets[0] = ROUTER_ADVERTISEMENT;
        assert!(read(&octets).unwrap().is_router_advertisement());
        assert_eq!(read(&octets).unwrap().neighbor(), None);
    }

    #[test]
    fn a_message_cut_anywhere_tells_what_is_left() {
        for len in 0..ADVERTISEMENT.len() {
            let message = read(&ADVERTISEMENT[..len]);
            assert_eq!(message.is_some(), len >= 8, "{len}");
            let neighbor = message.and_then(|m| m.neighbor());
            assert_eq!(neighbor.is_some(), len >= 24, "{len}");
            assert_eq!(neighbor.and_then(|n| n.lladdr), None, "{len}");
        }
    }

    #[test]
    fn an_error_names_the_packet_at_fault() {
        let mut octets = [0; 56];
        (octets[0], octets[1], octets[8], octets[13], octets[14]) = (UNREACHABLE, 4, 0x60, 8, 17);
        (octets[31], octets[47]) = (1, 2);
        octets[48..52].copy_from_slice(&[0x13, 0x88, 0, 161]);
        let message = Message::read(Body { octets: &octets, len: 56, fragment: false }).unwrap();
        let inner = message.inner().unwrap();
        assert_eq!((inner.protocol, inner.src_port, inner.dst_port), (17, 5000, 161));
        assert_eq!((inner.src, inner.dst), ("::1".parse().unwrap(), "::2".parse().unwrap()));
    }
}
