//! A connection's octets under a limit: a reader that takes nothing for long ends it, and its first octets can be looked at early.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep, timeout};

/// How long the other end may take nothing of what waits for it.
const STALLED: Duration = Duration::from_secs(20);

/// A stream whose first octets have come.
pub struct Begun<S> {
    inner: S,
    first: Vec<u8>,
    given: usize,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Begun<S> {
    /// Waits for the first octets: HTTP libraries do not, and would keep a silent client for ever.
    ///
    /// # Errors
    /// Nothing came in time, or the stream ended.
    pub async fn wait(mut inner: S, patience: Duration) -> io::Result<Self> {
        let mut first = vec![0; 1_024];
        let len = timeout(patience, inner.read(&mut first)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        first.truncate(len);
        Ok(Self { inner, first, given: 0, stalled: None })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.given < self.first.len() {
            let part = (self.first.len() - self.given).min(buf.remaining());
            buf.put_slice(&self.first[self.given..self.given + part]);
            self.given += part;
            if self.given == self.first.len() {
                (self.first, self.given) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> Begun<S> {
    /// What a write gave; one that waits too long ends the connection.
    fn watch<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.stalled = None;
            return done;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.inner).poll_write(cx, octets);
        self.watch(cx, done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.inner).poll_flush(cx);
        self.watch(cx, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.watch(cx, done)
    }
}
