//! The own account and its sessions.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::account::UserRow;
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::session::SessionRow;

/// `GET profile`.
pub fn show(office: &Office, call: &Call) -> Result<UserRow, Problem> {
    let people = office.people();
    people.accounts.get(&call.caller()?.account).map(UserRow::from).ok_or_else(Problem::unknown)
}

/// Other names; what is absent stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// First name.
    #[schemars(length(min = 1, max = 64))]
    first_name: Option<String>,
    /// Last name.
    #[schemars(length(min = 1, max = 64))]
    last_name: Option<String>,
}

/// `PATCH profile`.
pub fn change(office: &Office, call: &Call, body: Names) -> Result<UserRow, Problem> {
    let mut people = office.people();
    let mut account = people.accounts.get(&call.caller()?.account).cloned().ok_or_else(Problem::unknown)?;
    let before = UserRow::from(&account);
    call.unchanged(&before)?;
    account.rename(body.first_name.as_deref(), body.last_name.as_deref())?;
    let after = UserRow::from(&account);
    let mut change = Change::default();
    change.put(Kind::Account, account.number, &account);
    let mut act = call.act("profile.change", account.email.as_str());
    (act.before, act.after) = (shown(&before), shown(&after));
    office.commit(change, act)?;
    people.accounts.insert(account.number, account);
    Ok(after)
}

/// `GET sessions`.
pub fn sessions(office: &Office, call: &Call) -> Result<Vec<SessionRow>, Problem> {
    let caller = call.caller()?;
    Ok(sessions_of(office, caller.account, caller.session))
}

/// The sessions of an account.
pub fn sessions_of(office: &Office, account: u64, current: Option<u64>) -> Vec<SessionRow> {
    let people = office.people();
    let now = crate::clock::now().micros();
    let own = people.sessions.values().filter(|session| session.account == account && session.lives(now));
    own.map(|session| session.row(Some(session.number) == current)).collect()
}

/// `DELETE sessions/{id}`.
pub fn end_session(office: &Office, call: &Call) -> Result<(), Problem> {
    let caller = call.caller()?;
    let number = call.number("id", "session")?;
    let mut people = office.people();
    // Another's session does not exist, as far as the caller can tell.
    let own = people.sessions.get(&number).filter(|session| session.account == caller.account);
    own.ok_or_else(|| Problem::missing("session"))?;
    let mut change = Change::default();
    change.remove(Kind::Session, number);
    office.commit(change, call.act("session.end", number.to_string()))?;
    people.sessions.remove(&number);
    Ok(())
}
