//! Which slot boots: a small record, written anew at each boot, that makes a bad update undo itself.
//!
//! A boot counts against its slot until the slot says that all is well. A slot on trial has one boot for that; a slot that was well
//! before has three in a row. Then the other one is taken.
//!
//! **Shape** of the record: one sector, `PICKETST`, format, sequence, preferred slot, health and boots of both, the lowest version that
//! may be installed, and a SHA-256 of all that at its end. It stands twice on the card; of two that are whole the later counts, and
//! the older one is overwritten next.

use ring::digest::{SHA256, digest};

use crate::label::Version;
use crate::octets::{long, word};
use crate::table::{Part, SLOT_A, SLOT_B};

const MAGIC: &[u8; 8] = b"PICKETST";
const FORMAT: u32 = 1;
const SUMMED: usize = 480;
/// Boots in a row in which a slot may fail to say that all is well.
const TRIAL_BOOTS: u8 = 1;
const GOOD_BOOTS: u8 = 3;

/// One of the two slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

/// What is known of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It was well once.
    Good,
    /// It was installed and has not yet said that all is well.
    Trial,
    /// It was tried and did not say so.
    Failed,
}

/// A slot's part of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// What is known of it.
    pub health: Health,
    /// Boots since it last said that all is well.
    pub boots: u8,
}

/// The record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Grows with each write.
    pub sequence: u64,
    /// The slot that is to boot.
    pub preferred: Slot,
    /// Slots a and b.
    pub slots: [Record; 2],
    /// The lowest version that may be installed.
    pub floor: Version,
}

impl Slot {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Where it lies.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::A => SLOT_A,
            Self::B => SLOT_B,
        }
    }

    /// Its letter.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
        }
    }

    /// The slot of a letter.
    #[must_use]
    pub fn of(letter: &str) -> Option<Self> {
        [Self::A, Self::B].into_iter().find(|slot| letter.len() == 1 && letter.starts_with(slot.letter()))
    }
}

impl Record {
    const NEW: Self = Self { health: Health::Good, boots: 0 };

    const fn may_boot(self) -> bool {
        match self.health {
            Health::Good => self.boots < GOOD_BOOTS,
            Health::Trial => self.boots < TRIAL_BOOTS,
            Health::Failed => false,
        }
    }
}

impl Choice {
    /// The record of a new card, whose slots hold the same.
    pub const NEW: Self =
        Self { sequence: 0, preferred: Slot::A, slots: [Record::NEW; 2], floor: Version::new(0, 0, 0) };

    /// What a slot's part says.
    #[must_use]
    pub const fn of(&self, slot: Slot) -> Record {
        self.slots[slot as usize]
    }

    /// Takes the slot that is to boot among those that are `whole`, and counts the boot; nothing if neither is whole. The second slot
    /// is looked at only where the first will not do.
    ///
    /// Where both have used up their boots they take turns, three boots each: a box that boots beats one that does not.
    #[must_use]
    pub fn boot(&self, mut whole: impl FnMut(Slot) -> bool) -> Option<(Self, Slot)> {
        let order = [self.preferred, self.preferred.other()];
        let fresh = order.into_iter().find(|slot| self.of(*slot).may_boot() && whole(*slot));
        let slot = fresh.or_else(|| order.into_iter().rev().find(|slot| whole(*slot)))?;
        let mut next = self.next();
        if slot != self.preferred && self.of(self.preferred).health == Health::Trial {
            next.slots[self.preferred as usize].health = Health::Failed;
        }
        let record = &mut next.slots[slot as usize];
        record.boots = if record.may_boot() { record.boots + 1 } else { 1 };
        next.preferred = slot;
        Some((next, slot))
    }

    /// A slot says that all is well: it is the one to boot, and nothing older than it may be installed.
    #[must_use]
    pub fn confirmed(&self, slot: Slot, version: Version) -> Self {
        let mut next = self.next();
        next.slots[slot as usize] = Record::NEW;
        next.preferred = slot;
        next.floor = self.floor.max(version);
        next
    }

    /// Something new stands in a slot and is to be tried.
    #[must_use]
    pub fn installed(&self, slot: Slot) -> Self {
        let mut next = self.next();
        next.slots[slot as usize] = Record { health: Health::Trial, boots: 0 };
        next.preferred = slot;
        next
    }

    /// A slot is about to be overwritten and must not boot meanwhile.
    #[must_use]
    pub fn emptied(&self, slot: Slot) -> Self {
        let mut next = self.next();
        next.slots[slot as usize] = Record { health: Health::Failed, boots: 0 };
        next.preferred = slot.other();
        next
    }

    /// The later of the copies that are whole, or the record of a new card.
    #[must_use]
    pub fn newest(copies: [&[u8; 512]; 2]) -> Self {
        copies.into_iter().filter_map(Self::read).max_by_key(|choice| choice.sequence).unwrap_or(Self::NEW)
    }

    /// Which of the two copies is written next: the one that holds the other parity.
    #[must_use]
    pub const fn place(&self) -> usize {
        (self.sequence % 2) as usize
    }

    /// Reads one copy.
    #[must_use]
    pub fn read(copy: &[u8; 512]) -> Option<Self> {
        let (summed, sum) = copy.split_at(SUMMED);
        if &copy[..8] != MAGIC || word(copy, 8) != FORMAT || digest(&SHA256, summed).as_ref() != sum {
            return None;
        }
        let record = |at: usize| Some(Record { health: Health::read(copy[at])?, boots: copy[at + 1] });
        Some(Self {
            sequence: long(copy, 12),
            preferred: if copy[20] == 0 { Slot::A } else { Slot::B },
            slots: [record(21)?, record(23)?],
            floor: Version::of_number(long(copy, 25)),
        })
    }

    /// Writes one copy.
    #[must_use]
    pub fn write(&self) -> [u8; 512] {
        let mut copy = [0; 512];
        copy[..8].copy_from_slice(MAGIC);
        copy[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        copy[12..20].copy_from_slice(&self.sequence.to_le_bytes());
        copy[20] = self.preferred as u8;
        for (at, record) in [21, 23].into_iter().zip(self.slots) {
            copy[at] = record.health as u8;
            copy[at + 1] = record.boots;
        }
        copy[25..33].copy_from_slice(&self.floor.number().to_le_bytes());
        let sum = digest(&SHA256, &copy[..SUMMED]);
        copy[SUMMED..].copy_from_slice(sum.as_ref());
        copy
    }

    const fn next(&self) -> Self {
        Self { sequence: self.sequence.wrapping_add(1), ..*self }
    }
}

impl Health {
    const fn read(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Good),
            1 => Some(Self::Trial),
            2 => Some(Self::Failed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: Version = Version::new(1, 0, 0);

    fn boot(choice: Choice) -> (Choice, Slot) {
        choice.boot(|_| true).expect("both are whole")
    }

    #[test]
    fn a_trial_that_says_nothing_is_over_after_one_boot() {
        let (first, slot) = boot(Choice::NEW.confirmed(Slot::A, ONE).installed(Slot::B));
        assert_eq!(slot, Slot::B);
        let (second, slot) = boot(first);
        assert_eq!((slot, second.of(Slot::B).health), (Slot::A, Health::Failed));
        assert_eq!(boot(second).1, Slot::A, "and it stays so");
    }

    #[test]
    fn a_trial_that_is_well_stays_and_nothing_older_may_follow() {
        let (tried, _) = boot(Choice::NEW.installed(Slot::B));
        let well = tried.confirmed(Slot::B, ONE);
        assert_eq!((boot(well).1, well.floor), (Slot::B, ONE));
        assert_eq!(well.confirmed(Slot::A, Version::new(0, 9, 0)).floor, ONE);
    }

    #[test]
    fn a_good_slot_that_stops_to_be_well_gives_way_after_three_boots_and_comes_back_if_the_other_is_no_better() {
        let mut choice = Choice::NEW;
        let mut order = String::new();
        for _ in 0..12 {
            let (next, slot) = boot(choice);
            order.push(slot.letter());
            choice = next;
        }
        assert_eq!(order, "aaabbbaaabbb");
    }

    #[test]
    fn a_slot_that_is_not_whole_is_passed_by_and_none_is_said() {
        assert_eq!(Choice::NEW.boot(|slot| slot == Slot::B).map(|(_, slot)| slot), Some(Slot::B));
        assert_eq!(Choice::NEW.boot(|_| false), None);
    }

    #[test]
    fn a_slot_being_overwritten_never_boots() {
        let emptied = Choice::NEW.emptied(Slot::A);
        assert_eq!(boot(emptied).1, Slot::B);
    }

    #[test]
    fn the_later_whole_copy_counts_and_a_cut_write_leaves_the_other() {
        let old = Choice::NEW.confirmed(Slot::A, ONE);
        let new = old.installed(Slot::B);
        assert_ne!(old.place(), new.place());
        assert_eq!(Choice::newest([&old.write(), &new.write()]), new);
        for cut in 0..512 {
            let mut half = new.write();
            half[cut] ^= 0x10;
            assert_eq!(Choice::newest([&old.write(), &half]), old, "octet {cut}");
        }
        assert_eq!(Choice::newest([&[0; 512], &[0xff; 512]]), Choice::NEW);
    }

    proptest! {
        #[test]
        fn it_reads_back_as_written(sequence: u64, b: bool, boots: [u8; 2], floor in 0_u64..1 << 48) {
            let record = |boots| Record { health: Health::Trial, boots };
            let choice = Choice {
                sequence,
                preferred: if b { Slot::B } else { Slot::A },
                slots: boots.map(record),
                floor: Version::of_number(floor),
            };
            prop_assert_eq!(Choice::read(&choice.write()), Some(choice));
        }
    }
}
