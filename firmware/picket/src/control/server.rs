//! The gateway's end of the control socket.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::protocol::{REQUEST_MAX, RESPONSE_MAX, Request, Response};

/// The most connections that are served at a time; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 16;
/// How long a caller may take for its request, and again for taking the response.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait after an accept that failed, as when no file descriptor is free.
const BREATH: Duration = Duration::from_millis(100);

/// Who answers. Called on a thread that may block.
pub trait Gateway: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Request) -> Response;
}

/// Why the socket cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A gateway already answers there.
    #[error("a gateway already answers at {}; stop it first, or give this one another [control] socket", .0.display())]
    InUse(PathBuf),
    /// Something that is no socket is in the way, and is left alone.
    #[error("{} is not a socket; move it away, or choose another [control] socket", .0.display())]
    NotASocket(PathBuf),
    /// The system refuses.
    #[error("the control socket {} cannot be made: {source}", path.display())]
    System {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The open socket. Dropped, it takes its file away.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file, so that another gateway's is never taken away.
    file: (u64, u64),
}

impl Server {
    /// Opens the socket with mode 0600, in place of one that a crash left behind. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// Another gateway answers there, something else is in the way, or the system refuses.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let system = |source| ControlError::System { path: path.into(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(system)?;
        }
        clear(path)?;
        let listener = UnixListener::bind(path).map_err(system)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(system)?;
        let file = fs::metadata(path).map(|file| (file.dev(), file.ino())).map_err(system)?;
        Ok(Self { listener, path: path.into(), file })
    }

    /// Answers until the future is dropped. A caller that misbehaves costs itself its connection and nobody else.
    pub async fn serve(&self, gateway: Arc<dyn Gateway>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            // The semaphore is never closed, so a place always comes.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let gateway = Arc::clone(&gateway);
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, gateway).await {
                            tracing::debug!(%error, "a caller of the control socket went away");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket cannot accept");
                    sleep(BREATH).await;
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ours = fs::metadata(&self.path).is_ok_and(|file| (file.dev(), file.ino()) == self.file);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the control socket's file stays behind");
        }
    }
}

/// Takes a socket away that nobody answers at; nothing else.
fn clear(path: &Path) -> Result<(), ControlError> {
    let Ok(file) = fs::symlink_metadata(path) else { return Ok(()) };
    if !file.file_type().is_socket() {
        return Err(ControlError::NotASocket(path.into()));
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(ControlError::InUse(path.into()));
    }
    fs::remove_file(path).map_err(|source| ControlError::System { path: path.into(), source })
}

/// One connection: who calls, one line in, one line out.
async fn answer(mut stream: UnixStream, gateway: Arc<dyn Gateway>) -> io::Result<()> {
    let caller = stream.peer_cred()?.uid();
    let response = if caller == 0 || caller == own_uid()? {
        match timeout(PATIENCE, line_of(&mut stream)).await {
            Ok(line) => respond(&line?, gateway).await,
            Err(_) => Response::Error(format!("no request came within {} s", PATIENCE.as_secs())),
        }
    } else {
        Response::Error("only root may ask the gateway".into())
    };
    let text = text_of(&response);
    timeout(PATIENCE, async {
        stream.write_all(&text).await?;
        stream.shutdown().await
    })
    .await
    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The request's line, or as much of it as is one octet too long.
async fn line_of(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(stream.take(REQUEST_MAX as u64 + 1)).read_until(b'\n', &mut line).await?;
    Ok(line)
}

/// Has the gateway answer on a thread that may block.
async fn respond(line: &[u8], gateway: Arc<dyn Gateway>) -> Response {
    if line.len() > REQUEST_MAX {
        return Response::Error(format!("the request is longer than {} KiB", REQUEST_MAX >> 10));
    }
    match Request::read(line) {
        Err(what) => Response::Error(what),
        Ok(request) => tokio::task::spawn_blocking(move || gateway.handle(request))
            .await
            .unwrap_or_else(|_| Response::Error("the gateway failed to answer; its log says more".into())),
    }
}

/// The response as one line.
fn text_of(response: &Response) -> Vec<u8> {
    let line = |response: &Response| {
        serde_json::to_vec(response).map(|mut text| {
            text.push(b'\n');
            text
        })
    };
    let refusal = b"{\"error\":\"the answer is too long to send; ask for less\"}\n";
    line(response).ok().filter(|text| text.len() <= RESPONSE_MAX).unwrap_or_else(|| refusal.to_vec())
}

/// The user as whom this process runs.
fn own_uid() -> io::Result<u32> {
    fs::metadata("/proc/self").map(|process| process.uid())
}
