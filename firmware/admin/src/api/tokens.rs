//! Tokens of programs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::office::{Office, shown};
use crate::people::People;
use crate::problem::Problem;
use crate::role::{Role, Scope};
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::token::{DAYS_MAX, TOKENS_MAX, Token, TokenRow};
use crate::words::person;

/// A new token.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// What it may be used for; `people` is never given to a token.
    #[schemars(length(min = 1, max = 6))]
    scopes: Vec<Scope>,
    /// How many days it holds.
    #[schemars(range(min = 1, max = 366))]
    days: u16,
}

/// A token with its text.
#[derive(Serialize, JsonSchema)]
pub struct Made {
    /// The token.
    #[serde(flatten)]
    row: TokenRow,
    /// Its text: send it as `Authorization: Bearer`. Shown this once.
    token: String,
}

/// `GET tokens`.
pub fn all(office: &Office, call: &Call) -> Result<Vec<TokenRow>, Problem> {
    let caller = call.caller()?;
    let oversees = matches!(caller.role, Role::Auditor | Role::Superadmin);
    let people = office.people();
    Ok(people.tokens.values().filter(|token| oversees || token.account == caller.account).map(Token::row).collect())
}

/// `POST tokens`.
pub fn create(office: &Office, call: &Call, body: NewToken) -> Result<Made, Problem> {
    let caller = call.caller()?;
    let name = person("name", &body.name)?;
    if body.scopes.is_empty() || body.scopes.contains(&Scope::People) {
        return Err(Problem::field("scopes", "takes one or more of read, blocks, alerts, devices, policy, settings"));
    }
    if !(1..=DAYS_MAX).contains(&body.days) {
        return Err(Problem::field("days", format!("takes 1 to {DAYS_MAX}")));
    }
    let mut people = office.people();
    if people.tokens.len() >= TOKENS_MAX {
        return Err(Problem::conflict(format!("a box keeps {TOKENS_MAX} tokens; end one first")));
    }
    let mut numbers = people.numbers;
    numbers.token += 1;
    let (token, text) = Token::make(numbers.token, caller.account, name, body.scopes, body.days)
        .map_err(|error| Problem::busy(error.to_string()))?;
    let row = token.row();
    let mut change = Change::default();
    change.put(Kind::Token, token.number, &token);
    People::count(&mut change, &numbers);
    let mut act = call.act("token.create", row.name.clone());
    act.after = shown(&row);
    office.commit(change, act)?;
    people.numbers = numbers;
    people.tokens.insert(token.number, token);
    Ok(Made { row, token: text })
}

/// `DELETE tokens/{id}`.
pub fn remove(office: &Office, call: &Call) -> Result<(), Problem> {
    let caller = call.caller()?;
    let number = call.number("id", "token")?;
    let mut people = office.people();
    let own = |token: &&Token| caller.role == Role::Superadmin || token.account == caller.account;
    let row = people.tokens.get(&number).filter(own).map(Token::row).ok_or_else(|| Problem::missing("token"))?;
    let mut change = Change::default();
    change.remove(Kind::Token, number);
    let mut act = call.act("token.remove", row.name.clone());
    act.before = shown(&row);
    office.commit(change, act)?;
    people.tokens.remove(&number);
    Ok(())
}
