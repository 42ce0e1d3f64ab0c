//! Manufacturers' descriptions of devices.

use policy::mud::{LONGEST, read, write};

use super::{kind, size};

pub fn run(input: &[u8]) -> u64 {
    match read(input) {
        Ok(description) => {
            assert!(input.len() <= LONGEST);
            let written = write(&description).map(|file| {
                let back = read(file.as_bytes());
                assert!(back.is_ok_and(|back| description.rules.iter().all(|rule| back.rules.contains(rule))));
            });
            kind((size(description.rules.len()), size(description.notes.len()), written.is_ok()))
        }
        Err(error) => {
            let told = error.to_string();
            assert!(!told.is_empty() && !error.what.is_empty());
            // The words without what stands in quotation marks or is a number: the kinds of complaint.
            let words: Vec<_> =
                error.what.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 3).collect();
            kind(words.first().map(|first| (*first, words.len())))
        }
    }
}
