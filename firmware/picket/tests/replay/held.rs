//! Captures held in memory, changed and written again; and what the program says of them.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use capture::{CaptureFile, Frame, PcapWriter};
use serde_json::Value;
use terms::{Side, Timestamp};
use wire::LinkType;

use crate::archive;
pub use crate::chance::Chance;

/// The program under test.
pub const PICKET: &str = env!("CARGO_BIN_EXE_picket");

/// A frame of a capture.
#[derive(Clone)]
pub struct Held {
    pub at: Timestamp,
    pub len: u32,
    pub octets: Vec<u8>,
}

/// A capture in memory.
pub struct Capture {
    pub name: String,
    pub link: LinkType,
    pub frames: Vec<Held>,
}

impl Chance {
    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.draw() % n as u64) as usize
    }
}

impl Capture {
    /// Reads a whole capture; nothing where it is none, or mixes links.
    pub fn read(path: &Path) -> Option<Self> {
        let mut file = CaptureFile::open(path).ok()?;
        let mut capture = Self {
            name: path.file_name()?.to_string_lossy().into_owned(),
            link: LinkType::Ethernet,
            frames: Vec::new(),
        };
        while let Some(frame) = file.next() {
            capture.link = frame.link;
            capture.frames.push(Held { at: frame.at, len: frame.len, octets: frame.octets.to_vec() });
        }
        (!capture.frames.is_empty()).then_some(capture)
    }

    /// Writes the first frames of it, each as much later as is told, microseconds.
    pub fn write(&self, path: &Path, frames: usize, later: u64) {
        let file = BufWriter::new(File::create(path).expect("a temporary file can be made"));
        let mut writer = PcapWriter::with_link(file, self.link).expect("a temporary file can be written");
        for Held { at, len, octets } in &self.frames[..frames] {
            let at = Timestamp::from_micros(at.micros() + later);
            let frame = Frame { at, side: Side::Unknown, link: self.link, len: *len, vlan: None, octets };
            writer.write(&frame).expect("a temporary file can be written");
        }
        writer.finish().expect("a temporary file can be written");
    }
}

/// Captures of real traffic of at most so many octets, packed; nothing where there are none beside the project.
pub fn train(most: u64) -> Option<Vec<PathBuf>> {
    let mut folders = vec![archive::captures()?.join("train/pcap")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.metadata().is_ok_and(|told| told.len() <= most) {
                files.push(path);
            }
        }
    }
    files.sort();
    Some(files)
}

/// Says that captures are missing.
pub fn skip() {
    eprintln!("SKIP: no captures beside the project and PICKET_CAPTURES is not set");
}

/// Replays a file.
pub fn replay(path: &Path) -> Output {
    let output = Command::new(PICKET).arg("replay").arg(path).args(["--format", "jsonl"]).output();
    output.expect("the program starts")
}

/// The lines of a replay that went well; the last is the summary.
pub fn lines(path: &Path) -> Vec<Value> {
    let output = replay(path);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {} {errors}", path.display(), output.status);
    let text = String::from_utf8(output.stdout).expect("lines are text");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}
