//! Tokens of programs: named, good for what their scopes name, shown once, kept as a hash.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use crate::clock::{now, rfc3339};
use crate::role::Scope;
use crate::secret::{NoRandom, hex, random, same, sha256};

/// The most tokens that a box keeps.
pub const TOKENS_MAX: usize = 256;
/// The longest that a token may hold.
pub const DAYS_MAX: u16 = 366;
/// How every token begins, so that people and scanners recognise one.
pub const PREFIX: &str = "picket_";

/// One token, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// Its number.
    pub number: u64,
    /// Whose it is: it can never do more than they.
    pub account: u64,
    /// What it is for, in words.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    hash: String,
    /// When it was made, in microseconds.
    pub created: u64,
    /// When it ends.
    pub until: u64,
    /// When it was last used.
    pub used: Option<u64>,
}

/// A token as it is shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TokenRow {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub user: u64,
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created: String,
    /// When it ends.
    pub until: String,
    /// When it was last used.
    pub used: Option<String>,
}

impl Token {
    /// A new token with its text, which is kept nowhere.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn make(
        number: u64,
        account: u64,
        name: String,
        scopes: Vec<Scope>,
        days: u16,
    ) -> Result<(Self, String), NoRandom> {
        let text = format!("{PREFIX}{number}_{}", hex(&random::<32>()?));
        let created = now().micros();
        let until = created + Span::from_secs(u64::from(days) * 86_400).micros();
        let hash = sha256(text.as_bytes());
        Ok((Self { number, account, name, scopes, hash, created, until, used: None }, text))
    }

    /// Whether this text is the token's and it still holds.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        (self.created..self.until).contains(&now().micros()) && same(&self.hash, &sha256(text.as_bytes()))
    }

    /// As it is shown.
    #[must_use]
    pub fn row(&self) -> TokenRow {
        let at = |micros| rfc3339(Timestamp::from_micros(micros));
        TokenRow {
            id: self.number,
            user: self.account,
            name: self.name.clone(),
            scopes: self.scopes.clone(),
            created: at(self.created),
            until: at(self.until),
            used: self.used.map(at),
        }
    }
}

/// The number that a token's text names.
#[must_use]
pub fn number_of(text: &str) -> Option<u64> {
    text.strip_prefix(PREFIX)?.split_once('_')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_whole_text_within_its_time() {
        let (token, text) = Token::make(4, 1, "backup".into(), vec![Scope::Read], 1).expect("random");
        assert!(token.holds(&text) && number_of(&text) == Some(4));
        assert!(!token.holds(&text[..text.len() - 1]) && number_of("picket_x_1").is_none());
        assert!(!Token { until: token.created, ..token }.holds(&text));
    }
}
