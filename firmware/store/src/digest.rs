//! What a sealed block may hold, so that a question need not read the blocks that hold nothing of it.
//!
//! A tree of its own in sled, which a version before digests does not look at. A block without a digest is simply read: one that was
//! sealed by such a version, or one whose events were given another state since.
//!
//! **Shape** of a row: the last number of the block (8 octets, big-endian); a Bloom filter, ten bits a word, seven of them set by
//! each. **Source**: B. Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors", 1970; double hashing as in Kirsch and
//! Mitzenmacher, 2006. One word in a hundred seems to be in a block that does not hold it.

use std::collections::{BTreeMap, HashSet};

use sled::{Batch, Tree};
use terms::{BlockState, FNV_BEGINS, Family, HostKey, ThreatLevel, fnv};

use crate::codec::{host_key, number_at};
use crate::records::Head;

/// Bits of a filter for each word in it.
const BITS: usize = 10;
/// Bits that each word sets.
const SET: u64 = 7;
/// Words of one block at most; beyond that the filter says yes more often.
const WORDS: usize = 4_096;

/// The digests of the sealed blocks of events.
pub(crate) struct Digests {
    tree: Tree,
    /// By the last number of the block.
    known: BTreeMap<u64, Digest>,
}

/// The words of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest(Box<[u8]>);

/// One thing that is asked for, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word(u64);

impl Digests {
    /// Reads the digests of these blocks, and forgets others.
    pub(crate) fn load(tree: &Tree, blocks: &HashSet<u64>) -> sled::Result<Self> {
        let (mut known, mut stray) = (BTreeMap::new(), Batch::default());
        for item in tree {
            let (key, value) = item?;
            match number_at(&key, 0).filter(|last| blocks.contains(last) && !value.is_empty()) {
                Some(last) => drop(known.insert(last, Digest(value.as_ref().into()))),
                None => stray.remove(key),
            }
        }
        tree.apply_batch(stray)?;
        Ok(Self { tree: tree.clone(), known })
    }

    /// The digest of the block that ends with this row.
    pub(crate) fn of(&self, last: u64) -> Option<&Digest> {
        self.known.get(&last)
    }

    /// Keeps the digest of a block that is about to be sealed. Returns the octets handed on.
    pub(crate) fn put(&mut self, last: u64, digest: Digest) -> sled::Result<u64> {
        let octets = digest.0.len() as u64 + 8;
        self.tree.insert(last.to_be_bytes(), &*digest.0)?;
        self.known.insert(last, digest);
        Ok(octets)
    }

    /// Forgets the digest of a block that goes, or that holds something else from now on.
    pub(crate) fn remove(&mut self, last: u64) -> sled::Result<()> {
        if self.known.remove(&last).is_some() {
            self.tree.remove(last.to_be_bytes())?;
        }
        Ok(())
    }
}

impl Digest {
    /// The digest of some events.
    pub(crate) fn new<'a>(heads: impl Iterator<Item = &'a Head>) -> Self {
        let words: HashSet<Word> = heads.flat_map(Word::of).collect();
        let mut bits = vec![0; (words.len().clamp(1, WORDS) * BITS).div_ceil(8)].into_boxed_slice();
        for word in &words {
            word.places(bits.len()).for_each(|(octet, bit)| bits[octet] |= bit);
        }
        Self(bits)
    }

    /// Whether the block may hold a word; `false` is certain.
    pub(crate) fn may_hold(&self, word: Word) -> bool {
        word.places(self.0.len()).all(|(octet, bit)| self.0[octet] & bit != 0)
    }
}

impl Word {
    /// The words of one event.
    fn of(head: &Head) -> impl Iterator<Item = Self> {
        let Head { host, mac, state, level, family, .. } = *head;
        let mac = mac.map(|mac| Self::about(HostKey::Mac(mac)));
        let threat = head.is_threat().then(Self::threat);
        let certain = [Self::about(host), Self::state(state), Self::level(level)].into_iter();
        certain.chain(mac).chain(family.map(Self::family)).chain(threat)
    }

    /// About a host, or a host with this hardware address.
    pub(crate) fn about(host: HostKey) -> Self {
        Self::new(b'h', &host_key(host))
    }

    pub(crate) fn state(state: BlockState) -> Self {
        Self::new(b's', state.as_str().as_bytes())
    }

    pub(crate) fn level(level: ThreatLevel) -> Self {
        Self::new(b'l', level.as_str().as_bytes())
    }

    pub(crate) fn family(family: Family) -> Self {
        Self::new(b'f', family.as_str().as_bytes())
    }

    pub(crate) fn threat() -> Self {
        Self::new(b't', &[])
    }

    fn new(kind: u8, octets: &[u8]) -> Self {
        Self(fnv(fnv(FNV_BEGINS, &[kind]), octets))
    }

    /// The places of its bits in a filter of so many octets, which is at least one.
    fn places(self, octets: usize) -> impl Iterator<Item = (usize, u8)> {
        let bits = octets as u64 * 8;
        let (first, step) = (self.0, (self.0 >> 32) | 1);
        (0..SET).map(move |n| {
            let bit = first.wrapping_add(n.wrapping_mul(step)) % bits;
            // Below the number of bits, which fits.
            (usize::try_from(bit / 8).unwrap_or_default(), 1 << (bit % 8))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::{MacAddr, Timestamp};

    fn head(n: u32) -> Head {
        let [_, _, a, b] = n.to_be_bytes();
        Head {
            id: n.into(),
            at: Timestamp::EPOCH,
            host: HostKey::V4(n.into()),
            mac: Some(MacAddr::new([2, 0, 0, 0, a, b])),
            side: terms::Side::Lan,
            state: BlockState::Observed,
            level: ThreatLevel::Medium,
            family: Some(Family::ArpScan),
        }
    }

    #[test]
    fn what_is_in_a_block_is_never_denied_and_what_is_not_is_seldom_suspected() {
        for hosts in [1, 7, 150, 1_500] {
            let heads: Vec<Head> = (0..hosts).map(head).collect();
            let digest = Digest::new(heads.iter());
            assert!(heads.iter().flat_map(Word::of).all(|word| digest.may_hold(word)));
            let strangers = (0..10_000).map(|n| Word::about(HostKey::V4((0x0a00_0000 + n).into())));
            let suspected = strangers.filter(|word| digest.may_hold(*word)).count();
            assert!(suspected < 250, "{suspected} of 10,000 with {hosts} hosts");
            assert!(!digest.may_hold(Word::level(ThreatLevel::High)) || hosts == 1);
        }
    }

    #[test]
    fn a_word_keeps_its_bits_in_every_version() {
        let places: Vec<_> = Word::about(HostKey::V4([192, 0, 2, 1].into())).places(16).collect();
        assert_eq!(places, [(15, 1), (4, 128), (10, 64), (0, 32), (6, 16), (12, 8), (2, 4)]);
    }
}
