//! Who owns which address on the local link: hardware addresses, and bindings of addresses to them.

use core::net::Ipv4Addr;

use heapless::{HistoryBuf, Vec};
use terms::{HostKey, MacAddr, Side, Span, Timestamp};

use crate::change::Change;
use crate::rate::{Recent, millis};
use crate::table::Worth;

/// How long a binding without a sign of life still counts as owned.
const ALIVE: Span = Span::from_secs(60);
const CLAIM_HORIZON: Span = Span::from_secs(60);
const SOURCE_HORIZON: Span = Span::from_secs(10);
/// New source addresses whose times are remembered; more read as that many.
const SOURCES: usize = 32;
/// How long an address counts as in use.
pub(crate) const ADDRESS_HORIZON: Span = Span::from_secs(600);

/// A hardware address and the addresses that it uses.
#[derive(Clone, Debug)]
pub struct Neighbor {
    pub(crate) side: Side,
    pub(crate) last: Timestamp,
    /// Whether it claimed an address that it did not have.
    pub(crate) claims: bool,
    /// IPv4 addresses that it used lately.
    addresses: Vec<(Ipv4Addr, Timestamp), 4>,
    /// When a source address behind it was new.
    ///
    /// **Units**: milliseconds; they wrap after 49 days.
    fresh: HistoryBuf<u32, SOURCES>,
}

/// What a hardware address says of itself that few have to say: kept apart from the neighbours, who are many.
#[derive(Clone, Debug, Default)]
pub struct Claimant {
    pub(crate) last: Timestamp,
    claims: Vec<Claim, 16>,
    /// When it pushed a claim at a single neighbour last, and as whom it spoke.
    pushed: Option<(Timestamp, HostKey)>,
    /// Addresses that it took over since.
    taken: Vec<HostKey, 8>,
    /// Clients for which it asked DHCP.
    clients: Recent<32>,
}

/// An unasked claim.
#[derive(Clone, Copy, Debug)]
struct Claim {
    address: HostKey,
    at: Timestamp,
    /// Whether all could hear it, the owner too.
    to_all: bool,
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
        Self { side, last: at, claims: false, addresses: Vec::new(), fresh: HistoryBuf::new() }
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

    /// IPv4 addresses that it used (at most 4).
    pub(crate) fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.addresses.iter().map(|a| a.0)
    }

    /// IPv4 addresses in use in the last ten minutes (at most 4).
    pub(crate) fn hosts(&self, now: Timestamp) -> u16 {
        self.addresses.iter().filter(|a| now.since(a.1) < ADDRESS_HORIZON).fold(0, |n, _| n + 1)
    }

    /// Counts a source address that was not seen before and returns how many there were in ten seconds, this one included.
    pub(crate) fn fresh_source(&mut self, at: Timestamp) -> u16 {
        let (now, horizon) = (millis(at), SOURCE_HORIZON.micros() / 1_000);
        self.fresh.write(now);
        self.fresh.iter().filter(|then| u64::from(now.wrapping_sub(**then)) < horizon).fold(0, |n, _| n + 1)
    }
}

impl Claimant {
    /// Notes that it pushed a claim at a single neighbour, speaking as a host.
    pub(crate) fn pushes(&mut self, host: HostKey, at: Timestamp) {
        if self.pushed.is_none_or(|(then, _)| at.since(then) >= ADDRESS_HORIZON) {
            self.taken.clear();
        }
        self.pushed = Some((at, host));
    }

    /// An address that came from another comes from here now. Where that follows on a pushed claim, returns as whom it was pushed
    /// and how many addresses came over since.
    pub(crate) fn took_over(&mut self, address: HostKey, at: Timestamp) -> Option<(HostKey, u16)> {
        let (_, host) = self.pushed.filter(|(then, _)| at.since(*then) < ADDRESS_HORIZON)?;
        if address == host {
            return None;
        }
        if !self.taken.contains(&address) {
            self.taken.push(address).unwrap_or_default();
        }
        Some((host, self.taken.iter().fold(0, |n, _| n + 1)))
    }

    /// Notes for which client it asks DHCP and returns for how many it did in the last minute.
    pub(crate) fn asks_for(&mut self, client: u32, at: Timestamp) -> u16 {
        self.clients.note_once(client, at, CLAIM_HORIZON)
    }

    /// The owner stood up for this address before all: what was claimed before all is a conflict that both know of, no deceit.
    /// What was pushed at single neighbours stays deceit.
    pub(crate) fn contested(&mut self, claimed: HostKey) {
        self.claims.retain(|c| c.address != claimed || !c.to_all);
    }

    /// Counts an unasked claim, for an address that `owner` holds or pushed at a single neighbour.
    pub(crate) fn claim(&mut self, claimed: HostKey, owner: Option<MacAddr>, to_all: bool, at: Timestamp) -> Change {
        self.claims.retain(|c| at.since(c.at) < CLAIM_HORIZON);
        if self.claims.is_full() {
            self.claims.remove(0);
        }
        self.claims.push(Claim { address: claimed, at, to_all }).unwrap_or_default();
        let mut addresses = Vec::<HostKey, 16>::new();
        let of_kind = |claim: &&Claim| matches!(claim.address, HostKey::V6(_)) == matches!(claimed, HostKey::V6(_));
        for claim in self.claims.iter().filter(of_kind) {
            if !addresses.contains(&claim.address) {
                addresses.push(claim.address).unwrap_or_default();
            }
        }
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        Change::Claims {
            claimed,
            owner,
            claims: count(self.claims.iter().filter(of_kind).count()),
            addresses: count(addresses.len()),
        }
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
        u8::from(self.claims)
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}

impl Worth for Claimant {
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
    extern crate std;
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
        let mut claimant = Claimant::default();
        let address = |n| HostKey::V4(Ipv4Addr::new(10, 0, 0, n));
        claimant.claim(address(1), Some(MacAddr::ZERO), true, Timestamp::from_secs(1));
        let change = claimant.claim(address(2), Some(MacAddr::ZERO), true, Timestamp::from_secs(2));
        assert!(matches!(change, Change::Claims { claims: 2, addresses: 2, .. }));
        let change = claimant.claim(address(2), Some(MacAddr::ZERO), true, Timestamp::from_secs(61));
        assert!(matches!(change, Change::Claims { claims: 2, addresses: 1, .. }));
    }

    #[test]
    fn an_owner_that_stands_up_clears_what_all_heard_and_not_what_was_pushed_at_one() {
        let mut claimant = Claimant::default();
        let (address, at) = (HostKey::V4(Ipv4Addr::new(10, 0, 0, 1)), Timestamp::from_secs(1));
        claimant.claim(address, Some(MacAddr::ZERO), true, at);
        claimant.claim(address, Some(MacAddr::ZERO), false, at);
        claimant.contested(address);
        assert!(matches!(claimant.claim(address, None, true, at), Change::Claims { claims: 2, .. }));
    }

    #[test]
    fn new_sources_count_for_ten_seconds_each() {
        let mut neighbor = Neighbor::new(Side::Lan, Timestamp::EPOCH);
        let counts: std::vec::Vec<u16> =
            (0..25).map(|n| neighbor.fresh_source(Timestamp::from_micros(n * 500_000))).collect();
        assert_eq!((counts[0], counts[19], counts[24]), (1, 20, 20));
    }
}
