//! The pcapng form: sections of blocks, interfaces described on the way.

mod interface;

use terms::Timestamp;

use super::error::Cause;
use super::octets::Octets;
use super::{Head, LONGEST_RECORD, Reason, Step};
use interface::Interface;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type and length before a block's body, and the length again behind it.
const BLOCK_HEAD: usize = 8;
const BLOCK_FRAME: usize = 12;
/// The fields of a packet block before its octets.
const PACKET_HEAD: usize = 20;
/// The longest block that is read as a whole: the longest record and as much again for options.
const LONGEST_BLOCK: usize = 2 * LONGEST_RECORD;
/// The most interfaces of a section; frames of further ones are skipped.
const INTERFACES: usize = 1024;

/// A pcapng file at the beginning of a block.
pub(super) struct Sections {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// The time of the last frame: simple packet blocks have none of their own.
    last: Timestamp,
}

impl Sections {
    /// Whether a section header lies ahead.
    pub(super) fn begins(octets: &mut Octets) -> bool {
        octets.have(4) && octets.ahead().starts_with(&SECTION_HEADER.to_be_bytes())
    }

    /// Reads the first section header.
    pub(super) fn read(octets: &mut Octets) -> Result<Self, Cause> {
        let mut sections = Self { big_endian: false, interfaces: Vec::new(), last: Timestamp::EPOCH };
        match sections.step(octets) {
            Step::Other => Ok(sections),
            _ => Err(Cause::HeaderCut),
        }
    }

    /// Reads one block.
    #[inline]
    pub(super) fn step(&mut self, octets: &mut Octets) -> Step {
        if !octets.have(BLOCK_FRAME) {
            return if octets.at_clean_end() { Step::End } else { Step::Cut };
        }
        let ahead = octets.ahead();
        if ahead.starts_with(&SECTION_HEADER.to_be_bytes()) {
            match ahead[8..12] {
                [0x1a, 0x2b, 0x3c, 0x4d] => self.big_endian = true,
                [0x4d, 0x3c, 0x2b, 0x1a] => self.big_endian = false,
                _ => return Step::Cut,
            }
        }
        let (kind, len) = (self.word(ahead, 0), self.word(ahead, 4) as usize);
        if len < BLOCK_FRAME || len % 4 != 0 {
            return Step::Cut;
        }
        match kind {
            SECTION_HEADER | INTERFACE_DESCRIPTION | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET => {
                self.block(octets, kind, len)
            }
            // Whatever else there is may be long and is passed by unread.
            _ if octets.skip(len as u64 - 4) && octets.have(4) && self.word(octets.ahead(), 0) as usize == len => {
                octets.consume(4);
                Step::Other
            }
            _ => Step::Cut,
        }
    }

    /// Reads a block of a kind that matters, as a whole.
    #[inline]
    fn block(&mut self, octets: &mut Octets, kind: u32, len: usize) -> Step {
        if len > LONGEST_BLOCK || !octets.have(len) || self.word(octets.ahead(), len - 4) as usize != len {
            return Step::Cut;
        }
        let from = octets.position() + BLOCK_HEAD;
        octets.consume(len);
        let body = octets.lent(from, len - BLOCK_FRAME);
        match kind {
            ENHANCED_PACKET => self.packet(body, from, |own, body| own.word(body, 0) as usize),
            OBSOLETE_PACKET => self.packet(body, from, |own, body| usize::from(own.half(body, 0))),
            SIMPLE_PACKET => self.simple(body, from),
            INTERFACE_DESCRIPTION => self.describe(body),
            _ => {
                self.interfaces.clear();
                Step::Other
            }
        }
    }

    /// Reads an enhanced packet block, or the obsolete one, which differs in the width of its first field only.
    #[inline]
    fn packet(&mut self, body: &[u8], from: usize, interface: fn(&Self, &[u8]) -> usize) -> Step {
        if body.len() < PACKET_HEAD {
            return Step::Cut;
        }
        let (kept, len) = (self.word(body, 12), self.word(body, 16));
        let kept_here = kept as usize;
        if kept_here > LONGEST_RECORD || kept_here > body.len() - PACKET_HEAD {
            return Step::Cut;
        }
        let ticks = u64::from(self.word(body, 4)) << 32 | u64::from(self.word(body, 8));
        let Some(interface) = self.interfaces.get(interface(self, body)) else { return Step::Skip(Reason::Interface) };
        let Some(link) = interface.link else { return Step::Skip(Reason::LinkType) };
        self.last = interface.time(ticks);
        Step::Frame(Head { at: self.last, link, len: len.max(kept), from: from + PACKET_HEAD, kept: kept_here })
    }

    /// Reads a simple packet block: of the first interface, without a time, kept up to the interface's snap length.
    fn simple(&mut self, body: &[u8], from: usize) -> Step {
        if body.len() < 4 {
            return Step::Cut;
        }
        let len = self.word(body, 0);
        let Some(interface) = self.interfaces.first() else { return Step::Skip(Reason::Interface) };
        let Some(link) = interface.link else { return Step::Skip(Reason::LinkType) };
        let kept = len.min(interface.snap) as usize;
        if kept > LONGEST_RECORD || kept > body.len() - 4 {
            return Step::Cut;
        }
        Step::Frame(Head { at: self.last, link, len, from: from + 4, kept })
    }

    /// Reads an interface description block.
    fn describe(&mut self, body: &[u8]) -> Step {
        if body.len() < 8 {
            return Step::Cut;
        }
        if self.interfaces.len() < INTERFACES {
            let mut interface = Interface::new(self.half(body, 0), self.word(body, 4));
            let mut options = &body[8..];
            while options.len() >= 4 {
                let (code, len) = (self.half(options, 0), usize::from(self.half(options, 2)));
                // An option that runs past its block ends the options, not the capture.
                let Some(value) = options[4..].get(..len) else { break };
                interface.option(code, value, self.big_endian);
                options = options[4..].get(len.next_multiple_of(4)..).unwrap_or_default();
            }
            self.interfaces.push(interface);
        }
        Step::Other
    }

    #[inline]
    fn word(&self, octets: &[u8], from: usize) -> u32 {
        let four = octets[from..].first_chunk().copied().unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }

    #[inline]
    fn half(&self, octets: &[u8], from: usize) -> u16 {
        let two = octets[from..].first_chunk().copied().unwrap_or_default();
        if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) }
    }
}
