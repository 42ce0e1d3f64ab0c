//! The book of devices: which record a frame belongs to, and what contradicts it.

use core::net::IpAddr;
use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};

use terms::{HostKey, MacAddr, Side, Span, Timestamp};

use super::clue::{Clue, Says};
use super::conflict::Conflict;
use super::record::{DeviceId, DeviceRecord, Place};

/// Records kept. When full, the longest unseen of those that nobody said anything about goes.
pub const DEVICES: usize = 2_048;
/// Whoever was seen with an address so lately still owns it.
const OWNED: Span = Span::from_secs(600);
/// How often the time of the newest frame alone is a change.
///
/// **Units**: seconds.
const STALE: u64 = 600;
/// A device that nobody described is worth keeping when it has been there for so long; an invented one never has.
const LASTING: Span = Span::from_secs(60);
/// An address that a server gave so lately belongs to whom it was given.
const LEASED: Span = Span::from_secs(86_400);

/// A host in use, as the inspector's table has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Who.
    pub host: HostKey,
    /// Its hardware address.
    pub mac: MacAddr,
    /// On which side.
    pub side: Side,
    /// Its newest frame.
    pub at: Timestamp,
}

/// Every device that is known.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    records: BTreeMap<DeviceId, DeviceRecord>,
    by_mac: BTreeMap<MacAddr, DeviceId>,
    by_address: BTreeMap<IpAddr, DeviceId>,
    /// The number of the next device.
    next: u32,
    /// Changed since the last [`Devices::changes`].
    changed: BTreeSet<DeviceId>,
    /// Gone since then.
    gone: BTreeSet<DeviceId>,
    /// Devices that found no room.
    refused: u64,
    /// What was said already, so that it is said once.
    told: BTreeSet<(DeviceId, u8)>,
}

impl Devices {
    /// The book of a former run.
    #[must_use]
    pub fn load(records: Vec<DeviceRecord>) -> Self {
        let mut book = Self::default();
        for record in records.into_iter().take(DEVICES) {
            book.next = book.next.max(record.id.0.saturating_add(1));
            book.index(&record);
            book.records.insert(record.id, record);
        }
        book
    }

    /// Puts other records in place of all.
    pub fn replace(&mut self, records: Vec<DeviceRecord>) {
        let mut book = Self::load(records);
        book.next = book.next.max(self.next);
        book.changed = book.records.keys().copied().collect();
        book.gone =
            self.records.keys().chain(&self.gone).filter(|id| !book.records.contains_key(*id)).copied().collect();
        *self = book;
    }

    /// Every record, in the order of their numbers.
    pub fn records(&self) -> impl Iterator<Item = &DeviceRecord> {
        self.records.values()
    }

    /// Those with a higher number than this one, in the order of their numbers.
    pub fn newer(&self, than: Option<DeviceId>) -> impl Iterator<Item = &DeviceRecord> {
        let from = than.map_or(Bound::Unbounded, Bound::Excluded);
        self.records.range((from, Bound::Unbounded)).map(|(_, record)| record)
    }

    /// The record with a number.
    #[must_use]
    pub fn get(&self, id: DeviceId) -> Option<&DeviceRecord> {
        self.records.get(&id)
    }

    /// The device with a hardware address.
    #[must_use]
    pub fn of_mac(&self, mac: MacAddr) -> Option<&DeviceRecord> {
        self.by_mac.get(&mac).and_then(|id| self.get(*id))
    }

    /// The device that used an address last.
    #[must_use]
    pub fn of_address(&self, address: IpAddr) -> Option<&DeviceRecord> {
        self.by_address.get(&address).and_then(|id| self.get(*id))
    }

    /// Devices that found no room.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Notes that a host is in use.
    pub fn saw(&mut self, sight: &Sight) -> Option<Conflict> {
        let id = self.device_of(sight.mac, sight.side, sight.at)?;
        // Behind a router stands the internet: its address there is not the router's.
        let address = sight.host.ip().filter(|_| sight.side == Side::Lan || !sight.host.is_global());
        let conflict = self.crossed(id, sight.mac, sight.side).or_else(|| self.taken(id, address?, sight.at));
        if matches!(conflict, Some(Conflict::OtherSide { .. })) {
            return self.once(conflict, 0);
        }
        let record = self.records.get_mut(&id)?;
        let (before, places) = (record.last_seen, record.addresses.clone());
        if record.seen(address, sight.at) || before.secs() / STALE != record.last_seen.secs() / STALE {
            self.changed.insert(id);
        }
        self.let_go(id, &places);
        if let Some(address) = address
            && conflict.is_none()
        {
            self.by_address.insert(address, id);
        }
        self.once(conflict, 1)
    }

    /// Notes what a device says of itself.
    pub fn told(&mut self, clue: &Clue) -> Option<Conflict> {
        if matches!(clue.says, Says::Leased(_)) && self.of_mac(clue.mac).is_none() {
            return None;
        }
        let id = self.device_of(clue.mac, clue.side, clue.at)?;
        let conflict = self.crossed(id, clue.mac, clue.side);
        if conflict.is_some() {
            return self.once(conflict, 0);
        }
        let conflict = self.impostor(id, clue);
        let record = self.records.get_mut(&id)?;
        let places = record.addresses.clone();
        if record.told(&clue.says, clue.at) {
            self.changed.insert(id);
        }
        self.let_go(id, &places);
        if let Says::Leased(address) = clue.says {
            self.by_address.insert(address.into(), id);
        }
        self.once(conflict, 2)
    }

    /// Takes note that a name server knows an address by this name.
    pub fn called(&mut self, address: IpAddr, name: &str, at: Timestamp) {
        let Some(id) = self.by_address.get(&address).copied() else { return };
        let says = Says::Name(super::NameSource::Dns, name.into());
        if self.records.get_mut(&id).is_some_and(|record| record.told(&says, at)) {
            self.changed.insert(id);
        }
    }

    /// Takes note that these could not be kept: they are among the next changes again.
    pub fn unkept(&mut self, changed: &[DeviceRecord], gone: &[DeviceId]) {
        self.changed.extend(changed.iter().map(|record| record.id));
        self.gone.extend(gone);
    }

    /// Records worth keeping that changed, and devices that are gone, since the last call; forgets that they did. The time of the
    /// newest frame alone counts every ten minutes.
    pub fn changes(&mut self) -> (Vec<DeviceRecord>, Vec<DeviceId>) {
        let changed = core::mem::take(&mut self.changed);
        let changed = changed.iter().filter_map(|id| self.records.get(id));
        let lasting =
            |record: &&DeviceRecord| record.is_kept_by_hand() || record.last_seen.since(record.first_seen) >= LASTING;
        let (due, later): (Vec<_>, Vec<_>) = changed.partition(lasting);
        let due = due.into_iter().cloned().collect();
        self.changed = later.into_iter().map(|record| record.id).collect();
        (due, core::mem::take(&mut self.gone).into_iter().collect())
    }

    /// The record of a hardware address, a new one where there is none.
    fn device_of(&mut self, mac: MacAddr, side: Side, at: Timestamp) -> Option<DeviceId> {
        if mac.is_multicast() || mac == MacAddr::ZERO {
            return None;
        }
        match self.by_mac.get(&mac) {
            Some(id) => Some(*id),
            None => self.add(mac, side, at),
        }
    }

    /// A new record.
    pub(super) fn add(&mut self, mac: MacAddr, side: Side, at: Timestamp) -> Option<DeviceId> {
        if self.records.len() >= DEVICES {
            let unsaid = self.records.values().filter(|record| !record.is_kept_by_hand());
            let Some(least) = unsaid.min_by_key(|record| (record.last_seen, record.id)).map(|record| record.id) else {
                self.refused += 1;
                return None;
            };
            self.remove(least);
        }
        let id = DeviceId(self.next);
        self.next = self.next.checked_add(1)?;
        self.records.insert(id, DeviceRecord::new(id, mac, side, at));
        self.by_mac.insert(mac, id);
        self.changed.insert(id);
        Some(id)
    }

    /// Takes a record out.
    pub(super) fn remove(&mut self, id: DeviceId) -> Option<DeviceRecord> {
        let record = self.records.remove(&id)?;
        for mac in &record.macs {
            self.by_mac.remove(mac);
        }
        self.by_address.retain(|_, owner| *owner != id);
        self.told.retain(|(device, _)| *device != id);
        self.changed.remove(&id);
        self.gone.insert(id);
        Some(record)
    }

    /// Changes a record.
    pub(super) fn change(&mut self, id: DeviceId, change: impl FnOnce(&mut DeviceRecord)) -> Option<()> {
        let record = self.records.get_mut(&id)?;
        change(record);
        let record = record.clone();
        self.index(&record);
        self.changed.insert(id);
        Some(())
    }

    /// Lets go of the addresses that a record had no room for any more, so that the index is as bounded as the records.
    fn let_go(&mut self, id: DeviceId, before: &[Place]) {
        let Some(record) = self.records.get(&id) else { return };
        for place in before.iter().filter(|place| record.addresses.iter().all(|kept| kept.address != place.address)) {
            if self.by_address.get(&place.address) == Some(&id) {
                self.by_address.remove(&place.address);
            }
        }
    }

    fn index(&mut self, record: &DeviceRecord) {
        for mac in &record.macs {
            self.by_mac.insert(*mac, record.id);
        }
        for place in &record.addresses {
            let owner = self.by_address.get(&place.address).and_then(|id| self.records.get(id));
            let later = owner.and_then(|owner| owner.addresses.iter().find(|other| other.address == place.address));
            if later.is_none_or(|later| later.last_seen <= place.last_seen) {
                self.by_address.insert(place.address, record.id);
            }
        }
    }

    /// Whether a hardware address is on the side where it was not before.
    fn crossed(&self, id: DeviceId, mac: MacAddr, side: Side) -> Option<Conflict> {
        let record = self.get(id)?;
        let known = [record.side, side];
        let crossed = known[0] != known[1] && !known.contains(&Side::Unknown);
        crossed.then_some(Conflict::OtherSide { device: id, mac, side })
    }

    /// Whether an address is another device's, that was there a moment ago with it.
    fn taken(&self, by: DeviceId, address: IpAddr, at: Timestamp) -> Option<Conflict> {
        let owner = self.of_address(address).filter(|owner| owner.id != by)?;
        let place = |record: &DeviceRecord| record.addresses.iter().find(|place| place.address == address).copied();
        let theirs = place(owner)?;
        let given = place(self.get(by)?).is_some_and(|mine| {
            mine.leased > theirs.leased && mine.leased > Timestamp::EPOCH && at.since(mine.leased) < LEASED
        });
        let there = at.since(theirs.last_seen) < OWNED;
        (there && !given).then_some(Conflict::AddressTaken { device: owner.id, by, address })
    }

    /// Whether another device speaks under this one's hardware address: it asks for its lease in another way, and a name that DHCP
    /// told is followed by another. Either alone is an update, or a person who renamed it.
    fn impostor(&self, id: DeviceId, clue: &Clue) -> Option<Conflict> {
        let record = self.get(id)?;
        let Says::Fingerprint(parameters, class) = &clue.says else { return None };
        let hints = &record.hints;
        let known = !hints.parameters.is_empty();
        if !known || (&hints.parameters, &hints.vendor_class) == (parameters, class) {
            return None;
        }
        let mut names: Vec<_> = record.names.iter().filter(|name| name.source == super::NameSource::Dhcp).collect();
        names.sort_by_key(|name| name.at);
        let [.., was, now] = names[..] else { return None };
        // The name came in the same message, just before.
        let fresh = now.at == clue.at && was.at < now.at;
        fresh.then(|| Conflict::OtherDevice { device: id, mac: clue.mac, was: was.text.clone(), now: now.text.clone() })
    }

    /// A conflict that was not told of this device yet.
    fn once(&mut self, conflict: Option<Conflict>, kind: u8) -> Option<Conflict> {
        conflict.filter(|conflict| self.told.insert((conflict.device(), kind)))
    }
}
