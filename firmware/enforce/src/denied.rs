//! What rules deny, as the kernel tells it: copies of a few of the packets, each under the name of its rule.
//!
//! **Shape**: messages of the kernel's log (`nfnetlink_log`) for one group; the Ethernet header comes in an attribute of its own, in front of
//! the packet. **Bounds**: the rules that copy are limited themselves; what the socket has no room for is lost, counters stay exact.
//! **Source**: `include/uapi/linux/netfilter/nfnetlink_log.h`.

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use mnl::{Bus, Socket as Mnl};

use crate::attribute::{Messages, Writer};
use crate::error::EnforceError;
use crate::lines::DENIED_GROUP;

/// The log's number among the subsystems.
const LOG: u16 = 4;
const PACKET: u16 = 0;
const CONFIGURE: u16 = 1;
const REQUEST: u16 = 0x1;
/// Attributes of a configuration.
const COMMAND: u16 = 1;
const MODE: u16 = 2;
const THRESHOLD: u16 = 5;
/// Attributes of a packet.
const PAYLOAD: u16 = 9;
const PREFIX: u16 = 10;
const LINK_HEADER: u16 = 16;
/// Binds to the group.
const BIND: u8 = 1;
/// Copies as much of the packet as the rule says, at most so many octets.
const COPY: [u8; 6] = [0, 0, 4, 0, 2, 0];
const READING: usize = 64 * 1024;

/// One packet that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The rule, or `default`.
    pub rule: String,
    /// The beginning of the frame.
    pub frame: Vec<u8>,
}

/// The listener to what is denied, in the network namespace of the thread that opened it.
pub struct Denials {
    mnl: Mnl,
    reading: Vec<u8>,
}

// SAFETY: libmnl's socket is a file descriptor and an address on the heap, tied to no thread; `Denials` is its only owner.
unsafe impl Send for Denials {}

impl Denials {
    /// Begins to listen.
    ///
    /// # Errors
    /// `Unreachable` if the kernel has no such log, or somebody else listens to the group.
    pub fn open() -> Result<Self, EnforceError> {
        let mnl = Mnl::new(Bus::Netfilter).map_err(EnforceError::Unreachable)?;
        let mut message = Writer::of(LOG, CONFIGURE, REQUEST, 0, DENIED_GROUP);
        message.put(COMMAND, &[BIND]);
        message.put(MODE, &COPY);
        message.put(THRESHOLD, &1_u32.to_be_bytes());
        mnl.send(&message.finish()).map_err(EnforceError::Unreachable)?;
        Ok(Self { mnl, reading: vec![0; READING + 4] })
    }

    /// Waits for packets at most so long.
    ///
    /// # Errors
    /// The system's own; what was lost because nobody read in time is no error.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Vec<Denied>> {
        let millis = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        let mut poll = libc::pollfd { fd: self.mnl.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one structure that lives during the call.
        if unsafe { libc::poll(&raw mut poll, 1, millis) } <= 0 {
            return Ok(Vec::new());
        }
        let start = self.reading.as_ptr().align_offset(4).min(3);
        let buffer = &mut self.reading[start..start + READING];
        match self.mnl.recv_raw(buffer) {
            Ok(len) => Ok(read(&buffer[..len.min(READING)])),
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The packets of one reading; whatever else it holds is left out.
pub(crate) fn read(octets: &[u8]) -> Vec<Denied> {
    let packets = Messages::new(octets).filter(|message| message.kind == LOG << 8 | PACKET);
    let denied = packets.map(|message| {
        let of = message.attributes();
        let frame = [of.value(LINK_HEADER).unwrap_or_default(), of.value(PAYLOAD).unwrap_or_default()].concat();
        Denied { rule: of.text(PREFIX).unwrap_or_default().to_owned(), frame }
    });
    denied.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_with_its_rule_and_cut_anywhere_it_is_none() {
        let mut message = Writer::of(LOG, PACKET, 0, 7, DENIED_GROUP);
        message.put(LINK_HEADER, &[1; 14]);
        message.put_text(PREFIX, "camera");
        message.put(PAYLOAD, &[2; 20]);
        let octets = message.finish();
        let denied = Denied { rule: "camera".into(), frame: [vec![1; 14], vec![2; 20]].concat() };
        assert_eq!(read(&octets), [denied]);
        for len in 0..octets.len() {
            assert_eq!(read(&octets[..len]), [], "{len}");
        }
    }
}
