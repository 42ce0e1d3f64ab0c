//! Whether an export is whole: needs the file alone.

use std::io::BufRead;

use protocol::link::Head;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::record::{self, BEGIN};
use crate::secret::unhex;

/// The longest line that is read, in octets.
const LINE_MAX: u64 = 64 << 10;

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The number of the record, or of the line of the file.
    pub number: u64,
    /// In words.
    pub why: String,
}

impl Broken {
    /// That the record with this head is not there any more.
    pub(super) fn gone(head: &Head) -> Self {
        Self { number: head.number, why: "records that were there are gone".into() }
    }
}

/// What a whole export says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its records.
    pub records: u64,
    /// The hash of the last.
    pub head: String,
    /// When it was made.
    pub at: String,
    /// The box's key, hexadecimal; compare it with what the box shows.
    pub key: String,
}

/// The last line of an export.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    trailer: Trailer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    count: u64,
    head: String,
    at: String,
    key: String,
    signature: String,
}

impl Trailer {
    /// What is signed.
    fn text(&self) -> String {
        format!("picket audit 1\n{}\n{}\n{}\n{}\n", self.count, self.head, self.at, self.key)
    }
}

/// The trailer for an export that ends with this record.
pub fn trailer(count: u64, head: &str, at: &str, key: &str, sign: impl Fn(&[u8]) -> String) -> String {
    let mut trailer = Trailer { count, head: head.into(), at: at.into(), key: key.into(), signature: String::new() };
    trailer.signature = sign(trailer.text().as_bytes());
    serde_json::to_string(&Line { trailer }).unwrap_or_default()
}

/// Reads an export: one record a line, the trailer last.
///
/// # Errors
/// Where it is not what the box wrote, and why.
pub fn verify(mut from: impl BufRead) -> Result<Verified, Broken> {
    let mut head = Head { number: 0, hash: BEGIN.into() };
    let mut end: Option<Trailer> = None;
    for number in 1_u64.. {
        let broken = |why: &str| Broken { number, why: why.into() };
        let mut octets = Vec::new();
        let read = from.by_ref_take(&mut octets).map_err(|error| broken(&error.to_string()))?;
        if read == 0 {
            break;
        }
        let Some((b'\n', line)) = octets.split_last() else { return Err(broken("it does not end, or is too long")) };
        let line = std::str::from_utf8(line).map_err(|_| broken("it is no text"))?;
        if end.is_some() {
            return Err(broken("it stands behind the trailer"));
        }
        if line.starts_with("{\"trailer\":") {
            end = Some(checked(line, &head).map_err(broken)?);
        } else {
            head = record::open(line, &head).map_err(broken)?;
        }
    }
    let end = end.ok_or_else(|| Broken {
        number: head.number + 1,
        why: "there is no trailer: records may be missing at the end".into(),
    })?;
    Ok(Verified { records: head.number, head: head.hash, at: end.at, key: end.key })
}

/// The trailer, if it is the box's word on the records before it.
fn checked(line: &str, head: &Head) -> Result<Trailer, &'static str> {
    let read: Line = serde_json::from_str(line).map_err(|_| "it is no trailer")?;
    if serde_json::to_string(&read).is_ok_and(|again| again != line) {
        return Err("the trailer was changed");
    }
    let trailer = read.trailer;
    if trailer.count == 0 || (trailer.count, &trailer.head) != (head.number, &head.hash) {
        return Err("records are missing before the trailer");
    }
    let (key, signature) = (unhex(&trailer.key), unhex(&trailer.signature));
    let (Some(key), Some(signature)) = (key, signature) else { return Err("the trailer was changed") };
    UnparsedPublicKey::new(&ED25519, key)
        .verify(trailer.text().as_bytes(), &signature)
        .map_err(|_| "the trailer was not signed with its key")?;
    Ok(trailer)
}

/// Lines within bounds.
trait Lines {
    fn by_ref_take(&mut self, into: &mut Vec<u8>) -> std::io::Result<usize>;
}

impl<R: BufRead> Lines for R {
    fn by_ref_take(&mut self, into: &mut Vec<u8>) -> std::io::Result<usize> {
        std::io::Read::take(self, LINE_MAX).read_until(b'\n', into)
    }
}
