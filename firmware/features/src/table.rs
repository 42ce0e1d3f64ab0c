//! A table of fixed capacity: open addressing over an index, rows in a slab, stated eviction.
//!
//! **Bounds**: never more than `capacity` rows; memory is reserved at start. When full, the row of least worth among
//! `CANDIDATES` under a moving hand makes room (least `Worth::class`, then longest idle), and the eviction is counted.

extern crate alloc;
use alloc::boxed::Box;
use alloc::vec::Vec;

use terms::Timestamp;

use crate::hash::RowId;

/// How many rows the hand looks at to find the one that goes.
const CANDIDATES: usize = 16;
const EMPTY: u32 = u32::MAX;

/// What decides who goes when a table is full.
pub trait Worth {
    /// Lower goes first.
    fn class(&self) -> u8;
    /// Among equals, the one seen longest ago goes first.
    fn last(&self) -> Timestamp;
}

/// **Shape**: in the order written: an identity behind a value of kilobytes would be a page of its own to fetch.
#[derive(Debug)]
#[repr(C)]
struct Row<V> {
    id: RowId,
    value: V,
}

/// Where a row stands, beside the part of its identity that tells where it wants to be found.
///
/// A search compares these 32 bits before it touches a row: rows are far apart in memory, and one that is not there costs none.
#[derive(Clone, Copy, Debug)]
struct Entry {
    tag: u32,
    slot: u32,
}

/// Rows by identity.
#[derive(Debug)]
pub struct Table<V> {
    index: Box<[Entry]>,
    rows: Vec<Row<V>>,
    /// What each row was worth when it was looked at last.
    worth: Vec<u64>,
    capacity: usize,
    hand: usize,
    /// The slot that the next search for the least begins with, where it is known already.
    next: Option<usize>,
    evicted: u64,
}

impl<V: Worth> Table<V> {
    /// An empty table for `capacity` rows (at least 1).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let index = alloc::vec![Entry { tag: 0, slot: EMPTY }; (capacity * 2).next_power_of_two()].into_boxed_slice();
        Self {
            index,
            rows: Vec::with_capacity(capacity),
            worth: Vec::with_capacity(capacity),
            capacity,
            hand: 0,
            next: None,
            evicted: 0,
        }
    }

    /// Rows in use.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rows that made room for others since the start.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// All rows, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().map(|r| &r.value)
    }

    /// All rows, in the order of their slots.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.rows.iter_mut().map(|r| &mut r.value)
    }

    /// The row at a slot that `find` or `insert` named.
    pub(crate) fn at(&mut self, slot: usize) -> &mut V {
        &mut self.rows[slot].value
    }

    #[inline]
    pub(crate) fn find(&self, id: RowId) -> Option<usize> {
        let mask = self.index.len() - 1;
        let tag = tag(id);
        let mut place = home(tag, mask);
        loop {
            let entry = self.index[place];
            if entry.slot == EMPTY {
                return None;
            }
            if entry.tag == tag && self.rows[entry.slot as usize].id == id {
                return Some(entry.slot as usize);
            }
            place = (place + 1) & mask;
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: RowId) -> Option<&mut V> {
        self.find(id).map(|slot| self.at(slot))
    }

    /// Adds a row that is not there yet and returns its slot; when full, another row made room.
    pub(crate) fn insert(&mut self, id: RowId, value: V) -> usize {
        match self.room() {
            Some(slot) => {
                self.rows[slot].value = value;
                self.settle(id, slot)
            }
            None => self.push(id, value),
        }
    }

    /// As [`Self::insert`], for large rows: the one that makes room is made anew in its place rather than copied over.
    pub(crate) fn insert_anew(&mut self, id: RowId, new: impl FnOnce() -> V, renew: impl FnOnce(&mut V)) -> usize {
        match self.room() {
            Some(slot) => {
                renew(&mut self.rows[slot].value);
                self.settle(id, slot)
            }
            None => self.push(id, new()),
        }
    }

    /// Takes the row of least worth out of the index, if the table is full.
    fn room(&mut self) -> Option<usize> {
        if self.rows.len() < self.capacity {
            return None;
        }
        let slot = self.least();
        self.unlink(slot);
        self.evicted += 1;
        self.foresee();
        Some(slot)
    }

    fn push(&mut self, id: RowId, value: V) -> usize {
        self.rows.push(Row { id, value });
        self.worth.push(0);
        self.settle(id, self.rows.len() - 1)
    }

    #[allow(clippy::cast_possible_truncation, reason = "capacities are far below 2^32")]
    fn settle(&mut self, id: RowId, slot: usize) -> usize {
        let row = &mut self.rows[slot];
        row.id = id;
        self.worth[slot] = worth(&row.value);
        self.link(id, slot as u32);
        slot
    }

    /// The slot of least worth among the next candidates.
    ///
    /// Rows are far apart in memory, so the candidates are compared by what they were worth when looked at last, and only the one
    /// that seems least is looked at again: it goes unless it has gained.
    fn least(&mut self) -> usize {
        let (here, again) = self.candidates();
        self.hand = if again.is_empty() { here.end } else { again.end };
        if self.hand == self.rows.len() {
            self.hand = 0;
        }
        let mut foreseen = self.next.take();
        let candidates = || here.clone().chain(again.clone());
        for _ in candidates() {
            let seems =
                foreseen.take().unwrap_or_else(|| candidates().min_by_key(|&slot| self.worth[slot]).unwrap_or(0));
            let is = worth(&self.rows[seems].value);
            if is <= self.worth[seems] {
                return seems;
            }
            self.worth[seems] = is;
        }
        candidates().min_by_key(|&slot| self.worth[slot]).unwrap_or(0)
    }

    /// The slots under the hand, in one piece or in two. The hand goes round without a division: it is asked for each row that comes
    /// when the table is full.
    fn candidates(&self) -> (core::ops::Range<usize>, core::ops::Range<usize>) {
        let (until_end, all) = (self.rows.len() - self.hand, CANDIDATES.min(self.rows.len()));
        let here = self.hand..self.hand + all.min(until_end);
        let again = 0..all - here.len();
        (here, again)
    }

    /// Asks memory for the row that will seem least when the next one comes: by then it has arrived.
    fn foresee(&mut self) {
        let (here, again) = self.candidates();
        // What goes now must not be among the next candidates, whose worth is as it will be.
        if again.is_empty() && self.rows.len() >= 2 * CANDIDATES {
            self.next = here.min_by_key(|&slot| self.worth[slot]);
            core::hint::black_box(self.next.map(|slot| worth(&self.rows[slot].value)));
        }
    }

    fn link(&mut self, id: RowId, slot: u32) {
        let mask = self.index.len() - 1;
        let tag = tag(id);
        let mut place = home(tag, mask);
        while self.index[place].slot != EMPTY {
            place = (place + 1) & mask;
        }
        self.index[place] = Entry { tag, slot };
    }

    /// Takes a row out of the index and closes the gap, so that no search stops early.
    fn unlink(&mut self, slot: usize) {
        let mask = self.index.len() - 1;
        let mut gap = home(tag(self.rows[slot].id), mask);
        while self.index[gap].slot as usize != slot {
            gap = (gap + 1) & mask;
        }
        let mut place = gap;
        loop {
            place = (place + 1) & mask;
            let entry = self.index[place];
            if entry.slot == EMPTY {
                break;
            }
            let wants = home(entry.tag, mask);
            if (place.wrapping_sub(wants) & mask) >= (place.wrapping_sub(gap) & mask) {
                self.index[gap] = entry;
                gap = place;
            }
        }
        self.index[gap].slot = EMPTY;
    }
}

/// A row's worth as one number: its class before its last sign of life.
fn worth<V: Worth>(value: &V) -> u64 {
    u64::from(value.class()) << 56 | (value.last().micros() & (u64::MAX >> 8))
}

/// The part of an identity that the index keeps.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "32 bits are what is kept")]
fn tag(id: RowId) -> u32 {
    (id.0 >> 17) as u32
}

#[inline]
fn home(tag: u32, mask: usize) -> usize {
    tag as usize & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Dummy(u64, u8, Timestamp);

    impl Worth for Dummy {
        fn class(&self) -> u8 {
            self.1
        }
        fn last(&self) -> Timestamp {
            self.2
        }
    }

    fn id(n: u64) -> RowId {
        RowId(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    #[test]
    fn every_row_is_found_after_a_hundred_thousand_evictions() {
        let mut table = Table::new(100);
        let mut live = alloc::collections::BTreeSet::new();
        for n in 0..100_000 {
            let before = table.evicted();
            table.insert(id(n), Dummy(n, 0, Timestamp::from_secs(n)));
            live.insert(n);
            if table.evicted() > before {
                let gone: alloc::vec::Vec<u64> =
                    live.iter().copied().filter(|&k| table.find(id(k)).is_none()).collect();
                assert_eq!(gone.len(), 1);
                live.remove(&gone[0]);
            }
            if n % 997 == 0 {
                for &k in &live {
                    assert_eq!(table.get_mut(id(k)).map(|d| d.0), Some(k));
                }
            }
        }
        assert_eq!((table.len(), table.evicted()), (100, 99_900));
    }

    #[test]
    fn evicts_the_lowest_class_and_then_the_longest_idle() {
        let mut table = Table::new(3);
        table.insert(id(1), Dummy(1, 1, Timestamp::from_secs(1)));
        table.insert(id(2), Dummy(2, 0, Timestamp::from_secs(9)));
        table.insert(id(3), Dummy(3, 0, Timestamp::from_secs(5)));
        table.insert(id(4), Dummy(4, 0, Timestamp::from_secs(10)));
        assert_eq!([1, 2, 3, 4].map(|n| table.find(id(n)).is_some()), [true, true, false, true]);
    }

    #[test]
    fn a_row_that_gained_since_it_came_stays() {
        let mut table = Table::new(3);
        for n in 1..=3 {
            table.insert(id(n), Dummy(n, 0, Timestamp::from_secs(n)));
        }
        for n in 1..=2 {
            table.get_mut(id(n)).unwrap().1 = 2;
        }
        table.insert(id(4), Dummy(4, 0, Timestamp::from_secs(10)));
        assert_eq!([1, 2, 3, 4].map(|n| table.find(id(n)).is_some()), [true, true, false, true]);
    }
}
