//! The process that posts one message to a webhook: reads what is to be posted, gives up its rights, posts, says how that went.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::rt::{Read as HyperRead, Write as HyperWrite};
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use protocol::{PostOrder, PostSent};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest order, in octets.
const ORDER_MAX: u64 = 256 << 10;
/// How long it may take in all.
const PATIENCE: Duration = Duration::from_secs(12);

/// Why it was not posted.
type Trouble = Box<dyn std::error::Error>;

/// Posts what standard input says, as a user that owns nothing.
#[must_use]
pub fn run() -> ExitCode {
    let sent = order()
        .and_then(|(order, uri)| post(order, &uri))
        .unwrap_or_else(|error| PostSent { why: error.to_string(), ..PostSent::default() });
    let text = serde_json::to_vec(&sent).unwrap_or_default();
    if io::stdout().write_all(&text).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is to be posted; from here on nothing can be done but that.
fn order() -> Result<(PostOrder, Uri), Trouble> {
    let mut text = Vec::new();
    io::stdin().take(ORDER_MAX).read_to_end(&mut text)?;
    let order: PostOrder = serde_json::from_slice(&text)?;
    let uri: Uri = order.url.parse()?;
    admin::give_up_all_but_one_port(port(&uri)?)?;
    Ok((order, uri))
}

/// The port of an address.
fn port(uri: &Uri) -> Result<u16, Trouble> {
    match uri.scheme_str() {
        Some("https") => Ok(uri.port_u16().unwrap_or(443)),
        Some("http") => Ok(uri.port_u16().unwrap_or(80)),
        _ => Err("the address does not begin with http:// or https://".into()),
    }
}

fn post(order: PostOrder, uri: &Uri) -> Result<PostSent, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build()?;
    let status = runtime.block_on(async {
        let late = |_| Trouble::from(format!("no answer within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, exchange(order, uri)).await.map_err(late)?
    })?;
    let accepted = (200..300).contains(&status);
    // What a receiver cannot read now it will not be able to read later; anything else may pass.
    let refused = (400..500).contains(&status) && !matches!(status, 408 | 425 | 429);
    Ok(PostSent { accepted, refused, why: if accepted { String::new() } else { format!("it answers {status}") } })
}

async fn exchange(order: PostOrder, uri: &Uri) -> Result<u16, Trouble> {
    let host = uri.host().ok_or("the address names no host")?.trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host.as_str(), port(uri)?)).await?;
    if uri.scheme_str() == Some("https") {
        let stream = TlsConnector::from(trust(&order.ca)?).connect(ServerName::try_from(host)?, stream).await?;
        ask(TokioIo::new(stream), order, uri).await
    } else {
        ask(TokioIo::new(stream), order, uri).await
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

async fn ask<T: HyperRead + HyperWrite + Unpin>(stream: T, order: PostOrder, uri: &Uri) -> Result<u16, Trouble> {
    let (mut sender, connection) = handshake(stream).await?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str().rsplit('@').next().unwrap_or_default());
    let mut request = Request::post(path)
        .header(header::HOST, host)
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, concat!("picket/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &order.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(order.body)))?;
    let asked = sender.send_request(request);
    tokio::pin!(asked);
    tokio::pin!(connection);
    let answer = tokio::select! {
        answer = &mut asked => answer?,
        // A connection that ended may have brought the answer before.
        ended = &mut connection => {
            ended?;
            asked.await?
        }
    };
    Ok(answer.status().as_u16())
}
