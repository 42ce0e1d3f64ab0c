//! Requests for access, decided: by the API's routes and by the command line alike.

use policy::text;
use policy::{Device, DeviceState, Effect, Policy, Rule, Service, Who as From};
use protocol::{AccessAsk, DeviceAsk, Request, Response, WHY_MAX};
use terms::{Span, Timestamp};

use super::devices::DeviceRow;
use super::policy::{act, read};
use super::requests::{HOURS_MAX, row};
use crate::access::{Access, RULE, State};
use crate::audit::{Act, Who};
use crate::clock::{now, rfc3339};
use crate::office::{Office, shown};
use crate::outbox::{Letter, post};
use crate::problem::Problem;
use crate::role::Role;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::words::plain;

/// The most admins who get a mail about a request.
const TOLD_MAX: usize = 10;

/// Who decides.
pub struct Decider {
    who: Who,
    /// As the policy's history names them.
    author: String,
}

impl Decider {
    /// Who calls.
    ///
    /// # Errors
    /// Nobody does.
    pub fn of(call: &Call) -> Result<Self, Problem> {
        let author = call.caller()?.email.clone();
        Ok(Self { who: call.act("", "").who, author })
    }

    fn act(&self, what: &'static str, number: u64) -> Act {
        Act { who: self.who.clone(), what: what.into(), on: number.to_string(), ..Act::default() }
    }
}

/// Does what the command line asks.
pub fn errand(office: &Office, ask: AccessAsk) -> Response {
    let by = |author| Decider { who: Who { name: "command line".into(), ..Who::default() }, author };
    let done = match ask {
        AccessAsk::List => {
            let all: Vec<_> = office.requests().values().rev().map(seen).collect();
            return Response::of(&all);
        }
        AccessAsk::Grant { id, hours, note, author } => grant(office, &by(author), id, hours, &note),
        AccessAsk::Refuse { id, note, author } => refuse(office, &by(author), id, &note),
    };
    done.map_or_else(|problem| Response::Error(problem.detail), |access| Response::of(&seen(&access)))
}

fn seen(access: &Access) -> protocol::AccessView {
    access.view(|micros| Timestamp::from_micros(micros).as_secs_f64())
}

/// Makes a request a rule of the policy, which ends by itself.
///
/// # Errors
/// It does not wait, its device is not approved, the policy cannot say it, or the gateway refuses it.
pub fn grant(office: &Office, by: &Decider, number: u64, hours: Option<u64>, note: &str) -> Result<Access, Problem> {
    let hours_wrong = || Problem::field("hours", format!("takes 1 to {HOURS_MAX}"));
    let note = written(note)?;
    let access = find(office, number)?.waiting()?;
    let hours = hours.unwrap_or(access.hours);
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(hours_wrong());
    }
    if !office.people().accounts.get(&access.account).is_some_and(|account| account.active) {
        return Err(Problem::conflict("the account that asked is gone or inactive; refuse it"));
    }
    let at = now();
    let until = Timestamp::from_secs(at.secs() + Span::from_secs(hours * 3_600).secs());
    let (held, mut policy) = read(office)?;
    let rule = rule(office, &access, &policy, until)?;
    let name = rule.name.clone();
    // What came of other requests and is over goes with this; a rule of this very request is left of a grant that was cut short.
    policy.rules.retain(|rule| {
        let over = rule.until.is_some_and(|until| until < at);
        !(rule.name == name || rule.name.starts_with(RULE) && over)
    });
    policy.rules.push(rule.into());
    let text = text::write(&policy);
    if let Err(faults) = text::read(&text) {
        return Err(Problem::conflict(super::policy::told(&faults)));
    }
    let why = plain(&format!("request {number} of {}: {}", access.email, access.reason), WHY_MAX);
    let author = by.author.clone();
    let request = Request::PolicyApply {
        text,
        within_secs: None,
        author,
        why: why.clone(),
        force: false,
        if_version: Some(held.version),
        brief: true,
    };
    act(office, Act { on: "policy".into(), ..by.act("policy.apply", number) }, &why, &held, request)?;
    let granted = Access { hours, rule: Some((name, until.micros())), ..access };
    keep(office, by, "request.grant", granted.decided(State::Granted, &by.author, at.micros(), note))
}

/// Refuses a request.
///
/// # Errors
/// It does not wait, or there is no note.
pub fn refuse(office: &Office, by: &Decider, number: u64, note: &str) -> Result<Access, Problem> {
    let note = written(note)?;
    if note.is_empty() {
        return Err(Problem::field("note", "says why, for who asked"));
    }
    let access = find(office, number)?.waiting()?;
    keep(office, by, "request.refuse", access.decided(State::Refused, &by.author, now().micros(), note))
}

/// Tells the admins that somebody asks: those who listen, and by mail where that is configured.
pub fn tell_admins(office: &Office, access: &Access) {
    office.feed.tell(None, "request", &row(access), Some(access.account));
    let admins: Vec<String> = {
        let people = office.people();
        let admin = |account: &&crate::account::Account| {
            account.active && account.verified && matches!(account.role, Role::Admin | Role::Superadmin)
        };
        people.accounts.values().filter(admin).take(TOLD_MAX).map(|account| account.email.as_str().into()).collect()
    };
    let lines = vec![
        format!("{} asks for access.", access.email),
        format!("{} wants {} to {} for {} hours.", access.device_name, access.service, access.to, access.hours),
        format!("Why: {}", access.reason),
        format!("Grant or refuse it on the box's page, or by: picket requests grant {}", access.number),
    ];
    for to in admins {
        post(office, Letter::Note { to, subject: "Somebody asks for access".into(), lines: lines.clone() });
    }
}

/// The rule that a request becomes.
fn rule(office: &Office, access: &Access, policy: &Policy, until: Timestamp) -> Result<Rule, Problem> {
    let show = DeviceAsk::Show { device: access.device.to_string() };
    let device: DeviceRow =
        office.ask(Request::Devices(show)).map_err(|_| Problem::conflict("the device is gone; refuse it"))?;
    let known = |known: &&Device| known.macs.iter().any(|mac| device.macs.contains(&mac.to_string()));
    let approved = policy.devices.iter().find(known).filter(|known| known.state == DeviceState::Approved);
    let who = approved.ok_or_else(|| {
        Problem::conflict(format!("{} is not approved, so that no rule holds for it; approve it first", device.name))
    })?;
    let to =
        text::destination(&access.to, policy).map_err(|what| Problem::conflict(format!("to: {} {what}", access.to)))?;
    let services = Service::read(&access.service).map_err(|_| Problem::conflict("service: names no service"))?;
    Ok(Rule {
        name: access.rule_name(),
        effect: Effect::Allow,
        who: vec![From::Device(who.name.clone())],
        to: vec![to],
        services,
        when: Vec::new(),
        until: Some(until),
        owner: access.email.clone(),
        comment: access.reason.clone(),
        shadow: false,
    })
}

/// Keeps what was decided, and tells whoever asked.
fn keep(office: &Office, by: &Decider, what: &'static str, access: Access) -> Result<Access, Problem> {
    let mut requests = office.requests();
    let before = requests.get(&access.number).cloned().ok_or_else(|| Problem::missing("request"))?;
    let before = row(&before.waiting()?);
    let after = row(&access);
    let mut change = Change::default();
    change.put(Kind::Access, access.number, &access);
    let mut act = by.act(what, access.number);
    (act.why, act.before, act.after) = (access.note.clone(), shown(&before), shown(&after));
    office.commit(change, act)?;
    requests.insert(access.number, access.clone());
    drop(requests);
    office.feed.tell(None, "request", &after, Some(access.account));
    let said = if access.note.is_empty() { Vec::new() } else { vec![format!("They say: {}", access.note)] };
    let what = match &access.rule {
        Some((_, until)) => {
            format!("was granted by {}; it ends {}", by.author, rfc3339(Timestamp::from_micros(*until)))
        }
        None => format!("was refused by {}", by.author),
    };
    let head = format!("Your request for {} to {} from {} {what}.", access.service, access.to, access.device_name);
    let lines = std::iter::once(head).chain(said).collect();
    let subject = format!("Your request for access was {}", access.state.as_str());
    post(office, Letter::Note { to: access.email.clone(), subject, lines });
    Ok(access)
}

fn find(office: &Office, number: u64) -> Result<Access, Problem> {
    office.requests().get(&number).cloned().ok_or_else(|| Problem::missing("request"))
}

fn written(note: &str) -> Result<String, Problem> {
    if note.chars().count() > WHY_MAX {
        return Err(Problem::field("note", format!("takes at most {WHY_MAX} characters")));
    }
    Ok(plain(note.trim(), WHY_MAX))
}
