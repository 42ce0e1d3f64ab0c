//! Hosts in memory, and which of them the medium does not yet know as they are.

use std::collections::BTreeMap;

use terms::{HostKey, Side, Span, Timestamp};

use crate::records::HostRecord;

/// Hosts kept; the longest unseen go first, those of the internet before those of the network.
pub(crate) const CAPACITY: usize = 8_192;
/// How far a last sight moves before it alone is written.
const STALE: Span = Span::from_secs(600);

/// Every host known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    known: BTreeMap<HostKey, Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    record: HostRecord,
    /// As the medium has it.
    written: Option<HostRecord>,
}

impl Hosts {
    /// A host as the medium has it.
    pub(crate) fn load(&mut self, record: HostRecord) {
        self.known.insert(record.host, Known { record, written: Some(record) });
    }

    /// Forgets what the medium knows, because it is another one.
    pub(crate) fn forget_written(&mut self) {
        self.known.values_mut().for_each(|known| known.written = None);
    }

    /// Brings a host up to date.
    pub(crate) fn put(&mut self, newer: HostRecord) {
        self.known
            .entry(newer.host)
            .and_modify(|known| known.record = known.record.updated(newer))
            .or_insert(Known { record: newer, written: None });
    }

    /// Removes the longest unseen beyond the capacity, and an eighth more so that the next new host does not sort them all again.
    pub(crate) fn shrink(&mut self) -> Vec<HostKey> {
        if self.known.len() <= CAPACITY {
            return Vec::new();
        }
        // Hosts of the network stay before those of the internet.
        let sight = |k: &Known| (k.record.side == Side::Lan, k.record.last_seen, k.record.host);
        let mut by_sight: Vec<(bool, Timestamp, HostKey)> = self.known.values().map(sight).collect();
        by_sight.sort_unstable();
        by_sight.truncate(self.known.len() - CAPACITY / 8 * 7);
        let gone: Vec<HostKey> = by_sight.into_iter().map(|(_, _, host)| host).collect();
        self.remove(&gone);
        gone
    }

    /// Hosts last seen before a moment, at most so many.
    pub(crate) fn old(&self, moment: Timestamp, at_most: usize) -> Vec<HostKey> {
        let old = self.all().into_iter().filter(|r| r.last_seen < moment);
        old.take(at_most).map(|r| r.host).collect()
    }

    /// Removes hosts.
    pub(crate) fn remove(&mut self, gone: &[HostKey]) {
        for host in gone {
            self.known.remove(host);
        }
    }

    /// Hosts that must be written now.
    pub(crate) fn due(&self) -> Vec<HostRecord> {
        let due = |known: &&Known| {
            known.written.is_none_or(|w| known.record.differs(&w) || known.record.last_seen.since(w.last_seen) >= STALE)
        };
        self.known.values().filter(due).map(|k| k.record).collect()
    }

    /// Hosts that the medium does not know as they are.
    pub(crate) fn unwritten(&self) -> Vec<HostRecord> {
        self.known.values().filter(|k| k.written != Some(k.record)).map(|k| k.record).collect()
    }

    /// Takes note that the medium has these.
    pub(crate) fn written(&mut self, records: &[HostRecord]) {
        for record in records {
            if let Some(known) = self.known.get_mut(&record.host) {
                known.written = Some(*record);
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// Every host, in order.
    pub(crate) fn all(&self) -> Vec<HostRecord> {
        self.known.values().map(|k| k.record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::ThreatLevel;

    fn host(n: u32, last_seen: u64) -> HostRecord {
        HostRecord {
            host: HostKey::V4(n.into()),
            mac: None,
            side: Side::Lan,
            first_seen: Timestamp::from_secs(last_seen),
            last_seen: Timestamp::from_secs(last_seen),
            level: ThreatLevel::Safe,
            learnt: [0; 7],
        }
    }

    #[test]
    fn evicts_the_longest_unseen_when_full() {
        let mut hosts = Hosts::default();
        for n in 0..=CAPACITY as u32 {
            hosts.put(host(n, u64::from(n) + 1));
        }
        let gone = hosts.shrink();
        assert_eq!(gone.len(), CAPACITY / 8 + 1);
        assert_eq!(gone[0], HostKey::V4(0.into()));
        assert_eq!(hosts.all().len(), CAPACITY / 8 * 7);
        assert!(hosts.shrink().is_empty());
    }

    #[test]
    fn a_host_seen_again_is_written_only_after_ten_minutes_or_when_it_changed() {
        let mut hosts = Hosts::default();
        hosts.load(host(1, 1_000));
        hosts.put(host(1, 1_599));
        assert_eq!(hosts.due(), []);
        assert_eq!(hosts.unwritten().len(), 1);
        hosts.put(HostRecord { level: ThreatLevel::High, ..host(1, 1_599) });
        assert_eq!(hosts.due().len(), 1);
        hosts.written(&hosts.due());
        assert_eq!((hosts.due(), hosts.unwritten()), (vec![], vec![]));
        hosts.put(HostRecord { level: ThreatLevel::High, ..host(1, 2_199) });
        assert_eq!(hosts.due().len(), 1);
    }
}
