//! What devices did, what a policy would have made of it, and the rules that a device would need.

use std::sync::Arc;

use policy::{Device, Policy, text};
use protocol::past::{Ask, Past, ProposalView, TriedView, has_rules, put};
use protocol::views::{FlowPage, FlowView};
use protocol::{FlowsWanted, Request};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use terms::{HostKey, Posture, Span, Timestamp};

use super::devices::own_addresses;
use super::policy::{Change, Held, apply, reason, told};
use crate::clock::{Moment, now};
use crate::office::Office;
use crate::problem::Problem;
use crate::route::{Call, Page, keyset};

/// A flow.
pub type FlowRow = FlowView<Moment>;
/// What a draft would have changed.
pub type Tried = TriedView<Moment>;

impl Ask for Office {
    type Error = Problem;

    fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, Problem> {
        Self::ask(self, request)
    }

    fn strange(&self, what: &str) -> Problem {
        Problem::new(500, format!("{what} can't be read by this version"))
    }
}

/// `GET flows`.
pub fn all(office: &Office, call: &Call) -> Result<Page<FlowRow>, Problem> {
    let (limit, before) = keyset(call, &["mac", "device", "peer", "service", "begun_by"])?;
    let among = own_addresses(office, call)?;
    // No flow is of an address that is none.
    let Some(wanted) = wanted(call, among) else { return Ok(Page { items: Vec::new(), before: None }) };
    let limit = u32::try_from(limit).unwrap_or(1);
    let page: FlowPage<Moment> = office.ask(Request::Flows { before, limit, wanted })?;
    Ok(Page { items: page.flows, before: page.next })
}

/// What the parameters ask for; nothing where one of them is no word for what it names.
fn wanted(call: &Call, among: Option<Vec<HostKey>>) -> Option<FlowsWanted> {
    let mac = call.parameter("mac").map(str::parse).transpose().ok()?;
    let device = call.parameter("device").map(str::parse).transpose().ok()?;
    let inbound = match call.parameter("begun_by").map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("lan") => Some(false),
        Some("uplink") => Some(true),
        Some(_) => return None,
    };
    let text = |name: &str| call.parameter(name).map(str::to_owned);
    Some(FlowsWanted { mac, device, among, peer: text("peer"), service: text("service"), inbound })
}

/// A draft, and how far back it is tried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The policy as text.
    text: String,
    /// How many days back.
    #[schemars(range(min = 1, max = 3650))]
    days: Option<u16>,
}

/// `POST rules/timemachine`.
pub fn timemachine(office: &Office, _call: &Call, body: Draft) -> Result<Tried, Problem> {
    let draft = text::read(&body.text).map_err(|faults| Problem::field("text", told(&faults)))?;
    in_moments(&Past::of(office)?.rehearse(&draft, since(office, body.days)?)?)
}

/// How far back a device's conversations are looked at.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// How many days.
    #[schemars(range(min = 1, max = 3650))]
    pub(super) days: Option<u16>,
}

/// `POST proposals/{device}`.
pub fn propose(office: &Office, call: &Call, body: Days) -> Result<ProposalView, Problem> {
    let past = Past::of(office)?;
    let device = device(&past, call)?;
    Ok(ProposalView::new(&device, &past.propose(&device, since(office, body.days)?)?))
}

/// What a device's shadow saw.
#[derive(Serialize, JsonSchema)]
pub struct Shadow {
    /// The device's name in the policy.
    device: String,
    /// Since when it is watched; nothing where it is not.
    since: Option<Moment>,
    /// What would have been cut since then, or within the days of the setting `learning.days`.
    seen: Tried,
}

/// `GET proposals/{device}/shadow`.
pub fn shadow(office: &Office, call: &Call) -> Result<Shadow, Problem> {
    let past = Past::of(office)?;
    let device = device(&past, call)?;
    let since = device.shadow_since.map_or_else(|| since(office, None), Ok)?;
    let seen = in_moments(&past.shadow(&device, since)?)?;
    Ok(Shadow { device: device.name.clone(), since: device.shadow_since.map(Moment::from), seen })
}

/// Whether the shadow begins or ends, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Whether the device is watched from now on.
    on: bool,
    /// For those who read the history later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// `POST proposals/{device}/shadow`: rules of what it did are made where it has none.
pub fn watch(office: &Office, call: &Call, body: Watch) -> Result<Held, Problem> {
    let past = Past::of(office)?;
    let device = device(&past, call)?;
    let mut policy = past.policy.clone();
    if body.on && !has_rules(&policy, &device.name) {
        let proposal = past.propose(&device, since(office, None)?)?;
        policy.rules.extend(proposal.rules.into_iter().map(Arc::new));
    }
    let on = device.name.clone();
    put(&mut policy, Device { shadow_since: body.on.then(now), ..device });
    change(office, call, "device.shadow", &on, &policy, (past.version, None, body.why))
}

/// How a device is held to its rules.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enforce {
    /// The policy before comes back after so many seconds unless this one is confirmed.
    #[schemars(range(min = 10, max = 3600))]
    within_secs: Option<u64>,
    /// For those who read the history later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// `POST proposals/{device}/enforce`.
pub fn enforce(office: &Office, call: &Call, body: Enforce) -> Result<Held, Problem> {
    let past = Past::of(office)?;
    let device = device(&past, call)?;
    if !has_rules(&past.policy, &device.name) {
        return Err(Problem::conflict(
            "the device has no rules, so that nothing of it would pass: begin its shadow first",
        ));
    }
    let mut policy = past.policy.clone();
    let on = device.name.clone();
    put(&mut policy, Device { shadow_since: None, posture: Some(Posture::Enforce), ..device });
    change(office, call, "device.enforce", &on, &policy, (past.version, body.within_secs, body.why))
}

fn change(
    office: &Office,
    call: &Call,
    what: &'static str,
    on: &str,
    policy: &Policy,
    (version, within_secs, why): (u64, Option<u64>, String),
) -> Result<Held, Problem> {
    let change =
        Change { text: text::write(policy), within_secs, why: reason(&why), force: false, if_version: Some(version) };
    apply(office, call, what, on, change)
}

fn device(past: &Past<'_, Office>, call: &Call) -> Result<Device, Problem> {
    past.device(call.text("device")).map_err(|problem| match problem.status {
        409 => Problem::missing("device"),
        _ => problem,
    })
}

/// The same with moments as the API has them.
pub(super) fn in_moments<A: Serialize, B: DeserializeOwned>(view: &A) -> Result<B, Problem> {
    let moments = serde_json::to_value(view).and_then(serde_json::from_value);
    moments.map_err(|error| Problem::new(500, error.to_string()))
}

/// Where nothing is said: as far back as the setting says.
pub(super) fn since(office: &Office, days: Option<u16>) -> Result<Timestamp, Problem> {
    let days = days.map_or_else(|| office.settings().number("learning.days"), u64::from);
    if !(1..=3_650).contains(&days) {
        return Err(Problem::field("days", "takes 1 to 3650 days"));
    }
    let span = Span::from_secs(days * 86_400);
    Ok(Timestamp::from_micros(now().micros().saturating_sub(span.micros())))
}
