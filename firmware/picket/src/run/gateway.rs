//! What the control socket and the signals reach: questions to the keeper, another configuration, the end.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use super::event::{News, Order, Work};
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
}

impl Desk {
    pub fn new(
        config: Config,
        named: Option<PathBuf>,
        work: SyncSender<Work>,
        orders: SyncSender<Order>,
        news: SyncSender<News>,
        shelf: Shelf,
    ) -> Self {
        Self { config: Mutex::new(config), named, work, orders, news, shelf }
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
        if (&current.links, &current.store, &current.control) != (&config.links, &config.store, &config.control) {
            tracing::warn!("changes of [links], [store] and [control] take effect when the gateway is started again");
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
        let (reply, answer) = sync_channel(1);
        if self.news.send(News::Ask(request, reply)).is_err() {
            return Response::Error("the gateway is ending".into());
        }
        answer
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| Response::Error("no answer within 5 s; the gateway is busy".into()))
    }
}
