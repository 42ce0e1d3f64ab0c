//! What devices did, and what is tried against it: `picket flows`, `policy timemachine`, `devices propose | shadow | enforce`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::process::ExitCode;

use ::policy::{Device, DeviceState, Difference, Effect, Flow, Learning, Policy, Proposal, Rehearsal, Rule, text};
use serde_json::{Value, json};
use terms::{MacAddr, Posture, Span, Timestamp};

use super::policy::{author, read};
use super::{Outcome, finish, listed};
use crate::cli::{ClientArgs, EnforceArgs, FlowsArgs, ProposeArgs, TimemachineArgs, WatchDeviceArgs};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::{AskError, ask};
use crate::control::protocol::{DeviceAsk, EVENTS_MAX};
use crate::control::views::{DeviceView, EventView, FlowPage, FlowView, PolicyView};
use crate::run::now;
use crate::terminal::{Table, clean, moment, print, rounded};

/// Flows that are asked for at once.
const PAGE: u32 = 8_192;
/// How long before and after a finding a device's conversations make no proposal.
const DOUBT: Span = Span::from_secs(3_600);
/// Differences that are printed for people; JSON has them all.
const PRINTED: usize = 50;

/// A running gateway's policy and flows.
struct Past {
    socket: std::path::PathBuf,
    policy: Policy,
    servers: Vec<IpAddr>,
    /// The policy's version, which a change is based on.
    version: u64,
}

/// What a draft would have changed.
struct Tried {
    differences: Vec<Difference>,
    conversations: u64,
    untold: u64,
    since: Timestamp,
}

/// `picket flows`.
pub fn flows(args: &FlowsArgs) -> ExitCode {
    finish(list_flows(args))
}

/// `picket policy timemachine`.
pub fn timemachine(args: &TimemachineArgs) -> ExitCode {
    finish((|| {
        let past = Past::ask(&args.client)?;
        let (_, draft) = read(&args.file)?;
        let tried = past.rehearse(&past.policy, &draft, since(args.past.span()))?;
        if args.client.json {
            print(&(tried.json().to_string() + "\n"));
        } else {
            print(&tried.text(&format!("{} in force", args.file.display())));
        }
        Ok(())
    })())
}

/// `picket devices propose`.
pub fn propose(args: &ProposeArgs) -> ExitCode {
    finish((|| {
        let past = Past::ask(&args.client)?;
        let device = past.device(&args.device)?;
        let proposal = past.propose(&device, args.past.span())?;
        if args.client.json {
            let rules: Vec<Value> = proposal.rules.iter().map(rule_json).collect();
            let whole = json!({ "device": device.name, "rules": rules, "text": proposal_text(&proposal),
                "covered": proposal.covered, "anyway": proposal.anyway, "left_out": proposal.left_out });
            print(&(whole.to_string() + "\n"));
        } else {
            print(&told(&device, &proposal));
        }
        Ok(())
    })())
}

/// `picket devices shadow`.
pub fn shadow(args: &WatchDeviceArgs) -> ExitCode {
    finish((|| {
        let past = Past::ask(&args.client)?;
        let device = past.device(&args.device)?;
        if let (Some(since), false) = (device.shadow_since, args.stop) {
            return past.summary(&device, since, &args.client);
        }
        let mut policy = past.policy.clone();
        let mut lines = String::new();
        let since = (!args.stop).then(now);
        if !args.stop && !has_rules(&policy, &device.name) {
            let proposal = past.propose(&device, args.past.span())?;
            lines = told(&device, &proposal);
            policy.rules.extend(proposal.rules);
        }
        put(&mut policy, Device { shadow_since: since, ..device.clone() });
        let done = if args.stop { "ends" } else { "begins" };
        past.apply(&policy, None, format!("shadow of {} {done}", device.name))?;
        if args.client.json {
            print(&(json!({ "device": device.name, "shadow": !args.stop }).to_string() + "\n"));
        } else {
            let next = if args.stop {
                String::new()
            } else {
                format!(
                    "Nothing is cut. What would be: picket devices shadow {0:?}; to hold it to its rules: picket devices enforce {0:?}\n",
                    clean(&device.name)
                )
            };
            print(&format!("{lines}the shadow of {} {done}\n{next}", clean(&device.name)));
        }
        Ok(())
    })())
}

/// `picket devices enforce`.
pub fn enforce(args: &EnforceArgs) -> ExitCode {
    finish((|| {
        let past = Past::ask(&args.client)?;
        let device = past.device(&args.device)?;
        if !has_rules(&past.policy, &device.name) {
            let how = "picket devices shadow makes them of what it did";
            return Err(format!("{} has no rules, so that nothing of it would pass; {how}", device.name).into());
        }
        let since = device.shadow_since.unwrap_or_else(|| since(Span::from_secs(7 * 86_400)));
        if !args.client.json {
            past.summary(&device, since, &args.client)?;
        }
        let mut policy = past.policy.clone();
        put(&mut policy, Device { shadow_since: None, posture: Some(Posture::Enforce), ..device.clone() });
        let view = past.apply(&policy, args.confirm_within, format!("{} is enforced", device.name))?;
        if args.client.json {
            print(&(serde_json::to_string(&view)? + "\n"));
            return Ok(());
        }
        let idle = if past.policy.posture == Posture::Observe {
            "\nThe box observes, so that nothing is cut yet: picket posture protect"
        } else {
            ""
        };
        print(&format!("{}{idle}\n", super::policy::applied(&view).trim_end()));
        Ok(())
    })())
}

fn list_flows(args: &FlowsArgs) -> Outcome {
    let past = Past::ask(&args.client)?;
    let device = args.device.as_ref().map(|which| past.device(which)).transpose()?;
    let mut found: Vec<Flow> = Vec::new();
    past.each(since(args.last), |flows| {
        let of = |flow: &&Flow| device.as_ref().is_none_or(|d| owns(d, flow));
        found.extend(flows.iter().filter(of).take(args.limit - found.len()).cloned());
        found.len() < args.limit
    })?;
    found.reverse();
    if args.client.json {
        print(&(serde_json::to_string(&found.iter().map(FlowView::from).collect::<Vec<_>>())? + "\n"));
        return Ok(());
    }
    let mut table = Table::new(&["FIRST (UTC)", "DEVICE", "BEGUN BY", "WITH", "SERVICE", "TIMES", "OUT", "IN"]);
    for flow in &found {
        let name = past.policy.device_of(Some(flow.mac), Some(flow.lan)).map(|d| d.name.clone());
        table.row([
            moment(flow.first.as_secs_f64()),
            clean(&name.unwrap_or_else(|| flow.lan.to_string())),
            if flow.inbound { "other" } else { "device" }.into(),
            clean(&flow.peer()),
            flow.asked.to_string(),
            flow.count.to_string(),
            rounded(flow.octets[0]),
            rounded(flow.octets[1]),
        ]);
    }
    print(&listed(&table, "no conversation was seen in that time"));
    Ok(())
}

impl Past {
    fn ask(client: &ClientArgs) -> Result<Self, Box<dyn std::error::Error>> {
        let socket = Config::find(client.config.as_deref())?.control.socket;
        let view: PolicyView = ask(&socket, &Request::Policy)?;
        let policy = text::read(&view.text).map_err(|_| "the policy in force can't be read by this version")?;
        let servers = view.servers.iter().filter_map(|server| server.parse().ok()).collect();
        Ok(Self { socket, policy, servers, version: view.version })
    }

    /// Flows back to a moment, newest first, as long as they are wanted.
    fn each(&self, since: Timestamp, mut wanted: impl FnMut(&[Flow]) -> bool) -> Result<(), AskError> {
        let mut before = None;
        loop {
            let page: FlowPage = ask(&self.socket, &Request::Flows { before, limit: PAGE })?;
            let all: Vec<Flow> = page.flows.iter().filter_map(FlowView::flow).collect();
            let old = all.last().is_some_and(|flow| flow.last < since);
            let flows: Vec<Flow> = all.into_iter().filter(|flow| flow.last >= since).collect();
            before = page.next;
            if !wanted(&flows) || old || before.is_none() {
                return Ok(());
            }
        }
    }

    fn rehearse(&self, held: &Policy, draft: &Policy, since: Timestamp) -> Result<Tried, AskError> {
        let mut rehearsal = Rehearsal::new(held, draft, &self.servers);
        self.each(since, |flows| {
            flows.iter().for_each(|flow| rehearsal.see(flow));
            true
        })?;
        let (conversations, untold) = (rehearsal.conversations(), rehearsal.untold());
        Ok(Tried { differences: rehearsal.differences(), conversations, untold, since })
    }

    /// A device of the policy, or as one of the policy if only its record is known.
    fn device(&self, which: &str) -> Result<Device, AskError> {
        let (mac, address) = (which.parse::<MacAddr>().ok(), which.parse::<IpAddr>().ok());
        let is_it = |d: &&Device| {
            d.name == which
                || mac.is_some_and(|mac| d.macs.contains(&mac))
                || address.is_some_and(|address| d.addresses.contains(&address))
        };
        if let Some(device) = self.policy.devices.iter().find(is_it) {
            return Ok(device.clone());
        }
        let view: DeviceView = ask(&self.socket, &Request::Devices(DeviceAsk::Show { device: which.into() }))?;
        let macs: Vec<MacAddr> = view.macs.iter().filter_map(|mac| mac.parse().ok()).collect();
        if let Some(device) = self.policy.devices.iter().find(|d| d.macs.iter().any(|mac| macs.contains(mac))) {
            return Ok(device.clone());
        }
        let plain = |c: char| if c.is_alphanumeric() || " -_.'()+".contains(c) { c } else { '-' };
        let name: String = view.name.chars().map(plain).take(::policy::NAME).collect();
        Ok(Device { name: name.trim().into(), macs, state: DeviceState::Approved, ..Device::default() })
    }

    fn propose(&self, device: &Device, past: Span) -> Result<Proposal, AskError> {
        let since = since(past);
        let doubtful = self.doubtful(device, since)?;
        let mut learning = Learning::new(device, &self.servers, &doubtful);
        self.each(since, |flows| {
            learning.see(flows);
            true
        })?;
        Ok(learning.proposal())
    }

    /// When findings stood against a device.
    fn doubtful(&self, device: &Device, since: Timestamp) -> Result<Vec<Range<Timestamp>>, AskError> {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page: Vec<EventView> = ask(&self.socket, &Request::EventsBefore { before, limit: EVENTS_MAX })?;
            let of = |event: &&EventView| {
                let mac = event.mac.as_ref().and_then(|mac| mac.parse().ok());
                let address = event.host.parse().ok();
                event.family.is_some()
                    && event.level != "SAFE"
                    && (mac.is_some_and(|mac| device.macs.contains(&mac))
                        || address.is_some_and(|address| device.addresses.contains(&address)))
            };
            let at = |event: &EventView| Timestamp::from_micros((event.at * 1e6) as u64);
            let around = |at: Timestamp| Timestamp::from_micros(at.micros().saturating_sub(DOUBT.micros()))..at + DOUBT;
            found.extend(page.iter().filter(of).map(|event| around(at(event))));
            match page.first() {
                Some(first) if at(first) >= since && page.len() == EVENTS_MAX as usize => before = Some(first.id),
                _ => return Ok(found),
            }
        }
    }

    /// What would have been cut of a device since a moment, had it been held to its rules.
    fn summary(&self, device: &Device, since: Timestamp, client: &ClientArgs) -> Outcome {
        let watched = self.policy.posture == Posture::Observe;
        let posture = if watched { Posture::Protect } else { self.policy.posture };
        let mut loose = Policy { posture, ..self.policy.clone() };
        let mut draft = loose.clone();
        put(&mut draft, Device { posture: Some(Posture::Enforce), state: DeviceState::Approved, ..device.clone() });
        put(&mut loose, Device { posture: Some(Posture::Protect), state: DeviceState::Approved, ..device.clone() });
        let tried = self.rehearse(&loose, &draft, since)?;
        if client.json {
            print(&(tried.json().to_string() + "\n"));
        } else {
            print(&tried.text(&format!("{} held to its rules", clean(&device.name))));
        }
        Ok(())
    }

    fn apply(&self, policy: &Policy, within: Option<Span>, why: String) -> Result<PolicyView, AskError> {
        let (text, within_secs) = (text::write(policy), within.map(Span::secs));
        ask(
            &self.socket,
            &Request::PolicyApply {
                text,
                within_secs,
                author: author(),
                why,
                force: false,
                if_version: Some(self.version),
            },
        )
    }
}

impl Tried {
    /// What a policy would have changed of the last day, for `policy diff`.
    pub fn of_a_day(client: &ClientArgs, draft: &Policy) -> Result<Self, Box<dyn std::error::Error>> {
        let past = Past::ask(client)?;
        Ok(past.rehearse(&past.policy, draft, since(Span::from_secs(86_400)))?)
    }

    fn json(&self) -> Value {
        let sum =
            |effect| -> u64 { self.differences.iter().filter(|d| d.effect == effect).map(|d| d.conversations).sum() };
        json!({
            "since": self.since.as_secs_f64(),
            "conversations": self.conversations,
            "cut": sum(Effect::Deny),
            "opened": sum(Effect::Allow),
            "untold": self.untold,
            "differences": self.differences.iter().map(|d| json!({
                "device": d.device, "peer": d.peer, "service": d.asked.to_string(),
                "begun_by": if d.inbound { "uplink" } else { "lan" }, "decision": d.effect.as_str(), "rule": d.rule,
                "why": d.why, "conversations": d.conversations, "octets": d.octets, "last": d.last.as_secs_f64(),
                "allow": d.allow.as_ref().map(text::write_rule),
            })).collect::<Vec<_>>(),
        })
    }

    /// For people: how much was looked at, what would be cut by device, and what would allow it.
    fn text(&self, with: &str) -> String {
        let looked = format!(
            "{} conversations since {} UTC, with {with}: ",
            self.conversations,
            moment(self.since.as_secs_f64())
        );
        if self.differences.is_empty() {
            return looked + "none would go otherwise\n";
        }
        let mut lines = looked + "\n";
        let mut by_device: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
        self.differences.iter().take(PRINTED).for_each(|d| by_device.entry(&d.device).or_default().push(d));
        for (device, differences) in by_device {
            for d in differences {
                let (verb, way) = match (d.effect, d.inbound) {
                    (Effect::Deny, false) => ("loses", "to"),
                    (Effect::Deny, true) => ("loses", "from"),
                    (Effect::Allow, false) => ("gains", "to"),
                    (Effect::Allow, true) => ("gains", "from"),
                };
                let name = clean(device);
                let (times, last) = (d.conversations, moment(d.last.as_secs_f64()));
                let peer = clean(&d.peer);
                lines += &format!(
                    "{name} {verb}: {} {way} {peer}, {times} times, last {last}; {}\n",
                    d.asked,
                    clean(&d.why)
                );
            }
        }
        let more = self.differences.len().saturating_sub(PRINTED);
        if more > 0 {
            lines += &format!("and {more} more kinds of conversations; --json has them all\n");
        }
        if self.untold > 0 {
            lines += &format!("and {} conversations of too many kinds to be told apart\n", self.untold);
        }
        let allow: String =
            self.differences.iter().take(PRINTED).filter_map(|d| d.allow.as_ref()).map(text::write_rule).collect();
        if !allow.is_empty() {
            lines += &format!("\nTo allow what would be lost, add what you want of this:\n{allow}");
        }
        lines
    }
}

/// The lines of `policy diff` about the last day's conversations; or as JSON.
pub(super) fn day_of(client: &ClientArgs, draft: &Policy) -> Result<(String, Value), Box<dyn std::error::Error>> {
    let tried = Tried::of_a_day(client, draft)?;
    Ok((tried.text("this in force"), tried.json()))
}

/// A proposal for people: rules as text, what they rest on, what was left out.
fn told(device: &Device, proposal: &Proposal) -> String {
    let mut lines = format!(
        "# {}: {} conversations need these {} rules, {} pass anyway\n",
        clean(&device.name),
        proposal.covered,
        proposal.rules.len(),
        proposal.anyway
    );
    for (why, count) in &proposal.left_out {
        lines += &format!("# left out: {count}, because {why}\n");
    }
    lines + &proposal_text(proposal)
}

fn proposal_text(proposal: &Proposal) -> String {
    proposal.rules.iter().map(text::write_rule).collect()
}

fn rule_json(rule: &Rule) -> Value {
    json!({ "name": rule.name, "text": text::write_rule(rule), "reason": rule.comment })
}

/// Puts a device into a policy in place of the one with its name.
fn put(policy: &mut Policy, device: Device) {
    let state = if device.state == DeviceState::New { DeviceState::Approved } else { device.state };
    let device = Device { state, ..device };
    match policy.devices.iter_mut().find(|d| d.name == device.name) {
        Some(known) => *known = device,
        None => policy.devices.push(device),
    }
}

fn has_rules(policy: &Policy, device: &str) -> bool {
    let device = policy.device(device);
    device.is_some() && policy.rules.iter().any(|rule| rule.effect == Effect::Allow && policy.is_about(rule, device))
}

fn owns(device: &Device, flow: &Flow) -> bool {
    device.macs.contains(&flow.mac) || (device.macs.is_empty() && device.addresses.contains(&flow.lan))
}

fn since(span: Span) -> Timestamp {
    Timestamp::from_micros(now().micros().saturating_sub(span.micros()))
}
