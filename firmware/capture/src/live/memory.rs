//! The memory that a ring shares with the kernel. Everything unsafe about the ring stands here.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{TP_STATUS_KERNEL, TP_STATUS_USER, tpacket2_hdr};

/// The octets of one slot of the ring: the kernel's header and what is kept of a frame.
///
/// A frame begins 66 octets behind its slot, so that 446 are kept at most.
pub(super) const SLOT: usize = 512;

/// A ring of slots; each belongs to the kernel or to us, as its first word says.
pub(super) struct Memory {
    base: NonNull<u8>,
    slots: usize,
}

// SAFETY: the mapping belongs to this value alone and may be used and unmapped from any one thread.
unsafe impl Send for Memory {}

impl Memory {
    /// Maps the ring that was set up for this socket, of so many slots.
    pub(super) fn map(socket: BorrowedFd<'_>, slots: usize) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        // SAFETY: a new mapping at an address of the kernel's choice; no memory of ours is touched.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), slots * SLOT, protection, flags, socket.as_raw_fd(), 0) };
        match NonNull::new(base.cast::<u8>()) {
            Some(base) if base.as_ptr().cast() != libc::MAP_FAILED => Ok(Self { base, slots }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// The header of a slot, if it is ours.
    #[inline]
    pub(super) fn peek(&self, slot: usize) -> Option<tpacket2_hdr> {
        if self.state(slot).load(Ordering::Acquire) & TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: a slot is larger than the header and aligned to 16 octets, and the load above made it ours.
        Some(unsafe { self.slot(slot).cast::<tpacket2_hdr>().read() })
    }

    /// The header and the frame in a slot, if it is ours; the kernel leaves it alone until [`Self::release`].
    ///
    /// It takes `&mut self` so that a slot can't be given back while its frame is still lent.
    #[inline]
    pub(super) fn take(&mut self, slot: usize) -> Option<(tpacket2_hdr, &[u8])> {
        let header = self.peek(slot)?;
        let from = usize::from(header.tp_mac).clamp(size_of::<tpacket2_hdr>(), SLOT);
        let kept = (header.tp_snaplen as usize).min(SLOT - from);
        // SAFETY: `from + kept` is at most SLOT, so that it lies in this slot, which nobody writes while it is ours.
        let octets = unsafe { std::slice::from_raw_parts(self.slot(slot).add(from).as_ptr(), kept) };
        Some((header, octets))
    }

    /// Gives a slot back to the kernel.
    #[inline]
    pub(super) fn release(&mut self, slot: usize) {
        self.state(slot).store(TP_STATUS_KERNEL, Ordering::Release);
    }

    #[inline]
    fn state(&self, slot: usize) -> &AtomicU32 {
        // SAFETY: the first word of a slot is its state, aligned, inside the mapping, and shared with the kernel, which
        // changes it as a whole.
        unsafe { self.slot(slot).cast::<AtomicU32>().as_ref() }
    }

    #[inline]
    fn slot(&self, slot: usize) -> NonNull<u8> {
        // SAFETY: the remainder is below the number of slots, so that the offset lies inside the mapping.
        unsafe { self.base.add((slot % self.slots) * SLOT) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `map`; nothing borrows from it any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.slots * SLOT) };
    }
}
