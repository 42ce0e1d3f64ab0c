//! The policy's versions: what holds, what is on trial, and who said so.
//!
//! A change is first written with its deadline, then applied; the one in force before comes back by itself unless the same user
//! confirms in time, also after a kill, a restart of the machine, and whatever the wall clock does meanwhile.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use ::policy::device::Said;
use ::policy::text::{self, Fault};
use ::policy::{Asked, Device, DeviceState, Effect, Judge, Policy, Sender, Start, protocol, starter};
use store::{Policies, PolicyState, PolicyVersion, Trial};
use terms::{BlockState, HostKey, MacAddr, Posture, Span};

use super::Book;
use crate::config::Config;
use crate::control::views::{PolicyView, VersionView};
use crate::control::{Request, Response};
use crate::run::event::{Work, act, now};
use crate::run::told::Wanted;

/// How long the enforcer may take to carry out a policy.
const PATIENCE: Duration = Duration::from_secs(20);
/// The shortest and the longest trial.
const TRIAL: std::ops::RangeInclusive<u64> = 10..=3_600;
/// Who acts when nobody does.
pub(super) const ITSELF: &str = "picket";

/// The versions, and the policy in force as values.
pub(super) struct Shelf {
    folder: io::Result<Policies>,
    policy: Option<Arc<Policy>>,
    /// The text that it was read from, beside which another one is read faster.
    text: String,
    configured: Posture,
    /// What was wrong with the version in force, if it could not be used.
    trouble: Option<String>,
}

/// A policy that the enforcer was handed.
struct Begun {
    answer: Receiver<Response>,
    /// Names that no rule was about before.
    names: Wanted,
}

/// Why a change was refused, in words.
type Refused = String;

impl Shelf {
    pub fn open(config: &Config) -> Self {
        let folder = Policies::open(&config.store.path);
        Self { folder, policy: None, text: String::new(), configured: config.posture, trouble: None }
    }

    /// What is wrong with the folder of versions.
    pub fn warning(&self) -> Option<String> {
        let folder = self.folder.as_ref().err().map(|error| {
            format!(
                "the policy's versions can't be read ({error}): the last ruleset stands, and no policy can be applied"
            )
        });
        folder.or_else(|| self.trouble.clone())
    }

    fn folder(&mut self) -> Result<&mut Policies, Refused> {
        self.folder.as_mut().map_err(|error| format!("the policy's versions can't be read: {error}"))
    }

    /// What was decided about a device by its hardware addresses, if anything was.
    pub fn device(&self, macs: &[MacAddr]) -> Option<&Device> {
        let policy = self.policy.as_ref()?;
        macs.iter().find_map(|mac| policy.device_of(Some(*mac), None))
    }

    /// Reads a text, beside the one in force.
    fn read(&self, text: &str) -> Result<Policy, Refused> {
        let before = self.policy.as_deref().map(|policy| (self.text.as_str(), policy));
        text::reread(before, text).map_err(|faults| told(&faults))
    }

    /// The version that holds now, on trial or for good.
    fn in_force(&self) -> u64 {
        let state = self.folder.as_ref().map(|p| p.state().clone()).unwrap_or_default();
        state.trial.as_ref().map_or(state.confirmed, |trial| trial.version)
    }

    /// The policy in force, unless it is on trial.
    pub fn for_good(&self) -> Option<&Policy> {
        self.policy.as_deref().filter(|_| !self.is_on_trial())
    }

    /// Whether the version in force is on trial.
    pub fn is_on_trial(&self) -> bool {
        self.trial().is_some()
    }

    fn trial(&self) -> Option<&Trial> {
        self.folder.as_ref().ok().and_then(|p| p.state().trial.as_ref())
    }
}

impl Book {
    /// Hands the policy of the last run to the enforcer, a trial that ended meanwhile undone first.
    pub(super) fn begin(&mut self) {
        if self.policies.folder.is_err() {
            // The enforcer waits in vain: what the kernel holds stands for that long, then the configuration's posture counts.
            if let Some(warning) = self.policies.warning() {
                tracing::error!("{warning}");
            }
            let _gone = self.work.send(Work::Policy(None, None));
            return;
        }
        self.watch_trial();
        self.read_in_force();
        let _gone = self.work.send(Work::Policy(self.policies.policy.clone(), None));
        self.ledger.recall(self.store.as_ref(), now());
        self.tell_names(&self.policies.policy.as_deref().map(Wanted::of).unwrap_or_default());
    }

    /// The configuration's posture changed, which counts while no policy was applied.
    pub(super) fn configured(&mut self, posture: &'static str) {
        if let Some(posture) = Posture::ALL.into_iter().find(|p| p.as_str() == posture) {
            self.policies.configured = posture;
        }
        self.show_posture();
    }

    /// Ends a trial whose time is over; called each second.
    pub(super) fn watch_trial(&mut self) {
        let Some(trial) = self.policies.trial().filter(|trial| left(trial) <= 0.0).cloned() else { return };
        let why = format!("version {} was not confirmed within {} s", trial.version, trial.secs);
        tracing::warn!("{why}; going back to the policy before it");
        let confirmed = self.policies.folder.as_ref().map_or(0, |p| p.state().confirmed);
        if let Err(error) = self.go_back(confirmed, ITSELF, why) {
            tracing::error!("{error}; trying again each second");
        }
    }

    pub(super) fn about_policy(&mut self, request: Request) -> Response {
        let done = match request {
            Request::Policy => Ok(()),
            Request::PolicyHistory => return self.history().unwrap_or_else(Response::Error),
            Request::PolicyVersion { version } => return self.one_version(version).unwrap_or_else(Response::Error),
            Request::PolicyApply { text, within_secs, author, why, force, if_version, brief } => {
                let done = self.still(if_version);
                match done.and_then(|()| self.apply(text, within_secs, &author, why, force)) {
                    Ok(()) if brief => return Response::of(&self.policy_view(false)),
                    done => done,
                }
            }
            Request::PolicyConfirm { author } => self.confirm(&author),
            Request::PolicyRevert { version, author, why } => self.revert(version, &author, why),
            Request::PolicyPosture { posture, for_secs, author, why } => self.posture(posture, for_secs, &author, why),
            Request::PolicyDevice { device, name, state, author, why } => {
                self.decide_device(&device, name, state, &author, why)
            }
            _ => Err("the keeper can't answer this".into()),
        };
        match done {
            Ok(()) => Response::of(&self.policy_view(true)),
            Err(why) => Response::Error(why),
        }
    }

    /// Refuses where another version holds than the one that was read.
    fn still(&self, wanted: Option<u64>) -> Result<(), Refused> {
        let held = self.policies.in_force();
        match wanted.filter(|wanted| *wanted != held) {
            Some(wanted) => Err(format!("version {held} holds now, not {wanted}: read it again")),
            None => Ok(()),
        }
    }

    fn apply(
        &mut self,
        text: String,
        within: Option<u64>,
        author: &str,
        why: String,
        force: bool,
    ) -> Result<(), Refused> {
        let policy = self.policies.read(&text)?;
        if let Some(secs) = within.filter(|secs| !TRIAL.contains(secs)) {
            return Err(format!("a trial lasts {} to {} seconds, not {secs}", TRIAL.start(), TRIAL.end()));
        }
        if let Some(trial) = self.policies.trial() {
            return Err(format!(
                "version {} is on trial for {:.0} s more: confirm it or revert it first",
                trial.version,
                left(trial)
            ));
        }
        if let Some(cut) = locks_out(&policy, &self.kernel.servers).filter(|_| !force) {
            return Err(format!("{cut}; change that rule, or say --force"));
        }
        self.put("apply", text, policy, within, author, why)
    }

    /// Writes a version and has the kernel follow it. A deadline is on the medium before the kernel hears of the policy; what holds for
    /// good is written while the kernel takes it. What either refuses is taken back.
    fn put(
        &mut self,
        act: &str,
        text: String,
        policy: Policy,
        within: Option<u64>,
        author: &str,
        why: String,
    ) -> Result<(), Refused> {
        let before = self.policies.folder()?.state().clone();
        let trial_of = |version| {
            within.map(|secs| Trial {
                version,
                author: author.to_owned(),
                boot: boot(),
                until: (uptime() * 1e3) as u64 + secs * 1_000,
                until_wall: now() + Span::from_secs(secs),
                secs,
            })
        };
        let (confirmed, policy) = (before.confirmed, Arc::new(policy));
        let version = self.version(act, text.clone(), author, why.clone());
        let begun = within.is_none().then(|| self.hand_over(Some(&policy))).transpose()?;
        let made = self.policies.folder()?.put(version, |n| match trial_of(n) {
            Some(trial) => PolicyState { confirmed, trial: Some(trial) },
            None => PolicyState { confirmed: n, trial: None },
        });
        let number = match made {
            Ok(number) => number,
            Err(error) => {
                let why = format!("the policy can't be written: {error}");
                let undone = begun.map_or(Ok(()), |_| self.enforce(self.policies.policy.as_ref()));
                return Err(undone.err().map_or(why.clone(), |more| format!("{why}; {more}")));
            }
        };
        let done = begun.map_or_else(|| self.hand_over(Some(&policy)), Ok).and_then(|begun| self.taken(&begun));
        if let Err(error) = done {
            let version = self.version("revert", self.text_of(confirmed)?, ITSELF, error.clone());
            let undone = self.policies.folder()?.put(version, |n| PolicyState { confirmed: n, trial: None });
            return Err(match undone {
                Ok(_) => error,
                Err(more) => format!("{error}; {more}"),
            });
        }
        (self.policies.policy, self.policies.text) = (Some(policy), text);
        self.show_posture();
        let until = within.map_or(String::new(), |secs| format!(", on trial for {secs} s"));
        self.record(format!("policy: {author} did {act}, version {number}{until}{}", reason(&why)));
        Ok(())
    }

    fn confirm(&mut self, author: &str) -> Result<(), Refused> {
        let trial = self.policies.trial().cloned().ok_or("no policy is on trial")?;
        if trial.author != author {
            return Err(format!("version {} was applied by {}; only they can confirm it", trial.version, trial.author));
        }
        let text = self.text_of(trial.version)?;
        let version = self.version("confirm", text, author, format!("keeps version {}", trial.version));
        let done = self.policies.folder()?.put(version, |n| PolicyState { confirmed: n, trial: None });
        done.map_err(|error| format!("the confirmation can't be written: {error}"))?;
        self.record(format!("policy: {author} confirmed version {}", trial.version));
        Ok(())
    }

    fn revert(&mut self, to: Option<u64>, author: &str, why: String) -> Result<(), Refused> {
        let state = self.policies.folder()?.state().clone();
        let to = match (to, &state.trial) {
            (Some(version), _) => version,
            (None, Some(_)) => state.confirmed,
            (None, None) => self.before(state.confirmed)?,
        };
        self.go_back(to, author, if why.is_empty() { format!("back to version {to}") } else { why })
    }

    /// The newest version before one that says something else, and that was not gone back from.
    fn before(&mut self, confirmed: u64) -> Result<u64, Refused> {
        let now = self.text_of(confirmed)?;
        let all = self.policies.folder()?.history().map_err(|error| error.to_string())?;
        let undone = |at: usize| all.get(at + 1).is_some_and(|next| next.act == "revert");
        let mut older = all.iter().enumerate().rev().filter(|(_, v)| v.version < confirmed && v.text != now);
        Ok(older.find(|(at, _)| !undone(*at)).map_or(0, |(_, v)| v.version))
    }

    /// Makes an older version the one that holds.
    fn go_back(&mut self, to: u64, author: &str, why: String) -> Result<(), Refused> {
        let text = self.text_of(to)?;
        let policy = if text.is_empty() { None } else { Some(Arc::new(self.policies.read(&text)?)) };
        let version = self.version("revert", text.clone(), author, why.clone());
        let done = self.policies.folder()?.put(version, |n| PolicyState { confirmed: n, trial: None });
        done.map_err(|error| format!("the policy can't be written: {error}"))?;
        let done = self.enforce(policy.as_ref());
        (self.policies.policy, self.policies.text) = (policy, text);
        self.show_posture();
        self.kept.forget();
        self.record(format!("policy: {author} went back to version {to}: {why}"));
        done
    }

    fn posture(&mut self, posture: Posture, for_secs: Option<u64>, author: &str, why: String) -> Result<(), Refused> {
        let mut policy =
            self.policies.policy.as_deref().cloned().unwrap_or_else(|| Policy::empty(self.policies.configured));
        policy.posture = posture;
        if self.policies.trial().is_some() {
            return Err("a policy is on trial: confirm it or revert it first".into());
        }
        if let Some(cut) = locks_out(&policy, &self.kernel.servers) {
            return Err(cut);
        }
        // A pause is a trial that nobody confirms.
        self.put("posture", text::write(&policy), policy, for_secs, author, why)
    }

    fn decide_device(
        &mut self,
        device: &str,
        name: Option<String>,
        state: Option<DeviceState>,
        author: &str,
        why: String,
    ) -> Result<(), Refused> {
        let mut policy =
            self.policies.policy.as_deref().cloned().unwrap_or_else(|| Policy::empty(self.policies.configured));
        let key = device.parse::<HostKey>().ok();
        let mac = |key: &HostKey| match key {
            HostKey::Mac(mac) => Some(*mac),
            address => self.seen(*address).and_then(|host| host.record.mac),
        };
        // Every hardware address that the device is known to have: a decision about one of them would leave it the others.
        let record = self.shelf.find(device).ok().cloned();
        let mut macs = record.as_ref().map_or(Vec::new(), |record| record.macs.clone());
        macs.extend(key.as_ref().and_then(mac).filter(|_| macs.is_empty()));
        let address = key.and_then(HostKey::ip);
        let found = policy.devices.iter().position(|d| {
            d.name == device
                || macs.iter().any(|mac| d.macs.contains(mac))
                || address.is_some_and(|a| d.addresses.contains(&a))
        });
        match (found, state) {
            (Some(at), Some(state)) => {
                policy.devices[at].state = state;
                let fresh: Vec<_> =
                    macs.into_iter().filter(|mac| policy.device_of(Some(*mac), None).is_none()).collect();
                policy.devices[at].macs.extend(fresh);
                if let Some(name) = name {
                    policy.devices[at].name = name;
                }
            }
            (Some(at), None) => {
                policy.devices.remove(at);
            }
            (None, Some(state)) if !macs.is_empty() || address.is_some() => policy.devices.push(Device {
                name: name.unwrap_or_else(|| {
                    let mac = macs.last().map(|mac| format!("device-{}", mac.to_string().replace(':', "")));
                    mac.unwrap_or_else(|| device.to_owned())
                }),
                addresses: address.into_iter().collect(),
                macs,
                state,
                owner: record.as_ref().map_or(String::new(), |record| record.owner.clone()),
                groups: record.map_or(Vec::new(), |record| record.groups),
                ..Device::default()
            }),
            (None, _) => {
                return Err(format!("the policy knows no device {device}; name one by its hardware or IP address"));
            }
        }
        let act = state.map_or("forget", DeviceState::as_str);
        self.put_changed(&format!("device {act}"), &policy, author, why)
    }

    /// Has the policy say of a device that it knows whose it is and in which groups.
    pub(super) fn describe_in_policy(&mut self, macs: &[MacAddr], said: &Said, author: &str) -> Result<(), Refused> {
        let Some(name) = self.policies.device(macs).map(|device| device.name.clone()) else { return Ok(()) };
        let Some(mut policy) = self.policies.policy.as_deref().cloned() else { return Ok(()) };
        let Some(device) = policy.devices.iter_mut().find(|device| device.name == name) else { return Ok(()) };
        let before = device.clone();
        device.owner = said.owner.clone().unwrap_or_else(|| device.owner.clone());
        device.groups = said.groups.clone().unwrap_or_else(|| device.groups.clone());
        if *device == before {
            return Ok(());
        }
        self.put_changed("device describe", &policy, author, name)
    }

    /// Puts a policy in force that was made from the one that holds.
    pub(super) fn put_changed(&mut self, act: &str, policy: &Policy, author: &str, why: String) -> Result<(), Refused> {
        if self.policies.trial().is_some() {
            return Err("a policy is on trial: confirm it or revert it first".into());
        }
        let text = text::write(policy);
        // What is written is read again, so that a name that can't be one is told as anywhere else.
        let policy = self.policies.read(&text)?;
        self.put(act, text, policy, None, author, why)
    }

    fn history(&mut self) -> Result<Response, Refused> {
        let state = self.policies.folder()?.state().clone();
        let all = self.policies.folder()?.history().map_err(|error| error.to_string())?;
        Ok(Response::of(&all.iter().map(|v| version_view(v, &state)).collect::<Vec<_>>()))
    }

    fn one_version(&mut self, number: u64) -> Result<Response, Refused> {
        let state = self.policies.folder()?.state().clone();
        let found = self.policies.folder()?.version(number).map_err(|error| error.to_string())?;
        let found = found.ok_or_else(|| format!("there is no version {number}; picket policy history lists them"))?;
        Ok(Response::of(&version_view(&found, &state)))
    }

    /// The policy in force; its texts are empty where nobody wants them.
    pub(super) fn policy_view(&self, with_texts: bool) -> PolicyView {
        let state = self.policies.folder.as_ref().map(|p| p.state().clone()).unwrap_or_default();
        let empty = Policy::empty(self.policies.configured);
        let policy = self.policies.policy.as_deref().unwrap_or(&empty);
        let built_in = || {
            let rules = policy.switched().chain(starter()).cloned().map(Arc::new).collect();
            let text = text::write(&Policy { rules, ..Policy::empty(policy.posture) });
            text.split_once("\n[[").map(|(_, rules)| format!("[[{rules}")).unwrap_or_default()
        };
        PolicyView {
            version: self.policies.in_force(),
            posture: policy.posture.as_str().into(),
            servers: policy.servers(&self.kernel.servers).map(|server| server.to_string()).collect(),
            new: policy.newcomers.as_str().into(),
            devices: policy.devices.len() as u64,
            rules: policy.rules.len() as u64,
            confirm_within: state.trial.as_ref().map(|trial| left(trial).max(0.0)),
            text: if with_texts { text::write(policy) } else { String::new() },
            built_in: if with_texts { built_in() } else { String::new() },
        }
    }

    /// Has the enforcer follow a policy, and waits for the kernel.
    fn enforce(&self, policy: Option<&Arc<Policy>>) -> Result<(), Refused> {
        self.taken(&self.hand_over(policy)?)
    }

    /// Has the enforcer begin to follow a policy.
    fn hand_over(&self, policy: Option<&Arc<Policy>>) -> Result<Begun, Refused> {
        let (reply, answer) = sync_channel(1);
        let names = match (self.policies.policy.as_deref(), policy) {
            (Some(before), Some(policy)) => Wanted::since(before, policy),
            (None, Some(policy)) => Wanted::of(policy),
            (_, None) => Wanted::default(),
        };
        if self.work.send(Work::Policy(policy.cloned(), Some(reply))).is_err() {
            return Err("the gateway is ending".into());
        }
        Ok(Begun { answer, names })
    }

    /// Waits for the kernel.
    fn taken(&self, begun: &Begun) -> Result<(), Refused> {
        match begun.answer.recv_timeout(PATIENCE) {
            Ok(Response::Ok(_)) => {}
            Ok(Response::Error(why)) => return Err(why),
            Err(_) => return Err("the enforcer gave no answer; picket status says more".into()),
        }
        self.tell_names(&begun.names);
        Ok(())
    }

    /// What devices were told before a rule was about it counts too, or a new rule would wait for the next question.
    fn tell_names(&self, wanted: &Wanted) {
        if wanted.is_nothing() {
            return;
        }
        for told in self.ledger.told(now()).filter(|told| wanted.has(&told.name)) {
            let _gone = self.work.send(Work::Told(Box::new(told)));
        }
    }

    /// Reads the version in force; one that can't be used is said aloud, and holds nobody.
    fn read_in_force(&mut self) {
        let found = self.policies.folder().and_then(|p| p.in_force().map_err(|error| error.to_string()));
        let read = found.and_then(|version| match version.filter(|v| !v.text.is_empty()) {
            Some(version) => Ok(Some((Arc::new(self.policies.read(&version.text)?), version.text))),
            None => Ok(None),
        });
        match read {
            Ok(Some((policy, text))) => (self.policies.policy, self.policies.text) = (Some(policy), text),
            Ok(None) => self.policies.policy = None,
            Err(why) => {
                let why = format!("the policy of the last run can't be used: {why}");
                tracing::error!("{why}");
                self.policies.trouble = Some(why);
            }
        }
        self.show_posture();
    }

    fn show_posture(&mut self) {
        self.posture = self.policies.policy.as_ref().map_or(self.policies.configured, |p| p.posture).as_str();
    }

    fn version(&self, act: &str, text: String, author: &str, why: String) -> PolicyVersion {
        PolicyVersion { version: 0, at: now(), author: author.to_owned(), why, act: act.to_owned(), text }
    }

    fn text_of(&self, version: u64) -> Result<String, Refused> {
        if version == 0 {
            return Ok(String::new());
        }
        let policies = self.policies.folder.as_ref().map_err(ToString::to_string)?;
        let found = policies.version(version).map_err(|error| error.to_string())?;
        found.map(|v| v.text).ok_or_else(|| format!("there is no version {version}; picket policy history lists them"))
    }

    /// What people did, among the events.
    fn record(&mut self, why: String) {
        tracing::info!("{why}");
        let event = act(now(), None, HostKey::Mac(MacAddr::ZERO), BlockState::Observed, "policy", why);
        self.waiting.push_back(event);
        self.catch_up();
    }
}

/// Why a policy leaves approved devices no way to the router, if it does; `servers` are the router and what else serves the network,
/// as far as that is known.
fn locks_out(policy: &Policy, servers: &[IpAddr]) -> Option<String> {
    let approved = || policy.devices.iter().filter(|d| d.state == DeviceState::Approved && policy.holds(Some(d)));
    approved().next()?;
    // Of a router that nobody has seen yet only so much is known: it is not the internet.
    let unseen = [IpAddr::from([169, 254, 0, 1])];
    let servers = if servers.is_empty() { &unseen } else { servers };
    let asked = [Asked::port(protocol::UDP, 53), Asked::port(protocol::TCP, 53), Asked::port(protocol::UDP, 67)];
    let (mut judge, at) = (Judge::new(policy), now());
    let mut ruling = |device: &Device, to: IpAddr, asked: Asked| {
        let from = Sender::Lan(device.macs.first().copied(), device.addresses.first().copied().unwrap_or(to));
        judge.decide(&Start { from, to, to_mac: None, asked, names: &[], servers, at })
    };
    let way = |device: &Device| {
        let mut all = servers.iter().flat_map(|to| asked.iter().map(move |asked| (*to, *asked)));
        all.any(|(to, asked)| ruling(device, to, asked).effect == Effect::Allow)
    };
    if approved().any(way) {
        return None;
    }
    let by = approved().next().map(|device| ruling(device, servers[0], asked[0]))?;
    Some(format!("this policy leaves approved devices no way to the router: {} ({})", by.rule, by.why))
}

fn version_view(version: &PolicyVersion, state: &PolicyState) -> VersionView {
    let in_force = state.trial.as_ref().map_or(state.confirmed, |trial| trial.version);
    VersionView {
        version: version.version,
        at: version.at.as_secs_f64(),
        author: version.author.clone(),
        act: version.act.clone(),
        why: version.why.clone(),
        in_force: version.version == in_force,
        text: version.text.clone(),
    }
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn reason(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}

/// The seconds that a trial has left: by the machine's own clock in the start in which it began, after another by the wall clock, if that
/// can be right.
fn left(trial: &Trial) -> f64 {
    if trial.boot == boot() {
        return trial.until as f64 / 1e3 - uptime();
    }
    let left = trial.until_wall.since(now()).micros() as f64 / 1e6;
    if left <= trial.secs as f64 { left } else { 0.0 }
}

/// Which start of the machine this is.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Seconds since the machine started, sleep included; nobody sets this clock.
fn uptime() -> f64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split(' ').next().and_then(|secs| secs.parse().ok()).unwrap_or(0.0)
}
