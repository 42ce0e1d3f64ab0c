//! Port 80: whoever comes without TLS is sent to the page. Nothing else is served there, whatever is asked; what is no HTTP gets an empty 400.
//!
//! | stage | bound |
//! |---|---|
//! | connections | 32 in all, 8 an address |
//! | first octet | 5 s |
//! | header | 5 s, 8 KiB, 32 fields; no body is read |
//! | all of it | 10 s, one answer a connection |

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::places::Places;
use super::stream::Begun;
use super::{FIRST, HEADER, accept};
use crate::office::Office;

/// Connections in all, and from one address.
const PLACES: (usize, usize) = (32, 8);
/// How long a connection may be.
const WHOLE: Duration = Duration::from_secs(10);

/// Serves one listener until the future is dropped; the page is at `port`.
pub async fn redirect(listener: StdListener, port: u16, office: Arc<Office>) {
    let places = Arc::new(Places::of(PLACES.0, PLACES.1));
    let send = |tcp, _from| {
        let sent = timeout(WHOLE, connection(tcp, port, Arc::clone(&office)));
        async move { drop(sent.await) }
    };
    accept("port 80", listener, &office, &places, send).await;
}

async fn connection(tcp: TcpStream, port: u16, office: Arc<Office>) {
    let Ok(own) = tcp.local_addr().map(|own| own.ip().to_canonical()) else { return };
    let Ok(stream) = Begun::wait(tcp, FIRST).await else { return };
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let asked = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let answer = to_page(&office, asked, own, port);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(8 << 10)
        .max_headers(32)
        .keep_alive(false);
    let _ended = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// The one answer: to the page under the name that was asked for where a certificate is for it, else at the address that was reached.
fn to_page(office: &Office, asked: Option<&str>, own: IpAddr, port: u16) -> Response<Body> {
    let name = asked.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let is_own = |name: &&str| {
        office.certificate.of_leaf().0.iter().any(|own| own == name)
            || office.certificate.installed().is_some_and(|installed| installed.is_for(name))
    };
    let place = match (name.filter(is_own), port) {
        (Some(name), 443) => format!("https://{name}/"),
        (Some(name), port) => format!("https://{name}:{port}/"),
        (None, 443) if own.is_ipv4() => format!("https://{own}/"),
        (None, port) => format!("https://{}/", SocketAddr::new(own, port)),
    };
    let answer = Response::builder()
        .status(StatusCode::PERMANENT_REDIRECT)
        .header(header::LOCATION, place)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_LENGTH, 0)
        .header(header::CONNECTION, "close")
        .body(Body::empty());
    answer.unwrap_or_default()
}
