//! The second factor: codes that change each 30 seconds (RFC 6238, SHA-1, 6 digits), and recovery codes.

use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::secret::{NoRandom, code, hex, random, same, sha256, typed, unhex};

/// How long a code holds. **Units**: seconds.
const STEP: u64 = 30;
/// How many steps a clock may be behind or ahead.
const DRIFT: u64 = 1;
/// How many recovery codes there are.
const RECOVERY: usize = 8;

/// An account's second factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Totp {
    secret: String,
    /// The newest step whose code was taken: no code is taken twice.
    last: u64,
    /// Hashes of the recovery codes that are left.
    recovery: Vec<String>,
}

impl Totp {
    /// A new secret.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self { secret: hex(&random::<20>()?), last: 0, recovery: Vec::new() })
    }

    /// The secret as apps take it: base 32.
    #[must_use]
    pub fn base32(&self) -> String {
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let octets = unhex(&self.secret).unwrap_or_default();
        let bits = octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1)).collect::<Vec<_>>();
        let letter = |five: &[u8]| {
            let number = (0..5).fold(0, |sum, at| sum << 1 | five.get(at).copied().unwrap_or(0));
            char::from(LETTERS[usize::from(number)])
        };
        bits.chunks(5).map(letter).collect()
    }

    /// Takes a code, each once; a recovery code is used up. Whether it was right.
    pub fn take(&mut self, text: &str, now: Timestamp) -> bool {
        let text = typed(text);
        let step = now.secs() / STEP;
        let right =
            (step.saturating_sub(DRIFT)..=step + DRIFT).find(|step| *step > self.last && same(&self.at(*step), &text));
        if let Some(step) = right {
            self.last = step;
            return true;
        }
        let hash = sha256(text.as_bytes());
        let before = self.recovery.len();
        self.recovery.retain(|kept| !same(kept, &hash));
        self.recovery.len() < before
    }

    /// New recovery codes, in place of those before.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn recover(&mut self) -> Result<Vec<String>, NoRandom> {
        let codes = (0..RECOVERY).map(|_| code()).collect::<Result<Vec<_>, _>>()?;
        self.recovery = codes.iter().map(|code| sha256(typed(code).as_bytes())).collect();
        Ok(codes)
    }

    /// The code of a step.
    fn at(&self, step: u64) -> String {
        let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &unhex(&self.secret).unwrap_or_default());
        let tag = sign(&key, &step.to_be_bytes());
        let octets = tag.as_ref();
        let at = usize::from(octets[19] & 15);
        let number = octets[at..at + 4].iter().fold(0_u32, |sum, octet| sum << 8 | u32::from(*octet)) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B: "12345678901234567890".
    fn rfc() -> Totp {
        Totp { secret: hex(b"12345678901234567890"), last: 0, recovery: Vec::new() }
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let told = [59, 1_111_111_109, 1_111_111_111, 1_234_567_890, 2_000_000_000].map(|secs| rfc().at(secs / STEP));
        assert_eq!(told, ["287082", "081804", "050471", "005924", "279037"]);
        assert_eq!(rfc().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_is_taken_once_and_only_near_its_time() {
        let at = Timestamp::from_secs;
        let mut totp = rfc();
        assert!(!totp.take("287082", at(120)) && totp.take("287 082", at(80)) && !totp.take("287082", at(59)));
    }

    #[test]
    fn a_recovery_code_is_used_up() {
        let mut totp = rfc();
        let codes = totp.recover().expect("random");
        let now = Timestamp::from_secs(1);
        assert!(totp.take(&codes[3], now) && !totp.take(&codes[3], now) && totp.take(&codes[4], now));
    }
}
