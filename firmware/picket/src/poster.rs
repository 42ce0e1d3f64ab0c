//! The process that posts one message: reads what is to be posted, gives up its rights, posts, says how that went.

mod lines;
mod webhook;

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use protocol::{PostOrder, PostSent, Way};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest order, in octets.
const ORDER_MAX: u64 = 256 << 10;
/// How long it may take in all.
const PATIENCE: Duration = Duration::from_secs(12);

/// Why it was not posted.
type Trouble = Box<dyn std::error::Error>;

/// A message with what its address says.
struct Post {
    order: PostOrder,
    uri: Uri,
    way: Way,
    host: String,
    port: u16,
}

/// Posts what standard input says, as a user that owns nothing.
#[must_use]
pub fn run() -> ExitCode {
    let sent = take().and_then(post).unwrap_or_else(|error| PostSent { why: error.to_string(), ..PostSent::default() });
    let text = serde_json::to_vec(&sent).unwrap_or_default();
    if io::stdout().write_all(&text).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is to be posted; from here on nothing can be done but that.
fn take() -> Result<Post, Trouble> {
    let mut text = Vec::new();
    io::stdin().take(ORDER_MAX).read_to_end(&mut text)?;
    let order: PostOrder = serde_json::from_slice(&text)?;
    let uri: Uri = order.url.parse()?;
    let way = uri.scheme_str().and_then(Way::of).ok_or("the address begins with no scheme that is known")?;
    let port = uri.port_u16().or(way.port()).ok_or("the address names no port")?;
    let host = uri.host().ok_or("the address names no host")?.trim_matches(['[', ']']).to_owned();
    admin::give_up_all_but_one_port(port)?;
    Ok(Post { order, uri, way, host, port })
}

fn post(post: Post) -> Result<PostSent, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build()?;
    runtime.block_on(async {
        let late = |_| Trouble::from(format!("no answer within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, exchange(post)).await.map_err(late)?
    })
}

async fn exchange(post: Post) -> Result<PostSent, Trouble> {
    if post.way == Way::SyslogUdp {
        return lines::datagram(&post).await;
    }
    let stream = TcpStream::connect((post.host.as_str(), post.port)).await?;
    if post.way.encrypted() {
        let name = ServerName::try_from(post.host.clone())?;
        deliver(TlsConnector::from(trust(&post.order.ca)?).connect(name, stream).await?, post).await
    } else {
        deliver(stream, post).await
    }
}

async fn deliver<T: AsyncRead + AsyncWrite + Unpin>(stream: T, post: Post) -> Result<PostSent, Trouble> {
    match post.way {
        Way::Http | Way::Https => webhook::ask(stream, post.order, &post.uri).await,
        Way::SyslogUdp | Way::SyslogTcp | Way::SyslogTls => {
            lines::stream(stream, format!("{} {}", post.order.body.len(), post.order.body)).await
        }
        Way::EveTcp | Way::EveTls => lines::stream(stream, post.order.body).await,
    }
}

/// Whom to trust.
fn trust(ca: &str) -> Result<Arc<ClientConfig>, Trouble> {
    let mut roots = RootCertStore::empty();
    if ca.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    } else {
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            roots.add(certificate.map_err(|error| error.to_string())?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
