//! The smallest forest: one leaf, which says the same of every host.

use detect::forest::card::{BINS, EDGES, Reference, checksum, header};
use detect::forest::format::{self, Header, NO_FAMILY, Node, seal};

/// A forest of one leaf that calls every host High, or none, with a card.
pub fn forest(high: u8) -> (Vec<u8>, Vec<u8>) {
    let header_of_forest = Header {
        features: features::FEATURES as u8,
        families: 0,
        trees: 1,
        nodes: 1,
        medium_at: 0.5,
        high_at: 0.9,
        rows: 7,
        schema: features::schema_hash(),
        digest: high.into(),
    };
    let mut image = header_of_forest.octets().to_vec();
    image.extend([0, 0]);
    image.extend(Node::Leaf { medium: 0, high, family: NO_FAMILY, strength: 0 }.octets());
    seal(&mut image);
    let mut card = header(features::FEATURES as u8, 0, 20_000, format::checksum(&image), 9, 0).to_vec();
    let reference = Reference { edges: [1.0; EDGES], shares: [0.1; BINS], usual: 0.0 };
    (0..features::FEATURES).for_each(|_| card.extend(reference.octets()));
    let sum = checksum(&card);
    card.extend(sum);
    (image, card)
}
