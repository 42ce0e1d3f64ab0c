//! Lists of words that are looked for in one pass.

/// Places of a word that are compared before the word itself is.
const PLACES: usize = 3;

/// At most 64 words, each of at least three octets, written in lower case.
///
/// **Shape**: for each of a word's first places, the words that may have an octet there, a bit each. Three looks rule out nearly every
/// place of a payload for all words at once.
pub(crate) struct Words<const N: usize> {
    words: [&'static [u8]; N],
    may_be: [[u64; 256]; PLACES],
}

impl<const N: usize> Words<N> {
    /// Made when the program is: a word too short or one too many is an error of its build.
    pub(crate) const fn new(words: [&'static [u8]; N]) -> Self {
        assert!(N <= 64, "a bit for each word");
        let mut may_be = [[0; 256]; PLACES];
        let mut n = 0;
        while n < N {
            assert!(words[n].len() >= PLACES, "each place has an octet");
            let mut place = 0;
            while place < PLACES {
                let octet = words[n][place];
                assert!(!octet.is_ascii_uppercase(), "words are written in lower case");
                may_be[place][octet as usize] |= 1 << n;
                may_be[place][octet.to_ascii_uppercase() as usize] |= 1 << n;
                place += 1;
            }
            n += 1;
        }
        Self { words, may_be }
    }

    /// Which words occur in `octets`, in whatever case: bit n for the n-th.
    pub(crate) fn found(&self, octets: &[u8]) -> u64 {
        let [first, second, third] = &self.may_be;
        let mut found = 0;
        for (at, here) in octets.windows(PLACES).enumerate() {
            let mut left = first[usize::from(here[0])] & second[usize::from(here[1])] & third[usize::from(here[2])];
            while left != 0 {
                let word = self.words[left.trailing_zeros() as usize];
                if octets[at..].get(..word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word)) {
                    found |= left & left.wrapping_neg();
                }
                left &= left - 1;
            }
        }
        found
    }

    /// Whether any of the words occurs in `octets`, in whatever case.
    pub(crate) fn any(&self, octets: &[u8]) -> bool {
        self.found(octets) != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::octets::contains;

    const WORDS: [&[u8]; 5] = [b"aba", b"abac", b"ab;", b";;;;", b"cab-a"];
    static LIST: Words<5> = Words::new(WORDS);

    proptest! {
        #[test]
        fn finds_what_a_search_for_each_word_finds(text in "[abcABC;-]{0,24}") {
            for (n, word) in WORDS.iter().enumerate() {
                prop_assert_eq!(LIST.found(text.as_bytes()) >> n & 1 == 1, contains(text.as_bytes(), word), "{:?}", word);
            }
        }
    }
}
