//! The store of a box without a disk: the same answers, forgotten with the process.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use policy::device::{DeviceId, DeviceRecord};
use policy::{Block, Flow};
use terms::{BlockState, HostKey, Timestamp};

use crate::contract::{
    EVENTS_AT_MOST, EventQuery, FEEDBACK_AT_MOST, Figures, FoundEvents, Limits, Retained, Store, StoreError,
};
use crate::hosts::Hosts;
use crate::records::{Counters, Event, Feedback, HostRecord, Minute};
use crate::sled_store::lots;

/// Events kept; the oldest go first.
const EVENTS: usize = EVENTS_AT_MOST;
/// Minutes of hosts kept; the oldest go first.
const MINUTES: usize = 65_536;
/// Minutes of counters kept (a week); the oldest go first.
const COUNTERS: usize = 7 * 24 * 60;

/// Lots of flows kept; the oldest go first.
const LOTS: usize = 256;

/// State and history in memory.
///
/// **Bounds**: 1,000 events, 65,536 minutes of hosts, a week of counters, 256 minutes of flows, 8,192 hosts. `max_octets` does not apply.
pub struct MemoryStore {
    limits: Limits,
    next: u64,
    events: VecDeque<Event>,
    blocks: BTreeMap<HostKey, Block>,
    feedback: BTreeMap<u64, Feedback>,
    devices: BTreeMap<DeviceId, DeviceRecord>,
    minutes: VecDeque<Minute>,
    hosts: Hosts,
    counters: VecDeque<Counters>,
    flows: VecDeque<(u64, Vec<Flow>)>,
    /// Lots of flows that were ever appended.
    lots: u64,
    closed: bool,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            next: 1,
            events: VecDeque::new(),
            blocks: BTreeMap::new(),
            feedback: BTreeMap::new(),
            devices: BTreeMap::new(),
            minutes: VecDeque::new(),
            hosts: Hosts::default(),
            counters: VecDeque::new(),
            flows: VecDeque::new(),
            lots: 0,
            closed: false,
        }
    }

    fn open(&self) -> Result<(), StoreError> {
        if self.closed { Err(StoreError::Closed) } else { Ok(()) }
    }
}

impl Store for MemoryStore {
    fn append_event(&mut self, event: Event) -> Result<u64, StoreError> {
        self.open()?;
        let id = self.next;
        self.next += 1;
        push(&mut self.events, EVENTS, Event { id, ..event.bounded() });
        Ok(id)
    }

    fn set_event_state(&mut self, id: u64, state: BlockState) -> Result<bool, StoreError> {
        self.open()?;
        let found = self.events.iter_mut().find(|e| e.id == id).map(|e| e.state = state);
        Ok(found.is_some())
    }

    fn events(&self, limit: usize, before: Option<u64>) -> Result<Vec<Event>, StoreError> {
        self.open()?;
        let older = self.events.iter().rev().filter(|e| before.is_none_or(|b| e.id < b));
        let mut events: Vec<Event> = older.take(limit.min(EVENTS_AT_MOST)).cloned().collect();
        events.reverse();
        Ok(events)
    }

    fn find_events(&self, query: &EventQuery, limit: usize, before: Option<u64>) -> Result<FoundEvents, StoreError> {
        self.open()?;
        let mut found = FoundEvents::default();
        for event in self.events.iter().rev().filter(|e| before.is_none_or(|b| e.id < b)) {
            if found.events.len() == limit.min(EVENTS_AT_MOST) {
                break;
            }
            found.looked_at += 1;
            if query.wants(&event.into()) {
                found.next = Some(event.id);
                found.events.push(event.clone());
            }
        }
        found.next = found.next.filter(|_| found.events.len() == limit.min(EVENTS_AT_MOST));
        found.events.reverse();
        Ok(found)
    }

    fn events_after(&self, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.open()?;
        let newer = self.events.iter().filter(|e| e.id > after);
        Ok(newer.take(limit.min(EVENTS_AT_MOST)).cloned().collect())
    }

    fn event(&self, id: u64) -> Result<Option<Event>, StoreError> {
        self.open()?;
        Ok(self.events.iter().find(|e| e.id == id).cloned())
    }

    fn put_block(&mut self, block: &Block) -> Result<(), StoreError> {
        self.open()?;
        self.blocks.insert(block.host, block.clone());
        Ok(())
    }

    fn remove_block(&mut self, host: HostKey) -> Result<bool, StoreError> {
        self.open()?;
        Ok(self.blocks.remove(&host).is_some())
    }

    fn blocks(&self) -> Vec<Block> {
        self.blocks.values().cloned().collect()
    }

    fn put_feedback(&mut self, feedback: Feedback) -> Result<(), StoreError> {
        self.open()?;
        self.feedback.insert(feedback.event.id, feedback.bounded());
        while let Some(event) = superfluous(&self.feedback) {
            self.feedback.remove(&event);
        }
        Ok(())
    }

    fn remove_feedback(&mut self, event: u64) -> Result<bool, StoreError> {
        self.open()?;
        Ok(self.feedback.remove(&event).is_some())
    }

    fn feedback(&self) -> Vec<Feedback> {
        self.feedback.values().cloned().collect()
    }

    fn put_devices(&mut self, changed: &[DeviceRecord], gone: &[DeviceId]) -> Result<(), StoreError> {
        self.open()?;
        gone.iter().for_each(|id| drop(self.devices.remove(id)));
        self.devices.extend(changed.iter().map(|device| (device.id, device.clone())));
        Ok(())
    }

    fn devices(&self) -> Vec<DeviceRecord> {
        self.devices.values().cloned().collect()
    }

    fn append_minutes(&mut self, minutes: &[Minute]) -> Result<(), StoreError> {
        self.open()?;
        minutes.iter().for_each(|&minute| push(&mut self.minutes, MINUTES, minute));
        Ok(())
    }

    fn minutes(&self, host: HostKey, range: Range<u64>) -> Result<Vec<Minute>, StoreError> {
        self.open()?;
        let asked = self.minutes.iter().filter(|m| m.host == host && range.contains(&m.minute));
        let mut minutes: Vec<Minute> = asked.copied().collect();
        minutes.sort_by_key(|m| m.minute);
        Ok(minutes)
    }

    fn put_hosts(&mut self, hosts: &[HostRecord]) -> Result<(), StoreError> {
        self.open()?;
        hosts.iter().for_each(|&host| self.hosts.put(host));
        self.hosts.shrink();
        Ok(())
    }

    fn hosts(&self) -> Vec<HostRecord> {
        self.hosts.all()
    }

    fn append_counters(&mut self, counters: &Counters) -> Result<(), StoreError> {
        self.open()?;
        push(&mut self.counters, COUNTERS, *counters);
        Ok(())
    }

    fn counters(&self, range: Range<u64>) -> Result<Vec<Counters>, StoreError> {
        self.open()?;
        let mut counters: Vec<Counters> = self.counters.iter().filter(|c| range.contains(&c.minute)).copied().collect();
        counters.sort_by_key(|c| c.minute);
        Ok(counters)
    }

    fn append_flows(&mut self, flows: &[Flow]) -> Result<(), StoreError> {
        self.open()?;
        for lot in lots(flows) {
            self.lots += 1;
            push(&mut self.flows, LOTS, (self.lots, lot.to_vec()));
        }
        Ok(())
    }

    fn next_flows(&self) -> Result<u64, StoreError> {
        self.open()?;
        Ok(self.lots + 1)
    }

    fn flows(&self, before: Option<u64>, at_least: usize) -> Result<Vec<(u64, Vec<Flow>)>, StoreError> {
        self.open()?;
        let older = self.flows.iter().rev().filter(|(number, _)| before.is_none_or(|before| *number < before));
        let mut found: Vec<(u64, Vec<Flow>)> = Vec::new();
        for lot in older {
            if found.iter().map(|(_, flows)| flows.len()).sum::<usize>() >= at_least {
                break;
            }
            found.push(lot.clone());
        }
        Ok(found)
    }

    fn tick(&mut self) -> Result<Option<String>, StoreError> {
        self.open().map(|()| None)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.open()
    }

    fn retain(&mut self, now: Timestamp) -> Result<Retained, StoreError> {
        self.open()?;
        let cutoff = self.limits.cutoff(now);
        let count = |store: &Self| store.events.len() + store.minutes.len() + store.counters.len() + store.flows.len();
        let before = count(self);
        self.events.retain(|e| e.at.minute() >= cutoff.minute());
        self.minutes.retain(|m| m.minute >= cutoff.minute());
        self.counters.retain(|c| c.minute >= cutoff.minute());
        self.flows.retain(|(_, lot)| lot.iter().any(|flow| flow.last >= cutoff));
        let gone = self.hosts.old(cutoff, usize::MAX);
        self.hosts.remove(&gone);
        Ok(Retained { history: before - count(self), hosts: gone.len(), more: false })
    }

    fn figures(&self) -> Figures {
        Figures::default()
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.open()?;
        self.closed = true;
        Ok(())
    }
}

/// The event of the feedback that goes first, where there is more than may be: one that quiets nothing, or the first to expire.
pub(crate) fn superfluous(feedback: &BTreeMap<u64, Feedback>) -> Option<u64> {
    let least = feedback.iter().min_by_key(|(_, said)| (!said.right, said.until)).map(|(event, _)| *event);
    least.filter(|_| feedback.len() > FEEDBACK_AT_MOST)
}

fn push<T>(queue: &mut VecDeque<T>, capacity: usize, item: T) {
    if queue.len() == capacity {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evicts_the_oldest_minute_when_full() {
        let mut store = MemoryStore::new(Limits::default());
        for minute in 0..=COUNTERS as u64 {
            store.append_counters(&Counters { minute, ..Counters::default() }).unwrap();
        }
        let kept = store.counters(0..u64::MAX).unwrap();
        assert_eq!((kept.len(), kept[0].minute), (COUNTERS, 1));
    }
}
