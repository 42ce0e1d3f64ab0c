//! The capture that the benchmarks read: the labelled captures side by side, several times, each time as another network.
//!
//! A frame keeps its size and what it carries. Private addresses and hardware addresses become those of a network of its own for
//! each capture and copy, so that copies are different hosts; times are laid over ten minutes. IPv4 header checksums are put right;
//! those of TCP and UDP are wrong in the captures already, whose bodies are zeroed.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use capture::{CaptureFile, Frame, PcapWriter};
use terms::{Side, Timestamp};
use wire::LinkType;

use super::sender::checksum;
use crate::gateway::root;

/// How often each capture is laid into the mix.
const COPIES: u64 = 4;
/// Frames taken of one capture, so that a single flood is not the whole of it.
const MOST: usize = 10_000;
/// Over how long the mix runs.
const SECONDS: u64 = 600;
/// When the mix begins, on the capture's clock.
const BEGIN: u64 = 1_700_000_000;
/// Spreads the beginnings of the captures over the ten minutes (the golden ratio of 2^64).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A capture to be read by all sides.
pub struct Input {
    /// Where it is.
    pub file: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// Octets of the frames.
    pub octets: u64,
    /// What it was made of, in words.
    pub made_of: String,
}

/// Frames of all captures, one after the other.
#[derive(Default)]
struct Pool {
    octets: Vec<u8>,
    frames: Vec<Pooled>,
}

struct Pooled {
    /// Microseconds since the capture's begin, squeezed into the mix's length.
    after: u64,
    capture: u64,
    from: usize,
    kept: usize,
    len: u32,
}

impl Input {
    /// Makes the mix in `folder`; from generated frames where there are no captures.
    ///
    /// # Errors
    /// When a capture can't be read or the mix can't be written.
    pub fn make(folder: &Path) -> Result<Self> {
        let captures = captures();
        let mut pool = Pool::default();
        for (number, file) in captures.iter().enumerate() {
            pool.read(number as u64, file)?;
        }
        let made_of = if pool.frames.is_empty() {
            eprintln!("bench: NO CAPTURES (PICKET_CAPTURES is not set): the input is generated and says less");
            pool.generate();
            "generated frames, since there were no captures".to_owned()
        } else {
            format!("{} labelled captures, {COPIES} times, re-addressed", captures.len())
        };
        pool.write(folder.join("mix.pcap"), COPIES, made_of)
    }

    /// The first frames of it, in a file of their own.
    ///
    /// # Errors
    /// When it can't be read or written.
    pub fn prefix(&self, frames: u64) -> Result<Self> {
        let file = self.file.with_file_name(format!("mix-{frames}.pcap"));
        let (mut read, mut octets) = (CaptureFile::open(&self.file)?, 0);
        let mut out = PcapWriter::new(BufWriter::new(File::create(&file)?))?;
        let mut taken = 0;
        while let Some(frame) = read.next().filter(|_| taken < frames) {
            out.write(&frame)?;
            taken += 1;
            octets += u64::from(frame.len);
        }
        out.finish()?;
        Ok(Self { file, frames: taken, octets, made_of: self.made_of.clone() })
    }
}

/// Every training capture, in the order of names; none where there is no folder of them.
fn captures() -> Vec<PathBuf> {
    let folder = std::env::var_os("PICKET_CAPTURES").map_or_else(|| root().join("../shared/captures"), PathBuf::from);
    let (mut folders, mut files) = (vec![folder.join("train/pcap")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".pcap.gz") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

impl Pool {
    /// Takes in the Ethernet frames of a capture; one of another link type is passed over.
    fn read(&mut self, capture: u64, file: &Path) -> Result<()> {
        let Ok(mut read) = CaptureFile::open(file) else { return Ok(()) };
        let begin = self.frames.len();
        let mut first = None;
        while let Some(frame) = read.next().filter(|_| self.frames.len() - begin < MOST) {
            if frame.link == LinkType::Ethernet && frame.len < 65_536 {
                let after = frame.at.since(*first.get_or_insert(frame.at)).micros();
                self.add(capture, after, frame.octets, frame.len);
            }
        }
        let longest = self.frames[begin..].iter().map(|f| f.after).max().unwrap_or(0);
        let whole = SECONDS * 1_000_000;
        let offset = (capture + 1).wrapping_mul(SPREAD) % whole.saturating_sub(longest).max(1);
        for frame in &mut self.frames[begin..] {
            frame.after = if longest > whole { squeezed(frame.after, longest, whole) } else { frame.after + offset };
        }
        Ok(())
    }

    fn add(&mut self, capture: u64, after: u64, octets: &[u8], len: u32) {
        self.frames.push(Pooled { after, capture, from: self.octets.len(), kept: octets.len(), len });
        self.octets.extend_from_slice(octets);
    }

    /// UDP and TCP in ten thousand conversations of fifty frames, for where there are no captures.
    fn generate(&mut self) {
        for n in 0..500_000_u64 {
            let random = n.wrapping_mul(SPREAD) >> 20;
            let (host, server, port) = (random % 100, random % 10_000 / 100, (random % 10_000) as u16);
            let len = if random.is_multiple_of(3) { 60 } else { 60 + random / 10_000 % 1_400 };
            let (total, body) = (len as u16 - 14, len as u16 - 34);
            let mut frame = vec![2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 2, host as u8, 8, 0, 0x45, 0];
            frame.extend(total.to_be_bytes());
            frame.extend([0, 0, 0, 0, 64, if port.is_multiple_of(3) { 17 } else { 6 }, 0, 0]);
            frame.extend([192, 168, 7, host as u8, 198, 51, 100, server as u8]);
            frame.extend((50_000 + port % 10_000).to_be_bytes());
            frame.extend([1, 187]);
            frame.extend(body.to_be_bytes());
            frame.resize(46, 0);
            frame.extend([0x50, 0x10]);
            frame.resize(len as usize, 0);
            self.add(0, n * 1_000, &frame, len as u32);
        }
    }

    /// Writes every frame of every copy in the order of time.
    fn write(&self, file: PathBuf, copies: u64, made_of: String) -> Result<Input> {
        let mut order: Vec<(u64, u64, usize)> = (0..copies)
            .flat_map(|copy| self.frames.iter().enumerate().map(move |(n, frame)| (frame.after + copy * 997, copy, n)))
            .collect();
        order.sort_unstable();
        ensure!(!order.is_empty(), "there is nothing to make an input of");
        let out = File::create(&file).with_context(|| format!("can't write {}", file.display()))?;
        let mut out = PcapWriter::new(BufWriter::with_capacity(1 << 20, out))?;
        let (mut scratch, mut octets) = (Vec::new(), 0);
        for (after, copy, n) in &order {
            let Pooled { capture, from, kept, len, .. } = self.frames[*n];
            scratch.clear();
            scratch.extend_from_slice(&self.octets[from..from + kept]);
            readdress(&mut scratch, capture * copies + copy);
            let at = Timestamp::from_micros(BEGIN * 1_000_000 + after);
            let (side, link, vlan) = (Side::Unknown, LinkType::Ethernet, None);
            out.write(&Frame { at, side, link, len, vlan, octets: &scratch })?;
            octets += u64::from(len);
        }
        out.finish()?;
        Ok(Input { file, frames: order.len() as u64, octets, made_of })
    }
}

fn squeezed(after: u64, longest: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(after) * u128::from(whole) / u128::from(longest)).unwrap_or(whole)
}

/// Moves a frame into the network with this number.
fn readdress(frame: &mut [u8], network: u64) {
    let [high, low] = (network as u16).to_be_bytes();
    if frame.len() < 34 {
        return;
    }
    for mac in [0, 6] {
        if frame[mac] & 1 == 0 {
            frame[mac + 1] ^= high;
            frame[mac + 2] ^= low;
        }
    }
    let sides: &[usize] = match [frame[12], frame[13]] {
        [8, 0] => &[26, 30],
        [8, 6] if frame.len() >= 42 => &[28, 38],
        _ => return,
    };
    for &at in sides {
        let private = matches!((frame[at], frame[at + 1]), (10, _) | (172, 16..=31) | (192, 168));
        if private {
            // What told the private networks of one capture apart goes into one bit of the host's part.
            let other = (frame[at] ^ frame[at + 1] ^ frame[at + 2]) & 1;
            frame[at..at + 3].copy_from_slice(&[10 + other, high, low]);
        }
    }
    if frame[12..14] == [8, 0] {
        correct_checksum(frame);
    }
}

/// Puts the checksum of the IPv4 header behind an Ethernet header right.
fn correct_checksum(frame: &mut [u8]) {
    let len = usize::from(frame[14] & 15) * 4;
    if len < 20 || frame.len() < 14 + len {
        return;
    }
    frame[24..26].fill(0);
    let sum = checksum(&frame[14..14 + len]);
    frame[24..26].copy_from_slice(&sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend([0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 192, 168, 1, 5, 198, 51, 100, 7]);
        frame
    }

    #[test]
    fn a_copy_is_another_host_and_the_internet_stays() {
        let (mut one, mut two) = (packet(), packet());
        readdress(&mut one, 1);
        readdress(&mut two, 2);
        assert_ne!((&one[..12], &one[26..30]), (&two[..12], &two[26..30]));
        assert_eq!(one[30..34], [198, 51, 100, 7]);
    }

    #[test]
    fn the_header_checksum_is_right_afterwards() {
        let mut frame = packet();
        readdress(&mut frame, 7);
        assert_eq!(checksum(&frame[14..34]), [0, 0]);
    }

    #[test]
    fn a_short_frame_is_left_as_it_is() {
        let mut frame = vec![1, 2, 3];
        readdress(&mut frame, 7);
        assert_eq!(frame, [1, 2, 3]);
    }
}
