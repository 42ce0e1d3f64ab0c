//! A test program as the first and only process of a machine with the image's kernel: what the kernel here cannot do is tried there.
//!
//! The program loads the modules that lie beside it (`firmware/enforce/tests/namespace/machine.rs`); when it ends, so does the machine.
//! Nothing of this is in an image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::guest::Stand;
use crate::gateway::root;
use crate::process::output;

/// Policies that are drawn for each variant; each has 120 conversations.
const ROUNDS: u32 = 20;
/// Conversations of each variant, at least.
const CASES: u32 = 2_000;
/// Longest that the machine may take, in seconds.
const PATIENCE: &str = "900";
/// What the kernel needs for bridges, links and tracked connections, each after what it needs itself.
const MODULES: [&str; 20] = [
    "crc32c_generic",
    "libcrc32c",
    "llc",
    "stp",
    "bridge",
    "veth",
    "nfnetlink",
    "nf_tables",
    "nft_meta_bridge",
    "nf_defrag_ipv4",
    "nf_defrag_ipv6",
    "nf_conntrack",
    "nf_conntrack_bridge",
    "nf_conntrack_netlink",
    "nft_ct",
    "nft_limit",
    "nft_log",
    "nfnetlink_log",
    "nf_conncount",
    "nft_connlimit",
];

/// What is decided is what the kernel does, whether it knows conversations by Picket's map or by tracking connections.
pub fn agrees(stand: &mut Stand<'_>) -> Result<()> {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let line = format!("SEED={seed} PICKET_ROUNDS={ROUNDS} -- --include-ignored --nocapture --test-threads=1");
    let said = run(stand, "agrees", &line)?;
    let count = |variant: &str| -> Result<u32> {
        let words = format!(" conversations and their answers agree ({variant})");
        let before = said.split(&words).next().filter(|before| before.len() < said.len());
        let number = before.and_then(|before| before.rsplit(' ').next()?.parse().ok());
        number.with_context(|| format!("SEED={seed}: nothing about {variant} in\n{said}"))
    };
    let (map, kernel) = (count("Map")?, count("Kernel")?);
    println!("   SEED={seed}: {map} conversations by Picket's map, {kernel} by tracked connections");
    ensure!(map == kernel && map >= CASES, "{map} and {kernel} conversations");
    // Those about the ends of conversations, too, ran with each of both.
    ensure!(said.contains("test result: ok. 7 passed; 0 failed"), "{said}");
    Ok(())
}

/// Runs a test program with these words on the kernel's line; gives what it said.
fn run(stand: &Stand<'_>, program: &str, line: &str) -> Result<String> {
    output(Command::new(root().join("image/build")).arg("proofs")).context("the aarch64 test programs")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let work = target.join("image-work");
    let (folder, kernel, archive) = (stand.file("proof"), stand.file("kernel8.img"), stand.file("proof.img"));
    fs::create_dir_all(folder.join("modules"))?;
    fs::copy(work.join("proofs").join(program), folder.join("proof"))?;
    for (n, name) in MODULES.iter().enumerate() {
        let place = folder.join(format!("modules/{n:02}-{name}.ko"));
        unpack(&work.join("tree/lib/modules"), name, &place)?;
    }
    let pack = format!("cd {} && find . | cpio --quiet -o -H newc > {}", folder.display(), archive.display());
    output(Command::new("sh").args(["-c", &pack]))?;
    stand.medium.boot_file("kernel8.img", &kernel)?;
    let mut machine = Command::new("timeout");
    machine.args([
        PATIENCE,
        "qemu-system-aarch64",
        "-display",
        "none",
        "-nodefaults",
        "-no-reboot",
        "-serial",
        "stdio",
    ]);
    machine.args("-M virt -cpu cortex-a72 -smp 2 -m 512 -accel tcg,thread=multi".split(' '));
    machine.arg("-kernel").arg(kernel).arg("-initrd").arg(archive);
    machine.args(["-append", &format!("console=ttyAMA0 quiet panic=-1 rdinit=/proof {line}")]);
    output(&mut machine).context("the machine")
}

/// A module as the kernel takes it.
fn unpack(modules: &Path, name: &str, place: &Path) -> Result<()> {
    let script = format!("xz -dc \"$(find {} -name {name}.ko.xz)\" > {}", modules.display(), place.display());
    output(Command::new("sh").args(["-c", &script])).with_context(|| format!("module {name}"))?;
    Ok(())
}
