//! What goes with a forest on a card of its own: the day of its training, how its features were distributed there, what a vote was
//! worth on sources that it had never seen.
//!
//! **Shape**: a header of [`HEADER_LEN`] octets, a reference a feature ([`REFERENCE_LEN`] octets each), the knots of the curve
//! ([`KNOT_LEN`] octets each), a checksum `u64` over all before it; nothing after. Little-endian throughout.
//!
//! | at | header |
//! |---|---|
//! | 0 | [`MAGIC`] |
//! | 8 | version `u16`, features `u8`, knots `u8`, day `u32` since the epoch |
//! | 16 | checksum of the forest that it goes with `u64` |
//! | 24 | harmless rows behind the references `u32`, features at which one of their sources stood apart `u32` |
//!
//! | at | reference of a feature |
//! |---|---|
//! | 0 | [`EDGES`] ascending edges `f32`: a value is in the first bin whose edge is not below it, else in the last |
//! | 36 | the share of the rows in each of [`BINS`] bins `f32` |
//! | 76 | how far the farthest of the training's own sources was from the others `f32`, see [`super::drift`] |
//!
//! A knot is a share of the vote for Medium and High `f32` and the share of such minutes that were a threat's `f32`; both ascend.

use core::fmt;

use super::format::{MAX_FEATURES, crc};

/// The first octets of every card.
pub const MAGIC: [u8; 8] = *b"PKFCARD\0";
/// The format that this code reads and writes.
pub const VERSION: u16 = 1;
/// Octets of the header.
pub const HEADER_LEN: usize = 32;
/// Bins of a feature.
pub const BINS: usize = 10;
/// Edges between them.
pub const EDGES: usize = BINS - 1;
/// Octets of a feature's reference.
pub const REFERENCE_LEN: usize = (EDGES + BINS + 1) * 4;
/// Octets of a knot.
pub const KNOT_LEN: usize = 8;
/// The most knots.
pub const MAX_KNOTS: usize = 32;
/// The largest card.
pub const MAX_LEN: usize = HEADER_LEN + MAX_FEATURES * REFERENCE_LEN + MAX_KNOTS * KNOT_LEN + 8;

/// A checked card, borrowed from its octets.
#[derive(Clone, Copy, Debug)]
pub struct Card<'a> {
    references: &'a [[u8; REFERENCE_LEN]],
    knots: &'a [[u8; KNOT_LEN]],
    day: u32,
    rows: u32,
    apart: u32,
}

/// How one feature was distributed over the harmless rows of the training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference {
    /// The edges between the bins, ascending; equal ones leave the bins between them empty.
    pub edges: [f32; EDGES],
    /// The share of the rows in each bin; their sum is 1.
    pub shares: [f32; BINS],
    /// How far the farthest of the training's own sources was from the others.
    pub usual: f32,
}

/// Why octets are no card of a forest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardError {
    /// Not a card, or of another length than it says.
    Shape,
    /// Written in another version of the format.
    Version(u16),
    /// Damaged: the octets do not give the checksum at their end.
    Checksum,
    /// It goes with another forest.
    Forest,
    /// The reference of this feature cannot be.
    Reference(usize),
    /// The curve does not ascend from 0 to 1.
    Curve,
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => f.write_str("the model's card is not whole"),
            Self::Version(found) => {
                write!(f, "the model's card has format version {found}, this program reads {VERSION}")
            }
            Self::Checksum => f.write_str("the model's card is damaged: its checksum does not match"),
            Self::Forest => f.write_str("the model's card goes with another forest"),
            Self::Reference(i) => write!(f, "the model's card has a distribution of feature {i} that cannot be"),
            Self::Curve => f.write_str("the model's card has a curve that does not ascend from 0 to 1"),
        }
    }
}

impl core::error::Error for CardError {}

impl<'a> Card<'a> {
    /// Checks the card that goes with a forest of so many features and this checksum ([`super::format::checksum`]).
    ///
    /// # Errors
    /// Names the first thing that is wrong: a card is used as a whole or not at all.
    pub fn load(octets: &'a [u8], features: usize, forest: u64) -> Result<Self, CardError> {
        let header: &[u8; HEADER_LEN] = octets.first_chunk().ok_or(CardError::Shape)?;
        if header[..MAGIC.len()] != MAGIC {
            return Err(CardError::Shape);
        }
        let version = u16::from_le_bytes([header[8], header[9]]);
        if version != VERSION {
            return Err(CardError::Version(version));
        }
        let (counted, knots) = (usize::from(header[10]), usize::from(header[11]));
        let body = HEADER_LEN + counted * REFERENCE_LEN + knots * KNOT_LEN;
        if counted != features || knots > MAX_KNOTS || octets.len() != body + 8 {
            return Err(CardError::Shape);
        }
        let (whole, sum) = octets.split_at(body);
        if sum != crc(whole).to_le_bytes() {
            return Err(CardError::Checksum);
        }
        if header[16..24] != forest.to_le_bytes() {
            return Err(CardError::Forest);
        }
        let (references, knots) = whole[HEADER_LEN..].split_at(counted * REFERENCE_LEN);
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let card = Self {
            references: references.as_chunks().0,
            knots: knots.as_chunks().0,
            day: word(12),
            rows: word(24),
            apart: word(28),
        };
        card.check()?;
        Ok(card)
    }

    fn check(&self) -> Result<(), CardError> {
        for feature in 0..self.references.len() {
            let fits = self.reference(feature).is_some_and(|reference| reference.can_be());
            if !fits {
                return Err(CardError::Reference(feature));
            }
        }
        let within = |value: f32| (0.0..=1.0).contains(&value);
        let mut before = (-1.0, 0.0);
        for knot in self.knots() {
            if !(within(knot.0) && within(knot.1) && knot.0 > before.0 && knot.1 >= before.1) {
                return Err(CardError::Curve);
            }
            before = knot;
        }
        Ok(())
    }

    /// The day of the training, in days since the epoch.
    #[must_use]
    pub const fn day(&self) -> u32 {
        self.day
    }

    /// How many harmless rows are behind the references.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// The most features at which one of the training's own sources stood apart from all others, the oddest source left aside.
    #[must_use]
    pub const fn apart(&self) -> u32 {
        self.apart
    }

    /// How a feature was distributed; nothing for one that is not there.
    #[must_use]
    pub fn reference(&self, feature: usize) -> Option<Reference> {
        let octets = self.references.get(feature)?;
        let mut floats = [0.0; EDGES + BINS + 1];
        for (float, word) in floats.iter_mut().zip(octets.as_chunks::<4>().0) {
            *float = f32::from_le_bytes(*word);
        }
        let (edges, rest) = floats.split_first_chunk()?;
        let (shares, usual) = rest.split_first_chunk()?;
        Some(Reference { edges: *edges, shares: *shares, usual: *usual.first()? })
    }

    /// The curve's knots: a share of the vote, and the share of such minutes that were a threat's.
    pub fn knots(&self) -> impl Iterator<Item = (f32, f32)> {
        let float = |word: &[u8; 4]| f32::from_le_bytes(*word);
        self.knots.iter().map(move |knot| {
            let [vote, chance] = [0, 1].map(|n| float(&knot.as_chunks().0[n]));
            (vote, chance)
        })
    }

    /// What a share of the vote was worth on sources that the forest had never seen; nothing where the card has no curve.
    #[must_use]
    pub fn worth(&self, vote: f32) -> Option<f32> {
        let mut below: Option<(f32, f32)> = None;
        for (at, chance) in self.knots() {
            if vote <= at {
                let (from, low) = below.unwrap_or((at, chance));
                let part = if at > from { (vote - from) / (at - from) } else { 1.0 };
                return Some(low + (chance - low) * part.clamp(0.0, 1.0));
            }
            below = Some((at, chance));
        }
        below.map(|(_, chance)| chance)
    }
}

impl Reference {
    /// The bin of a value; one that is not a number is in the first.
    #[must_use]
    pub fn bin(&self, value: f32) -> usize {
        self.edges.iter().take_while(|edge| value > **edge).count()
    }

    /// The reference as it stands in a card.
    #[must_use]
    pub fn octets(&self) -> [u8; REFERENCE_LEN] {
        let mut octets = [0; REFERENCE_LEN];
        let floats = self.edges.iter().chain(&self.shares).chain([&self.usual]);
        for (word, float) in octets.as_chunks_mut::<4>().0.iter_mut().zip(floats) {
            *word = float.to_le_bytes();
        }
        octets
    }

    fn can_be(&self) -> bool {
        let ascending = self.edges.is_sorted() && self.edges.iter().all(|edge| edge.is_finite());
        let shares = self.shares.iter().all(|share| (0.0..=1.0).contains(share));
        let sum: f32 = self.shares.iter().sum();
        ascending && shares && (sum - 1.0).abs() < 1e-3 && self.usual.is_finite() && self.usual >= 0.0
    }
}

/// The header of a card as it stands in its octets.
#[must_use]
pub fn header(features: u8, knots: u8, day: u32, forest: u64, rows: u32, apart: u32) -> [u8; HEADER_LEN] {
    let mut octets = [0; HEADER_LEN];
    let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
    put(0, &MAGIC);
    put(8, &VERSION.to_le_bytes());
    put(10, &[features, knots]);
    put(12, &day.to_le_bytes());
    put(16, &forest.to_le_bytes());
    put(24, &rows.to_le_bytes());
    put(28, &apart.to_le_bytes());
    octets
}

/// The checksum that stands at the end of a card with these octets before it.
#[must_use]
pub fn checksum(before: &[u8]) -> [u8; 8] {
    crc(before).to_le_bytes()
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    pub const FOREST: u64 = 77;

    /// A card of so many features: values from 0 to 1 in ten equal bins.
    pub fn card(features: u8, knots: &[(f32, f32)]) -> Vec<u8> {
        let mut edges = [0.0; EDGES];
        edges.iter_mut().zip(1u8..).for_each(|(edge, n)| *edge = f32::from(n) / 10.0);
        let reference = Reference { edges, shares: [0.1; BINS], usual: 0.5 };
        sealed(features, knots, &reference)
    }

    fn sealed(features: u8, knots: &[(f32, f32)], reference: &Reference) -> Vec<u8> {
        let mut octets = header(features, knots.len() as u8, 20_000, FOREST, 9_000, 2).to_vec();
        (0..features).for_each(|_| octets.extend(reference.octets()));
        knots.iter().for_each(|(a, b)| octets.extend([a.to_le_bytes(), b.to_le_bytes()].concat()));
        let sum = checksum(&octets);
        octets.extend(sum);
        octets
    }

    #[test]
    fn a_card_reads_as_it_was_written() {
        let octets = card(3, &[(0.1, 0.0), (0.5, 0.2), (0.9, 0.8)]);
        let card = Card::load(&octets, 3, FOREST).unwrap();
        assert_eq!((card.day(), card.rows(), card.apart()), (20_000, 9_000, 2));
        assert_eq!(card.reference(2).map(|r| (r.bin(-1.0), r.bin(0.1), r.bin(0.11), r.bin(7.0))), Some((0, 0, 1, 9)));
        assert_eq!(card.reference(2).map(|r| r.bin(f32::NAN)), Some(0));
        assert_eq!(card.reference(3), None);
    }

    #[test]
    fn a_vote_is_worth_what_the_curve_says_between_its_knots() {
        let octets = card(1, &[(0.1, 0.0), (0.5, 0.2), (0.9, 0.8)]);
        let card = Card::load(&octets, 1, FOREST).unwrap();
        let worth = [0.0, 0.1, 0.3, 0.7, 0.9, 1.0].map(|vote| card.worth(vote).unwrap());
        for (worth, expected) in worth.iter().zip([0.0, 0.0, 0.1, 0.5, 0.8, 0.8]) {
            assert!((worth - expected).abs() < 1e-6, "{worth} is not {expected}");
        }
        let none = super::tests::card(1, &[]);
        assert_eq!(Card::load(&none, 1, FOREST).unwrap().worth(0.5), None);
    }

    #[test]
    fn any_damage_and_any_cut_is_refused() {
        let octets = card(2, &[(0.1, 0.0)]);
        for at in 0..octets.len() {
            for bit in 0..8 {
                let mut damaged = octets.clone();
                damaged[at] ^= 1 << bit;
                assert!(Card::load(&damaged, 2, FOREST).is_err(), "octet {at} bit {bit}");
            }
            assert!(Card::load(&octets[..at], 2, FOREST).is_err(), "cut at {at}");
        }
        assert_eq!(Card::load(&octets, 2, 78).unwrap_err(), CardError::Forest);
        assert_eq!(Card::load(&octets, 3, FOREST).unwrap_err(), CardError::Shape);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused_behind_a_good_checksum() {
        let good = Reference { edges: [1.0; EDGES], shares: [0.1; BINS], usual: 0.0 };
        let mut falling = good;
        falling.edges[8] = 0.0;
        let bad = [
            falling,
            Reference { edges: [f32::NAN; EDGES], ..good },
            Reference { shares: [0.2; BINS], ..good },
            Reference { usual: -1.0, ..good },
            Reference { usual: f32::INFINITY, ..good },
        ];
        assert!(Card::load(&sealed(1, &[], &good), 1, FOREST).is_ok());
        for reference in bad {
            let octets = sealed(1, &[], &reference);
            assert_eq!(Card::load(&octets, 1, FOREST).unwrap_err(), CardError::Reference(0), "{reference:?}");
        }
        for knots in [[(0.5, 0.1), (0.4, 0.2)], [(0.1, 0.3), (0.4, 0.2)], [(0.1, 0.1), (1.4, 0.2)]] {
            assert_eq!(Card::load(&sealed(1, &knots, &good), 1, FOREST).unwrap_err(), CardError::Curve, "{knots:?}");
        }
    }
}
