//! Claim, log-in, verification, password.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Span;

use crate::account::{ACCOUNTS_MAX, Account, UserRow};
use crate::clock::now;
use crate::office::{Office, shown};
use crate::outbox::{self, Letter};
use crate::password::{self, LENGTH};
use crate::people::People;
use crate::problem::Problem;
use crate::role::Role;
use crate::route::{Call, Entered};
use crate::rows::{Change, Kind, Single};
use crate::secret::{same, typed};
use crate::session::{PAGE, SESSIONS_MAX, Session};
use crate::settings::SETUP;
use crate::words::{Email, person, plain};

/// What is said of any failed log-in, whatever the reason.
const WRONG: &str = "e-mail address, user name or password is wrong";
/// Accounts that may wait to be approved.
const PENDING_MAX: usize = 50;
/// What is said of any code that is not taken.
const WRONG_CODE: &str = "is wrong, used or over; a superadmin can hand out another one";

/// How a box is claimed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The code on the console and in `picket status`.
    #[schemars(length(min = 1, max = 100))]
    code: String,
    /// The first superadmin's e-mail address.
    #[schemars(length(min = 3, max = 254))]
    email: String,
    /// Their first name.
    #[schemars(length(min = 1, max = 64))]
    first_name: String,
    /// Their password.
    #[schemars(length(min = 12, max = 256))]
    password: String,
}

/// `POST auth/claim`.
pub fn claim(office: &Office, call: &Call, body: Claim) -> Result<UserRow, Problem> {
    if office.claim().is_none() {
        return Err(Problem::conflict("the box has an owner already; log in"));
    }
    if let Some(secs) = office.gates().claims.refused(now()) {
        return Err(Problem::too_often(secs));
    }
    let right = office.claim().is_some_and(|code| same(&typed(&code), &typed(&body.code)));
    if !right {
        office.gates().claims.spend(now());
        office.refused(call.act("auth.claim", ""), "wrong code");
        return Err(Problem {
            field: Some("code".into()),
            ..Problem::forbidden("the code is wrong; it stands on the box's console")
        });
    }
    let email = Email::new(&body.email)?;
    let first_name = person("first_name", &body.first_name)?;
    password::check(&body.password, &email, None, &[&first_name])?;
    let hash = office.hasher.hash(&body.password)?;
    let mut people = office.people();
    if people.claimed() {
        return Err(Problem::conflict("the box has an owner already; log in"));
    }
    let number = people.numbers.account + 1;
    let account = Account {
        verified: true,
        known: vec![call.from],
        hash: Some(hash),
        ..Account::new(number, email, first_name, Role::Superadmin)
    };
    let mut numbers = people.numbers;
    numbers.account = number;
    let mut change = Change::default();
    change.put(Kind::Account, number, &account);
    People::count(&mut change, &numbers);
    // The page asks its questions from the first one on, wherever it is opened.
    let settings = office.settings().with(SETUP, 1.into()).unwrap_or_default();
    change.set(Single::Settings, &settings);
    let row = UserRow::from(&account);
    let mut act = call.act("auth.claim", account.email.as_str());
    act.after = shown(&row);
    office.commit(change, act)?;
    *office.settings() = settings;
    people.numbers = numbers;
    people.accounts.insert(number, account);
    drop(people);
    office.claimed();
    tracing::info!("the box has an owner");
    Ok(row)
}

/// Whether the box waits for its owner.
#[derive(Serialize, JsonSchema)]
pub struct Waiting {
    /// Whether it can be claimed now.
    unclaimed: bool,
}

/// `GET auth/claim`: the page asks which of its first screens to show.
pub fn waiting(office: &Office, _: &Call) -> Result<Waiting, Problem> {
    Ok(Waiting { unclaimed: office.claim().is_some() })
}

/// A log-in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The e-mail address, or the user name.
    #[schemars(length(min = 1, max = 254))]
    email: String,
    /// The password.
    #[schemars(length(min = 1, max = 256))]
    password: String,
}

/// A session that has begun.
#[derive(Serialize, JsonSchema)]
pub struct Begun {
    /// The token: send it as `Authorization: Bearer`. Nothing for the page, whose script never sees its own: it is in a cookie.
    access_token: Option<String>,
    /// `bearer`, or `cookie` for the page.
    token_type: &'static str,
    /// Seconds for which it holds.
    expires_in: u64,
    /// What the account may do.
    role: Role,
    /// The account.
    user: UserRow,
    /// What is due next: `verify`; `totp`, the second factor; `enrol`, where one must be set up first.
    due: Vec<&'static str>,
}

/// `POST auth/login`.
pub fn login(office: &Office, call: &Call, body: Login) -> Entered<Begun> {
    let name = plain(&body.email.to_ascii_lowercase(), 254);
    let wrong = || Problem::new(401, WRONG);
    let found = {
        let people = office.people();
        let account = people.named(&name).filter(|account| account.active).cloned();
        let known = account.as_ref().is_some_and(|account| people.knows(account, call.from));
        (account, known)
    };
    let (account, known) = found;
    let key = account.as_ref().map_or_else(|| name.clone(), |account| account.number.to_string());
    let refused = || {
        let gates = office.gates();
        let refused = gates.addresses.refused(&call.from, now());
        // A victim is not locked out: from where its owner logged in before, only failures from there count.
        refused
            .or_else(|| gates.accounts.refused(&key, now()).filter(|_| !known))
            .map_or(Ok(()), |secs| Err(Problem::too_often(secs)))
    };
    // Asked again when its turn has come: of guesses that come side by side no more are hashed than of those in a row.
    let counted = || {
        refused()?;
        let mut gates = office.gates();
        gates.addresses.fail(call.from, now());
        gates.accounts.fail(key.clone(), now());
        Ok(())
    };
    let told = |problem: Problem| {
        office.refused(call.act("auth.login", name.clone()), "too many tries");
        problem
    };
    refused().map_err(told)?;
    let length = body.password.chars().count();
    let hash = account.as_ref().and_then(|account| account.hash.as_deref()).filter(|_| length <= LENGTH.1);
    let Some(account) = account.clone().filter(|_| length <= LENGTH.1) else {
        office.hasher.matches_if(counted, &plain(&body.password, LENGTH.1), None).map_err(told)?;
        office.refused(call.act("auth.login", name), "wrong name or password");
        return Err(wrong());
    };
    if !office.hasher.matches_if(counted, &body.password, hash).map_err(told)? {
        office.refused(call.act("auth.login", name), "wrong name or password");
        return Err(wrong());
    }
    {
        let mut gates = office.gates();
        gates.accounts.succeed(&key);
        gates.addresses.succeed(&call.from);
    }
    begin(office, call, account.number)
}

/// Begins a session of an account whose password was right; gives its answer, and its cookie if it is the page's.
fn begin(office: &Office, call: &Call, number: u64) -> Entered<Begun> {
    let mut people = office.people();
    let mut account = people
        .accounts
        .get(&number)
        .filter(|account| account.active)
        .cloned()
        .ok_or_else(|| Problem::new(401, WRONG))?;
    account.entered(call.from);
    let lasts = Span::from_secs(office.settings().number("accounts.bearer_minutes") * 60);
    let bearer = (!call.page).then_some(lasts);
    let mut numbers = people.numbers;
    numbers.session += 1;
    let (session, id) =
        Session::begin(numbers.session, number, call.from, plain(&call.agent, 120), account.totp.is_some(), bearer)
            .map_err(|error| Problem::busy(error.to_string()))?;
    let mut change = Change::default();
    let at = now().micros();
    let mut gone: Vec<u64> =
        people.sessions.values().filter(|session| !session.lives(at)).map(|session| session.number).collect();
    // Whoever is asked again in the page goes on in one session.
    let before = call.caller.as_ref().filter(|caller| caller.page && caller.account == number);
    gone.extend(before.and_then(|caller| caller.session));
    let own = people.sessions_of(number, None);
    gone.extend(own.iter().take((own.len() + 1).saturating_sub(SESSIONS_MAX)));
    gone.iter().for_each(|session| change.remove(Kind::Session, *session));
    change.put(Kind::Session, session.number, &session);
    change.put(Kind::Account, number, &account);
    People::count(&mut change, &numbers);
    let token = {
        let mut keys = office.keys();
        if keys.renew().map_err(|error| Problem::busy(error.to_string()))? {
            change.set(Single::Keys, &*keys);
        }
        keys.sign(&session, id).ok_or_else(|| Problem::busy("no token can be made"))?
    };
    let mut act = call.act("auth.login", account.email.as_str());
    (act.who.name, act.who.role) = (account.email.as_str().into(), Some(account.role));
    office.commit(change, act)?;
    gone.iter().for_each(|session| drop(people.sessions.remove(session)));
    people.numbers = numbers;
    people.sessions.insert(session.number, session);
    let (role, user) = (account.role, UserRow::from(&account));
    let mut due = if account.verified { Vec::new() } else { vec!["verify"] };
    if account.totp.is_some() {
        due.push("totp");
    } else if account.role == Role::Superadmin && office.settings().on("accounts.require_totp") {
        due.push("enrol");
    }
    people.accounts.insert(number, account);
    if call.page {
        let begun = Begun { access_token: None, token_type: "cookie", expires_in: PAGE.secs(), role, user, due };
        return Ok((begun, Some(token)));
    }
    let (access_token, expires_in) = (Some(token), lasts.secs());
    Ok((Begun { access_token, token_type: "bearer", expires_in, role, user, due }, None))
}

/// How an account gets its password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The account's e-mail address.
    #[schemars(length(min = 3, max = 254))]
    email: String,
    /// The one-time code.
    #[schemars(length(min = 1, max = 100))]
    code: String,
    /// The password to be.
    #[schemars(length(min = 12, max = 256))]
    password: String,
}

/// `POST auth/verify`.
pub fn verify(office: &Office, call: &Call, body: Verify) -> Result<(), Problem> {
    let email = Email::new(&body.email)?;
    let key = email.as_str().to_owned();
    if let Some(secs) = office.gates().codes.refused(&key, now()) {
        return Err(Problem::too_often(secs));
    }
    let account = office.people().named(email.as_str()).cloned();
    let names = account.as_ref().map_or(Vec::new(), |account| vec![account.first_name.as_str()]);
    password::check(&body.password, &email, account.as_ref().and_then(|account| account.user_name.as_ref()), &names)?;
    // The same work for an account that does not exist.
    let hash = office.hasher.hash(&body.password)?;
    let mut people = office.people();
    let found = people.named(email.as_str()).filter(|account| account.active).cloned();
    let (mut account, mut change) = (found, Change::default());
    let right = account.as_mut().and_then(|account| account.code.as_mut()).is_some_and(|code| code.take(&body.code));
    let Some(mut account) = account.clone().filter(|_| right) else {
        if let Some(account) = account {
            change.put(Kind::Account, account.number, &account);
            office.jot(change, Vec::new());
            people.accounts.insert(account.number, account);
        }
        drop(people);
        office.gates().codes.fail(key.clone(), now());
        office.refused(call.act("auth.verify", key), "wrong code");
        return Err(Problem::field("code", WRONG_CODE));
    };
    (account.hash, account.code, account.verified) = (Some(hash), None, true);
    let ended = people.sessions_of(account.number, None);
    ended.iter().for_each(|session| change.remove(Kind::Session, *session));
    change.put(Kind::Account, account.number, &account);
    let mut act = call.act("auth.verify", account.email.as_str());
    (act.who.name, act.who.role) = (account.email.as_str().into(), Some(account.role));
    office.commit(change, act)?;
    ended.iter().for_each(|session| drop(people.sessions.remove(session)));
    people.accounts.insert(account.number, account);
    drop(people);
    office.gates().codes.succeed(&key);
    Ok(())
}

/// Who asks for an account. The role is always `user`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Their e-mail address.
    #[schemars(length(min = 3, max = 254))]
    email: String,
    /// Their first name.
    #[schemars(length(min = 1, max = 64))]
    first_name: String,
    /// Their last name.
    #[schemars(length(min = 1, max = 64))]
    last_name: Option<String>,
}

/// `POST auth/register`: off unless a superadmin says otherwise; the same answer where the address has an account already.
pub fn register(office: &Office, call: &Call, body: Register) -> Result<(), Problem> {
    if !office.settings().on("accounts.register") {
        return Err(Problem::forbidden("nobody can ask for an account here; a superadmin makes them"));
    }
    let email = Email::new(&body.email)?;
    let first_name = person("first_name", &body.first_name)?;
    let last_name = body.last_name.as_deref().map(|name| person("last_name", name)).transpose()?;
    {
        let mut gates = office.gates();
        if let Some(secs) = gates.registers.refused(now()) {
            return Err(Problem::too_often(secs));
        }
        gates.registers.spend(now());
    }
    let mut people = office.people();
    let pending = people.accounts.values().filter(|account| account.pending).count();
    if pending >= PENDING_MAX || people.accounts.len() >= ACCOUNTS_MAX {
        return Err(Problem::busy("too many wait to be approved already"));
    }
    if people.named(email.as_str()).is_some() {
        drop(people);
        office.refused(call.act("auth.register", email.as_str()), "the address has an account");
        return Ok(());
    }
    let mut numbers = people.numbers;
    numbers.account += 1;
    let base = Account::new(numbers.account, email, first_name, Role::User);
    let account = Account { last_name, active: false, pending: true, ..base };
    let mut change = Change::default();
    change.put(Kind::Account, account.number, &account);
    People::count(&mut change, &numbers);
    let mut act = call.act("auth.register", account.email.as_str());
    act.after = shown(&UserRow::from(&account));
    office.commit(change, act)?;
    people.numbers = numbers;
    people.accounts.insert(account.number, account);
    Ok(())
}

/// Who wants another code.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resend {
    /// The account's e-mail address.
    #[schemars(length(min = 3, max = 254))]
    email: String,
}

/// `POST auth/resend`: the same answer whether there is such an account or not.
pub fn resend(office: &Office, call: &Call, body: Resend) -> Result<(), Problem> {
    let email = Email::new(&body.email)?;
    let key = email.as_str().to_owned();
    {
        let mut gates = office.gates();
        if let Some(secs) = gates.resends.refused(&key, now()) {
            return Err(Problem::too_often(secs));
        }
        gates.resends.fail(key.clone(), now());
    }
    let waits = |account: &&Account| account.active && !account.verified;
    let account = office.people().named(&key).filter(waits).map(|account| account.number);
    if let Some(account) = account {
        outbox::post(office, Letter::Code { account });
        office.record(call.act("auth.resend", key))?;
    }
    Ok(())
}

/// `POST auth/logout`.
pub fn logout(office: &Office, call: &Call) -> Result<(), Problem> {
    let caller = call.caller()?;
    let Some(number) = caller.session else {
        return Err(Problem::conflict("a program's token has no session; end it with DELETE /api/v1/tokens/{id}"));
    };
    let mut people = office.people();
    let mut change = Change::default();
    change.remove(Kind::Session, number);
    office.commit(change, call.act("auth.logout", caller.email.clone()))?;
    people.sessions.remove(&number);
    Ok(())
}

/// Another password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// The password now.
    #[schemars(length(min = 1, max = 256))]
    current: String,
    /// The password to be.
    #[schemars(length(min = 12, max = 256))]
    password: String,
}

/// `POST auth/password`.
pub fn password(office: &Office, call: &Call, body: Password) -> Result<(), Problem> {
    let caller = call.caller()?;
    let key = caller.account.to_string();
    if let Some(secs) = office.gates().accounts.refused(&key, now()) {
        return Err(Problem::too_often(secs));
    }
    let found = office.people().accounts.get(&caller.account).cloned();
    let mut account = found.ok_or_else(Problem::unknown)?;
    if !office.hasher.matches(&body.current, account.hash.as_deref())? {
        office.gates().accounts.fail(key, now());
        office.refused(call.act("auth.password", caller.email.clone()), "wrong password");
        return Err(Problem::field("current", "is not the password"));
    }
    let names = [account.first_name.as_str()];
    password::check(&body.password, &account.email, account.user_name.as_ref(), &names)?;
    let hash = office.hasher.hash(&body.password)?;
    let mut people = office.people();
    // Whatever else was changed while the hash was made stays.
    account = people.accounts.get(&caller.account).cloned().ok_or_else(Problem::unknown)?;
    account.hash = Some(hash);
    let ended = people.sessions_of(caller.account, caller.session);
    let mut change = Change::default();
    ended.iter().for_each(|session| change.remove(Kind::Session, *session));
    change.put(Kind::Account, account.number, &account);
    office.commit(change, call.act("auth.password", caller.email.clone()))?;
    ended.iter().for_each(|session| drop(people.sessions.remove(session)));
    people.accounts.insert(account.number, account);
    drop(people);
    let lines = vec![
        format!("The password of your account on the Picket box was changed from {}.", call.from),
        "Your other sessions have ended. If that was not you, tell a superadmin of the box at once.".into(),
    ];
    outbox::post(office, Letter::Note { to: caller.email.clone(), subject: "Your password was changed".into(), lines });
    Ok(())
}
