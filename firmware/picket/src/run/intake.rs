//! The intake process, seen from the gateway: started, asked, started again. What its rules find becomes an event, and never a block.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::thread;

use protocol::intake::{FROM_INTAKE_MAX, FoundView, FromIntake, IntakeStart, TO_INTAKE_MAX, ToIntake};
use protocol::link::{ServerKey, receive, send};
use store::Event;
use terms::{BlockState, HostKey, MacAddr, ThreatLevel};

use super::child::{Line, Pauses, Running, lock};
use super::event::{News, act, now};
use crate::config::Config;
use crate::control::{Request, Response};

/// What it says where there is no intake.
const OFF: &str = "the intake is off; set enabled = true and a listener in [intake]";

/// The way to the intake process.
pub struct Intake {
    start: Option<IntakeStart>,
    line: Line,
    told: Mutex<Told>,
    /// With what it serves TLS.
    key: Mutex<Option<ServerKey>>,
    ending: AtomicBool,
}

/// What the intake process told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What holds it.
    pub held_by: Vec<String>,
    /// What is not as it should be.
    pub warnings: Vec<String>,
}

impl Intake {
    /// The way to an intake process as configured; nobody is there yet.
    pub fn new(config: &Config) -> Self {
        let start = config.intake.enabled.then(|| IntakeStart {
            syslog_udp: config.intake.syslog_udp.clone(),
            syslog_tcp: config.intake.syslog_tcp.clone(),
            syslog_tls: config.intake.syslog_tls.clone(),
            folder: config.store.path.join("intake").to_string_lossy().into_owned(),
            uid: config.intake.user,
            max_age: config.intake.max_age.secs(),
            max_octets: config.intake.max_size,
            silent_after: config.intake.silent_after.secs(),
            pseudonyms: config.intake.pseudonyms,
        });
        let (line, ending) = (Line::new(TO_INTAKE_MAX), AtomicBool::new(false));
        Self { start, line, told: Mutex::default(), key: Mutex::default(), ending }
    }

    /// Serves TLS with this from now on, and whenever it is started again.
    pub fn serve_with(&self, key: ServerKey) {
        let mut held = lock(&self.key);
        // A process that is just starting takes it from here.
        self.line.write(&ToIntake::Key(key.clone()));
        *held = Some(key);
    }

    /// Starts the process; nothing where the intake is off.
    ///
    /// # Errors
    /// The system refuses.
    pub fn spawn(&self) -> io::Result<Option<Running>> {
        let Some(start) = &self.start else { return Ok(None) };
        let mut running = Running::start("intake")?;
        send(&mut running.stream, &ToIntake::Start(start.clone()), TO_INTAKE_MAX)?;
        Ok(Some(running))
    }

    /// Keeps the process running until `stop`: hears it, and starts it again with a growing pause.
    pub fn supervise(self: &Arc<Self>, first: Option<Running>, news: &SyncSender<News>) {
        if self.start.is_none() {
            return;
        }
        let (mut running, mut pauses) = (first, Pauses::new());
        loop {
            pauses.started();
            if let Some(running) = running.take() {
                self.hear(running, news);
            }
            if self.ending.load(Ordering::Acquire) {
                return;
            }
            let pause = pauses.wait();
            tracing::warn!("the intake process ended; it is started again in {} ms", pause.as_millis());
            *lock(&self.told) =
                Told { warnings: vec!["no logs are taken in: its process ended".into()], ..Told::default() };
            thread::sleep(pause);
            if self.ending.load(Ordering::Acquire) {
                return;
            }
            match self.spawn() {
                Ok(started) => running = started,
                Err(error) => tracing::error!("the intake process does not start: {error}"),
            }
        }
    }

    /// Hears one process until it is gone.
    fn hear(&self, mut running: Running, news: &SyncSender<News>) {
        {
            let key = lock(&self.key);
            self.line.open(&running);
            if let Some(key) = key.as_ref() {
                self.line.write(&ToIntake::Key(key.clone()));
            }
        }
        loop {
            match receive::<FromIntake>(&mut running.stream, FROM_INTAKE_MAX) {
                Ok(Some(FromIntake::Ready(held_by))) => *lock(&self.told) = Told { held_by, ..Told::default() },
                Ok(Some(FromIntake::Warnings(warnings))) => lock(&self.told).warnings = warnings,
                Ok(Some(FromIntake::Found(found))) => {
                    // A keeper that is busy misses a hint; it stays in the activity.
                    let _ = news.try_send(News::Event(Box::new(event(found))));
                }
                Ok(Some(FromIntake::Answer(number, response))) => self.line.answered(number, response),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!("the intake process says what cannot be understood, and is ended: {error}");
                    break;
                }
            }
        }
        self.line.close();
        running.end();
    }

    /// Hands a question on and waits for the answer.
    pub fn ask(&self, request: Request) -> Response {
        if self.start.is_none() {
            return Response::Error(OFF.into());
        }
        let answer = self.line.ask(|number| ToIntake::Ask(number, request));
        answer.unwrap_or_else(|| Response::Error("the intake gives no answer; it may just be starting again".into()))
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
}

/// What a rule found, as an event. It is observed and nothing more: lines that anybody could have sent never make it High.
fn event(found: FoundView) -> Event {
    let host = found.source.parse().unwrap_or(HostKey::Mac(MacAddr::ZERO));
    let FoundView { rule, title, level, weight, about, activity, proof, words, next, .. } = found;
    let why = format!("{title}: {about}: {words} ({proof} logs of {host}). {next}");
    let proven = proof != "unproven";
    let level = if proven && level == "HIGH" { ThreatLevel::High } else { ThreatLevel::Medium };
    #[allow(clippy::cast_precision_loss, reason = "numbers of records stay below 2^53")]
    let evidence = vec![("activity".into(), activity as f64), ("weight".into(), f64::from(weight))];
    let confidence = if proven { 0.9 } else { 0.5 };
    Event {
        level,
        confidence,
        evidence,
        ..act(now(), None, host, BlockState::Observed, &format!("insider:{rule}"), why)
    }
}
