//! The keeper: the store, and what is shown to those who ask.

mod absence;
mod devices;
mod explain;
mod feedback;
mod flows;
mod impostor;
mod kept;
mod policy;
mod trends;

use std::collections::{BTreeMap, VecDeque};
use std::mem::{Discriminant, discriminant};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use features::{FEATURES, SCHEMA};
use protocol::series::{Reach, Topic};
use store::{Counters, Event, EventQuery, HostRecord, Limits, MemoryStore, Store, StoreError};
use terms::{HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

use super::clues::Learnt;
use super::event::{Asking, HostNow, KernelState, News, Order, Second, Wish, Work, now};
use super::jury::Voted;
use crate::config::Config;
use crate::control::protocol::EventsWanted;
use crate::control::views::{EventDetail, EventPage, EventView, HostView, StatusView};
use crate::control::{Request, Response, frame_view};

use devices::Shelf;

/// How often the store is flushed.
const FLUSH: Duration = Duration::from_secs(1);
/// How many events wait for a store that takes none; then the oldest go, and are counted.
const WAITING: usize = 256;
/// How often old history goes.
const RETAIN: Duration = Duration::from_secs(60);

/// Keeps and answers until told to stop.
pub fn keep(
    config: &Config,
    heard: &Receiver<News>,
    learnt: Receiver<Learnt>,
    work: &SyncSender<Work>,
    orders: &SyncSender<Order>,
) {
    let limits = Limits { max_age: config.store.max_age, max_octets: config.store.max_size };
    let (store, warning) = open(config, limits);
    let mut book = Book {
        shelf: Shelf::new(store.as_ref()),
        learnt,
        ledger: flows::Ledger::default(),
        trends: trends::Trends::open(&config.store.path, store.as_ref()),
        store,
        work: work.clone(),
        orders: orders.clone(),
        second: Second::default(),
        kernel: KernelState::default(),
        posture: config.posture.as_str(),
        bridge: config.links.bridge.clone(),
        started: Instant::now(),
        minute: 0,
        warning,
        complaint: None,
        waiting: VecDeque::new(),
        forgotten: 0,
        links: Vec::new(),
        policies: policy::Shelf::open(config),
        kept: kept::Shelf::open(),
        impostors: impostor::Impostors::new(config.devices.suspend_impostors),
        absence: absence::Absence::open(&config.store.path, config.devices.forget_after),
    };
    // Before anything else: what is allowed.
    book.begin();
    // Before any event: who was blocked when the last run ended, and what was learnt of whom.
    let _gone = work.send(Work::Remembered(book.store.blocks()));
    let _gone = orders.send(Order::Remember(book.store.hosts()));
    let _gone = orders.send(Order::Quiet(book.quiet(), book.forgiven()));
    let (mut flushed, mut retained) = (Instant::now(), Instant::now());
    loop {
        match heard.recv_timeout(FLUSH) {
            Ok(News::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(news) => book.hear(news),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if flushed.elapsed() >= FLUSH {
            flushed = Instant::now();
            book.watch_trial();
            book.keep_ruleset();
            let told = book.store.tick();
            if let Some(told) = book.ran(told).flatten() {
                tracing::warn!("{told}");
            }
            book.catch_up();
            book.keep_devices();
            book.keep_flows(false);
            book.trends.keep(now(), false);
        }
        if retained.elapsed() >= RETAIN {
            retained = Instant::now();
            let done = book.store.retain(now());
            book.ran(done);
        }
    }
    book.keep_devices();
    book.keep_flows(true);
    book.absence.keep(true);
    book.trends.keep(now(), true);
    let closed = book.store.close();
    book.ran(closed);
}

/// The store on flash, or one in memory where that can't be had.
fn open(config: &Config, limits: Limits) -> (Box<dyn Store>, Option<String>) {
    match store::open(&config.store.path, limits) {
        Ok(opened) => {
            if let Some(repaired) = &opened.repaired {
                tracing::error!("{repaired}");
            }
            (Box::new(opened.store), opened.repaired)
        }
        Err(error) => {
            let warning = format!("{error}; history is kept in memory until the gateway is started again");
            tracing::error!("{warning}");
            (Box::new(MemoryStore::new(limits)), Some(warning))
        }
    }
}

struct Book {
    store: Box<dyn Store>,
    /// What the inspector learns of devices.
    learnt: Receiver<Learnt>,
    /// What is known of devices.
    shelf: Shelf,
    /// What devices did.
    ledger: flows::Ledger,
    /// Figures over time.
    trends: trends::Trends,
    work: SyncSender<Work>,
    orders: SyncSender<Order>,
    second: Second,
    kernel: KernelState,
    posture: &'static str,
    bridge: String,
    started: Instant,
    minute: u64,
    warning: Option<String>,
    /// What the store refused last, by kind, so that figures that change are not said again.
    complaint: Option<(Discriminant<StoreError>, String)>,
    /// Events that the store has not taken yet.
    waiting: VecDeque<Event>,
    /// Events that waited too long.
    forgotten: u64,
    /// What is wrong with the bridge and its links.
    links: Vec<String>,
    /// The versions of the policy.
    policies: policy::Shelf,
    /// The ruleset for the next start.
    kept: kept::Shelf,
    /// Whose rights wait for somebody's decision.
    impostors: impostor::Impostors,
    /// Who is away for how long.
    absence: absence::Absence,
}

impl Book {
    fn hear(&mut self, news: News) {
        match news {
            News::Event(event) => {
                self.trends.find(&event);
                self.waiting.push_back(*event);
                self.catch_up();
            }
            News::Blocked(block) => {
                let done = self.store.put_block(&block);
                self.ran(done);
            }
            News::Freed(host) => {
                let done = self.store.remove_block(host);
                self.ran(done);
            }
            News::Second(second) => self.count(*second),
            News::Kernel(state) => self.kernel = state,
            News::Holds(kept) => self.kept.hold(*kept),
            News::Bridge(bridge, links) => (self.bridge, self.links) = (bridge, links),
            News::Configured(posture, devices) => {
                self.configured(posture);
                self.absence.set_after(devices.forget_after);
                self.impostors.suspend(devices.suspend_impostors);
            }
            News::Ask(request, reply) => self.answer(request, reply),
            News::Stop => {}
        }
    }

    /// Writes the events that wait, oldest first, as far as the store takes them.
    fn catch_up(&mut self) {
        while let Some(event) = self.waiting.front() {
            let done = self.store.append_event(event.clone());
            if self.ran(done).is_none() {
                break;
            }
            self.waiting.pop_front();
            if self.complaint.take().is_some() {
                tracing::info!("the store takes records again");
            }
        }
        while self.waiting.len() > WAITING {
            self.waiting.pop_front();
            self.forgotten += 1;
        }
    }

    /// Says once what the store refuses. That it works again only a written event tells: much else needs no room.
    fn ran<T>(&mut self, done: Result<T, StoreError>) -> Option<T> {
        let error = match done {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let (kind, text) = (discriminant(&error), error.to_string());
        if self.complaint.as_ref().is_none_or(|(said, _)| *said != kind) {
            tracing::error!("{text}; history waits in memory until this is mended, the bridge forwards on");
        }
        self.complaint = Some((kind, text));
        None
    }

    fn count(&mut self, mut second: Second) {
        let minutes = std::mem::take(&mut second.minutes);
        if !minutes.is_empty() {
            let done = self.store.append_minutes(&minutes);
            self.ran(done);
        }
        let minute = second.at.minute();
        if minute > self.minute {
            self.minute = minute;
            let recent = second.hosts.iter().filter(|h| h.lasting && h.record.last_seen.minute() + 1 >= minute);
            let records: Vec<_> = recent.map(|h| h.record).collect();
            let done = self.store.put_hosts(&records);
            self.ran(done);
            let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
            let counters = Counters {
                minute,
                frames: second.frames,
                octets: second.octets,
                dropped: second.dropped,
                hosts: small(second.hosts.len() as u64),
                blocks: small(self.kernel.blocks),
            };
            let done = self.store.append_counters(&counters);
            self.ran(done);
        }
        self.second = second;
        self.learn();
        self.watch_absence();
        self.suspend_impostors();
        for talk in std::mem::take(&mut self.second.talks) {
            self.ledger.take(&talk);
            self.trends.carry(&talk);
        }
    }

    /// Takes in what devices said and were told, and who was there.
    fn learn(&mut self) {
        while let Ok(learnt) = self.learnt.try_recv() {
            match learnt {
                Learnt::Told(told) => self.ledger.hear(&told),
                other => self.shelf.learn(other),
            }
        }
        self.shelf.see(&self.second);
        for (event, impostor) in self.shelf.contradictions() {
            self.impostors.meet(impostor);
            self.trends.find(&event);
            self.waiting.push_back(event);
        }
        self.waiting.extend(self.shelf.news());
        self.catch_up();
    }

    fn answer(&mut self, request: Request, reply: SyncSender<Response>) {
        let response = match request {
            Request::Status => Response::of(&self.status()),
            Request::Hosts => Response::of(&self.hosts()),
            Request::Series { reach, topic } => self.series(reach, topic),
            Request::Events { limit, since } => self.events(limit, since),
            Request::EventsBefore { before, limit, wanted } => self.events_before(before, limit, wanted),
            Request::EventsAfter { after, limit } => self.events_after(after, limit),
            Request::Flows { before, limit, wanted } => self.flows(before, limit, &wanted),
            Request::FlowLots { before } => self.flow_lots(before),
            Request::Event { id } => self.event(id),
            Request::Explain { host } => self.explain(host),
            Request::Feedback { id, right, for_secs } => self.give_feedback(id, right, Span::from_secs(for_secs)),
            Request::Unsay { id } => self.unsay(id),
            Request::Feedbacks => Response::of(&self.feedbacks()),
            Request::Devices(ask) => self.ask_devices(&ask),
            Request::DevicesKept => Response::of(&self.shelf.devices.records().collect::<Vec<_>>()),
            Request::DevicesReplace { devices } => self.replace_devices(devices),
            // The desk has those answered elsewhere.
            Request::Recover { .. } | Request::Access(_) => Response::Error("the API is off".into()),
            Request::Mail(_) => Response::Error("only the API has mails sent".into()),
            Request::Settings
            | Request::Set { .. }
            | Request::Machine
            | Request::Restart
            | Request::Shutdown { .. } => Response::Error("the keeper holds no configuration".into()),
            Request::Model
            | Request::ModelCheck { .. }
            | Request::ModelClassify { .. }
            | Request::ModelLoad { .. }
            | Request::ModelRevert
            | Request::ModelShadow { .. }
            | Request::ModelUnshadow => Response::Error("the keeper holds no forests".into()),
            Request::Indicators
            | Request::IndicatorsText { .. }
            | Request::IndicatorsLoad { .. }
            | Request::IndicatorsRemove { .. } => Response::Error("the keeper holds no indicators".into()),
            Request::Blocks => return self.pass(Work::Blocks(reply)),
            Request::Block { host, for_secs, why } => {
                return self.pass(Work::Block(self.wish(host, for_secs, why), reply));
            }
            Request::Unblock { host } => return self.pass(Work::Unblock(host, reply)),
            // The desk has these done by the API process.
            Request::Audit { .. } | Request::AuditTrailer { .. } => Response::Error("the API is off".into()),
            Request::PolicyExplain { from, to, service, at } => {
                let at = at.map_or_else(now, Timestamp::from_secs_f64);
                return self.pass(Work::Explain(Box::new(Asking { from, to, service, at }), reply));
            }
            policy => self.about_policy(policy),
        };
        let _gone = reply.try_send(response);
    }

    /// Hands a question on to the enforcer, who answers.
    fn pass(&self, work: Work) {
        let refused = match self.work.try_send(work) {
            Ok(()) => return,
            Err(std::sync::mpsc::TrySendError::Full(work) | std::sync::mpsc::TrySendError::Disconnected(work)) => work,
        };
        if let Work::Block(_, reply) | Work::Unblock(_, reply) | Work::Blocks(reply) | Work::Explain(_, reply) = refused
        {
            let _gone = reply.try_send(Response::Error("the enforcer is busy; ask again".into()));
        }
    }

    /// A host by its address, or by its hardware address.
    fn seen(&self, host: HostKey) -> Option<&HostNow> {
        let matches = |h: &&HostNow| h.record.host == host || h.record.mac.map(HostKey::Mac) == Some(host);
        self.second.hosts.iter().find(matches)
    }

    /// What is known of a host that an admin wants blocked.
    fn wish(&self, host: HostKey, for_secs: Option<u64>, why: String) -> Wish {
        let seen = self.seen(host);
        let mac = seen.and_then(|h| h.record.mac);
        let side = seen.map_or(Side::Unknown, |h| h.record.side);
        let addresses_on_mac = seen.map_or(1, |h| h.addresses_on_mac);
        Wish { host, mac, side, addresses_on_mac, lasts: for_secs.map(Span::from_secs), why }
    }

    fn status(&self) -> StatusView {
        let of = |level| self.second.hosts.iter().filter(|h| h.record.level == level).count() as u64;
        let mut warnings: Vec<String> = self.second.warnings.iter().chain(&self.kernel.warnings).cloned().collect();
        warnings.extend(self.links.iter().chain(&self.warning).cloned());
        warnings.extend(self.policies.warning());
        let voted = &self.second.voted;
        warnings.extend(voted.trouble.clone());
        warnings.extend(voted.drifted().then(|| drifted(voted)));
        warnings.extend(self.complaint.as_ref().map(|(_, text)| format!("{text}; {} events wait", self.waiting.len())));
        if self.forgotten > 0 {
            warnings.push(format!("{} events are not in the history: the store did not take them", self.forgotten));
        }
        if self.second.lost > 0 {
            warnings.push(format!("{} findings came faster than they could be acted on", self.second.lost));
        }
        if self.second.clues_lost > 0 {
            warnings.push(format!(
                "{} things that devices said of themselves came too fast to be kept",
                self.second.clues_lost
            ));
        }
        let lost = self.ledger.lost + self.second.talks_lost;
        if lost > 0 {
            warnings.push(format!("{lost} conversations came too fast to be written down"));
        }
        StatusView {
            version: env!("CARGO_PKG_VERSION").into(),
            posture: self.posture.into(),
            bridge: self.bridge.clone(),
            frames: self.second.frames,
            dropped: self.second.dropped,
            octets: self.second.octets,
            hosts: self.second.hosts.len() as u64,
            evicted: self.second.evicted,
            medium: of(ThreatLevel::Medium),
            high: of(ThreatLevel::High),
            findings: self.second.findings,
            blocks: self.kernel.blocks,
            table_intact: self.kernel.intact,
            blocked_frames: self.kernel.dropped.clone(),
            ignored: self.second.ignored.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect(),
            forest: voted.forest.clone(),
            uptime: self.started.elapsed().as_secs_f64(),
            store_octets: self.store.octets_written(),
            warnings,
            store_trouble: self.complaint.as_ref().map(|(_, text)| text.clone()),
            ..StatusView::default()
        }
    }

    /// The hosts, worst first.
    fn hosts(&self) -> Vec<HostView> {
        let mut hosts: Vec<_> = self.second.hosts.iter().collect();
        hosts.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.record.host.cmp(&b.record.host)));
        hosts.into_iter().map(host_view).collect()
    }

    fn events(&mut self, limit: u32, since: Option<f64>) -> Response {
        let done = self.store.events(limit as usize, None);
        let Some(events) = self.ran(done) else { return self.refused() };
        let after = since.unwrap_or(0.0);
        let all = events.iter().chain(&self.waiting);
        Response::of(&all.filter(|e| e.at.as_secs_f64() > after).map(event_view).collect::<Vec<_>>())
    }

    fn events_before(&mut self, before: Option<u64>, limit: u32, wanted: EventsWanted) -> Response {
        let EventsWanted { host, among, state, level, family, threats, since } = wanted;
        let query = EventQuery { host, among, state, level, family, threats, since: since.map(Timestamp::from_secs) };
        let done = self.store.find_events(&query, limit as usize, before);
        match self.ran(done) {
            Some(found) => {
                let events = found.events.iter().map(event_view).collect();
                Response::of(&EventPage { events, next: found.next })
            }
            None => self.refused(),
        }
    }

    fn events_after(&mut self, after: u64, limit: u32) -> Response {
        let done = self.store.events_after(after, limit as usize);
        match self.ran(done) {
            Some(events) => Response::of(&events.iter().map(event_view).collect::<Vec<_>>()),
            None => self.refused(),
        }
    }

    fn series(&self, reach: Reach, topic: Topic) -> Response {
        let name = |mac: MacAddr| match self.shelf.devices.of_mac(mac) {
            Some(device) => (device.name(), Some(device.id.number())),
            None => (mac.to_string(), None),
        };
        Response::of(&self.trends.series(reach, topic, now(), &name))
    }

    fn event(&mut self, id: u64) -> Response {
        let done = self.store.event(id);
        match self.ran(done) {
            Some(Some(event)) => {
                let features = event.features.iter().map(|(name, value)| (name.clone(), f64::from(*value)));
                Response::of(&EventDetail {
                    event: event_view(&event),
                    features: features.collect(),
                    frames: event.frames.iter().map(frame_view).collect(),
                })
            }
            Some(None) => Response::Error(format!("there is no event {id}; picket events lists those that are kept")),
            None => self.refused(),
        }
    }

    fn refused(&self) -> Response {
        let text = self.complaint.as_ref().map(|(_, text)| text.clone());
        Response::Error(text.unwrap_or_else(|| "the store gives no answer".into()))
    }
}

/// That this site is unlike the training, with the features that are farthest from it.
fn drifted(voted: &Voted) -> String {
    let names = voted.moved.iter().take(3).filter_map(|away| SCHEMA.get(away.feature).copied());
    format!(
        "this site is unlike the forest's training in {} of {FEATURES} features, most in {}; its votes may be worth less here \
         (picket model show)",
        voted.moved.len(),
        names.collect::<Vec<_>>().join(", ")
    )
}

fn host_view(host: &HostNow) -> HostView {
    HostView {
        family: host.reason.map(|r| r.0.as_str().into()),
        confidence: f64::from(host.reason.map_or(0.0, |r| r.1)),
        score: f64::from(host.score),
        frames: host.frames,
        octets: host.octets,
        ..record_view(&host.record)
    }
}

/// A host that is not in the table, as the store remembers it.
fn record_view(record: &HostRecord) -> HostView {
    HostView {
        host: record.host.to_string(),
        mac: record.mac.map(|mac| mac.to_string()),
        side: record.side.as_str().into(),
        level: record.level.as_str().into(),
        first_seen: record.first_seen.as_secs_f64(),
        last_seen: record.last_seen.as_secs_f64(),
        ..HostView::default()
    }
}

fn event_view(event: &Event) -> EventView {
    EventView {
        id: event.id,
        at: event.at.as_secs_f64(),
        host: event.host.to_string(),
        mac: event.mac.map(|mac| mac.to_string()),
        side: event.side.as_str().into(),
        state: event.state.as_str().into(),
        level: event.level.as_str().into(),
        family: event.family.map(|family| family.as_str().into()),
        detector: event.detector.clone(),
        confidence: f64::from(event.confidence),
        why: event.why.clone(),
        evidence: event.evidence.iter().cloned().collect::<BTreeMap<_, _>>(),
    }
}
