//! Questions and orders about links to the kernel, one at a time over a socket that blocks.
//!
//! **Source**: netlink(7) and rtnetlink(7); the kernel's include/uapi/linux/netlink.h.

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The length of a message's header.
const HEADER: usize = 16;
/// Room for the longest answer about one link.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The bits of an attribute's kind that say how to read it.
const KIND: u16 = 0x3fff;
/// The kind of attribute in which the kernel says in words why it refused.
const REFUSAL_TEXT: u16 = 1;

/// A socket to the kernel's links.
pub(super) struct Netlink {
    socket: File,
    sequence: u32,
}

/// One message being written.
pub(super) struct Message {
    octets: Vec<u8>,
}

/// The kernel said no, or could not be asked.
pub(super) struct Refusal {
    pub(super) cause: io::Error,
    /// The kernel's own words, if it found any.
    pub(super) text: Option<String>,
}

/// The attributes one after the other in a stretch of octets; what is cut short ends them.
pub(super) struct Attributes<'a>(&'a [u8]);

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        // SAFETY: socket takes no pointers.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made above and belongs to nobody else.
        let socket = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        let yes: libc::c_int = 1;
        let (from, len) = ((&raw const yes).cast(), size_of::<libc::c_int>() as libc::socklen_t);
        // SAFETY: `from` points at `len` octets of a live value. Without the option the kernel only says less.
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, from, len) };
        Ok(Self { socket, sequence: 0 })
    }

    /// Sends one message and waits for the kernel's word on it; gives the answer's octets, if there is one.
    pub(super) fn ask(&mut self, message: Message) -> Result<Option<Vec<u8>>, Refusal> {
        self.sequence += 1;
        self.socket.write_all(&message.finish(self.sequence)).map_err(Refusal::from)?;
        let mut buffer = vec![0; LONGEST_ANSWER];
        let mut answer = None;
        loop {
            let got = self.socket.read(&mut buffer).map_err(Refusal::from)?;
            let mut rest = &buffer[..got];
            while rest.len() >= HEADER {
                let field = |from: usize| rest[from..].first_chunk().map_or(0, |four| u32::from_ne_bytes(*four));
                let (len, sequence) = ((field(0) as usize).clamp(HEADER, rest.len()), field(8));
                let (kind, flags) = (field(4) as u16, (field(4) >> 16) as u16);
                let body = &rest[HEADER..len];
                if sequence == self.sequence {
                    if i32::from(kind) == libc::NLMSG_ERROR {
                        return Refusal::read(body, flags).map_or(Ok(answer), Err);
                    }
                    answer = Some(body.to_vec());
                }
                rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
            }
        }
    }
}

impl Message {
    /// Begins a message; the kernel will acknowledge it.
    pub(super) fn new(kind: u16, flags: libc::c_int) -> Self {
        let mut octets = vec![0; HEADER];
        octets[4..6].copy_from_slice(&kind.to_ne_bytes());
        let flags = (flags | libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
        octets[6..8].copy_from_slice(&flags.to_ne_bytes());
        Self { octets }
    }

    /// Adds the part that every message of its kind has.
    pub(super) fn fixed(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Adds one attribute.
    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.nest(kind, |message| message.octets.extend_from_slice(value));
    }

    /// Adds one attribute of text, which the kernel wants to end in zero.
    pub(super) fn text(&mut self, kind: u16, value: &str) {
        self.nest(kind, |message| {
            message.octets.extend_from_slice(value.as_bytes());
            message.octets.push(0);
        });
    }

    /// Adds one attribute that holds whatever `inner` adds.
    pub(super) fn nest(&mut self, kind: u16, inner: impl FnOnce(&mut Self)) {
        let start = self.octets.len();
        self.octets.extend_from_slice(&[0, 0]);
        self.octets.extend_from_slice(&kind.to_ne_bytes());
        inner(self);
        // No message here comes near the 65,535 octets that an attribute may have.
        let len = (self.octets.len() - start) as u16;
        self.octets[start..start + 2].copy_from_slice(&len.to_ne_bytes());
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
    }

    fn finish(mut self, sequence: u32) -> Vec<u8> {
        let len = self.octets.len() as u32;
        self.octets[..4].copy_from_slice(&len.to_ne_bytes());
        self.octets[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.octets
    }
}

impl Refusal {
    /// Reads an acknowledgement; nothing if it says that all went well.
    fn read(body: &[u8], flags: u16) -> Option<Self> {
        let status = body.first_chunk().map_or(-libc::EBADMSG, |four| i32::from_ne_bytes(*four));
        if status == 0 {
            return None;
        }
        let has_text = i32::from(flags) & libc::NLM_F_ACK_TLVS != 0;
        // The message that was refused comes back before the words, unless it was capped to its header.
        let capped = i32::from(flags) & libc::NLM_F_CAPPED != 0;
        let returned = body.get(4..).and_then(<[u8]>::first_chunk).map_or(0, |four| u32::from_ne_bytes(*four)) as usize;
        let behind = 4 + if capped { HEADER } else { returned.next_multiple_of(4) };
        let words = body.get(behind..).filter(|_| has_text).unwrap_or_default();
        let text = Attributes::of(words).find(|(kind, _)| *kind == REFUSAL_TEXT).map(|(_, value)| super::text(value));
        Some(Self { cause: io::Error::from_raw_os_error(-status), text })
    }

    /// What the kernel said, as one line.
    pub(super) fn words(&self) -> String {
        self.text.as_ref().map_or_else(|| self.cause.to_string(), |text| format!("{text} ({})", self.cause))
    }
}

impl From<io::Error> for Refusal {
    fn from(cause: io::Error) -> Self {
        Self { cause, text: None }
    }
}

impl<'a> Attributes<'a> {
    pub(super) fn of(octets: &'a [u8]) -> Self {
        Self(octets)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let head = self.0.first_chunk::<4>()?;
        let len = usize::from(u16::from_ne_bytes([head[0], head[1]]));
        let kind = u16::from_ne_bytes([head[2], head[3]]) & KIND;
        let value = self.0.get(4..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_read_back_as_written_and_end_where_they_are_cut() {
        let mut message = Message::new(1, 0);
        message.text(3, "lan");
        message.nest(18, |inner| inner.attribute(5, &[1, 2, 3]));
        let octets = message.finish(7);
        let body = &octets[HEADER..];
        let read: Vec<_> = Attributes::of(body).collect();
        assert_eq!(read[0], (3, &b"lan\0"[..]));
        assert_eq!(Attributes::of(read[1].1).collect::<Vec<_>>(), [(5, &[1, 2, 3][..])]);
        for cut in 0..body.len() {
            assert!(Attributes::of(&body[..cut]).count() <= 2, "cut at {cut}");
        }
        assert_eq!(Attributes::of(&[3, 0, 1, 0, 9]).count(), 0, "an attribute shorter than its head");
    }
}
