//! Chance from a seed: the same seed draws the same again.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// A stream of numbers. **Source**: splitmix64, Steele, Lea and Flood 2014.
pub struct Chance(u64);

impl Chance {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range, which is not empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.draw() % (range.end - range.start)
    }

    /// A count of the range.
    pub fn count(&mut self, range: Range<usize>) -> usize {
        self.within(range.start as u64..range.end as u64) as usize
    }

    /// A 16-bit number of the range.
    pub fn word(&mut self, range: Range<u16>) -> u16 {
        self.within(range.start.into()..range.end.into()) as u16
    }

    /// Yes in so many of a hundred cases.
    pub fn percent(&mut self, yes: u64) -> bool {
        self.within(0..100) < yes
    }

    /// One of several.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.count(0..of.len())].clone()
    }

    /// Puts several in any order.
    pub fn shuffle<T>(&mut self, of: &mut [T]) {
        for at in (1..of.len()).rev() {
            of.swap(at, self.count(0..at + 1));
        }
    }
}

/// The seed of this run: drawn anew, or the one named by PICKET_SEED to see a failure again. It is printed.
pub fn seed(name: &str) -> u64 {
    let told = std::env::var("PICKET_SEED").ok().and_then(|text| text.parse().ok());
    let seed = told.unwrap_or_else(|| RandomState::new().hash_one(name));
    println!("{name}: PICKET_SEED={seed}");
    seed
}
