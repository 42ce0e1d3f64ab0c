//! What the control socket and the signals reach: questions to the keeper, another configuration, the end.

use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::link::{Act, Errand};
use serde_json::{Value, json};

use super::api::Api;
use super::event::{News, Order, Work};
use super::intake::Intake;
use super::settings;
use super::shelf::Shelf;
use crate::config::Config;
use crate::control::{Gateway, Request, Response};
use crate::model::Keys;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The way in from outside.
pub struct Desk {
    config: Mutex<Config>,
    named: Option<PathBuf>,
    work: SyncSender<Work>,
    orders: SyncSender<Order>,
    news: SyncSender<News>,
    shelf: Shelf,
    api: Arc<Api>,
    intake: Arc<Intake>,
}

/// The desk as the command line sees it: what it does lands in the audit.
pub struct CommandLine {
    /// The desk.
    pub desk: Arc<Desk>,
}

impl Desk {
    pub fn new(
        config: Config,
        named: Option<PathBuf>,
        (work, orders, news): (SyncSender<Work>, SyncSender<Order>, SyncSender<News>),
        shelf: Shelf,
        (api, intake): (Arc<Api>, Arc<Intake>),
    ) -> Self {
        Self { config: Mutex::new(config), named, work, orders, news, shelf, api, intake }
    }

    /// Reads the configuration anew. A bad file leaves the old one in force and says so.
    pub fn reload(&self) {
        let config = match Config::find(self.named.as_deref()) {
            Ok(config) => config,
            Err(error) => {
                tracing::error!("{error}; the configuration in force stays");
                return;
            }
        };
        let Ok(mut current) = self.config.lock() else { return };
        let fixed = |config: &Config| {
            let Config { links, store, control, api, intake, .. } = config.clone();
            (links, store, control, api, intake)
        };
        if fixed(&current) != fixed(&config) {
            tracing::warn!(
                "changes of [links], [store], [control], [api] and [intake] take effect when the gateway is started again"
            );
        }
        self.shelf.trust(Keys::with(&config.model.keys));
        let told = self.orders.send(Order::Adjust(config.detect.thresholds(), config.detect.kinds())).is_ok()
            && self.work.send(Work::Configure(settings::responder(&config))).is_ok()
            && self.news.send(News::Posture(config.posture.as_str())).is_ok();
        if told {
            tracing::info!(posture = config.posture.as_str(), "the new configuration is in force");
        }
        *current = config;
    }

    /// Has written down what outlives a restart and is in nobody's store.
    pub fn keep(&self) {
        self.shelf.keep();
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
        | Request::ModelLoad { .. }
        | Request::ModelRevert
        | Request::ModelShadow { .. }
        | Request::ModelUnshadow = request
        {
            return self.shelf.handle(request);
        }
        if let Request::Activity(_) | Request::ActivityCount(_) | Request::ActivityTest(_) | Request::Sources = request
        {
            return self.intake.ask(request);
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

/// What the audit says of a request that changes something.
fn act(request: &Request) -> Option<Act> {
    let act = |what: &str, on: String, why: String| Act { what: what.into(), on, why, result: String::new() };
    match request {
        Request::Block { host, why, .. } => Some(act("block.create", host.to_string(), why.clone())),
        Request::Unblock { host } => Some(act("block.end", host.to_string(), String::new())),
        Request::Feedback { id, right, .. } => {
            Some(act("feedback", format!("event {id}"), if *right { "right" } else { "false alarm" }.into()))
        }
        Request::Unsay { id } => Some(act("feedback", format!("event {id}"), "taken back".into())),
        _ => None,
    }
}
