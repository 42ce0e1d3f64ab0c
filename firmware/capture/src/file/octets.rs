//! The octets of a capture, decompressed, behind one bounded buffer.

use std::fs::File;
use std::io::{self, Chain, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use zstd::stream::read::Decoder;

use super::error::Cause;

/// How much can be asked for at once: the longest record with its headers and options fits.
const CAPACITY: usize = 1024 * 1024;
/// How much is read at once: the part of the buffer in use stays in the processor's second cache.
const CHUNK: usize = 128 * 1024;
/// The largest window of a zstd stream, as a power of two: levels up to 19 need 23.
const ZSTD_WINDOW_LOG: u32 = 24;

/// A source of octets and the part of it that was read ahead.
///
/// **Bounds**: [`CAPACITY`]; nobody may ask for more.
pub(super) struct Octets {
    source: Box<dyn Read + Send>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// The source gives no more.
    ended: bool,
    /// It ended with an error.
    broken: Option<io::Error>,
}

impl Octets {
    /// Opens a file or standard input and finds out how it is compressed.
    pub(super) fn open(path: &Path) -> Result<Self, Cause> {
        let mut plain: Box<dyn Read + Send> =
            if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
        let mut magic = Vec::with_capacity(4);
        plain.by_ref().take(4).read_to_end(&mut magic)?;
        if magic.is_empty() {
            return Err(Cause::Empty);
        }
        let mut octets = Self::new(decompressed(magic, plain)?);
        if octets.have(1) {
            return Ok(octets);
        }
        Err(octets.broken.map_or(Cause::Empty, Cause::Unreadable))
    }

    fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, buffer: vec![0; CAPACITY].into_boxed_slice(), start: 0, end: 0, ended: false, broken: None }
    }

    /// Whether so many octets lie ahead, after reading on if need be.
    #[inline]
    pub(super) fn have(&mut self, len: usize) -> bool {
        self.end - self.start >= len || self.fill(len)
    }

    /// What was read ahead.
    #[inline]
    pub(super) fn ahead(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Moves on by octets that lie ahead.
    #[inline]
    pub(super) fn consume(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// Where the octets ahead begin in the buffer; good until the next [`Self::have`].
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.start
    }

    /// Octets at a position told by [`Self::position`].
    #[inline]
    pub(super) fn lent(&self, from: usize, len: usize) -> &[u8] {
        &self.buffer[from..from + len]
    }

    /// Moves on by any number of octets; false if the source ends before.
    pub(super) fn skip(&mut self, len: u64) -> bool {
        let mut left = len;
        while left > 0 {
            if !self.have(1) {
                return false;
            }
            let here = self.ahead().len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(here);
            left -= here as u64;
        }
        true
    }

    /// Whether everything was read and the source ended as it should.
    pub(super) fn at_clean_end(&self) -> bool {
        self.start == self.end && self.ended && self.broken.is_none()
    }

    #[cold]
    fn fill(&mut self, len: usize) -> bool {
        if len > CAPACITY {
            return false;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < len && !self.ended {
            let until = (self.end + CHUNK).min(CAPACITY);
            match self.source.read(&mut self.buffer[self.end..until]) {
                Ok(0) => self.ended = true,
                Ok(got) => self.end += got,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.broken = Some(error);
                }
            }
        }
        self.end >= len
    }
}

/// Puts the decompressor before the source that its first octets ask for.
fn decompressed(magic: Vec<u8>, rest: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let first = [0, 1, 2, 3].map(|at| magic.get(at).copied().unwrap_or(0));
    let whole: Chain<Cursor<Vec<u8>>, _> = Cursor::new(magic).chain(rest);
    Ok(match first {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(whole)),
        // RFC 8878, sections 3.1.1 and 3.1.2: a frame, or a skippable one before it.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            let mut decoder = Decoder::new(whole)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        _ => Box::new(whole),
    })
}
