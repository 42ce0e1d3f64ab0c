//! What the boundary tests draw from a seed.

use std::ops::Range;

use crate::common::Chance;

impl Chance {
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
