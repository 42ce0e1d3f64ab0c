//! A message to a webhook: one request.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use protocol::{PostOrder, PostSent};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Trouble;

/// Asks, and reads how that was taken.
pub async fn ask<T: AsyncRead + AsyncWrite + Unpin>(
    stream: T,
    order: PostOrder,
    uri: &Uri,
) -> Result<PostSent, Trouble> {
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
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
    let status = answer.status().as_u16();
    let accepted = (200..300).contains(&status);
    // What a receiver cannot read now it will not be able to read later; anything else may pass.
    let refused = (400..500).contains(&status) && !matches!(status, 408 | 425 | 429);
    Ok(PostSent { accepted, refused, why: if accepted { String::new() } else { format!("it answers {status}") } })
}
