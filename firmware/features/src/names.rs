//! The names that a host asks for, by base domain.

extern crate alloc;
use alloc::boxed::Box;

use heapless::Vec;
use terms::{Span, Timestamp};

use crate::change::Change;
use crate::hash::HashKey;

/// Base domains that are remembered for a host; the one with the fewest queries makes room.
const DOMAINS: usize = 4;
const HORIZON: Span = Span::from_secs(60);
const LETTERS: usize = 38;

#[derive(Clone, Debug)]
struct Domain {
    id: u64,
    since: Timestamp,
    queries: u16,
    carrying: u16,
    octets: u32,
    distinct: [u64; 4],
    letters: Letters,
}

/// How often each letter, digit and mark was used.
#[derive(Clone, Debug)]
pub(crate) struct Letters([u16; LETTERS]);

/// `n log2 n` of the counts that come again and again: a logarithm for each letter would be most of what a DNS query costs.
#[derive(Clone, Debug)]
pub(crate) struct Logarithms(Box<[f32]>);

/// Base domains of the last minute.
#[derive(Clone, Debug, Default)]
pub struct NameSet(Vec<Domain, DOMAINS>);

impl NameSet {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Notes a query and says where its base domain stands.
    pub(crate) fn asked(
        &mut self,
        (key, logarithms): (HashKey, &Logarithms),
        name: &[u8],
        qtype: u16,
        at: Timestamp,
    ) -> Option<Change> {
        let split = base_begins(name);
        let (front, base) = name.split_at(split);
        if base.is_empty() {
            return None;
        }
        let domain = self.domain(key.octets(base), at);
        domain.queries = domain.queries.saturating_add(1);
        domain.octets = domain.octets.saturating_add(u32::try_from(front.len()).unwrap_or(u32::MAX));
        // Types that carry data rather than addresses: NULL 10, CNAME 5, MX 15, TXT 16, KEY 25, SRV 33, private use.
        domain.carrying =
            domain.carrying.saturating_add(u16::from(matches!(qtype, 5 | 10 | 15 | 16 | 25 | 33) || qtype > 65_280));
        let bit = key.octets(front) >> 56;
        domain.distinct[usize::try_from(bit >> 6).unwrap_or(0)] |= 1 << (bit & 63);
        domain.letters.add(front);
        Some(domain.state(logarithms))
    }

    fn domain(&mut self, id: u64, at: Timestamp) -> &mut Domain {
        let place = match self.0.iter().position(|d| d.id == id) {
            Some(place) if at.since(self.0[place].since) < HORIZON => place,
            Some(place) => self.put(place, Domain::new(id, at)),
            None if self.0.is_full() => {
                let least = self.0.iter().enumerate().min_by_key(|(_, d)| (at.since(d.since) < HORIZON, d.queries));
                self.put(least.map_or(0, |(n, _)| n), Domain::new(id, at))
            }
            None => {
                self.0.push(Domain::new(id, at)).unwrap_or_default();
                self.0.len() - 1
            }
        };
        &mut self.0[place]
    }

    fn put(&mut self, place: usize, domain: Domain) -> usize {
        self.0[place] = domain;
        place
    }
}

impl Domain {
    fn new(id: u64, at: Timestamp) -> Self {
        Self { id, since: at, queries: 0, carrying: 0, octets: 0, distinct: [0; 4], letters: Letters::NONE }
    }

    fn state(&self, logarithms: &Logarithms) -> Change {
        let empty = self.distinct.iter().map(|w| w.count_zeros()).sum::<u32>().max(1);
        let distinct = 256.0 * libm::logf(256.0 / crate::window::lossless(empty));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate between 0 and 1,420")]
        let distinct = (libm::roundf(distinct) as u16).min(self.queries);
        // It costs more than the rest, and says nothing where names are few or repeat.
        let entropy =
            if self.queries > 8 && distinct > self.queries / 2 { self.letters.entropy(logarithms) } else { 0.0 };
        Change::Names { queries: self.queries, distinct, octets: self.octets, carrying: self.carrying, entropy }
    }
}

impl Letters {
    pub(crate) const NONE: Self = Self([0; LETTERS]);

    pub(crate) fn add(&mut self, text: &[u8]) {
        for octet in text {
            let count = &mut self.0[usize::from(CLASSES[usize::from(*octet)]).min(LETTERS - 1)];
            *count = count.saturating_add(1);
        }
    }

    /// Bits a letter, 0 to 5.25; 0 where there are none.
    pub(crate) fn entropy(&self, logarithms: &Logarithms) -> f32 {
        let all = crate::window::lossless(self.0.iter().map(|n| u32::from(*n)).sum());
        if all == 0.0 {
            return 0.0;
        }
        let weighed = self.0.iter().fold(0.0, |sum, n| sum + logarithms.weigh(*n));
        (libm::log2f(all) - weighed / all).max(0.0)
    }
}

impl Logarithms {
    /// Counts of which the value is kept: letters of the names of a minute.
    const KEPT: u16 = 2_048;

    /// Reckons them.
    pub(crate) fn new() -> Self {
        Self((0..Self::KEPT).map(weight).collect())
    }

    fn weigh(&self, n: u16) -> f32 {
        self.0.get(usize::from(n)).copied().unwrap_or_else(|| weight(n))
    }
}

/// `n log2 n`, 0 for none.
fn weight(n: u16) -> f32 {
    f32::from(n) * libm::log2f(f32::from(n.max(1)))
}

/// The domain that somebody registered; nothing for a name of one label, as browsers and search lists try them.
pub(crate) fn base_domain(name: &[u8]) -> Option<&[u8]> {
    let base = &name[base_begins(name)..];
    base.contains(&b'.').then_some(base)
}

/// Where the base domain begins: two labels, three where the second is a short registry label (co.uk, com.au).
fn base_begins(name: &[u8]) -> usize {
    let dots = || name.iter().enumerate().rev().filter(|(_, c)| **c == b'.').map(|(n, _)| n);
    let Some(last) = dots().next() else { return 0 };
    let second = dots().nth(1);
    let middle = last - second.map_or(0, |d| d + 1);
    let begin = if name.len() - last == 3 && middle <= 3 { dots().nth(2) } else { second };
    begin.map_or(0, |d| d + 1)
}

/// The class of each octet: letters without case, digits, the dot, all else.
const CLASSES: [u8; 256] = {
    let mut classes = [37; 256];
    let mut octet = 0;
    while octet < 256 {
        classes[octet] = match (octet as u8).to_ascii_lowercase() {
            c @ b'a'..=b'z' => c - b'a',
            c @ b'0'..=b'9' => 26 + c - b'0',
            b'.' => 36,
            _ => 37,
        };
        octet += 1;
    }
    classes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_domain_is_what_somebody_registered() {
        for (name, base) in [
            ("www.example.com", "example.com"),
            ("example.com", "example.com"),
            ("a.b.c.example.co.uk", "example.co.uk"),
            ("printer", "printer"),
        ] {
            assert_eq!(&name[base_begins(name.as_bytes())..], base);
        }
    }

    #[test]
    fn the_same_name_again_is_not_distinct() {
        let mut names = NameSet::default();
        let mut last = None;
        for n in 0..50 {
            last = names.asked((HashKey::FIXED, &Logarithms::new()), b"mail.example.com", 1, Timestamp::from_secs(n));
        }
        let Some(Change::Names { queries, distinct, octets, carrying, .. }) = last else { panic!("a name has a base") };
        assert_eq!((queries, distinct, octets, carrying), (50, 1, 250, 0));
    }
}
