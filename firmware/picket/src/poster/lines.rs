//! A message without an answer: syslog and EVE lines. What can be known of its arrival is found out.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use protocol::PostSent;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UdpSocket, lookup_host};

use super::{Post, Trouble};

/// For how long a refusal of a datagram is waited for: the receiver's host says at once that nobody listens.
const REFUSAL: Duration = Duration::from_millis(500);

/// Sends octets and the connection's end, and waits until the receiver has ended it too: it has read everything then. Reset,
/// it has not; and nothing is known of one that never ends it, which is a failure: a line twice is better than none.
pub async fn stream<T: AsyncRead + AsyncWrite + Unpin>(mut stream: T, octets: String) -> Result<PostSent, Trouble> {
    stream.write_all(octets.as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = [0; 512];
    loop {
        match stream.read(&mut rest).await {
            Ok(0) => break,
            Ok(_) => {}
            // Receivers end TLS without a word more often than with one.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(PostSent { accepted: true, ..PostSent::default() })
}

/// Sends a datagram. It counts as taken unless the receiver's host says that nobody listens.
pub async fn datagram(post: &Post) -> Result<PostSent, Trouble> {
    let to = lookup_host((post.host.as_str(), post.port)).await?.next().ok_or("the name has no address")?;
    let own: SocketAddr =
        if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(to).await?;
    socket.send(post.order.body.as_bytes()).await?;
    match tokio::time::timeout(REFUSAL, socket.recv(&mut [0; 1])).await {
        Ok(Err(error)) => Err(error.into()),
        Ok(Ok(_)) | Err(_) => Ok(PostSent { accepted: true, ..PostSent::default() }),
    }
}
