//! The API process, seen from the gateway: started, asked, answered, started again. Its death never touches the gateway.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use policy::NeverBlock;
use protocol::link::{Act, Errand, FROM_API_MAX, FromApi, GUESTS_MAX, Head, Start, TO_API_MAX, ToApi, receive, send};

use protocol::report::ReportAsk;
use protocol::{MailOrder, ModelFile, POSTS_MAX, PostOrder};
use rustix::process::{Pid, Signal, kill_process};

use super::child::{Line, Pauses, Running, lock};
use super::event::Work;
use super::intake::Intake;
use super::{mail, report};
use tokio::sync::Notify;

use crate::config::Config;
use crate::control::{Gateway, Request, Response};

/// Its questions that wait for an answer; more are refused.
const QUESTIONS: usize = 32;
/// Threads that answer them.
const ANSWERING: usize = 2;
/// Acts of the command line that wait for an API that is down.
const ACTS: usize = 1_024;
/// How often the audit's head is kept on the gateway's side.
const KEEP: Duration = Duration::from_secs(5);
/// How often it is asked whether it lives, and how many questions in a row it may leave unanswered.
const ASK: Duration = Duration::from_secs(5);
const UNANSWERED: u32 = 3;
/// What it says where there is no API process.
const OFF: &str = "the API is off; name an address in [api] listen";

/// What the API process told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The code with which the box can be claimed.
    pub claim: Option<String>,
    /// SHA-256 of its certificate.
    pub fingerprint: Option<String>,
    /// What holds it.
    pub held_by: Vec<String>,
    /// What is not as it should be.
    pub warnings: Vec<String>,
    head: Option<Head>,
    /// Its number among the processes.
    pub process: Option<u32>,
}

/// The way to the API process.
pub struct Api {
    start: Option<Start>,
    line: Line,
    told: Mutex<Told>,
    acts: Mutex<VecDeque<Act>>,
    ending: AtomicBool,
    mailing: AtomicBool,
    reporting: AtomicBool,
    posting: AtomicUsize,
    /// The addresses that the box has.
    own: Mutex<Vec<IpAddr>>,
    /// Whoever serves TLS with a key of that process.
    intake: Arc<Intake>,
    /// Rung when the box waits for its first account, or has it.
    claims: Arc<Notify>,
    head_file: PathBuf,
}

impl Api {
    /// The way to an API process as configured; nobody is there yet.
    pub fn new(config: &Config, intake: Arc<Intake>) -> Self {
        let head_file = config.store.path.join("audit-head");
        let head = fs::read(&head_file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let start = (!config.api.listen.is_empty()).then(|| Start {
            listen: config.api.listen.clone(),
            redirect: redirect(config),
            mdns: config.api.mdns,
            folder: config.store.path.join("api").to_string_lossy().into_owned(),
            uid: config.api.user,
            head: None,
            consent_after: config.intake.consent_after.secs(),
            intake: if config.intake.enabled {
                config.intake.syslog_tls.iter().map(SocketAddr::ip).collect()
            } else {
                Vec::new()
            },
        });
        Self {
            start,
            line: Line::new(TO_API_MAX),
            told: Mutex::new(Told { head, ..Told::default() }),
            acts: Mutex::default(),
            ending: AtomicBool::new(false),
            mailing: AtomicBool::new(false),
            reporting: AtomicBool::new(false),
            posting: AtomicUsize::new(0),
            own: Mutex::default(),
            intake,
            claims: Arc::default(),
            head_file,
        }
    }

    /// Rung when the box waits for its first account, or has it: see `Told::claim`.
    pub fn claims(&self) -> Arc<Notify> {
        Arc::clone(&self.claims)
    }

    /// Starts the process; nothing where the API is off.
    ///
    /// # Errors
    /// The system refuses.
    pub fn spawn(&self) -> io::Result<Option<Running>> {
        let Some(start) = &self.start else { return Ok(None) };
        let mut running = Running::start("api")?;
        let start = Start { head: lock(&self.told).head.clone(), ..start.clone() };
        send(&mut running.stream, &ToApi::Start(start), TO_API_MAX)?;
        Ok(Some(running))
    }

    /// Keeps the process running until `stop`: hears it, answers it through `gateway`, starts it again with a growing pause.
    pub fn supervise(self: &Arc<Self>, first: Option<Running>, gateway: &Arc<dyn Gateway>, work: &SyncSender<Work>) {
        if self.start.is_none() {
            return;
        }
        let (questions, asked) = sync_channel(QUESTIONS);
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..ANSWERING {
            let (api, asked, gateway) = (Arc::clone(self), Arc::clone(&asked), Arc::clone(gateway));
            let answer = move || api.answer(&asked, gateway.as_ref());
            if let Err(error) = thread::Builder::new().name("api-asks".into()).spawn(answer) {
                tracing::error!("the API cannot be answered: {error}");
            }
        }
        let api = Arc::clone(self);
        if let Err(error) = thread::Builder::new().name("api-pulse".into()).spawn(move || api.feel()) {
            tracing::error!("nobody notices an API process that hangs: {error}");
        }
        let (mut running, mut pauses) = (first, Pauses::new());
        loop {
            pauses.started();
            if let Some(running) = running.take() {
                self.hear(running, &questions, work, gateway);
            }
            if self.ending.load(Ordering::Acquire) {
                return;
            }
            let pause = pauses.wait();
            tracing::warn!("the API process ended; it is started again in {} ms", pause.as_millis());
            thread::sleep(pause);
            if self.ending.load(Ordering::Acquire) {
                return;
            }
            match self.spawn() {
                Ok(started) => running = started,
                Err(error) => tracing::error!("the API process does not start: {error}"),
            }
        }
    }

    /// Asks the process from time to time for nothing; ends one that gives no answer several times in a row.
    fn feel(&self) {
        let mut unanswered = 0;
        while !self.ending.load(Ordering::Acquire) {
            thread::sleep(ASK);
            let told = self.told();
            // Before it is ready it draws its keys, which takes a while on a small box.
            let Some(process) = told.process.filter(|_| told.fingerprint.is_some()) else {
                unanswered = 0;
                continue;
            };
            let answer = self.line.ask(|number| ToApi::Errand(number, Errand::Audit { after: u64::MAX, limit: 1 }));
            unanswered = if answer.is_some() || self.told().process != Some(process) { 0 } else { unanswered + 1 };
            if unanswered >= UNANSWERED {
                tracing::error!(process, "the API process hangs and is ended, to be started again");
                self.line.hang_up();
                let process = i32::try_from(process).ok().and_then(Pid::from_raw);
                // One that has ended meanwhile can't be ended.
                let _ = process.map(|process| kill_process(process, Signal::KILL));
                unanswered = 0;
            }
        }
    }

    /// Hears one process until it is gone.
    fn hear(
        self: &Arc<Self>,
        mut running: Running,
        questions: &SyncSender<(u64, Request)>,
        work: &SyncSender<Work>,
        gateway: &Arc<dyn Gateway>,
    ) {
        self.line.open(&running);
        lock(&self.told).process = Some(running.id());
        let mut kept = Instant::now();
        loop {
            match receive::<FromApi>(&mut running.stream, FROM_API_MAX) {
                Ok(Some(FromApi::Guests(guests))) => {
                    let guests = guests.into_iter().take(GUESTS_MAX).map(NeverBlock::Address);
                    // An enforcer that is busy hears of it with the next change.
                    let _ = work.try_send(Work::Guests(guests.collect()));
                }
                Ok(Some(FromApi::Ask(number, Request::Report(ask)))) => self.report(number, ask, gateway),
                Ok(Some(message)) => self.take(message, questions, &mut kept),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!("the API process says what cannot be understood, and is ended: {error}");
                    break;
                }
            }
        }
        self.line.close();
        {
            let mut told = lock(&self.told);
            (told.claim, told.held_by, told.process) = (None, Vec::new(), None);
        }
        self.keep_head();
        running.end();
    }

    fn take(self: &Arc<Self>, message: FromApi, questions: &SyncSender<(u64, Request)>, kept: &mut Instant) {
        match message {
            FromApi::Ready { fingerprint, held_by } => {
                {
                    let mut told = lock(&self.told);
                    (told.fingerprint, told.held_by) = (Some(fingerprint), held_by);
                }
                self.tell_addresses();
                self.deliver();
            }
            FromApi::Fingerprint(fingerprint) => lock(&self.told).fingerprint = Some(fingerprint),
            FromApi::IntakeKey(key) => self.intake.serve_with(key),
            FromApi::Guests(_) => {}
            FromApi::Claim(code) => {
                lock(&self.told).claim = code;
                self.claims.notify_one();
            }
            FromApi::Warnings(warnings) => lock(&self.told).warnings = warnings,
            FromApi::Head(head) => {
                lock(&self.told).head = Some(head);
                if kept.elapsed() > KEEP {
                    *kept = Instant::now();
                    self.keep_head();
                }
            }
            FromApi::Ask(number, Request::Mail(order)) => self.mail(number, *order),
            FromApi::Ask(number, Request::Post(order)) => self.post(number, *order),
            FromApi::Ask(number, request) => match questions.try_send((number, request)) {
                Ok(()) => {}
                Err(TrySendError::Full((number, _)) | TrySendError::Disconnected((number, _))) => {
                    self.line.write(&ToApi::Answer(number, Response::Error("the gateway is busy; ask again".into())));
                }
            },
            FromApi::Done(number, response) => self.line.answered(number, response),
        }
    }

    /// Has a mail sent, one at a time, on a thread that nobody waits for.
    fn mail(self: &Arc<Self>, number: u64, order: MailOrder) {
        if self.mailing.swap(true, Ordering::AcqRel) {
            self.line.write(&ToApi::Answer(number, Response::Error("another mail is on its way".into())));
            return;
        }
        let api = Arc::clone(self);
        let send = move || {
            let response = mail::send(&order);
            api.mailing.store(false, Ordering::Release);
            api.line.write(&ToApi::Answer(number, response));
        };
        if thread::Builder::new().name("mail".into()).spawn(send).is_err() {
            self.mailing.store(false, Ordering::Release);
        }
    }

    /// Has a message posted, a few at a time, each on a thread that nobody waits for.
    fn post(self: &Arc<Self>, number: u64, order: PostOrder) {
        if self.posting.fetch_add(1, Ordering::AcqRel) >= POSTS_MAX {
            self.posting.fetch_sub(1, Ordering::AcqRel);
            self.line.write(&ToApi::Answer(number, Response::Error("other messages are on their way".into())));
            return;
        }
        let api = Arc::clone(self);
        let send = move || {
            let response = mail::post(&order);
            api.posting.fetch_sub(1, Ordering::AcqRel);
            api.line.write(&ToApi::Answer(number, response));
        };
        if thread::Builder::new().name("post".into()).spawn(send).is_err() {
            self.posting.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Has a report made, one at a time, on a thread that nobody waits for.
    fn report(self: &Arc<Self>, number: u64, ask: ReportAsk, gateway: &Arc<dyn Gateway>) {
        if self.reporting.swap(true, Ordering::AcqRel) {
            self.line.write(&ToApi::Answer(number, Response::Error("another report is being made".into())));
            return;
        }
        let (api, gateway) = (Arc::clone(self), Arc::clone(gateway));
        let make = move || {
            let response = report::make(&ask, gateway.as_ref());
            api.reporting.store(false, Ordering::Release);
            api.line.write(&ToApi::Answer(number, response));
        };
        if thread::Builder::new().name("report".into()).spawn(make).is_err() {
            self.reporting.store(false, Ordering::Release);
        }
    }

    /// Answers questions until there are none any more.
    fn answer(&self, asked: &Mutex<Receiver<(u64, Request)>>, gateway: &dyn Gateway) {
        loop {
            let Ok((number, request)) = lock(asked).recv() else { return };
            // Only what the command line asks goes back to the API process.
            let response = match request.checked() {
                Err(what) => Response::Error(what),
                Ok(
                    Request::Audit { .. }
                    | Request::AuditTrailer { .. }
                    | Request::Recover { .. }
                    | Request::Access(_)
                    | Request::Source(_)
                    | Request::Certificate(_)
                    | Request::Incidents { .. },
                ) => Response::Error("ask yourself".into()),
                // That process reaches no file, and has none read for it.
                Ok(
                    Request::ModelCheck { file: ModelFile::Path(_) }
                    | Request::ModelLoad { file: ModelFile::Path(_), .. }
                    | Request::ModelShadow { file: ModelFile::Path(_), .. },
                ) => Response::Error("send the file itself".into()),
                Ok(request) => gateway.handle(request),
            };
            self.line.write(&ToApi::Answer(number, response));
        }
    }

    /// Has the API process do something, and waits for that.
    pub fn errand(&self, errand: Errand) -> Response {
        if self.start.is_none() {
            return Response::Error(OFF.into());
        }
        let answer = self.line.ask(|number| ToApi::Errand(number, errand));
        answer
            .unwrap_or_else(|| Response::Error("the API process gives no answer; it may just be starting again".into()))
    }

    /// Records an act of the command line: when this returns it is on the medium, or waits for an API process that is down.
    pub fn record(&self, act: Act) {
        if self.start.is_none() {
            return;
        }
        if let Response::Error(why) = self.errand(Errand::Record(act.clone())) {
            tracing::warn!("an act is not in the audit yet: {why}");
            let mut acts = lock(&self.acts);
            if acts.len() < ACTS {
                acts.push_back(act);
            }
        }
    }

    /// Hands over the acts that waited. Not waited for: this is the thread that would hear the answer.
    fn deliver(&self) {
        for act in lock(&self.acts).drain(..) {
            self.line.write(&ToApi::Errand(0, Errand::Record(act)));
        }
    }

    /// Hears which addresses the box has now: its certificate is made for them. Nothing is waited for.
    pub fn has(&self, own: Vec<IpAddr>) {
        let mut held = lock(&self.own);
        if *held != own {
            *held = own;
            drop(held);
            self.tell_addresses();
        }
    }

    fn tell_addresses(&self) {
        let own = lock(&self.own).clone();
        if !own.is_empty() {
            self.line.write(&ToApi::Errand(0, Errand::Addresses(own)));
        }
    }

    /// What the process told last.
    pub fn told(&self) -> Told {
        lock(&self.told).clone()
    }

    /// Lets the process end.
    pub fn stop(&self) {
        self.ending.store(true, Ordering::Release);
        self.line.hang_up();
    }

    /// Keeps the audit's head where the API process cannot reach, so that a log that lost its end is noticed.
    fn keep_head(&self) {
        let Some(head) = lock(&self.told).head.clone() else { return };
        if let Err(error) = replace(&self.head_file, &serde_json::to_vec(&head).unwrap_or_default()) {
            tracing::warn!("the audit's head is not kept: {error}");
        }
    }
}

/// Port 80 of the addresses that are listened at, each with the first port that is listened at there.
fn redirect(config: &Config) -> Vec<(SocketAddr, u16)> {
    let mut all: Vec<(SocketAddr, u16)> = Vec::new();
    let wanted = config.api.listen.iter().filter(|at| config.api.redirect && at.port() != 80);
    for (plain, port) in wanted.map(|at| (SocketAddr::new(at.ip(), 80), at.port())) {
        if all.iter().all(|(other, _)| *other != plain) {
            all.push((plain, port));
        }
    }
    all
}

/// Writes a small file whole or not at all.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let draft = path.with_extension("new");
    let mut file = fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    io::Write::write_all(&mut file, text)?;
    file.sync_all()?;
    fs::rename(draft, path)
}
