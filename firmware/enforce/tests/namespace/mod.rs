//! A network namespace of one's own for a test, gone with the test's thread.

#![allow(dead_code, reason = "each test file uses its own part")]

mod links;
mod machine;
pub mod wire;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use policy::{BlockTarget, NeverBlock, Ruleset};
use terms::{MacAddr, Span};

/// Runs a test in a thread that has a network namespace of its own; says aloud where that is not allowed.
pub fn alone(test: impl FnOnce() + Send + 'static) {
    machine::begin();
    let thread = std::thread::spawn(|| {
        // SAFETY: changes the calling thread's namespace only; the thread is ours and ends with the test.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            eprintln!("SKIP: no network namespace of our own: {}", std::io::Error::last_os_error());
            return;
        }
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a program in the thread's namespace and gives what it printed.
pub fn run(line: &str) -> String {
    let mut words = line.split_whitespace();
    let program = words.next().expect("a program");
    let output = Command::new(program).args(words).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let _ = write!(text, "{}", String::from_utf8_lossy(&output.stderr));
        panic!("{line}: {text}");
    }
    text
}

/// What `nft`, which shares no code with us, says that the kernel holds: trixie's where `tests/setup oracle` could get it.
pub fn listed() -> String {
    run(&format!("{} list table bridge picket", oracle()))
}

/// The `nft` to believe.
pub fn oracle() -> String {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    let unpacked = target.join("oracle/nft");
    if unpacked.exists() { unpacked.to_string_lossy().into_owned() } else { "nft".to_owned() }
}

/// A ruleset between `lan0` and `up0`.
pub fn ruleset(never: &[&str]) -> Ruleset {
    let never_block = never.iter().map(|text| never_of(text)).collect();
    Ruleset { lan: "lan0".into(), uplink: "up0".into(), never_block, plan: None }
}

fn never_of(text: &str) -> NeverBlock {
    text.parse().map(NeverBlock::Address).unwrap_or_else(|_| NeverBlock::Mac(mac(text)))
}

pub fn mac(text: &str) -> MacAddr {
    text.parse().expect("a hardware address")
}

pub fn address(text: &str) -> BlockTarget {
    BlockTarget::Address(text.parse().expect("an address"))
}

pub const fn secs(secs: u64) -> Span {
    Span::from_secs(secs)
}
