//! The open log: frames of records, appended; the records of all of them, and those that no frame has yet, in memory.
//!
//! **Shape** of the file: frames of a length (4 octets, big-endian) and a zstd frame with its own checksum. **Shape** of the records: number (8
//! octets, big-endian), length (4), value.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{DAY, record};

/// Octets of a row before its value.
const ROW_HEADER: usize = 12;
/// Frames are no longer than this, before and after compression.
const LONGEST: usize = 16 << 20;
/// How hard zstd works: a frame is small and there is one a second.
const EFFORT: i32 = 3;

/// The open log.
pub(super) struct OpenLog {
    file: File,
    /// Octets of the file that are whole frames.
    len: u64,
    rows: Vec<u8>,
    /// Octets of `rows` that are in the file.
    written: usize,
    last: u64,
    day: Option<u64>,
}

/// The rows of octets, each with its number.
pub(super) fn rows(mut octets: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let (number, rest) = octets.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
        octets = rest;
        Some((u64::from_be_bytes(*number), value))
    })
}

/// Adds a row to octets.
pub(super) fn add_row(octets: &mut Vec<u8>, number: u64, value: &[u8]) {
    let len = u32::try_from(value.len()).unwrap_or_default();
    octets.extend_from_slice(&number.to_be_bytes());
    octets.extend_from_slice(&len.to_be_bytes());
    octets.extend_from_slice(value);
}

impl OpenLog {
    /// Reads what is there and was not sealed, and cuts off what is torn; says how many octets that were.
    pub(super) fn load(path: &Path, sealed: u64) -> io::Result<(Self, u64)> {
        let mut file = File::options().create(true).read(true).write(true).truncate(false).open(path)?;
        let whole = file.metadata()?.len();
        let mut log = Self { file: file.try_clone()?, len: 0, rows: Vec::new(), written: 0, last: 0, day: None };
        while let Some((frame, len)) = read_frame(&mut file)? {
            log.len += len;
            for (number, value) in rows(&frame).filter(|(number, _)| *number > sealed) {
                let day = record(value).map_or(0, |activity| activity.at.micros() / DAY);
                log.push(number, day, value);
            }
        }
        log.written = log.rows.len();
        if whole > log.len {
            log.file.set_len(log.len)?;
            log.file.sync_all()?;
        }
        let torn = whole - log.len;
        Ok((log, torn))
    }

    /// Adds a row of a day.
    pub(super) fn push(&mut self, number: u64, day: u64, value: &[u8]) {
        debug_assert!(value.len() + ROW_HEADER < LONGEST, "a record has bounds");
        add_row(&mut self.rows, number, value);
        self.last = number;
        self.day.get_or_insert(day);
    }

    /// Writes what no frame has yet, synced. Returns the octets.
    pub(super) fn write(&mut self) -> io::Result<u64> {
        let packed = pack(&self.rows[self.written..])?;
        let len = u32::try_from(packed.len()).map_err(|_| io::Error::other("a frame is too long"))?;
        let frame = [&len.to_be_bytes()[..], &packed].concat();
        self.file.seek(SeekFrom::Start(self.len))?;
        let done = self.file.write_all(&frame).and_then(|()| self.file.sync_data());
        if let Err(error) = done {
            // A frame that is not whole must not stand before the next one.
            let _ = self.file.set_len(self.len);
            return Err(error);
        }
        self.len += frame.len() as u64;
        self.written = self.rows.len();
        Ok(frame.len() as u64)
    }

    /// Forgets everything: it is sealed.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // Whatever happens to the file: its rows are known by their numbers to be sealed.
        (self.rows, self.written, self.day, self.len) = (Vec::new(), 0, None, 0);
        self.file.set_len(0)?;
        self.file.sync_data()
    }

    /// All rows.
    pub(super) fn octets(&self) -> &[u8] {
        &self.rows
    }

    /// Octets of rows that no frame has yet.
    pub(super) fn waiting(&self) -> usize {
        self.rows.len() - self.written
    }

    /// The number of the last row that there ever was; 0 if none is known.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The day of the first row.
    pub(super) fn day(&self) -> Option<u64> {
        self.day
    }

    /// Octets of the file.
    pub(super) fn file_len(&self) -> u64 {
        self.len
    }
}

/// Compresses octets, with a checksum.
pub(super) fn pack(octets: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::with_capacity(octets.len() / 4), EFFORT)?;
    encoder.include_checksum(true)?;
    encoder.write_all(octets)?;
    encoder.finish()
}

/// Octets as they were before.
///
/// # Errors
/// They are not what was packed, or longer than anything that is.
pub(super) fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    zstd::Decoder::new(packed)?.take(LONGEST as u64 + 1).read_to_end(&mut octets)?;
    if octets.len() > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is longer than any that is written"));
    }
    Ok(octets)
}

/// The next whole frame and its octets in the file; nothing at the end, or where it is torn.
fn read_frame(file: &mut File) -> io::Result<Option<(Vec<u8>, u64)>> {
    let mut len = [0; 4];
    match file.read_exact(&mut len) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        done => done?,
    }
    let len = u32::from_be_bytes(len);
    if len as usize > LONGEST {
        return Ok(None);
    }
    let mut packed = Vec::new();
    file.take(u64::from(len)).read_to_end(&mut packed)?;
    let whole = packed.len() == len as usize;
    let octets = if whole { unpack(&packed).ok() } else { None };
    Ok(octets.map(|octets| (octets, u64::from(len) + 4)))
}
