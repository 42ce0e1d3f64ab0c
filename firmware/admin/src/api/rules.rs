//! Rules: the policy as text and as rows, its versions, trials, and what it says of a conversation.

use std::sync::Arc;

use policy::text::{self, Difference};
use policy::{Effect, Rule, mud};
use protocol::Request;
use protocol::views::{RulingView, VersionView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::policy::{Change, Held, act, apply as put, held, read, reason, rules};
use crate::clock::Moment;
use crate::draft::Draft;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::{Call, Page, keyset};

/// One rule.
#[derive(Serialize, JsonSchema)]
pub struct RuleRow {
    /// Its name.
    id: String,
    /// `allow` or `deny`.
    effect: &'static str,
    /// Who may begin.
    who: Vec<String>,
    /// With whom.
    to: Vec<String>,
    /// About what.
    service: Vec<String>,
    /// When it holds; always where there is nothing.
    when: Vec<String>,
    /// When it ends for good.
    until: Option<Moment>,
    /// Who is responsible for it.
    owner: String,
    /// Why it is there.
    comment: String,
    /// Whether it only counts what it would do.
    shadow: bool,
    /// Whether every policy has it.
    built_in: bool,
}

impl RuleRow {
    fn new(rule: &Rule, built_in: bool) -> Self {
        let texts = |all: &[policy::Window]| all.iter().map(ToString::to_string).collect();
        Self {
            id: rule.name.clone(),
            effect: if rule.effect == Effect::Allow { "allow" } else { "deny" },
            who: rule.who.iter().map(text::who).collect(),
            to: rule.to.iter().map(text::to).collect(),
            service: rule.services.iter().map(ToString::to_string).collect(),
            when: texts(&rule.when),
            until: rule.until.map(Moment::from),
            owner: rule.owner.clone(),
            comment: rule.comment.clone(),
            shadow: rule.shadow,
            built_in,
        }
    }
}

/// `GET rules`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<RuleRow>, Problem> {
    let (_, policy) = read(office)?;
    Ok(rules(&policy).iter().map(|(rule, built_in)| RuleRow::new(rule, *built_in)).collect())
}

/// `GET rules/policy`.
pub fn policy(office: &Office, _: &Call) -> Result<Held, Problem> {
    held(office)
}

/// `GET rules/export`.
pub fn export(office: &Office, _: &Call) -> Result<String, Problem> {
    held(office).map(|held| held.text)
}

/// A policy's text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The policy as text (TOML).
    text: String,
}

/// What is wrong with a text.
#[derive(Serialize, JsonSchema)]
pub struct FaultRow {
    /// The line, from 1.
    line: usize,
    /// In words.
    what: String,
}

/// Whether a text is a policy.
#[derive(Serialize, JsonSchema)]
pub struct Checked {
    /// Whether it could be applied.
    good: bool,
    /// What is wrong, in the order of the lines; at most 20.
    faults: Vec<FaultRow>,
    /// How many devices it names.
    devices: usize,
    /// How many rules it has.
    rules: usize,
}

/// `POST rules/check`.
pub fn check(_: &Office, _: &Call, body: Text) -> Result<Checked, Problem> {
    Ok(match text::read(&body.text) {
        Ok(policy) => {
            Checked { good: true, faults: Vec::new(), devices: policy.devices.len(), rules: policy.rules.len() }
        }
        Err(faults) => Checked {
            good: false,
            faults: faults.into_iter().map(|fault| FaultRow { line: fault.line, what: fault.what }).collect(),
            devices: 0,
            rules: 0,
        },
    })
}

/// What would change.
#[derive(Serialize, JsonSchema)]
pub struct Differences {
    /// The version that holds now.
    version: u64,
    /// What is in force and would go, a table each.
    removed: Vec<String>,
    /// What would come, a table each.
    added: Vec<String>,
}

/// `POST rules/diff`.
pub fn diff(office: &Office, _: &Call, body: Text) -> Result<Differences, Problem> {
    differences(office, &body.text)
}

fn differences(office: &Office, wanted: &str) -> Result<Differences, Problem> {
    let wanted = text::read(wanted).map_err(|faults| Problem::field("text", super::policy::told(&faults)))?;
    let held = held(office)?;
    let Difference { removed, added } = text::difference(&held.text, &text::write(&wanted));
    Ok(Differences { version: held.version, removed, added })
}

/// A policy to apply.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The policy as text (TOML).
    text: String,
    /// For how many seconds it holds unless it is confirmed; for good where nothing is said.
    #[schemars(range(min = 10, max = 3_600))]
    within_secs: Option<u64>,
    /// Why, for those who read the history later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
    /// Whether it may leave approved devices no way to the router.
    #[serde(default)]
    force: bool,
    /// Only if this version holds now.
    if_version: Option<u64>,
}

/// `POST rules/apply`: answers once the kernel holds the rules; the connection ends, so that a confirmation comes over a new one.
pub fn apply(office: &Office, call: &Call, body: Apply) -> Result<Held, Problem> {
    let Apply { text, within_secs, why, force, if_version } = body;
    let change = Change { text, within_secs, why: reason(&why), force, if_version };
    put(office, call, "policy.apply", "policy", change)
}

/// `POST rules/confirm`.
pub fn confirm(office: &Office, call: &Call) -> Result<Held, Problem> {
    super::policy::confirm(office, call)
}

/// To what to go back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revert {
    /// The version; the one before, or the end of a trial, where nothing is said.
    version: Option<u64>,
    /// Why.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// `POST rules/revert`.
pub fn revert(office: &Office, call: &Call, body: Revert) -> Result<Held, Problem> {
    let before = held(office)?;
    call.unchanged(&before)?;
    let (why, author) = (reason(&body.why), call.caller()?.email.clone());
    let on = body.version.map_or("policy".into(), |version| format!("version {version}"));
    let request = Request::PolicyRevert { version: body.version, author, why: why.clone() };
    act(office, call.act("policy.revert", on), &why, &before, request)
}

/// The policy that is on trial.
#[derive(Serialize, JsonSchema)]
pub struct Trial {
    /// Its version.
    version: u64,
    /// Seconds until it goes unless it is confirmed.
    left: f64,
    /// Who applied it; only they can confirm it.
    author: String,
}

/// `GET rules/trial`.
pub fn trial(office: &Office, _: &Call) -> Result<Trial, Problem> {
    let view: protocol::views::PolicyView = office.ask(Request::Policy)?;
    let left = view.confirm_within.ok_or_else(|| Problem::missing("trial"))?;
    let version: VersionView = office.ask(Request::PolicyVersion { version: view.version })?;
    Ok(Trial { version: view.version, left, author: version.author })
}

/// One version, without its text.
#[derive(Serialize, JsonSchema)]
pub struct VersionRow {
    /// Its number.
    id: u64,
    /// When it was made.
    at: Moment,
    /// By whom.
    author: String,
    /// What was done.
    act: String,
    /// Why.
    why: String,
    /// Whether it holds now.
    in_force: bool,
}

/// `GET rules/history`, newest first.
pub fn history(office: &Office, call: &Call) -> Result<Page<VersionRow>, Problem> {
    let (limit, before) = keyset(call, &["author", "act"])?;
    let mut all: Vec<VersionView<Moment>> = office.ask(Request::PolicyHistory)?;
    let like = |name: &str, value: &str| call.parameter(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value));
    all.retain(|version| before.is_none_or(|before| version.version < before));
    all.retain(|version| like("author", &version.author) && like("act", &version.act));
    let row = |version: VersionView<Moment>| {
        let VersionView { version: id, at, author, act, why, in_force, .. } = version;
        VersionRow { id, at, author, act, why, in_force }
    };
    let more = all.len() > limit;
    let items: Vec<_> = all.into_iter().rev().take(limit).map(row).collect();
    let before = items.last().map(|row| row.id).filter(|_| more);
    Ok(Page { items, before })
}

/// `GET rules/history/{id}`.
pub fn version(office: &Office, call: &Call) -> Result<VersionView<Moment>, Problem> {
    let version = call.number("id", "version")?;
    office.ask(Request::PolicyVersion { version }).map_err(|problem| match problem.status {
        409 => Problem::missing("version"),
        _ => problem,
    })
}

/// A conversation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// Who begins: a device's name, or an address.
    #[schemars(length(min = 1, max = 253))]
    from: String,
    /// With whom: a device's name, an address, or a host's name.
    #[schemars(length(min = 1, max = 253))]
    to: String,
    /// About what: `tcp/443`, `udp/53`, `ping`.
    #[schemars(length(min = 1, max = 64))]
    service: String,
    /// When (RFC 3339); now where nothing is said.
    #[schemars(length(min = 1, max = 40))]
    at: Option<String>,
}

/// `POST rules/explain`.
pub fn explain(office: &Office, _: &Call, body: Conversation) -> Result<RulingView, Problem> {
    let Conversation { from, to, service, at } = body;
    let wrong = || Problem::field("at", "takes a time such as 2026-12-24T18:00:00Z");
    let at = at.map(|at| text::moment(&at).ok_or_else(wrong)).transpose()?.map(terms::Timestamp::as_secs_f64);
    office
        .ask(Request::PolicyExplain { from, to, service, at })
        .map_err(|problem| if problem.status == 409 { Problem::new(422, problem.detail) } else { problem })
}

/// A draft that was kept, with what it would change.
#[derive(Serialize, JsonSchema)]
pub struct DraftRow {
    /// The policy as text.
    text: String,
    /// When it was kept.
    at: Moment,
    /// The version that held then.
    based_on: u64,
    /// Whether another one holds now: look at the difference before applying.
    outdated: bool,
}

/// `GET rules/draft`: the caller's own.
pub fn draft(office: &Office, call: &Call) -> Result<DraftRow, Problem> {
    let draft = Draft::of(office, call.caller()?.account)?.ok_or_else(|| Problem::missing("draft"))?;
    let outdated = held(office)?.version != draft.based_on;
    Ok(DraftRow { text: draft.text, at: Moment::from(draft.at), based_on: draft.based_on, outdated })
}

/// `POST rules/draft`: kept for the caller alone; a text with faults is kept too, as one is while it is written.
pub fn keep_draft(office: &Office, call: &Call, body: Text) -> Result<DraftRow, Problem> {
    if body.text.len() > text::TEXT_MAX {
        return Err(Problem::field("text", format!("takes at most {} MiB", text::TEXT_MAX >> 20)));
    }
    let based_on = held(office)?.version;
    Draft { text: body.text, at: crate::clock::now(), based_on }.keep(office, call)?;
    draft(office, call)
}

/// `DELETE rules/draft`.
pub fn drop_draft(office: &Office, call: &Call) -> Result<(), Problem> {
    Draft::of(office, call.caller()?.account)?.ok_or_else(|| Problem::missing("draft"))?;
    Draft::drop(office, call)
}

/// A manufacturer's description (RFC 8520), understood.
#[derive(Serialize, JsonSchema)]
pub struct Described {
    /// Where it is kept.
    url: String,
    /// When it was made.
    last_update: String,
    /// Whether the manufacturer still looks after the device.
    supported: bool,
    /// The device in words.
    system: Option<String>,
    /// Who made it.
    manufacturer: Option<String>,
    /// Its model.
    model: Option<String>,
    /// What it may do, in words.
    rules: Vec<String>,
    /// What the file says besides and no rule can tell.
    notes: Vec<String>,
    /// The same as rules of the policy, for the device that was named.
    policy: String,
    /// What of it the policy cannot say.
    untold: Vec<String>,
}

/// A description to read.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MudFile {
    /// The file's JSON.
    file: Value,
    /// The name of a device of the policy, whose rules it should become.
    #[schemars(length(min = 1, max = 64))]
    device: Option<String>,
}

/// `POST rules/mud`: nothing is changed; put `policy` into a draft.
pub fn read_mud(_: &Office, _: &Call, body: MudFile) -> Result<Described, Problem> {
    let octets = body.file.to_string();
    let read = mud::read(octets.as_bytes()).map_err(|error| Problem::field("file", error.to_string()))?;
    let (rules, untold) =
        body.device.as_deref().map_or((Vec::new(), Vec::new()), |device| mud::rules_for(device, &read.rules, &[]));
    let policy = text::write(&policy::Policy {
        rules: rules.into_iter().map(Arc::new).collect(),
        ..policy::Policy::empty(terms::Posture::default())
    });
    Ok(Described {
        policy: policy.split_once("\n[[").map_or(String::new(), |(_, rules)| format!("[[{rules}")),
        url: read.url,
        last_update: read.last_update,
        supported: read.is_supported,
        system: read.system,
        manufacturer: read.manufacturer,
        model: read.model,
        rules: read.rules.iter().map(ToString::to_string).collect(),
        notes: read.notes,
        untold,
    })
}

/// A device's rules as a description.
#[derive(Serialize, JsonSchema)]
pub struct MudOut {
    /// The file's JSON (RFC 8520).
    file: Value,
    /// What of the rules it cannot say.
    untold: Vec<String>,
}

/// `GET rules/mud/{name}`.
pub fn write_mud(office: &Office, call: &Call) -> Result<MudOut, Problem> {
    let (_, policy) = read(office)?;
    let name = call.text("name");
    let described = mud::describe(&policy, name, crate::clock::now());
    let (description, untold) = described.ok_or_else(|| Problem::missing("device in the policy"))?;
    let text = mud::write(&description).map_err(|error| Problem::conflict(error.to_string()))?;
    let file = serde_json::from_str(&text).map_err(|error| Problem::new(500, error.to_string()))?;
    Ok(MudOut { file, untold })
}
