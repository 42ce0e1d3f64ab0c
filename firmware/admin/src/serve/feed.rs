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
use crate::role::Role;

/// Clients at a time of those who may see the whole network, and of all others: nobody takes an admin's place.
const CLIENTS: usize = 8;
/// Events that wait for a client; one that lets more wait is dropped.
const WAITING: usize = 64;
/// Events that are caught up on.
const MISSED: u32 = 500;
/// How often something is sent, so that both ends know of one another, and it is looked whether the session still holds.
const BEAT: Duration = Duration::from_secs(15);

/// Clients of this process.
static LISTENING: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

/// One client's end.
struct Lines {
    from: mpsc::Receiver<String>,
    _one: One,
}

/// One client, counted among its like.
struct One(&'static AtomicUsize);

impl One {
    fn of(caller: Option<&Caller>) -> Result<Self, Problem> {
        let user = caller.is_some_and(|caller| caller.role == Role::User);
        let listening = &LISTENING[usize::from(user)];
        if listening.fetch_add(1, Ordering::AcqRel) >= CLIENTS {
            listening.fetch_sub(1, Ordering::AcqRel);
            return Err(Problem::busy(format!("{CLIENTS} clients listen already")));
        }
        Ok(Self(listening))
    }
}

impl Drop for One {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
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
    let one = One::of(caller.as_ref())?;
    let (to, from) = mpsc::channel(WAITING);
    tokio::spawn(send(Arc::clone(server), caller, last, to));
    let mut answer = Response::new(Body::new(Lines { from, _one: one }));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(answer)
}

/// Sends what was missed, then what comes, until the client goes, is too slow, or its session ends.
async fn send(server: Arc<Server>, caller: Option<Caller>, last: Option<u64>, to: mpsc::Sender<String>) {
    let mut news = server.office.feed.listen();
    let all = caller.as_ref().is_some_and(|caller| caller.role != Role::User);
    let mut sent = last.unwrap_or(0);
    if to.try_send("retry: 2000\n\n".into()).is_err() {
        return;
    }
    for (id, line) in missed(&server, last.filter(|_| all)).await {
        sent = id;
        if to.send(told(Some(id), "activity", &line)).await.is_err() {
            return;
        }
    }
    loop {
        let done = match timeout(BEAT, news.recv()).await {
            Ok(Ok(news)) if news.id.is_some_and(|id| id <= sent) => Ok(()),
            Ok(Ok(news)) if !caller.as_ref().is_some_and(|caller| news.is_for(caller)) => Ok(()),
            Ok(Ok(news)) => to.try_send(told(news.id, news.kind, &news.line)),
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

fn told(id: Option<u64>, kind: &str, line: &str) -> String {
    let id = id.map_or(String::new(), |id| format!("id: {id}\n"));
    format!("{id}event: {kind}\ndata: {line}\n\n")
}
