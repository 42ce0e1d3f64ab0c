//! The API's end of the socket pair: questions out, answers and errands in.

use std::collections::HashMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::link::{Errand, FROM_API_MAX, FromApi, TO_API_MAX, ToApi, receive, send};
use protocol::{Request, Response};

use crate::office::Gateway;

/// How long the gateway may take for an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// The same where it waits for a mail server.
const MAIL: Duration = Duration::from_secs(40);

/// Does what the gateway wants done.
pub type Errands = Arc<dyn Fn(Errand) -> Response + Send + Sync>;

/// The same where it makes a report.
const REPORT: Duration = Duration::from_secs(90);

/// The way to the gateway.
pub struct Link {
    out: Mutex<UnixStream>,
    waiting: Mutex<HashMap<u64, SyncSender<Response>>>,
    next: AtomicU64,
}

impl Link {
    /// A link over this end of the pair.
    ///
    /// # Errors
    /// The system gives no second handle.
    pub fn new(stream: &UnixStream) -> io::Result<Self> {
        Ok(Self { out: Mutex::new(stream.try_clone()?), waiting: Mutex::default(), next: AtomicU64::new(1) })
    }

    /// Takes what comes until the gateway is gone; each errand is done by `errands`. One that asks back gets a thread: this one is to
    /// hear the answer.
    pub fn listen(self: &Arc<Self>, mut stream: UnixStream, errands: &Errands) {
        while let Ok(Some(message)) = receive::<ToApi>(&mut stream, TO_API_MAX) {
            match message {
                ToApi::Answer(number, response) => {
                    let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
                    // Nobody may wait any more.
                    let _ = waiting.map(|waiting| waiting.try_send(response));
                }
                ToApi::Errand(number, errand @ Errand::Access(_)) => {
                    let (link, errands) = (Arc::clone(self), Arc::clone(errands));
                    let run = move || link.write(&FromApi::Done(number, errands(errand)));
                    if let Err(error) = std::thread::Builder::new().name("errand".into()).spawn(run) {
                        self.write(&FromApi::Done(number, Response::Error(error.to_string())));
                    }
                }
                ToApi::Errand(number, errand) => {
                    self.write(&FromApi::Done(number, errands(errand)));
                }
                ToApi::Start(_) => {}
            }
        }
    }

    /// Whether it was sent.
    fn write(&self, message: &FromApi) -> bool {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let done = send(&mut *out, message, FROM_API_MAX);
        if let Err(error) = &done {
            tracing::warn!("the gateway is not told: {error}");
        }
        done.is_ok()
    }
}

impl Gateway for Arc<Link> {
    fn ask(&self, request: Request) -> Response {
        let patience = match request {
            Request::Mail(_) | Request::Post(_) => MAIL,
            Request::Report(_) => REPORT,
            _ => PATIENCE,
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = sync_channel(1);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(number, reply);
        if !self.write(&FromApi::Ask(number, request)) {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
            return Response::Error("the question is too long for the gateway, or it is ending".into());
        }
        let response = answer.recv_timeout(patience);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        response.unwrap_or_else(|_| Response::Error("the gateway gives no answer".into()))
    }

    fn tell(&self, message: FromApi) {
        self.write(&message);
    }
}
