//! `picket agent`: tells a box what happens on this host, and tells the person at the host what it tells.
//!
//! | part | turns | into |
//! |---|---|---|
//! | `tail`, `journal` | the log of log-ins, sudo, su | its lines; and that a log was cleared |
//! | `accounts` | `/etc/passwd`, `/etc/group`, keys | accounts, groups and keys that changed |
//! | `media` | the mounts | media that were mounted |
//! | `folders` | opens in watched folders (fanotify) | files read and written, and by whom |
//! | `spool` | all of that | numbered lines on disk, within a bound |
//! | `sender` | the spool | batches over TLS to the box, each line once |
//!
//! What is not told: what people type, what their files hold, where they browse. Nothing listens.

mod accounts;
mod enroll;
mod folders;
mod install;
mod journal;
mod media;
mod sender;
mod show;
mod spool;
mod state;
mod tail;
mod tls;

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{AgentArgs, AgentCommand};
use crate::run::now;
use spool::Spool;
use state::{Enrolment, Places};

/// Lines on their way to the spool.
const WAITING: usize = 4_096;
/// How often the spool is brought to the medium, and files are looked at.
const TURN: Duration = Duration::from_secs(1);
/// A box that heard nothing for so long is told that the agent is there.
const ALIVE: Duration = Duration::from_secs(60);
/// How long the agent tries to say that it ends.
const FAREWELL: Duration = Duration::from_secs(3);

/// What watchers tell.
pub struct Line {
    /// The record, without its number.
    pub value: Value,
    /// What was read up to this line, so that it is not read again.
    pub place: Option<(String, state::Place)>,
}

impl Line {
    /// Something that was done, in the words of activity.
    pub fn act(action: &str, subject: &str, object: &str, message: String) -> Self {
        let value = json!({"program": "picket-agent", "action": action, "subject": subject, "object": object, "result": "done", "message": message});
        Self { value, place: None }
    }
}

/// Why the agent does not run.
type Trouble = Box<dyn std::error::Error>;

/// `picket agent`.
pub fn agent(args: &AgentCommand) -> ExitCode {
    let done = match args {
        AgentCommand::Enroll(args) => enroll::enroll(args),
        AgentCommand::Run(args) => run(args),
        AgentCommand::Install(args) => install::install(args),
        AgentCommand::Show(args) => show::show(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("picket agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &AgentArgs) -> Result<(), Trouble> {
    crate::log::start();
    let folder = args.folder.as_path();
    let enrolment = Enrolment::read(folder)?;
    let spool = Arc::new(Mutex::new(Spool::open(&folder.join("spool"), enrolment.stream, args.spool)?));
    let places = Places::read(folder, &lock(&spool));
    let (told, heard) = sync_channel(WAITING);
    watch(args, &places, &told)?;
    let sending = sender::Sender::start(enrolment, folder, Arc::clone(&spool))?;
    told.send(Line::act("other", "", "", format!("the agent {} begins", env!("CARGO_PKG_VERSION")))).ok();
    let ended = ending(told)?;
    keep(&heard, &ended, &spool, places, folder, &sending);
    sending.end(FAREWELL);
    Ok(())
}

/// Starts everything that watches.
fn watch(args: &AgentArgs, places: &Places, told: &SyncSender<Line>) -> Result<(), Trouble> {
    if args.log.exists() || !journal::is_there() {
        let (path, place, told) = (args.log.clone(), places.of(&args.log), told.clone());
        thread::Builder::new().name("tail".into()).spawn(move || tail::follow(&path, place, &told))?;
    } else {
        let (cursor, told) = (places.cursor(), told.clone());
        thread::Builder::new().name("journal".into()).spawn(move || journal::follow(cursor, &told))?;
    }
    let out = told.clone();
    thread::Builder::new().name("accounts".into()).spawn(move || accounts::watch(&out))?;
    let out = told.clone();
    thread::Builder::new().name("media".into()).spawn(move || media::watch(&out))?;
    if !args.watch.is_empty() {
        let (folders, out) = (args.watch.clone(), told.clone());
        let watching = folders::Folders::open(&folders)?;
        thread::Builder::new().name("folders".into()).spawn(move || watching.watch(&out))?;
    }
    Ok(())
}

/// Hears of SIGTERM and SIGINT.
fn ending(told: SyncSender<Line>) -> Result<Receiver<()>, Trouble> {
    let (end, ended) = sync_channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        let _ = told.send(Line::act("watch stopped", "", "picket-agent", "the agent was told to stop".into()));
        let _ = end.send(());
    })?;
    Ok(ended)
}

/// Brings to the spool what watchers tell, until the end.
fn keep(
    heard: &Receiver<Line>,
    ended: &Receiver<()>,
    spool: &Mutex<Spool>,
    mut places: Places,
    folder: &Path,
    sending: &sender::Sender,
) {
    let (mut flushed, mut spoken, mut dirty) = (Instant::now(), Instant::now(), false);
    loop {
        match heard.recv_timeout(TURN) {
            Ok(line) => {
                let mut spool = lock(spool);
                spool.push(line.value, line.place.as_ref(), now());
                if let Some((name, place)) = line.place {
                    places.set(name, place);
                }
                (spoken, dirty) = (Instant::now(), true);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if spoken.elapsed() >= ALIVE {
            spoken = Instant::now();
            lock(spool).push(json!({"program": "picket-agent", "message": "the agent is there"}), None, now());
            dirty = true;
        }
        let end = ended.try_recv().is_ok();
        if dirty && (flushed.elapsed() >= TURN || end) {
            (flushed, dirty) = (Instant::now(), false);
            let mut spool = lock(spool);
            if let Err(error) = spool.flush() {
                tracing::error!("the spool cannot be written; what happens now is lost, and told as lost: {error}");
            } else if spool.rotated() {
                // Before the lines go that carry the places.
                places.keep(folder);
            }
            drop(spool);
            sending.wake();
        }
        if end {
            return;
        }
    }
}

/// What the lock guards; whoever panicked with it left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
