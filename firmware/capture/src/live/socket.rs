//! A packet socket: the options that a tap sets, in the order in which the kernel wants them.

use std::ffi::CString;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Instant;

use super::pace::Pace;
use super::{LinkGone, RingCounters, TapError};

/// `ETH_P_ALL` as an address wants it, in the octet order of the network.
const EVERY_PROTOCOL: u16 = (libc::ETH_P_ALL as u16).to_be();

/// A packet socket for one link, with what it has counted.
pub struct PacketSocket {
    fd: OwnedFd,
    link: String,
    index: i32,
    counted: RingCounters,
    /// The link was down when last heard of, so that it may be gone as well.
    down: bool,
    pub(super) pace: Pace,
}

impl PacketSocket {
    /// Opens a socket that hears nothing yet: with a protocol it would hear every link until it is bound.
    pub(super) fn open(link: &str) -> Result<Self, TapError> {
        let missing = || TapError::Missing(link.to_owned());
        let name = CString::new(link).map_err(|_| missing())?;
        // SAFETY: `name` is a string that ends in zero and lives across the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        let index = i32::try_from(index).ok().filter(|&index| index > 0).ok_or_else(missing)?;
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: socket takes no pointers.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if fd < 0 {
            let cause = io::Error::last_os_error();
            return Err(TapError::Refused { link: link.to_owned(), step: "open a packet socket", cause });
        }
        // SAFETY: the descriptor was made above and belongs to nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self {
            fd,
            link: link.to_owned(),
            index,
            counted: RingCounters::default(),
            down: false,
            pace: Pace::new(Instant::now()),
        })
    }

    /// Sets an option of the socket.
    pub(super) fn set<T: Copy>(&self, level: i32, option: i32, value: &T, step: &'static str) -> Result<(), TapError> {
        let (from, len) = (std::ptr::from_ref(value).cast(), size_of::<T>() as libc::socklen_t);
        // SAFETY: `from` points at `len` octets of a live value, which the kernel reads.
        let status = unsafe { libc::setsockopt(self.fd.as_raw_fd(), level, option, from, len) };
        if status == 0 { Ok(()) } else { Err(self.refused(step)) }
    }

    /// Joins the link: promiscuous, and from now on its frames come in.
    pub(super) fn bind(&self) -> Result<(), TapError> {
        let member = libc::packet_mreq {
            mr_ifindex: self.index,
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &member, "read frames for others")?;
        let address = self.address();
        let (from, len) = ((&raw const address).cast(), size_of::<libc::sockaddr_ll>() as libc::socklen_t);
        // SAFETY: `from` points at a live packet address of `len` octets.
        let status = unsafe { libc::bind(self.fd.as_raw_fd(), from, len) };
        if status == 0 { Ok(()) } else { Err(self.refused("bind to the link")) }
    }

    /// What the kernel has counted; it forgets when asked, so that this adds up.
    pub(super) fn counters(&mut self) -> RingCounters {
        let mut stats = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
        let mut len = size_of::<libc::tpacket_stats>() as libc::socklen_t;
        let into = (&raw mut stats).cast();
        // SAFETY: `into` points at `len` octets of a live value, within which the kernel writes.
        let status = unsafe {
            libc::getsockopt(self.fd.as_raw_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS, into, &raw mut len)
        };
        if status == 0 {
            // The kernel counts a dropped frame as one of the packets too.
            self.counted.frames += u64::from(stats.tp_packets.saturating_sub(stats.tp_drops));
            self.counted.dropped += u64::from(stats.tp_drops);
        }
        self.counted
    }

    /// Finds out whether the link was removed, after an error of the socket or while the link was down.
    pub(super) fn check(&mut self, erred: bool) -> Result<(), LinkGone> {
        if erred {
            self.take_error();
            self.down = true;
        }
        if self.down && self.bound_index() <= 0 {
            return Err(self.gone());
        }
        Ok(())
    }

    /// Ends a round of reading in which so many frames were lent: where some were the link can't be down, else it is looked at.
    pub(super) fn lent(&mut self, frames: usize) -> Result<usize, LinkGone> {
        if frames == 0 {
            self.check(false)?;
        } else {
            self.down = false;
        }
        Ok(frames)
    }

    pub(super) fn gone(&self) -> LinkGone {
        LinkGone { link: self.link.clone() }
    }

    pub(super) fn refused(&self, step: &'static str) -> TapError {
        TapError::Refused { link: self.link.clone(), step, cause: io::Error::last_os_error() }
    }

    fn address(&self) -> libc::sockaddr_ll {
        libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: EVERY_PROTOCOL,
            sll_ifindex: self.index,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        }
    }

    /// Reads the socket's error, which clears it: otherwise poll would never wait again.
    fn take_error(&self) {
        let mut error: libc::c_int = 0;
        let mut len = size_of::<libc::c_int>() as libc::socklen_t;
        let into = (&raw mut error).cast();
        // SAFETY: `into` points at `len` octets of a live value, within which the kernel writes.
        unsafe { libc::getsockopt(self.fd.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ERROR, into, &raw mut len) };
    }

    /// The link to which the kernel holds the socket bound; -1 once that link was removed.
    fn bound_index(&self) -> i32 {
        let mut address = self.address();
        let mut len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        let into = (&raw mut address).cast();
        // SAFETY: `into` points at `len` octets of a live packet address, within which the kernel writes.
        let status = unsafe { libc::getsockname(self.fd.as_raw_fd(), into, &raw mut len) };
        if status == 0 { address.sll_ifindex } else { -1 }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
