//! The live feed: server-sent events, resumed by `Last-Event-ID`, for few clients at a time; one that reads too slowly is dropped.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Response;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use hyper::body::Frame;
use protocol::Request;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::dispatch::Server;
use crate::api::EventRow;
use crate::people::Caller;
use crate::problem::Problem;

/// Clients at a time.
const CLIENTS: usize = 8;
/// Events that wait for a client; one that lets more wait is dropped.
const WAITING: usize = 64;
/// Events that are caught up on.
const MISSED: u32 = 500;
/// How often something is sent, so that both ends know of one another, and it is looked whether the session still holds.
const BEAT: Duration = Duration::from_secs(15);

/// Clients of this process.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

/// One client's end.
struct Lines {
    from: mpsc::Receiver<String>,
    _one: One,
}

/// One client, counted.
struct One;

impl Drop for One {
    fn drop(&mut self) {
        LISTENING.fetch_sub(1, Ordering::AcqRel);
    }
}

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.from.poll_recv(cx).map(|line| line.map(|line| Ok(Frame::data(Bytes::from(line)))))
    }
}

/// Begins a feed for a caller.
///
/// # Errors
/// 503: too many listen already.
pub fn stream(server: &Arc<Server>, caller: Option<Caller>, last: Option<u64>) -> Result<Response<Body>, Problem> {
    if LISTENING.fetch_add(1, Ordering::AcqRel) >= CLIENTS {
        LISTENING.fetch_sub(1, Ordering::AcqRel);
        return Err(Problem::busy(format!("{CLIENTS} clients listen already")));
    }
    let (to, from) = mpsc::channel(WAITING);
    tokio::spawn(send(Arc::clone(server), caller, last, to));
    let mut answer = Response::new(Body::new(Lines { from, _one: One }));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(answer)
}

/// Sends what was missed, then what comes, until the client goes, is too slow, or its session ends.
async fn send(server: Arc<Server>, caller: Option<Caller>, last: Option<u64>, to: mpsc::Sender<String>) {
    let mut news = server.feed.subscribe();
    let mut sent = last.unwrap_or(0);
    if to.try_send("retry: 2000\n\n".into()).is_err() {
        return;
    }
    for (id, line) in missed(&server, last).await {
        sent = id;
        if to.send(told(id, &line)).await.is_err() {
            return;
        }
    }
    loop {
        let done = match timeout(BEAT, news.recv()).await {
            Ok(Ok(event)) if event.0 <= sent => Ok(()),
            Ok(Ok(event)) => to.try_send(told(event.0, &event.1)),
            // It was too slow, or the API is ending: it comes again with the last id that it has.
            Ok(Err(_)) => return,
            // A comment would do for the connection, but a page cannot see one.
            Err(_) => to.try_send("event: beat\ndata:\n\n".into()),
        };
        if done.is_err() || !holds(&server, caller.as_ref()) {
            return;
        }
    }
}

async fn missed(server: &Arc<Server>, last: Option<u64>) -> VecDeque<(u64, String)> {
    let Some(after) = last else { return VecDeque::new() };
    let office = Arc::clone(&server.office);
    let ask = move || office.ask::<Vec<EventRow>>(Request::EventsAfter { after, limit: MISSED });
    let events = tokio::task::spawn_blocking(ask).await;
    let events = events.ok().and_then(Result::ok).unwrap_or_default();
    events.into_iter().filter_map(|event| Some((event.id, serde_json::to_string(&event).ok()?))).collect()
}

/// Whether the session or token that began the feed is still good for it.
fn holds(server: &Server, caller: Option<&Caller>) -> bool {
    let Some(caller) = caller else { return false };
    let people = server.office.people();
    let same =
        people.accounts.get(&caller.account).is_some_and(|account| account.active && account.role == caller.role);
    let now = crate::clock::now().micros();
    same && caller.session.is_none_or(|number| people.sessions.get(&number).is_some_and(|session| session.lives(now)))
}

fn told(id: u64, line: &str) -> String {
    format!("id: {id}\nevent: activity\ndata: {line}\n\n")
}
