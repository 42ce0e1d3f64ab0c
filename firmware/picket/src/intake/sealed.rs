//! Syslog over TLS: the handshake, before a connection is read like any other.
//!
//! **Source**: RFC 5425. The server shows a certificate, the client none: who sends is as unproven as over TCP. A message that is not counted in
//! octets, which the RFC asks for, is taken too.

use std::sync::Arc;
use std::time::Duration;

use protocol::link::ServerKey;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How TLS is spoken: 1.2 and 1.3.
pub fn config(key: &ServerKey) -> Result<Arc<ServerConfig>, Box<dyn std::error::Error>> {
    let chain = CertificateDer::pem_slice_iter(key.chain.as_bytes()).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(key.key.as_bytes()).map_err(|error| error.to_string())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions)?;
    Ok(Arc::new(builder.with_no_client_auth().with_single_cert(chain, key)?))
}

/// Shakes hands; nothing where that fails or takes too long.
pub async fn shake(stream: TcpStream, config: Option<Arc<ServerConfig>>) -> Option<TlsStream<TcpStream>> {
    let shaken = TlsAcceptor::from(config?).accept(stream);
    tokio::time::timeout(PATIENCE, shaken).await.ok()?.ok()
}
