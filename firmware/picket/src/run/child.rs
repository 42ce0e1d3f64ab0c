//! A process of this binary that the gateway starts over a socket pair, and the way to ask it.
//!
//! Both the API and the intake are such processes. Their death never touches the gateway: whoever waits for an answer hears that there is none.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use protocol::Response;
use protocol::link::send;
use serde::Serialize;

use super::allocator;

/// How long an answer may take, and how long a process may take nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first and the longest pause before it is started again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// A process that lived so long is started again at once.
const LIVED: Duration = Duration::from_secs(60);

/// A process that was started, and this end of the pair.
pub struct Running {
    child: Child,
    /// What it says and is told.
    pub stream: UnixStream,
}

impl Running {
    /// Starts this binary with one word and the other end of a pair as its standard input.
    ///
    /// # Errors
    /// The system refuses.
    pub fn start(word: &str) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new("/proc/self/exe")
            .arg(word)
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "RUST_LOG"))
            .envs(allocator::SETTINGS)
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()?;
        Ok(Self { child, stream: ours })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it: it ends by itself when the pair closes; whatever does not is killed.
    pub fn end(mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        let until = Instant::now() + Duration::from_secs(3);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The pauses before a process is started again, which grow while it does not live.
pub struct Pauses {
    next: Duration,
    since: Instant,
}

impl Pauses {
    /// Nothing was waited yet.
    pub fn new() -> Self {
        Self { next: PAUSE.0, since: Instant::now() }
    }

    /// A process was started.
    pub fn started(&mut self) {
        self.since = Instant::now();
    }

    /// How long to wait now.
    pub fn wait(&mut self) -> Duration {
        let now = if self.since.elapsed() > LIVED { PAUSE.0 } else { self.next };
        self.next = (now * 2).min(PAUSE.1);
        now
    }
}

/// The way to a process that may be there or not.
pub struct Line {
    /// The longest message to it.
    longest: usize,
    out: Mutex<Option<UnixStream>>,
    waiting: Mutex<HashMap<u64, SyncSender<Response>>>,
    next: AtomicU64,
}

impl Line {
    /// A way to nobody yet, for messages of so many octets.
    pub fn new(longest: usize) -> Self {
        Self { longest, out: Mutex::new(None), waiting: Mutex::default(), next: AtomicU64::new(1) }
    }

    /// Somebody is there.
    pub fn open(&self, running: &Running) {
        *lock(&self.out) = running.stream.try_clone().ok();
    }

    /// Nobody is there any more, and nobody gets an answer.
    pub fn close(&self) {
        *lock(&self.out) = None;
        lock(&self.waiting).clear();
    }

    /// Lets the process end.
    pub fn hang_up(&self) {
        if let Some(out) = lock(&self.out).take() {
            let _ = out.shutdown(Shutdown::Both);
        }
    }

    /// Whether a message was sent. A process that takes nothing is cut off rather than waited for.
    pub fn write(&self, message: &impl Serialize) -> bool {
        let mut out = lock(&self.out);
        let Some(stream) = out.as_mut() else { return false };
        let _ = stream.set_write_timeout(Some(PATIENCE));
        let done = send(stream, message, self.longest);
        if let Err(error) = &done {
            tracing::warn!("a process is not told: {error}");
            let _ = stream.shutdown(Shutdown::Both);
            *out = None;
        }
        done.is_ok()
    }

    /// Sends a message that carries a number, and waits for the answer to it; nothing where there is none in time.
    pub fn ask<M: Serialize>(&self, message: impl FnOnce(u64) -> M) -> Option<Response> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = sync_channel(1);
        lock(&self.waiting).insert(number, reply);
        let sent = self.write(&message(number));
        let response = if sent { answer.recv_timeout(PATIENCE).ok() } else { None };
        lock(&self.waiting).remove(&number);
        response
    }

    /// Hands an answer to whoever waits for it; nobody may wait any more.
    pub fn answered(&self, number: u64, response: Response) {
        let waiting = lock(&self.waiting).remove(&number);
        let _ = waiting.map(|waiting| waiting.try_send(response));
    }
}

/// What the lock guards; whoever panicked with it left nothing half done.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
