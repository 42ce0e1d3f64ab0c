//! The spool: numbered lines on disk until the box has them, within a bound.
//!
//! Files named by the number of their first line, each of about `FILE_MAX`. What does not fit any more pushes the oldest file out, and the numbers
//! that are missing tell the box so. A number is never used twice: a line that cannot be written has used its own.
//!
//! **Durability**: lines are on the medium after `flush`.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use terms::Timestamp;

use super::state::Place;

/// A file is closed once it is this long, in octets.
const FILE_MAX: u64 = 512 << 10;
/// Lines and octets of a batch.
const BATCH: (usize, usize) = (500, 512 << 10);
/// The longest line, in octets: what the box takes.
const LINE_MAX: usize = 60 << 10;

/// The spool.
pub struct Spool {
    folder: PathBuf,
    stream: u64,
    most: u64,
    /// First number and octets of each file, the last one is written to.
    files: BTreeMap<u64, u64>,
    next: u64,
    /// Up to here the box has everything.
    through: u64,
    waiting: Vec<u8>,
    /// The number of the first line that waits.
    first_waiting: u64,
    places: BTreeMap<String, Place>,
    rotated: bool,
    /// Lines that were pushed out or could not be written.
    lost: u64,
}

impl Spool {
    /// Opens the folder, or makes it; a line that was being written when the host went down is cut off.
    ///
    /// # Errors
    /// The system refuses.
    pub fn open(folder: &Path, stream: u64, most: u64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut spool = Self {
            folder: folder.into(),
            stream,
            most,
            files: BTreeMap::new(),
            next: 1,
            through: 0,
            waiting: Vec::new(),
            first_waiting: 1,
            places: BTreeMap::new(),
            rotated: false,
            lost: 0,
        };
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(first) = name.strip_prefix("lines-").and_then(|first| first.parse().ok()) {
                spool.files.insert(first, 0);
            }
        }
        for first in spool.files.keys().copied().collect::<Vec<_>>() {
            let path = spool.path(first);
            let (mut whole, mut file) = (0, BufReader::new(File::open(&path)?));
            spool.next = spool.next.max(first);
            let mut line = String::new();
            while file.read_line(&mut line).unwrap_or(0) > 0 && line.ends_with('\n') {
                let Ok(value) = serde_json::from_str::<Value>(&line) else { break };
                whole += line.len() as u64;
                spool.next = spool.next.max(value["seq"].as_u64().unwrap_or(0) + 1);
                if let (Some(name), Ok(place)) = (value["of"].as_str(), serde_json::from_value(value["place"].clone()))
                {
                    spool.places.insert(name.to_owned(), place);
                }
                line.clear();
            }
            File::options().write(true).open(&path)?.set_len(whole)?;
            spool.files.insert(first, whole);
        }
        let kept = fs::read_to_string(folder.join("through")).unwrap_or_default();
        spool.through = kept.trim().parse().unwrap_or(0);
        // Numbers that were given away and never written must not be given again; the box may have them from elsewhere.
        spool.next = spool.next.max(spool.through + 1);
        spool.first_waiting = spool.next;
        Ok(spool)
    }

    /// Numbers a line; it waits for `flush`.
    pub fn push(&mut self, mut value: Value, place: Option<&(String, Place)>, at: Timestamp) {
        value["seq"] = self.next.into();
        value["stream"] = self.stream.into();
        if value["at"].is_null() {
            value["at"] = at.as_secs_f64().into();
        }
        if let Some((name, place)) = place {
            value["of"] = name.as_str().into();
            value["place"] = serde_json::to_value(place).unwrap_or_default();
        }
        self.next += 1;
        let mut line = value.to_string();
        if line.len() > LINE_MAX {
            let message = value["message"].as_str().unwrap_or_default();
            let short: String = message.chars().take(8 << 10).collect();
            value["message"] = short.into();
            line = value.to_string();
        }
        if line.len() <= LINE_MAX {
            self.waiting.extend_from_slice(line.as_bytes());
            self.waiting.push(b'\n');
        }
    }

    /// Brings to the medium what waits, and lets the oldest go that is beyond the bound.
    ///
    /// # Errors
    /// The system refuses; what waited is lost, and its numbers are missing from now on.
    pub fn flush(&mut self) -> io::Result<()> {
        let (lines, count) = (std::mem::take(&mut self.waiting), self.next - self.first_waiting);
        let first = std::mem::replace(&mut self.first_waiting, self.next);
        if lines.is_empty() {
            return Ok(());
        }
        let open = self.files.last_key_value().filter(|(_, octets)| **octets < FILE_MAX).map(|(first, _)| *first);
        let name = open.unwrap_or(first);
        let before = self.files.get(&name).copied().unwrap_or(0);
        if let Err(error) = self.append(name, before, &lines) {
            self.lost += count;
            return Err(error);
        }
        self.files.insert(name, before + lines.len() as u64);
        self.rotated |= open.is_none();
        while self.files.len() > 1 && self.files.values().sum::<u64>() > self.most {
            let second = self.files.keys().nth(1).copied().unwrap_or(self.next);
            let Some((first, _)) = self.files.pop_first() else { break };
            self.lost += second.saturating_sub(first.max(self.through + 1));
            fs::remove_file(self.path(first))?;
        }
        Ok(())
    }

    fn append(&self, name: u64, before: u64, lines: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let mut file = File::options().create(true).append(true).open(&path)?;
        let done = file.write_all(lines).and_then(|()| file.sync_data());
        if done.is_err() {
            // What is half there is no line.
            let _ = file.set_len(before);
        }
        done
    }

    /// Whether a file was begun since this was asked last.
    pub fn rotated(&mut self) -> bool {
        std::mem::take(&mut self.rotated)
    }

    /// The next lines that the box does not have; empty where there are none.
    ///
    /// # Errors
    /// The system refuses.
    pub fn batch(&self) -> io::Result<String> {
        let mut batch = String::new();
        let mut lines = 0;
        for (n, first) in self.files.keys().enumerate() {
            // A file whose successor begins at or below what is wanted holds nothing of it.
            if self.files.keys().nth(n + 1).is_some_and(|after| *after <= self.through + 1) {
                continue;
            }
            for line in BufReader::new(File::open(self.path(*first))?).lines() {
                let line = line?;
                let seq = serde_json::from_str::<Value>(&line).ok().and_then(|value| value["seq"].as_u64());
                if seq.is_none_or(|seq| seq <= self.through) {
                    continue;
                }
                if lines >= BATCH.0 || batch.len() + line.len() > BATCH.1 {
                    return Ok(batch);
                }
                batch.push_str(&line);
                batch.push('\n');
                lines += 1;
            }
        }
        Ok(batch)
    }

    /// The box has everything up to this number.
    pub fn sent(&mut self, through: u64) {
        // A box that claims more than there is would have the agent tell nothing any more.
        self.through = self.through.max(through.min(self.next - 1));
        if let Err(error) = fs::write(self.folder.join("through"), format!("{}\n", self.through)) {
            tracing::warn!("what the box has is not kept: {error}");
        }
        while self.files.len() > 1 && self.files.keys().nth(1).is_some_and(|second| *second <= self.through + 1) {
            let Some((first, _)) = self.files.pop_first() else { break };
            // A file that stays is passed over by its numbers.
            let _ = fs::remove_file(self.path(first));
        }
    }

    /// How far logs were read, as the lines say.
    pub fn places(&self) -> &BTreeMap<String, Place> {
        &self.places
    }

    /// Lines that wait for the box, lines that were lost, and octets on disk.
    pub fn figures(&self) -> (u64, u64, u64) {
        (self.next - 1 - self.through.min(self.next - 1), self.lost, self.files.values().sum())
    }

    fn path(&self, first: u64) -> PathBuf {
        self.folder.join(format!("lines-{first:020}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const AT: Timestamp = Timestamp::from_secs(1_000);

    fn open(folder: &Path, most: u64) -> Spool {
        Spool::open(folder, 9, most).expect("a folder")
    }

    fn tell(spool: &mut Spool, count: usize, octets: usize) {
        (0..count).for_each(|_| spool.push(json!({"message": "x".repeat(octets)}), None, AT));
        spool.flush().expect("room");
    }

    fn numbers(batch: &str) -> Vec<u64> {
        batch
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a line")["seq"].as_u64().expect("a number"))
            .collect()
    }

    #[test]
    fn what_the_box_has_not_outlives_a_restart_and_no_number_comes_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = open(folder.path(), 1 << 20);
        tell(&mut spool, 3, 10);
        assert_eq!(numbers(&spool.batch().expect("lines")), [1, 2, 3]);
        spool.sent(2);
        drop(spool);
        // The host went down in the middle of a line.
        let file = folder.path().join(format!("lines-{:020}", 1));
        File::options().append(true).open(&file).expect("a file").write_all(b"{\"seq\":4,\"mess").expect("room");
        let mut spool = open(folder.path(), 1 << 20);
        tell(&mut spool, 1, 10);
        assert_eq!(numbers(&spool.batch().expect("lines")), [3, 4]);
        spool.sent(u64::MAX);
        assert_eq!((spool.batch().expect("none"), spool.figures().0), (String::new(), 0));
        tell(&mut open(folder.path(), 1 << 20), 1, 10);
        assert_eq!(numbers(&open(folder.path(), 1 << 20).batch().expect("lines")), [5]);
    }

    #[test]
    fn beyond_the_bound_the_oldest_go_and_their_numbers_are_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = open(folder.path(), 2 << 20);
        (0..50).for_each(|_| tell(&mut spool, 100, 1_000));
        let (waiting, lost, octets) = spool.figures();
        assert!(octets <= 2 << 20 && lost > 2_000 && waiting == 5_000, "{waiting} {lost} {octets}");
        let first = numbers(&spool.batch().expect("lines"))[0];
        assert_eq!(first, lost + 1);
        // Batch by batch everything that is left comes once, in order.
        let mut all = Vec::new();
        loop {
            let batch = numbers(&spool.batch().expect("lines"));
            let Some(last) = batch.last().copied() else { break };
            all.extend(batch);
            spool.sent(last);
        }
        assert!(all == (first..=5_000).collect::<Vec<_>>(), "{} lines", all.len());
    }

    #[test]
    fn a_line_says_how_far_its_log_was_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = open(folder.path(), 1 << 20);
        let place = |end| ("auth.log".to_owned(), Place { inode: 7, end, ..Place::default() });
        spool.push(json!({"message": "a"}), Some(&place(10)), AT);
        spool.push(json!({"message": "b"}), Some(&place(20)), AT);
        spool.flush().expect("room");
        spool.push(json!({"message": "c"}), Some(&place(30)), AT);
        drop(spool);
        assert_eq!(
            open(folder.path(), 1 << 20).places()["auth.log"],
            place(20).1,
            "the third line was not on the medium"
        );
    }
}
