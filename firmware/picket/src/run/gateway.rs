//! What the control socket and the signals reach: questions to the keeper, another configuration, the end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use policy::DeviceState;
use protocol::DeviceAsk;
use protocol::link::{Act, Errand};
use serde_json::{Value, json};
use terms::Posture;

use super::api::{Api, replace};
use super::event::{News, Order, Work};
use super::intake::Intake;
use super::lists::Lists;
use super::power::{self, End, Ending};
use super::shelf::Shelf;
use super::{machine, settings};
use crate::config::set::{self, Set};
use crate::config::{Config, KEYS, Key, Origins};
use crate::control::views::SettingView;
use crate::control::{Gateway, Request, Response};
use crate::model::Keys;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way in from outside.
pub struct Desk {
    held: Mutex<Held>,
    /// Whether the API waits for its first account.
    unclaimed: AtomicBool,
    ending: Arc<Ending>,
    named: Option<PathBuf>,
    work: SyncSender<Work>,
    orders: SyncSender<Order>,
    news: SyncSender<News>,
    shelf: Shelf,
    lists: Lists,
    api: Arc<Api>,
    intake: Arc<Intake>,
}

/// The configuration in force, and where it comes from.
#[derive(Clone)]
pub struct Held {
    /// The values.
    pub config: Config,
    /// The lines of the file.
    pub origins: Origins,
    /// What was set since.
    pub set: Set,
}

/// The desk as the command line sees it: what it does lands in the audit.
pub struct CommandLine {
    /// The desk.
    pub desk: Arc<Desk>,
}

impl Desk {
    pub fn new(
        held: Held,
        (named, ending): (Option<PathBuf>, Arc<Ending>),
        (work, orders, news): (SyncSender<Work>, SyncSender<Order>, SyncSender<News>),
        (shelf, lists): (Shelf, Lists),
        (api, intake): (Arc<Api>, Arc<Intake>),
    ) -> Self {
        Self {
            held: Mutex::new(held),
            unclaimed: AtomicBool::new(false),
            ending,
            named,
            work,
            orders,
            news,
            shelf,
            lists,
            api,
            intake,
        }
    }

    /// Reads the configuration anew. A bad file leaves the old one in force and says so.
    pub fn reload(&self) {
        let (config, origins) = match Config::find_with_origins(self.named.as_deref()) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!("{error}; the configuration in force stays");
                return;
            }
        };
        let (config, set) = set::with_set(config);
        let Ok(mut held) = self.held.lock() else { return };
        let current = &held.config;
        let fixed = |config: &Config| {
            let Config { links, store, control, api, intake, .. } = config.clone();
            (links, store, control, api, intake)
        };
        if fixed(current) != fixed(&config) {
            tracing::warn!(
                "changes of [links], [store], [control], [api] and [intake] take effect when the gateway is started again"
            );
        }
        self.shelf.trust(Keys::with(&config.model.keys));
        *held = Held { config, origins, set };
        let thresholds = Order::Adjust(held.config.detect.thresholds(), held.config.detect.kinds());
        if self.orders.send(thresholds).is_ok() && self.respond(&held) {
            tracing::info!(posture = self.posture(&held).as_str(), "the new configuration is in force");
        }
    }

    /// Follows the claim: a box that nobody has claimed observes, unless its configuration names a posture.
    pub fn watch_claim(&self) {
        let unclaimed = self.api.told().claim.is_some();
        if self.unclaimed.swap(unclaimed, Ordering::AcqRel) == unclaimed {
            return;
        }
        let held = self.held();
        if self.respond(&held) {
            let what = if unclaimed { "nobody has claimed the box yet" } else { "the box is claimed" };
            tracing::info!(posture = self.posture(&held).as_str(), "{what}");
        }
    }

    /// Has blocks follow a configuration.
    fn respond(&self, held: &Held) -> bool {
        let config = Config { posture: self.posture(held), ..held.config.clone() };
        self.work.send(Work::Configure(settings::responder(&config), config.fail.clone())).is_ok()
            && self.news.send(News::Configured(config.posture.as_str(), config.devices.clone())).is_ok()
    }

    /// The posture that counts while no policy was applied.
    fn posture(&self, held: &Held) -> Posture {
        let unset = !held.origins.contains_key(&("", "posture"));
        if unset && self.unclaimed.load(Ordering::Acquire) { Posture::Observe } else { held.config.posture }
    }

    fn held(&self) -> Held {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn settings(&self) -> Vec<SettingView> {
        let (held, default) = (self.held(), Config::default());
        KEYS.iter().map(|key| setting(key, &held, &default)).collect()
    }

    /// Sets a key, keeps that, and has it take effect.
    fn set(&self, id: &str, value: Option<String>) -> Result<SettingView, String> {
        let key = set::find(id).ok_or_else(|| format!("there is no setting {id}"))?;
        let before = self.held();
        let set = before.set.with(id, value)?;
        // Read over the file as it is now, which is what counts after this.
        let file = Config::find(self.named.as_deref()).map_err(|error| error.to_string())?;
        let path = Set::path(&file);
        set.over(file)
            .map_err(|faults| faults.iter().map(|fault| fault.what.clone()).collect::<Vec<_>>().join("; "))?;
        replace(&path, set.text().as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
        self.reload();
        Ok(setting(key, &self.held(), &Config::default()))
    }

    /// Has written down what outlives a restart and is in nobody's store.
    pub fn keep(&self) {
        self.shelf.keep();
    }

    /// Has the gateway end.
    fn leave(&self, how: End) {
        *self.ending.how.lock().unwrap_or_else(PoisonError::into_inner) = how;
        self.ending.wanted.notify_one();
    }

    /// Tells every part to end.
    pub fn stop(&self) {
        self.keep();
        self.api.stop();
        self.intake.stop();
        let _gone = (self.orders.send(Order::Stop), self.work.send(Work::Stop), self.news.send(News::Stop));
    }
}

impl Gateway for Desk {
    fn handle(&self, request: Request) -> Response {
        if let Request::Model
        | Request::ModelCheck { .. }
        | Request::ModelClassify { .. }
        | Request::ModelLoad { .. }
        | Request::ModelRevert
        | Request::ModelShadow { .. }
        | Request::ModelUnshadow = request
        {
            return self.shelf.handle(request);
        }
        if let Request::Indicators
        | Request::IndicatorsText { .. }
        | Request::IndicatorsLoad { .. }
        | Request::IndicatorsRemove { .. } = request
        {
            return self.lists.handle(request);
        }
        if let Request::Activity(_)
        | Request::ActivityCount(_)
        | Request::ActivityTest(_)
        | Request::Sources
        | Request::Subjects
        | Request::SubjectName { .. }
        | Request::Logs(_)
        | Request::SourceGone { .. } = request
        {
            return self.intake.ask(request);
        }
        match request {
            Request::Settings => return Response::of(&self.settings()),
            Request::Set { id, value } => {
                return self.set(&id, value).map_or_else(Response::Error, |view| Response::of(&view));
            }
            Request::Machine => return Response::of(&machine::view(&self.held().config, self.api.told().process)),
            Request::Restart => {
                self.leave(End::Again);
                return Response::Ok(Value::Null);
            }
            Request::Shutdown { .. } if !power::can_switch_off() => return Response::Error(power::CANNOT.into()),
            Request::Shutdown { sure } => {
                if sure {
                    self.leave(End::Off);
                }
                return Response::Ok(Value::Null);
            }
            _ => {}
        }
        let status = request == Request::Status;
        let (reply, answer) = sync_channel(1);
        if self.news.send(News::Ask(request, reply)).is_err() {
            return Response::Error("the gateway is ending".into());
        }
        let response = answer
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| Response::Error("no answer within 5 s; the gateway is busy".into()));
        if status { self.with_rooms(response) } else { response }
    }
}

impl Desk {
    /// The status with what the API process and the intake process told.
    fn with_rooms(&self, response: Response) -> Response {
        let Response::Ok(Value::Object(mut status)) = response else { return response };
        let told = self.api.told();
        if let Some(code) = told.claim {
            status.insert("claim_code".into(), json!(code));
        }
        if let Some(fingerprint) = told.fingerprint {
            status.insert("fingerprint".into(), json!(fingerprint));
        }
        if !told.held_by.is_empty() {
            status.insert("api".into(), json!(told.held_by));
        }
        let intake = self.intake.told();
        if !intake.held_by.is_empty() {
            status.insert("intake".into(), json!(intake.held_by));
        }
        if let Some(Value::Array(warnings)) = status.get_mut("warnings") {
            warnings.extend(told.warnings.into_iter().map(Value::from));
            warnings.extend(intake.warnings.into_iter().map(|warning| json!(format!("intake: {warning}"))));
        }
        Response::Ok(Value::Object(status))
    }
}

impl Gateway for CommandLine {
    fn handle(&self, request: Request) -> Response {
        let api = &self.desk.api;
        match request {
            Request::Audit { after, limit } => return api.errand(Errand::Audit { after, limit }),
            Request::Recover { email } => return api.errand(Errand::Recover { email }),
            Request::Access(ask) => return api.errand(Errand::Access(ask)),
            Request::Source(ask) => return api.errand(Errand::Source(ask)),
            Request::Certificate(ask) => return api.errand(Errand::Certificate(ask)),
            Request::Incidents { id } => return api.errand(Errand::Incidents { id }),
            // Only the API process knows who tells and who consented, and makes reports for others.
            Request::Logs(_)
            | Request::SourceGone { .. }
            | Request::SubjectName { .. }
            | Request::Report(_)
            | Request::Post(_) => {
                return Response::Error("only the API process asks that".into());
            }
            Request::AuditTrailer { last } => return api.errand(Errand::Trailer { last }),
            _ => {}
        }
        let act = act(&request);
        let response = self.desk.handle(request);
        if let Some(mut act) = act {
            if let Response::Error(why) = &response {
                act.result.clone_from(why);
            }
            api.record(act);
        }
        response
    }
}

/// One key as it stands.
fn setting(key: &Key, held: &Held, default: &Config) -> SettingView {
    let line = held.origins.get(&(key.table, key.name)).map(|line| *line as u64);
    let origin = if held.set.has(key) {
        "here"
    } else if line.is_some() {
        "file"
    } else {
        "default"
    };
    SettingView {
        id: set::id(key),
        value: json_of(&(key.write)(&held.config)),
        default: json_of(&(key.write)(default)),
        origin: origin.into(),
        line,
        meaning: key.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "),
        expected: (key.expected)(),
        changeable: set::may_be_set(key),
    }
}

/// A value of TOML as JSON.
fn json_of(text: &str) -> Value {
    let read = text.parse::<toml::Value>().ok();
    read.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_else(|| Value::from(text))
}

fn device_act(state: Option<DeviceState>) -> &'static str {
    match state {
        Some(DeviceState::Approved) => "device.approve",
        Some(DeviceState::Quarantined) => "device.quarantine",
        Some(DeviceState::Blocked) => "device.block",
        Some(DeviceState::New) | None => "device.undecide",
    }
}

/// What the audit says of a request that changes something.
fn act(request: &Request) -> Option<Act> {
    let act = |what: &str, on: String, why: String| Act { what: what.into(), on, why, result: String::new() };
    match request {
        Request::Block { host, why, .. } => Some(act("block.create", host.to_string(), why.clone())),
        Request::Unblock { host } => Some(act("block.end", host.to_string(), String::new())),
        Request::Feedback { id, right, .. } => {
            Some(act("threat.feedback", format!("event {id}"), if *right { "right" } else { "false alarm" }.into()))
        }
        Request::PolicyApply { why, .. } => Some(act("policy.apply", "policy".into(), why.clone())),
        Request::PolicyConfirm { .. } => Some(act("policy.confirm", "policy".into(), String::new())),
        Request::PolicyRevert { version, why, .. } => Some(act(
            "policy.revert",
            version.map_or("policy".into(), |version| format!("version {version}")),
            why.clone(),
        )),
        Request::PolicyPosture { posture, why, .. } => Some(act("posture.set", posture.as_str().into(), why.clone())),
        Request::PolicyDevice { device, state, why, .. } => Some(act(device_act(*state), device.clone(), why.clone())),
        Request::Devices(ask) => match ask {
            DeviceAsk::List | DeviceAsk::Show { .. } => None,
            DeviceAsk::Merge { device, with } => {
                Some(act("device.merge", format!("{device} and {with}"), String::new()))
            }
            DeviceAsk::Split { device, mac } => Some(act("device.split", format!("{mac} off {device}"), String::new())),
            DeviceAsk::Describe { device, .. } => Some(act("device.describe", device.clone(), String::new())),
            DeviceAsk::Forget { device } => Some(act("device.forget", device.clone(), String::new())),
        },
        Request::ModelLoad { file, dry_run: false } => Some(act("model.load", file.to_string(), String::new())),
        Request::Set { id, value } => Some(act("setting.change", id.clone(), value.clone().unwrap_or_default())),
        Request::Shutdown { .. } => Some(act("system.shutdown", "box".into(), String::new())),
        Request::Restart => Some(act("system.restart", "gateway".into(), String::new())),
        Request::ModelRevert => Some(act("model.revert", String::new(), String::new())),
        Request::ModelShadow { file, .. } => Some(act("model.shadow", file.to_string(), String::new())),
        Request::IndicatorsLoad { name, origin, .. } => Some(act("indicators.load", name.clone(), origin.clone())),
        Request::IndicatorsRemove { name } => Some(act("indicators.remove", name.clone(), String::new())),
        Request::ModelUnshadow => Some(act("model.unshadow", String::new(), String::new())),
        Request::Unsay { id } => Some(act("threat.feedback", format!("event {id}"), "taken back".into())),
        _ => None,
    }
}
