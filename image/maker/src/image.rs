//! Card images: everything in its place, within the boards' budgets, compressed.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use board::{Board, Image};
use card::bundle::LONGEST;
use card::table::{self, BOOT, CARD_LEN};
use card::{Label, Slot, Version};
use clap::Args;
use ring::digest::{SHA256, digest};

use crate::boot;
use crate::modules::Modules;
use crate::root;

/// How hard the image is compressed: nearly all of it is compressed already, and zeros are cheap.
const LEVEL: i32 = 6;

/// What images are made of.
#[derive(Args)]
pub struct Options {
    /// Where the Debian packages are unpacked.
    #[arg(long)]
    tree: PathBuf,
    /// Where the programs `picket` and `init` are.
    #[arg(long)]
    programs: PathBuf,
    /// Where steps keep what they made.
    #[arg(long)]
    work: PathBuf,
    /// Where the images go; nothing else is there afterwards.
    #[arg(long)]
    out: PathBuf,
}

/// Builds the image of every board that has one.
pub fn build_all(options: &Options) -> Result<()> {
    let boards = Board::all()?;
    let modules = Modules::of(&options.tree)?;
    say(&format!("kernel {}", modules.release));
    let kernel = boot::kernel(&options.tree, &modules.release, &options.work)?;
    let mut made = Vec::new();
    for (name, boards) in boot::images(&boards) {
        let begin = Instant::now();
        say(&format!("building {name}"));
        let packed = build(options, &modules, &kernel, name, &boards)?;
        say(&format!("{name}: {} octets, {:.0} s", packed.len(), begin.elapsed().as_secs_f64()));
        made.push((format!("picket-{name}.img.zst"), packed));
    }
    // All or nothing: a build that fails leaves the images of the last one.
    if options.out.exists() {
        fs::remove_dir_all(&options.out)?;
    }
    fs::create_dir_all(&options.out)?;
    for (file, packed) in made {
        let path = options.out.join(file);
        fs::write(&path, packed)?;
        say(&path.display().to_string());
    }
    Ok(())
}

fn build(options: &Options, modules: &Modules, kernel: &[u8], name: &str, boards: &[&Image]) -> Result<Vec<u8>> {
    let Options { tree, programs, .. } = options;
    let work = options.work.join(name);
    fs::create_dir_all(&work)?;
    let init = fs::read(programs.join("init")).context("init")?;
    let initramfs = boot::initramfs(modules, boards, &init)?;
    say(&format!("{name}: initramfs {} octets", initramfs.len()));
    let files = boot::files(tree, boards, &modules.release, kernel.to_vec(), initramfs)?;
    let held: usize = files.iter().map(|(_, content)| content.len()).sum();
    within(name, "the boot partition", held, boards.iter().map(|board| board.budgets.boot_mib))?;
    let content = root::squashfs(name, tree, programs, modules, boards, &work)?;
    say(&format!("{name}: boot files {held} octets, slot {} octets", content.len()));
    within(name, "a slot", content.len(), boards.iter().map(|board| board.budgets.slot_mib))?;
    let label = label(name, &modules.release, &content)?;
    let path = work.join("card.img");
    lay_out(&path, &boot::partition(&files, &work)?, &label, &content)?;
    let packed = zstd::encode_all(fs::File::open(&path)?, LEVEL)?;
    fs::remove_file(&path)?;
    within(name, "the image", packed.len(), boards.iter().map(|board| board.budgets.compressed_mib))?;
    Ok(packed)
}

/// Puts everything where it belongs; what lies between stays zero. Both slots hold the same, so that a card has a spare from its
/// first day.
fn lay_out(path: &Path, boot: &[u8], label: &Label, content: &[u8]) -> Result<()> {
    let mut card = fs::File::create(path)?;
    card.set_len(CARD_LEN)?;
    let mut put = |at: u64, octets: &[u8]| -> Result<()> {
        card.seek(SeekFrom::Start(at))?;
        Ok(card.write_all(octets)?)
    };
    put(0, &table::fresh())?;
    put(BOOT.from, boot)?;
    for slot in [Slot::A, Slot::B] {
        put(slot.part().from, content)?;
        put(slot.part().from + LONGEST, &label.write())?;
    }
    Ok(())
}

fn label(name: &str, release: &str, content: &[u8]) -> Result<Label> {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, content).as_ref());
    Ok(Label {
        len: content.len() as u64,
        sha256,
        version: Version::read(env!("CARGO_PKG_VERSION")).context("the version has three numbers")?,
        image: name.to_owned(),
        kernel: release.to_owned(),
    })
}

/// Fails where something is larger than any of its boards allows.
fn within(name: &str, what: &str, len: usize, budgets: impl Iterator<Item = u32>) -> Result<()> {
    let budget = budgets.min().context("a board")?;
    let room = usize::try_from(budget)? << 20;
    ensure!(len <= room, "{name}: {what} has {len} octets, its board's budget is {budget} MiB ({room})");
    Ok(())
}

fn say(words: &str) {
    println!("image: {words}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_is_exceeded_fails_with_its_numbers() {
        assert!(within("rpi", "a slot", 24 << 20, [64, 24].into_iter()).is_ok());
        let error = within("rpi", "a slot", (24 << 20) + 1, [64, 24].into_iter()).expect_err("one octet more");
        assert_eq!(error.to_string(), "rpi: a slot has 25165825 octets, its board's budget is 24 MiB (25165824)");
    }

    #[test]
    fn a_card_is_laid_out_so_that_both_slots_are_whole() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let label = label("rpi", "6.12", b"content").expect("a version");
        lay_out(file.path(), b"boot", &label, b"content").expect("written");
        let mut card = card::Card::open(file.path()).expect("it opens").expect("it is ours");
        for slot in [Slot::A, Slot::B] {
            assert_eq!(card.whole(slot).expect("whole"), label);
        }
    }
}
