//! One capture laid over another: what an attack looks like in a network that has its own traffic.
//!
//! ```text
//! attack ─> other addresses, hardware addresses, hops, times; some frames lost ─┐
//! background ───────────────────────────────────────────────────────────────────┴─> frames in the order of time
//! ```
//! What is moved stays a conversation between the same hosts: addresses of private networks are changed one to one wherever a frame
//! names them (ARP, neighbour discovery, quoted packets of ICMP errors), addresses of the internet stay.
//!
//! **Bounds**: checksums behind a changed header are left as they are, as cards leave them; addresses in texts and in options of DHCP
//! are not changed.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use anyhow::Result;
use capture::CaptureFile;
use terms::{HostKey, MacAddr, Span, Timestamp};
use wire::LinkType;

use crate::sample::Random;

/// A frame of a capture, as a ring would have kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its time.
    pub at: Timestamp,
    /// How it begins.
    pub link: LinkType,
    /// Octets on the wire.
    pub len: u32,
    /// Octets that were kept.
    pub octets: Vec<u8>,
}

/// What becomes of a capture before it is laid over another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// When its first frame is sent.
    pub begin: Timestamp,
    /// How many times as long it takes.
    pub slower: u64,
    /// The share of its frames that are lost.
    pub lost: f64,
    /// Which network it becomes: 0 changes nothing.
    pub network: u16,
    /// Hops that its packets have behind them besides.
    pub hops: u8,
    /// Who is played by whom: a host of the capture, and the one that does in its place what it did.
    pub played: Option<[Device; 2]>,
}

/// A device with one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its hardware address.
    pub mac: MacAddr,
}

/// Reads the frames of a capture.
///
/// # Errors
/// The file is no capture.
pub fn read(file: &Path) -> Result<Vec<Kept>> {
    let (mut capture, mut frames) = (CaptureFile::open(file)?, Vec::new());
    while let Some(frame) = capture.next() {
        let frame = frame.snapped();
        frames.push(Kept { at: frame.at, link: frame.link, len: frame.len, octets: frame.octets.to_vec() });
    }
    Ok(frames)
}

/// Frames of both, in the order of time.
#[must_use]
pub fn laid_over(mut attack: Vec<Kept>, background: &[Kept]) -> Vec<Kept> {
    attack.extend_from_slice(background);
    attack.sort_by_key(|frame| frame.at);
    attack
}

impl Moved {
    /// The frames as they are elsewhere, at another time.
    #[must_use]
    pub fn apply(&self, frames: &[Kept], random: &mut Random) -> Vec<Kept> {
        let first = frames.iter().map(|frame| frame.at).min().unwrap_or_default();
        let kept: Vec<&Kept> = frames.iter().filter(|_| !random.happens(self.lost)).collect();
        kept.into_iter().map(|frame| self.frame(frame, first)).collect()
    }

    /// Where a host is then.
    #[must_use]
    pub fn host(&self, host: HostKey) -> HostKey {
        match host {
            HostKey::V4(a) => {
                let mut octets = a.octets();
                self.v4(&mut octets);
                HostKey::V4(Ipv4Addr::from(octets))
            }
            HostKey::V6(a) => {
                let mut octets = a.octets();
                self.v6(&mut octets);
                HostKey::V6(Ipv6Addr::from(octets))
            }
            HostKey::Mac(a) => HostKey::Mac(self.hardware(a)),
        }
    }

    /// What a hardware address is then.
    #[must_use]
    pub fn hardware(&self, address: MacAddr) -> MacAddr {
        let mut octets = address.octets();
        self.mac(&mut octets);
        MacAddr::new(octets)
    }

    fn frame(&self, frame: &Kept, first: Timestamp) -> Kept {
        let mut moved = frame.clone();
        moved.at = self.begin + Span::from_micros(frame.at.since(first).micros() * self.slower);
        self.link(&mut moved.octets, frame.link);
        moved
    }

    fn link(&self, octets: &mut [u8], link: LinkType) {
        let (mut at, places): (usize, &[usize]) = match link {
            LinkType::Ethernet => (12, &[0, 6]),
            LinkType::LinuxCooked => (14, &[6]),
            LinkType::RawIp => return self.packet(octets),
        };
        places.iter().for_each(|place| self.within(octets, *place, Self::mac));
        while let Some(0x8100 | 0x88a8) = half(octets, at) {
            at += 4;
        }
        let ethertype = half(octets, at);
        let Some(rest) = octets.get_mut(at + 2..) else { return };
        match ethertype {
            Some(wire::ETHERTYPE_ARP) => {
                [8, 18].into_iter().for_each(|place| self.within(rest, place, Self::mac));
                [14, 24].into_iter().for_each(|place| self.within(rest, place, Self::v4));
            }
            Some(wire::ETHERTYPE_IPV4 | wire::ETHERTYPE_IPV6) => self.packet(rest),
            _ => {}
        }
    }

    fn packet(&self, packet: &mut [u8]) {
        match packet.first().map(|octet| octet >> 4) {
            Some(4) => {
                self.fewer_hops(packet, 8);
                [12, 16].into_iter().for_each(|place| self.within(packet, place, Self::v4));
                let header = usize::from(packet[0] & 15) * 4;
                let protocol = packet.get(9).copied();
                let Some(rest) = packet.get_mut(header..) else { return };
                match (protocol, rest.first()) {
                    (Some(1), Some(3 | 4 | 5 | 11 | 12)) => {
                        self.within(rest, 4, Self::v4);
                        rest.get_mut(8..).into_iter().for_each(|quoted| self.packet(quoted));
                    }
                    (Some(17), _) if matches!(half(rest, 0), Some(67 | 68)) => self.within(rest, 8 + 28, Self::mac),
                    _ => {}
                }
            }
            Some(6) => {
                self.fewer_hops(packet, 7);
                [8, 24].into_iter().for_each(|place| self.within(packet, place, Self::v6));
                let is_icmp = packet.get(6) == Some(&58);
                let Some(rest) = packet.get_mut(40..).filter(|_| is_icmp) else { return };
                match rest.first() {
                    Some(1..=4) => rest.get_mut(8..).into_iter().for_each(|quoted| self.packet(quoted)),
                    Some(133) => self.options(rest, 8),
                    Some(134) => self.options(rest, 16),
                    Some(135 | 136) => {
                        self.within(rest, 8, Self::v6);
                        self.options(rest, 24);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The link-layer addresses among the options of neighbour discovery (RFC 4861, section 4.6.1).
    fn options(&self, message: &mut [u8], mut at: usize) {
        while let Some([kind, eights]) = message.get(at..).and_then(|rest| rest.first_chunk().copied())
            && eights > 0
        {
            if matches!(kind, 1 | 2) {
                self.within(message, at + 2, Self::mac);
            }
            at += usize::from(eights) * 8;
        }
    }

    fn fewer_hops(&self, packet: &mut [u8], at: usize) {
        // What must not be forwarded says so by 1 or 255.
        if let Some(hops) = packet.get_mut(at).filter(|hops| **hops < 255) {
            *hops = hops.saturating_sub(self.hops).max((*hops).min(2));
        }
    }

    fn within<const N: usize>(&self, octets: &mut [u8], at: usize, change: impl Fn(&Self, &mut [u8; N])) {
        if let Some(place) = octets.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
            change(self, place);
        }
    }

    /// Another vendor and device.
    fn mac(&self, octets: &mut [u8; 6]) {
        if let Some([_, by]) = self.played.filter(|[who, _]| who.mac.octets() == *octets) {
            *octets = by.mac.octets();
        } else if octets[0] & 1 == 0 && *octets != [0; 6] {
            let [high, low] = self.network.to_be_bytes();
            (octets[1], octets[2]) = (octets[1] ^ high, octets[2] ^ low);
        }
    }

    fn v4(&self, octets: &mut [u8; 4]) {
        if let Some([_, by]) = self.played.filter(|[who, _]| who.address.octets() == *octets) {
            *octets = by.address.octets();
            return;
        }
        let [high, low] = self.network.to_be_bytes();
        match *octets {
            [10, ..] => (octets[1], octets[2]) = (octets[1] ^ high, octets[2] ^ low),
            [172, 16..=31, ..] => (octets[1], octets[2]) = (octets[1] ^ high & 15, octets[2] ^ low),
            [192, 168, ..] => octets[2] ^= low,
            _ => {}
        }
    }

    /// The last 24 bits stay: solicited-node groups are made of them.
    fn v6(&self, octets: &mut [u8; 16]) {
        if matches!(octets, [0xfc | 0xfd, ..] | [0xfe, 0x80..=0xbf, ..]) {
            let [high, low] = self.network.to_be_bytes();
            (octets[9], octets[10]) = (octets[9] ^ high, octets[10] ^ low);
        }
    }
}

fn half(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|two| u16::from_be_bytes(*two))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELSEWHERE: Moved =
        Moved { begin: Timestamp::from_secs(1_000), slower: 2, lost: 0.0, network: 0x0305, hops: 3, played: None };

    fn key(text: &str) -> HostKey {
        HostKey::from(text.parse::<std::net::IpAddr>().unwrap())
    }

    #[test]
    fn hosts_of_private_networks_move_one_to_one_and_the_internet_stays() {
        for (from, to) in [
            ("10.1.2.3", "10.2.7.3"),
            ("192.168.1.20", "192.168.4.20"),
            ("172.16.9.1", "172.19.12.1"),
            ("198.51.100.7", "198.51.100.7"),
            ("fe80::1", "fe80::3:500:0:1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(ELSEWHERE.host(key(from)), key(to), "{from}");
            assert_eq!(ELSEWHERE.host(ELSEWHERE.host(key(from))), key(from));
        }
    }

    #[test]
    fn a_frame_moves_with_all_that_names_its_hosts() {
        // Port unreachable, of 10.0.0.2 to 10.0.0.1, which quotes a datagram of 10.0.0.1.
        let mut octets = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        octets.extend([0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 3, 3, 0, 0, 0, 0, 0, 0]);
        octets.extend([0x45, 0, 0, 28, 0, 0, 0, 0, 2, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 9, 0, 9, 0, 8, 0, 0]);
        let frame = |second| Kept {
            at: Timestamp::from_secs(second),
            link: LinkType::Ethernet,
            len: 70,
            octets: octets.clone(),
        };
        let moved = ELSEWHERE.apply(&[frame(7), frame(9)], &mut Random::new(1));
        assert_eq!([moved[0].at, moved[1].at], [1_000, 1_004].map(Timestamp::from_secs));
        let changed = &moved[0].octets;
        assert_eq!(changed[..12], [2, 3, 5, 0, 0, 1, 2, 3, 5, 0, 0, 2]);
        assert_eq!((changed[22], &changed[26..34]), (61, &[10, 3, 5, 2, 10, 3, 5, 1][..]));
        assert_eq!((changed[50], &changed[54..62]), (2, &[10, 3, 5, 1, 10, 3, 5, 2][..]));
    }

    #[test]
    fn one_host_is_played_by_another() {
        let device = |n| Device { address: Ipv4Addr::new(10, 0, 0, n), mac: MacAddr::new([2, 0, 0, 0, 0, n]) };
        let moved = Moved { network: 0, played: Some([device(1), device(9)]), ..ELSEWHERE };
        assert_eq!([key("10.0.0.1"), key("10.0.0.2")].map(|host| moved.host(host)), ["10.0.0.9", "10.0.0.2"].map(key));
        assert_eq!(moved.hardware(device(1).mac), device(9).mac);
    }

    #[test]
    fn octets_cut_anywhere_are_moved_as_far_as_they_reach() {
        for len in 0..80 {
            for link in [LinkType::Ethernet, LinkType::LinuxCooked, LinkType::RawIp] {
                for first in [0x45_u8, 0x60, 0x81] {
                    let frame = Kept { at: Timestamp::EPOCH, link, len: 80, octets: vec![first; len] };
                    assert_eq!(ELSEWHERE.frame(&frame, Timestamp::EPOCH).octets.len(), len);
                }
            }
        }
    }
}
