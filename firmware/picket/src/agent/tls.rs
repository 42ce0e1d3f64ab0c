//! One request to the box, over TLS that trusts this one box and nobody else.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::Trouble;

/// How long one request may take in all.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest answer, in octets.
const ANSWER_MAX: usize = 64 << 10;
/// The name that every box's certificate has.
const NAME: &str = "picket.local";

/// What came back.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
}

/// The configuration that trusts whoever a box's own authority signed.
///
/// # Errors
/// The authority cannot be read.
pub fn of_authority(authority: &[u8]) -> Result<Arc<ClientConfig>, Trouble> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.to_vec()))?;
    let config = builder()?.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

/// The configuration that trusts one certificate by its fingerprint, and where the authority that came with it is put.
///
/// # Errors
/// The fingerprint is none.
pub fn of_fingerprint(fingerprint: &str) -> Result<(Arc<ClientConfig>, Arc<Seen>), Trouble> {
    let wanted: String = fingerprint.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase();
    if wanted.len() != 64 {
        return Err("the fingerprint is 64 hexadecimal digits, as picket status on the box shows it".into());
    }
    let seen = Arc::new(Seen { wanted, authority: Mutex::new(None), provider: provider() });
    let config =
        builder()?.dangerous().with_custom_certificate_verifier(Arc::clone(&seen) as Arc<dyn ServerCertVerifier>);
    Ok((Arc::new(config.with_no_client_auth()), seen))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()
}

/// Accepts the one certificate of a fingerprint, and keeps the authority that signed it.
#[derive(Debug)]
pub struct Seen {
    wanted: String,
    authority: Mutex<Option<Vec<u8>>>,
    provider: Arc<CryptoProvider>,
}

impl Seen {
    /// The authority, once a handshake was done.
    pub fn authority(&self) -> Option<Vec<u8>> {
        super::lock(&self.authority).clone()
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found: String = digest(&SHA256, leaf).as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        if found != self.wanted {
            let text = format!("the box shows the certificate {found}; somebody may stand in between");
            return Err(rustls::Error::General(text));
        }
        *super::lock(&self.authority) = others.last().map(|last| last.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Posts a body, and waits for the answer.
///
/// # Errors
/// The box is not there, is another one, or does not answer in time.
pub fn post(
    at: &str,
    config: &Arc<ClientConfig>,
    path: &str,
    token: Option<&str>,
    body: String,
) -> Result<Answer, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = async {
        tokio::time::timeout(PATIENCE, exchange(at, config, path, token, body))
            .await
            .unwrap_or_else(|_| Err(format!("{at} does not answer within {} s", PATIENCE.as_secs()).into()))
    };
    runtime.block_on(asked)
}

async fn exchange(
    at: &str,
    config: &Arc<ClientConfig>,
    path: &str,
    token: Option<&str>,
    body: String,
) -> Result<Answer, Trouble> {
    let stream = tokio::net::TcpStream::from_std(connect(at)?)?;
    let stream = TlsConnector::from(Arc::clone(config)).connect(ServerName::try_from(NAME)?, stream).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let mut request = Request::post(path)
        .header(header::HOST, NAME)
        .header(header::CONNECTION, "close")
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(Bytes::from(body)))?;
    let asked = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let octets = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
        let octets = octets.map_err(|error| error.to_string())?.to_bytes();
        Ok::<_, Trouble>(Answer { status, text: String::from_utf8_lossy(&octets).into_owned() })
    };
    tokio::pin!(asked);
    tokio::pin!(connection);
    tokio::select! {
        answer = &mut asked => answer,
        // A connection that ended may have brought the answer before.
        ended = &mut connection => match ended {
            Ok(()) => asked.await,
            Err(error) => Err(error.into()),
        },
    }
}

/// A connection that does not wait for ever.
fn connect(at: &str) -> Result<TcpStream, Trouble> {
    let addresses: Vec<SocketAddr> = at.to_socket_addrs().map_err(|error| format!("{at}: {error}"))?.collect();
    let mut last = format!("{at} has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE / 4) {
            Ok(stream) => {
                stream.set_nonblocking(true)?;
                return Ok(stream);
            }
            Err(error) => last = format!("{address}: {error}"),
        }
    }
    Err(last.into())
}
