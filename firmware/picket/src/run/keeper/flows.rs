//! What devices did: conversations as the inspector tells them, with the names that were asked for, minute by minute into the store.
//!
//! **Bounds**: [`OPEN`] flows wait for the store, of one device [`A_MINUTE`] in a minute; [`TOLD`] addresses with names. What is
//! beyond is counted and told. Flows of the last [`HELD`] are lost where the box loses its power.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

use ::policy::{Asked, Flow, NAMES};
use features::talks::Talk;
use store::{Store, StoreError};
use terms::{MacAddr, Side, Span, Timestamp};

use super::super::event::now;
use super::super::told::Told;
use super::Book;
use crate::control::Response;
use crate::control::protocol::FlowsWanted;
use crate::control::views::{FlowLots, FlowPage, FlowView};

/// Flows that wait for the store.
const OPEN: usize = 4_096;
/// Flows of one device that are kept of one minute: more are a scan, of which the findings tell.
const A_MINUTE: u16 = 512;
/// How long flows wait for the store; at least so long even where there are many, so that a flood does not wear the flash.
const HELD: Span = Span::from_secs(900);
const HELD_AT_LEAST: Span = Span::from_secs(120);
/// How long a name counts after a restart, since it was last used.
const KNOWN: Span = Span::from_secs(3_600);
/// Addresses with names that are remembered.
const TOLD: usize = 8_192;

/// Numbers of flows in one lot: more than a lot of the store has, and as many as wait.
const LOT: u64 = OPEN as u64;

type Alike = (MacAddr, IpAddr, IpAddr, bool, Asked);
/// A name, and from when until when it counts.
type Called = (String, Timestamp, Timestamp);

/// The flows that wait, and who was told which address for which name.
#[derive(Default)]
pub(super) struct Ledger {
    open: BTreeMap<(u64, Alike), Flow>,
    minute: u64,
    /// When flows went to the store last.
    kept: Timestamp,
    /// Flows of this minute, by device.
    busy: BTreeMap<MacAddr, u16>,
    told: BTreeMap<(MacAddr, IpAddr), Vec<Called>>,
    /// Conversations that found no room.
    pub lost: u64,
}

impl Ledger {
    /// A device was told addresses for a name.
    pub fn hear(&mut self, told: &Told) {
        for (address, lasts) in &told.addresses {
            if self.told.len() >= TOLD {
                self.told.retain(|_, names| names.iter().any(|(.., until)| *until > told.at));
            }
            if self.told.len() >= TOLD {
                return;
            }
            let names = self.told.entry((told.mac, *address)).or_default();
            names.retain(|(name, _, until)| *name != told.name && *until > told.at);
            names.insert(0, (told.name.clone(), told.at, told.at + *lasts));
            names.truncate(NAMES);
        }
    }

    /// After a restart: the names of what devices talked to lately. They ask no name server again for what they know.
    pub fn recall(&mut self, store: &dyn Store, now: Timestamp) {
        // What can't be read is told by the store itself, and nobody waits for a name that is forgotten.
        for (_, flows) in store.flows(None, OPEN).unwrap_or_default().into_iter().rev() {
            for flow in flows.iter().filter(|flow| flow.last + KNOWN > now) {
                for name in flow.names.iter().rev() {
                    let addresses = vec![(flow.far, KNOWN)];
                    self.hear(&Told { mac: flow.mac, name: name.clone(), addresses, at: flow.last });
                }
            }
        }
    }

    /// What devices were told and still counts.
    pub fn told(&self, at: Timestamp) -> impl Iterator<Item = Told> {
        self.told.iter().flat_map(move |((mac, address), names)| {
            let counts = names.iter().filter(move |(_, _, until)| *until > at);
            counts.map(move |(name, _, until)| Told {
                mac: *mac,
                name: name.clone(),
                addresses: vec![(*address, until.since(at))],
                at,
            })
        })
    }

    /// Takes in what the inspector tells of a conversation.
    pub fn take(&mut self, talk: &Talk) {
        let first = talk.begun.unwrap_or(talk.last);
        if first.minute() > self.minute {
            self.minute = first.minute();
            self.busy.clear();
        }
        let asked = Asked { protocol: talk.protocol, port: talk.port, echo: talk.echo };
        let inbound = talk.begun_by == Side::Uplink;
        let full = self.open.len() >= OPEN;
        match self.open.entry((first.minute(), (talk.mac, talk.lan, talk.far, inbound, asked))) {
            Entry::Occupied(mut known) => {
                let flow = known.get_mut();
                if talk.begun.is_some() && flow.count == 0 {
                    flow.first = first;
                }
                flow.count += u32::from(talk.begun.is_some());
                flow.last = flow.last.max(talk.last);
                flow.octets = [flow.octets[0] + talk.octets[0], flow.octets[1] + talk.octets[1]];
            }
            Entry::Vacant(room) => {
                // Who invents devices fills neither list.
                if full || self.busy.get(&talk.mac).is_some_and(|busy| *busy >= A_MINUTE) {
                    self.lost += u64::from(talk.begun.is_some());
                    return;
                }
                *self.busy.entry(talk.mac).or_default() += 1;
                let names = self.told.get(&(talk.mac, talk.far)).map_or(&[][..], Vec::as_slice);
                let counts = |(_, since, until): &&Called| *since <= first && first < *until;
                room.insert(Flow {
                    mac: talk.mac,
                    lan: talk.lan,
                    far: talk.far,
                    inbound,
                    asked,
                    names: names.iter().filter(counts).map(|(name, ..)| name.clone()).collect(),
                    first,
                    last: talk.last,
                    count: u32::from(talk.begun.is_some()),
                    octets: talk.octets,
                });
            }
        }
    }

    /// Hands to the store the minutes that are over, if there are enough of them or they are old; all of them with `end`.
    pub fn keep(&mut self, store: &mut dyn Store, now: Timestamp, end: bool) -> Result<(), StoreError> {
        let oldest = self.open.first_key_value().map(|((minute, _), _)| *minute);
        let old = oldest.is_some_and(|minute| minute + HELD.secs() / 60 <= now.minute());
        let many = self.open.len() >= OPEN / 2 && now.since(self.kept) >= HELD_AT_LEAST;
        if self.open.is_empty() || !(old || many || end) {
            return Ok(());
        }
        let flows: Vec<Flow> = self.open.values().cloned().collect();
        store.append_flows(&flows)?;
        self.open.clear();
        self.kept = now;
        Ok(())
    }
}

impl Book {
    /// Brings to the store what waits, if it is due; all of it at the `end`.
    pub(super) fn keep_flows(&mut self, end: bool) {
        let done = self.ledger.keep(self.store.as_mut(), now(), end);
        self.ran(done);
    }

    /// Flows below a number that are wanted, newest first: those that wait for the store are numbered as the lot that comes next.
    ///
    /// **Bounds**: of two lots of the store and more; there may be more although fewer were found than asked for.
    pub(super) fn flows(&mut self, before: Option<u64>, limit: u32, wanted: &FlowsWanted) -> Response {
        let (before, limit) = (before.unwrap_or(u64::MAX), limit as usize);
        let done = self.store.next_flows().and_then(|coming| {
            let below = (before / LOT).saturating_add(1);
            Ok((coming, self.store.flows(Some(below), limit.saturating_add(LOT as usize))?))
        });
        let Some((coming, lots)) = self.ran(done) else { return self.refused() };
        let waiting: Vec<&Flow> = self.ledger.open.values().collect();
        let stored = lots.iter().map(|(number, flows)| (*number, flows.iter().collect()));
        let all = std::iter::once((coming, waiting)).chain(stored);
        let numbered = all.flat_map(|(lot, flows): (u64, Vec<&Flow>)| {
            flows.into_iter().enumerate().rev().map(move |(at, flow)| (lot * LOT + at as u64, flow))
        });
        let flows = numbered.filter(|(id, flow)| *id < before && wanted.wants(flow)).take(limit);
        let flows: Vec<_> = flows.map(FlowView::from).collect();
        // Where the lots had fewer, what is older begins below the last of them.
        let older = lots.last().map(|(number, _)| number * LOT).filter(|first| *first < before);
        let next = if flows.len() == limit { flows.last().map(|flow| flow.id) } else { older };
        Response::of(&FlowPage { flows, next })
    }

    /// Lots of flows before one, newest first: each is read from the store once, however many are asked for one after the other.
    pub(super) fn flow_lots(&mut self, before: Option<u64>) -> Response {
        let done = self.store.flows(before, OPEN);
        let Some(lots) = self.ran(done) else { return self.refused() };
        let waiting = self.ledger.open.values().rev().filter(|_| before.is_none());
        let stored = lots.iter().flat_map(|(_, flows)| flows.iter().rev());
        let flows: Vec<&Flow> = waiting.chain(stored).collect();
        Response::of(&FlowLots::new(&flows, lots.last().map(|(number, _)| *number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::{Limits, MemoryStore};

    const DEVICE: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 5]);

    fn talk(far: [u8; 4], secs: u64) -> Talk {
        let at = Timestamp::from_secs(secs);
        Talk::begun(DEVICE, ([10, 0, 0, 5].into(), far.into()), Side::Lan, (6, 443), at)
    }

    fn told(name: &str, secs: u64) -> Told {
        let addresses = vec![([203, 0, 113, 7].into(), Span::from_secs(660))];
        Told { mac: DEVICE, name: name.into(), addresses, at: Timestamp::from_secs(secs) }
    }

    #[test]
    fn alike_conversations_of_a_minute_are_one_flow_with_the_names_that_counted() {
        let mut ledger = Ledger::default();
        ledger.take(&talk([203, 0, 113, 7], 60));
        ledger.hear(&told("a.example", 125));
        ledger.hear(&told("b.example", 126));
        ledger.take(&talk([203, 0, 113, 7], 130));
        ledger.take(&talk([203, 0, 113, 7], 140));
        ledger.take(&talk([203, 0, 113, 7], 800));
        let flows: Vec<_> = ledger.open.values().map(|f| (f.count, f.names.join(" "))).collect();
        let expected = [(1, ""), (2, "b.example a.example"), (1, "")].map(|(n, names)| (n, names.to_owned()));
        assert_eq!(flows, expected);
    }

    #[test]
    fn a_device_that_scans_fills_its_own_share_alone() {
        let mut ledger = Ledger::default();
        for n in 0..2_000_u32 {
            let [.., a, b] = n.to_be_bytes();
            ledger.take(&talk([203, 0, a, b], 60));
        }
        let mut other = talk([203, 0, 113, 7], 61);
        other.mac = MacAddr::new([2, 0, 0, 0, 0, 6]);
        ledger.take(&other);
        assert_eq!((ledger.open.len(), ledger.lost), (usize::from(A_MINUTE) + 1, 2_000 - u64::from(A_MINUTE)));
    }

    #[test]
    fn a_flood_of_invented_devices_takes_no_more_memory_and_reaches_the_flash_seldom() {
        let (mut ledger, mut store) = (Ledger::default(), MemoryStore::new(Limits::default()));
        let mut blocks = 0;
        for second in 0..240_u32 {
            for n in 0..4_096_u32 {
                let mut talk = talk([203, 0, 113, 7], 6_000 + u64::from(second));
                let [a, b, c, d] = (second << 12 | n).to_be_bytes();
                talk.mac = MacAddr::new([2, 0, a, b, c, d]);
                ledger.take(&talk);
            }
            let before = ledger.open.len();
            ledger.keep(&mut store, Timestamp::from_secs(6_000 + u64::from(second)), false).unwrap();
            blocks += u32::from(ledger.open.len() < before);
        }
        assert!(ledger.open.len() <= OPEN && ledger.busy.len() <= OPEN && ledger.lost > 900_000);
        assert_eq!(blocks, 2);
    }

    #[test]
    fn flows_reach_the_store_together_and_none_twice() {
        let (mut ledger, mut store) = (Ledger::default(), MemoryStore::new(Limits::default()));
        ledger.take(&talk([203, 0, 113, 7], 60));
        ledger.keep(&mut store, Timestamp::from_secs(120), false).unwrap();
        assert_eq!(store.flows(None, 9).unwrap(), [], "a minute alone is not worth a block");
        ledger.keep(&mut store, Timestamp::from_secs(960), false).unwrap();
        ledger.keep(&mut store, Timestamp::from_secs(2_000), true).unwrap();
        assert_eq!(store.flows(None, 9).unwrap().len(), 1);
    }
}
