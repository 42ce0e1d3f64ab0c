//! A network: an address and how many of its bits count.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// The addresses that share their first `prefix` bits.
///
/// **Bounds**: 0 to 32 bits of IPv4, 0 to 128 of IPv6; the bits behind them are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// What is wrong with the text of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkError {
    /// It does not begin with an address.
    Address,
    /// What follows the slash is no number, or more than the address has bits.
    Prefix(String),
    /// Bits behind the prefix are set: the network that was meant stands here.
    HostBits(Network),
}

impl Network {
    /// One address.
    #[must_use]
    pub const fn host(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }

    /// The network of the first `prefix` bits of an address; all of its bits where there are fewer.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Self {
        match address {
            IpAddr::V4(a) => {
                let prefix = prefix.min(32);
                Self { address: Ipv4Addr::from_bits(a.to_bits() & mask_v4(prefix)).into(), prefix }
            }
            IpAddr::V6(a) => {
                let prefix = prefix.min(128);
                Self { address: Ipv6Addr::from_bits(a.to_bits() & mask_v6(prefix)).into(), prefix }
            }
        }
    }

    /// Its first address.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.address
    }

    /// How many bits count.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }

    /// The bits that count, as octets in transmission order: 4 or 16.
    #[must_use]
    pub fn mask(self) -> Vec<u8> {
        match self.address {
            IpAddr::V4(_) => mask_v4(self.prefix).to_be_bytes().to_vec(),
            IpAddr::V6(_) => mask_v6(self.prefix).to_be_bytes().to_vec(),
        }
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && Self::new(address, self.prefix) == self
    }

    /// Whether both have an address in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::host(self.address) {
            self.address.fmt(f)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        let Some(text) = prefix else { return Ok(Self::host(address)) };
        let most = Self::host(address).prefix;
        let digits = text.bytes().all(|o| o.is_ascii_digit());
        let prefix = text.parse::<u8>().ok().filter(|p| digits && *p <= most);
        let prefix = prefix.ok_or_else(|| NetworkError::Prefix(text.to_owned()))?;
        let network = Self::new(address, prefix);
        if network.address == address { Ok(network) } else { Err(NetworkError::HostBits(network)) }
    }
}

const fn mask_v4(prefix: u8) -> u32 {
    if prefix == 0 { 0 } else { u32::MAX << (32 - prefix) }
}

const fn mask_v6(prefix: u8) -> u128 {
    if prefix == 0 { 0 } else { u128::MAX << (128 - prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_reads_back_as_written() {
        for text in ["203.0.113.0/24", "0.0.0.0/0", "10.0.0.1", "2001:db8::/32", "::/0", "fd00::1"] {
            assert_eq!(network(text).to_string(), text);
        }
    }

    #[test]
    fn it_holds_what_shares_its_first_bits_and_nothing_of_the_other_kind() {
        assert!(network("203.0.113.0/25").contains("203.0.113.127".parse().unwrap()));
        assert!(!network("203.0.113.0/25").contains("203.0.113.128".parse().unwrap()));
        assert!(!network("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(network("10.0.0.0/8").overlaps(network("10.1.0.0/16")));
        assert!(!network("10.0.0.0/16").overlaps(network("10.1.0.0/16")));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        use NetworkError::{Address, HostBits, Prefix};
        assert_eq!("10.0.0".parse::<Network>(), Err(Address));
        assert_eq!("10.0.0.0/33".parse::<Network>(), Err(Prefix("33".into())));
        assert_eq!("10.0.0.0/+8".parse::<Network>(), Err(Prefix("+8".into())));
        assert_eq!("10.0.0.9/24".parse::<Network>(), Err(HostBits(network("10.0.0.0/24"))));
    }
}
