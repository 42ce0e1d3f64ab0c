//! What fuzzing draws from a seed.

pub use crate::common::Chance;

impl Chance {
    /// Begins at a seed; the word keeps targets with one seed apart.
    pub fn new(seed: u64, word: &str) -> Self {
        Self(word.bytes().fold(seed, |seed, octet| Self(seed ^ u64::from(octet)).draw()))
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        self.draw().checked_rem(end as u64).unwrap_or(0) as usize
    }

    /// One of several, if there is any.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}
