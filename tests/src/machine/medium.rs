//! A copy of an image, as a card that a machine reads and writes, and what a boot loader reads of it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write, copy};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use card::bundle::LONGEST;
use card::table::{BOOT, DATA};
use card::{LABEL_LEN, Slot};

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

    /// Writes a bundle's label and content into a slot, past the update.
    ///
    /// # Errors
    /// When the card can't be written.
    pub fn put_slot(&self, bundle: &[u8], slot: Slot) -> Result<()> {
        let (label, content) = bundle.split_at(LABEL_LEN);
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        for (at, octets) in [(slot.part().from + LONGEST, label), (slot.part().from, content)] {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(octets)?;
        }
        Ok(())
    }

    /// Makes the data partition, empty, as the first boot would.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn make_data(&self) -> Result<()> {
        let (place, len) = (format!("offset={}", DATA.from), format!("{}k", self.data_len()? >> 10));
        output(Command::new("mke2fs").args(["-q", "-F", "-t", "ext4", "-E", &place]).arg(&self.path).arg(len)).map(drop)
    }

    /// Puts a file into the data partition, in folders that are made for it, as only somebody with the card in a computer can.
    ///
    /// # Errors
    /// When there is no data partition, or the file is not there afterwards.
    pub fn put_data_file(&self, from: &Path, name: &str) -> Result<()> {
        // The partition as a file of its own: e2fsck loses its place in a card where the journal holds something.
        let part = self.path.with_extension("data");
        let mut card = File::options().read(true).write(true).open(&self.path)?;
        card.seek(SeekFrom::Start(DATA.from))?;
        copy(&mut card, &mut File::create(&part)?)?;
        let checked = Command::new("e2fsck").arg("-p").arg(&part).output()?;
        // It says with 1 that it had something to do.
        ensure!(checked.status.code().is_some_and(|code| code <= 1), "e2fsck: {checked:?}");
        let folders = name.match_indices('/').map(|(at, _)| format!("mkdir {}", &name[..at]));
        let write = [format!("rm {name}"), format!("write {} {name}", from.display())];
        for request in folders.chain(write) {
            // A folder that is there and a file that is not are said and no error.
            output(Command::new("debugfs").args(["-w", "-R", &request]).arg(&part))?;
        }
        let held = output(Command::new("debugfs").args(["-R", &format!("cat {name}")]).arg(&part))?;
        ensure!(held.as_bytes() == fs::read(from)?, "{name} is not in the data partition: {held}");
        card.seek(SeekFrom::Start(DATA.from))?;
        copy(&mut File::open(&part)?, &mut card)?;
        Ok(fs::remove_file(&part)?)
    }

    /// Looks through the data partition as it was left, and changes nothing.
    ///
    /// # Errors
    /// When it was not let go of, or is not in order.
    pub fn check_data(&self) -> Result<()> {
        let part = self.path.with_extension("data");
        let mut card = File::open(&self.path)?;
        card.seek(SeekFrom::Start(DATA.from))?;
        copy(&mut card, &mut File::create(&part)?)?;
        output(Command::new("e2fsck").args(["-f", "-n"]).arg(&part)).context("the data partition is not in order")?;
        Ok(fs::remove_file(&part)?)
    }

    fn data_len(&self) -> Result<u64> {
        Ok(fs::metadata(&self.path)?.len() - DATA.from)
    }

    fn boot(&self) -> String {
        format!("{}@@{}", self.path.display(), BOOT.from)
    }
}
