//! What people call themselves and one another, checked once at the door.

use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// The longest e-mail address, in octets (RFC 5321, 4.5.3.1.3).
const EMAIL_MAX: usize = 254;
/// The longest name, in characters.
const NAME_MAX: usize = 64;

/// An e-mail address by which an account is known, in small letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// A short name by which an account is known: small letters, digits, `.`, `-`, `_`; no `@`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserName(String);

impl Email {
    /// Takes an address as a mail server would, without comments, quotes and literals.
    ///
    /// # Errors
    /// It does not have that form.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let wrong = || Problem::field("email", "is not an e-mail address such as anna@example.org");
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
        let dots = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let good = text.len() <= EMAIL_MAX
            && (1..=64).contains(&local.len())
            && local.chars().all(atom)
            && !dots(local)
            && domain.contains('.')
            && domain.split('.').all(label);
        if good { Ok(Self(text.to_ascii_lowercase())) } else { Err(wrong()) }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl UserName {
    /// Takes a name.
    ///
    /// # Errors
    /// It does not have that form.
    pub fn new(text: &str) -> Result<Self, Problem> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if (2..=32).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(Problem::field("user_name", "takes 2 to 32 letters, digits, dots, dashes and underscores"))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A person's name as it is shown: no control characters, nothing that turns the direction of text.
///
/// # Errors
/// It is empty, too long, or holds what no name does.
pub fn person(field: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NAME_MAX {
        return Err(Problem::field(field, format!("takes 1 to {NAME_MAX} characters")));
    }
    if text.chars().any(hidden) {
        return Err(Problem::field(field, "holds characters that cannot be seen"));
    }
    Ok(text.to_owned())
}

/// Free text within bounds: what cannot be seen is written out, so that no log and no terminal obeys it.
#[must_use]
pub fn plain(text: &str, max: usize) -> String {
    let mut out = String::new();
    for c in text.chars().take(max) {
        if hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    if text.chars().nth(max).is_some() {
        out.push_str("...");
    }
    out
}

/// Control characters, line separators, and the marks that turn the direction of text.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form_and_no_line_break() {
        assert_eq!(Email::new("Root@Example.org").expect("good").as_str(), "root@example.org");
        for wrong in
            ["", "root", "@b.c", "a@", "a@b", "a b@c.d", "a@b..c", ".a@b.c", "a@-b.c", "a@b.c\r\nx", "a\u{202e}@b.c"]
        {
            assert_eq!(Email::new(wrong).expect_err(wrong).field.as_deref(), Some("email"));
        }
        assert!(Email::new(&format!("{}@b.c", "a".repeat(65))).is_err());
    }

    #[test]
    fn a_user_name_is_never_taken_for_an_address() {
        assert_eq!(UserName::new("Anna-B").expect("good").as_str(), "anna-b");
        for wrong in ["a", "a@b.c", "a b", "é", &"x".repeat(33)] {
            assert!(UserName::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_name_and_stands_escaped_in_texts() {
        assert!(person("first_name", "Zoë Ångström").is_ok());
        for wrong in ["", "  ", "a\nb", "a\u{202e}b", &"x".repeat(65)] {
            assert!(person("first_name", wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(plain("a\r\nb\u{202e}", 9), "a\\u{d}\\u{a}b\\u{202e}");
        assert_eq!(plain("abcdef", 3), "abc...");
    }
}
