//! A sealed block: many rows of history in one compressed, checksummed file that is never changed.
//!
//! **Shape**: `PKTB`, format (1), kind, two zero octets, length of the rows (4 octets, big-endian), then a zstd frame with its own
//! checksum. A row is its number and its minute (8 octets each, big-endian), its length (4), and its value.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::disk::sync_names;

/// First octets of the file.
const MAGIC: &[u8; 4] = b"PKTB";
/// The format that is written.
const FORMAT: u8 = 1;
/// Octets before the compressed rows.
const HEADER: usize = 12;
/// Octets of a row before its value.
const ROW_HEADER: usize = 20;
/// Rows longer than this together are not read.
///
/// **Units**: octets, uncompressed.
const LONGEST: usize = 8 << 20;
/// How hard zstd works; 3 is its default.
const EFFORT: i32 = 3;

/// One row of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its number within its kind.
    pub(crate) seq: u64,
    /// The minute that it is about.
    pub(crate) minute: u64,
    /// Its value, with the format tag.
    pub(crate) value: Vec<u8>,
}

/// The file of the block that ends with this row.
pub(crate) fn file_of(folder: &Path, kind: u8, last: u64) -> PathBuf {
    folder.join(format!("{}-{last:020}", char::from(kind)))
}

/// Writes a block; it is on the medium under its name when this returns. Returns its octets.
pub(crate) fn write(path: &Path, kind: u8, rows: &[Row]) -> io::Result<u64> {
    let octets = pack(kind, rows)?;
    let draft = path.with_extension("draft");
    let result = write_synced(&draft, &octets).and_then(|()| fs::rename(&draft, path));
    if result.is_err() {
        // the room of half a block matters more on a full disk than whether its removal failed as well
        let _ = fs::remove_file(&draft);
    }
    result?;
    sync_names(path.parent().unwrap_or(Path::new(".")))?;
    Ok(octets.len() as u64)
}

/// Reads a block back, every row checked.
///
/// # Errors
/// What the system said, or `InvalidData` if it is not what was written.
pub(crate) fn read(path: &Path, kind: u8) -> io::Result<Vec<Row>> {
    unpack(kind, &fs::read(path)?)
}

fn write_synced(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

fn pack(kind: u8, rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut raw = Vec::with_capacity(rows.iter().map(|r| ROW_HEADER + r.value.len()).sum());
    for row in rows {
        let len = u32::try_from(row.value.len()).map_err(|_| invalid("a row is too long"))?;
        raw.extend(row.seq.to_be_bytes());
        raw.extend(row.minute.to_be_bytes());
        raw.extend(len.to_be_bytes());
        raw.extend(&row.value);
    }
    let len = u32::try_from(raw.len()).map_err(|_| invalid("a block is too long"))?;
    let mut file = Vec::with_capacity(raw.len() / 2);
    file.extend(MAGIC);
    file.extend([FORMAT, kind, 0, 0]);
    file.extend(len.to_be_bytes());
    let mut encoder = zstd::Encoder::new(file, EFFORT)?;
    encoder.include_checksum(true)?;
    encoder.write_all(&raw)?;
    encoder.finish()
}

fn unpack(kind: u8, file: &[u8]) -> io::Result<Vec<Row>> {
    let (header, packed) = file.split_at_checked(HEADER).ok_or_else(|| invalid("a sealed block is cut short"))?;
    let (start, len) = header.split_at(8);
    if start != [&MAGIC[..], &[FORMAT, kind, 0, 0]].concat() {
        return Err(invalid("not a sealed block of this kind and format"));
    }
    let len = len.iter().fold(0, |sum, &octet| sum << 8 | usize::from(octet));
    if len > LONGEST {
        return Err(invalid("a sealed block is longer than any that is written"));
    }
    let mut raw = Vec::with_capacity(len);
    zstd::Decoder::new(packed)?.take(len as u64 + 1).read_to_end(&mut raw)?;
    if raw.len() != len {
        return Err(invalid("a sealed block has another length than it says"));
    }
    rows_of(&raw).ok_or_else(|| invalid("a row of a sealed block is cut short"))
}

fn rows_of(mut raw: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while !raw.is_empty() {
        let (seq, rest) = raw.split_first_chunk()?;
        let (minute, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
        rows.push(Row { seq: u64::from_be_bytes(*seq), minute: u64::from_be_bytes(*minute), value: value.to_vec() });
        raw = rest;
    }
    Some(rows)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        (0..200).map(|n| Row { seq: n, minute: n / 7, value: n.to_be_bytes().repeat(3) }).collect()
    }

    #[test]
    fn format_1_keeps_its_first_octets() {
        let file = pack(b'e', &rows()).unwrap();
        let zstd_magic = [0x28, 0xb5, 0x2f, 0xfd];
        assert_eq!(file[..16], [&b"PKTB\x01e\0\0\0\0\x22\x60"[..], &zstd_magic].concat());
    }

    #[test]
    fn a_block_cut_anywhere_is_refused() {
        let file = pack(b'e', &rows()).unwrap();
        assert_eq!(unpack(b'e', &file).unwrap(), rows());
        for len in 0..file.len() {
            assert!(unpack(b'e', &file[..len]).is_err(), "cut at {len}");
        }
    }

    #[test]
    fn a_block_with_any_octet_changed_is_refused() {
        let file = pack(b'm', &rows()).unwrap();
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 0x10;
            match unpack(b'm', &bad) {
                Err(_) => {}
                // zstd leaves a few bits of its header without meaning
                Ok(read) => assert_eq!(read, rows(), "octet {at}"),
            }
        }
        assert!(unpack(b'c', &file).is_err());
    }

    #[test]
    fn a_block_reads_back_from_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = file_of(dir.path(), b'c', 199);
        let len = write(&path, b'c', &rows()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), len);
        assert_eq!(read(&path, b'c').unwrap(), rows());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
    }
}
