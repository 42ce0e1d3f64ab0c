//! The words with which a client comes to a server of Internet Relay Chat.
//!
//! **Shape**: lines of a command and its parameters; a client registers with NICK and USER, before which PASS or CAP may stand.
//!
//! **Bounds**: the first 256 octets of a payload are looked at.
//!
//! **Source**: RFC 2812 section 3.1.

use crate::octets::upto;

/// How much of a payload is looked at.
const LOOKED_AT: u32 = 256;

/// Whether this payload of a client registers.
#[must_use]
pub fn is_registration(payload: &[u8]) -> bool {
    let first: [&[u8]; 4] = [b"NICK ", b"USER ", b"PASS ", b"CAP "];
    let lines = || upto(payload, LOOKED_AT).split(|octet| *octet == b'\n');
    first.iter().any(|word| payload.starts_with(word)) && lines().any(|line| line.starts_with(b"NICK "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nickname_is_given_first_or_behind_what_may_stand_before() {
        for words in
            [&b"NICK bot\r\nUSER a 0 * :b\r\n"[..], b"PASS x\nNICK [DE]8123\n", b"CAP LS 302\r\nNICK a\r\n", b"NICK a"]
        {
            assert!(is_registration(words), "{}", words.escape_ascii());
        }
    }

    #[test]
    fn other_protocols_have_users_and_passwords_too() {
        for words in [&b"USER anonymous\r\n"[..], b"PASS secret\r\n", b"GET /NICK HTTP/1.1\r\nNICK x", b""] {
            assert!(!is_registration(words), "{}", words.escape_ascii());
        }
    }
}
