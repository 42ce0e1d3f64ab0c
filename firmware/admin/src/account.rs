//! Accounts: who a person is to this box.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use crate::clock::{now, rfc3339};
use crate::problem::Problem;
use crate::role::Role;
use crate::secret::{same, sha256, typed};
use crate::totp::Totp;
use crate::words::{Email, UserName, person};

/// The most accounts that a box keeps.
pub const ACCOUNTS_MAX: usize = 1_000;
/// How many addresses of former log-ins an account remembers.
const KNOWN_MAX: usize = 8;
/// How often a code may be tried.
const CODE_TRIES: u8 = 3;

/// One account, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Its number, never used twice.
    pub number: u64,
    /// Its address, unique.
    pub email: Email,
    /// Its short name, unique.
    pub user_name: Option<UserName>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// Whether it may log in.
    pub active: bool,
    /// Whether its owner has proven to be its owner.
    pub verified: bool,
    /// When it was made, in microseconds.
    pub created: u64,
    /// The last log-in: when and from where.
    pub last_login: Option<(u64, IpAddr)>,
    /// From where its owner has logged in, newest last.
    #[serde(default)]
    pub known: Vec<IpAddr>,
    /// The password's hash.
    pub hash: Option<String>,
    /// The code that lets its owner set a password.
    pub code: Option<Code>,
    /// Its second factor.
    #[serde(default)]
    pub totp: Option<Totp>,
    /// A second factor whose first code has not come back yet.
    #[serde(default)]
    pub totp_draft: Option<Totp>,
}

/// A code that is worth one use within a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    hash: String,
    until: u64,
    tries: u8,
}

impl Code {
    /// Keeps the hash of a code that holds for so long. A code of 80 bits needs no slow hash.
    #[must_use]
    pub fn new(code: &str, holds: Span) -> Self {
        Self { hash: sha256(typed(code).as_bytes()), until: now().micros() + holds.micros(), tries: 0 }
    }

    /// Tries it; whether it was right.
    pub fn take(&mut self, text: &str) -> bool {
        self.tries = self.tries.saturating_add(1);
        self.tries <= CODE_TRIES && now().micros() < self.until && same(&self.hash, &sha256(typed(text).as_bytes()))
    }
}

impl Account {
    /// Takes other names; what is absent stays.
    ///
    /// # Errors
    /// One of them is no name.
    pub fn rename(&mut self, first: Option<&str>, last: Option<&str>) -> Result<(), Problem> {
        let (first, last) = (
            first.map(|name| person("first_name", name)).transpose()?,
            last.map(|name| person("last_name", name)).transpose()?,
        );
        self.first_name = first.unwrap_or_else(|| self.first_name.clone());
        self.last_name = last.or_else(|| self.last_name.take());
        Ok(())
    }

    /// Notes a log-in.
    pub fn entered(&mut self, from: IpAddr) {
        self.last_login = Some((now().micros(), from));
        self.known.retain(|known| *known != from);
        self.known.push(from);
        if self.known.len() > KNOWN_MAX {
            self.known.remove(0);
        }
    }
}

/// An account as it is shown: no hash, no code.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserRow {
    /// Its number.
    pub id: u64,
    /// E-mail address.
    pub email: String,
    /// User name.
    pub user_name: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// What it may do.
    pub role: Role,
    /// Whether it may log in.
    pub active: bool,
    /// Whether its owner has proven to be its owner.
    pub verified: bool,
    /// Whether a log-in asks for a second factor.
    pub totp: bool,
    /// When it was made.
    pub created: String,
    /// When it last logged in.
    pub last_login: Option<String>,
    /// From where.
    pub last_login_from: Option<String>,
}

impl From<&Account> for UserRow {
    fn from(account: &Account) -> Self {
        Self {
            id: account.number,
            email: account.email.as_str().into(),
            user_name: account.user_name.as_ref().map(|name| name.as_str().into()),
            first_name: account.first_name.clone(),
            last_name: account.last_name.clone(),
            role: account.role,
            active: account.active,
            verified: account.verified,
            totp: account.totp.is_some(),
            created: rfc3339(Timestamp::from_micros(account.created)),
            last_login: account.last_login.map(|(at, _)| rfc3339(Timestamp::from_micros(at))),
            last_login_from: account.last_login.map(|(_, from)| from.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_worth_three_tries_within_its_time() {
        let mut code = Code::new("abcd-efgh", Span::from_secs(60));
        assert!(!code.take("abcd-efgx") && code.take("ABCD efgh"));
        assert!(code.take("abcdefgh") && !code.take("abcd-efgh"), "the fourth try");
        assert!(!Code::new("abcd", Span::ZERO).take("abcd"));
    }
}
