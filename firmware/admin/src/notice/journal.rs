//! The EVE lines of a channel in files on the box.
//!
//! **Bounds**: two files of at most `FILE_MAX` octets; a file that is full becomes the older one, and the one before it goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// The longest file. **Units**: octets.
const FILE_MAX: u64 = 2 << 20;
/// Their folder, in the API's own.
const FOLDER: &str = "eve";

/// The files of one channel.
pub struct Journal {
    new: PathBuf,
    old: PathBuf,
}

impl Journal {
    /// Those of a channel.
    #[must_use]
    pub fn of(channel: u64) -> Self {
        let path = |name: String| PathBuf::from(FOLDER).join(name);
        Self { new: path(format!("{channel}.json")), old: path(format!("{channel}.1.json")) }
    }

    /// Adds whole lines; they are on the medium when this returns, or not there at all.
    ///
    /// # Errors
    /// The medium's.
    pub fn append(&self, lines: &str) -> io::Result<()> {
        if let Some(folder) = self.new.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().append(true).create(true).open(&self.new)?;
        let mut len = file.metadata()?.len();
        if len > 0 && len + lines.len() as u64 > FILE_MAX {
            fs::rename(&self.new, &self.old)?;
            file = File::create_new(&self.new)?;
            len = 0;
        }
        let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line would spoil the next one. What cannot be taken back either is told by the first error.
            let _ = file.set_len(len);
        }
        written
    }

    /// All lines, the oldest first.
    ///
    /// # Errors
    /// The medium's.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for path in [&self.old, &self.new] {
            match fs::read(path) {
                Ok(octets) => lines.extend(octets),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(lines)
    }

    /// Takes the files away.
    pub fn remove(&self) {
        for path in [&self.old, &self.new] {
            // One that is gone already is what was wanted.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_whole_and_two_files_are_the_most() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join("eve").join(name);
        let journal = Journal { new: path("1.json"), old: path("1.1.json") };
        assert_eq!(journal.read().expect("nothing"), b"");
        let line = |n: usize| format!("{n:06}{}\n", "x".repeat(99_993));
        (0..50).for_each(|n| journal.append(&line(n)).expect("room"));
        let len = |name: &str| fs::metadata(path(name)).expect("a file").len();
        assert!(len("1.json") <= FILE_MAX && len("1.1.json") <= FILE_MAX);
        let all = String::from_utf8(journal.read().expect("lines")).expect("text");
        let numbers: Vec<usize> = all.lines().map(|line| line[..6].parse().expect("a number")).collect();
        assert_eq!(numbers, (50 - numbers.len()..50).collect::<Vec<_>>(), "the newest, whole and in order");
        assert!(numbers.len() > 20);
        journal.remove();
        assert_eq!(fs::read_dir(folder.path().join("eve")).expect("a folder").count(), 0);
    }
}
