//! Names that look as people and machines make them.

use crate::sample::Random;

const BEGINNINGS: [&str; 16] = ["b", "br", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "s", "st", "t", "v"];
const MIDDLES: [&str; 8] = ["a", "e", "i", "o", "u", "ea", "io", "ou"];
const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A word that can be spoken: two to four syllables.
pub fn spoken(random: &mut Random) -> String {
    let syllables = 2 + random.below(3);
    let mut word = String::new();
    for _ in 0..syllables {
        word.push_str(BEGINNINGS[random.below(BEGINNINGS.len())]);
        word.push_str(MIDDLES[random.below(MIDDLES.len())]);
    }
    word
}

/// So many letters and digits of the first `kinds` that there are (26 letters, then the digits).
pub fn letters(random: &mut Random, kinds: usize, len: usize) -> String {
    (0..len).map(|_| char::from(LETTERS[random.below(kinds.min(LETTERS.len()))])).collect()
}
