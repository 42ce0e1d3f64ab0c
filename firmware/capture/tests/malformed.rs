//! The malformed captures that broke other readers: each is read to its end or refused in one line.

#[path = "common/archive.rs"]
mod archive;

use capture::CaptureFile;

#[test]
fn every_malformed_capture_is_read_or_refused() {
    let Some(folder) = archive::captures() else {
        eprintln!("SKIP: no captures beside the project and PICKET_CAPTURES is not set");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let files = archive::malformed(&folder, dir.path());
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
