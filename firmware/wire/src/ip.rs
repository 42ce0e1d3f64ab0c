//! What IPv4 and IPv6 packets have in common, and the choice of what they carry.

use core::net::IpAddr;

use crate::{icmp, icmp6, tcp, udp};

/// Protocol numbers that are read further.
///
/// **Source**: the IANA registry of assigned internet protocol numbers.
pub mod protocol {
    /// ICMP for IPv4.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP for IPv6.
    pub const ICMP6: u8 = 58;
    /// Nothing follows (IPv6).
    pub const NOTHING: u8 = 59;
}

/// One IPv4 or IPv6 packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The address that sent it.
    pub src: IpAddr,
    /// The address it is for.
    pub dst: IpAddr,
    /// The protocol carried, behind the extension headers of IPv6.
    pub protocol: u8,
    /// Octets of the whole packet with its header, as far as the frame reaches.
    pub len: u32,
    /// Whether it is part of a larger packet, first parts included.
    pub fragment: bool,
    /// What it carries.
    pub transport: Transport<'a>,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport<'a> {
    /// TCP.
    Tcp(tcp::Segment<'a>),
    /// UDP.
    Udp(udp::Datagram<'a>),
    /// ICMP for IPv4.
    Icmp(icmp::Message<'a>),
    /// ICMP for IPv6.
    Icmp6(icmp6::Message<'a>),
    /// A fragment other than the first: it has no header of its own.
    LaterFragment,
    /// A header that is malformed or reaches beyond what was captured.
    Cut,
    /// Another protocol.
    Other(u8),
}

/// The body of a packet on the way to its transport.
#[derive(Clone, Copy)]
pub(crate) struct Body<'a> {
    /// What was captured of it, never past its end.
    pub(crate) octets: &'a [u8],
    /// Octets of the body, told by the packet's header.
    pub(crate) len: u32,
    /// Whether the rest follows in other packets.
    pub(crate) fragment: bool,
}

impl<'a> Transport<'a> {
    #[inline]
    pub(crate) fn read(number: u8, version: u8, body: Body<'a>) -> Self {
        let read = match (number, version) {
            (protocol::TCP, _) => tcp::Segment::read(body).map(Self::Tcp),
            (protocol::UDP, _) => udp::Datagram::read(body).map(Self::Udp),
            (protocol::ICMP, 4) => icmp::Message::read(body).map(Self::Icmp),
            (protocol::ICMP6, 6) => icmp6::Message::read(body).map(Self::Icmp6),
            (other, _) => Some(Self::Other(other)),
        };
        read.unwrap_or(Self::Cut)
    }
}

impl<'a> Body<'a> {
    /// What lies behind the first `header` octets, and how long it is. `None` if the body ends before.
    #[inline]
    pub(crate) fn behind(self, header: u32) -> Option<(&'a [u8], u32)> {
        let len = self.len.checked_sub(header)?;
        Some((self.octets.get(header as usize..).unwrap_or_default(), len))
    }
}
