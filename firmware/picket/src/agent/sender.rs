//! The sender: brings the spool to the box, batch by batch, and tries again until the box has it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use protocol::intake::LogsTaken;
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

use super::spool::Spool;
use super::state::{Enrolment, replace};
use super::{Trouble, enroll, lock, tls};
use crate::run::now;

/// The first and the longest pause after a failure.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How long to wait where the box knows this host no more.
const REVOKED: Duration = Duration::from_secs(300);

/// How it stands, for `picket agent show`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Standing {
    /// When the box had something last, in seconds since the epoch.
    pub told: f64,
    /// Why it does not now; empty where it does.
    pub trouble: String,
    /// Lines that wait.
    pub waiting: u64,
    /// Lines that were lost since the agent started.
    pub lost: u64,
    /// Octets of the spool.
    pub octets: u64,
}

/// The way to the sender's thread.
pub struct Sender {
    wake: SyncSender<()>,
    spool: Arc<Mutex<Spool>>,
}

impl Sender {
    /// Starts it.
    ///
    /// # Errors
    /// The enrolment makes no sense.
    pub fn start(enrolment: Enrolment, folder: &Path, spool: Arc<Mutex<Spool>>) -> Result<Self, Trouble> {
        let authority = enroll::unhex(&enrolment.authority).ok_or("the enrolment has no authority; enrol anew")?;
        let config = tls::of_authority(&authority)?;
        let (wake, woken) = sync_channel(1);
        let work = Work { enrolment, config, file: folder.join("standing.json"), spool: Arc::clone(&spool) };
        thread::Builder::new().name("sender".into()).spawn(move || work.run(&woken))?;
        Ok(Self { wake, spool })
    }

    /// There is something to send.
    pub fn wake(&self) {
        // One that is awake already is as good.
        let _ = self.wake.try_send(());
    }

    /// Waits until everything is with the box, at most so long.
    pub fn end(&self, patience: Duration) {
        let until = Instant::now() + patience;
        while lock(&self.spool).figures().0 > 0 && Instant::now() < until {
            self.wake();
            thread::sleep(Duration::from_millis(50));
        }
    }
}

struct Work {
    enrolment: Enrolment,
    config: Arc<ClientConfig>,
    file: PathBuf,
    spool: Arc<Mutex<Spool>>,
}

impl Work {
    fn run(&self, woken: &Receiver<()>) {
        let (mut pause, mut standing) = (PAUSE.0, Standing::default());
        loop {
            match self.batch() {
                Ok(true) => {
                    (pause, standing.trouble) = (PAUSE.0, String::new());
                    standing.told = now().as_secs_f64();
                    self.keep(&mut standing);
                    continue;
                }
                Ok(false) => pause = PAUSE.0,
                Err(trouble) => {
                    let trouble = trouble.to_string();
                    if trouble != standing.trouble {
                        tracing::warn!("the box is not told: {trouble}");
                        standing.trouble = trouble;
                    }
                    self.keep(&mut standing);
                    // Many agents that lost the same box do not come back at the same moment.
                    let chance = 1.0 + f64::from(std::process::id() % 16) / 32.0;
                    thread::sleep(pause.mul_f64(chance));
                    pause = if standing.trouble.contains("401") { REVOKED } else { (pause * 2).min(PAUSE.1) };
                    continue;
                }
            }
            match woken.recv_timeout(Duration::from_secs(5)) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Sends one batch; `false` where there is none.
    fn batch(&self) -> Result<bool, Trouble> {
        let batch = lock(&self.spool).batch()?;
        if batch.is_empty() {
            return Ok(false);
        }
        let answer = tls::post(&self.enrolment.at, &self.config, "/api/v1/logs", Some(&self.enrolment.token), batch)?;
        if answer.status != 200 {
            let text: String = answer.text.chars().take(300).collect();
            return Err(format!("the box answers {}: {text}", answer.status).into());
        }
        let taken: LogsTaken = serde_json::from_str(&answer.text)?;
        let through = taken.through.ok_or("the box says nothing of how far it has what was told")?;
        let mut spool = lock(&self.spool);
        let before = spool.figures().0;
        spool.sent(through);
        if spool.figures().0 == before && taken.accepted == 0 {
            return Err(format!("the box takes none of it: {:?}", taken.refused_for).into());
        }
        Ok(true)
    }

    fn keep(&self, standing: &mut Standing) {
        (standing.waiting, standing.lost, standing.octets) = lock(&self.spool).figures();
        if let Err(error) = replace(&self.file, &serde_json::to_vec(standing).unwrap_or_default()) {
            tracing::debug!("how it stands is not kept: {error}");
        }
    }
}
