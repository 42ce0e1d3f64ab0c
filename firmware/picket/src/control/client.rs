//! A command's end of the control socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::protocol::{RESPONSE_MAX, Request};

/// How long the gateway may take for each part of its answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody is there.
    #[error("no gateway is running (nothing answers at {}); start it with: picket run --config FILE", .0.display())]
    NotRunning(PathBuf),
    /// Somebody may be there, but not for this user.
    #[error("the control socket {} is for root only; try again with sudo", .0.display())]
    Forbidden(PathBuf),
    /// The gateway says no.
    #[error("{0}")]
    Refused(String),
    /// The connection broke or went silent.
    #[error("the gateway at {} does not answer: {source}", path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The answer makes no sense, as between two versions.
    #[error("the gateway's answer cannot be read ({0}); is it another version than this command?")]
    Strange(String),
}

/// Asks and waits for the answer.
///
/// # Errors
/// No gateway runs, it refuses (the text is its own), or its answer cannot be read.
pub fn ask<T: DeserializeOwned>(socket: &Path, request: &Request) -> Result<T, AskError> {
    let strange = |error: serde_json::Error| AskError::Strange(error.to_string());
    let stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => AskError::Forbidden(socket.into()),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AskError::NotRunning(socket.into()),
        _ => AskError::Silent { path: socket.into(), source: error },
    })?;
    let mut request = serde_json::to_vec(request).map_err(strange)?;
    request.push(b'\n');
    let line = exchange(stream, &request).map_err(|source| AskError::Silent { path: socket.into(), source })?;
    match serde_json::from_slice(&line).map_err(strange)? {
        Answer::Ok(value) => Ok(value),
        Answer::Error(why) => Err(AskError::Refused(why)),
    }
}

/// A [`Response`](super::protocol::Response) that is read as what was asked for, with nothing in between.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer<T> {
    Ok(T),
    Error(String),
}

/// One line out, one line in.
fn exchange(mut stream: UnixStream, request: &[u8]) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut line = Vec::new();
    BufReader::new(stream.take(RESPONSE_MAX as u64)).read_until(b'\n', &mut line)?;
    if line.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(line) }
}
