//! Whose forests may vote: public keys, and whether a file was signed by one of them.

use std::fmt;
use std::str::FromStr;

use detect::forest::package::{KEY_LEN, Package};
use ring::signature::{ED25519, UnparsedPublicKey};

/// The keys that every box with this binary trusts, a line each.
static BUILT_IN: &str = include_str!("../../../../models/trusted.keys");

/// The public half of an ed25519 key pair; as text 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey([u8; KEY_LEN]);

/// The keys that are trusted.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<PublicKey>);

/// Why a signature says nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Nobody here knows the key.
    #[error(
        "it is signed by {0}, a key that is not trusted here; [model] keys in the configuration is the place for it"
    )]
    Stranger(PublicKey),
    /// The octets are not those that were signed.
    #[error("its signature is not right: the file is damaged or was changed")]
    Forged,
}

impl Keys {
    /// The keys of this binary and these.
    #[must_use]
    pub fn with(configured: &[PublicKey]) -> Self {
        let lines = BUILT_IN.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        // A test reads every line, so that none is passed over here.
        Self(lines.filter_map(|line| line.parse().ok()).chain(configured.iter().copied()).collect())
    }

    /// Whether this key is trusted.
    #[must_use]
    pub fn trust(&self, key: &PublicKey) -> bool {
        self.0.contains(key)
    }

    /// Who signed a file.
    ///
    /// # Errors
    /// Nobody who is trusted did.
    pub fn verify(&self, package: &Package<'_>) -> Result<PublicKey, Distrust> {
        let key = PublicKey(*package.key);
        if !self.trust(&key) {
            return Err(Distrust::Stranger(key));
        }
        let signature = UnparsedPublicKey::new(&ED25519, key.0).verify(package.signed, package.signature);
        signature.map(|()| key).map_err(|_| Distrust::Forged)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for PublicKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.as_bytes();
        if digits.len() != 2 * KEY_LEN {
            return Err(());
        }
        let mut key = [0; KEY_LEN];
        for (octet, pair) in key.iter_mut().zip(digits.as_chunks::<2>().0) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(());
            *octet = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_keys_in_this_binary_is_a_remark_or_a_key() {
        for line in BUILT_IN.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            assert!(line.parse::<PublicKey>().is_ok(), "{line}");
        }
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits_and_nothing_else() {
        let text = "00ff".repeat(16);
        assert_eq!(text.parse::<PublicKey>().map(|key| key.to_string()), Ok(text.clone()));
        for wrong in ["", &text[1..], &format!("{text}0"), &text.replace('f', "g"), &text.replacen("00", "é", 1)] {
            assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
        }
    }
}
