//! A slot's label: what stands in the slot, of which version, for which boards, and who vouches for it.
//!
//! **Shape**: 4096 octets: `PICKETSL`, format, length and SHA-256 of the content, version, image, kernel, zeros, and an ed25519
//! signature over all before it in the last 64. A label without a signature ends in zeros: whole, but nobody vouches for it.

use ring::signature::{ED25519, UnparsedPublicKey};
use std::fmt;

use crate::octets::{long, put_text, text, word};

/// Octets of a label.
pub const LABEL_LEN: usize = 4096;
/// How many of them are signed.
pub const SIGNED_LEN: usize = LABEL_LEN - 64;
const MAGIC: &[u8; 8] = b"PICKETSL";
const FORMAT: u32 = 1;

/// A version: three numbers, compared in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64);

/// What a label says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Octets of the content.
    pub len: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// Its version.
    pub version: Version,
    /// The image that it belongs to, which says for which boards it is.
    pub image: String,
    /// The release of the kernel whose modules it holds.
    pub kernel: String,
}

/// A label is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// It does not begin as a label does.
    #[error("there is no label")]
    Missing,
    /// It is of a format that this program does not know.
    #[error("the label is of format {0}, which this version does not know")]
    Format(u32),
    /// A field can't be read.
    #[error("the label's {0} can't be read")]
    Field(&'static str),
    /// No key that is trusted here made the signature.
    #[error("the label is not signed by a key that is trusted here")]
    Signature,
}

/// The key of 64 hexadecimal digits.
#[must_use]
pub fn key_of(text: &str) -> Option<[u8; 32]> {
    let digits = text.trim().as_bytes();
    let mut key = [0; 32];
    (digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit)).then_some(())?;
    for (octet, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

impl Version {
    /// A version of three numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self((major as u64) << 32 | (minor as u64) << 16 | patch as u64)
    }

    /// It as one number, which is larger for a later version.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The version of a number; what is above the three numbers is cut off.
    #[must_use]
    pub const fn of_number(number: u64) -> Self {
        Self(number & 0xffff_ffff_ffff)
    }

    /// Reads `major.minor.patch`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let version = Self::new(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0 >> 32, self.0 >> 16 & 0xffff, self.0 & 0xffff)
    }
}

impl Label {
    /// Reads a label; who made it is another question: [`Label::vouched`].
    ///
    /// # Errors
    /// It is none, of an unknown format, or a field can't be read.
    pub fn read(octets: &[u8; LABEL_LEN]) -> Result<Self, LabelError> {
        if &octets[..8] != MAGIC {
            return Err(LabelError::Missing);
        }
        if word(octets, 8) != FORMAT {
            return Err(LabelError::Format(word(octets, 8)));
        }
        let sha256 = octets[20..].first_chunk().ok_or(LabelError::Field("hash"))?;
        Ok(Self {
            len: long(octets, 12),
            sha256: *sha256,
            version: Version::of_number(long(octets, 52)),
            image: text(octets, 60, 32).ok_or(LabelError::Field("image"))?,
            kernel: text(octets, 92, 64).ok_or(LabelError::Field("kernel"))?,
        })
    }

    /// Reads a label that one of these ed25519 keys signed.
    ///
    /// # Errors
    /// As above, or none of the keys made its signature.
    pub fn vouched(octets: &[u8; LABEL_LEN], keys: &[[u8; 32]]) -> Result<Self, LabelError> {
        let (signed, signature) = octets.split_at(SIGNED_LEN);
        let made_by = |key: &[u8; 32]| UnparsedPublicKey::new(&ED25519, key).verify(signed, signature).is_ok();
        if &octets[..8] == MAGIC && !keys.iter().any(made_by) {
            return Err(LabelError::Signature);
        }
        Self::read(octets)
    }

    /// Writes it without a signature.
    #[must_use]
    pub fn write(&self) -> [u8; LABEL_LEN] {
        let mut octets = [0; LABEL_LEN];
        octets[..8].copy_from_slice(MAGIC);
        octets[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        octets[12..20].copy_from_slice(&self.len.to_le_bytes());
        octets[20..52].copy_from_slice(&self.sha256);
        octets[52..60].copy_from_slice(&self.version.number().to_le_bytes());
        put_text(&mut octets, 60, 32, &self.image);
        put_text(&mut octets, 92, 64, &self.kernel);
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn label() -> Label {
        Label {
            len: 5_000_000,
            sha256: [7; 32],
            version: Version::new(1, 2, 3),
            image: "rpi".into(),
            kernel: "6.12.95+deb12-arm64".into(),
        }
    }

    #[test]
    fn it_reads_back_as_written() {
        assert_eq!(Label::read(&label().write()), Ok(label()));
    }

    #[test]
    fn what_nobody_signed_is_read_and_not_vouched_for() {
        assert_eq!(Label::vouched(&label().write(), &[[1; 32]]), Err(LabelError::Signature));
        assert_eq!(Label::vouched(&[0; LABEL_LEN], &[]), Err(LabelError::Missing));
    }

    #[test]
    fn a_key_is_64_digits_and_nothing_else() {
        assert_eq!(key_of(&"0a".repeat(32)), Some([10; 32]));
        for wrong in ["", &"0a".repeat(31), &"0g".repeat(32), &"+a".repeat(32), &"0a".repeat(33), &"\u{e9}".repeat(32)]
        {
            assert_eq!(key_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn versions_compare_by_their_numbers() {
        let read = |text| Version::read(text);
        assert!(read("0.10.0") > read("0.9.9") && read("1.0.0") > read("0.65535.0"));
        assert_eq!(read("1.2.3").map(|version| version.to_string()).as_deref(), Some("1.2.3"));
        for wrong in ["", "1", "1.2", "1.2.3.4", "1.2.x", "-1.0.0", "1.2.70000"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_answered(octets in prop::collection::vec(any::<u8>(), 160), fits: bool) {
            let mut block = [0; LABEL_LEN];
            block[..160].copy_from_slice(&octets);
            if fits {
                block[..8].copy_from_slice(MAGIC);
                block[8..12].copy_from_slice(&FORMAT.to_le_bytes());
            }
            let _ = Label::read(&block);
        }
    }
}
