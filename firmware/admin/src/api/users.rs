//! Accounts, as superadmins handle them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Span;

use super::policy::Why;
use super::profile::sessions_of;
use crate::account::{ACCOUNTS_MAX, Account, Code, UserRow};
use crate::audit::{Act, Who};
use crate::office::{Office, shown};
use crate::outbox::{Fate, Letter, post_and_hear};
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
    /// The code with which its owner sets a password; hand it over yourself. Shown this once, and only where no mail was sent.
    setup_code: Option<String>,
    /// How the mail with a code fares.
    mail: Fate,
    /// Why it was not accepted.
    mail_detail: String,
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
        user_name,
        last_name,
        code: Some(Code::new(&setup_code, CODE_HOLDS)),
        ..Account::new(numbers.account, email, first_name, body.role.unwrap_or(Role::User))
    };
    let user = UserRow::from(&account);
    let mut change = Change::default();
    change.put(Kind::Account, account.number, &account);
    People::count(&mut change, &numbers);
    let mut act = call.act("user.create", account.email.as_str());
    act.after = shown(&user);
    office.commit(change, act)?;
    people.numbers = numbers;
    let letter = Letter::Code { account: account.number };
    people.accounts.insert(account.number, account);
    drop(people);
    let (mail, mail_detail) = post_and_hear(office, letter);
    Ok(Created { user, setup_code: (mail == Fate::None).then_some(setup_code), mail, mail_detail })
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
    if account.pending && body.active == Some(true) {
        return Err(Problem::conflict("it waits to be approved: POST /api/v1/users/{id}/approve"));
    }
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
    Ok(Created { user, setup_code: Some(setup_code), mail: Fate::None, mail_detail: String::new() })
}

/// `POST users/{id}/approve`: an account that its owner asked for; the code comes as with a new one.
pub fn approve(office: &Office, call: &Call, body: Why) -> Result<Created, Problem> {
    let setup_code = secret::code().map_err(|error| Problem::busy(error.to_string()))?;
    let mut people = office.people();
    let mut account = find(&people, call)?.clone();
    if !account.pending {
        return Err(Problem::conflict("it does not wait to be approved"));
    }
    let before = UserRow::from(&account);
    call.unchanged(&before)?;
    (account.pending, account.active) = (false, true);
    account.code = Some(Code::new(&setup_code, CODE_HOLDS));
    let user = UserRow::from(&account);
    let mut change = Change::default();
    change.put(Kind::Account, account.number, &account);
    let mut act = call.act("user.approve", account.email.as_str());
    (act.why, act.before, act.after) = (body.why, shown(&before), shown(&user));
    office.commit(change, act)?;
    let letter = Letter::Code { account: account.number };
    people.accounts.insert(account.number, account);
    drop(people);
    let (mail, mail_detail) = post_and_hear(office, letter);
    Ok(Created { user, setup_code: (mail == Fate::None).then_some(setup_code), mail, mail_detail })
}

/// Makes an account a superadmin with a one-time code, because whoever stands at the console says so: its second factor, password and
/// sessions go. An address without an account gets one.
///
/// # Errors
/// It is no address, or the box has no owner yet.
pub fn recover(office: &Office, email: &str) -> Result<String, Problem> {
    if office.claim().is_some() {
        return Err(Problem::conflict("the box has no owner yet: claim it with the code in picket status"));
    }
    let email = Email::new(email)?;
    let setup_code = secret::code().map_err(|error| Problem::busy(error.to_string()))?;
    let mut people = office.people();
    let mut numbers = people.numbers;
    let found = people.named(email.as_str()).cloned();
    let before = found.as_ref().map(UserRow::from);
    let account = found.unwrap_or_else(|| {
        numbers.account += 1;
        Account::new(numbers.account, email, "Recovered".into(), Role::Superadmin)
    });
    let account = Account {
        role: Role::Superadmin,
        active: true,
        pending: false,
        hash: None,
        totp: None,
        code: Some(Code::new(&setup_code, CODE_HOLDS)),
        ..account
    };
    let ended = people.sessions_of(account.number, None);
    let mut change = Change::default();
    ended.iter().for_each(|session| change.remove(Kind::Session, *session));
    change.put(Kind::Account, account.number, &account);
    People::count(&mut change, &numbers);
    let who = Who { name: "command line".into(), ..Who::default() };
    let (what, on) = ("user.recover".into(), account.email.as_str().to_owned());
    let act = Act { who, what, on, before: shown(&before), after: shown(&UserRow::from(&account)), ..Act::default() };
    office.commit(change, act)?;
    ended.iter().for_each(|session| drop(people.sessions.remove(session)));
    people.numbers = numbers;
    people.accounts.insert(account.number, account);
    Ok(setup_code)
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
