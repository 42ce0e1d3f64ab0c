//! End points: hardware addresses, hosts, and the side of the box on which they were seen.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A 48-bit IEEE 802 hardware address.
///
/// **Shape**: six octets in transmission order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MacAddr([u8; 6]);

/// The text was not six hexadecimal octets separated by colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseMacError;

/// The side of the box on which a frame came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The switch and the devices behind it.
    Lan,
    /// The router and everything beyond.
    Uplink,
    /// Not known, as in a capture file.
    #[default]
    Unknown,
}

/// One L2 or L3 end point being watched: its address, or its hardware address where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HostKey {
    /// An IPv4 host.
    V4(Ipv4Addr),
    /// An IPv6 host.
    V6(Ipv6Addr),
    /// A host that was seen without an IP address.
    Mac(MacAddr),
}

impl MacAddr {
    /// The address to which every host listens.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// No address.
    pub const ZERO: Self = Self([0; 6]);

    /// The address with these octets, first on the wire first.
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The six octets, first on the wire first.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Whether the group bit is set (broadcast included).
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether the address was chosen locally, as randomised addresses are.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.0[0] & 2 == 2
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddr {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let mut octets = [0; 6];
        let mut parts = text.split(':');
        for octet in &mut octets {
            let part = parts.next().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
            *octet = part.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or(ParseMacError)?;
        }
        if parts.next().is_some() { Err(ParseMacError) } else { Ok(Self(octets)) }
    }
}

impl fmt::Display for ParseMacError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hardware address is six hexadecimal octets, as in 02:5a:10:00:00:01")
    }
}

impl core::error::Error for ParseMacError {}

impl Side {
    /// The word that people read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Uplink => "uplink",
            Self::Unknown => "unknown",
        }
    }
}

impl HostKey {
    /// The IP address, if the host has one.
    #[must_use]
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::V4(a) => Some(IpAddr::V4(a)),
            Self::V6(a) => Some(IpAddr::V6(a)),
            Self::Mac(_) => None,
        }
    }

    /// Whether it is a single host's address on the internet; those set aside for documentation count as such.
    ///
    /// **Source**: the IANA registries of special-purpose addresses; global unicast of IPv6 is 2000::/3.
    #[must_use]
    pub const fn is_global(self) -> bool {
        match self {
            Self::V4(a) => {
                let [first, second, ..] = a.octets();
                let shared = first == 100 && second & 0xc0 == 64;
                let reserved = first == 0 || first >= 224 || shared;
                !(reserved || a.is_private() || a.is_loopback() || a.is_link_local())
            }
            Self::V6(a) => a.octets()[0] >> 5 == 1,
            Self::Mac(_) => false,
        }
    }
}

impl From<IpAddr> for HostKey {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(a) => Self::V4(a),
            IpAddr::V6(a) => Self::V6(a),
        }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(a) => a.fmt(f),
            Self::V6(a) => a.fmt(f),
            Self::Mac(a) => a.fmt(f),
        }
    }
}

impl FromStr for HostKey {
    type Err = ParseMacError;

    /// Reads an IPv4, IPv6 or hardware address.
    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        text.parse::<IpAddr>().map(Self::from).or_else(|_| text.parse().map(Self::Mac))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_hardware_address_reads_back_as_written() {
        let mac = MacAddr::new([2, 0x5a, 0x10, 0, 0xab, 0xff]);
        assert_eq!(mac.to_string().parse(), Ok(mac));
    }

    #[test]
    fn half_an_address_or_one_too_long_is_refused() {
        for text in ["", "02:5a", "02:5a:10:00:00:01:02", "2:5a:10:00:00:01", "+2:5a:10:00:00:01"] {
            assert_eq!(text.parse::<MacAddr>(), Err(ParseMacError), "{text}");
        }
    }

    #[test]
    fn what_is_on_the_internet_is_told_from_what_is_not() {
        let global = |text: &str| text.parse::<HostKey>().unwrap().is_global();
        for text in ["9.9.9.9", "198.51.100.7", "172.32.0.1", "100.128.0.1", "2001:db8::1", "223.255.255.1"] {
            assert!(global(text), "{text}");
        }
        for text in [
            "10.1.2.3",
            "172.31.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "224.0.0.251",
            "0.0.0.0",
        ] {
            assert!(!global(text), "{text}");
        }
        for text in ["255.255.255.255", "fe80::1", "fd00::1", "ff02::1", "::1", "02:00:00:00:00:01"] {
            assert!(!global(text), "{text}");
        }
    }

    #[test]
    fn a_host_is_read_from_any_of_its_addresses() {
        assert_eq!("192.168.7.1".parse(), Ok(HostKey::V4(Ipv4Addr::new(192, 168, 7, 1))));
        assert_eq!("fe80::1".parse(), Ok(HostKey::V6("fe80::1".parse().unwrap())));
        assert_eq!("02:00:00:00:00:01".parse(), Ok(HostKey::Mac(MacAddr::new([2, 0, 0, 0, 0, 1]))));
    }
}
