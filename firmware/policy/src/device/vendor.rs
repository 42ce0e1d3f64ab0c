//! Who made a network card, by the beginning of its hardware address.
//!
//! **Shape** of `vendors/vendors.bin`: `PKV1`; the number of names and of the prefixes of 24, 28 and 36 bits (4 octets each); for each
//! of the three lists its prefixes in order (3, 4 and 5 octets, the prefix at their end), then the number of the name of each (2);
//! where each block of 16 names begins (3 each); the names in order, each as octets shared with the one before in its block (1),
//! its own octets (1), and these.
//!
//! **Source**: the IEEE's public listings as of Debian's package ieee-data, free of copyright; `vendors/make` makes the file again.

use terms::MacAddr;

static TABLE: &[u8] = include_bytes!("../../vendors/vendors.bin");

/// Octets in front of the lists.
const HEADER: usize = 20;
/// Names in a block.
const BLOCK: usize = 16;
/// Octets and bits of the prefixes of each list.
const WIDTHS: [(usize, u32); 3] = [(3, 24), (4, 28), (5, 36)];

/// Who made the card with this address, if it was not drawn by chance and its prefix is listed.
#[must_use]
pub fn vendor(mac: MacAddr) -> Option<String> {
    if mac.is_local() || mac.is_multicast() {
        return None;
    }
    let value = mac.octets().iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet));
    // The longest prefix counts: parts of a block of 24 bits belong to others.
    (0..WIDTHS.len()).rev().find_map(|list| named(list, value >> (48 - WIDTHS[list].1)))
}

/// Whether a hardware address was drawn by chance, as phones and laptops do for each network.
#[must_use]
pub const fn is_randomised(mac: MacAddr) -> bool {
    mac.is_local() && !mac.is_multicast()
}

/// A number in the header.
fn count(at: usize) -> usize {
    number(4 * at + 4, 4)
}

/// A big-endian number; zero behind the end.
fn number(at: usize, len: usize) -> usize {
    let octets = TABLE.get(at..at + len).unwrap_or_default();
    octets.iter().fold(0, |number, octet| number << 8 | usize::from(*octet))
}

/// The name of a prefix in one of the lists.
fn named(list: usize, prefix: u64) -> Option<String> {
    let begin = (0..list).fold(HEADER, |at, earlier| at + count(earlier + 1) * (WIDTHS[earlier].0 + 2));
    let (len, width) = (count(list + 1), WIDTHS[list].0);
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = usize::midpoint(low, high);
        match (number(begin + middle * width, width) as u64).cmp(&prefix) {
            core::cmp::Ordering::Less => low = middle + 1,
            core::cmp::Ordering::Equal => return name(number(begin + len * width + 2 * middle, 2)),
            core::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

/// The name with a number.
fn name(number_of_name: usize) -> Option<String> {
    let blocks = (0..WIDTHS.len()).fold(HEADER, |at, list| at + count(list + 1) * (WIDTHS[list].0 + 2));
    let text = blocks + 3 * count(0).div_ceil(BLOCK);
    let mut at = text + number(blocks + 3 * (number_of_name / BLOCK), 3);
    let mut name = Vec::new();
    for _ in 0..=number_of_name % BLOCK {
        let (same, own) = (number(at, 1), number(at + 1, 1));
        name.truncate(same);
        name.extend_from_slice(TABLE.get(at + 2..at + 2 + own)?);
        at += 2 + own;
    }
    String::from_utf8(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        vendor(text.parse().unwrap())
    }

    #[test]
    fn well_known_cards_are_known() {
        assert_eq!(of("b8:27:eb:01:02:03").as_deref(), Some("Raspberry Pi Foundation"));
        assert_eq!(of("00:00:0c:01:02:03").as_deref(), Some("Cisco"));
        assert!(of("f0:18:98:00:00:01").unwrap().starts_with("Apple"));
    }

    #[test]
    fn the_longest_prefix_counts() {
        // 70:b3:d5 belongs to the registry, which gives parts of 36 bits of it away.
        assert!(of("70:b3:d5:00:10:01").unwrap().starts_with("SOREDI"));
        assert_eq!(of("70:b3:d5:00:20:01").as_deref(), Some("Gogo BA"));
        assert_eq!(of("70:b3:d5:00:00:01"), None, "the registry itself made nothing");
    }

    #[test]
    fn chance_and_groups_have_no_maker() {
        assert_eq!(of("02:00:00:00:00:01"), None);
        assert_eq!(of("01:00:5e:00:00:01"), None);
        assert!(is_randomised("da:a1:19:00:00:01".parse().unwrap()));
        assert!(!is_randomised("b8:27:eb:01:02:03".parse().unwrap()));
    }

    #[test]
    fn the_table_is_in_order_and_every_prefix_has_a_name() {
        assert!(TABLE.starts_with(b"PKV1"));
        let mut begin = HEADER;
        for (list, (width, _)) in WIDTHS.into_iter().enumerate() {
            let len = count(list + 1);
            assert!(len > 1_000, "{list}");
            let prefixes: Vec<usize> = (0..len).map(|n| number(begin + n * width, width)).collect();
            assert!(prefixes.is_sorted_by(|a, b| a < b), "{list}");
            for n in 0..len {
                let index = number(begin + len * width + 2 * n, 2);
                assert!(index < count(0), "{list} {n}");
                let name = name(index).unwrap();
                assert!((1..=24).contains(&name.len()) && name.bytes().all(|c| (0x20..0x7f).contains(&c)), "{name:?}");
            }
            begin += len * (width + 2);
        }
        assert!((0..count(0) - 1).all(|n| name(n) < name(n + 1)), "the names are in order");
    }
}
