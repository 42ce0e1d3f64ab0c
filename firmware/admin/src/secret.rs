//! Random octets, what people type of them, and hashes of what must not lie in clear.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// The letters of a claim code: none that looks like another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a claim code. **Units**: 5 bits each, 80 in all.
const CODE_LETTERS: usize = 16;

/// The system gave no random octets; nothing that needs a secret can go on.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

/// Octets that nobody can guess.
///
/// # Errors
/// The system gives none.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut octets = [0; N];
    SystemRandom::new().fill(&mut octets).map_err(|_| NoRandom)?;
    Ok(octets)
}

/// A code of 80 bits in groups of four, as a person types it: `k3vd-x7mq-...`.
///
/// # Errors
/// The system gives no random octets.
pub fn code() -> Result<String, NoRandom> {
    let letters = random::<CODE_LETTERS>()?.map(|octet| char::from(LETTERS[usize::from(octet % 32)]));
    Ok(letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

/// Six digits, each number as likely as any other.
///
/// # Errors
/// The system gives no random octets.
pub fn digits() -> Result<String, NoRandom> {
    loop {
        let number = u32::from_be_bytes(random::<4>()?);
        // The numbers above the last whole million are drawn again.
        if number < u32::MAX / 1_000_000 * 1_000_000 {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}

/// Two hexadecimal digits an octet.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The octets of hexadecimal digits in the one way in which `hex` writes them.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let octets: Vec<u8> = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Option<_>>()?;
    (hex(&octets) == text).then_some(octets)
}

/// SHA-256, hexadecimal.
#[must_use]
pub fn sha256(octets: &[u8]) -> String {
    hex(digest(&SHA256, octets).as_ref())
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

/// What a person typed of a code: case and separators do not matter.
#[must_use]
pub fn typed(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_holds_80_bits_and_reads_however_it_is_typed() {
        let code = code().expect("random");
        assert_eq!((code.len(), typed(&code).len()), (19, 16));
        assert_eq!(typed(&code.to_uppercase().replace('-', " ")), typed(&code));
        assert_ne!(code, super::code().expect("random"));
    }

    #[test]
    fn hexadecimal_reads_back_as_written() {
        assert_eq!(unhex(&hex(&[0, 15, 255])), Some(vec![0, 15, 255]));
        assert_eq!((unhex("0"), unhex("zz"), unhex("")), (None, None, Some(vec![])));
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same("abc", "abc") && !same("abc", "abd") && !same("abc", "ab"));
    }
}
