//! The malformed captures that broke other readers: each is read to its end or refused in one line.

use std::io::Read;
use std::path::{Path, PathBuf};

use capture::CaptureFile;

/// The folder of the shared captures, if it is there.
fn captures() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let path = std::env::var_os("PICKET_CAPTURES").map_or(beside, PathBuf::from);
    path.is_dir().then_some(path)
}

/// Unpacks the plain files of a tar archive.
fn unpack(archive: &[u8], into: &Path) -> Vec<PathBuf> {
    let octal = |field: &[u8]| {
        let digits: String = field.iter().map(|&digit| char::from(digit)).filter(char::is_ascii_digit).collect();
        usize::from_str_radix(&digits, 8).unwrap_or(0)
    };
    let (mut at, mut files) = (0, Vec::new());
    while at + 512 <= archive.len() {
        let (header, len) = (&archive[at..at + 512], octal(&archive[at + 124..at + 136]));
        let body = &archive[at + 512..at + 512 + len];
        if matches!(header[156], b'0' | 0) && header[0] != 0 {
            let path = into.join(files.len().to_string());
            std::fs::write(&path, body).expect("a temporary file can be written");
            files.push(path);
        }
        at += 512 + len.next_multiple_of(512);
    }
    files
}

#[test]
fn every_malformed_capture_is_read_or_refused() {
    let Some(folder) = captures() else {
        eprintln!("SKIP: no captures beside the project and PICKET_CAPTURES is not set");
        return;
    };
    let mut archive = Vec::new();
    let packed = std::fs::File::open(folder.join("malformed.tar.zst")).expect("the malformed captures are there");
    zstd::Decoder::new(packed).unwrap().read_to_end(&mut archive).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let files = unpack(&archive, dir.path());
    let (mut read, mut frames, mut truncated) = (0, 0_u64, 0);
    for path in &files {
        match CaptureFile::open(path) {
            Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
            Ok(mut capture) => {
                read += 1;
                while let Some(frame) = capture.next() {
                    frames += 1;
                    assert!(frame.octets.len() <= frame.len as usize);
                }
                truncated += u32::from(capture.truncated());
            }
        }
    }
    eprintln!("{} files, {read} read with {frames} frames, {truncated} truncated", files.len());
    assert!(files.len() > 2000 && read > 1500 && frames > 10_000, "{read} of {} read, {frames} frames", files.len());
}
