//! The fallback where the kernel grants no ring: pnet reads frame by frame from our own socket.

use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd};
use std::time::Duration;

use pnet_datalink::{Channel, Config, DataLinkReceiver};
use terms::Side;

use super::socket::PacketSocket;
use super::{LinkGone, RingCounters, TapError, read_now};
use crate::Frame;

/// The kernel's buffer for frames that were not read yet; its default of 208 KiB loses a burst.
const RECEIVE_BUFFER: libc::c_int = 8 * 1024 * 1024;
/// The largest frame with merged segments.
const LONGEST_FRAME: usize = 64 * 1024 + 18;

/// A link read by one system call a frame: several times the work of a [`Ring`](super::Ring), and times are those of reading.
///
/// **Bounds**: 8 MiB of unread frames in the kernel; what does not fit is dropped and counted.
pub struct Plain {
    // Before the socket, whose descriptor it duplicates.
    receiver: Box<dyn DataLinkReceiver>,
    socket: PacketSocket,
    side: Side,
}

impl Plain {
    /// Opens a link.
    ///
    /// # Errors
    /// The link does not exist, or the kernel refuses one of the steps, which the error names.
    pub fn open(link: &str, side: Side) -> Result<Self, TapError> {
        let socket = PacketSocket::open(link)?;
        let refused = |step, cause| TapError::Refused { link: link.to_owned(), step, cause };
        let yes: libc::c_int = 1;
        socket.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &yes, "leave out what the box sends")?;
        // Forcing the size past the system's limit takes a capability; without it the limit is what we get.
        if socket.set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &RECEIVE_BUFFER, "").is_err() {
            socket.set(libc::SOL_SOCKET, libc::SO_RCVBUF, &RECEIVE_BUFFER, "take a larger receive buffer")?;
        }
        let known = pnet_datalink::interfaces().into_iter().find(|known| known.name == link);
        let known = known.ok_or_else(|| TapError::Missing(link.to_owned()))?;
        socket.bind()?;
        let own = socket.as_fd().try_clone_to_owned().map_err(|cause| refused("duplicate the socket", cause))?;
        let config = Config {
            read_buffer_size: LONGEST_FRAME,
            read_timeout: Some(Duration::ZERO),
            promiscuous: false,
            // pnet closes it, whether it succeeds or not.
            socket_fd: Some(own.into_raw_fd()),
            ..Config::default()
        };
        match pnet_datalink::channel(&known, config).map_err(|cause| refused("read by pnet", cause))? {
            Channel::Ethernet(_, receiver) => Ok(Self { receiver, socket, side }),
            _ => Err(refused("read by pnet", ErrorKind::Unsupported.into())),
        }
    }

    /// Lends at most `max` of the frames that have come in, oldest first, and says how many.
    ///
    /// # Errors
    /// The link was removed and everything that came in before was read.
    pub fn drain(&mut self, max: usize, each: &mut dyn FnMut(Frame<'_>)) -> Result<usize, LinkGone> {
        let mut lent = 0;
        while lent < max {
            let Ok(octets) = self.receiver.next() else { break };
            each(read_now(self.side, octets).snapped());
            lent += 1;
        }
        self.socket.lent(lent)
    }

    /// What came in since the link was opened.
    pub fn counters(&mut self) -> RingCounters {
        self.socket.counters()
    }

    pub(super) fn socket(&mut self) -> &mut PacketSocket {
        &mut self.socket
    }
}

impl AsFd for Plain {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
