//! What DNS servers answer, whole: a slot of the ring holds the beginning of an answer, and of one over TCP the first segment.

use std::os::fd::{AsFd, AsRawFd};

use terms::Side;

use super::socket::PacketSocket;
use super::{LinkGone, TapError, filter, read_now};
use crate::Frame;

/// The kernel's buffer for frames that were not read yet.
const RECEIVE_BUFFER: libc::c_int = 512 * 1024;
/// The largest frame with merged segments.
const LONGEST_FRAME: usize = 64 * 1024 + 18;

/// The frames of one link that come from the port of DNS and do not fit into a ring: datagrams longer than a slot, and every segment.
///
/// One system call a frame, which such frames are rare enough for. **Bounds**: 512 KiB of unread frames in the kernel; what does not
/// fit is dropped there.
pub struct Answers {
    socket: PacketSocket,
    side: Side,
    buffer: Vec<u8>,
}

impl Answers {
    /// Opens a link.
    ///
    /// # Errors
    /// The link does not exist, or the kernel refuses one of the steps, which the error names.
    pub fn open(link: &str, side: Side) -> Result<Self, TapError> {
        let socket = PacketSocket::open(link)?;
        let yes: libc::c_int = 1;
        socket.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &yes, "leave out what the box sends")?;
        socket.set(libc::SOL_SOCKET, libc::SO_RCVBUF, &RECEIVE_BUFFER, "take a receive buffer")?;
        filter::attach_answers(&socket)?;
        socket.bind()?;
        Ok(Self { socket, side, buffer: vec![0; LONGEST_FRAME] })
    }

    /// Lends at most `max` of the frames that have come in, oldest first, and says how many.
    ///
    /// # Errors
    /// The link was removed.
    pub fn drain(&mut self, max: usize, each: &mut dyn FnMut(Frame<'_>)) -> Result<usize, LinkGone> {
        let mut lent = 0;
        while lent < max {
            let (into, room) = (self.buffer.as_mut_ptr().cast(), self.buffer.len());
            // SAFETY: `into` points at `room` octets of a live buffer, within which the kernel writes.
            let read = unsafe { libc::recv(self.socket.as_fd().as_raw_fd(), into, room, 0) };
            let Ok(read) = usize::try_from(read) else { break };
            each(read_now(self.side, &self.buffer[..read.min(room)]));
            lent += 1;
        }
        self.socket.lent(lent)
    }
}
