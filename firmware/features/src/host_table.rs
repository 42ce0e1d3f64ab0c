//! The host table and its companions.

extern crate alloc;
use alloc::collections::VecDeque;
use alloc::sync::Arc;

use heapless::Vec;
use terms::{HostKey, MacAddr, Side, Span, Timestamp};

use crate::change::Ask;
use crate::doings::{Doings, Echoes};
use crate::flow::Flow;
use crate::hash::{HashKey, RowId};
use crate::host::{Host, Judgement};
use crate::listed::Indicators;
use crate::names::Logarithms;
use crate::neighbors::{ADDRESS_HORIZON, Binding, Claimant, Neighbor};
use crate::pair::Pair;
use crate::table::{Table, Worth};
use crate::vector::FeatureVector;

/// Rows of each table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacities {
    /// Hosts that sent something.
    pub hosts: usize,
    /// Conversations.
    pub flows: usize,
    /// (Asker, target).
    pub pairs: usize,
    /// Hardware addresses, and as many address bindings.
    pub neighbors: usize,
    /// Hosts that did what few do, as many hardware addresses that claim what few do, and pairs of hosts of which one pinged the other.
    pub doings: usize,
    /// Addresses that DNS named.
    pub named: usize,
    /// Questions whose answer is awaited.
    pub awaited: usize,
}

/// How full the tables are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Hosts in the table.
    pub hosts: usize,
    /// Hosts that made room for others.
    pub hosts_evicted: u64,
    /// Conversations that made room for others.
    pub flows_evicted: u64,
    /// Pairs that made room for others.
    pub pairs_evicted: u64,
    /// Hardware addresses and bindings that made room for others.
    pub neighbors_evicted: u64,
    /// Rows of what few hosts do that made room for others.
    pub doings_evicted: u64,
    /// Addresses named by DNS that made room for others.
    pub named_evicted: u64,
    /// Questions whose answer was not awaited because too many were.
    pub unawaited: u64,
    /// Changes that found no room in a frame's notes.
    pub unnoted: u64,
}

/// A host as a frame names it, with the identity of its row: an address is hashed once a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party {
    pub key: HostKey,
    pub id: RowId,
}

/// A question whose answer is awaited until `due`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Awaited {
    pub due: Timestamp,
    pub asked: Timestamp,
    pub flow: RowId,
    pub orig: Party,
    pub target: Party,
    pub ask: Ask,
    pub port: u16,
}

/// An address that an answer from DNS told somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    pub last: Timestamp,
    /// Whether the name was one that anybody may take and move at any time.
    pub dynamic: bool,
}

/// Everything that is known of the hosts, in fixed memory.
#[derive(Debug)]
pub struct HostTable<J> {
    pub(crate) key: HashKey,
    pub(crate) logarithms: Logarithms,
    pub(crate) hosts: Table<Host<J>>,
    pub(crate) flows: Table<Flow>,
    pub(crate) pairs: Table<Pair>,
    pub(crate) neighbors: Table<Neighbor>,
    pub(crate) claimants: Table<Claimant>,
    pub(crate) bindings: Table<Binding>,
    pub(crate) doings: Table<Doings>,
    pub(crate) echoes: Table<Echoes>,
    pub(crate) named: Table<Named>,
    pub(crate) awaited: VecDeque<Awaited>,
    pub(crate) awaited_capacity: usize,
    pub(crate) unawaited: u64,
    pub(crate) unnoted: u64,
    pub(crate) login_horizon: Span,
    pub(crate) infrastructure: Infrastructure,
    pub(crate) indicators: Arc<Indicators>,
}

/// Who serves the network, as the frames told: the DHCP server and the router that were seen first, the gateway that the DHCP
/// server names, and DNS servers on the uplink side.
///
/// **Bounds**: eight each; later ones are left out.
#[derive(Clone, Debug, Default)]
pub struct Infrastructure {
    /// The DHCP server's hardware address, once one answered.
    pub dhcp_server: Option<MacAddr>,
    /// The advertising router's hardware address, once one advertised.
    pub router: Option<MacAddr>,
    /// All hardware addresses.
    pub macs: Vec<MacAddr, 8>,
    /// All addresses.
    pub addresses: Vec<HostKey, 8>,
}

impl Infrastructure {
    pub(crate) fn add_mac(&mut self, mac: MacAddr) {
        if !self.macs.contains(&mac) {
            self.macs.push(mac).unwrap_or_default();
        }
    }

    pub(crate) fn add_address(&mut self, host: HostKey) {
        if !self.addresses.contains(&host) {
            self.addresses.push(host).unwrap_or_default();
        }
    }
}

impl Worth for Named {
    fn class(&self) -> u8 {
        0
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}

impl Default for Capacities {
    fn default() -> Self {
        Self {
            hosts: 4_096,
            flows: 32_768,
            pairs: 4_096,
            neighbors: 4_096,
            doings: 768,
            named: 8_192,
            awaited: 8_192,
        }
    }
}

impl<J: Judgement> HostTable<J> {
    /// Empty tables; `login_horizon` is how long a failed log-in counts.
    #[must_use]
    pub fn new(key: HashKey, capacities: Capacities, login_horizon: Span) -> Self {
        Self {
            key,
            logarithms: Logarithms::new(),
            hosts: Table::new(capacities.hosts),
            flows: Table::new(capacities.flows),
            pairs: Table::new(capacities.pairs),
            neighbors: Table::new(capacities.neighbors),
            claimants: Table::new(capacities.doings),
            bindings: Table::new(capacities.neighbors),
            doings: Table::new(capacities.doings),
            echoes: Table::new(capacities.doings),
            named: Table::new(capacities.named),
            awaited: VecDeque::with_capacity(capacities.awaited),
            awaited_capacity: capacities.awaited,
            unawaited: 0,
            unnoted: 0,
            login_horizon,
            infrastructure: Infrastructure::default(),
            indicators: Arc::default(),
        }
    }

    /// The host with this address.
    pub fn host(&mut self, key: HostKey) -> Option<&mut Host<J>> {
        self.hosts.get_mut(self.key.host(key))
    }

    /// Every host, in the order of their slots.
    pub fn hosts(&self) -> impl Iterator<Item = &Host<J>> {
        self.hosts.iter()
    }

    /// Every host, in the order of their slots.
    pub fn hosts_mut(&mut self) -> impl Iterator<Item = &mut Host<J>> {
        self.hosts.iter_mut()
    }

    /// How full the tables are.
    #[must_use]
    pub fn occupancy(&self) -> Occupancy {
        Occupancy {
            hosts: self.hosts.len(),
            hosts_evicted: self.hosts.evicted(),
            flows_evicted: self.flows.evicted(),
            pairs_evicted: self.pairs.evicted(),
            neighbors_evicted: self.neighbors.evicted() + self.bindings.evicted(),
            doings_evicted: self.doings.evicted() + self.echoes.evicted() + self.claimants.evicted(),
            named_evicted: self.named.evicted(),
            unawaited: self.unawaited,
            unnoted: self.unnoted,
        }
    }

    /// IPv4 hosts that were seen behind a hardware address in the last ten minutes (at most 4).
    pub fn hosts_behind(&mut self, mac: MacAddr, now: Timestamp) -> u16 {
        self.neighbors.get_mut(self.key.mac(mac)).map_or(0, |n| n.hosts(now))
    }

    /// The host as which a device of the LAN was known before it took a new address; nothing where several may share its hardware
    /// address.
    pub fn predecessor(&mut self, host: HostKey, mac: MacAddr, now: Timestamp) -> Option<&mut Host<J>> {
        let neighbor = self.neighbors.get_mut(self.key.mac(mac)).filter(|neighbor| neighbor.side == Side::Lan)?;
        let (mut last, mut in_use) = (None, 0);
        for address in neighbor.addresses().map(HostKey::V4).filter(|address| *address != host) {
            let Some(known) = self.hosts.get_mut(self.key.host(address)).filter(|known| known.mac == mac) else {
                continue;
            };
            in_use += u32::from(now.since(known.last_seen) < ADDRESS_HORIZON);
            last = last.max(Some((known.last_seen, address)));
        }
        // An IPv6 address stands beside the IPv4 address of its device; another IPv4 address in use is another host's.
        let alone = in_use <= u32::from(matches!(host, HostKey::V6(_)));
        let (_, before) = last.filter(|_| alone)?;
        self.host(before)
    }

    /// Who serves the network.
    #[must_use]
    pub fn infrastructure(&self) -> &Infrastructure {
        &self.infrastructure
    }

    /// The host's features at this moment, or nothing where the host is not in the table.
    pub fn vector(&mut self, key: HostKey, at: Timestamp) -> Option<FeatureVector> {
        self.host(key).map(|host| FeatureVector::read(&host.window.read(at)))
    }

    /// The host in a slot, of as many as [`Occupancy::hosts`] tells.
    pub fn host_at(&mut self, slot: usize) -> Option<&mut Host<J>> {
        (slot < self.hosts.len()).then(|| self.hosts.at(slot))
    }

    pub(crate) fn party(&self, key: HostKey) -> Party {
        Party { key, id: self.key.host(key) }
    }

    /// The slot of a host that sends, made if it is new; the second value says so.
    #[inline]
    pub(crate) fn sender(&mut self, party: Party, mac: MacAddr, side: Side, at: Timestamp) -> (usize, bool) {
        let Party { key, id } = party;
        if let Some(slot) = self.hosts.find(id) {
            return (slot, false);
        }
        let new = || Host::new(key, mac, side, at);
        (self.hosts.insert_anew(id, new, |host| host.renew(key, mac, side, at)), true)
    }

    pub(crate) fn neighbor(&mut self, mac: MacAddr, side: Side, at: Timestamp) -> &mut Neighbor {
        let id = self.key.mac(mac);
        let slot = self.neighbors.find(id).unwrap_or_else(|| self.neighbors.insert(id, Neighbor::new(side, at)));
        let neighbor = self.neighbors.at(slot);
        neighbor.last = at;
        neighbor.side = side;
        neighbor
    }

    /// What this hardware address claims.
    pub(crate) fn claimant(&mut self, mac: MacAddr, at: Timestamp) -> &mut Claimant {
        let id = self.key.mac(mac);
        let slot = self.claimants.find(id).unwrap_or_else(|| self.claimants.insert(id, Claimant::default()));
        let claimant = self.claimants.at(slot);
        claimant.last = at;
        claimant
    }

    pub(crate) fn pair(&mut self, orig: Party, target: Party, at: Timestamp) -> &mut Pair {
        let id = self.pair_id(orig, target);
        let slot = self.pairs.find(id).unwrap_or_else(|| self.pairs.insert_anew(id, Pair::default, Pair::renew));
        let pair = self.pairs.at(slot);
        pair.last = at;
        pair
    }

    /// What this host did that few do.
    pub(crate) fn doings(&mut self, host: Party, at: Timestamp) -> &mut Doings {
        let slot = self
            .doings
            .find(host.id)
            .unwrap_or_else(|| self.doings.insert_anew(host.id, Doings::default, Doings::renew));
        let doings = self.doings.at(slot);
        doings.last = at;
        doings
    }

    /// The echoes that `orig` asked of `target`.
    pub(crate) fn echoes(&mut self, orig: Party, target: Party, at: Timestamp) -> &mut Echoes {
        let id = self.pair_id(orig, target);
        let slot = self.echoes.find(id).unwrap_or_else(|| self.echoes.insert(id, Echoes::default()));
        let echoes = self.echoes.at(slot);
        echoes.last = at;
        echoes
    }

    pub(crate) fn pair_id(&self, orig: Party, target: Party) -> RowId {
        self.key.pair(orig.id, target.id, 0x7061_6972)
    }
}
