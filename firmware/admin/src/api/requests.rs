//! Requests for access: a user asks for a device of theirs, an admin grants or refuses, both are told.

use protocol::{AccessView, WHY_MAX};
use schemars::JsonSchema;
use serde::Deserialize;
use terms::Timestamp;

use super::devices;
use super::grants::{self, Decider};
use crate::access::{Access, REQUESTS_MAX, State, WAITING_MAX};
use crate::clock::{Moment, now};
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::role::Role;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::words::plain;

/// The longest time for which access is asked. **Units**: hours.
pub const HOURS_MAX: u64 = 720;
/// The longest text of a destination or a service, in characters: a host's name.
const TEXT_MAX: usize = 253;

/// A request.
pub type RequestRow = AccessView<Moment>;

/// It as the API shows it.
pub fn row(access: &Access) -> RequestRow {
    access.view(|micros| Moment::from(Timestamp::from_micros(micros)))
}

/// `GET requests`: an account of the role `user` sees its own.
pub fn all(office: &Office, call: &Call) -> Result<Vec<RequestRow>, Problem> {
    let caller = call.caller()?;
    let requests = office.requests();
    Ok(requests.values().filter(|access| caller.role != Role::User || is_own(access, call)).map(row).collect())
}

/// `GET requests/{id}`.
pub fn one(office: &Office, call: &Call) -> Result<RequestRow, Problem> {
    find(office, call).map(|access| row(&access))
}

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// The number of the device that wants to begin the conversation; an account of the role user names one of its own.
    device: u32,
    /// With whom: `internet`, an address, a network, a host's name, a device of the policy.
    #[schemars(length(min = 1, max = 253))]
    to: String,
    /// About what: `https`, `tcp/8443`, `udp/5000-5010`, `ping`.
    #[schemars(length(min = 1, max = 253))]
    service: String,
    /// For how many hours.
    #[schemars(range(min = 1, max = 720))]
    hours: u64,
    /// Why, for those who decide.
    #[schemars(length(min = 1, max = 500))]
    reason: String,
}

/// `POST requests`.
pub fn create(office: &Office, call: &Call, body: NewRequest) -> Result<RequestRow, Problem> {
    let caller = call.caller()?;
    let now = now();
    if let Some(secs) = office.gates().asked.refused(&caller.account, now) {
        return Err(Problem::too_often(secs));
    }
    let NewRequest { device, to, service, hours, reason } = body;
    let to = word("to", &to)?;
    let service = word("service", &service)?;
    policy::Service::read(&service).map_err(|_| {
        Problem::field("service", "names no service: write https, tcp/8443, udp/5000-5010, ping, or any")
    })?;
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(Problem::field("hours", format!("takes 1 to {HOURS_MAX}")));
    }
    if reason.trim().is_empty() || reason.chars().count() > WHY_MAX {
        return Err(Problem::field("reason", format!("takes 1 to {WHY_MAX} characters")));
    }
    let device = devices::own(office, call, device)?;
    let mut requests = office.requests();
    let waiting = |access: &&Access| access.state == State::Waiting;
    if requests.values().filter(waiting).filter(|access| is_own(access, call)).count() >= WAITING_MAX {
        return Err(Problem::conflict(format!("{WAITING_MAX} requests of yours wait already; withdraw one first")));
    }
    let mut change = Change::default();
    let mut gone = None;
    if requests.len() >= REQUESTS_MAX {
        let oldest = requests.values().find(|access| access.state != State::Waiting).map(|access| access.number);
        let oldest = oldest.ok_or_else(|| Problem::busy("too many requests wait already"))?;
        change.remove(Kind::Access, oldest);
        gone = Some(oldest);
    }
    let access = Access {
        number: requests.last_key_value().map_or(1, |(last, _)| last + 1),
        account: caller.account,
        email: caller.email.clone(),
        device: device.id,
        device_name: device.name,
        to,
        service,
        hours,
        reason: plain(reason.trim(), WHY_MAX),
        created: now.micros(),
        state: State::Waiting,
        decided: None,
        note: String::new(),
        rule: None,
    };
    let made = row(&access);
    change.put(Kind::Access, access.number, &access);
    let mut act = call.act("request.create", access.number.to_string());
    (act.why, act.after) = (access.reason.clone(), shown(&made));
    office.commit(change, act)?;
    gone.map(|gone| requests.remove(&gone));
    requests.insert(access.number, access.clone());
    drop(requests);
    office.gates().asked.fail(caller.account, now);
    grants::tell_admins(office, &access);
    Ok(made)
}

/// What is granted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// For how many hours from now; as asked for where nothing is said.
    #[schemars(range(min = 1, max = 720))]
    hours: Option<u64>,
    /// For who asked.
    #[schemars(length(max = 500))]
    #[serde(default)]
    note: String,
}

/// `POST requests/{id}/grant`: answers once the kernel holds the rule.
pub fn grant(office: &Office, call: &Call, body: Grant) -> Result<RequestRow, Problem> {
    let access = find(office, call)?;
    call.unchanged(&row(&access))?;
    grants::grant(office, &Decider::of(call)?, access.number, body.hours, &body.note).map(|access| row(&access))
}

/// Why it is refused.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    /// For who asked.
    #[schemars(length(min = 1, max = 500))]
    note: String,
}

/// `POST requests/{id}/refuse`.
pub fn refuse(office: &Office, call: &Call, body: Refuse) -> Result<RequestRow, Problem> {
    let access = find(office, call)?;
    call.unchanged(&row(&access))?;
    grants::refuse(office, &Decider::of(call)?, access.number, &body.note).map(|access| row(&access))
}

/// `DELETE requests/{id}`: whoever asked withdraws what waits; it stays in the list as withdrawn.
pub fn withdraw(office: &Office, call: &Call) -> Result<(), Problem> {
    let number = find(office, call)?.number;
    let mut requests = office.requests();
    let access = requests.get(&number).cloned().ok_or_else(|| Problem::missing("request"))?;
    let before = row(&access);
    call.unchanged(&before)?;
    if !is_own(&access, call) {
        return Err(Problem::conflict("somebody else asked; refuse it instead"));
    }
    let access = access.waiting()?.decided(State::Withdrawn, &call.caller()?.email, now().micros(), String::new());
    let after = row(&access);
    let mut change = Change::default();
    change.put(Kind::Access, number, &access);
    let mut act = call.act("request.withdraw", number.to_string());
    (act.before, act.after) = (shown(&before), shown(&after));
    office.commit(change, act)?;
    office.feed.tell(None, "request", &after, Some(access.account));
    requests.insert(number, access);
    Ok(())
}

/// A destination or a service, within bounds. What a destination means is looked at when it is granted: asking tells nobody which names
/// the policy knows.
fn word(field: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let plain = (1..=TEXT_MAX).contains(&text.chars().count())
        && text.chars().all(|c| c.is_alphanumeric() || " .:/*_-".contains(c));
    if plain {
        Ok(text.to_owned())
    } else {
        Err(Problem::field(field, format!("takes 1 to {TEXT_MAX} characters: letters, digits and . : / * _ -")))
    }
}

fn is_own(access: &Access, call: &Call) -> bool {
    // A number may be another account's after a restore; the address tells.
    call.caller.as_ref().is_some_and(|caller| caller.account == access.account && caller.email == access.email)
}

fn find(office: &Office, call: &Call) -> Result<Access, Problem> {
    let number = call.number("id", "request")?;
    let found = office.requests().get(&number).cloned();
    let seen =
        |access: &Access| call.caller.as_ref().is_some_and(|caller| caller.role != Role::User) || is_own(access, call);
    found.filter(seen).ok_or_else(|| Problem::missing("request"))
}
