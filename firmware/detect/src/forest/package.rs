//! A model file that somebody vouches for: a forest, its card, and a signature over both.
//!
//! **Shape**: the forest's image, the card, then a trailer of [`TRAILER_LEN`] octets. Little-endian.
//!
//! | at | trailer |
//! |---|---|
//! | 0 | [`MAGIC`] |
//! | 8 | octets of the image `u32`, of the card `u32` |
//! | 16 | when it was signed, seconds since the epoch `u64` |
//! | 24 | the public key, [`KEY_LEN`] octets |
//! | 56 | the signature, [`SIGNATURE_LEN`] octets, over everything before it |
//!
//! Here is only where things stand. Whether the key is trusted and the signature right is for whoever has keys and cryptography.

use super::{card, format};

/// The first octets of every trailer.
pub const MAGIC: [u8; 8] = *b"PKSIGNED";
/// Octets of an ed25519 public key.
pub const KEY_LEN: usize = 32;
/// Octets of an ed25519 signature.
pub const SIGNATURE_LEN: usize = 64;
/// Octets of the trailer before the signature.
pub const UNSIGNED_LEN: usize = 24 + KEY_LEN;
/// Octets of the trailer.
pub const TRAILER_LEN: usize = UNSIGNED_LEN + SIGNATURE_LEN;
/// The largest file.
pub const MAX_LEN: usize = format::MAX_LEN + card::MAX_LEN + TRAILER_LEN;

/// The parts of a file, none of them checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package<'a> {
    /// The forest's image.
    pub image: &'a [u8],
    /// The card.
    pub card: &'a [u8],
    /// When it was signed, seconds since the epoch.
    pub signed_at: u64,
    /// By which public key.
    pub key: &'a [u8; KEY_LEN],
    /// What is signed.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: &'a [u8; SIGNATURE_LEN],
}

impl<'a> Package<'a> {
    /// The parts of a file; nothing where it has no trailer, or one that does not give the file's length.
    #[must_use]
    pub fn of(file: &'a [u8]) -> Option<Self> {
        let (signed, signature) = file.split_last_chunk::<SIGNATURE_LEN>()?;
        let (parts, trailer) = signed.split_last_chunk::<UNSIGNED_LEN>()?;
        let (magic, rest) = trailer.split_first_chunk::<8>()?;
        let (lengths, rest) = rest.split_first_chunk::<8>()?;
        let (at, key) = rest.split_first_chunk::<8>()?;
        let [image_len, card_len] =
            [0, 1].map(|n| usize::try_from(u32::from_le_bytes(lengths.as_chunks().0[n])).unwrap_or(usize::MAX));
        if *magic != MAGIC || image_len.checked_add(card_len) != Some(parts.len()) {
            return None;
        }
        let (image, card) = parts.split_at(image_len);
        let signed_at = u64::from_le_bytes(*at);
        Some(Self { image, card, signed_at, key: key.try_into().ok()?, signed, signature })
    }
}

/// The trailer of a file up to its signature.
#[must_use]
pub fn trailer(image_len: u32, card_len: u32, signed_at: u64, key: &[u8; KEY_LEN]) -> [u8; UNSIGNED_LEN] {
    let mut octets = [0; UNSIGNED_LEN];
    let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
    put(0, &MAGIC);
    put(8, &image_len.to_le_bytes());
    put(12, &card_len.to_le_bytes());
    put(16, &signed_at.to_le_bytes());
    put(24, key);
    octets
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn file(image_len: u32) -> Vec<u8> {
        let key = [7; KEY_LEN];
        [b"forestcard".as_slice(), &trailer(image_len, 4, 9, &key), &[1; SIGNATURE_LEN]].concat()
    }

    #[test]
    fn the_parts_stand_where_they_were_put() {
        let file = file(6);
        let package = Package::of(&file).unwrap();
        assert_eq!((package.image, package.card), (b"forest".as_slice(), b"card".as_slice()));
        assert_eq!((package.signed_at, package.key, package.signature), (9, &[7; KEY_LEN], &[1; SIGNATURE_LEN]));
        assert_eq!(package.signed.len() + SIGNATURE_LEN, file.len());
    }

    #[test]
    fn a_trailer_that_does_not_give_the_length_is_none() {
        let good = file(6);
        assert_eq!(Package::of(&file(5)), None);
        assert_eq!(Package::of(&file(u32::MAX)), None);
        for cut in 0..good.len() {
            assert_eq!(Package::of(&good[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Package::of(&[good.as_slice(), &[0]].concat()), None);
    }
}
