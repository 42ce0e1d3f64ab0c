//! The packet ring: the kernel copies the beginning of each frame into shared memory, and we read it there.

use std::os::fd::{AsFd, BorrowedFd};

use libc::{SOL_PACKET, TP_STATUS_VLAN_VALID};
use terms::{Side, Timestamp};
use wire::LinkType;

use super::memory::{Memory, SLOT};
use super::socket::PacketSocket;
use super::{LinkGone, RingCounters, TapError, filter};
use crate::Frame;

/// The octets that the kernel allocates as one piece.
const BLOCK: usize = 256 * 1024;
/// The most slots of a ring: 8 MiB, so that both sides' rings stay below 16 MiB.
const SLOTS: usize = 16 * 1024;
/// Which layout the ring has: version 2, whose frames are told one by one.
const VERSION_2: libc::c_int = 1;

/// A link read through a ring.
///
/// Version 2 of the ring wakes the reader at the first frame (10 us at the median), where version 3 waits for a block
/// to be retired (0.6 ms, on kernels before 6.18 several). What version 2 costs on a busy link is kept down by
/// [`wait`](super::wait), which then reads in batches.
///
/// **Bounds**: at most 16,384 frames of 446 octets in 8 MiB; what does not fit is dropped by the kernel and counted.
/// **Source**: the kernel's Documentation/networking/packet_mmap.rst.
pub struct Ring {
    // Before the socket, so that the memory goes first.
    memory: Memory,
    socket: PacketSocket,
    side: Side,
    next: usize,
}

impl Ring {
    /// Opens a link: `snap` octets are kept of every frame, up to 446 of those that are read deeper.
    ///
    /// # Errors
    /// The link does not exist, or the kernel refuses one of the steps, which the error names.
    pub fn open(link: &str, side: Side, snap: u32, frames: u32) -> Result<Self, TapError> {
        let socket = PacketSocket::open(link)?;
        let slots = (frames as usize).clamp(1, SLOTS).next_multiple_of(BLOCK / SLOT);
        let request = libc::tpacket_req {
            tp_block_size: BLOCK as libc::c_uint,
            tp_block_nr: (slots * SLOT / BLOCK) as libc::c_uint,
            tp_frame_size: SLOT as libc::c_uint,
            tp_frame_nr: slots as libc::c_uint,
        };
        socket.set(SOL_PACKET, libc::PACKET_VERSION, &VERSION_2, "choose version 2 of the ring")?;
        socket.set(SOL_PACKET, libc::PACKET_RX_RING, &request, "make a ring")?;
        let yes: libc::c_int = 1;
        socket.set(SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &yes, "leave out what the box sends")?;
        filter::attach(&socket, snap, SLOT as u32)?;
        let memory = Memory::map(socket.as_fd(), slots).map_err(|_| socket.refused("map the ring"))?;
        socket.bind()?;
        Ok(Self { memory, socket, side, next: 0 })
    }

    /// Lends at most `max` of the frames that have come in, oldest first, and says how many.
    ///
    /// # Errors
    /// The link was removed and everything that came in before was read.
    pub fn drain(&mut self, max: usize, each: &mut dyn FnMut(Frame<'_>)) -> Result<usize, LinkGone> {
        let mut lent = 0;
        while lent < max {
            let Some((header, octets)) = self.memory.take(self.next) else { break };
            each(Frame {
                at: moment(header.tp_sec, header.tp_nsec),
                side: self.side,
                link: LinkType::Ethernet,
                len: header.tp_len.max(octets.len() as u32),
                vlan: (header.tp_status & TP_STATUS_VLAN_VALID != 0).then_some(header.tp_vlan_tci & 0x0fff),
                octets,
            });
            self.socket.pace.read(header.tp_len);
            self.memory.release(self.next);
            self.next = (self.next + 1) % self.memory.slots();
            lent += 1;
        }
        self.socket.lent(lent)
    }

    /// When the oldest frame that was not lent yet came in.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.memory.peek(self.next).map(|header| moment(header.tp_sec, header.tp_nsec))
    }

    /// What came in since the link was opened.
    pub fn counters(&mut self) -> RingCounters {
        self.socket.counters()
    }

    pub(super) fn socket(&mut self) -> &mut PacketSocket {
        &mut self.socket
    }
}

fn moment(secs: u32, nanos: u32) -> Timestamp {
    Timestamp::from_micros(u64::from(secs) * 1_000_000 + u64::from(nanos / 1000))
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
