//! A host's name as rules have it, with a wildcard in front or without.

use core::fmt;

/// The longest name of a host, in octets. **Source**: RFC 1035, section 2.3.4.
const LONGEST: usize = 253;

/// A name, or every name below one.
///
/// **Shape**: lower case, labels of letters, digits and hyphens (underscores too) between dots, without a dot at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName {
    /// Without the wildcard.
    name: String,
    wild: bool,
}

impl HostName {
    /// Reads `example.com` or `*.example.com`.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let lower = text.trim_end_matches('.').to_ascii_lowercase();
        let (name, wild) = match lower.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (lower.as_str(), false),
        };
        if !name.is_ascii() {
            return Err("is in another script: write it as DNS has it, in its xn-- form");
        }
        if name.contains('*') {
            return Err("has a wildcard elsewhere than in front, as in *.example.com");
        }
        let label = |l: &str| {
            (1..=63).contains(&l.len())
                && l.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'-' || o == b'_')
                && !l.starts_with('-')
                && !l.ends_with('-')
        };
        if name.len() > LONGEST || !name.contains('.') || !name.split('.').all(label) {
            return Err("is no host name");
        }
        Ok(Self { name: name.to_owned(), wild })
    }

    /// Whether a name that a device asked for is meant; of a wildcard only what lies below it.
    #[must_use]
    pub fn matches(&self, asked: &str) -> bool {
        let asked = asked.trim_end_matches('.');
        if !self.wild {
            return asked.eq_ignore_ascii_case(&self.name);
        }
        let Some(at) = asked.len().checked_sub(self.name.len()).filter(|at| *at >= 2) else { return false };
        // Names come from the wire: their octets need not be characters.
        let (front, end) = asked.as_bytes().split_at(at);
        front.ends_with(b".") && end.eq_ignore_ascii_case(self.name.as_bytes())
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wild { "*." } else { "" }, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_means_what_lies_below_and_not_the_name_itself() {
        let wild = HostName::read("*.Example.com").unwrap();
        assert_eq!(wild.to_string(), "*.example.com");
        for (asked, meant) in [
            ("a.example.com", true),
            ("a.b.EXAMPLE.com.", true),
            ("example.com", false),
            ("badexample.com", false),
            (".example.com", false),
            ("é.com", false),
        ] {
            assert_eq!(wild.matches(asked), meant, "{asked}");
        }
    }

    #[test]
    fn a_plain_name_means_itself() {
        let name = HostName::read("example.com.").unwrap();
        assert!(name.matches("EXAMPLE.com") && !name.matches("www.example.com"));
    }

    #[test]
    fn what_no_dns_has_is_refused() {
        for text in ["", "com", "a..b", "-a.com", "a*.com", "*.*.com", "ü.de", "a b.com", "*.", "*.com"] {
            assert!(HostName::read(text).is_err(), "{text}");
        }
    }
}
