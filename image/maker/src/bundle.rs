//! Update bundles: taken out of an image, and signed elsewhere, so that the key never needs to be where images are built.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use card::bundle::LONGEST;
use card::{LABEL_LEN, Label, SIGNED_LEN, Slot, key_of};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};

/// Takes the content of slot a out of an image.
pub fn take(image: &Path, bundle: &Path) -> Result<()> {
    let packed = File::open(image).with_context(|| image.display().to_string())?;
    let mut card = zstd::Decoder::new(packed)?;
    std::io::copy(&mut card.by_ref().take(Slot::A.part().from), &mut std::io::sink())?;
    let mut slot = vec![0; usize::try_from(Slot::A.part().len)?];
    card.read_exact(&mut slot).context("the image ends before its first slot does")?;
    let octets = slot[usize::try_from(LONGEST)?..].first_chunk::<LABEL_LEN>().context("a slot ends in its label")?;
    let label = Label::read(octets)?;
    ensure!(label.len <= LONGEST, "the label describes more than a slot holds");
    let content = &slot[..usize::try_from(label.len)?];
    fs::write(bundle, [&label.write()[..], content].concat()).with_context(|| bundle.display().to_string())?;
    println!("image: {}: {} {}, not signed", bundle.display(), label.image, label.version);
    Ok(())
}

/// Draws a key.
pub fn key(secret: &Path) -> Result<()> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| anyhow!("the system gives no random numbers"))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(secret)?;
    file.write_all(hex(&seed).as_bytes())?;
    println!("{}", hex(pair(&seed)?.public_key().as_ref()));
    Ok(())
}

/// Signs a bundle's label, in place.
pub fn sign(secret: &Path, bundle: &Path) -> Result<()> {
    let seed = fs::read_to_string(secret).with_context(|| secret.display().to_string())?;
    let pair = pair(&key_of(&seed).context("the key's file holds 64 hexadecimal digits")?)?;
    let mut file = OpenOptions::new().read(true).write(true).open(bundle)?;
    let mut octets = [0; LABEL_LEN];
    file.read_exact(&mut octets)?;
    let label = Label::read(&octets)?;
    let signature = pair.sign(&octets[..SIGNED_LEN]);
    octets[SIGNED_LEN..].copy_from_slice(signature.as_ref());
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&octets)?;
    println!("image: {}: {} {}, signed", bundle.display(), label.image, label.version);
    Ok(())
}

fn pair(seed: &[u8; 32]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|error| anyhow!("the key: {error}"))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use card::Version;

    #[test]
    fn what_was_signed_is_vouched_for_by_that_key_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (secret, bundle) = (folder.path().join("secret"), folder.path().join("bundle"));
        key(&secret).expect("drawn");
        assert!(key(&secret).is_err(), "a key is never overwritten");
        let label =
            Label { len: 0, sha256: [0; 32], version: Version::new(1, 0, 0), image: "rpi".into(), kernel: "6".into() };
        fs::write(&bundle, label.write()).expect("written");
        sign(&secret, &bundle).expect("signed");
        let seed = key_of(&fs::read_to_string(&secret).expect("read")).expect("digits");
        let public = pair(&seed).expect("a key").public_key().as_ref().try_into().expect("32 octets");
        let octets: [u8; LABEL_LEN] = fs::read(&bundle).expect("read").try_into().expect("just a label");
        assert_eq!(Label::vouched(&octets, &[[1; 32], public]), Ok(label));
        assert!(Label::vouched(&octets, &[[1; 32]]).is_err());
    }
}
