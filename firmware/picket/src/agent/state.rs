//! What the agent keeps: as whom it is enrolled, and how far it has read.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Trouble;
use super::spool::Spool;

/// As whom it is enrolled, and where.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The box's address and port.
    pub at: String,
    /// The name under which the box knows it.
    pub name: String,
    /// The token.
    pub token: String,
    /// The box's own authority, as hexadecimal DER: whoever it signed is the box.
    pub authority: String,
    /// Which spool its numbers belong to.
    pub stream: u64,
}

/// How far something was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file's inode; of the journal nothing.
    pub inode: u64,
    /// Behind its last line.
    pub end: u64,
    /// The journal's cursor.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cursor: String,
}

/// The name under which the journal's place is kept.
pub const JOURNAL: &str = "journal";

/// How far everything was read.
#[derive(Clone, Debug, Default)]
pub struct Places {
    all: BTreeMap<String, Place>,
}

impl Enrolment {
    /// Reads it.
    ///
    /// # Errors
    /// The host is not enrolled.
    pub fn read(folder: &Path) -> Result<Self, Trouble> {
        let path = folder.join("enrolment.json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()).into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!(
                "this host is not enrolled ({} is not there); picket agent enroll --help says how",
                path.display()
            )
            .into()),
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    /// Writes it, for its owner alone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        replace(&folder.join("enrolment.json"), &serde_json::to_vec_pretty(self)?)
    }
}

impl Places {
    /// What was kept, and what lines in the spool say beyond that.
    pub fn read(folder: &Path, spool: &Spool) -> Self {
        let kept = fs::read(folder.join("places.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let mut all: BTreeMap<String, Place> = kept.unwrap_or_default();
        all.extend(spool.places().clone());
        Self { all }
    }

    /// How far a file was read.
    pub fn of(&self, path: &Path) -> Option<Place> {
        self.all.get(&*path.to_string_lossy()).cloned()
    }

    /// How far the journal was read.
    pub fn cursor(&self) -> Option<String> {
        self.all.get(JOURNAL).map(|place| place.cursor.clone())
    }

    /// Something was read further.
    pub fn set(&mut self, name: String, place: Place) {
        self.all.insert(name, place);
    }

    /// Writes them down.
    pub fn keep(&self, folder: &Path) {
        let text = serde_json::to_vec(&self.all).unwrap_or_default();
        if let Err(error) = replace(&folder.join("places.json"), &text) {
            tracing::error!("how far logs were read is not kept: {error}");
        }
    }
}

/// Writes a file that its owner alone may read, whole or not at all.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(draft, path)
}
