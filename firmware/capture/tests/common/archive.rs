//! The shared captures that broke other readers, unpacked.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of the shared captures, if it is there.
pub fn captures() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let path = std::env::var_os("PICKET_CAPTURES").map_or(beside, PathBuf::from);
    path.is_dir().then_some(path)
}

/// Unpacks every malformed capture into a folder.
pub fn malformed(folder: &Path, into: &Path) -> Vec<PathBuf> {
    let mut archive = Vec::new();
    let packed = File::open(folder.join("malformed.tar.zst")).expect("the malformed captures are there");
    let mut decoder = zstd::Decoder::new(packed).expect("they are packed by zstd");
    decoder.read_to_end(&mut archive).expect("they are whole");
    unpack(&archive, into)
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
            fs::write(&path, body).expect("a temporary file can be written");
            files.push(path);
        }
        at += 512 + len.next_multiple_of(512);
    }
    files
}
