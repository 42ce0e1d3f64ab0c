//! The classic pcap form: one header, then records.

use terms::Timestamp;
use wire::LinkType;

use super::error::{Cause, Magic};
use super::octets::Octets;
use super::{Head, LINK_TYPE_NUMBER, LONGEST_RECORD, Step, link_type};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A pcap file past its header.
pub(super) struct Classic {
    big_endian: bool,
    nanoseconds: bool,
    /// Up to version 2.3 some writers swapped the two lengths of a record.
    lengths_may_be_swapped: bool,
    link: LinkType,
}

impl Classic {
    /// Reads the file's header.
    pub(super) fn read(octets: &mut Octets) -> Result<Self, Cause> {
        octets.have(FILE_HEADER);
        let ahead = octets.ahead();
        let magic = &ahead[..ahead.len().min(4)];
        let (big_endian, nanoseconds) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, false),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, false),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, true),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, true),
            _ => return Err(Cause::NotACapture(Magic(magic.to_vec()))),
        };
        let Some(header) = ahead.first_chunk::<FILE_HEADER>() else { return Err(Cause::HeaderCut) };
        let minor = if big_endian { [header[6], header[7]] } else { [header[7], header[6]] };
        let lengths_may_be_swapped = u16::from_be_bytes(minor) <= 3;
        let number = word(header, 20, big_endian);
        let link = link_type(number).ok_or(Cause::LinkType(number & LINK_TYPE_NUMBER))?;
        octets.consume(FILE_HEADER);
        Ok(Self { big_endian, nanoseconds, lengths_may_be_swapped, link })
    }

    /// Reads one record.
    #[inline]
    pub(super) fn step(&mut self, octets: &mut Octets) -> Step {
        if !octets.have(RECORD_HEADER) {
            return if octets.at_clean_end() { Step::End } else { Step::Cut };
        }
        let Some(header) = octets.ahead().first_chunk::<RECORD_HEADER>() else { return Step::Cut };
        let (secs, part) = (word(header, 0, self.big_endian), word(header, 4, self.big_endian));
        let (mut kept, mut len) = (word(header, 8, self.big_endian), word(header, 12, self.big_endian));
        if self.lengths_may_be_swapped && kept > len {
            (kept, len) = (len, kept);
        }
        let micros = if self.nanoseconds { part / 1000 } else { part };
        let kept_here = kept as usize;
        if kept_here > LONGEST_RECORD || !octets.have(RECORD_HEADER + kept_here) {
            return Step::Cut;
        }
        let from = octets.position() + RECORD_HEADER;
        octets.consume(RECORD_HEADER + kept_here);
        let at = Timestamp::from_micros(u64::from(secs) * 1_000_000 + u64::from(micros));
        Step::Frame(Head { at, link: self.link, len: len.max(kept), from, kept: kept_here })
    }
}

#[inline]
fn word<const N: usize>(octets: &[u8; N], from: usize, big_endian: bool) -> u32 {
    let four = [octets[from], octets[from + 1], octets[from + 2], octets[from + 3]];
    if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
}
