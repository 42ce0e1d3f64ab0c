//! Which forest is in force and which was before, on the medium.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The index's name in the folder.
const NAME: &str = "index.json";
/// What forests' files end in.
const ENDING: &str = "model";
/// What files end in that are being written.
const DRAFT: &str = "new";

/// Where a forest lies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the binary.
    #[default]
    Shipped,
    /// In the file of this name.
    File(String),
}

/// The forest in force and the former.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The one in force.
    pub current: Place,
    /// The one before it.
    pub former: Option<Place>,
}

impl Place {
    /// The file; that of the binary's forest is none.
    pub fn path(&self, folder: &Path) -> PathBuf {
        match self {
            Self::Shipped => PathBuf::new(),
            // A name is 16 hexadecimal digits; one that was tampered with leads nowhere else.
            Self::File(name) if name.bytes().all(|octet| octet.is_ascii_hexdigit()) => {
                folder.join(name).with_extension(ENDING)
            }
            Self::File(_) => folder.join("no-name"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped => f.write_str("the forest in this binary"),
            Self::File(name) => f.write_str(name),
        }
    }
}

impl Index {
    /// Reads the index; where there is none, the forest in the binary is in force.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read?,
        };
        serde_json::from_slice(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
    }

    /// Replaces the index in one step.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        write(folder, &folder.join(NAME), &serde_json::to_vec(self)?)
    }

    /// Removes the files of forests that nothing names any more; one that stays is removed the next time.
    pub fn sweep(&self, folder: &Path) {
        let kept: Vec<PathBuf> =
            [Some(&self.current), self.former.as_ref()].into_iter().flatten().map(|p| p.path(folder)).collect();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let ours = path.extension().is_some_and(|ending| ending == ENDING || ending == DRAFT);
            if ours && !kept.contains(&path) {
                let _stays = fs::remove_file(path);
            }
        }
    }
}

/// Writes a file wholly or not at all, and brings it to the medium.
pub fn write(folder: &Path, path: &Path, octets: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let draft = path.with_extension(DRAFT);
    let mut file = File::create(&draft)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Place {
        Place::File(name.into())
    }

    #[test]
    fn an_index_reads_back_and_its_absence_is_the_binarys_forest() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Index::read(folder.path()).expect("none"), Index::default());
        for former in [None, Some(Place::Shipped), Some(file("0b"))] {
            let index = Index { current: file("0a"), former };
            index.write(folder.path()).expect("written");
            assert_eq!(Index::read(folder.path()).expect("read"), index);
        }
        fs::write(folder.path().join(NAME), "{").expect("a damaged index");
        assert!(Index::read(folder.path()).is_err());
    }

    #[test]
    fn only_what_the_index_names_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let there = |name: &str| folder.path().join(name).with_extension(ENDING).exists();
        for name in ["0a", "0b", "0c"] {
            write(folder.path(), &file(name).path(folder.path()), b"a forest").expect("written");
        }
        let index = Index { current: file("0a"), former: Some(file("0c")) };
        index.write(folder.path()).expect("written");
        index.sweep(folder.path());
        assert_eq!(["0a", "0b", "0c"].map(there), [true, false, true]);
        assert_eq!(Index::read(folder.path()).expect("it stays"), index);
    }

    #[test]
    fn a_name_leads_nowhere_but_into_the_folder() {
        let path = file("../../etc/passwd").path(Path::new("/shelf"));
        assert_eq!(path, Path::new("/shelf/no-name"));
    }
}
