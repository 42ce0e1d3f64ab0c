//! A copy of an image, as a card that a machine reads and writes, and what a boot loader reads of it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write, copy};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use card::table::{BOOT, DATA};

use crate::gateway::root;
use crate::process::output;

/// A card.
pub struct Medium {
    path: PathBuf,
}

/// The image that `make image` built.
pub fn built(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join(format!("image/picket-{name}.img.zst"))
}

/// The SHA-256 of a file.
///
/// # Errors
/// When it can't be read.
pub fn hash(path: &Path) -> Result<String> {
    let line = output(Command::new("sha256sum").arg(path)).context("make image builds the image")?;
    Ok(line.split_whitespace().next().unwrap_or_default().to_owned())
}

impl Medium {
    /// Writes an image to a card, as a card writer does; zeros take no room.
    ///
    /// # Errors
    /// When the image is missing or does not unpack.
    pub fn write(image: &Path, path: PathBuf) -> Result<Self> {
        let packed = File::open(image).with_context(|| format!("{}: make image builds it", image.display()))?;
        let mut from = zstd::Decoder::new(packed)?;
        let mut to = File::create(&path)?;
        let (mut piece, mut len) = (vec![0; 1 << 20], 0_u64);
        loop {
            let mut held = 0;
            while held < piece.len() {
                match from.read(&mut piece[held..])? {
                    0 => break,
                    read => held += read,
                }
            }
            if held == 0 {
                break;
            }
            if piece[..held].iter().any(|octet| *octet != 0) {
                to.seek(SeekFrom::Start(len))?;
                to.write_all(&piece[..held])?;
            }
            len += held as u64;
        }
        to.set_len(len)?;
        Ok(Self { path })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the card longer, as if the image had been written to a larger one.
    ///
    /// # Errors
    /// When the file can't be made longer.
    pub fn lengthen(&self, octets: u64) -> Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        Ok(file.set_len(file.metadata()?.len() + octets)?)
    }

    /// Copies a file out of the boot partition.
    ///
    /// # Errors
    /// When it is not there.
    pub fn boot_file(&self, name: &str, to: &Path) -> Result<()> {
        let _ = fs::remove_file(to);
        output(Command::new("mcopy").args(["-i", &self.boot(), &format!("::{name}")]).arg(to)).map(drop)
    }

    /// Puts a file into the boot partition, as an owner does with a card in a computer.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn put_boot_file(&self, from: &Path, name: &str) -> Result<()> {
        output(Command::new("mcopy").args(["-o", "-i", &self.boot()]).arg(from).arg(format!("::{name}"))).map(drop)
    }

    /// Looks through the boot partition as a computer does that the card is put into.
    ///
    /// # Errors
    /// When it is not in order: room that nothing holds, a file system that was not let go of.
    pub fn check_boot(&self) -> Result<()> {
        let part = self.path.with_extension("boot");
        let mut card = File::open(&self.path)?;
        card.seek(SeekFrom::Start(BOOT.from))?;
        copy(&mut card.take(BOOT.len), &mut File::create(&part)?)?;
        output(Command::new("fsck.vfat").arg("-n").arg(&part)).context("the boot partition is not in order")?;
        Ok(fs::remove_file(&part)?)
    }

    /// Inverts one bit.
    ///
    /// # Errors
    /// When the card can't be read or written.
    pub fn flip(&self, at: u64) -> Result<()> {
        let mut file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        let mut octet = [0];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut octet)?;
        file.seek(SeekFrom::Start(at))?;
        Ok(file.write_all(&[octet[0] ^ 1])?)
    }

    /// The first octets of the data partition.
    ///
    /// # Errors
    /// When the card can't be read.
    pub fn data(&self, octets: usize) -> Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(DATA.from))?;
        let mut held = vec![0; octets];
        file.read_exact(&mut held)?;
        Ok(held)
    }

    fn boot(&self) -> String {
        format!("{}@@{}", self.path.display(), BOOT.from)
    }
}
