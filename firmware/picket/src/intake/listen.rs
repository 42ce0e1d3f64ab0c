//! The listeners: datagrams and connections, with their bounds.
//!
//! | what | bound |
//! |---|---|
//! | datagram | 64 KiB; 8 MiB of them in the kernel, where it allows that |
//! | connections | 64 in all, 16 an address, TLS or not; a dead peer is found by keepalive, a handshake takes 10 s |
//! | message | `intake::LINE_MAX` |
//! | lines of a source | `sources`: a datagram too many is dropped and counted, a connection is read more slowly |

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener, UdpSocket as StdSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use intake::{Activity, Cut, Framer, LINE_MAX, Refusal, plain};
use nix::sys::socket::sockopt::{KeepAlive, RcvBuf, RcvBufForce, RxqOvfl};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
use protocol::intake::IntakeStart;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

use super::sources::Transport;
use super::{Room, sealed};
use crate::run::now;

/// Octets of datagrams that wait in the kernel.
const WAITING: usize = 8 << 20;
/// How long an address may be held by an intake process that is just ending.
const HELD: Duration = Duration::from_secs(5);
/// Connections at a time.
const CONNECTIONS_MAX: usize = 64;
/// Connections of one address.
const OF_ONE_MAX: u32 = 16;
/// Octets read at a time.
const PIECE: usize = 16 << 10;
/// Datagrams after which others get their turn.
const TURN: usize = 64;
/// How long a connection waits that is too fast, or for which the queue has no room.
const SLOWER: Duration = Duration::from_millis(20);
/// How long to wait after an accept that failed, as when no file descriptor is free.
const BREATH: Duration = Duration::from_millis(100);

/// Why an address cannot be listened at.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// As a datagram socket.
    #[error("cannot take datagrams at {0}: {1}")]
    Udp(SocketAddr, io::Error),
    /// As a listener.
    #[error(transparent)]
    Tcp(#[from] admin::ProcessError),
}

/// The open sockets.
pub struct Doors {
    udp: Vec<StdSocket>,
    tcp: Vec<StdListener>,
    tls: Vec<StdListener>,
}

impl Doors {
    /// Opens every socket that is configured.
    ///
    /// # Errors
    /// An address cannot be had.
    pub fn open(start: &IntakeStart) -> Result<Self, ListenError> {
        let udp = start.syslog_udp.iter().map(|at| datagrams(*at).map_err(|error| ListenError::Udp(*at, error)));
        let listen = |at: &[SocketAddr]| at.iter().map(|at| admin::listen(*at)).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            udp: udp.collect::<Result<_, _>>()?,
            tcp: listen(&start.syslog_tcp)?,
            tls: listen(&start.syslog_tls)?,
        })
    }

    /// Takes in until it is dropped.
    pub async fn serve(self, room: &Arc<Room>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut doors = JoinSet::new();
        for socket in self.udp {
            doors.spawn(hear(socket, Arc::clone(room)));
        }
        let tcp = self.tcp.into_iter().map(|listener| (listener, Transport::Tcp));
        for (listener, by) in tcp.chain(self.tls.into_iter().map(|listener| (listener, Transport::Tls))) {
            doors.spawn(accept(listener, by, Arc::clone(room), Arc::clone(&places)));
        }
        while let Some(ended) = doors.join_next().await {
            match ended {
                Ok(Err(error)) => tracing::error!("a listener of the intake ended: {error}"),
                Ok(Ok(())) => {}
                Err(error) => tracing::error!("a listener of the intake failed: {error}"),
            }
        }
        // Nothing to listen at: questions are still answered.
        std::future::pending().await
    }
}

/// A socket for datagrams, with as much room in the kernel as it gives.
fn datagrams(at: SocketAddr) -> io::Result<StdSocket> {
    let until = Instant::now() + HELD;
    let socket = loop {
        match StdSocket::bind(at) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(50));
            }
            done => break done?,
        }
    };
    socket.set_nonblocking(true)?;
    if setsockopt(&socket, RcvBufForce, &WAITING).is_err() {
        setsockopt(&socket, RcvBuf, &WAITING)?;
    }
    setsockopt(&socket, RxqOvfl, &1)?;
    Ok(socket)
}

/// Takes in datagrams.
async fn hear(socket: StdSocket, room: Arc<Room>) -> io::Result<()> {
    let socket = UdpSocket::from_std(socket)?;
    let mut octets = vec![0; LINE_MAX + 1];
    let mut lost = 0;
    loop {
        socket.readable().await?;
        for _ in 0..TURN {
            match socket.try_io(Interest::READABLE, || one(&socket, &mut octets)) {
                Ok(datagram) => {
                    let at = now();
                    if let Some(more) = datagram.lost.map(|all| all.wrapping_sub(lost)).filter(|more| *more > 0) {
                        lost = lost.wrapping_add(more);
                        room.sources().kernel_dropped(more.into(), at);
                    }
                    let Some(from) = datagram.from else { continue };
                    if let Some(activity) = room.take(&octets[..datagram.len], from, Transport::Udp, true) {
                        room.offer(activity, Transport::Udp);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // As when an earlier answer was refused: nothing of it is this socket's trouble.
                Err(_) => {}
            }
        }
        yield_now().await;
    }
}

struct Datagram {
    len: usize,
    from: Option<IpAddr>,
    /// Datagrams that the kernel dropped since the socket was made.
    lost: Option<u32>,
}

/// Reads one datagram.
fn one(socket: &UdpSocket, octets: &mut [u8]) -> io::Result<Datagram> {
    let mut space = nix::cmsg_space!(u32);
    let mut into = [IoSliceMut::new(octets)];
    let told = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut into, Some(&mut space), MsgFlags::MSG_DONTWAIT)?;
    let lost = told.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::RxqOvfl(lost) => Some(lost),
        _ => None,
    });
    let from = told.address.as_ref().and_then(|address| {
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
    });
    Ok(Datagram { len: told.bytes, from: from.map(|from| from.to_canonical()), lost })
}

/// Takes in connections.
async fn accept(listener: StdListener, by: Transport, room: Arc<Room>, places: Arc<Semaphore>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("the intake cannot accept: {error}");
                sleep(BREATH).await;
                continue;
            }
        };
        let from = peer.ip().to_canonical();
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            room.sources().refused(from, by, now());
            continue;
        };
        if !room.sources().connected(from, by, OF_ONE_MAX, now()) {
            continue;
        }
        let _ = setsockopt(&stream, KeepAlive, &true);
        let room = Arc::clone(&room);
        tokio::spawn(async move {
            // A connection that breaks has told what it has told.
            let _ = match by {
                Transport::Tls => {
                    let config = room.sealing().clone();
                    match sealed::shake(stream, config).await {
                        Some(mut stream) => {
                            let done = read(&mut stream, from, by, &room).await;
                            // Who has told everything hears that this is the end; who is gone is not waited for.
                            let _ = tokio::time::timeout(BREATH, stream.shutdown()).await;
                            done
                        }
                        None => {
                            room.sources().refused(from, by, now());
                            Ok(())
                        }
                    }
                }
                Transport::Tcp | Transport::Udp => read(stream, from, by, &room).await,
            };
            room.sources().disconnected(from, by, now());
            drop(place);
        });
    }
}

/// Reads one connection to its end.
async fn read(mut stream: impl AsyncRead + Unpin, from: IpAddr, by: Transport, room: &Room) -> io::Result<()> {
    let (mut framer, mut octets) = (Framer::default(), vec![0; PIECE]);
    let ended = loop {
        let len = match stream.read(&mut octets).await {
            Ok(0) => break Ok(()),
            Ok(len) => len,
            Err(error) => break Err(error),
        };
        framer.push(&octets[..len]);
        loop {
            let activity = match framer.cut() {
                None => break,
                Some(Cut::Line(line)) => {
                    // What comes too fast waits on the sender's side.
                    while !room.sources().pass(from, by, now()) {
                        sleep(SLOWER).await;
                    }
                    room.take(line, from, by, false)
                }
                Some(Cut::TooLong) => {
                    room.lost(from, by, Refusal::TooLong);
                    None
                }
                Some(Cut::Lost) => {
                    room.lost(from, by, Refusal::TooLong);
                    return Ok(());
                }
            };
            let mut waiting = activity;
            while let Some(activity) = waiting.take() {
                if let Err(back) = room.queue.put(activity, by) {
                    waiting = Some(*back);
                    sleep(SLOWER).await;
                }
            }
        }
    };
    match framer.end() {
        Some(Ok(line)) => {
            if let Some(activity) = room.take(&line, from, by, false) {
                room.offer(activity, by);
            }
        }
        Some(Err(())) => room.lost(from, by, Refusal::Torn),
        None => {}
    }
    ended
}

impl Room {
    /// The record of a line that came, if it is one and, where that is `paced`, its source does not send too fast.
    fn take(&self, octets: &[u8], from: IpAddr, by: Transport, paced: bool) -> Option<Activity> {
        let at = now();
        {
            let mut sources = self.sources();
            if paced && !sources.pass(from, by, at) {
                sources.came(from, by, octets.len(), at);
                sources.dropped(from, by, Refusal::TooFast, at);
                return None;
            }
            sources.came(from, by, octets.len(), at);
        }
        match plain(octets, from, at) {
            Ok(activity) => Some(activity),
            Err(why) => {
                self.sources().dropped(from, by, why, at);
                None
            }
        }
    }

    /// Puts a record into the queue, or counts it.
    fn offer(&self, activity: Activity, by: Transport) {
        if let Err(back) = self.queue.put(activity, by) {
            self.sources().dropped(back.source, by, Refusal::Queue, now());
        }
    }

    /// A message of a connection is of no use.
    fn lost(&self, from: IpAddr, by: Transport, why: Refusal) {
        let at = now();
        let mut sources = self.sources();
        sources.came(from, by, 0, at);
        sources.dropped(from, by, why, at);
    }
}
