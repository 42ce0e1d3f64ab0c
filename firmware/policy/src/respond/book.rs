//! The blocks that stand.

use std::collections::{BTreeMap, BTreeSet};

use terms::{HostKey, Side, Span, Timestamp};

use crate::{Block, BlockTarget};

/// A block that begins later than this after the present was made before the clock was set back.
const CLOCK_SLACK: Span = Span::from_secs(60);

/// Blocks by what the kernel matches and by host, with the automatic ones counted by side.
#[derive(Debug, Default)]
pub(super) struct Book {
    blocks: BTreeMap<BlockTarget, Block>,
    by_host: BTreeSet<(HostKey, BlockTarget)>,
    automatic_lan: usize,
    automatic_uplink: usize,
}

impl Book {
    /// Every block, ended ones included until [`expire`](Self::expire) takes them out.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Block> {
        self.blocks.values()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// How many automatic ones match hosts of the LAN side.
    pub(super) fn automatic_lan(&self) -> usize {
        self.automatic_lan
    }

    /// How many automatic ones match hosts of the uplink side.
    pub(super) fn automatic_uplink(&self) -> usize {
        self.automatic_uplink
    }

    /// The block with this target.
    pub(super) fn get(&self, target: &BlockTarget) -> Option<&Block> {
        self.blocks.get(target)
    }

    /// The block with the latest end that stops this target's frames, or the host's under another target.
    pub(super) fn covering(&self, host: HostKey, target: BlockTarget, now: Timestamp) -> Option<&Block> {
        let whole_mac = match target {
            BlockTarget::MacAndAddress(mac, _) => self.blocks.get(&BlockTarget::Mac(mac)),
            BlockTarget::Mac(_) | BlockTarget::Address(_) | BlockTarget::Anywhere(_) => None,
        };
        // A block of the same host on the other side of the box does not stop what comes from this one.
        let on_this_side = |other: &BlockTarget| other.side() == target.side() || other.side() == Side::Unknown;
        let same_host = self.of_host(host).filter(|block| on_this_side(&block.target));
        let found = self.blocks.get(&target).into_iter().chain(whole_mac).chain(same_host);
        found.filter(|block| block.until() > now).max_by_key(|block| block.until())
    }

    /// The block that an admin means by this address: the host's, or the one of this hardware address.
    pub(super) fn meant_by(&self, host: HostKey) -> Option<BlockTarget> {
        let by_mac = |host| match host {
            HostKey::Mac(mac) => self.blocks.keys().copied().find(|target| match target {
                BlockTarget::Mac(other) | BlockTarget::MacAndAddress(other, _) => *other == mac,
                BlockTarget::Address(_) | BlockTarget::Anywhere(_) => false,
            }),
            HostKey::V4(_) | HostKey::V6(_) => None,
        };
        self.of_host(host).next().map(|block| block.target).or_else(|| by_mac(host))
    }

    /// Puts a block in, in place of one with the same target.
    pub(super) fn insert(&mut self, block: Block) {
        self.remove(&block.target);
        self.by_host.insert((block.host, block.target));
        if let Some(count) = self.count(&block) {
            *count += 1;
        }
        self.blocks.insert(block.target, block);
    }

    /// Takes a block out.
    pub(super) fn remove(&mut self, target: &BlockTarget) -> Option<Block> {
        let block = self.blocks.remove(target)?;
        self.by_host.remove(&(block.host, block.target));
        if let Some(count) = self.count(&block) {
            *count -= 1;
        }
        Some(block)
    }

    /// Takes out what has ended.
    ///
    /// A block from the future is one from before the clock was set back; it begins anew, so that it never lasts longer than it
    /// was given from now on.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Block> {
        for block in self.blocks.values_mut().filter(|block| block.since.since(now) > CLOCK_SLACK) {
            block.since = now;
        }
        self.remove_where(|block| block.until() <= now)
    }

    /// Takes out every block for which `condition` holds.
    pub(super) fn remove_where(&mut self, condition: impl Fn(&Block) -> bool) -> Vec<Block> {
        let targets: Vec<_> = self.blocks.values().filter(|block| condition(block)).map(|block| block.target).collect();
        targets.iter().filter_map(|target| self.remove(target)).collect()
    }

    fn of_host(&self, host: HostKey) -> impl Iterator<Item = &Block> {
        let least = BlockTarget::Mac(terms::MacAddr::ZERO);
        let of_host = self.by_host.range((host, least)..).take_while(move |(other, _)| *other == host);
        of_host.filter_map(|(_, target)| self.blocks.get(target))
    }

    fn count(&mut self, block: &Block) -> Option<&mut usize> {
        match (block.automatic, block.target.side() == Side::Lan) {
            (false, _) => None,
            (true, true) => Some(&mut self.automatic_lan),
            (true, false) => Some(&mut self.automatic_uplink),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::MacAddr;

    const MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 9]);

    fn block(host: &str, target: BlockTarget, since: u64, lasts: u64) -> Block {
        Block {
            host: host.parse().unwrap(),
            mac: Some(MAC),
            target,
            since: Timestamp::from_secs(since),
            lasts: Span::from_secs(lasts),
            why: "a test".into(),
            automatic: true,
        }
    }

    #[test]
    fn a_block_of_the_whole_hardware_address_covers_each_host_behind_it() {
        let mut book = Book::default();
        book.insert(block("10.0.0.9", BlockTarget::Mac(MAC), 0, 10));
        let other = "10.0.0.8".parse().unwrap();
        let narrow = BlockTarget::MacAndAddress(MAC, "10.0.0.8".parse().unwrap());
        let at = |seconds| book.covering(other, narrow, Timestamp::from_secs(seconds)).is_some();
        assert!(at(9) && !at(10));
    }

    #[test]
    fn a_block_on_the_uplink_side_does_not_cover_the_same_address_on_the_lan_side() {
        let mut book = Book::default();
        let host = "10.0.0.9".parse().unwrap();
        book.insert(block("10.0.0.9", BlockTarget::Address("10.0.0.9".parse().unwrap()), 0, 10));
        assert_eq!(book.covering(host, BlockTarget::Mac(MAC), Timestamp::EPOCH), None);
    }

    #[test]
    fn a_block_of_an_address_on_either_side_covers_its_host_on_both() {
        let mut book = Book::default();
        let (host, address) = ("10.0.0.9".parse().unwrap(), "10.0.0.9".parse().unwrap());
        book.insert(block("10.0.0.9", BlockTarget::Anywhere(address), 0, 10));
        for target in [BlockTarget::Mac(MAC), BlockTarget::Address(address)] {
            assert!(book.covering(host, target, Timestamp::EPOCH).is_some(), "{target}");
        }
    }

    #[test]
    fn a_block_is_found_by_its_host_and_by_its_hardware_address() {
        let mut book = Book::default();
        let target = BlockTarget::Mac(MAC);
        book.insert(block("10.0.0.9", target, 0, 10));
        for (name, expected) in [("10.0.0.9", Some(target)), ("02:00:00:00:00:09", Some(target)), ("10.0.0.8", None)] {
            assert_eq!(book.meant_by(name.parse().unwrap()), expected, "{name}");
        }
    }

    #[test]
    fn the_counts_follow_the_blocks() {
        let mut book = Book::default();
        let address = BlockTarget::Address("198.51.100.7".parse().unwrap());
        book.insert(block("10.0.0.9", BlockTarget::Mac(MAC), 0, 10));
        book.insert(block("198.51.100.7", address, 0, 20));
        book.insert(Block { automatic: false, ..block("198.51.100.7", address, 0, 20) });
        assert_eq!((book.automatic_lan(), book.automatic_uplink(), book.len()), (1, 0, 2));
        assert_eq!(book.expire(Timestamp::from_secs(10)).len(), 1);
        assert_eq!((book.automatic_lan(), book.automatic_uplink(), book.by_host.len()), (0, 0, 1));
    }

    #[test]
    fn a_clock_set_back_does_not_prolong_a_block() {
        let mut book = Book::default();
        book.insert(block("10.0.0.9", BlockTarget::Mac(MAC), 1_000_000, 600));
        assert_eq!(book.expire(Timestamp::from_secs(1000)), []);
        assert_eq!(book.iter().next().map(Block::until), Some(Timestamp::from_secs(1600)));
    }
}
