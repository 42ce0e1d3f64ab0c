//! The intake as a process of its own: takes its place, gives up its rights, then takes in what hosts log and answers for it.
//!
//! It is started by the gateway with one end of a socket pair as its standard input, like the API, and holds as little: its listeners, its folder, the
//! pair, and where it takes syslog over TLS the key of a certificate that is its alone. Whatever a line does to it, it knows no other secret and has no way to the kernel's tables; a flood fills its own bounds and nobody else's.
//!
//! | thread | does |
//! |---|---|
//! | main (tokio) | reads datagrams and connections, parses, puts records into the queue |
//! | keeper | brings the queue to the medium, lets old days go |
//! | link | answers the gateway |

mod batch;
mod desk;
mod listen;
mod pseudonyms;
mod queue;
mod sealed;
mod senders;
mod sources;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use intake::Activity;
use intake::rules::{Found, Judge, Rule, SHIPPED};
use protocol::Response;
use protocol::intake::{FROM_INTAKE_MAX, FoundView, FromIntake, TO_INTAKE_MAX, ToIntake};
use protocol::link::{receive, send};
use rustls::ServerConfig;
use store::{ActivityLog, Limits, Query};
use terms::{Span, Timestamp};

use crate::run::now;
use desk::Desk;
use pseudonyms::Pseudonyms;
use queue::Queue;
use senders::Senders;
use sources::Sources;

/// How often records are brought to the medium.
const FLUSH: Duration = Duration::from_secs(1);
/// What rules found that is told in a minute; who forges lines can make them find as much as they like.
const TOLD_MAX: u32 = 30;
/// What rules are reminded of at the start.
const REMEMBERED: Span = Span::from_secs(86_400);
/// How long reminding them may take.
const REMINDING: Duration = Duration::from_secs(4);
/// How often old days go.
const RETAIN: Duration = Duration::from_secs(60);

/// Why nothing is taken in.
#[derive(Debug, thiserror::Error)]
enum IntakeError {
    #[error("the intake is started by picket run, not by hand")]
    ByHand,
    #[error("{0}")]
    System(#[from] io::Error),
    #[error(transparent)]
    Listen(#[from] listen::ListenError),
    #[error(transparent)]
    Rights(#[from] admin::RightsError),
    #[error(transparent)]
    Store(#[from] store::OpenError),
    #[error("{0}")]
    Rule(#[from] intake::rules::RuleFault),
}

/// What the threads share.
pub struct Room {
    log: Mutex<ActivityLog>,
    queue: Queue,
    sources: Mutex<Sources>,
    senders: Mutex<Senders>,
    rules: Mutex<Rules>,
    /// With what TLS is served; nothing until the gateway brought it.
    sealing: Mutex<Option<Arc<ServerConfig>>>,
}

/// The rules, and how much they have told in this minute.
struct Rules {
    judge: Judge,
    minute: u64,
    told: u32,
    /// What was found and not told.
    untold: u64,
    /// What stands for names in what is told; nothing where names are told.
    pseudonyms: Option<Pseudonyms>,
}

/// Runs the intake until the gateway is gone.
#[must_use]
pub fn run() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the intake ends: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), IntakeError> {
    let input: OwnedFd = io::stdin().as_fd().try_clone_to_owned()?;
    let mut stream = UnixStream::from(input);
    // Whatever else standard input is, it tells no start.
    let Ok(Some(ToIntake::Start(start))) = receive(&mut stream, TO_INTAKE_MAX) else { return Err(IntakeError::ByHand) };
    admin::close_inherited();
    let doors = listen::Doors::open(&start)?;
    let held_by = admin::give_up(Path::new(&start.folder), start.uid)?;
    // From here on there may be threads. The process is in its folder.
    let limits = Limits { max_age: Span::from_secs(start.max_age), max_octets: start.max_octets };
    let (log, repaired) = ActivityLog::open(Path::new("."), limits)?;
    let pseudonyms = start.pseudonyms.then(|| Pseudonyms::open(Path::new("."))).transpose()?;
    let rules = Mutex::new(Rules::reminded(&log, pseudonyms)?);
    let silent_after = Span::from_secs(start.silent_after);
    let senders = Mutex::new(Senders::load(Path::new("."), log.next(), now(), silent_after)?);
    let (log, queue) = (Mutex::new(log), Queue::default());
    let room = Arc::new(Room { log, queue, sources: Mutex::default(), senders, rules, sealing: Mutex::default() });
    let out = Arc::new(Mutex::new(stream.try_clone()?));
    tell(&out, &FromIntake::Ready(held_by));
    if let Some(repaired) = &repaired {
        tracing::error!("{repaired}");
        tell(&out, &FromIntake::Warnings(vec![repaired.clone()]));
    }
    {
        let (room, out) = (Arc::clone(&room), Arc::clone(&out));
        thread::Builder::new().name("keeper".into()).spawn(move || keep(&room, &out, repaired))?;
    }
    {
        let desk = Desk { room: Arc::clone(&room), out: Arc::clone(&out) };
        thread::Builder::new().name("link".into()).spawn(move || {
            answer(&desk, stream, &out);
            // The gateway is gone: whoever starts the next one starts another intake.
            desk.room.flush(&out);
            std::process::exit(0);
        })?;
    }
    tracing::info!(udp = ?start.syslog_udp, tcp = ?start.syslog_tcp, tls = ?start.syslog_tls, "the intake listens");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(doors.serve(&room));
    Ok(())
}

/// Answers until the gateway is gone.
fn answer(desk: &Desk, mut stream: UnixStream, out: &Mutex<UnixStream>) {
    while let Ok(Some(message)) = receive::<ToIntake>(&mut stream, TO_INTAKE_MAX) {
        match message {
            ToIntake::Ask(number, request) => {
                let answer = FromIntake::Answer(number, desk.answer(request));
                if !tell(out, &answer) {
                    let long = Response::Error("the answer is too long; ask for less".into());
                    tell(out, &FromIntake::Answer(number, long));
                }
            }
            ToIntake::Key(key) => match sealed::config(&key) {
                Ok(config) => *desk.room.sealing() = Some(config),
                Err(error) => tracing::error!("the key for TLS cannot be used: {error}"),
            },
            ToIntake::Start(_) => {}
        }
    }
}

/// Whether the gateway was told.
fn tell(out: &Mutex<UnixStream>, message: &FromIntake) -> bool {
    let mut out = out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    send(&mut *out, message, FROM_INTAKE_MAX).is_ok()
}

/// Brings to the medium what comes, and lets old days go. What is wrong is told once, and taken back when it is over.
fn keep(room: &Room, out: &Mutex<UnixStream>, repaired: Option<String>) {
    let (mut flushed, mut retained) = (Instant::now(), Instant::now());
    let mut complaint: Option<String> = None;
    loop {
        room.take_up(FLUSH, out);
        if flushed.elapsed() < FLUSH {
            continue;
        }
        flushed = Instant::now();
        room.look_for_silence(out);
        let mut done = room.log().tick(now());
        if retained.elapsed() >= RETAIN {
            retained = Instant::now();
            done = done.and(room.log().retain(now()).map(drop));
        }
        let trouble = done.err().map(|error| error.to_string());
        // Figures that change are not worth saying again.
        if trouble.is_some() != complaint.is_some() {
            if let Some(trouble) = &trouble {
                tracing::error!("activity is not kept: {trouble}");
            }
            let warnings = repaired.iter().chain(&trouble).cloned().collect();
            tell(out, &FromIntake::Warnings(warnings));
            complaint = trouble;
        }
    }
}

impl Room {
    fn log(&self) -> std::sync::MutexGuard<'_, ActivityLog> {
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn sources(&self) -> std::sync::MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn senders(&self) -> std::sync::MutexGuard<'_, Senders> {
        self.senders.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn sealing(&self) -> std::sync::MutexGuard<'_, Option<Arc<ServerConfig>>> {
        self.sealing.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Hands what waits in the queue to the log and to the rules, after waiting for some at most so long.
    fn take_up(&self, patience: Duration, out: &Mutex<UnixStream>) {
        let rows = self.queue.take(patience);
        let mut rules = self.rules();
        for (mut activity, transport) in rows {
            let source = activity.source;
            let stored = {
                let mut log = self.log();
                activity.id = log.next();
                log.append(activity.clone()).is_ok()
            };
            self.sources().stored(source, transport, stored);
            // What cannot be looked up afterwards is no evidence.
            if stored {
                rules.hear(&activity, out);
            }
        }
    }

    /// Records which agents have just fallen silent.
    fn look_for_silence(&self, out: &Mutex<UnixStream>) {
        // The lock on the senders is let go before the one on the rules is taken.
        let silences = self.senders().silences(now());
        for mut activity in silences {
            let mut rules = self.rules();
            let stored = self.log().append(activity.clone());
            if let Ok(id) = stored {
                activity.id = id;
                rules.hear(&activity, out);
            }
        }
    }

    /// Everything that came to the medium; at the end.
    fn flush(&self, out: &Mutex<UnixStream>) {
        self.take_up(Duration::ZERO, out);
        if let Err(error) = self.log().tick(now()) {
            tracing::error!("the last records are lost: {error}");
        }
    }
}

impl Rules {
    /// The rules that the binary carries, reminded of the last day, of which nothing is told again.
    fn reminded(log: &ActivityLog, mut pseudonyms: Option<Pseudonyms>) -> Result<Self, intake::rules::RuleFault> {
        let rules = SHIPPED.iter().map(|(name, text)| Rule::read(name, text)).collect::<Result<_, _>>()?;
        let mut judge = Judge::new(rules);
        let since = Timestamp::from_micros(now().micros().saturating_sub(REMEMBERED.micros()));
        let day = Query { since: Some(since), ..Query::default() };
        let whole = log.shot().each(&day, REMINDING, |activity| {
            judge.hear(&activity);
            pseudonyms.iter_mut().for_each(|pseudonyms| pseudonyms.hear(&activity));
            true
        });
        if let Err(error) = whole {
            tracing::warn!("rules begin without a part of the last day: {error}");
        }
        Ok(Self { judge, minute: 0, told: 0, untold: 0, pseudonyms })
    }

    /// What a rule found, as it is told.
    fn told(&self, rule: &Rule, found: Found, activity: &Activity) -> FoundView {
        let view = desk::told(rule, found, activity);
        match &self.pseudonyms {
            Some(pseudonyms) => pseudonyms.finding(activity, view),
            None => view,
        }
    }

    /// Hears a record that was stored, and tells the gateway what it completes.
    fn hear(&mut self, activity: &Activity, out: &Mutex<UnixStream>) {
        self.pseudonyms.iter_mut().for_each(|pseudonyms| pseudonyms.hear(activity));
        for found in self.judge.hear(activity) {
            let minute = activity.at.minute();
            if minute != self.minute {
                if self.untold > 0 {
                    tracing::warn!("insider rules found {} times more than is told in a minute", self.untold);
                }
                (self.minute, self.told, self.untold) = (minute, 0, 0);
            }
            if self.told >= TOLD_MAX {
                self.untold += 1;
                continue;
            }
            self.told += 1;
            let view = self.told(&self.judge.rules()[found.rule], found, activity);
            tell(out, &FromIntake::Found(view));
        }
    }
}
