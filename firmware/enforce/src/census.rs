//! How many conversations each device holds, counted from the kernel's maps, and who was refused more.
//!
//! Counting lists both maps whole, which takes a good part of a second on a small board with full maps: it has a socket of its own and
//! nobody who must be quick calls it. The maps are listed only where so many conversations began since the last time that a device
//! might hold as many as it may by now.

use std::collections::BTreeMap;

use policy::Begins;
use terms::MacAddr;

use crate::attribute::{Attributes, Message};
use crate::error::EnforceError;
use crate::key::Key;
use crate::layout::{Set, TABLE, TALKS_A_DEVICE, TALKS_OF_STRANGERS};
use crate::message::{self, attr, number};
use crate::room;
use crate::socket::Socket;

/// Of so many hardware addresses the conversations are counted apart; those of others count as strangers' alone.
const APART: usize = 65_536;

/// Whose conversations they are: a device's by the hardware address of its LAN end, or those of all that the policy does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The hardware address; nothing for all strangers together.
    pub mac: Option<MacAddr>,
    /// The end that began them.
    pub begins: Begins,
}

/// What one look at the kernel told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Who holds as many conversations as it may, and how many that is.
    pub at_cap: BTreeMap<Holder, u32>,
    /// How many packets of each were refused that would have begun one more, in the last minutes.
    pub refused: BTreeMap<Holder, u64>,
    /// How many found the map itself full, since the table was made.
    pub map_full: u64,
}

/// Counts conversations, with a socket of its own.
pub struct Census {
    socket: Socket,
    /// Conversations that had begun when the maps were listed last, and how many more could begin before anybody is at its cap.
    last: Option<(u64, u64)>,
    at_cap: BTreeMap<Holder, u32>,
}

/// An element of a map, as far as it counts.
struct Element {
    mac: MacAddr,
    begins: Begins,
}

impl Holder {
    /// How many conversations it may hold.
    #[must_use]
    pub const fn cap(&self) -> u32 {
        if self.mac.is_some() { TALKS_A_DEVICE } else { TALKS_OF_STRANGERS }
    }

    /// At how many it may begin new ones again.
    const fn free_again(&self) -> u32 {
        self.cap() - self.cap() / 8
    }

    pub(crate) fn key(&self) -> Key {
        Key::of_holder(self.mac.unwrap_or(MacAddr::ZERO), room::side(self.begins))
    }

    fn of_key(key: &[u8]) -> Option<Self> {
        let mac = MacAddr::new(*key.first_chunk()?);
        Some(Self { mac: (mac != MacAddr::ZERO).then_some(mac), begins: begins(key.get(8..)?)? })
    }
}

impl Census {
    /// Opens the way to the kernel, in the network namespace of the calling thread.
    ///
    /// # Errors
    /// `Unreachable` if the kernel has no nftables.
    pub fn open() -> Result<Self, EnforceError> {
        Ok(Self { socket: Socket::open()?, last: None, at_cap: BTreeMap::new() })
    }

    /// Looks once. Where no policy holds, nobody holds anything.
    ///
    /// # Errors
    /// `Unconfirmed` if an answer did not come whole.
    pub fn look(&mut self) -> Result<Count, EnforceError> {
        let begun = self.counter(room::BEGUN.to_bytes())?;
        let near = self.last.is_none_or(|(before, room)| begun < before || begun - before >= room);
        if begun > 0 && (near || !self.at_cap.is_empty()) {
            let held = self.held()?;
            let is_full = |holder: &Holder, count: u32| {
                count >= if self.at_cap.contains_key(holder) { holder.free_again() } else { holder.cap() }
            };
            let nearest = held.iter().map(|(holder, count)| holder.cap().saturating_sub(*count));
            let room = nearest.chain([TALKS_A_DEVICE]).min().unwrap_or_default();
            self.at_cap = held.into_iter().filter(|(holder, count)| is_full(holder, *count)).collect();
            self.last = Some((begun, u64::from(room / 2).max(1)));
        } else if begun == 0 {
            (self.last, self.at_cap) = (None, BTreeMap::new());
        }
        let refused = self.counter(room::REFUSED_DEVICE.to_bytes())?;
        let refused = if refused > 0 { self.refused()? } else { BTreeMap::new() };
        let map_full = self.counter(room::REFUSED_FULL.to_bytes())?;
        Ok(Count { at_cap: self.at_cap.clone(), refused, map_full })
    }

    /// Conversations by who holds them.
    fn held(&mut self) -> Result<BTreeMap<Holder, u32>, EnforceError> {
        let known: Vec<MacAddr> = self.list(Set::KnownMac, |all: &mut Vec<MacAddr>, element| {
            all.extend(key(element).and_then(|key| key.first_chunk()).map(|octets| MacAddr::new(*octets)));
        })?;
        let known: std::collections::BTreeSet<MacAddr> = known.into_iter().collect();
        let mut held: BTreeMap<Holder, u32> = BTreeMap::new();
        for set in [Set::TalkV4, Set::TalkV6] {
            let counted = self.list(set, |all: &mut BTreeMap<Holder, u32>, element| {
                let Some(Element { mac, begins }) = Element::read(element) else { return };
                let own = Holder { mac: Some(mac), begins };
                if known.contains(&mac) || all.len() < APART {
                    *all.entry(own).or_default() += 1;
                }
                if !known.contains(&mac) {
                    *all.entry(Holder { mac: None, begins }).or_default() += 1;
                }
            })?;
            counted.into_iter().for_each(|(holder, count)| *held.entry(holder).or_default() += count);
        }
        Ok(held)
    }

    /// Refusals by whom they met.
    fn refused(&mut self) -> Result<BTreeMap<Holder, u64>, EnforceError> {
        self.list(Set::Refused, |all: &mut BTreeMap<Holder, u64>, element| {
            let of = Attributes::new(element);
            let counter = of.inside(attr::ELEMENT_EXPRESSION).inside(attr::EXPRESSION_DATA);
            let packets = counter.u64(attr::COUNTER_PACKETS).unwrap_or_default();
            all.extend(key(element).and_then(Holder::of_key).map(|holder| (holder, packets)));
        })
    }

    fn list<T: Default>(&mut self, set: Set, mut each: impl FnMut(&mut T, &[u8])) -> Result<T, EnforceError> {
        let found = self.socket.ask(set.text(), message::dump_elements(set), |value: &mut T, message| {
            let is_list = message.number() == Some(number::NEW_ELEMENT);
            let list = if is_list { message.attributes().inside(attr::LIST_ELEMENTS) } else { Attributes::new(&[]) };
            list.for_each(|(_, element)| each(value, element));
        })?;
        Ok(found.unwrap_or_default())
    }

    /// What a named counter says; zero where there is none.
    fn counter(&mut self, name: &[u8]) -> Result<u64, EnforceError> {
        let name = String::from_utf8_lossy(name);
        let packets = |message: &Message<'_>| {
            let of = (message.number()? == number::NEW_OBJECT).then(|| message.attributes())?;
            (of.text(attr::OF_TABLE) == Some(TABLE)).then(|| of.inside(attr::OBJECT_DATA).u64(attr::COUNTER_PACKETS))?
        };
        let request = message::get_counter(&name);
        let found =
            self.socket.ask(&name, request, |sum: &mut u64, message| *sum = packets(message).unwrap_or(*sum))?;
        Ok(found.unwrap_or_default())
    }
}

impl Element {
    fn read(element: &[u8]) -> Option<Self> {
        let data = Attributes::new(element).inside(attr::ELEMENT_DATA).value(attr::DATA_VALUE)?;
        Some(Self { mac: MacAddr::new(*data.get(4..)?.first_chunk()?), begins: begins(data.get(12..)?)? })
    }
}

fn key(element: &[u8]) -> Option<&[u8]> {
    Attributes::new(element).inside(attr::ELEMENT_KEY).value(attr::DATA_VALUE)
}

fn begins(octets: &[u8]) -> Option<Begins> {
    let side = u32::from_ne_bytes(*octets.first_chunk()?);
    [Begins::Lan, Begins::Uplink].into_iter().find(|begins| room::side(*begins) == side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_reads_back_from_its_key_and_cut_anywhere_as_none() {
        let mac = Some(MacAddr::new([2, 0, 0, 0, 0, 1]));
        for begins in [Begins::Lan, Begins::Uplink] {
            for holder in [Holder { mac, begins }, Holder { mac: None, begins }] {
                let key = holder.key();
                assert_eq!(Holder::of_key(key.octets()), Some(holder));
                assert_eq!(key.octets().len(), Set::AtCap.key_len());
                for len in 0..key.octets().len() {
                    assert_eq!(Holder::of_key(&key.octets()[..len]), None, "{len}");
                }
            }
        }
    }

    #[test]
    fn a_device_at_its_cap_begins_again_only_when_a_part_has_ended() {
        let holder = Holder { mac: None, begins: Begins::Lan };
        assert!(holder.free_again() < holder.cap());
        // Strangers leave room for the others.
        const { assert!(2 * TALKS_OF_STRANGERS <= crate::layout::TALKS_V4) };
    }
}
