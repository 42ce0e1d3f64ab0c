//! What only the C library's own calls do: a socket that belongs to one link, and a clock that goes faster or slower for a while.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;

/// The port of DHCP clients.
const CLIENT_PORT: u16 = 68;

/// A socket at the port of DHCP clients that hears and speaks on one link alone, whether or not the link has an address.
#[allow(unsafe_code)]
pub fn client_socket(link: &str) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, CLIENT_PORT))?;
    let (name, len) = (link.as_ptr().cast(), link.len() as libc::socklen_t);
    // SAFETY: `name` points at `len` octets of a live text.
    let done = unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name, len) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    socket.set_broadcast(true)?;
    Ok(socket)
}

/// Has the clock go faster or slower by 1 in 2,000 until it has made up for so many microseconds; what was left of an earlier time is
/// forgotten.
#[allow(unsafe_code)]
pub fn lead_clock(micros: i64) -> io::Result<()> {
    /// `ADJ_OFFSET_SINGLESHOT` of the kernel's include/uapi/linux/timex.h.
    const ONCE: libc::c_uint = 0x8001;
    // SAFETY: all zeros are a valid request, which is filled in below.
    let mut request: libc::timex = unsafe { std::mem::zeroed() };
    request.modes = ONCE;
    request.offset = micros;
    // SAFETY: the kernel reads and writes a live request of its own shape.
    if unsafe { libc::adjtimex(&raw mut request) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
