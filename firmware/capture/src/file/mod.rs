//! Capture files: which form they have, and one frame after the other out of them.

mod classic;
mod error;
mod octets;
mod sections;

use std::path::Path;

use terms::{Side, Timestamp};
use wire::LinkType;

use crate::Frame;
use classic::Classic;
pub use error::OpenError;
use octets::Octets;
use sections::Sections;

/// The longest record that is believed; libpcap's own limit.
///
/// **Units**: octets. A longer one ends the capture as truncated.
const LONGEST_RECORD: usize = 256 * 1024;

/// The bits of a link type that are its number; the ones above tell of a frame check sequence.
const LINK_TYPE_NUMBER: u32 = 0x03ff_ffff;

/// A capture file, or a capture on standard input, read from its beginning to its end.
///
/// **Shape**: pcap of either octet order with microseconds or nanoseconds; pcapng with any number of sections and
/// interfaces; each plain, in gzip or in zstd. The form is told by the first octets, never by the name.
/// **Bounds**: one buffer of 1 MiB, plus the window of the decompressor (at most 16 MiB).
/// **Source**: draft-ietf-opsawg-pcap-05 and draft-ietf-opsawg-pcapng-03.
pub struct CaptureFile {
    octets: Octets,
    form: Form,
    skipped: Skipped,
    state: State,
}

/// How many frames could not be lent, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Their interface has a link type that nobody here reads.
    pub link_type: u64,
    /// They name an interface that the file does not describe.
    pub interface: u64,
}

enum Form {
    Classic(Classic),
    Sections(Sections),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    Truncated,
}

/// What reading one record came to.
enum Step {
    Frame(Head),
    /// A frame that can't be lent, already consumed.
    Skip(Reason),
    /// A block without a frame, already consumed.
    Other,
    End,
    Cut,
}

/// Why a frame was skipped.
enum Reason {
    LinkType,
    Interface,
}

/// Where a frame lies in the buffer, and what the record says of it.
struct Head {
    at: Timestamp,
    link: LinkType,
    len: u32,
    from: usize,
    kept: usize,
}

impl CaptureFile {
    /// Opens a capture; `-` is standard input.
    ///
    /// # Errors
    /// The file can't be read, is empty, is not a capture, or is one of a link type that nobody here reads.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let named = |cause| OpenError::new(path, cause);
        let mut octets = Octets::open(path).map_err(named)?;
        let form = Form::read(&mut octets).map_err(named)?;
        Ok(Self { octets, form, skipped: Skipped::default(), state: State::Reading })
    }

    /// The next frame; none when the capture is at its end or was cut short.
    #[allow(clippy::should_implement_trait, reason = "an iterator can't lend from its own buffer")]
    #[inline]
    pub fn next(&mut self) -> Option<Frame<'_>> {
        let head = self.advance()?;
        let octets = self.octets.lent(head.from, head.kept);
        Some(Frame { at: head.at, side: Side::Unknown, link: head.link, len: head.len, vlan: None, octets })
    }

    /// Whether the capture ended before it should have: inside a record, or in a damaged stream.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.state == State::Truncated
    }

    /// How many frames could not be lent so far.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    #[inline]
    fn advance(&mut self) -> Option<Head> {
        while self.state == State::Reading {
            let step = match &mut self.form {
                Form::Classic(form) => form.step(&mut self.octets),
                Form::Sections(form) => form.step(&mut self.octets),
            };
            match step {
                Step::Frame(head) => return Some(head),
                Step::Skip(Reason::LinkType) => self.skipped.link_type += 1,
                Step::Skip(Reason::Interface) => self.skipped.interface += 1,
                Step::Other => {}
                Step::End => self.state = State::Ended,
                Step::Cut => self.state = State::Truncated,
            }
        }
        None
    }
}

impl Skipped {
    /// Every reason with its count, named as in the replay's summary.
    #[must_use]
    pub fn by_reason(&self) -> [(&'static str, u64); 2] {
        [("link_type_unknown", self.link_type), ("interface_unknown", self.interface)]
    }
}

impl Form {
    fn read(octets: &mut Octets) -> Result<Self, error::Cause> {
        if Sections::begins(octets) {
            Sections::read(octets).map(Self::Sections)
        } else {
            Classic::read(octets).map(Self::Classic)
        }
    }
}

/// What the first octets of a frame are, by the number that captures use.
const fn link_type(number: u32) -> Option<LinkType> {
    LinkType::from_pcap(number & LINK_TYPE_NUMBER)
}
