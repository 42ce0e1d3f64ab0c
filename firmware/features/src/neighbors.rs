//! Who owns which address on the local link: hardware addresses, and bindings of addresses to them.

use core::net::Ipv4Addr;

use heapless::Vec;
use terms::{HostKey, MacAddr, Side, Span, Timestamp};

use crate::change::Change;
use crate::table::Worth;

/// How long a binding without a sign of life still counts as owned.
const ALIVE: Span = Span::from_secs(60);
const CLAIM_HORIZON: Span = Span::from_secs(60);
const SOURCE_HORIZON: Span = Span::from_secs(10);
const ADDRESS_HORIZON: Span = Span::from_secs(600);

/// A hardware address and what it says of itself.
#[derive(Clone, Debug)]
pub struct Neighbor {
    pub(crate) side: Side,
    pub(crate) last: Timestamp,
    /// IPv4 addresses that it used lately.
    addresses: Vec<(Ipv4Addr, Timestamp), 4>,
    fresh: (Timestamp, u16),
    claims: Vec<(HostKey, Timestamp), 16>,
}

/// The owner of an address.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(crate) owner: MacAddr,
    pub(crate) last: Timestamp,
    /// Who claimed it last against the owner.
    pub(crate) challenger: Option<MacAddr>,
}

impl Neighbor {
    pub(crate) fn new(side: Side, at: Timestamp) -> Self {
        Self { side, last: at, addresses: Vec::new(), fresh: (at, 0), claims: Vec::new() }
    }

    /// The address that it has used longest, if any.
    pub(crate) fn address(&self) -> Option<Ipv4Addr> {
        self.addresses.first().map(|a| a.0)
    }

    /// Whether it is known to use this address.
    pub(crate) fn uses(&self, address: Ipv4Addr) -> bool {
        self.addresses.iter().any(|a| a.0 == address)
    }

    /// Notes that it used an address.
    pub(crate) fn used(&mut self, address: Ipv4Addr, at: Timestamp) {
        if let Some(known) = self.addresses.iter_mut().find(|a| a.0 == address) {
            known.1 = at;
            return;
        }
        if self.addresses.is_full() {
            let oldest = self.addresses.iter().enumerate().skip(1).min_by_key(|(_, a)| a.1).map_or(1, |(n, _)| n);
            self.addresses.remove(oldest);
        }
        self.addresses.push((address, at)).unwrap_or_default();
    }

    /// IPv4 addresses in use in the last ten minutes (at most 4).
    pub(crate) fn hosts(&self, now: Timestamp) -> u16 {
        self.addresses.iter().filter(|a| now.since(a.1) < ADDRESS_HORIZON).fold(0, |n, _| n + 1)
    }

    /// Counts a source address that was not seen before and returns how many there were in ten seconds.
    pub(crate) fn fresh_source(&mut self, at: Timestamp) -> u16 {
        if at.since(self.fresh.0) >= SOURCE_HORIZON {
            self.fresh = (at, 0);
        }
        self.fresh.1 = self.fresh.1.saturating_add(1);
        self.fresh.1
    }

    /// The owner spoke up for this address: claims for it are a conflict that both know of, no deceit.
    pub(crate) fn contested(&mut self, claimed: HostKey) {
        self.claims.retain(|c| c.0 != claimed);
    }

    /// Counts an unasked claim, for an address that `owner` holds or pushed at a single neighbour.
    pub(crate) fn claim(&mut self, claimed: HostKey, owner: Option<MacAddr>, at: Timestamp) -> Change {
        self.claims.retain(|c| at.since(c.1) < CLAIM_HORIZON);
        if self.claims.is_full() {
            self.claims.remove(0);
        }
        self.claims.push((claimed, at)).unwrap_or_default();
        let mut addresses = Vec::<HostKey, 16>::new();
        for (address, _) in &self.claims {
            if !addresses.contains(address) {
                addresses.push(*address).unwrap_or_default();
            }
        }
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        Change::Claims { claimed, owner, claims: count(self.claims.len()), addresses: count(addresses.len()) }
    }
}

impl Binding {
    /// Whether the owner gave a sign of life lately.
    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        now.since(self.last) < ALIVE
    }
}

impl Worth for Neighbor {
    fn class(&self) -> u8 {
        u8::from(!self.claims.is_empty())
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}

impl Worth for Binding {
    fn class(&self) -> u8 {
        0
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_stays_known_when_others_come_and_go() {
        let mut neighbor = Neighbor::new(Side::Lan, Timestamp::EPOCH);
        for n in 1..=9 {
            neighbor.used(Ipv4Addr::new(10, 0, 0, n), Timestamp::from_secs(u64::from(n)));
        }
        assert_eq!(neighbor.address(), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(neighbor.hosts(Timestamp::from_secs(9)), 4);
    }

    #[test]
    fn claims_count_for_a_minute_and_by_address() {
        let mut neighbor = Neighbor::new(Side::Lan, Timestamp::EPOCH);
        let address = |n| HostKey::V4(Ipv4Addr::new(10, 0, 0, n));
        neighbor.claim(address(1), Some(MacAddr::ZERO), Timestamp::from_secs(1));
        let change = neighbor.claim(address(2), Some(MacAddr::ZERO), Timestamp::from_secs(2));
        assert!(matches!(change, Change::Claims { claims: 2, addresses: 2, .. }));
        let change = neighbor.claim(address(2), Some(MacAddr::ZERO), Timestamp::from_secs(61));
        assert!(matches!(change, Change::Claims { claims: 2, addresses: 1, .. }));
    }
}
