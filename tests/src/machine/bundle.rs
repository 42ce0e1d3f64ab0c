//! Update bundles for the checks: out of a card's own slot, changed and signed with a key of the check.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use card::bundle::LONGEST;
use card::{LABEL_LEN, Label, SIGNED_LEN, Slot};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::process::output;

/// What a bundle is made of.
pub struct Bundle {
    /// What its label says; length and hash follow the content.
    pub label: Label,
    /// The content of the slot.
    pub content: Vec<u8>,
}

impl Bundle {
    /// What stands in slot a of a card.
    ///
    /// # Errors
    /// When there is nothing.
    pub fn of(card: &Path) -> Result<Self> {
        let mut file = File::open(card)?;
        let mut octets = [0; LABEL_LEN];
        file.seek(SeekFrom::Start(Slot::A.part().from + LONGEST))?;
        file.read_exact(&mut octets)?;
        let label = Label::read(&octets)?;
        let mut content = vec![0; usize::try_from(label.len)?];
        file.seek(SeekFrom::Start(Slot::A.part().from))?;
        file.read_exact(&mut content)?;
        Ok(Self { label, content })
    }

    /// The same with another root: `change` works where the root is unpacked.
    ///
    /// # Errors
    /// When the change or the packing fails.
    pub fn with_root(mut self, folder: &Path, change: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let (packed, root) = (folder.join("changed.squashfs"), folder.join("changed"));
        let _ = fs::remove_dir_all(&root);
        fs::write(&packed, &self.content)?;
        output(Command::new("unsquashfs").args(["-q", "-n", "-d"]).args([&root, &packed]))?;
        change(&root)?;
        fs::remove_file(&packed)?;
        output(Command::new("mksquashfs").args([&root, &packed]).args([
            "-comp",
            "zstd",
            "-Xcompression-level",
            "1",
            "-quiet",
            "-no-progress",
            "-all-root",
        ]))?;
        self.content = fs::read(&packed)?;
        Ok(self)
    }

    /// The octets of the signed bundle.
    ///
    /// # Errors
    /// When the key is none.
    pub fn signed(&self, seed: [u8; 32]) -> Result<Vec<u8>> {
        let mut label = Label { len: self.content.len() as u64, ..self.label.clone() };
        label.sha256.copy_from_slice(digest(&SHA256, &self.content).as_ref());
        let mut octets = label.write();
        let signature = pair(seed)?.sign(&octets[..SIGNED_LEN]);
        octets[SIGNED_LEN..].copy_from_slice(signature.as_ref());
        Ok([&octets[..], &self.content].concat())
    }
}

/// The public half of a key, as an owner writes it down.
///
/// # Errors
/// When the key is none.
pub fn public(seed: [u8; 32]) -> Result<String> {
    let pair = pair(seed)?;
    Ok(pair.public_key().as_ref().iter().map(|octet| format!("{octet:02x}")).collect())
}

fn pair(seed: [u8; 32]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| anyhow!("{error}")).context("the key of the check")
}
