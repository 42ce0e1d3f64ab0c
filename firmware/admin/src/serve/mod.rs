//! The server: TLS, limits at every stage, HTTP/1.1 and HTTP/2, and the door that decides who gets to which route.
//!
//! | stage | bound |
//! |---|---|
//! | connections | `places`: 96 in all, 24 an address |
//! | TLS handshake | 5 s |
//! | first octet after it | 5 s (hyper-util's own builder waits for ever: hyperium/hyper#3756, so ALPN decides here) |
//! | header | 5 s, 16 KiB, 64 fields |
//! | body | the route's length, 10 s |
//! | HTTP/2 | 16 streams, answered pings each 20 s |
//! | answer | 30 s; a reader that takes nothing for 20 s is gone |
//! | idle connection | 60 s of HTTP/2; of HTTP/1.1 as long as a header may take |

mod cookie;
mod dispatch;
mod feed;
mod installed;
pub mod mdns;
mod page;
mod places;
mod redirect;
mod stream;
mod tls;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::{CONNECTION, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::office::Office;
use places::Places;
use stream::Begun;

use dispatch::Parting;
pub use dispatch::{Server, router};
pub use installed::{Checked, Installed};
pub use tls::{Certificate, TlsError};

/// How long a handshake may take, and then the first octet.
const HANDSHAKE: Duration = Duration::from_secs(5);
const FIRST: Duration = Duration::from_secs(5);
/// How long a header may take.
const HEADER: Duration = Duration::from_secs(5);
/// How long a connection may do nothing.
const IDLE: Duration = Duration::from_secs(60);
/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait after an accept that failed, as when no file descriptor is free.
const BREATH: Duration = Duration::from_millis(100);

/// Serves one listener until the future is dropped.
pub async fn serve(
    listener: StdListener,
    config: Arc<ServerConfig>,
    server: Arc<Server>,
    router: Router,
    places: Arc<Places>,
) {
    let acceptor = TlsAcceptor::from(config);
    let answer = |tcp, from| connection(tcp, from, acceptor.clone(), router.clone());
    accept("the API", listener, &server.office, &places, answer).await;
}

/// Gives every connection that may come and finds a place to a task of its own, until the future is dropped.
async fn accept<Served>(
    who: &str,
    listener: StdListener,
    office: &Office,
    places: &Arc<Places>,
    serve: impl Fn(TcpStream, SocketAddr) -> Served,
) where
    Served: Future<Output = ()> + Send + 'static,
{
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("{who} cannot listen: {error}"),
    };
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => {
                let from = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                if !may_connect(office, from.ip()) {
                    continue;
                }
                let Some(place) = places.take(from.ip()) else { continue };
                let served = serve(tcp, from);
                tokio::spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("{who} cannot accept: {error}");
                sleep(BREATH).await;
            }
        }
    }
}

/// All listeners at once; `plain` are those that send people to the page, each with the port that is at.
pub async fn serve_all(
    listeners: Vec<StdListener>,
    plain: Vec<(StdListener, u16)>,
    config: Arc<ServerConfig>,
    server: Arc<Server>,
) {
    let places = Arc::new(Places::default());
    let router = router(&server);
    for (listener, port) in plain {
        tokio::spawn(redirect::redirect(listener, port, Arc::clone(&server.office)));
    }
    let tasks: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            tokio::spawn(serve(listener, Arc::clone(&config), Arc::clone(&server), router.clone(), Arc::clone(&places)))
        })
        .collect();
    for task in tasks {
        let _ended = task.await;
    }
}

/// A box without an owner speaks with its neighbours only.
fn may_connect(office: &Office, from: IpAddr) -> bool {
    office.claim().is_none() || private(from)
}

/// Whether an address is one that no stranger on the internet has.
#[must_use]
pub fn private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// What a connection has to do, so that an idle one is told from one that waits.
#[derive(Default)]
struct Doing {
    requests: AtomicUsize,
    last: AtomicU64,
    parting: Notify,
}

/// A request under way, until it is answered or given up.
struct Request {
    doing: Arc<Doing>,
    begun: Instant,
}

impl Request {
    fn begin(doing: Arc<Doing>, begun: Instant) -> Self {
        doing.requests.fetch_add(1, Ordering::AcqRel);
        Self { doing, begun }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.doing.last.store(self.begun.elapsed().as_secs(), Ordering::Release);
        self.doing.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One connection, from its handshake to its end.
async fn connection(tcp: TcpStream, from: SocketAddr, acceptor: TlsAcceptor, router: Router) {
    let _ = tcp.set_nodelay(true);
    let Ok(Ok(tls)) = timeout(HANDSHAKE, acceptor.accept(tcp)).await else { return };
    let h2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let Ok(stream) = Begun::wait(tls, FIRST).await else { return };
    let (begun, doing) = (Instant::now(), Arc::new(Doing::default()));
    let tracked = Arc::clone(&doing);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        let (router, doing) = (router.clone(), Arc::clone(&tracked));
        request.extensions_mut().insert(from);
        async move {
            use tower_service::Service;
            let _one = Request::begin(Arc::clone(&doing), begun);
            let mut answer = router.clone().call(request.map(axum::body::Body::new)).await;
            if let Some(answer) = answer.as_mut().ok().filter(|answer| answer.extensions().get::<Parting>().is_some()) {
                if h2 {
                    doing.parting.notify_one();
                } else {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
            }
            answer.map_err(|never: Infallible| never)
        }
    });
    let idle = async {
        let mut look = interval(LOOK);
        loop {
            look.tick().await;
            let since = begun.elapsed().as_secs().saturating_sub(doing.last.load(Ordering::Acquire));
            if doing.requests.load(Ordering::Acquire) == 0 && since > IDLE.as_secs() {
                return;
            }
        }
    };
    let io = TokioIo::new(stream);
    if h2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).max_concurrent_streams(16).max_header_list_size(16 << 10);
        builder.keep_alive_interval(Duration::from_secs(20)).keep_alive_timeout(Duration::from_secs(10));
        builder.max_send_buf_size(64 << 10).max_pending_accept_reset_streams(16).max_local_error_reset_streams(32);
        let mut serving = pin!(builder.serve_connection(io, service));
        tokio::select! {
            _ = serving.as_mut() => {}
            () = idle => {}
            () = doing.parting.notified() => {
                serving.as_mut().graceful_shutdown();
                let _ended = timeout(IDLE, serving).await;
            }
        }
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER).max_buf_size(16 << 10).max_headers(64);
        tokio::select! { _ = builder.serve_connection(io, service) => {}, () = idle => {} }
    }
}
