//! What a policy would have made of the past: asked of the gateway page by page, worked out by whoever asks.
//!
//! The gateway only hands out what devices did; a million conversations are weighed in the process that wants to know.

mod met;

use std::net::IpAddr;
use std::ops::Range;

use policy::{Device, DeviceState, Difference, Effect, Flow, Learning, NAME, Policy, Proposal, Rehearsal, text};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use terms::{HostKey, MacAddr, Posture, Span, Timestamp};

use crate::request::{AMONG_MAX, DeviceAsk, EVENTS_MAX, EventsWanted, Request};
use crate::views::{DeviceView, EventPage, FlowLots, PolicyView};

/// How long before and after a finding a device's conversations make no proposal.
const DOUBT: Span = Span::from_secs(3_600);

/// Whoever can ask the gateway.
pub trait Ask {
    /// Why there is no answer.
    type Error;

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// The gateway refuses, or gives no answer.
    fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, Self::Error>;

    /// What to say where an answer is none that this version knows.
    fn strange(&self, what: &str) -> Self::Error;
}

/// The policy in force, and the way to what devices did.
pub struct Past<'g, G> {
    gateway: &'g G,
    /// The policy in force.
    pub policy: Policy,
    /// Its version.
    pub version: u64,
    servers: Vec<IpAddr>,
}

/// What a draft would have changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TriedView<At = f64> {
    /// Since when conversations were looked at.
    pub since: At,
    /// How many were looked at.
    pub conversations: u64,
    /// How many the draft would have cut.
    pub cut: u64,
    /// How many it would have let pass that were cut.
    pub opened: u64,
    /// How many of these are of kinds for which there was no room.
    pub untold: u64,
    /// What would differ, by device.
    pub differences: Vec<DifferenceView<At>>,
}

/// Alike conversations about which a draft decides otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceView<At = f64> {
    /// The device's name, or its address.
    pub device: String,
    /// Whom it was with: the name that was asked for, or the address.
    pub peer: String,
    /// What was asked: `tcp/443`.
    pub service: String,
    /// Who began: `lan` or `uplink`.
    pub begun_by: String,
    /// What the draft does: `allow` or `deny`.
    pub decision: String,
    /// The rule of the draft that decides, or `default`.
    pub rule: String,
    /// Why, in words.
    pub why: String,
    /// How many.
    pub conversations: u64,
    /// What they carried, both ways.
    pub octets: u64,
    /// The last of them.
    pub last: At,
    /// The rule that would let them pass, as text; nothing where none can by itself.
    pub allow: Option<String>,
}

/// The rules that a device would need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalView {
    /// The device's name in the policy.
    pub device: String,
    /// The rules as text.
    pub text: String,
    /// How many they are.
    pub rules: u64,
    /// Conversations that they cover.
    pub covered: u64,
    /// Conversations that pass without any rule.
    pub anyway: u64,
    /// What was left out: why, and how many conversations.
    pub left_out: std::collections::BTreeMap<String, u64>,
}

impl<'g, G: Ask> Past<'g, G> {
    /// Asks for the policy in force.
    ///
    /// # Errors
    /// No answer, or one of another version.
    pub fn of(gateway: &'g G) -> Result<Self, G::Error> {
        let view: PolicyView = gateway.ask(Request::Policy)?;
        let policy = text::read(&view.text).map_err(|_| gateway.strange("the policy in force"))?;
        let servers = view.servers.iter().filter_map(|server| server.parse().ok()).collect();
        Ok(Self { gateway, policy, version: view.version, servers })
    }

    /// Hands over flows back to a moment, newest first, as long as they are wanted.
    ///
    /// # Errors
    /// No answer.
    pub fn each(&self, since: Timestamp, mut wanted: impl FnMut(&[Flow]) -> bool) -> Result<(), G::Error> {
        let mut before = None;
        loop {
            let page: FlowLots = self.gateway.ask(Request::FlowLots { before })?;
            let all = page.flows().ok_or_else(|| self.gateway.strange("a page of conversations"))?;
            let old = all.last().is_some_and(|flow| flow.last < since);
            let flows: Vec<Flow> = all.into_iter().filter(|flow| flow.last >= since).collect();
            before = page.next;
            if !wanted(&flows) || old || before.is_none() {
                return Ok(());
            }
        }
    }

    /// Tries a draft instead of the policy in force.
    ///
    /// # Errors
    /// No answer.
    pub fn rehearse(&self, draft: &Policy, since: Timestamp) -> Result<TriedView, G::Error> {
        self.compare(&self.policy, draft, since)
    }

    /// Tries to hold a device to its rules, which are not held to now.
    ///
    /// # Errors
    /// No answer.
    pub fn shadow(&self, device: &Device, since: Timestamp) -> Result<TriedView, G::Error> {
        let watched = self.policy.posture == Posture::Observe;
        let posture = if watched { Posture::Protect } else { self.policy.posture };
        let as_of = |posture_of_device| {
            let mut policy = Policy { posture, ..self.policy.clone() };
            put(&mut policy, Device { posture: Some(posture_of_device), ..device.clone() });
            policy
        };
        self.compare(&as_of(Posture::Protect), &as_of(Posture::Enforce), since)
    }

    /// A device of the policy, or as one of the policy where only its record is known.
    ///
    /// # Errors
    /// Nobody knows it.
    pub fn device(&self, which: &str) -> Result<Device, G::Error> {
        let (mac, address) = (which.parse::<MacAddr>().ok(), which.parse::<IpAddr>().ok());
        let is_it = |d: &&Device| {
            d.name == which
                || mac.is_some_and(|mac| d.macs.contains(&mac))
                || address.is_some_and(|address| d.addresses.contains(&address))
        };
        if let Some(device) = self.policy.devices.iter().find(is_it) {
            return Ok(device.clone());
        }
        let view: DeviceView = self.gateway.ask(Request::Devices(DeviceAsk::Show { device: which.into() }))?;
        let macs: Vec<MacAddr> = view.macs.iter().filter_map(|mac| mac.parse().ok()).collect();
        if let Some(device) = self.policy.devices.iter().find(|d| d.macs.iter().any(|mac| macs.contains(mac))) {
            return Ok(device.clone());
        }
        let plain = |c: char| if c.is_alphanumeric() || " -_.'()+".contains(c) { c } else { '-' };
        let name: String = view.name.chars().map(plain).take(NAME).collect();
        Ok(Device { name: name.trim().into(), macs, state: DeviceState::Approved, ..Device::default() })
    }

    /// The rules that a device would need to go on with what it did.
    ///
    /// # Errors
    /// No answer.
    pub fn propose(&self, device: &Device, since: Timestamp) -> Result<Proposal, G::Error> {
        let doubtful = self.doubtful(device, since)?;
        let mut learning = Learning::new(device, &self.servers, &doubtful);
        self.each(since, |flows| {
            learning.see(flows);
            true
        })?;
        Ok(learning.proposal())
    }

    fn compare(&self, held: &Policy, draft: &Policy, since: Timestamp) -> Result<TriedView, G::Error> {
        let mut rehearsal = Rehearsal::new(held, draft, &self.servers);
        self.each(since, |flows| {
            flows.iter().for_each(|flow| rehearsal.see(flow));
            true
        })?;
        let (conversations, untold) = (rehearsal.conversations(), rehearsal.untold());
        let differences = rehearsal.differences();
        let sum = |effect| differences.iter().filter(|d| d.effect == effect).map(|d| d.conversations).sum();
        Ok(TriedView {
            since: since.as_secs_f64(),
            conversations,
            cut: sum(Effect::Deny),
            opened: sum(Effect::Allow),
            untold,
            differences: differences.iter().map(DifferenceView::from).collect(),
        })
    }

    /// When findings stood against a device.
    fn doubtful(&self, device: &Device, since: Timestamp) -> Result<Vec<Range<Timestamp>>, G::Error> {
        let macs = device.macs.iter().copied().map(HostKey::Mac);
        let addresses = device.addresses.iter().copied().map(HostKey::from);
        let wanted = EventsWanted {
            among: Some(macs.chain(addresses).take(AMONG_MAX).collect()),
            threats: true,
            since: Some(since.secs()),
            ..EventsWanted::default()
        };
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let ask = Request::EventsBefore { before, limit: EVENTS_MAX, wanted: wanted.clone() };
            let page: EventPage = self.gateway.ask(ask)?;
            let around = |at: Timestamp| Timestamp::from_micros(at.micros().saturating_sub(DOUBT.micros()))..at + DOUBT;
            found.extend(page.events.iter().map(|event| around(Timestamp::from_secs_f64(event.at))));
            before = page.next;
            if before.is_none() {
                return Ok(found);
            }
        }
    }
}

/// Puts a device into a policy in place of the one with its name; it is approved if nobody had decided about it.
pub fn put(policy: &mut Policy, device: Device) {
    let state = if device.state == DeviceState::New { DeviceState::Approved } else { device.state };
    let device = Device { state, ..device };
    match policy.devices.iter_mut().find(|d| d.name == device.name) {
        Some(known) => *known = device,
        None => policy.devices.push(device),
    }
}

/// Whether any rule lets a device of the policy begin something, the built-in ones apart.
#[must_use]
pub fn has_rules(policy: &Policy, device: &str) -> bool {
    let device = policy.device(device);
    device.is_some() && policy.rules.iter().any(|rule| rule.effect == Effect::Allow && policy.is_about(rule, device))
}

impl ProposalView {
    /// A proposal for a device.
    #[must_use]
    pub fn new(device: &Device, proposal: &Proposal) -> Self {
        Self {
            device: device.name.clone(),
            text: proposal.rules.iter().map(text::write_rule).collect(),
            rules: proposal.rules.len() as u64,
            covered: proposal.covered,
            anyway: proposal.anyway,
            left_out: proposal.left_out.iter().map(|(why, count)| ((*why).to_owned(), *count)).collect(),
        }
    }
}

impl From<&Difference> for DifferenceView {
    fn from(d: &Difference) -> Self {
        Self {
            device: d.device.clone(),
            peer: d.peer.clone(),
            service: d.asked.to_string(),
            begun_by: if d.inbound { "uplink" } else { "lan" }.into(),
            decision: d.effect.as_str().into(),
            rule: d.rule.clone(),
            why: d.why.clone(),
            conversations: d.conversations,
            octets: d.octets,
            last: d.last.as_secs_f64(),
            allow: d.allow.as_ref().map(text::write_rule),
        }
    }
}
