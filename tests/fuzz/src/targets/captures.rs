//! Capture files, as they are or packed after the mutation, so that both the packing and what is inside are hostile.

use capture::CaptureFile;

use super::{kind, size};
use crate::scratch;
use crate::seeds::captures::{gzip, zstd};

/// No record is longer.
const LONGEST_RECORD: usize = 256 * 1024;

/// More octets than a record may have.
const MUCH: usize = 320 << 10;

/// The first octet says whether the rest is packed before it is read.
pub fn run(input: &[u8]) -> u64 {
    let Some((how, octets)) = input.split_first() else { return 0 };
    match how {
        0..=95 => scratch::with(octets, |path| read(path, 1, octets.len())),
        96..=171 => scratch::with(&gzip(octets), |path| read(path, 2, octets.len())),
        172..=247 => scratch::with(&zstd(octets), |path| read(path, 3, octets.len())),
        // A long file of few octets: what it says of itself can come true. Slow, so rare.
        248..=255 => {
            let long = [octets, &[0; MUCH]].concat();
            scratch::with(&zstd(&long), |path| read(path, 4, long.len()))
        }
    }
}

fn read(path: &std::path::Path, how: u8, plain: usize) -> u64 {
    let mut file = match CaptureFile::open(path) {
        Ok(file) => file,
        Err(error) => {
            let words = error.to_string();
            assert!(words.lines().count() == 1, "not one line: {words}");
            let reason = words.rsplit(": ").next().unwrap_or_default().to_owned();
            return kind((how, reason.split(' ').take(3).collect::<Vec<_>>()));
        }
    };
    let (mut frames, mut octets) = (0, 0);
    let mut links = [false; 2];
    while let Some(frame) = file.next() {
        assert!(frame.octets.len() <= LONGEST_RECORD, "a record of {} octets", frame.octets.len());
        frames += 1;
        octets += frame.octets.len();
        links[usize::from(frame.link == wire::LinkType::LinuxCooked)] = true;
        // A packed file of few octets can hold very many frames, and each is read in bounded memory.
        if frames > 1 << 20 {
            break;
        }
    }
    assert!(how < 2 || octets <= plain, "more octets in frames than in the file");
    assert!(frames > 1 << 20 || file.next().is_none(), "a frame after the last");
    let skipped = file.skipped().by_reason().map(|(_, count)| size(count as usize));
    kind((how, file.truncated(), size(frames), size(octets), links, skipped))
}
