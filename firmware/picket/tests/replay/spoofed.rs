//! A million invented sources: memory stays as it was when the tables were full, who was known is still judged.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{ChildStdin, Command, Stdio};

use serde_json::Value;

use crate::held::{Chance, PICKET};
use crate::malformed::memory;
use crate::seed;

const SOURCES: u64 = 1_000_000;
/// After so many the tables are full.
const FILLED: u64 = 100_000;
/// The most by which memory may grow afterwards, KiB: buffers that are written to for the first time.
const GROWTH: u64 = 1_024;
/// The capture's first moment, microseconds: the beginning of a minute.
const START: u64 = 1_700_000_040_000_000;

const SERVER: [u8; 4] = [192, 168, 7, 1];
const FLAGGED: [u8; 4] = [192, 168, 7, 6];
const KNOWN: [u8; 4] = [192, 168, 7, 9];

/// A host's frames, in a hurry: checksums are not read.
struct Pipe(BufWriter<ChildStdin>);

impl Pipe {
    fn header(&mut self) {
        self.0.write_all(b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0").expect("it reads");
    }

    fn frame(&mut self, at: u64, octets: &[u8]) {
        let len = octets.len() as u32;
        for field in [(at / 1_000_000) as u32, (at % 1_000_000) as u32, len, len] {
            self.0.write_all(&field.to_le_bytes()).expect("it reads");
        }
        self.0.write_all(octets).expect("it reads");
    }

    /// A TCP segment between two hosts of the network.
    fn tcp(&mut self, at: u64, from: [u8; 4], to: [u8; 4], ports: (u16, u16), flags: u8) {
        let mut frame =
            vec![2, 0, 0, 0, 0, to[3], 2, 0, 0, 0, 0, from[3], 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0];
        frame.extend([from, to].concat());
        frame.extend([ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat());
        frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 4, 0, 0, 0, 0, 0]);
        self.frame(at, &frame);
    }

    /// A conversation that is answered, as any host has.
    fn talk(&mut self, at: u64, who: [u8; 4], port: u16) {
        for (n, flags) in [0x02, 0x12, 0x10, 0x11, 0x11].into_iter().enumerate() {
            let at = at + n as u64 * 300;
            if n % 2 == 1 {
                self.tcp(at, SERVER, who, (443, port), flags);
            } else {
                self.tcp(at, who, SERVER, (port, 443), flags);
            }
        }
    }

    /// Tries ports that are refused.
    fn scan(&mut self, at: u64, who: [u8; 4], first: u16) {
        for n in 0..30 {
            let (at, port) = (at + u64::from(n) * 20_000, first + n);
            self.tcp(at, who, SERVER, (40_000 + n, port), 0x02);
            self.tcp(at + 300, SERVER, who, (port, 40_000 + n), 0x14);
        }
    }

    /// One frame of a source that nobody has seen: UDP over IPv4 or IPv6, ARP, or no IP at all, each with a MAC address of its own.
    fn invented(&mut self, at: u64, chance: &mut Chance) {
        let [a, b, c, d, e, f, g, kind] = chance.draw().to_be_bytes();
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2 | (a & 0xfc), b, c, d, e, f];
        match kind % 4 {
            0 => {
                frame.extend([8, 0, 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 10, b, c, d]);
                frame.extend(SERVER);
                frame.extend([40, e, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4]);
            }
            1 => {
                frame.extend([
                    0x86, 0xdd, 0x60, 0, 0, 0, 0, 12, 17, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d, e, f, g,
                ]);
                frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 40, e, 0, 7, 0, 12, 0, 0, 1, 2, 3, 4]);
            }
            2 => {
                frame.extend([
                    8,
                    6,
                    0,
                    1,
                    8,
                    0,
                    6,
                    4,
                    0,
                    1,
                    2 | (a & 0xfc),
                    b,
                    c,
                    d,
                    e,
                    f,
                    10,
                    d,
                    e,
                    f,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                ]);
                frame.extend(SERVER);
            }
            _ => frame.extend([0x88, 0xb5, a, b, c, d]),
        }
        frame.resize(60, 0);
        self.frame(at, &frame);
    }
}

/// Judgements of a host that are High and end at or behind a moment, seconds.
fn high(lines: &[Value], host: [u8; 4], after: f64) -> usize {
    let host = host.map(|octet| octet.to_string()).join(".");
    let later = |line: &&Value| line["end"].as_f64().or(line["at"].as_f64()).is_some_and(|at| at >= after);
    lines.iter().filter(|line| line["host"] == host.as_str() && line["level"] == "HIGH").filter(later).count()
}

#[test]
fn a_million_invented_sources_take_no_memory_and_push_out_nobody_who_is_flagged() {
    let mut chance = Chance(seed::drawn("a million sources"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("lines");
    let mut command = Command::new(PICKET);
    command.args(["replay", "-", "--format", "jsonl"]).stdin(Stdio::piped());
    command.stdout(File::create(&path).expect("a temporary file"));
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = Pipe(BufWriter::new(child.stdin.take().expect("a pipe")));
    pipe.header();
    pipe.talk(START, KNOWN, 50_000);
    pipe.scan(START + 1_000_000, FLAGGED, 100);
    let flood = START + 10_000_000;
    let mut filled = 0;
    for n in 0..SOURCES {
        pipe.invented(flood + n * 50, &mut chance);
        if n == FILLED {
            pipe.0.flush().expect("it reads");
            filled = memory(child.id(), "VmRSS:");
        }
    }
    pipe.0.flush().expect("it reads");
    let after = flood + SOURCES * 50 + 1_000_000;
    pipe.talk(after, FLAGGED, 50_001);
    pipe.scan(after + 1_000_000, KNOWN, 300);
    pipe.talk(after + 5_000_000, SERVER, 50_002);
    pipe.0.flush().expect("it reads");
    let grown = memory(child.id(), "VmHWM:");
    drop(pipe);
    assert!(child.wait().expect("the program ends").success());
    println!("{filled} KiB with full tables, at most {grown} KiB in all");
    assert!(filled > 10_000 && grown <= filled + GROWTH, "memory grew from {filled} to {grown} KiB");

    let file = BufReader::new(File::open(&path).expect("the lines"));
    let lines = file.lines().map(|line| serde_json::from_str(&line.expect("text")).expect("JSON"));
    let lines: Vec<Value> = lines.collect();
    let summary = lines.last().expect("a summary");
    assert!(summary["frames"].as_u64().is_some_and(|n| n > SOURCES), "{summary}");
    assert!(summary["hosts"].as_u64().is_some_and(|n| n > SOURCES / 2), "those that made room are counted: {summary}");
    let end = after as f64 / 1e6;
    assert!(high(&lines, FLAGGED, end) > 0, "the flagged host was forgotten");
    assert!(high(&lines, KNOWN, end) > 0, "a host that was known before is not judged after");
}
