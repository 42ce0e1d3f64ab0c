//! A sealed segment: the records of a day or of a part of it, sorted by subject and number, in compressed blocks, never changed.
//!
//! **Shape**: `PKTA`, format (1), three zero octets, length of the head (4 octets, big-endian), the head (zstd of postcard), the blocks (zstd of rows as in the open log).

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use terms::Timestamp;

use super::open_log::{add_row, pack, rows, unpack};
use super::record;

/// First octets of the file: name and format.
const MAGIC: &[u8; 8] = b"PKTA\x01\0\0\0";
/// A block is closed once its rows are this long together.
///
/// **Units**: octets before compression.
const BLOCK: usize = 128 << 10;
/// A head is no longer than this.
const HEAD_MAX: usize = 4 << 20;

/// One block, as the head tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    /// Where it begins, behind the head.
    at: u64,
    /// Its octets.
    len: u32,
    /// The subject of its first row.
    pub(super) first: Box<str>,
    /// The subject of its last row.
    pub(super) last: Box<str>,
    /// The time of its earliest row.
    pub(super) from: Timestamp,
    /// The time of its latest row.
    pub(super) until: Timestamp,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Head {
    last: u64,
    blocks: Vec<Block>,
}

/// A sealed segment, without its rows.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    head: Head,
    start: u64,
    octets: u64,
}

impl Segment {
    /// Sorts rows and writes them; they are on the medium under their name when this returns, once the folder is synced.
    pub(super) fn write(path: &Path, octets: &[u8]) -> io::Result<Self> {
        let mut order: Vec<_> = rows(octets)
            .filter_map(|(number, value)| Some((record(value)?, number, value)))
            .map(|(activity, number, value)| (activity.subject, number, activity.at, value))
            .collect();
        order.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let (mut head, mut body, mut raw) = (Head::default(), Vec::new(), Vec::new());
        head.last = order.iter().map(|row| row.1).max().unwrap_or_default();
        let mut first = 0;
        for (n, (_, number, _, value)) in order.iter().enumerate() {
            add_row(&mut raw, *number, value);
            if raw.len() >= BLOCK || n + 1 == order.len() {
                let packed = pack(&raw)?;
                let of = &order[first..=n];
                let times = || of.iter().map(|row| row.2);
                head.blocks.push(Block {
                    at: body.len() as u64,
                    len: u32::try_from(packed.len()).map_err(|_| io::Error::other("a block is too long"))?,
                    first: of[0].0.as_str().into(),
                    last: order[n].0.as_str().into(),
                    from: times().min().unwrap_or_default(),
                    until: times().max().unwrap_or_default(),
                });
                body.extend_from_slice(&packed);
                raw.clear();
                first = n + 1;
            }
        }
        let packed = pack(&postcard::to_allocvec(&head).map_err(io::Error::other)?)?;
        let len = u32::try_from(packed.len()).map_err(|_| io::Error::other("a head is too long"))?;
        let draft = path.with_extension("draft");
        let done = (|| {
            let mut file = File::create(&draft)?;
            for part in [&MAGIC[..], &len.to_be_bytes(), &packed, &body] {
                file.write_all(part)?;
            }
            file.sync_all()?;
            fs::rename(&draft, path)
        })();
        if let Err(error) = done {
            let _ = fs::remove_file(&draft);
            return Err(error);
        }
        let start = (MAGIC.len() + 4 + packed.len()) as u64;
        Ok(Self { path: path.into(), head, start, octets: start + body.len() as u64 })
    }

    /// Reads the head of a file.
    pub(super) fn load(path: &Path) -> io::Result<Self> {
        let wrong = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let mut file = File::open(path)?;
        let octets = file.metadata()?.len();
        let (mut magic, mut len) = ([0; 8], [0; 4]);
        file.read_exact(&mut magic)?;
        file.read_exact(&mut len)?;
        let len = u32::from_be_bytes(len);
        if magic != *MAGIC || len as usize > HEAD_MAX {
            return Err(wrong("not a segment of this format"));
        }
        let mut packed = Vec::new();
        file.take(u64::from(len)).read_to_end(&mut packed)?;
        let head: Head =
            postcard::from_bytes(&unpack(&packed)?).map_err(|_| wrong("a head that does not read back"))?;
        let start = (MAGIC.len() + 4) as u64 + u64::from(len);
        let end = head.blocks.last().map_or(start, |block| start + block.at + u64::from(block.len));
        if end != octets {
            return Err(wrong("a segment that is cut short"));
        }
        Ok(Self { path: path.into(), head, start, octets })
    }

    /// The rows of one block.
    ///
    /// # Errors
    /// The file is gone, or not what was written.
    pub(super) fn rows(&self, file: &mut File, block: &Block) -> io::Result<Vec<u8>> {
        file.seek(SeekFrom::Start(self.start + block.at))?;
        let mut packed = Vec::with_capacity(block.len as usize);
        file.take(u64::from(block.len)).read_to_end(&mut packed)?;
        unpack(&packed)
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its blocks, in the order of subjects.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.head.blocks
    }

    /// The highest number of its rows.
    pub(super) fn last(&self) -> u64 {
        self.head.last
    }

    /// The time of its latest row.
    pub(super) fn until(&self) -> Timestamp {
        self.head.blocks.iter().map(|block| block.until).max().unwrap_or_default()
    }

    /// Octets of its file.
    pub(super) fn octets(&self) -> u64 {
        self.octets
    }
}
