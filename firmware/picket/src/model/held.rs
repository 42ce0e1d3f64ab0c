//! A forest with its card, wholly checked and held in memory, and who answers for it.

use std::borrow::Cow;

use detect::forest::card::{Card, CardError};
use detect::forest::package::Package;
use detect::forest::{Forest, ModelError, format};
use ring::digest::{SHA256, digest};
use terms::Timestamp;

use super::trust::{Distrust, Keys, PublicKey};
use super::{CARD, FOREST, load};

/// A forest that may vote here.
#[derive(Debug)]
pub struct Model {
    image: Cow<'static, [u8]>,
    card: Cow<'static, [u8]>,
    origin: Origin,
    id: String,
}

/// Who answers for a forest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is the one in this binary, and trusted as that is.
    Shipped,
    /// It was signed, by whom and when.
    Signed(PublicKey, Timestamp),
}

/// Why a file's forest may not vote here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its forest is none for this binary.
    #[error(transparent)]
    Forest(#[from] ModelError),
    /// Its card is none for its forest.
    #[error(transparent)]
    Card(#[from] CardError),
    /// Nobody who is trusted vouches for it.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// Nobody at all does.
    #[error(
        "it is a forest, but nobody vouches for it: it has no signature (models sign) and is not the one in this binary"
    )]
    Unsigned,
}

impl Model {
    /// The forest in this binary; nothing where its check fails (`picket self-test` says why).
    #[must_use]
    pub fn shipped() -> Option<Self> {
        Self::new(Cow::Borrowed(FOREST), Cow::Borrowed(CARD), Origin::Shipped).ok()
    }

    /// Checks a file wholly: the signature before anything that it covers, then the forest and its card as if nobody had signed them.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn open(file: &[u8], keys: &Keys) -> Result<Self, Refused> {
        let Some(package) = Package::of(file) else {
            load(file)?;
            return if file == FOREST {
                Self::new(Cow::Borrowed(FOREST), Cow::Borrowed(CARD), Origin::Shipped)
            } else {
                Err(Refused::Unsigned)
            };
        };
        let key = keys.verify(&package)?;
        let origin = Origin::Signed(key, Timestamp::from_secs(package.signed_at));
        Self::new(Cow::Owned(package.image.to_vec()), Cow::Owned(package.card.to_vec()), origin)
    }

    fn new(image: Cow<'static, [u8]>, card: Cow<'static, [u8]>, origin: Origin) -> Result<Self, Refused> {
        let forest = load(&image)?;
        Card::load(&card, forest.features(), format::checksum(&image))?;
        let whole = digest(&SHA256, &[image.as_ref(), card.as_ref()].concat());
        let id = whole.as_ref().iter().take(8).map(|octet| format!("{octet:02x}")).collect();
        Ok(Self { image, card, origin, id })
    }

    /// Its name: 16 hexadecimal digits of the SHA-256 over forest and card.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who answers for it.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Octets of the forest.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.image.len()
    }

    /// The forest. It was checked and is checked again, which takes half a millisecond; nothing never happens.
    #[must_use]
    pub fn forest(&self) -> Option<Forest<'_>> {
        load(&self.image).ok()
    }

    /// The card; nothing never happens.
    #[must_use]
    pub fn card(&self) -> Option<Card<'_>> {
        Card::load(&self.card, features::FEATURES, format::checksum(&self.image)).ok()
    }

    /// The forest in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self.origin {
            Origin::Shipped => format!("{} (the forest in this binary)", self.id),
            Origin::Signed(key, _) => format!("{} (signed by {:.16}…)", self.id, key.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use detect::forest::format::{HEADER_LEN, seal};
    use detect::forest::package::{KEY_LEN, UNSIGNED_LEN, trailer};
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("any seed will do")
    }

    fn trusting(pair: &Ed25519KeyPair) -> Keys {
        let hex: String = pair.public_key().as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        Keys::with(&[hex.parse().expect("a key")])
    }

    fn signed(image: &[u8], card: &[u8], pair: &Ed25519KeyPair) -> Vec<u8> {
        let key: [u8; KEY_LEN] = pair.public_key().as_ref().try_into().expect("a key");
        let trailer: [u8; UNSIGNED_LEN] = trailer(image.len() as u32, card.len() as u32, 1_700_000_000, &key);
        let mut file = [image, card, &trailer].concat();
        let signature = pair.sign(&file);
        file.extend(signature.as_ref());
        file
    }

    #[test]
    fn a_forest_votes_that_a_trusted_key_signed_or_that_is_in_the_binary() {
        let (mine, other) = (pair(1), pair(2));
        let file = signed(FOREST, CARD, &mine);
        let model = Model::open(&file, &trusting(&mine)).expect("it is trusted");
        assert!(matches!(model.origin(), Origin::Signed(_, at) if at == Timestamp::from_secs(1_700_000_000)));
        assert!(model.forest().is_some() && model.card().is_some());
        assert_eq!(Model::open(FOREST, &Keys::default()).map(|model| model.origin()), Ok(Origin::Shipped));
        assert!(matches!(Model::open(&file, &trusting(&other)), Err(Refused::Distrust(Distrust::Stranger(_)))));
        let mut another = FOREST.to_vec();
        another[28] ^= 1;
        seal(&mut another);
        assert_eq!(Model::open(&another, &trusting(&mine)).err(), Some(Refused::Unsigned));
    }

    #[test]
    fn every_damaged_octet_cut_and_addition_of_a_signed_file_is_refused() {
        let mine = pair(1);
        let (file, keys) = (signed(FOREST, CARD, &mine), trusting(&mine));
        // The whole of the trailer, the header and the card, and the forest here and there.
        let card = FOREST.len()..file.len();
        for at in (0..HEADER_LEN).chain((HEADER_LEN..FOREST.len()).step_by(2_003)).chain(card.step_by(7)) {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(Model::open(&damaged, &keys).is_err(), "octet {at}");
        }
        for len in [0, 1, HEADER_LEN, FOREST.len() - 1, file.len() - 65, file.len() - 1] {
            assert!(Model::open(&file[..len], &keys).is_err(), "cut to {len}");
        }
        assert!(Model::open(&[file.as_slice(), &[0]].concat(), &keys).is_err());
        assert!(Model::open(&file[..FOREST.len() + CARD.len()], &keys).is_err(), "without its trailer");
    }

    #[test]
    fn a_good_signature_over_hostile_content_helps_nothing() {
        let mine = pair(1);
        let keys = trusting(&mine);
        let refused = |image: &[u8], card: &[u8]| Model::open(&signed(image, card, &mine), &keys).err();
        let changed = |at: usize, octets: &[u8]| {
            let mut image = FOREST.to_vec();
            image[at..at + octets.len()].copy_from_slice(octets);
            seal(&mut image);
            image
        };
        let families = usize::from(FOREST[12]);
        let trees = usize::from(u16::from_le_bytes([FOREST[14], FOREST[15]]));
        let node = HEADER_LEN + families * detect::forest::format::NAME_LEN + trees * 2;
        // A child before its parent, a cycle, a threshold that is no number, a feature that is not there, too many nodes.
        for image in [
            changed(node + 4, &[0, 0]),
            changed(node + 8 + 4, &[1, 0]),
            changed(node, &f32::NAN.to_le_bytes()),
            changed(node + 6, &[200]),
            changed(16, &[0xff, 0xff]),
            changed(32, &[0; 8]),
        ] {
            assert!(matches!(refused(&image, CARD), Some(Refused::Forest(_))), "{:?}", refused(&image, CARD));
        }
        assert!(matches!(refused(FOREST, b""), Some(Refused::Card(_))));
        assert!(matches!(refused(&changed(28, &[9]), CARD), Some(Refused::Card(CardError::Forest))));
    }

    #[test]
    fn the_name_of_a_forest_is_that_of_its_octets() {
        let (mine, other) = (pair(1), pair(2));
        let name = |model: Result<Model, Refused>| model.expect("good").id().to_owned();
        let shipped = name(Model::open(FOREST, &Keys::default()));
        assert_eq!(shipped.len(), 16);
        for pair in [mine, other] {
            assert_eq!(name(Model::open(&signed(FOREST, CARD, &pair), &trusting(&pair))), shipped);
        }
    }
}
