//! The policy behind `rules`, `groups` and `posture`: read, changed, applied on trial, and who may say that it works.

use std::net::IpAddr;

use policy::text;
use policy::{Policy, Rule};
use protocol::views::PolicyView;
use protocol::{Request, WHY_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Posture;

use crate::audit::Act;
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;
use crate::words::plain;

/// A policy that is on trial: who applied it, and over which connection, which may not be the one that confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    version: u64,
    connection: (IpAddr, u16),
}

/// The policy in force.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Held {
    /// Its version; zero while the configuration's posture is all there is.
    pub version: u64,
    /// What the box does.
    pub posture: String,
    /// What a device may do that nobody has decided about.
    pub new: String,
    /// How many devices it names.
    pub devices: u64,
    /// How many rules it has, the built-in ones apart.
    pub rules: u64,
    /// Whether it goes by itself unless it is confirmed: see `trial`.
    pub on_trial: bool,
    /// The addresses that serve the network: `servers` in rules.
    pub servers: Vec<String>,
    /// The policy as text.
    pub text: String,
    /// The rules that every policy has, as text.
    pub built_in: String,
}

/// What the audit shows of a policy: its text is in the history.
#[derive(Serialize)]
struct Brief<'v> {
    version: u64,
    posture: &'v str,
    devices: u64,
    rules: u64,
}

impl From<PolicyView> for Held {
    fn from(view: PolicyView) -> Self {
        let PolicyView { version, posture, new, devices, rules, confirm_within, servers, text, built_in } = view;
        Self { version, posture, new, devices, rules, on_trial: confirm_within.is_some(), servers, text, built_in }
    }
}

impl Held {
    fn brief(&self) -> Brief<'_> {
        Brief { version: self.version, posture: &self.posture, devices: self.devices, rules: self.rules }
    }
}

/// The policy in force.
///
/// # Errors
/// The gateway gives no answer.
pub fn held(office: &Office) -> Result<Held, Problem> {
    office.ask::<PolicyView>(Request::Policy).map(Held::from)
}

/// The policy in force as values.
///
/// # Errors
/// The gateway gives no answer.
pub fn read(office: &Office) -> Result<(Held, Policy), Problem> {
    let held = held(office)?;
    let policy = text::read(&held.text).map_err(|faults| Problem::new(500, told(&faults)))?;
    Ok((held, policy))
}

/// All rules of a policy, the built-in ones last, and which of them are built in.
pub fn rules(policy: &Policy) -> Vec<(Rule, bool)> {
    policy.all_rules().map(|rule| (rule.clone(), rule.is_built_in())).collect()
}

/// Faults in a line.
#[must_use]
pub fn told(faults: &[text::Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Why something is done that needs no more words.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// For those who read the audit later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    pub why: String,
}

/// Why a change is made, within bounds.
#[must_use]
pub fn reason(why: &str) -> String {
    plain(why, WHY_MAX)
}

/// What is applied.
pub struct Change {
    /// The policy as text.
    pub text: String,
    /// For how many seconds it holds unless it is confirmed; for good where nothing is said.
    pub within_secs: Option<u64>,
    /// Why.
    pub why: String,
    /// Whether it may leave devices no way to the router.
    pub force: bool,
    /// Only if this version holds now.
    pub if_version: Option<u64>,
}

/// Puts a policy in force and says so in the audit.
///
/// # Errors
/// It has faults, or the gateway refuses it.
pub fn apply(office: &Office, call: &Call, what: &'static str, on: &str, change: Change) -> Result<Held, Problem> {
    let wanted = text::read(&change.text).map_err(|faults| Problem::field("text", told(&faults)))?;
    let before = held(office)?;
    call.unchanged(&before)?;
    if wanted.posture == Posture::Observe && before.posture != Posture::Observe.as_str() {
        call.asked_again()?;
    }
    let Change { text, within_secs, why, force, if_version } = change;
    let author = call.caller()?.email.clone();
    let if_version = if_version.or(call.if_match.is_some().then_some(before.version));
    let request = Request::PolicyApply { text, within_secs, author, why: why.clone(), force, if_version, brief: false };
    let after = act(office, call.act(what, on), &why, &before, request)?;
    if within_secs.is_some() {
        let applied = Applied { version: after.version, connection: (call.from, call.port) };
        *office.applied() = Some(applied);
    }
    Ok(after)
}

/// Keeps the policy on trial. Whoever applied it must come over a connection that was made since: the old one may live on by what the
/// kernel had let pass before.
///
/// # Errors
/// It was applied by another account or over this very connection, or none is on trial.
pub fn confirm(office: &Office, call: &Call) -> Result<Held, Problem> {
    let before = held(office)?;
    let own = Applied { version: before.version, connection: (call.from, call.port) };
    if office.applied().as_ref() == Some(&own) {
        return Err(Problem::conflict("confirm it over a new connection; this one was there before the change"));
    }
    let request = Request::PolicyConfirm { author: call.caller()?.email.clone() };
    let after = act(office, call.act("policy.confirm", "policy"), "", &before, request)?;
    *office.applied() = None;
    Ok(after)
}

/// Has the gateway do something about the policy, and says so in the audit, also where it was refused.
///
/// # Errors
/// The gateway refuses.
pub fn act(office: &Office, act: Act, why: &str, before: &Held, request: Request) -> Result<Held, Problem> {
    let act = Act { why: why.into(), before: shown(&before.brief()), ..act };
    let held = office.ask::<PolicyView>(request).map(Held::from);
    office.outcome(act, held, |after| shown(&after.brief()))
}
