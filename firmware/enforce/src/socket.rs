//! A draft to the kernel, and the kernel's answers.
//!
//! nftables works while the request is being sent: when `send` returns, the answers wait in the socket, or more of a list is
//! made while it is read. So the socket never waits, and an answer that is missing is an error rather than a hang.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use mnl::{Bus, Socket as Mnl};

use crate::attribute::{Attributes, HEADER, Message, Messages, array, set_seq};
use crate::draft::Ready;
use crate::error::EnforceError;

/// Netlink's own message kinds.
const ERROR: u16 = 2;
const DONE: u16 = 3;
const OVERRUN: u16 = 4;
/// The list changed while it was being made.
const DUMP_INTERRUPTED: u16 = 0x10;
/// The answer carries no copy of the request behind its header.
const CAPPED: u16 = 0x100;
/// The answer says more in attributes.
const EXPLAINED: u16 = 0x200;
const ERROR_TEXT: u16 = 1;
const ERROR_OFFSET: u16 = 2;
/// Room for one reading: the kernel lists in pieces of at most 32 KiB.
const READING: usize = 64 * 1024;
/// Room in the socket for answers at first; grows with the transaction.
const ANSWERS: i32 = 4 * 1024 * 1024;
/// What one answer takes up there while it waits: the kernel counts what it allocated, not what it says.
const AN_ANSWER: i32 = 1024;
/// Room for a request at first; grows with the request.
const REQUEST: i32 = 1024 * 1024;
/// Requests begin here; a transaction's messages count from 1.
const FIRST_REQUEST: u32 = 0x4000_0000;
/// Readings of stale answers before a request goes out all the same; its own answers are told apart by number.
const STALE: usize = 10_000;
/// How often a list is made anew because others changed the ruleset meanwhile.
const READINGS: usize = 10;

/// The netlink socket to nftables.
pub(crate) struct Socket {
    mnl: Mnl,
    room: i32,
    answers: i32,
    seq: u32,
    reading: Vec<u8>,
}

/// An answer to one message of a transaction.
struct Answer {
    seq: u32,
    errno: i32,
    text: Option<String>,
    stopped_at: Option<u32>,
}

/// How a list ended.
enum End {
    Whole,
    Interrupted,
    Refused(i32),
}

// SAFETY: libmnl's socket is a file descriptor and an address on the heap, tied to no thread; `Socket` is its only owner.
unsafe impl Send for Socket {}

impl Socket {
    pub fn open() -> Result<Self, EnforceError> {
        let mnl = Mnl::new(Bus::Netfilter).map_err(EnforceError::Unreachable)?;
        let fd = mnl.as_raw_fd();
        never_wait(fd).map_err(EnforceError::Unreachable)?;
        for option in [libc::NETLINK_CAP_ACK, libc::NETLINK_EXT_ACK] {
            // Kernels before 4.12 lack them; errors are shorter there.
            let _ = set_option(fd, libc::SOL_NETLINK, option, 1);
        }
        let mut socket = Self { mnl, room: 0, answers: 0, seq: FIRST_REQUEST, reading: vec![0; READING + 4] };
        socket.make_room(REQUEST);
        socket.make_room_for_answers(ANSWERS);
        Ok(socket)
    }

    /// Sends a transaction as one request and reads every answer.
    ///
    /// # Errors
    /// `Refused` names the first object at which the kernel stopped: nothing was changed then.
    pub fn commit(&mut self, ready: &Ready) -> Result<(), EnforceError> {
        self.drain();
        let (mut acknowledged, expected) = (0, ready.answers.len());
        self.make_room_for_answers(i32::try_from(expected).unwrap_or(i32::MAX).saturating_mul(AN_ANSWER));
        self.send(&ready.octets)?;
        let mut refused: Option<Answer> = None;
        while let Some(octets) = self.read().map_err(|_| EnforceError::Unconfirmed { acknowledged, expected })? {
            for answer in Messages::new(octets).filter_map(|m| Answer::read(&m)) {
                if answer.errno == 0 {
                    acknowledged += usize::from(ready.answers.contains(&answer.seq));
                } else if refused.as_ref().is_none_or(|first| answer.seq < first.seq) {
                    refused = Some(answer);
                }
            }
        }
        match refused {
            Some(answer) => Err(EnforceError::Refused {
                object: ready.object(answer.seq, answer.stopped_at),
                errno: answer.errno,
                text: answer.text,
            }),
            None if acknowledged == expected => Ok(()),
            None => Err(EnforceError::Unconfirmed { acknowledged, expected }),
        }
    }

    /// Asks for one object or a list and makes a value of the answer's messages; nothing if there is no such object. Of a change that
    /// is to be acknowledged the acknowledgement is the answer.
    pub fn ask<T: Default>(
        &mut self,
        object: &str,
        mut request: Vec<u8>,
        mut each: impl FnMut(&mut T, &Message<'_>),
    ) -> Result<Option<T>, EnforceError> {
        for _ in 0..READINGS {
            self.seq = self.seq.checked_add(1).unwrap_or(FIRST_REQUEST);
            set_seq(&mut request, self.seq);
            self.drain();
            self.send(&request)?;
            let mut value = T::default();
            match self.gather(|message| each(&mut value, message))? {
                End::Whole => return Ok(Some(value)),
                End::Interrupted => {}
                End::Refused(libc::ENOENT) => return Ok(None),
                End::Refused(errno) => {
                    return Err(EnforceError::Refused { object: object.to_owned(), errno, text: None });
                }
            }
        }
        Err(EnforceError::Restless(READINGS))
    }

    fn gather(&mut self, mut each: impl FnMut(&Message<'_>)) -> Result<End, EnforceError> {
        let seq = self.seq;
        let (mut interrupted, mut seen) = (false, 0);
        while let Some(octets) =
            self.read().map_err(|_| EnforceError::Unconfirmed { acknowledged: seen, expected: 1 })?
        {
            for message in Messages::new(octets).filter(|m| m.seq == seq) {
                interrupted |= message.flags & DUMP_INTERRUPTED != 0;
                match message.kind {
                    DONE if interrupted => return Ok(End::Interrupted),
                    DONE => return Ok(End::Whole),
                    ERROR => {
                        return Ok(match Answer::read(&message).map_or(libc::EBADMSG, |answer| answer.errno) {
                            0 => End::Whole,
                            errno => End::Refused(errno),
                        });
                    }
                    OVERRUN => return Ok(End::Interrupted),
                    _ => {
                        each(&message);
                        seen += 1;
                    }
                }
            }
        }
        // A single object comes without a message of end.
        if seen > 0 { Ok(End::Whole) } else { Err(EnforceError::Unconfirmed { acknowledged: 0, expected: 1 }) }
    }

    fn send(&mut self, octets: &[u8]) -> Result<(), EnforceError> {
        self.make_room(i32::try_from(octets.len()).unwrap_or(i32::MAX));
        match self.mnl.send(octets) {
            Ok(sent) if sent == octets.len() => Ok(()),
            Ok(_) => Err(EnforceError::Unsent { octets: octets.len(), source: io::ErrorKind::WriteZero.into() }),
            Err(source) => Err(EnforceError::Unsent { octets: octets.len(), source }),
        }
    }

    /// One reading of the socket; nothing if no answer waits.
    fn read(&mut self) -> io::Result<Option<&[u8]>> {
        // libmnl's wrapper asks for a buffer that begins where a header may.
        let start = self.reading.as_ptr().align_offset(4).min(3);
        let buffer = &mut self.reading[start..start + READING];
        loop {
            match self.mnl.recv_raw(buffer) {
                Ok(len) => return Ok(Some(&self.reading[start..start + len.min(READING)])),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(None),
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// Forgets answers to requests that were given up. A lost answer is told once by the kernel, then reading goes on.
    fn drain(&mut self) {
        for _ in 0..STALE {
            if matches!(self.read(), Ok(None)) {
                return;
            }
        }
    }

    fn make_room(&mut self, octets: i32) {
        // The kernel keeps some of the room for itself.
        let wanted = octets.saturating_add(4_096);
        if wanted > self.room {
            set_room(self.mnl.as_raw_fd(), libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, wanted);
            self.room = wanted;
        }
    }

    /// All answers wait at once: those that find no room are lost, and with them the word that the transaction holds.
    fn make_room_for_answers(&mut self, octets: i32) {
        if octets > self.answers {
            set_room(self.mnl.as_raw_fd(), libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, octets);
            self.answers = octets;
        }
    }
}

impl Answer {
    fn read(message: &Message<'_>) -> Option<Self> {
        if message.kind != ERROR {
            return None;
        }
        let code = i32::from_ne_bytes(array(message.body, 0)?);
        let request = message.body.get(4..)?;
        let request_len = if message.flags & CAPPED != 0 {
            HEADER
        } else {
            usize::try_from(u32::from_ne_bytes(array(request, 0)?)).ok()?
        };
        let more = match request.get(request_len.next_multiple_of(4)..) {
            Some(octets) if message.flags & EXPLAINED != 0 => Attributes::new(octets),
            _ => Attributes::new(&[]),
        };
        Some(Self {
            seq: message.seq,
            errno: code.saturating_neg(),
            text: more.text(ERROR_TEXT).map(str::to_owned),
            // Unlike nftables' own numbers, this one is in the machine's octet order.
            stopped_at: more.value(ERROR_OFFSET).and_then(|o| array(o, 0)).map(u32::from_ne_bytes),
        })
    }
}

/// Reads the answers in a reading, for tests of octets that no kernel would send.
pub(crate) fn read_answers(octets: &[u8]) -> usize {
    Messages::new(octets).filter_map(|m| Answer::read(&m)).count()
}

/// Makes a socket return at once where it would wait, and keeps it from programs started later.
fn never_wait(fd: RawFd) -> io::Result<()> {
    // SAFETY: the descriptor is open; these commands take and give integers only.
    let result = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) | libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Sets a buffer's size past the system's limit where that is allowed, up to the limit where it is not.
fn set_room(fd: RawFd, forced: i32, polite: i32, octets: i32) {
    if set_option(fd, libc::SOL_SOCKET, forced, octets).is_err() {
        let _ = set_option(fd, libc::SOL_SOCKET, polite, octets);
    }
}

fn set_option(fd: RawFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of::<i32>()).unwrap_or_default();
    // SAFETY: the descriptor is open, and the value lives and has `len` octets during the call.
    let result = unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(flags: u16, errno: i32, behind: &[u8]) -> Vec<u8> {
        let mut octets = vec![0; HEADER];
        octets[4..6].copy_from_slice(&ERROR.to_ne_bytes());
        octets[6..8].copy_from_slice(&flags.to_ne_bytes());
        octets[8..12].copy_from_slice(&77u32.to_ne_bytes());
        octets.extend_from_slice(&(-errno).to_ne_bytes());
        octets.extend_from_slice(behind);
        let len = u32::try_from(octets.len()).unwrap();
        octets[..4].copy_from_slice(&len.to_ne_bytes());
        octets
    }

    #[test]
    fn the_kernels_words_and_the_octet_are_found_behind_the_request() {
        let text = [12, 0, 1, 0, b'n', b'o', b' ', b's', b'e', b't', 0, 0, 8, 0, 2, 0];
        let mut behind = vec![0; HEADER];
        behind[..4].copy_from_slice(&5_000u32.to_ne_bytes());
        behind.extend_from_slice(&text);
        behind.extend_from_slice(&68u32.to_ne_bytes());
        let octets = answer(CAPPED | EXPLAINED, libc::ENOENT, &behind);
        let read = Answer::read(&Messages::new(&octets).next().unwrap()).unwrap();
        assert_eq!((read.seq, read.errno, read.text.as_deref()), (77, libc::ENOENT, Some("no set")));
        assert_eq!(read.stopped_at, Some(68));
    }

    #[test]
    fn an_answer_that_is_cut_says_less_but_never_something_else() {
        let octets = answer(EXPLAINED, libc::EINVAL, &[0; HEADER]);
        for len in 0..octets.len() {
            assert_eq!(read_answers(&octets[..len]), 0, "{len}");
            let mut cut = octets[..len].to_vec();
            cut.iter_mut().zip(u32::try_from(len).unwrap().to_ne_bytes()).for_each(|(at, o)| *at = o);
            for answer in Messages::new(&cut).filter_map(|m| Answer::read(&m)) {
                assert_eq!((answer.errno, answer.text, answer.stopped_at), (libc::EINVAL, None, None));
            }
        }
    }
}
