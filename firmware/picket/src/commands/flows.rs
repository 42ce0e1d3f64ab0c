//! What devices did, and what is tried against it: `picket flows`, `policy timemachine`, `devices propose | shadow | enforce`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use ::policy::{Device, Flow, Policy, text};
use protocol::past::{Ask, DifferenceView, Past, ProposalView, TriedView, has_rules, put};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use terms::{Posture, Span, Timestamp};

use super::policy::{applied, author, read};
use super::{Outcome, finish, listed};
use crate::cli::{ClientArgs, EnforceArgs, FlowsArgs, ProposeArgs, TimemachineArgs, WatchDeviceArgs};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::{AskError, ask};
use crate::control::views::PolicyView;
use crate::run::now;
use crate::terminal::{Table, clean, moment, print, rounded};

/// Differences that are printed for people; JSON has them all.
const PRINTED: usize = 50;
/// A week, a day.
const WEEK: Span = Span::from_secs(7 * 86_400);
const DAY: Span = Span::from_secs(86_400);

/// The gateway behind its socket.
pub(super) struct Socket(PathBuf);

impl Ask for Socket {
    type Error = AskError;

    fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, AskError> {
        ask(&self.0, &request)
    }

    fn strange(&self, what: &str) -> AskError {
        AskError::Strange(what.into())
    }
}

/// `picket flows`.
pub fn flows(args: &FlowsArgs) -> ExitCode {
    finish((|| {
        let socket = Socket::find(&args.client)?;
        let past = Past::of(&socket)?;
        let device = args.device.as_ref().map(|which| past.device(which)).transpose()?;
        let owns = |flow: &&Flow| {
            device
                .as_ref()
                .is_none_or(|d| d.macs.contains(&flow.mac) || (d.macs.is_empty() && d.addresses.contains(&flow.lan)))
        };
        let mut found: Vec<Flow> = Vec::new();
        past.each(since(args.last), |flows| {
            found.extend(flows.iter().filter(owns).take(args.limit - found.len()).cloned());
            found.len() < args.limit
        })?;
        found.reverse();
        if args.client.json {
            let rows: Vec<_> =
                found.iter().zip(0..).map(|(flow, id)| crate::control::views::FlowView::from((id, flow))).collect();
            print(&(serde_json::to_string(&rows)? + "\n"));
        } else {
            print(&listed(&table(&past.policy, &found), "no conversation was seen in that time"));
        }
        Ok(())
    })())
}

/// `picket policy timemachine`.
pub fn timemachine(args: &TimemachineArgs) -> ExitCode {
    finish((|| {
        let (_, draft) = read(&args.file)?;
        let socket = Socket::find(&args.client)?;
        let tried = Past::of(&socket)?.rehearse(&draft, since(args.past.span()))?;
        show(&args.client, &tried, || told(&tried, &format!("{} in force", args.file.display())))
    })())
}

/// `picket devices propose`.
pub fn propose(args: &ProposeArgs) -> ExitCode {
    finish((|| {
        let socket = Socket::find(&args.client)?;
        let past = Past::of(&socket)?;
        let device = past.device(&args.device)?;
        let proposal = ProposalView::new(&device, &past.propose(&device, since(args.past.span()))?);
        show(&args.client, &proposal, || proposed(&proposal))
    })())
}

/// `picket devices shadow`.
pub fn shadow(args: &WatchDeviceArgs) -> ExitCode {
    finish((|| {
        let socket = Socket::find(&args.client)?;
        let past = Past::of(&socket)?;
        let device = past.device(&args.device)?;
        let name = clean(&device.name);
        if let (Some(since), false) = (device.shadow_since, args.stop) {
            let tried = past.shadow(&device, since)?;
            return show(&args.client, &tried, || told(&tried, &format!("{name} held to its rules")));
        }
        let mut policy = past.policy.clone();
        let mut lines = String::new();
        if !args.stop && !has_rules(&policy, &device.name) {
            let proposal = past.propose(&device, since(args.past.span()))?;
            lines = proposed(&ProposalView::new(&device, &proposal));
            policy.rules.extend(proposal.rules.into_iter().map(Arc::new));
        }
        put(&mut policy, Device { shadow_since: (!args.stop).then(now), ..device.clone() });
        let done = if args.stop { "ends" } else { "begins" };
        let view = apply(&socket, &past, &policy, None, format!("shadow of {} {done}", device.name))?;
        show(&args.client, &json!({ "device": device.name, "shadow": !args.stop, "version": view.version }), || {
            let next = format!(
                "Nothing is cut. What would be: picket devices shadow {name:?}; to hold it to its rules: picket devices enforce {name:?}\n"
            );
            format!("{lines}the shadow of {name} {done}\n{}", if args.stop { "" } else { &next })
        })
    })())
}

/// `picket devices enforce`.
pub fn enforce(args: &EnforceArgs) -> ExitCode {
    finish((|| {
        let socket = Socket::find(&args.client)?;
        let past = Past::of(&socket)?;
        let device = past.device(&args.device)?;
        if !has_rules(&past.policy, &device.name) {
            let how = "picket devices shadow makes them of what it did";
            return Err(format!("{} has no rules, so that nothing of it would pass; {how}", device.name).into());
        }
        let tried = past.shadow(&device, device.shadow_since.unwrap_or_else(|| since(WEEK)))?;
        let mut policy = past.policy.clone();
        put(&mut policy, Device { shadow_since: None, posture: Some(Posture::Enforce), ..device.clone() });
        let view = apply(&socket, &past, &policy, args.confirm_within, format!("{} is enforced", device.name))?;
        show(&args.client, &json!({ "policy": view, "shadow": tried }), || {
            let observes = past.policy.posture == Posture::Observe;
            let idle =
                if observes { "The box observes, so that nothing is cut yet: picket posture protect\n" } else { "" };
            told(&tried, &format!("{} held to its rules", clean(&device.name))) + &applied(&view) + idle
        })
    })())
}

/// What a file would have changed of the last day, for `policy diff`: in words, and as JSON.
pub(super) fn day_of(client: &ClientArgs, draft: &Policy) -> Result<(String, Value), Box<dyn std::error::Error>> {
    let socket = Socket::find(client)?;
    let tried = Past::of(&socket)?.rehearse(draft, since(DAY))?;
    Ok((told(&tried, "this in force"), serde_json::to_value(&tried)?))
}

impl Socket {
    pub(super) fn find(client: &ClientArgs) -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self(Config::find(client.config.as_deref())?.control.socket))
    }
}

fn apply(
    socket: &Socket,
    past: &Past<'_, Socket>,
    policy: &Policy,
    within: Option<Span>,
    why: String,
) -> Result<PolicyView, AskError> {
    let (text, within_secs) = (text::write(policy), within.map(Span::secs));
    let if_version = Some(past.version);
    socket.ask(Request::PolicyApply {
        text,
        within_secs,
        author: author(),
        why,
        force: false,
        if_version,
        brief: false,
    })
}

/// Prints as JSON or in words.
fn show(client: &ClientArgs, what: &impl serde::Serialize, words: impl FnOnce() -> String) -> Outcome {
    print(&if client.json { serde_json::to_string(what)? + "\n" } else { words() });
    Ok(())
}

fn table(policy: &Policy, flows: &[Flow]) -> Table {
    let mut table = Table::new(&["FIRST (UTC)", "DEVICE", "BEGUN BY", "WITH", "SERVICE", "TIMES", "OUT", "IN"]);
    for flow in flows {
        let name = policy.device_of(Some(flow.mac), Some(flow.lan)).map(|d| d.name.clone());
        table.row([
            moment(flow.first.as_secs_f64()),
            clean(&name.unwrap_or_else(|| flow.lan.to_string())),
            if flow.inbound { "other" } else { "device" }.into(),
            clean(&flow.peer_in_words()),
            flow.asked.to_string(),
            flow.count.to_string(),
            rounded(flow.octets[0]),
            rounded(flow.octets[1]),
        ]);
    }
    table
}

/// How much was looked at, what would go otherwise by device, and what would allow it.
fn told(tried: &TriedView, with: &str) -> String {
    let looked = format!("{} conversations since {} UTC, with {with}: ", tried.conversations, moment(tried.since));
    if tried.differences.is_empty() {
        return looked + "none would go otherwise\n";
    }
    let mut lines = looked + "\n";
    for d in tried.differences.iter().take(PRINTED) {
        lines += &difference(d);
    }
    let more = tried.differences.len().saturating_sub(PRINTED);
    if more > 0 {
        lines += &format!("and {more} more kinds of conversations; --json has them all\n");
    }
    if tried.untold > 0 {
        lines += &format!("and {} conversations of too many kinds to be told apart\n", tried.untold);
    }
    let allow: String = tried.differences.iter().take(PRINTED).filter_map(|d| d.allow.clone()).collect();
    if !allow.is_empty() {
        lines += &format!("\nTo allow what would be lost, add what you want of this:\n{allow}");
    }
    lines
}

fn difference(d: &DifferenceView) -> String {
    let verb = if d.decision == "deny" { "loses" } else { "gains" };
    let way = if d.begun_by == "lan" { "to" } else { "from" };
    let [device, peer, why] = [&d.device, &d.peer, &d.why].map(|text| clean(text));
    format!("{device} {verb}: {} {way} {peer}, {} times, last {}; {why}\n", d.service, d.conversations, moment(d.last))
}

/// A proposal for people: rules as text, what they rest on, what was left out.
fn proposed(view: &ProposalView) -> String {
    let ProposalView { device, text, rules, covered, anyway, left_out } = view;
    let device = clean(device);
    let mut lines = format!("# {device}: {covered} conversations need these {rules} rules, {anyway} pass anyway\n");
    for (why, count) in left_out {
        lines += &format!("# left out: {count}, because {why}\n");
    }
    lines + text
}

pub(super) fn since(span: Span) -> Timestamp {
    Timestamp::from_micros(now().micros().saturating_sub(span.micros()))
}
