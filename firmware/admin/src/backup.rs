//! A box's backup: what people made of it, in one file that only its passphrase opens.
//!
//! **Shape**: `PICKETB1`, 16 octets of salt, 12 of nonce, then the sealed text. The key is argon2id of passphrase and salt; the seal is
//! ChaCha20-Poly1305 with everything before it as additional data, so that no octet of the file can be another. The text is gzip over
//! lines of JSON, one `Line` each; the last one counts those before it.
//!
//! What is in it: of the API every kind of rows that `rows::Kind` says is kept (accounts, tokens, requests, enrolments, channels with their
//! secrets, incidents, settings, the audit with its key), of the gateway what `api::backup` takes of it (policy, devices, settings, lists of
//! indicators). What is not, and why, is said there; nothing of the traffic that the gateway saw is.

use std::io::{BufRead, BufReader, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::password::Hasher;
use crate::problem::Problem;
use crate::rows::Kind;
use crate::secret::random;

/// How a file begins.
const MAGIC: &[u8; 8] = b"PICKETB1";
const SALT_LEN: usize = 16;
/// The largest file. **Units**: octets.
pub const FILE_MAX: usize = 12 << 20;
/// The largest text in a file. **Units**: octets.
const TEXT_MAX: u64 = 160 << 20;
/// The longest line of a text. **Units**: octets; a policy of 4 MiB, escaped.
const LINE_MAX: u64 = 12 << 20;
/// What is said of any file that does not open, whatever the reason.
const CLOSED: &str = "does not open with this passphrase; or it was cut or changed";

/// One line of the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// A row: its kind, number and value.
    Row(Kind, u64, Value),
    /// A record of the audit.
    Audit(String),
    /// The policy as text.
    Policy(String),
    /// A device.
    Device(Box<Value>),
    /// A setting of the gateway that people set: its name and value.
    Setting(String, Value),
    /// A list of indicators.
    List(List),
    /// The end: how many lines there were.
    End(u64),
}

/// A list of indicators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Its name.
    pub name: String,
    /// As it was published.
    pub text: String,
    /// Whether it is held High against who has to do with what it lists.
    pub high: bool,
    /// Where it comes from, in words.
    pub origin: String,
    /// Until when it holds, in seconds since the epoch.
    pub until: u64,
}

/// A backup being written.
pub struct Writer {
    text: GzEncoder<Vec<u8>>,
    lines: u64,
}

impl Writer {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { text: GzEncoder::new(Vec::new(), Compression::default()), lines: 0 }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// 409: the file would be too large.
    pub fn line(&mut self, line: &Line) -> Result<(), Problem> {
        let mut octets = serde_json::to_vec(line).map_err(|error| Problem::new(500, error.to_string()))?;
        octets.push(b'\n');
        self.lines += 1;
        // Writing to memory cannot fail.
        let _ = self.text.write_all(&octets);
        if self.text.get_ref().len() > FILE_MAX - 1_024 {
            return Err(Problem::conflict(format!(
                "the backup would be larger than {} MiB: the audit is too long; export it by picket audit export",
                FILE_MAX >> 20
            )));
        }
        Ok(())
    }

    /// Ends and seals it.
    ///
    /// # Errors
    /// No key can be made.
    pub fn seal(mut self, hasher: &Hasher, passphrase: &str) -> Result<Vec<u8>, Problem> {
        self.line(&Line::End(self.lines))?;
        let mut text = self.text.finish().map_err(|error| Problem::new(500, error.to_string()))?;
        let none = |error: crate::secret::NoRandom| Problem::busy(error.to_string());
        let (salt, nonce) = (random::<SALT_LEN>().map_err(none)?, random::<NONCE_LEN>().map_err(none)?);
        let mut file = [MAGIC.as_slice(), &salt, &nonce].concat();
        let key = key(hasher, passphrase, &salt)?;
        let aad = Aad::from(file.clone());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)
            .map_err(|_| Problem::new(500, "the backup cannot be sealed"))?;
        file.extend_from_slice(&text);
        Ok(file)
    }
}

/// Opens a file and reads all of it, before anything is done with it.
///
/// # Errors
/// 422: it does not open, or holds what no backup does.
pub fn open(hasher: &Hasher, passphrase: &str, mut file: Vec<u8>) -> Result<Vec<Line>, Problem> {
    let closed = || Problem::field("backup", CLOSED);
    const HEAD: usize = MAGIC.len() + SALT_LEN + NONCE_LEN;
    if file.len() < HEAD || !file.starts_with(MAGIC) {
        return Err(Problem::field("backup", "is no backup of a Picket box"));
    }
    let mut text = file.split_off(HEAD);
    let nonce: [u8; NONCE_LEN] = file[HEAD - NONCE_LEN..].try_into().map_err(|_| closed())?;
    let key = key(hasher, passphrase, &file[MAGIC.len()..HEAD - NONCE_LEN])?;
    let opened = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(file), &mut text);
    let plain: &[u8] = opened.map_err(|_| closed())?;
    let mut reader = BufReader::new(GzDecoder::new(plain).take(TEXT_MAX));
    let (mut lines, mut octets) = (Vec::new(), Vec::new());
    loop {
        octets.clear();
        let read = (&mut reader).take(LINE_MAX).read_until(b'\n', &mut octets).map_err(|_| closed())?;
        if read == 0 {
            return Err(Problem::field("backup", "has no end"));
        }
        let line = serde_json::from_slice(&octets);
        match line.map_err(|_| Problem::field("backup", "was made by a newer version, or holds what no backup does"))? {
            Line::End(count) if count == lines.len() as u64 => return Ok(lines),
            Line::End(_) => return Err(Problem::field("backup", "lacks lines")),
            line => lines.push(line),
        }
    }
}

fn key(hasher: &Hasher, passphrase: &str, salt: &[u8]) -> Result<LessSafeKey, Problem> {
    let octets = hasher.key(passphrase, salt)?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, &octets).map_err(|_| Problem::new(500, "no key can be made"))?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        vec![
            Line::Policy("posture = \"protect\"\n".into()),
            Line::Audit("{\"number\":1}".into()),
            Line::Row(Kind::Account, 1, serde_json::json!({"email": "root@example.org"})),
        ]
    }

    fn sealed(hasher: &Hasher) -> Vec<u8> {
        let mut writer = Writer::new();
        lines().iter().for_each(|line| writer.line(line).expect("room"));
        writer.seal(hasher, "a good passphrase").expect("sealed")
    }

    #[test]
    fn a_backup_opens_with_its_passphrase_and_not_otherwise() {
        let hasher = Hasher::new().expect("random");
        let file = sealed(&hasher);
        assert_eq!(open(&hasher, "a good passphrase", file.clone()).expect("opened"), lines());
        assert!(!file.windows(4).any(|at| at == b"root"), "nothing lies in clear");
        let wrong = open(&hasher, "another passphrase", file.clone()).expect_err("closed");
        assert_eq!((wrong.status, wrong.field.as_deref()), (422, Some("backup")));
        assert_ne!(file, sealed(&hasher), "another salt each time");
    }

    #[test]
    fn a_file_that_was_cut_or_changed_anywhere_does_not_open() {
        let hasher = Hasher::new().expect("random");
        let file = sealed(&hasher);
        for at in (0..file.len()).step_by(11) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(open(&hasher, "a good passphrase", changed).is_err(), "octet {at}");
            assert!(open(&hasher, "a good passphrase", file[..at].to_vec()).is_err(), "cut at {at}");
        }
    }
}
