//! The partition table of a card.
//!
//! **Shape**: a master boot record: the card's mark at octet 440, four entries of 16 octets from 446, `55 aa` at the end. **Units**:
//! sectors of 512 octets. **Source**: the UEFI specification, 5.2.1 (legacy master boot record).

use crate::octets::word;

/// Octets of a sector.
pub const SECTOR: u64 = 512;
const MIB: u64 = 1 << 20;

/// Where the record of which slot boots stands, and where it stands again, in octets.
pub const CHOICE_AT: [u64; 2] = [MIB, MIB + 4096];
/// The boot partition, in octets.
pub const BOOT: Part = Part { number: 1, from: 4 * MIB, len: 96 * MIB, kind: 0x0c };
/// Slot a.
pub const SLOT_A: Part = Part { number: 2, from: 100 * MIB, len: 64 * MIB, kind: 0x83 };
/// Slot b.
pub const SLOT_B: Part = Part { number: 3, from: 164 * MIB, len: 64 * MIB, kind: 0x83 };
/// The data partition as it is shipped; the first boot makes it longer.
pub const DATA: Part = Part { number: 4, from: 228 * MIB, len: 284 * MIB, kind: 0x83 };
/// The length of an image, a power of two because emulated card readers take no other.
pub const CARD_LEN: u64 = 512 * MIB;

/// By this a card is told from other media.
const MARK: [u8; 4] = *b"PCKT";
const ENTRIES: usize = 446;

/// One partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: u8,
    /// Its first octet.
    pub from: u64,
    /// How many octets it has.
    pub len: u64,
    /// Its type.
    pub kind: u8,
}

/// The table of a new card.
#[must_use]
pub fn fresh() -> [u8; 512] {
    let mut table = [0; 512];
    table[440..444].copy_from_slice(&MARK);
    for part in [BOOT, SLOT_A, SLOT_B, DATA] {
        write(&mut table, part);
    }
    table[510..].copy_from_slice(&[0x55, 0xaa]);
    table
}

/// Whether this first sector is that of a card of ours: its mark, its boot partition and both slots where they belong.
#[must_use]
pub fn is_ours(table: &[u8; 512]) -> bool {
    table[510..] == [0x55, 0xaa]
        && table[440..444] == MARK
        && [BOOT, SLOT_A, SLOT_B].iter().all(|part| read(table, part.number) == Some(*part))
        && read(table, DATA.number).is_some_and(|data| data.from == DATA.from && data.len >= DATA.len)
}

/// The table with the data partition up to the end of a medium of so many octets; nothing if it reaches that far already, or the
/// medium is shorter than an image.
#[must_use]
pub fn grown(table: &[u8; 512], medium: u64) -> Option<[u8; 512]> {
    let data = read(table, DATA.number)?;
    // A number of sectors has four octets, and the last MiB is left alone: cards differ by a little.
    let end = medium.min(u64::from(u32::MAX) * SECTOR) / MIB * MIB;
    let len = end.checked_sub(data.from)?;
    let mut table = *table;
    write(&mut table, Part { len, ..data });
    (len > data.len).then_some(table)
}

/// A partition of the table; nothing if its entry is empty.
#[must_use]
pub fn read(table: &[u8; 512], number: u8) -> Option<Part> {
    let at = ENTRIES + 16 * usize::from(number.checked_sub(1).filter(|index| *index < 4)?);
    let (from, len) = (u64::from(word(table, at + 8)) * SECTOR, u64::from(word(table, at + 12)) * SECTOR);
    (table[at + 4] != 0 && len != 0).then_some(Part { number, from, len, kind: table[at + 4] })
}

fn write(table: &mut [u8; 512], part: Part) {
    let at = ENTRIES + 16 * usize::from(part.number - 1);
    // Cylinders are of no use on a card: all ones say so.
    table[at..at + 8].copy_from_slice(&[0, 0xfe, 0xff, 0xff, part.kind, 0xfe, 0xff, 0xff]);
    let sectors = |octets: u64| u32::try_from(octets / SECTOR).unwrap_or(u32::MAX).to_le_bytes();
    table[at + 8..at + 12].copy_from_slice(&sectors(part.from));
    table[at + 12..at + 16].copy_from_slice(&sectors(part.len));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn partitions_lie_one_behind_the_other_and_fill_the_image() {
        let mut end = CHOICE_AT[1] + SECTOR;
        for part in [BOOT, SLOT_A, SLOT_B, DATA] {
            assert!(part.from >= end && part.from.is_multiple_of(MIB), "{part:?}");
            end = part.from + part.len;
        }
        assert_eq!(end, CARD_LEN);
    }

    #[test]
    fn a_new_table_is_ours_and_reads_back() {
        let table = fresh();
        assert!(is_ours(&table));
        assert_eq!(read(&table, 3), Some(SLOT_B));
        assert_eq!([read(&table, 0), read(&table, 5)], [None, None]);
    }

    #[test]
    fn data_grows_to_the_end_of_the_medium_once() {
        let table = grown(&fresh(), 8_000_000_000).expect("it is longer");
        assert!(is_ours(&table));
        let data = read(&table, 4).expect("it is there");
        assert!(data.from + data.len <= 8_000_000_000 && data.from + data.len > 8_000_000_000 - MIB);
        assert_eq!(grown(&table, 8_000_000_000), None);
        assert_eq!(grown(&fresh(), CARD_LEN), None);
        assert!(grown(&fresh(), u64::MAX).is_some_and(|table| is_ours(&table)));
    }

    proptest! {
        #[test]
        fn any_octets_are_answered(octets in prop::collection::vec(any::<u8>(), 512), medium: u64) {
            let table: [u8; 512] = octets.try_into().expect("512");
            let _ = (is_ours(&table), grown(&table, medium), read(&table, 4));
        }
    }

    #[test]
    fn a_table_with_any_octet_of_ours_changed_is_not_ours() {
        for at in (440..444).chain([450, 454, 458, 466, 470, 510, 511]) {
            let mut table = fresh();
            table[at] ^= 1;
            assert!(!is_ours(&table), "octet {at}");
        }
    }
}
