//! The door of each route: who asks, may they, then what they ask, then the handler.
//!
//! The order is the contract: without a session 401 and with the wrong role 403, before path, query or body are looked at.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use axum::routing::{MethodFilter, on};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::cookie::{self, Held};
use super::feed;
use super::page::with_page;
use crate::office::Office;
use crate::people::Caller;
use crate::problem::Problem;
use crate::route::{Answer, Call, Method, Reply, Route, query};
use crate::secret::sha256;
use crate::source::Telling;
use crate::words::plain;

/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);
/// How much of a body that nobody wants is read all the same, and for how long: a client that is still sending when it is refused
/// would see its connection cut instead of the refusal.
const DRAIN: (usize, Duration) = (2 << 20, Duration::from_secs(2));
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// Requests that are worked on at a time; others wait.
const AT_WORK: usize = 8;
/// What else enrolled sources may call JSON lines.
const LINES: [&str; 3] = ["application/x-ndjson", "application/jsonl", "application/x-json-stream"];
/// The longest idempotency key, in octets.
const KEY_MAX: usize = 64;
/// What every answer carries. The API is no page: nothing may be run, framed, kept or guessed from it.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Marks an answer with which its connection ends.
#[derive(Clone, Copy, Debug)]
pub struct Parting;

/// What all routes are served with.
pub struct Server {
    /// The shared state.
    pub office: Arc<Office>,
    /// Those at work.
    pub at_work: Semaphore,
}

impl Server {
    /// A server for an office.
    #[must_use]
    pub fn new(office: Arc<Office>) -> Self {
        Self { office, at_work: Semaphore::new(AT_WORK) }
    }
}

/// A router over every declared route.
pub fn router(server: &Arc<Server>) -> Router {
    let mut router = Router::new();
    for route in crate::api::routes() {
        let (server, route) = (Arc::clone(server), Arc::new(route));
        let filter = match route.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Patch => MethodFilter::PATCH,
            Method::Delete => MethodFilter::DELETE,
        };
        let path = route.path;
        let handler = move |request: Request| {
            let (server, route) = (Arc::clone(&server), Arc::clone(&route));
            async move { answer(&server, &route, request).await }
        };
        router = router.route(path, on(filter, handler));
    }
    let missing = || async { response(&Reply::problem(&Problem::missing("route"))) };
    let method = || async { response(&Reply::problem(&Problem::new(405, "this route does not take this method"))) };
    with_page(router).method_not_allowed_fallback(method).fallback(missing)
}

/// Answers one request.
async fn answer(server: &Arc<Server>, route: &Arc<Route>, request: Request) -> Response<Body> {
    match timeout(ANSWER, through(server, route, request)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(problem)) => refusal(&problem),
        Err(_) => refusal(&Problem::busy("the answer took too long")),
    }
}

async fn through(server: &Arc<Server>, route: &Arc<Route>, request: Request) -> Result<Response<Body>, Problem> {
    let (parts, mut body) = request.into_parts();
    let done = asked(server, route, parts, &mut body).await;
    if done.is_err() || route.body.is_none() {
        drain(body).await;
    }
    done
}

async fn asked(
    server: &Arc<Server>,
    route: &Arc<Route>,
    mut parts: Parts,
    body: &mut Body,
) -> Result<Response<Body>, Problem> {
    let peer = parts.extensions.get::<SocketAddr>().copied().unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
    let (from, port) = (peer.ip(), peer.port());
    let telling = if route.enrolled { Some(enrolled(&server.office, &parts, from)?) } else { None };
    let (caller, held) = if route.enrolled { (None, None) } else { enter(&server.office, route, &parts, from)? };
    if matches!(route.answer, Answer::Stream) {
        let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
        // A browser's event stream sends that header only when it comes back.
        let first = || parts.uri.query()?.strip_prefix("after=")?.parse().ok();
        let last = last.or_else(first);
        return feed::stream(server, caller, last).map(dressed);
    }
    let path = RawPathParams::from_request_parts(&mut parts, &()).await;
    let path = path.map_err(|_| Problem::missing("thing"))?;
    let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let octets = if route.body.is_some() { read(&parts.headers, body, route).await? } else { Vec::new() };
    let call = Call {
        caller,
        telling,
        from,
        port,
        agent: text(&parts.headers, &header::USER_AGENT),
        path,
        query: query(parts.uri.query().unwrap_or_default())?,
        octets,
        if_match: parts.headers.get(header::IF_MATCH).map(|_| text(&parts.headers, &header::IF_MATCH)),
        csv: text(&parts.headers, &header::ACCEPT).starts_with("text/csv"),
        page: cookie::is_page(&parts.headers),
    };
    let key = idempotency(route, &parts.headers)?;
    let turn = server.at_work.acquire().await.map_err(|_| Problem::busy("the API is ending"))?;
    let parting = route.parting;
    let (office, route) = (Arc::clone(&server.office), Arc::clone(route));
    let work = tokio::task::spawn_blocking(move || handle(&office, &route, call, key));
    let reply = work.await.map_err(|_| Problem::new(500, "the API failed to answer; its log says more"))?;
    drop(turn);
    let reply = reply?;
    let mut answer = response(&reply);
    let begun = reply.cookie.as_deref().and_then(cookie::set);
    if let Some(cookie) = begun.or_else(|| cookie::after(&server.office, held.as_ref()?)) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    if parting {
        answer.extensions_mut().insert(Parting);
    }
    Ok(answer)
}

/// Who asks, and whether they may; with the page's cookie if they have one.
fn enter(
    office: &Office,
    route: &Route,
    parts: &Parts,
    from: IpAddr,
) -> Result<(Option<Caller>, Option<Held>), Problem> {
    let token = bearer(&parts.headers);
    let token = token.as_deref();
    let held = if token.is_none() { cookie::held(office, parts, route.method)? } else { None };
    let caller = held.as_ref().map(|held| held.caller.clone());
    let caller = caller.or_else(|| token.and_then(|token| office.caller(token)));
    if route.public() {
        if cookie::is_page(&parts.headers) {
            cookie::guard(parts, route.method)?;
        }
        if !route.unclaimed && office.claim().is_some() {
            return Err(Problem::forbidden("the box has no owner yet: POST /api/v1/auth/claim"));
        }
        return Ok((caller, held));
    }
    let caller = caller.ok_or_else(Problem::unknown)?;
    let refuse = |why: &str| {
        let who = crate::audit::Who { name: caller.email.clone(), role: Some(caller.role), from: Some(from) };
        let on = format!("{} {}", route.method.as_str(), route.path);
        office.refused(crate::audit::Act { who, what: "access".into(), on, ..crate::audit::Act::default() }, why);
        Err(Problem::forbidden(why))
    };
    if caller.due && !route.before_totp {
        return Err(Problem::due());
    }
    if !route.roles.contains(&caller.role) {
        return refuse("this role may not");
    }
    if caller.scopes.as_ref().is_some_and(|scopes| !scopes.contains(&route.scope)) {
        return refuse("this token is not for that");
    }
    if !caller.verified && !route.unverified {
        return refuse("the account is not verified yet");
    }
    if route.dangerous && !caller.fresh {
        return Err(Problem::stale());
    }
    Ok((Some(caller), held))
}

/// The enrolled source that tells.
fn enrolled(office: &Office, parts: &Parts, from: IpAddr) -> Result<Telling, Problem> {
    let token = bearer(&parts.headers);
    token.and_then(|token| office.telling(&token)).ok_or_else(|| {
        let who = crate::audit::Who { name: "nobody".into(), role: None, from: Some(from) };
        let act = crate::audit::Act { who, what: "logs".into(), ..crate::audit::Act::default() };
        office.refused(act, "no token of an enrolled source");
        Problem { detail: "send the token of an enrolled source".into(), ..Problem::unknown() }
    })
}

/// The token of `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let token = text(headers, &header::AUTHORIZATION);
    let (scheme, token) = token.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The body, within its length and time.
async fn read(headers: &HeaderMap, body: &mut Body, route: &Route) -> Result<Vec<u8>, Problem> {
    let most = route.body_max;
    let kind = text(headers, &header::CONTENT_TYPE);
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let lines = route.enrolled && LINES.contains(&kind.as_str());
    if kind != "application/json" && !lines {
        return Err(Problem::new(415, "send the body as application/json"));
    }
    let too_long = || Problem::new(413, format!("the body is longer than {most} octets"));
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > most as u64) {
        return Err(too_long());
    }
    let all = async {
        let mut octets = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Problem::malformed("the body ended early"))?;
            let data = frame.into_data().unwrap_or_default();
            if octets.len() + data.len() > most {
                return Err(too_long());
            }
            octets.extend_from_slice(&data);
        }
        Ok(octets)
    };
    timeout(BODY, all).await.unwrap_or_else(|_| Err(Problem::new(408, "the body took too long")))
}

/// Reads the rest of a body and forgets it, within bounds.
async fn drain(mut body: Body) {
    let (most, patience) = DRAIN;
    let all = async {
        let mut octets = 0;
        while let Some(Ok(frame)) = body.frame().await {
            octets += frame.data_ref().map_or(0, axum::body::Bytes::len);
            if octets > most {
                return;
            }
        }
    };
    let _ended = timeout(patience, all).await;
}

/// Has the handler answer, once for each idempotency key.
fn handle(office: &Arc<Office>, route: &Route, call: Call, key: Option<String>) -> Result<Reply, Problem> {
    let Some((who, key)) = call.caller.as_ref().map(|caller| caller.account).zip(key) else {
        return (route.handler)(office, call);
    };
    let request = format!("{} {}", route.path, sha256(&call.octets));
    if let Some(reply) = office.answered(who, &key, &request)? {
        return Ok(reply);
    }
    let reply = (route.handler)(office, call)?;
    office.answer(who, &key, request, &reply);
    Ok(reply)
}

fn idempotency(route: &Route, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key").filter(|_| route.method == Method::Post) else { return Ok(None) };
    let good = |key: &&str| (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|octet| octet.is_ascii_graphic());
    let key = key.to_str().ok().filter(good);
    key.map(|key| Some(key.to_owned()))
        .ok_or_else(|| Problem::field("Idempotency-Key", "takes 1 to 64 visible characters"))
}

/// A header as text; what is no text is nothing.
fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).map_or_else(String::new, |value| plain(value, 4_096))
}

fn refusal(problem: &Problem) -> Response<Body> {
    let mut answer = response(&Reply::problem(problem));
    if let Some(secs) = problem.retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    if problem.status == 401 {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

fn response(reply: &Reply) -> Response<Body> {
    let mut answer = Response::new(Body::from(reply.body.clone()));
    *answer.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if reply.status != 204 {
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.kind));
    }
    if let Some(tag) = reply.tag.as_ref().and_then(|tag| HeaderValue::from_str(tag).ok()) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    let saved =
        reply.file.as_ref().and_then(|name| HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).ok());
    if let Some(saved) = saved {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, saved);
    }
    dressed(answer)
}

/// With the headers that every answer carries.
fn dressed(mut answer: Response<Body>) -> Response<Body> {
    for (name, value) in HEADERS {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
