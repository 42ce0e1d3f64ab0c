//! Who vouches for a forest: key pairs, and signatures over a forest and its card.
//!
//! This is for whoever trains or judges forests, on a machine of their own: neither the training nor the build needs the private key.
//! A box trusts public keys that its binary carries (`models/trusted.keys`) or that its configuration names (`[model] keys`).

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use detect::forest::card::Card;
use detect::forest::package::{KEY_LEN, trailer};
use detect::forest::{Forest, format};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// Makes a key pair: the private half into a new file that only its owner may read (PKCS#8, DER); gives the public half.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn keygen(out: &Path) -> Result<String> {
    let pair =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| anyhow!("no random bits can be had"))?;
    let public = public_of(&read(pair.as_ref())?);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(out)
        .with_context(|| format!("{} cannot be made", out.display()))?;
    file.write_all(pair.as_ref()).and_then(|()| file.sync_all())?;
    Ok(public)
}

/// A model file: a forest and its card with a signature over both; and the public key that it needs to be trusted.
///
/// # Errors
/// The box would refuse the forest or the card, or the key is none.
pub fn sign(image: &[u8], card: &[u8], key: &[u8], at: u64) -> Result<(Vec<u8>, String)> {
    let forest = Forest::load(image, features::schema_hash())?;
    Card::load(card, forest.features(), format::checksum(image))?;
    let pair = read(key)?;
    let public: [u8; KEY_LEN] = pair.public_key().as_ref().try_into()?;
    let trailer = trailer(u32::try_from(image.len())?, u32::try_from(card.len())?, at, &public);
    let mut file = [image, card, &trailer].concat();
    let signature = pair.sign(&file);
    file.extend(signature.as_ref());
    Ok((file, public_of(&pair)))
}

fn read(key: &[u8]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_pkcs8(key)
        .map_err(|error| anyhow!("this is no private key as models keygen makes them: {error}"))
}

fn public_of(pair: &Ed25519KeyPair) -> String {
    pair.public_key().as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use detect::forest::package::Package;
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    static IMAGE: &[u8] = include_bytes!("../picket.forest");
    static CARD: &[u8] = include_bytes!("../picket.card");

    #[test]
    fn what_is_signed_verifies_under_the_public_half_alone() {
        let folder = tempfile::tempdir().unwrap();
        let [mine, other] = ["mine", "other"].map(|name| {
            let path = folder.path().join(name);
            let public = keygen(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(keygen(&path).is_err(), "a key is never written over");
            (fs::read(&path).unwrap(), public)
        });
        let (file, public) = sign(IMAGE, CARD, &mine.0, 1_700_000_000).unwrap();
        assert_eq!(public, mine.1);
        assert_ne!(public, other.1);
        let package = Package::of(&file).unwrap();
        assert_eq!((package.image, package.card, package.signed_at), (IMAGE, CARD, 1_700_000_000));
        assert!(UnparsedPublicKey::new(&ED25519, package.key).verify(package.signed, package.signature).is_ok());
        assert_eq!(file, sign(IMAGE, CARD, &mine.0, 1_700_000_000).unwrap().0, "a signature is no draw");
    }

    #[test]
    fn what_a_box_would_refuse_is_not_signed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        keygen(&path).unwrap();
        let key = fs::read(&path).unwrap();
        assert!(sign(&IMAGE[1..], CARD, &key, 1).is_err());
        assert!(sign(IMAGE, &CARD[1..], &key, 1).is_err());
        assert!(sign(IMAGE, CARD, b"a key", 1).is_err());
    }
}
