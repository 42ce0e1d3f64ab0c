//! Everybody whom the box knows, in memory; each change is on flash before it is here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::clock::now;
use crate::role::{Role, Scope};
use crate::rows::{Change, Kind, Rows, RowsError, Single};
use crate::session::Session;
use crate::token::{Token, number_of};

/// The numbers given last.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Numbers {
    /// To an account.
    pub account: u64,
    /// To a session.
    pub session: u64,
    /// To a token.
    pub token: u64,
}

/// Accounts, sessions and tokens.
#[derive(Default)]
pub struct People {
    /// By number.
    pub accounts: BTreeMap<u64, Account>,
    /// By number.
    pub sessions: BTreeMap<u64, Session>,
    /// By number.
    pub tokens: BTreeMap<u64, Token>,
    /// The numbers given last.
    pub numbers: Numbers,
}

/// Who asks, once that is proven.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Their account.
    pub account: u64,
    /// Its address.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Whether they have proven to be who they say.
    pub verified: bool,
    /// Their session; nothing for a program's token.
    pub session: Option<u64>,
    /// What a token may be used for; nothing for a session, which may do all that the role may.
    pub scopes: Option<Vec<Scope>>,
    /// Whether the password was asked for within five minutes.
    pub fresh: bool,
    /// Whether the second factor is still due.
    pub due: bool,
    /// Whether the account has a second factor.
    pub second: bool,
    /// Whether it is the page that asks, by its cookie.
    pub page: bool,
}

impl People {
    /// Reads them.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn load(rows: &Rows) -> Result<Self, RowsError> {
        let mut sessions: BTreeMap<u64, Session> = rows.all(Kind::Session)?.into_iter().collect();
        // When a session was last used is not kept on flash: a restart does not end those that were in use.
        sessions.values_mut().for_each(|session| session.seen = now().micros());
        Ok(Self {
            accounts: rows.all(Kind::Account)?.into_iter().collect(),
            sessions,
            tokens: rows.all(Kind::Token)?.into_iter().collect(),
            numbers: rows.single(Single::Numbers)?.unwrap_or_default(),
        })
    }

    /// Puts the numbers into a change that used one.
    pub fn count(change: &mut Change, numbers: &Numbers) {
        change.set(Single::Numbers, numbers);
    }

    /// Whether the box has an owner.
    #[must_use]
    pub fn claimed(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// The account of an e-mail address or a user name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Account> {
        let name = name.to_ascii_lowercase();
        let called = |account: &&Account| {
            account.email.as_str() == name || account.user_name.as_ref().is_some_and(|user| user.as_str() == name)
        };
        self.accounts.values().find(called)
    }

    /// Superadmins who can log in, but for this account.
    #[must_use]
    pub fn other_owners(&self, but: u64) -> usize {
        let owner = |account: &&Account| {
            account.number != but && account.active && account.role == Role::Superadmin && account.hash.is_some()
        };
        self.accounts.values().filter(owner).count()
    }

    /// Who a session's token stands for: the page's cookie, or a bearer token. One that is `used` was not left alone.
    pub fn of_session(&mut self, number: u64, id: &str, page: bool, used: bool) -> Option<Caller> {
        let session = self.sessions.get_mut(&number).filter(|session| session.page == page && session.holds(id))?;
        let account = self.accounts.get(&session.account).filter(|account| account.active)?;
        if used {
            session.seen = now().micros();
        }
        Some(Caller {
            account: account.number,
            email: account.email.as_str().into(),
            role: account.role,
            verified: account.verified,
            session: Some(number),
            scopes: None,
            fresh: session.fresh(),
            due: session.due,
            second: account.totp.is_some(),
            page,
        })
    }

    /// Who a program's token stands for.
    pub fn of_token(&mut self, text: &str, now: u64) -> Option<Caller> {
        let token = self.tokens.get_mut(&number_of(text)?).filter(|token| token.holds(text))?;
        let account = self.accounts.get(&token.account).filter(|account| account.active)?;
        token.used = Some(now);
        Some(Caller {
            account: account.number,
            email: account.email.as_str().into(),
            role: account.role,
            verified: account.verified,
            session: None,
            scopes: Some(token.scopes.clone()),
            fresh: false,
            due: false,
            second: account.totp.is_some(),
            page: false,
        })
    }

    /// Whether this address belongs to a live session of the account, or to a former log-in of it.
    #[must_use]
    pub fn knows(&self, account: &Account, from: IpAddr) -> bool {
        account.known.contains(&from)
            || self.sessions.values().any(|session| session.account == account.number && session.from == from)
    }

    /// From where admins are logged in now, the newest log-ins first.
    #[must_use]
    pub fn guests(&self, now: u64, most: usize) -> Vec<IpAddr> {
        let admin = |session: &&Session| {
            let role = self.accounts.get(&session.account).map(|account| account.role);
            session.lives(now) && matches!(role, Some(Role::Admin | Role::Superadmin)) && !session.from.is_loopback()
        };
        let mut guests = Vec::new();
        for session in self.sessions.values().rev().filter(admin) {
            if !guests.contains(&session.from) && guests.len() < most {
                guests.push(session.from);
            }
        }
        guests
    }

    /// The sessions of an account, but for one; all of them with `None`.
    #[must_use]
    pub fn sessions_of(&self, account: u64, but: Option<u64>) -> Vec<u64> {
        let of = |session: &&Session| session.account == account && Some(session.number) != but;
        self.sessions.values().filter(of).map(|session| session.number).collect()
    }
}
