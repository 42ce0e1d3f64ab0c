//! History of one kind: numbered rows, the newest in an open journal in sled, the rest in sealed blocks.
//!
//! sled writes a small row several times over, so rows rest there only until they make up a block. Sealing writes the block, syncs
//! it, and then puts its index and takes its rows out of the journal in one batch: a crash leaves the rows in exactly one place.
//!
//! **Shape** of keys: kind, part, then for `NEXT` nothing, for `OPEN` number and minute, for `INDEX` the last number of the block,
//! for `STATE` the number of the event; numbers of eight octets, big-endian.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sled::{Batch, Tree};

use crate::attached::Trouble;
use crate::codec::{decode, decode_head, encode, number_at};
use crate::digest::{Digest, Digests};
use crate::records::Head;
use crate::sealed::{self, Row};

/// Rows are sealed once they are this long together.
///
/// **Units**: octets before compression.
pub(crate) const SEAL_AT: usize = 256 << 10;
/// Rows and blocks that one call lets go of at most.
pub(crate) const SLICE: usize = 1_000;

const NEXT: u8 = 0;
const OPEN: u8 = 1;
const INDEX: u8 = 2;
const STATE: u8 = 3;

/// What a sealed block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockIndex {
    /// Number of its first row.
    pub(crate) first: u64,
    /// Number of its last row.
    pub(crate) last: u64,
    /// The earliest minute of its rows.
    pub(crate) from: u64,
    /// The latest minute of its rows.
    pub(crate) until: u64,
    /// Octets of its file.
    pub(crate) len: u64,
}

/// Which sealed blocks are read.
pub(crate) struct Search<'s> {
    /// Whether a block may hold what is meant, as its index and its digest tell.
    pub(crate) meant: &'s dyn Fn(&BlockIndex, Option<&Digest>) -> bool,
    /// So many at most.
    pub(crate) blocks: usize,
}

/// The history of one kind.
pub(crate) struct Journal {
    kind: u8,
    tree: Tree,
    folder: PathBuf,
    next: u64,
    open_octets: usize,
    blocks: VecDeque<BlockIndex>,
    /// What the blocks may hold, where that is kept.
    digests: Option<Digests>,
    unreadable: Cell<u64>,
}

impl Journal {
    /// Reads what is there.
    pub(crate) fn load(kind: u8, tree: &Tree, folder: &Path) -> Result<Self, Trouble> {
        let mut blocks = VecDeque::new();
        for item in tree.scan_prefix([kind, INDEX]) {
            let block: BlockIndex = decode(&item?.1)?;
            blocks.push_back(block);
        }
        let (mut last, mut open_octets) = (blocks.back().map_or(0, |b: &BlockIndex| b.last), 0);
        for item in tree.scan_prefix([kind, OPEN]) {
            let (key, value) = item?;
            last = last.max(number_at(&key, 2).ok_or_else(|| Trouble::Damaged("a row without a number".into()))?);
            open_octets += value.len();
        }
        let stored = tree.get([kind, NEXT])?.map_or(Some(1), |v| number_at(&v, 0));
        let stored = stored.ok_or_else(|| Trouble::Damaged("a counter of rows that is no number".into()))?;
        let (folder, next) = (folder.to_owned(), stored.max(last + 1));
        Ok(Self {
            kind,
            tree: tree.clone(),
            folder,
            next,
            open_octets,
            blocks,
            digests: None,
            unreadable: Cell::new(0),
        })
    }

    /// The same of events, with what its blocks may hold.
    pub(crate) fn with_digests(self, tree: &Tree) -> sled::Result<Self> {
        let blocks = self.blocks.iter().map(|block| block.last).collect();
        Ok(Self { digests: Some(Digests::load(tree, &blocks)?), ..self })
    }

    /// The number that the next row gets.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Leaves out the numbers below, because they were given away before.
    pub(crate) fn skip_to(&mut self, seq: u64) -> sled::Result<()> {
        if seq > self.next {
            self.next = seq;
            self.tree.insert([self.kind, NEXT], &seq.to_be_bytes())?;
        }
        Ok(())
    }

    /// Whether the journal is long enough to be sealed.
    pub(crate) fn is_full(&self) -> bool {
        self.open_octets >= SEAL_AT
    }

    /// Appends rows, all or none, each with the minute that it is about. Returns the octets handed on.
    pub(crate) fn append(&mut self, rows: Vec<(u64, Vec<u8>)>) -> sled::Result<u64> {
        let mut batch = Batch::default();
        let (mut seq, mut octets) = (self.next, 0);
        for (minute, value) in rows {
            octets += value.len();
            batch.insert(self.open_key(seq, minute), value);
            seq += 1;
        }
        self.tree.apply_batch(batch)?;
        self.open_octets += octets;
        let rows = seq - self.next;
        self.next = seq;
        Ok(octets as u64 + 18 * rows)
    }

    /// Puts another value in the place of an open row. `false` if the row is not open.
    pub(crate) fn replace(&mut self, seq: u64, value: Vec<u8>) -> sled::Result<bool> {
        let Some(found) = self.tree.scan_prefix(self.key(OPEN, seq)).next() else {
            return Ok(false);
        };
        let (key, old) = found?;
        self.open_octets = (self.open_octets + value.len()).saturating_sub(old.len());
        self.tree.insert(key, value)?;
        Ok(true)
    }

    /// Keeps a word about a sealed row beside it, for as long as its block is kept.
    pub(crate) fn note(&mut self, seq: u64, value: Vec<u8>) -> sled::Result<()> {
        let block = self.blocks.get(self.blocks.partition_point(|b| b.last < seq));
        if let (Some(digests), Some(block)) = (&mut self.digests, block) {
            digests.remove(block.last)?;
        }
        self.tree.insert(self.key(STATE, seq), value).map(drop)
    }

    /// The word about a sealed row.
    pub(crate) fn noted(&self, seq: u64) -> sled::Result<Option<sled::IVec>> {
        self.tree.get(self.key(STATE, seq))
    }

    /// Makes a block of the open rows. Returns the octets handed on.
    ///
    /// # Errors
    /// What failed; every row is still where it was.
    pub(crate) fn seal(&mut self) -> Result<u64, Trouble> {
        let mut batch = Batch::default();
        let mut rows = Vec::new();
        for item in self.tree.scan_prefix([self.kind, OPEN]) {
            let (key, value) = item?;
            rows.push(row(&key, &value)?);
            batch.remove(key);
        }
        let octets = self.seal_rows(&rows, batch)?;
        self.open_octets = 0;
        Ok(octets)
    }

    /// Makes a block of rows that never were open, each with the minute that it is about. Returns the octets handed on.
    ///
    /// # Errors
    /// What failed; none of them is kept.
    pub(crate) fn append_sealed(&mut self, rows: Vec<(u64, Vec<u8>)>) -> Result<u64, Trouble> {
        let before = self.next;
        let numbered = rows.into_iter().zip(before..).map(|((minute, value), seq)| Row { seq, minute, value });
        let rows: Vec<_> = numbered.collect();
        self.next += rows.len() as u64;
        self.seal_rows(&rows, Batch::default()).inspect_err(|_| self.next = before)
    }

    /// Writes a block, then does what goes with it in one batch.
    fn seal_rows(&mut self, rows: &[Row], mut batch: Batch) -> Result<u64, Trouble> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(0);
        };
        let minutes = || rows.iter().map(|r| r.minute);
        let mut block = BlockIndex {
            first: first.seq,
            last: last.seq,
            from: minutes().min().unwrap_or(0),
            until: minutes().max().unwrap_or(0),
            len: 0,
        };
        block.len = sealed::write(&self.file(&block), self.kind, rows).map_err(Trouble::Disk)?;
        let mut octets = block.len;
        if let Some(digests) = &mut self.digests {
            // A block without a digest is read whenever something is asked; that is no reason not to seal it.
            if let Ok(heads) = rows.iter().map(|row| decode_head(&row.value)).collect::<Result<Vec<Head>, _>>() {
                octets += digests.put(block.last, Digest::new(heads.iter()))?;
            }
        }
        batch.insert(self.key(INDEX, block.last), encode(&block));
        batch.insert(&[self.kind, NEXT], &self.next.to_be_bytes());
        self.tree.apply_batch(batch)?;
        self.blocks.push_back(block);
        Ok(octets)
    }

    /// Calls `each` with the rows below `before`, newest first, until it says to stop (`false`).
    pub(crate) fn walk_back(
        &self,
        before: u64,
        each: &mut dyn FnMut(&Row) -> Result<bool, Trouble>,
    ) -> Result<(), Trouble> {
        self.search_back(before, Search { meant: &|_, _| true, blocks: usize::MAX }, each).map(drop)
    }

    /// The same, but of the sealed blocks only some. Returns the number below which there are rows left, if it stopped or was stopped.
    pub(crate) fn search_back(
        &self,
        before: u64,
        Search { meant, mut blocks }: Search<'_>,
        each: &mut dyn FnMut(&Row) -> Result<bool, Trouble>,
    ) -> Result<Option<u64>, Trouble> {
        let (start, end) = (self.key(OPEN, 0), self.key(OPEN, before));
        for item in self.tree.range(start..end).rev() {
            let (key, value) = item?;
            let row = row(&key, &value)?;
            if !each(&row)? {
                return Ok(Some(row.seq));
            }
        }
        let digest = |block: &BlockIndex| self.digests.as_ref().and_then(|digests| digests.of(block.last));
        let older = self.blocks.partition_point(|b| b.first < before);
        for block in self.blocks.range(..older).rev().filter(|block| meant(block, digest(block))) {
            if blocks == 0 {
                return Ok(Some(block.last + 1));
            }
            blocks -= 1;
            for row in self.rows_of(block).iter().rev().filter(|r| r.seq < before) {
                if !each(row)? {
                    return Ok(Some(row.seq));
                }
            }
        }
        Ok(None)
    }

    /// Calls `each` with the rows above `after`, oldest first, until it says to stop (`false`).
    pub(crate) fn walk_on(
        &self,
        after: u64,
        each: &mut dyn FnMut(&Row) -> Result<bool, Trouble>,
    ) -> Result<(), Trouble> {
        let read = self.blocks.partition_point(|b| b.last <= after);
        for block in self.blocks.range(read..) {
            for row in self.rows_of(block).iter().filter(|r| r.seq > after) {
                if !each(row)? {
                    return Ok(());
                }
            }
        }
        let open = self.key(OPEN, after.saturating_add(1))..self.key(INDEX, 0);
        for item in self.tree.range(open) {
            let (key, value) = item?;
            if !each(&row(&key, &value)?)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The row with this number.
    pub(crate) fn row(&self, seq: u64) -> Result<Option<Row>, Trouble> {
        if let Some(item) = self.tree.scan_prefix(self.key(OPEN, seq)).next() {
            let (key, value) = item?;
            return row(&key, &value).map(Some);
        }
        let block = self.blocks.partition_point(|b| b.last < seq);
        let Some(block) = self.blocks.get(block).filter(|b| b.first <= seq) else {
            return Ok(None);
        };
        Ok(self.rows_of(block).into_iter().find(|r| r.seq == seq))
    }

    /// Calls `each` with the rows about the minutes of a range, in the order of appending; one block is in memory at a time.
    pub(crate) fn each_in(
        &self,
        range: &std::ops::Range<u64>,
        each: &mut dyn FnMut(&Row) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        for block in self.blocks.iter().filter(|b| b.from < range.end && range.start <= b.until) {
            self.rows_of(block).iter().filter(|r| range.contains(&r.minute)).try_for_each(&mut *each)?;
        }
        for item in self.tree.scan_prefix([self.kind, OPEN]) {
            let (key, value) = item?;
            if number_at(&key, 10).is_some_and(|minute| range.contains(&minute)) {
                each(&row(&key, &value)?)?;
            }
        }
        Ok(())
    }

    /// Removes blocks that end before a minute and open rows about a time before it, at most a slice. Returns how many.
    pub(crate) fn drop_before(&mut self, minute: u64) -> sled::Result<usize> {
        let mut gone = 0;
        while gone < SLICE && self.blocks.front().is_some_and(|b| b.until < minute) {
            self.drop_oldest()?;
            gone += 1;
        }
        let mut batch = Batch::default();
        let mut octets = 0;
        for item in self.tree.scan_prefix([self.kind, OPEN]).take(SLICE - gone) {
            let (key, value) = item?;
            if number_at(&key, 10).is_none_or(|m| m >= minute) {
                break;
            }
            octets += value.len();
            gone += 1;
            batch.remove(key);
        }
        if octets > 0 {
            batch.insert(&[self.kind, NEXT], &self.next.to_be_bytes());
            self.tree.apply_batch(batch)?;
            self.open_octets = self.open_octets.saturating_sub(octets);
        }
        Ok(gone)
    }

    /// Removes the oldest block: first the file, so that a full disk has room for the rest.
    pub(crate) fn drop_oldest(&mut self) -> sled::Result<u64> {
        let Some(block) = self.blocks.front().copied() else {
            return Ok(0);
        };
        match std::fs::remove_file(self.file(&block)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut batch = Batch::default();
        batch.remove(self.key(INDEX, block.last));
        for key in self.tree.range(self.key(STATE, block.first)..=self.key(STATE, block.last)).keys() {
            batch.remove(key?);
        }
        batch.insert(&[self.kind, NEXT], &self.next.to_be_bytes());
        self.tree.apply_batch(batch)?;
        if let Some(digests) = &mut self.digests {
            digests.remove(block.last)?;
        }
        self.blocks.pop_front();
        Ok(block.len)
    }

    /// The minute at which the oldest block ends, if there is one.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.blocks.front().map(|b| b.until)
    }

    /// The files of its blocks.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.blocks.iter().map(|b| self.file(b))
    }

    /// Reads of blocks that failed.
    pub(crate) fn unreadable(&self) -> u64 {
        self.unreadable.get()
    }

    /// A block that cannot be read is counted and left out: the rest of history is worth more than an error.
    fn rows_of(&self, block: &BlockIndex) -> Vec<Row> {
        sealed::read(&self.file(block), self.kind).unwrap_or_else(|_| {
            self.unreadable.set(self.unreadable.get() + 1);
            Vec::new()
        })
    }

    fn file(&self, block: &BlockIndex) -> PathBuf {
        sealed::file_of(&self.folder, self.kind, block.last)
    }

    fn key(&self, part: u8, seq: u64) -> Vec<u8> {
        [&[self.kind, part][..], &seq.to_be_bytes()].concat()
    }

    fn open_key(&self, seq: u64, minute: u64) -> Vec<u8> {
        [self.key(OPEN, seq), minute.to_be_bytes().to_vec()].concat()
    }
}

/// The open row of a key and its value.
fn row(key: &[u8], value: &[u8]) -> Result<Row, Trouble> {
    let numbers = number_at(key, 2).zip(number_at(key, 10));
    let (seq, minute) = numbers.ok_or_else(|| Trouble::Damaged("a row without a number".into()))?;
    Ok(Row { seq, minute, value: value.to_vec() })
}
