//! Octets of one frame to what the frame says.
//!
//! [`parse`] turns a captured frame into a [`Summary`]: the two hardware addresses, the VLAN, and what lies behind them down to
//! the payload of TCP, UDP and ICMP. Nothing is copied: every slice points into the octets given. The payload readers
//! ([`dns`], [`dhcp`], [`tls`], [`http`], [`login`] and so on) are called by whoever wants to look deeper; `parse` never does.
//!
//! **Contract**: each reader checks the length of a header before it reads a field, so no octets make it panic, loop or
//! allocate. A length told by a header counts only as far as the frame on the wire reaches (trailers are not payload), and a
//! slice only as far as the octets captured. A frame whose L2 or L3 header cannot be read is an [`Ignored`] reason to be
//! counted; a broken L4 header leaves a packet with [`Transport::Cut`], since its addresses are still worth knowing.
//!
//! Refused here: reassembly, checksums and any state between frames. Called by `picket` for every frame, and by `features` for
//! payloads.
#![no_std]

pub mod arp;
mod cooked;
pub mod dhcp;
pub mod dhcp6;
pub mod dns;
mod ethernet;
pub mod http;
pub mod icmp;
pub mod icmp6;
mod ignored;
pub mod intrusion;
mod ip;
mod ipv4;
mod ipv6;
pub mod irc;
pub mod ja4;
pub mod lldp;
pub mod login;
pub mod mapping;
mod octets;
pub mod ssdp;
pub mod stratum;
pub mod tcp;
pub mod tls;
pub mod udp;
mod vlan;
mod words;

use terms::MacAddr;

pub use ignored::Ignored;
pub use ip::{Packet, Transport, protocol};

/// The ethertype of IPv4.
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// The ethertype of ARP.
pub const ETHERTYPE_ARP: u16 = 0x0806;
/// The ethertype of IPv6.
pub const ETHERTYPE_IPV6: u16 = 0x86dd;

/// The ethertype of LLDP.
pub const ETHERTYPE_LLDP: u16 = 0x88cc;

/// How the frames of a link begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// Ethernet II or IEEE 802.3 without preamble (pcap link type 1).
    #[default]
    Ethernet,
    /// The Linux cooked header, version 1 (pcap link type 113).
    LinuxCooked,
    /// The packet itself, IPv4 or IPv6 as its first half octet says (pcap link types 101, 228 and 229).
    RawIp,
}

/// What one frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary<'a> {
    /// The hardware address that sent it; zero if the link does not tell.
    pub src: MacAddr,
    /// The hardware address it is for; zero if the link does not tell.
    pub dst: MacAddr,
    /// The outermost VLAN id, 1 to 4095. A priority tag (id 0) names no VLAN.
    pub vlan: Option<u16>,
    /// Octets on the wire.
    pub len: u32,
    /// What lies behind the link header.
    pub net: Net<'a>,
}

/// What lies behind the link header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net<'a> {
    /// ARP for IPv4 over Ethernet.
    Arp(arp::Packet),
    /// IPv4 or IPv6.
    Ip(Packet<'a>),
    /// LLDP.
    Lldp(lldp::Message<'a>),
    /// Another ethertype, or below 0x0600 an IEEE 802.3 length.
    Other(u16),
}

impl LinkType {
    /// The link type of this pcap number, if frames of it can be read.
    ///
    /// **Source**: tcpdump.org/linktypes.
    #[must_use]
    pub const fn from_pcap(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Ethernet),
            113 => Some(Self::LinuxCooked),
            101 | 228 | 229 => Some(Self::RawIp),
            _ => None,
        }
    }

    /// The number of the link type in a pcap file.
    #[must_use]
    pub const fn to_pcap(self) -> u32 {
        match self {
            Self::Ethernet => 1,
            Self::LinuxCooked => 113,
            Self::RawIp => 101,
        }
    }
}

/// Reads one frame.
///
/// **Shape**: `octets` is what was captured, from the link header on; `len` is how long the frame was on the wire, which may be
/// more (snap length), without the tag that the ring took off. `vlan` is the tag control information that the ring took off the frame, or its id alone.
///
/// **Bounds**: up to two tags, the one of the ring included; behind a third the frame is [`Net::Other`]. A frame reads the same
/// whether the ring took its tag off or a file holds it.
///
/// # Errors
/// The reason why the link or network header cannot be read; the caller counts it.
#[inline]
pub fn parse(link: LinkType, octets: &[u8], len: u32, vlan: Option<u16>) -> Result<Summary<'_>, Ignored> {
    if octets.is_empty() {
        return Err(Ignored::Empty);
    }
    let len = len.max(octets::len32(octets));
    let (header, rest) = match link {
        LinkType::Ethernet => ethernet::Header::read(octets)?,
        LinkType::LinuxCooked => cooked::read(octets)?,
        LinkType::RawIp => (ethernet::Header::none(octets[0]), octets),
    };
    let taken_off = usize::from(vlan.is_some());
    let (tags, rest) = vlan::Tags::read(header.ethertype, rest, vlan::MOST - taken_off)?;
    let on_wire = len - octets::len32(octets) + octets::len32(rest);
    Ok(Summary {
        src: header.src,
        dst: header.dst,
        vlan: vlan.and_then(vlan::id).or(tags.id),
        // On the wire the tag was part of the frame.
        len: if vlan.is_some() { len.saturating_add(vlan::LEN) } else { len },
        net: Net::read(tags.ethertype, rest, on_wire)?,
    })
}

impl<'a> Net<'a> {
    #[inline]
    fn read(ethertype: u16, octets: &'a [u8], on_wire: u32) -> Result<Self, Ignored> {
        match ethertype {
            ETHERTYPE_IPV4 => ipv4::read(octets, on_wire).map(Self::Ip),
            ETHERTYPE_IPV6 => ipv6::read(octets, on_wire).map(Self::Ip),
            ETHERTYPE_ARP => arp::Packet::read(octets).map(Self::Arp),
            ETHERTYPE_LLDP => Ok(Self::Lldp(lldp::Message(octets))),
            other => Ok(Self::Other(other)),
        }
    }
}
