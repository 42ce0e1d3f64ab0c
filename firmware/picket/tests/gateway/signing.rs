//! Signed model files, as `models sign` makes them, from a key that is nobody's.

use detect::forest::package::{KEY_LEN, trailer};
use ring::signature::{Ed25519KeyPair, KeyPair};

/// A model file, and the public key that it needs.
pub fn signed(image: &[u8], card: &[u8], seed: u8) -> (Vec<u8>, String) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("any seed will do");
    let key: [u8; KEY_LEN] = pair.public_key().as_ref().try_into().expect("a key");
    let trailer = trailer(image.len() as u32, card.len() as u32, 1_700_000_000, &key);
    let mut file = [image, card, &trailer].concat();
    let signature = pair.sign(&file);
    file.extend(signature.as_ref());
    (file, key.iter().map(|octet| format!("{octet:02x}")).collect())
}
