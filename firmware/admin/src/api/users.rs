//! Accounts, as superadmins handle them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Span;

use super::profile::sessions_of;
use crate::account::{ACCOUNTS_MAX, Account, Code, UserRow};
use crate::clock::now;
use crate::office::{Office, shown};
use crate::people::People;
use crate::problem::Problem;
use crate::role::Role;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::secret;
use crate::session::SessionRow;
use crate::words::{Email, UserName, person};

/// How long a code that a superadmin hands out holds.
const CODE_HOLDS: Span = Span::from_secs(3 * 86_400);

/// A new account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// E-mail address, unique.
    #[schemars(length(min = 3, max = 254))]
    email: String,
    /// User name, unique.
    #[schemars(length(min = 2, max = 32))]
    user_name: Option<String>,
    /// First name.
    #[schemars(length(min = 1, max = 64))]
    first_name: String,
    /// Last name.
    #[schemars(length(min = 1, max = 64))]
    last_name: Option<String>,
    /// What it may do; `user` where nothing is said.
    role: Option<Role>,
}

/// An account with the code that its owner needs.
#[derive(Serialize, JsonSchema)]
pub struct Created {
    /// The account.
    #[serde(flatten)]
    user: UserRow,
    /// The code with which its owner sets a password; hand it over yourself, no mail is configured. Shown this once.
    setup_code: String,
    /// How the mail with the code fares: `none` where no mail is configured.
    mail: &'static str,
}

/// `GET users`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<UserRow>, Problem> {
    Ok(office.people().accounts.values().map(UserRow::from).collect())
}

/// `GET users/{id}`.
pub fn one(office: &Office, call: &Call) -> Result<UserRow, Problem> {
    find(&office.people(), call).map(UserRow::from)
}

/// `POST users`.
pub fn create(office: &Office, call: &Call, body: NewUser) -> Result<Created, Problem> {
    let email = Email::new(&body.email)?;
    let user_name = body.user_name.as_deref().map(UserName::new).transpose()?;
    let first_name = person("first_name", &body.first_name)?;
    let last_name = body.last_name.as_deref().map(|name| person("last_name", name)).transpose()?;
    let setup_code = secret::code().map_err(|error| Problem::busy(error.to_string()))?;
    let mut people = office.people();
    if people.accounts.len() >= ACCOUNTS_MAX {
        return Err(Problem::conflict(format!("a box keeps {ACCOUNTS_MAX} accounts; take one away first")));
    }
    if people.named(email.as_str()).is_some() {
        return Err(Problem { field: Some("email".into()), ..Problem::conflict("an account has this address") });
    }
    if user_name.as_ref().is_some_and(|name| people.named(name.as_str()).is_some()) {
        return Err(Problem { field: Some("user_name".into()), ..Problem::conflict("an account has this user name") });
    }
    let mut numbers = people.numbers;
    numbers.account += 1;
    let account = Account {
        number: numbers.account,
        email,
        user_name,
        first_name,
        last_name,
        role: body.role.unwrap_or(Role::User),
        active: true,
        verified: false,
        created: now().micros(),
        last_login: None,
        known: Vec::new(),
        hash: None,
        code: Some(Code::new(&setup_code, CODE_HOLDS)),
        totp: None,
        totp_draft: None,
    };
    let user = UserRow::from(&account);
    let mut change = Change::default();
    change.put(Kind::Account, account.number, &account);
    People::count(&mut change, &numbers);
    let mut act = call.act("user.create", account.email.as_str());
    act.after = shown(&user);
    office.commit(change, act)?;
    people.numbers = numbers;
    people.accounts.insert(account.number, account);
    Ok(Created { user, setup_code, mail: "none" })
}

/// What of an account is to be another; what is absent stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// First name.
    #[schemars(length(min = 1, max = 64))]
    first_name: Option<String>,
    /// Last name.
    #[schemars(length(min = 1, max = 64))]
    last_name: Option<String>,
    /// What it may do.
    role: Option<Role>,
    /// Whether it may log in.
    active: Option<bool>,
}

/// `PATCH users/{id}`.
pub fn change(office: &Office, call: &Call, body: Changed) -> Result<UserRow, Problem> {
    let mut people = office.people();
    let mut account = find(&people, call)?.clone();
    let before = UserRow::from(&account);
    call.unchanged(&before)?;
    account.rename(body.first_name.as_deref(), body.last_name.as_deref())?;
    account.role = body.role.unwrap_or(account.role);
    account.active = body.active.unwrap_or(account.active);
    let less = account.role != before.role || !account.active;
    if before.role == Role::Superadmin && less && people.other_owners(account.number) == 0 {
        return Err(Problem::conflict("it is the last superadmin; make another one first"));
    }
    let ended = if less { people.sessions_of(account.number, None) } else { Vec::new() };
    let after = UserRow::from(&account);
    let mut change = Change::default();
    ended.iter().for_each(|session| change.remove(Kind::Session, *session));
    change.put(Kind::Account, account.number, &account);
    let mut act = call.act("user.change", account.email.as_str());
    (act.before, act.after) = (shown(&before), shown(&after));
    office.commit(change, act)?;
    ended.iter().for_each(|session| drop(people.sessions.remove(session)));
    people.accounts.insert(account.number, account);
    Ok(after)
}

/// `DELETE users/{id}`.
pub fn remove(office: &Office, call: &Call) -> Result<(), Problem> {
    let mut people = office.people();
    let account = find(&people, call)?.clone();
    call.unchanged(&UserRow::from(&account))?;
    if account.role == Role::Superadmin && people.other_owners(account.number) == 0 {
        return Err(Problem::conflict("it is the last superadmin; make another one first"));
    }
    let sessions = people.sessions_of(account.number, None);
    let tokens: Vec<u64> =
        people.tokens.values().filter(|token| token.account == account.number).map(|token| token.number).collect();
    let mut change = Change::default();
    change.remove(Kind::Account, account.number);
    sessions.iter().for_each(|session| change.remove(Kind::Session, *session));
    tokens.iter().for_each(|token| change.remove(Kind::Token, *token));
    let mut act = call.act("user.remove", account.email.as_str());
    act.before = shown(&UserRow::from(&account));
    office.commit(change, act)?;
    people.accounts.remove(&account.number);
    sessions.iter().for_each(|session| drop(people.sessions.remove(session)));
    tokens.iter().for_each(|token| drop(people.tokens.remove(token)));
    Ok(())
}

/// Why a code is handed out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// For the audit.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// `POST users/{id}/code`: the password stays until the code is used.
pub fn code(office: &Office, call: &Call, body: Why) -> Result<Created, Problem> {
    let setup_code = secret::code().map_err(|error| Problem::busy(error.to_string()))?;
    let mut people = office.people();
    let mut account = find(&people, call)?.clone();
    account.code = Some(Code::new(&setup_code, CODE_HOLDS));
    let mut change = Change::default();
    change.put(Kind::Account, account.number, &account);
    let mut act = call.act("user.code", account.email.as_str());
    act.why = body.why;
    office.commit(change, act)?;
    let user = UserRow::from(&account);
    people.accounts.insert(account.number, account);
    Ok(Created { user, setup_code, mail: "none" })
}

/// `GET users/{id}/sessions`.
pub fn sessions(office: &Office, call: &Call) -> Result<Vec<SessionRow>, Problem> {
    let number = find(&office.people(), call)?.number;
    Ok(sessions_of(office, number, call.caller()?.session))
}

/// `DELETE users/{id}/sessions`.
pub fn end_sessions(office: &Office, call: &Call) -> Result<(), Problem> {
    let mut people = office.people();
    let account = find(&people, call)?.clone();
    let ended = people.sessions_of(account.number, None);
    let mut change = Change::default();
    ended.iter().for_each(|session| change.remove(Kind::Session, *session));
    office.commit(change, call.act("user.end_sessions", account.email.as_str()))?;
    ended.iter().for_each(|session| drop(people.sessions.remove(session)));
    Ok(())
}

fn find<'p>(people: &'p People, call: &Call) -> Result<&'p Account, Problem> {
    people.accounts.get(&call.number("id", "account")?).ok_or_else(|| Problem::missing("account"))
}
