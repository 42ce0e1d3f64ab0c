//! The names behind pseudonyms: asked for with a reason, told once a second admin consented, or after a wait where there is none.

use protocol::{Request, WHY_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::clock::{Moment, now};
use crate::disclosure::{DISCLOSURES_MAX, Disclosure, may_consent};
use crate::office::{Office, shown};
use crate::outbox::{self, Letter};
use crate::problem::Problem;
use crate::role::Role;
use crate::route::Call;
use crate::rows::{Change, Kind};
use crate::words::plain;

/// The most accounts that are told by mail.
const TOLD_MAX: usize = 50;

/// One disclosure.
#[derive(Serialize, JsonSchema)]
pub struct DisclosureRow {
    /// Its number.
    id: u64,
    /// The pseudonym.
    subject: String,
    /// `waiting`, `open` or `over`.
    state: &'static str,
    /// Who asks.
    asked_by: String,
    /// Why.
    reason: String,
    /// When it was asked.
    created: Moment,
    /// From when the name is told to who asked; nothing before somebody consented.
    opens: Option<Moment>,
    /// Until when.
    until: Option<Moment>,
    /// Who consented; nothing where it opens by itself, because there is one admin.
    consented_by: Option<String>,
    /// How often the name was told.
    told: u64,
}

/// Whose name is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDisclosure {
    /// The pseudonym.
    #[schemars(length(min = 1, max = 300))]
    subject: String,
    /// Why, for who consents and for the audit.
    #[schemars(length(min = 1, max = 500))]
    reason: String,
}

/// The name behind a pseudonym.
#[derive(Serialize, JsonSchema)]
pub struct Disclosed {
    /// The pseudonym.
    subject: String,
    /// The account, with its source where that is proven.
    name: String,
}

/// `GET disclosures`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<DisclosureRow>, Problem> {
    Ok(office.disclosures().values().map(row).collect())
}

/// `POST disclosures`.
pub fn create(office: &Office, call: &Call, body: NewDisclosure) -> Result<DisclosureRow, Problem> {
    let caller = call.caller()?;
    if body.reason.trim().is_empty() || body.reason.chars().count() > WHY_MAX {
        return Err(Problem::field("reason", format!("takes 1 to {WHY_MAX} characters")));
    }
    let subject = plain(body.subject.trim(), WHY_MAX);
    // Whether there is one; its name goes no further.
    name(office, &subject).map_err(|problem| Problem { field: Some("subject".into()), ..problem })?;
    let at = now();
    let alone = !office.people().accounts.values().any(|one| may_consent(one) && one.number != caller.account);
    let mut disclosures = office.disclosures();
    let mut change = Change::default();
    let oldest = disclosures.keys().next().copied().filter(|_| disclosures.len() >= DISCLOSURES_MAX);
    oldest.iter().for_each(|oldest| change.remove(Kind::Disclosure, *oldest));
    let disclosure = Disclosure {
        number: disclosures.last_key_value().map_or(1, |(last, _)| last + 1),
        account: caller.account,
        email: caller.email.clone(),
        subject,
        reason: plain(body.reason.trim(), WHY_MAX),
        created: at.micros(),
        opens: alone.then(|| at.micros() + office.consent_after().micros()),
        consent: None,
        told: 0,
    };
    change.put(Kind::Disclosure, disclosure.number, &disclosure);
    let mut act = call.act("subject.ask", disclosure.subject.clone());
    act.why.clone_from(&disclosure.reason);
    office.commit(change, act)?;
    oldest.iter().for_each(|oldest| drop(disclosures.remove(oldest)));
    let made = row(&disclosure);
    tell(office, &disclosure);
    disclosures.insert(disclosure.number, disclosure);
    Ok(made)
}

/// `POST disclosures/{id}/consent`.
pub fn consent(office: &Office, call: &Call) -> Result<DisclosureRow, Problem> {
    let number = call.number("id", "disclosure")?;
    let by = office.people().accounts.get(&call.caller()?.account).cloned().ok_or_else(Problem::unknown)?;
    let mut disclosures = office.disclosures();
    let mut disclosure = disclosures.get(&number).cloned().ok_or_else(|| Problem::missing("disclosure"))?;
    let act = call.act("subject.consent", disclosure.subject.clone());
    let taken = disclosure.consent(&by, now(), office.consent_after());
    taken.inspect_err(|problem| office.refused(act.clone(), &problem.detail))?;
    keep(office, disclosure, act, &mut disclosures)
}

/// `POST disclosures/{id}/name`: for who asked, while it is open; each telling is audited before it happens.
pub fn told(office: &Office, call: &Call) -> Result<Disclosed, Problem> {
    let number = call.number("id", "disclosure")?;
    let mut disclosures = office.disclosures();
    let mut disclosure = disclosures.get(&number).cloned().ok_or_else(|| Problem::missing("disclosure"))?;
    let act = call.act("subject.name", disclosure.subject.clone());
    let refused = if disclosure.account != call.caller()?.account {
        Some("the name is told to who asked, and to nobody else")
    } else {
        match disclosure.state(now()) {
            "waiting" => Some("it is not open yet"),
            "over" => Some("it is over; ask anew"),
            _ => None,
        }
    };
    if let Some(why) = refused {
        office.refused(act, why);
        return Err(Problem::conflict(why));
    }
    let subject = disclosure.subject.clone();
    let name = name(office, &subject)?;
    disclosure.told += 1;
    keep(office, disclosure, act, &mut disclosures)?;
    Ok(Disclosed { subject, name })
}

/// `DELETE disclosures/{id}`: withdrawn by who asked, or refused by another.
pub fn remove(office: &Office, call: &Call) -> Result<(), Problem> {
    let number = call.number("id", "disclosure")?;
    let mut disclosures = office.disclosures();
    let disclosure = disclosures.get(&number).ok_or_else(|| Problem::missing("disclosure"))?;
    let mut change = Change::default();
    change.remove(Kind::Disclosure, number);
    office.commit(change, call.act("subject.refuse", disclosure.subject.clone()))?;
    disclosures.remove(&number);
    Ok(())
}

fn keep(
    office: &Office,
    disclosure: Disclosure,
    mut act: crate::audit::Act,
    all: &mut std::collections::BTreeMap<u64, Disclosure>,
) -> Result<DisclosureRow, Problem> {
    let made = row(&disclosure);
    act.after = shown(&made);
    let mut change = Change::default();
    change.put(Kind::Disclosure, disclosure.number, &disclosure);
    office.commit(change, act)?;
    all.insert(disclosure.number, disclosure);
    Ok(made)
}

fn name(office: &Office, subject: &str) -> Result<String, Problem> {
    office.ask(Request::SubjectName { subject: subject.into() })
}

/// Tells everybody who oversees the box that a name is asked for, and when it opens.
fn tell(office: &Office, disclosure: &Disclosure) {
    let oversees =
        |account: &&crate::account::Account| may_consent(account) || account.active && account.role == Role::Auditor;
    let everybody: Vec<String> = office
        .people()
        .accounts
        .values()
        .filter(oversees)
        .take(TOLD_MAX)
        .map(|one| one.email.as_str().into())
        .collect();
    let opens = match disclosure.opens {
        Some(at) => format!(
            "There is no second admin: it opens by itself at {}.",
            crate::clock::rfc3339(Timestamp::from_micros(at))
        ),
        None => "It opens once another admin consents to it on the box's page.".into(),
    };
    let lines = vec![
        format!("{} wants to know the name behind {}.", disclosure.email, disclosure.subject),
        format!("Why: {}", disclosure.reason),
        opens,
    ];
    for to in everybody {
        outbox::post(office, Letter::Note { to, subject: "Somebody asks for a name".into(), lines: lines.clone() });
    }
}

fn row(disclosure: &Disclosure) -> DisclosureRow {
    let moment = |micros| Moment::from(Timestamp::from_micros(micros));
    DisclosureRow {
        id: disclosure.number,
        subject: disclosure.subject.clone(),
        state: disclosure.state(now()),
        asked_by: disclosure.email.clone(),
        reason: disclosure.reason.clone(),
        created: moment(disclosure.created),
        opens: disclosure.holds().map(|(from, _)| moment(from)),
        until: disclosure.holds().map(|(_, until)| moment(until)),
        consented_by: disclosure.consent.as_ref().map(|(by, _)| by.clone()),
        told: disclosure.told,
    }
}
