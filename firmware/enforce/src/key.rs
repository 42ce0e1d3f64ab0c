//! An element's key: what a set holds, as octets.

use std::net::IpAddr;

use policy::{BlockTarget, NeverBlock, RuleNumber};
use terms::MacAddr;

use crate::layout::{LINK_NAME, Set};

/// One element's key.
///
/// **Shape**: addresses in transmission order, each field padded to four octets as nftables' registers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    octets: [u8; Self::LONGEST],
    len: u8,
}

impl Key {
    const LONGEST: usize = 44;

    /// Where a block is held.
    pub fn of_block(target: BlockTarget) -> (Set, Self) {
        match target {
            BlockTarget::Mac(mac) => (Set::BlockedMac, Self::new(&[&mac.octets()])),
            BlockTarget::Address(IpAddr::V4(a)) => (Set::BlockedV4, Self::new(&[&a.octets()])),
            BlockTarget::Address(IpAddr::V6(a)) => (Set::BlockedV6, Self::new(&[&a.octets()])),
            BlockTarget::Anywhere(IpAddr::V4(a)) => (Set::BlockedAnyV4, Self::new(&[&a.octets()])),
            BlockTarget::Anywhere(IpAddr::V6(a)) => (Set::BlockedAnyV6, Self::new(&[&a.octets()])),
            BlockTarget::MacAndAddress(mac, IpAddr::V4(a)) => {
                (Set::BlockedMacV4, Self::new(&[&mac.octets(), &[0, 0], &a.octets()]))
            }
            BlockTarget::MacAndAddress(mac, IpAddr::V6(a)) => {
                (Set::BlockedMacV6, Self::new(&[&mac.octets(), &[0, 0], &a.octets()]))
            }
        }
    }

    /// Where an end point that no block may cut is held.
    pub fn of_never(never: NeverBlock) -> (Set, Self) {
        match never {
            NeverBlock::Mac(mac) => (Set::NeverMac, Self::new(&[&mac.octets()])),
            NeverBlock::Address(IpAddr::V4(a)) => (Set::NeverV4, Self::new(&[&a.octets()])),
            NeverBlock::Address(IpAddr::V6(a)) => (Set::NeverV6, Self::new(&[&a.octets()])),
        }
    }

    /// A link in the set of armed ones.
    pub fn of_link(name: &[u8; LINK_NAME]) -> Self {
        Self::new(&[name])
    }

    /// An address in the set of its kind among two.
    pub fn of_address(address: IpAddr, v4: Set, v6: Set) -> (Set, Self) {
        match address {
            IpAddr::V4(a) => (v4, Self::new(&[&a.octets()])),
            IpAddr::V6(a) => (v6, Self::new(&[&a.octets()])),
        }
    }

    /// A hardware address.
    pub fn of_mac(mac: MacAddr) -> Self {
        Self::new(&[&mac.octets()])
    }

    /// Whose conversations are counted: a hardware address, and the side that began them.
    pub fn of_holder(mac: MacAddr, side: u32) -> Self {
        Self::new(&[&mac.octets(), &[0, 0], &side.to_ne_bytes()])
    }

    /// A rule's number, in the machine's order of octets as marks have it.
    pub fn of_rule(number: RuleNumber) -> Self {
        Self::new(&[&number.0.to_ne_bytes()])
    }

    /// What a device was told for a name of a rule.
    pub fn of_name(mac: MacAddr, address: IpAddr, number: RuleNumber) -> (Set, Self) {
        let (mac, number) = (mac.octets(), number.0.to_ne_bytes());
        match address {
            IpAddr::V4(a) => (Set::NamedV4, Self::new(&[&mac, &[0, 0], &a.octets(), &number])),
            IpAddr::V6(a) => (Set::NamedV6, Self::new(&[&mac, &[0, 0], &a.octets(), &number])),
        }
    }

    /// A key as the kernel lists it; nothing if it is longer than any.
    pub fn of_octets(octets: &[u8]) -> Option<Self> {
        (octets.len() <= Self::LONGEST).then(|| Self::new(&[octets]))
    }

    pub fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }

    fn new(fields: &[&[u8]]) -> Self {
        let mut key = Self { octets: [0; Self::LONGEST], len: 0 };
        for (at, &octet) in key.octets.iter_mut().zip(fields.iter().copied().flatten()) {
            *at = octet;
            key.len += 1;
        }
        key
    }
}
