//! Answers that a forest gave where it was trained, so that any box can prove that it gives the same.
//!
//! **Shape**: [`MAGIC`], the number of rows `u32`, the number of features `u32`, then a row after the other: the vector (`f32`
//! each), the three shares (`f32`), the level `u8`, three octets of zero. Little-endian; nothing after the last row.

use core::fmt;

use terms::ThreatLevel;

use super::Forest;
use super::format::{CLASSES, MAX_FEATURES};

/// The first octets of a file of golden rows.
pub const MAGIC: [u8; 8] = *b"PKGOLDEN";
/// Octets before the first row.
pub const HEADER_LEN: usize = 16;

/// Why a forest does not stand by its golden rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoldenError {
    /// Not a file of golden rows, or one of another length than it says, or without a row.
    Shape,
    /// The rows have another number of features than the forest.
    Features(usize),
    /// The answer for this row differs in at least one bit.
    Differs(usize),
}

impl fmt::Display for GoldenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => f.write_str("the golden rows are not whole"),
            Self::Features(n) => write!(f, "the golden rows have {n} features, the model has another number"),
            Self::Differs(row) => {
                write!(f, "the model's answer to golden row {row} is not the one it gave where it was trained")
            }
        }
    }
}

impl core::error::Error for GoldenError {}

/// Octets of a row with so many features.
#[must_use]
pub const fn row_len(features: usize) -> usize {
    (features + CLASSES + 1) * 4
}

/// Asks the forest again and compares every bit; gives the number of rows.
///
/// # Errors
/// Names the first row whose answer differs, or what is wrong with the file.
pub fn check(forest: &Forest<'_>, golden: &[u8]) -> Result<usize, GoldenError> {
    let (rows, features) = rows(forest, golden)?;
    for (number, row) in rows.chunks_exact(row_len(features)).enumerate() {
        let (words, _) = row.as_chunks::<4>();
        let answer = forest.classify(&vector(words, features)[..features]);
        let same = answer.shares.iter().zip(&words[features..]).all(|(share, word)| share.to_le_bytes() == *word);
        if !same || words[features + CLASSES] != [level_octet(answer.level), 0, 0, 0] {
            return Err(GoldenError::Differs(number));
        }
    }
    Ok(rows.len() / row_len(features))
}

/// How many rows the forest calls Safe, Medium and High, whatever it called them where it was trained.
///
/// # Errors
/// What is wrong with the file.
pub fn levels(forest: &Forest<'_>, golden: &[u8]) -> Result<[usize; CLASSES], GoldenError> {
    let (rows, features) = rows(forest, golden)?;
    let mut levels = [0; CLASSES];
    for row in rows.chunks_exact(row_len(features)) {
        let (words, _) = row.as_chunks::<4>();
        let answer = forest.classify(&vector(words, features)[..features]);
        levels[usize::from(level_octet(answer.level))] += 1;
    }
    Ok(levels)
}

/// The rows behind a header that is right, and how many features each has.
fn rows<'g>(forest: &Forest<'_>, golden: &'g [u8]) -> Result<(&'g [u8], usize), GoldenError> {
    let (header, rows) = golden.split_at_checked(HEADER_LEN).ok_or(GoldenError::Shape)?;
    let (words, _) = header[MAGIC.len()..].as_chunks::<4>();
    let [count, features] = [words[0], words[1]].map(|w| usize::try_from(u32::from_le_bytes(w)).unwrap_or(usize::MAX));
    if header[..MAGIC.len()] != MAGIC || features > MAX_FEATURES || count == 0 {
        return Err(GoldenError::Shape);
    }
    if features != forest.features() {
        return Err(GoldenError::Features(features));
    }
    if count.checked_mul(row_len(features)) != Some(rows.len()) {
        return Err(GoldenError::Shape);
    }
    Ok((rows, features))
}

/// A row's vector, zeros behind it.
fn vector(words: &[[u8; 4]], features: usize) -> [f32; MAX_FEATURES] {
    let mut vector = [0.0f32; MAX_FEATURES];
    for (value, word) in vector.iter_mut().zip(&words[..features]) {
        *value = f32::from_le_bytes(*word);
    }
    vector
}

/// The level as one octet.
#[must_use]
pub const fn level_octet(level: ThreatLevel) -> u8 {
    match level {
        ThreatLevel::Safe => 0,
        ThreatLevel::Medium => 1,
        ThreatLevel::High => 2,
    }
}
