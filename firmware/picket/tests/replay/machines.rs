//! The binary for the box, aarch64 under an emulator, says of a capture what this machine's says, octet by octet.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::held::{Capture, Chance, replay, skip, train};
use crate::seed;

const CAPTURES: usize = 4;
/// Packed captures of at most so many octets: the emulator is some ten times slower.
const SHORT: u64 = 100_000;
const EMULATOR: &str = "qemu-aarch64-static";

/// The static binary that the image's build makes.
fn binary() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(beside, PathBuf::from);
    target.join("aarch64-unknown-linux-musl/release/picket")
}

#[test]
#[ignore = "long form: needs the binary for aarch64, which the long gate builds"]
fn another_machine_says_the_same_to_the_last_octet() {
    let Some(mut files) = train(SHORT) else { return skip() };
    let binary = binary();
    assert!(binary.exists(), "{} is missing: make image", binary.display());
    let mut chance = Chance(seed::drawn("machines"));
    let (mut done, mut octets) = (0, 0);
    while done < CAPTURES {
        assert!(!files.is_empty(), "{CAPTURES} captures that can be read");
        let file = files.swap_remove(chance.below(files.len()));
        if Capture::read(&file).is_none() {
            continue;
        }
        let there = Command::new(EMULATOR).arg(&binary).arg("replay").arg(&file).args(["--format", "jsonl"]).output();
        let (here, there) = (replay(&file), there.expect("the emulator starts"));
        assert!(there.status.success(), "{}: {}", there.status, String::from_utf8_lossy(&there.stderr));
        assert!(here.stdout == there.stdout, "{}: the lines differ", file.display());
        octets += here.stdout.len();
        done += 1;
    }
    println!("{done} captures, {octets} octets of lines alike");
}
