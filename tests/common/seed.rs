//! Where a drawn test begins, for tests in any crate: the file is taken in by its path.

use std::hash::{BuildHasher, RandomState};

/// The seed of this run: drawn anew, or the one named by PICKET_SEED to see a failure again. It is printed.
pub fn drawn(name: &str) -> u64 {
    let told = std::env::var("PICKET_SEED").ok().and_then(|text| text.parse().ok());
    let seed = told.unwrap_or_else(|| RandomState::new().hash_one(name));
    println!("{name}: PICKET_SEED={seed}");
    seed
}
