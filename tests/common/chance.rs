//! Chance from a seed, for tests in any crate: the file is taken in by its path, since it is no part of the product.

use std::hash::{BuildHasher, RandomState};

/// A stream of numbers. **Source**: splitmix64, Steele, Lea and Flood 2014.
pub struct Chance(pub u64);

impl Chance {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The seed of this run: drawn anew, or the one named by PICKET_SEED to see a failure again. It is printed.
pub fn seed(name: &str) -> u64 {
    let told = std::env::var("PICKET_SEED").ok().and_then(|text| text.parse().ok());
    let seed = told.unwrap_or_else(|| RandomState::new().hash_one(name));
    println!("{name}: PICKET_SEED={seed}");
    seed
}
