//! How much is kept of a frame, so that a ring, the fallback and a file show the same to whoever reads them.
//!
//! The ring asks the kernel for the beginning of a frame only: headers of every frame, more of those that are read deeper (DNS, mDNS,
//! DHCP, SSDP, the first words of log-in protocols, Windows' file sharing, HTTP's first lines and a TLS hello). A file holds as much as somebody kept. What a
//! capture tells must not depend on that: `Frame::snapped` keeps of any frame what the ring would have kept. The words are written
//! down once, here; `live::filter` says them to the kernel, and a test compares the two frame by frame.

use wire::LinkType;

use crate::Frame;

/// Octets that are kept of every frame.
pub const HEAD: u32 = 128;
/// Octets that are kept at most of a frame that is read deeper: what a slot of the ring has room for.
pub const DEEP: u32 = 446;

/// So much is kept of any frame on any link, even of one without a link header.
const LEAST: usize = (HEAD - ETHERNET) as usize;

/// Frames up to here are kept whole. Every field that is looked at lies within (Ethernet, 60 octets of IP, 60 of TCP, 4 of payload):
/// for the kernel a read behind the end would lose the frame.
pub(crate) const SHORT: u32 = 14 + 60 + 60 + 4;
/// Octets of an Ethernet header.
pub(crate) const ETHERNET: u32 = 14;
/// DNS, DHCP, NetBIOS names, DHCPv6, SSDP, mDNS, LLMNR.
pub(crate) const DEEP_UDP: [u32; 9] = [53, 67, 68, 137, 546, 547, 1900, 5353, 5355];
/// FTP, Telnet, SMTP (and submission), DNS, POP3, IMAP; Windows' RPC and file sharing.
pub(crate) const DEEP_TCP: [u32; 10] = [21, 23, 25, 53, 110, 135, 139, 143, 445, 587];
/// The first four octets of requests and answers that are read: HTTP's, and those of a miner's objects.
pub(crate) const DEEP_WORDS: [&[u8; 4]; 10] =
    [b"HTTP", b"GET ", b"POST", b"HEAD", b"PUT ", b"{\"id", b"{\"me", b"{\"pa", b"{\"js", b"{\"wo"];
/// The first octets of a TLS handshake record.
pub(crate) const TLS_HANDSHAKE: u32 = 0x1603;

const IPV4: u32 = wire::ETHERTYPE_IPV4 as u32;
const IPV6: u32 = wire::ETHERTYPE_IPV6 as u32;

/// The tags that the kernel takes off before it shows a frame.
const TAKEN_OFF: [u32; 2] = [0x8100, 0x88a8];

static UDP: Ports = Ports::of(&DEEP_UDP);
static TCP: Ports = Ports::of(&DEEP_TCP);

/// A set of ports, a bit each: which port it is cannot be guessed, and to compare each would take longer.
struct Ports([u64; Self::WORDS]);

impl Ports {
    /// For the highest port of all sets, LLMNR's.
    const WORDS: usize = 5355 / 64 + 1;

    const fn of(ports: &[u32]) -> Self {
        let (mut words, mut n) = ([0; Self::WORDS], 0);
        while n < ports.len() {
            words[ports[n] as usize / 64] |= 1 << (ports[n] % 64);
            n += 1;
        }
        Self(words)
    }

    #[inline]
    fn has(&self, port: u32) -> bool {
        self.0.get(port as usize / 64).is_some_and(|word| word >> (port % 64) & 1 == 1)
    }
}

/// A frame as the filter sees it: behind an Ethernet header without a tag, whatever stands there in truth.
struct View<'a> {
    ethertype: Option<u32>,
    /// From the L3 header on.
    packet: &'a [u8],
}

impl Frame<'_> {
    /// The frame with as much of it as a ring keeps.
    #[must_use]
    #[inline]
    pub fn snapped(self) -> Self {
        if self.octets.len() <= LEAST { self } else { self.cut() }
    }

    fn cut(self) -> Self {
        let (view, before) = View::new(self.link, self.octets);
        let len = self.len.saturating_sub(before).saturating_add(ETHERNET);
        // A frame that was cut before anything could be told is short already.
        let most = view.kept(len).unwrap_or(DEEP) - ETHERNET + before;
        Self { octets: &self.octets[..self.octets.len().min(most as usize)], ..self }
    }
}

impl<'a> View<'a> {
    /// The view, and how many octets stand before its packet.
    fn new(link: LinkType, octets: &'a [u8]) -> (Self, u32) {
        let header: usize = match link {
            LinkType::Ethernet => 14,
            LinkType::LinuxCooked => 16,
            LinkType::RawIp => 0,
        };
        let word = |at: usize| octets.get(at..at + 2).map(|two| u32::from(u16::from_be_bytes([two[0], two[1]])));
        let outer = match link {
            LinkType::RawIp => octets.first().map(|first| if first >> 4 == 6 { IPV6 } else { IPV4 }),
            _ => word(header - 2),
        };
        let tagged = outer.is_some_and(|ethertype| TAKEN_OFF.contains(&ethertype));
        let (before, ethertype) = if tagged { (header + 4, word(header + 2)) } else { (header, outer) };
        (Self { ethertype, packet: octets.get(before..).unwrap_or_default() }, before as u32)
    }

    /// Octets so far behind the beginning of an Ethernet header; nothing where the capture does not reach there.
    #[inline]
    fn field<const N: usize>(&self, at: u32) -> Option<[u8; N]> {
        let at = (at - ETHERNET) as usize;
        self.packet.get(at..)?.first_chunk().copied()
    }

    #[inline]
    fn octet(&self, at: u32) -> Option<u32> {
        self.field::<1>(at).map(|[octet]| octet.into())
    }

    #[inline]
    fn half(&self, at: u32) -> Option<u32> {
        self.field(at).map(|two| u16::from_be_bytes(two).into())
    }

    /// How many octets the filter keeps of a frame of this length.
    fn kept(&self, len: u32) -> Option<u32> {
        if len <= SHORT {
            return Some(DEEP);
        }
        let (protocol, header) = match self.ethertype? {
            IPV4 if self.half(ETHERNET + 6)? & 0x1fff != 0 => return Some(HEAD),
            IPV4 => (self.octet(ETHERNET + 9)?, (self.octet(ETHERNET)? & 0x0f) * 4),
            IPV6 => match self.octet(ETHERNET + 6)? {
                58 => return Some(HEAD),
                protocol @ (6 | 17) => (protocol, 40),
                _ => return Some(DEEP),
            },
            _ => return Some(DEEP),
        };
        let l4 = ETHERNET + header;
        let deep = match protocol {
            17 => self.speaks(l4, &UDP)?,
            6 => self.speaks(l4, &TCP)? || self.begins_deep(l4 + ((self.octet(l4 + 12)? & 0xf0) >> 2))?,
            _ => false,
        };
        Some(if deep { DEEP } else { HEAD })
    }

    /// Whether one of both ports is among those.
    #[inline]
    fn speaks(&self, l4: u32, ports: &Ports) -> Option<bool> {
        Some(ports.has(self.half(l4)?) | ports.has(self.half(l4 + 2)?))
    }

    #[inline]
    fn begins_deep(&self, payload: u32) -> Option<bool> {
        if self.half(payload)? == TLS_HANDSHAKE {
            return Some(true);
        }
        let word: [u8; 4] = self.field(payload)?;
        Some(DEEP_WORDS.contains(&&word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::{Side, Timestamp};

    /// What is kept of a TCP segment to a port, behind so many octets of tag.
    fn kept(port: u16, tag: &[u8], payload: &[u8]) -> usize {
        let mut octets = vec![0; 600];
        octets[12..14].copy_from_slice(&[8, 0]);
        octets[14] = 0x45;
        octets[23] = 6;
        octets[36..38].copy_from_slice(&port.to_be_bytes());
        octets[46] = 0x50;
        octets[54..54 + payload.len()].copy_from_slice(payload);
        octets.splice(12..12, tag.iter().copied());
        let (at, side, link) = (Timestamp::EPOCH, Side::Lan, LinkType::Ethernet);
        let frame = Frame { at, side, link, len: octets.len() as u32, vlan: None, octets: &octets };
        frame.snapped().octets.len()
    }

    #[test]
    fn headers_are_kept_and_more_of_what_is_read_deeper() {
        assert_eq!(kept(443, b"", b"\x17\x03"), 128);
        assert_eq!(kept(443, b"", b"\x16\x03"), 446);
        assert_eq!(kept(21, b"", b""), 446);
        assert_eq!(kept(8080, b"", b"GET /"), 446);
    }

    #[test]
    fn a_tag_is_kept_besides() {
        assert_eq!(kept(443, &[0x81, 0, 0, 7], b"\x17\x03"), 132);
        assert_eq!(kept(443, &[0x88, 0xa8, 0, 7], b"\x16\x03"), 450);
        // A second tag is wanted, whatever follows.
        assert_eq!(kept(443, &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 8], b"\x17\x03"), 450);
    }

    #[test]
    fn octets_of_any_length_are_cut_and_never_missed() {
        let octets: Vec<u8> = (0..700).map(|n| n as u8).collect();
        for link in [LinkType::Ethernet, LinkType::LinuxCooked, LinkType::RawIp] {
            for kept in 0..octets.len() {
                let (at, side, octets) = (Timestamp::EPOCH, Side::Lan, &octets[..kept]);
                let frame = Frame { at, side, link, len: 1500, vlan: None, octets };
                assert!(octets.starts_with(frame.snapped().octets));
            }
        }
    }
}
