//! A log file, line by line, over rotations; and that it was cleared.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Line;
use super::state::Place;
use crate::run::now;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// A rotation puts another file in place of one that is gone within this time.
const ROTATION: Duration = Duration::from_secs(10);
/// The longest line, in octets.
const LINE_MAX: u64 = 16 << 10;

/// Tells every line that comes, from where it was read before; a file that was never read before from its end. Ends when nobody listens.
pub fn follow(path: &Path, place: Option<Place>, told: &SyncSender<Line>) {
    let mut tail = Tail { path, file: None, inode: 0, end: 0, gone: None };
    match place {
        Some(place) => (tail.inode, tail.end) = (place.inode, place.end),
        None => {
            let now = fs::metadata(path).ok();
            (tail.inode, tail.end) = now.map_or((0, 0), |there| (there.ino(), there.len()));
        }
    }
    while tail.turn(told).is_ok() {
        sleep(LOOK);
    }
}

struct Tail<'a> {
    path: &'a Path,
    file: Option<File>,
    inode: u64,
    end: u64,
    gone: Option<Instant>,
}

/// Nobody listens any more.
struct Over;

impl Tail<'_> {
    fn turn(&mut self, told: &SyncSender<Line>) -> Result<(), Over> {
        let there = fs::metadata(self.path).ok();
        let Some(there) = there else { return self.missing(told) };
        self.gone = None;
        if there.ino() != self.inode {
            // What was still written to the old file before it was put aside.
            self.read(told)?;
            (self.file, self.inode, self.end) = (None, there.ino(), 0);
        } else if there.len() < self.end {
            self.cleared("was cut off", told)?;
            (self.file, self.end) = (None, 0);
        }
        self.read(told)
    }

    fn missing(&mut self, told: &SyncSender<Line>) -> Result<(), Over> {
        let gone = *self.gone.get_or_insert_with(Instant::now);
        self.read(told)?;
        if self.inode != 0 && gone.elapsed() > ROTATION {
            self.cleared("was taken away", told)?;
            (self.file, self.inode, self.end) = (None, 0, 0);
        }
        Ok(())
    }

    fn cleared(&self, how: &str, told: &SyncSender<Line>) -> Result<(), Over> {
        let path = self.path.display().to_string();
        told.send(Line::act("log cleared", "", &path, format!("the log {path} {how}"))).map_err(|_| Over)
    }

    /// Reads what is new in the file that is open, or opens it.
    fn read(&mut self, told: &SyncSender<Line>) -> Result<(), Over> {
        if self.file.is_none() {
            let Ok(file) = File::open(self.path) else { return Ok(()) };
            if file.metadata().map(|there| there.ino()).ok() != Some(self.inode) {
                return Ok(());
            }
            self.file = Some(file);
        }
        let Some(file) = self.file.as_mut() else { return Ok(()) };
        let Ok(lines) = new_lines(file, self.end) else { return Ok(()) };
        for (text, end) in lines {
            self.end = end;
            let line = intake::line(text.as_bytes(), now());
            // A file of rsyslog's has no priority before the time.
            let line = if line.app.is_empty() { intake::line(format!("<38>{text}").as_bytes(), now()) } else { line };
            // A line without a message says what it is as a whole.
            let message = if line.message.trim().is_empty() { text } else { line.message };
            let at = line.at.map(terms::Timestamp::as_secs_f64);
            let value = json!({"program": line.app, "message": message, "at": at});
            let place = Place { inode: self.inode, end, ..Place::default() };
            let line = Line { value, place: Some((self.path.to_string_lossy().into_owned(), place)) };
            told.send(line).map_err(|_| Over)?;
        }
        Ok(())
    }
}

/// The whole lines behind a place, each with its end.
fn new_lines(file: &mut File, from: u64) -> io::Result<Vec<(String, u64)>> {
    file.seek(SeekFrom::Start(from))?;
    let (mut reader, mut lines, mut end) = (BufReader::new(file), Vec::new(), from);
    while lines.len() < 1_000 {
        let mut octets = Vec::new();
        let len = io::Read::take(&mut reader, LINE_MAX).read_until(b'\n', &mut octets)? as u64;
        let whole = octets.last() == Some(&b'\n');
        if len == 0 || !whole && len < LINE_MAX {
            break;
        }
        end += len;
        let text = String::from_utf8_lossy(&octets).trim_end().to_owned();
        if !text.is_empty() {
            lines.push((text, end));
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn each_line_comes_once_over_a_rotation_and_a_cleared_log_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("auth.log");
        let write = |path: &Path, text: &str| {
            File::options()
                .create(true)
                .append(true)
                .open(path)
                .expect("a file")
                .write_all(text.as_bytes())
                .expect("room");
        };
        write(&path, "Nov 22 15:00:00 web sshd[1]: before the agent\n");
        let (told, heard) = sync_channel(99);
        let metadata = fs::metadata(&path).expect("there");
        let mut tail = Tail { path: &path, file: None, inode: metadata.ino(), end: metadata.len(), gone: None };
        let mut turn = || {
            assert!(tail.turn(&told).is_ok());
            heard.try_iter().map(|line| line.value["message"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
        };
        write(&path, "Nov 22 15:00:01 web sshd[1]: Accepted password for ann\nNov 22 15:00:02 web su: ha");
        assert_eq!(turn(), ["Accepted password for ann"]);
        write(&path, "lf a line\n");
        assert_eq!(turn(), ["half a line"]);
        write(&path, "2026-11-22T15:00:03.5+01:00 web sudo: late\n");
        fs::rename(&path, folder.path().join("auth.log.1")).expect("rotated");
        write(&path, "Nov 22 15:00:04 web sshd[1]: in the new file\n");
        assert_eq!(turn(), ["late", "in the new file"]);
        File::create(&path).expect("cut off");
        let told = turn();
        assert!(told.len() == 1 && told[0].ends_with("was cut off"), "{told:?}");
        write(&path, "Nov 22 15:00:05 web sshd[1]: after\n");
        assert_eq!(turn(), ["after"]);
    }
}
