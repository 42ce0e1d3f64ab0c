//! Disclosures: who wants to know which name stands behind a pseudonym, who consented, and from when to when it is told.
//!
//! A name is told to who asked for it, once another admin consented. Where there is no other, it opens by itself after a wait, of which all who
//! may know are told when it begins. An account consents only when it is at least as old as that wait: whoever makes a second account to
//! consent to themselves gains nothing.

use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use crate::account::Account;
use crate::problem::Problem;
use crate::role::Role;

/// The most that are kept; the oldest goes first.
pub const DISCLOSURES_MAX: usize = 200;
/// How long a name is told once it is open.
pub const HOLDS: Span = Span::from_secs(86_400);

/// One, as it is kept. The name itself is not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Disclosure {
    /// Its number.
    pub number: u64,
    /// The account that asks.
    pub account: u64,
    /// Its address then.
    pub email: String,
    /// The pseudonym.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// When, in microseconds.
    pub created: u64,
    /// When it opens by itself, in microseconds; nothing where it needs consent.
    pub opens: Option<u64>,
    /// Who consented, and when.
    pub consent: Option<(String, u64)>,
    /// How often the name was told.
    pub told: u64,
}

impl Disclosure {
    /// From when to when the name is told, where that is known.
    #[must_use]
    pub fn holds(&self) -> Option<(u64, u64)> {
        let from = self.consent.as_ref().map(|(_, at)| *at).or(self.opens)?;
        Some((from, from + HOLDS.micros()))
    }

    /// `waiting`, `open` or `over`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.holds() {
            Some((_, until)) if now.micros() >= until => "over",
            Some((from, _)) if now.micros() >= from => "open",
            _ => "waiting",
        }
    }

    /// Takes an admin's consent.
    ///
    /// # Errors
    /// It is who asks, the account is too young, or nothing waits.
    pub fn consent(&mut self, by: &Account, now: Timestamp, wait: Span) -> Result<(), Problem> {
        if self.state(now) != "waiting" {
            return Err(Problem::conflict("it waits for no consent any more"));
        }
        if by.number == self.account {
            return Err(Problem::conflict("another admin has to consent, not who asks"));
        }
        if now.micros() < by.created + wait.micros() {
            let hours = wait.secs() / 3_600;
            return Err(Problem::conflict(format!(
                "this account is younger than {hours} h and consents to nothing yet, so that nobody makes one to consent to themselves"
            )));
        }
        self.consent = Some((by.email.as_str().into(), now.micros()));
        Ok(())
    }
}

/// Whether an account is one that may consent.
#[must_use]
pub fn may_consent(account: &Account) -> bool {
    account.active && account.verified && matches!(account.role, Role::Admin | Role::Superadmin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Email;

    const WAIT: Span = Span::from_secs(86_400);

    fn account(number: u64, created: u64) -> Account {
        let email = Email::new(&format!("admin{number}@example.org")).expect("an address");
        Account { created: created * 1_000_000, ..Account::new(number, email, "Ada".into(), Role::Admin) }
    }

    fn asked(opens: Option<u64>) -> Disclosure {
        let (subject, reason) = ("person-0123456789".into(), "a case".into());
        let opens = opens.map(|secs| secs * 1_000_000);
        Disclosure {
            number: 1,
            account: 1,
            email: String::new(),
            subject,
            reason,
            created: 0,
            opens,
            consent: None,
            told: 0,
        }
    }

    #[test]
    fn who_asks_and_who_was_just_made_consent_to_nothing() {
        let at = Timestamp::from_secs(1_000_000);
        let mut waits = asked(None);
        assert!(waits.consent(&account(1, 0), at, WAIT).is_err());
        assert!(waits.consent(&account(2, 1_000_000 - 86_399), at, WAIT).is_err());
        assert_eq!(waits.state(Timestamp::from_secs(9_000_000)), "waiting");
        waits.consent(&account(2, 1_000_000 - 86_400), at, WAIT).expect("an old account of another");
        assert_eq!(waits.state(at), "open");
        assert!(waits.consent(&account(3, 0), at, WAIT).is_err());
        assert_eq!(waits.state(Timestamp::from_secs(1_000_000 + 86_400)), "over");
    }

    #[test]
    fn with_one_admin_it_opens_after_the_wait_and_not_before() {
        let alone = asked(Some(86_400));
        let states =
            [0, 86_399, 86_400, 2 * 86_400 - 1, 2 * 86_400].map(|secs| alone.state(Timestamp::from_secs(secs)));
        assert_eq!(states, ["waiting", "waiting", "open", "open", "over"]);
    }
}
