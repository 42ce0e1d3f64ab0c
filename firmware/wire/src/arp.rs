//! ARP: who has an IPv4 address.
//!
//! **Shape**: hardware type (2), protocol type (2), their lengths (1, 1), operation (2), sender's hardware and IPv4 address
//! (6, 4), target's hardware and IPv4 address (6, 4).
//!
//! **Source**: RFC 826.

use core::net::Ipv4Addr;

use terms::MacAddr;

use crate::Ignored;

/// Octets of a packet for IPv4 over Ethernet.
const LEN: usize = 28;
/// How such a packet begins: Ethernet, IPv4, addresses of six and four octets.
const IPV4_OVER_ETHERNET: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// One ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// What it does.
    pub operation: Operation,
    /// The hardware address that the sender claims.
    pub sender_mac: MacAddr,
    /// The IPv4 address that the sender claims; unspecified in a probe.
    pub sender: Ipv4Addr,
    /// The hardware address of the target; zero in a request.
    pub target_mac: MacAddr,
    /// The IPv4 address asked for or answered to.
    pub target: Ipv4Addr,
}

/// What an ARP packet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Asks who has the target address.
    Request,
    /// Says who has the sender address.
    Reply,
    /// Something else.
    Unknown(u16),
}

impl Packet {
    #[inline]
    pub(crate) fn read(octets: &[u8]) -> Result<Self, Ignored> {
        let kind = octets.first_chunk::<6>().ok_or(Ignored::ArpCut)?;
        if *kind != IPV4_OVER_ETHERNET {
            return Err(Ignored::ArpUnknown);
        }
        let p = octets.first_chunk::<LEN>().ok_or(Ignored::ArpCut)?;
        Ok(Self {
            operation: Operation::from(u16::from_be_bytes([p[6], p[7]])),
            sender_mac: MacAddr::new([p[8], p[9], p[10], p[11], p[12], p[13]]),
            sender: Ipv4Addr::new(p[14], p[15], p[16], p[17]),
            target_mac: MacAddr::new([p[18], p[19], p[20], p[21], p[22], p[23]]),
            target: Ipv4Addr::new(p[24], p[25], p[26], p[27]),
        })
    }

    /// Whether the sender announces its own address (RFC 5227 section 1.2), as opposed to asking for another's.
    #[must_use]
    pub fn is_announcement(&self) -> bool {
        self.sender == self.target && !self.sender.is_unspecified()
    }
}

impl From<u16> for Operation {
    fn from(number: u16) -> Self {
        match number {
            1 => Self::Request,
            2 => Self::Reply,
            other => Self::Unknown(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: [u8; LEN] =
        [0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 192, 168, 7, 1, 2, 0, 0, 0, 0, 9, 192, 168, 7, 9];

    #[test]
    fn a_reply_claims_an_address_for_its_sender() {
        let expected = Packet {
            operation: Operation::Reply,
            sender_mac: MacAddr::new([2, 0, 0, 0, 0, 1]),
            sender: Ipv4Addr::new(192, 168, 7, 1),
            target_mac: MacAddr::new([2, 0, 0, 0, 0, 9]),
            target: Ipv4Addr::new(192, 168, 7, 9),
        };
        assert_eq!(Packet::read(&REPLY), Ok(expected));
        assert!(!expected.is_announcement());
        assert!(Packet { target: expected.sender, ..expected }.is_announcement());
    }

    #[test]
    fn an_unknown_operation_is_data() {
        let mut packet = REPLY;
        packet[7] = 8;
        assert_eq!(Packet::read(&packet).unwrap().operation, Operation::Unknown(8));
    }

    #[test]
    fn other_hardware_is_unknown() {
        let mut packet = REPLY;
        packet[1] = 6;
        assert_eq!(Packet::read(&packet), Err(Ignored::ArpUnknown));
    }

    #[test]
    fn a_packet_cut_anywhere_is_told() {
        for len in 0..LEN {
            assert_eq!(Packet::read(&REPLY[..len]), Err(Ignored::ArpCut), "{len}");
        }
    }
}
