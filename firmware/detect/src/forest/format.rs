//! The image of a forest, octet by octet: what the trainer writes and [`super::Forest::load`] checks.
//!
//! **Shape**: a header of [`HEADER_LEN`] octets, the families' names ([`NAME_LEN`] octets each, zero padded), one `u16` a tree
//! (its root), then the nodes ([`NODE_LEN`] octets each); nothing after them. Little-endian throughout.
//!
//! | at | header |
//! |---|---|
//! | 0 | [`MAGIC`] |
//! | 8 | version `u16`, classes `u8`, features `u8`, families `u8`, zero `u8`, trees `u16` |
//! | 16 | nodes `u16`, zero `u16`, Medium from `f32`, High from `f32`, rows trained on `u32` |
//! | 32 | schema hash `u64`, digest of the rows `u64`, zero `u64` |
//! | 56 | checksum `u64` over all other octets |
//!
//! A tree's nodes stand together, breadth first: the two children of the tree's n-th split are the n-th pair after its root. So
//! each index has exactly one right value, and no cycle or orphan can be written.
//!
//! | at | split | leaf |
//! |---|---|---|
//! | 0 | threshold `f32`: values up to it go to the first child | shares of Medium and of High, family, the family's share, each `u8` |
//! | 4 | first child `u16`, the second is next to it | zero `u16` |
//! | 6 | feature `u8` | [`LEAF`] |
//! | 7 | expected share of Medium and High together, `u8` | the same |
//!
//! **Units**: shares are in 1/255. What Medium and High leave is the share of Safe.

/// The first octets of every image.
pub const MAGIC: [u8; 8] = *b"PKFOREST";
/// The format that this code reads and writes.
pub const VERSION: u16 = 1;
/// Safe, Medium, High.
pub const CLASSES: usize = 3;
/// Octets of the header.
pub const HEADER_LEN: usize = 64;
/// Octets of a node.
pub const NODE_LEN: usize = 8;
/// Octets of a family's name.
pub const NAME_LEN: usize = 24;
/// The largest image.
pub const MAX_LEN: usize = 256 * 1024;
/// The most features a vector can have; any more and [`LEAF`] would be in reach.
pub const MAX_FEATURES: usize = 128;
/// The most families a model can name.
pub const MAX_FAMILIES: usize = 64;
/// The most trees.
pub const MAX_TREES: usize = 512;
/// Stands where a split has its feature.
pub const LEAF: u8 = 255;
/// The family of a leaf that names none.
pub const NO_FAMILY: u8 = 255;

/// Where the header's fields begin.
pub(super) mod at {
    pub const VERSION: usize = 8;
    pub const CLASSES: usize = 10;
    pub const FEATURES: usize = 11;
    pub const FAMILIES: usize = 12;
    pub const ZERO: usize = 13;
    pub const TREES: usize = 14;
    pub const NODES: usize = 16;
    pub const ZERO_TOO: usize = 18;
    pub const MEDIUM: usize = 20;
    pub const HIGH: usize = 24;
    pub const ROWS: usize = 28;
    pub const SCHEMA: usize = 32;
    pub const DIGEST: usize = 40;
    pub const ZERO_LAST: usize = 48;
    pub const CHECKSUM: usize = 56;
}

/// What the header says, apart from the constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// How many features a vector has.
    pub features: u8,
    /// How many families have a name.
    pub families: u8,
    /// How many trees there are.
    pub trees: u16,
    /// How many nodes all trees have.
    pub nodes: u16,
    /// The share of Medium and High together from which a host is Medium.
    pub medium_at: f32,
    /// The share of High from which a host is High; above 1 it is never reached.
    pub high_at: f32,
    /// How many rows the trees were trained on.
    pub rows: u32,
    /// The hash of the feature schema.
    pub schema: u64,
    /// The digest of the rows.
    pub digest: u64,
}

/// One node of a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// Sends a vector on.
    Split {
        /// The feature that is looked at.
        feature: u8,
        /// Values up to this go to the first child.
        threshold: f32,
        /// The first child's index in the whole forest.
        first: u16,
        /// The expected share of Medium and High together.
        threat: u8,
    },
    /// Votes.
    Leaf {
        /// The share of Medium.
        medium: u8,
        /// The share of High.
        high: u8,
        /// The leading family's index, or [`NO_FAMILY`].
        family: u8,
        /// That family's share.
        strength: u8,
    },
}

impl Header {
    /// The header as it stands in an image, its checksum still zero.
    #[must_use]
    pub fn octets(&self) -> [u8; HEADER_LEN] {
        let mut octets = [0; HEADER_LEN];
        let mut put = |at: usize, field: &[u8]| octets[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(at::VERSION, &VERSION.to_le_bytes());
        put(at::CLASSES, &[CLASSES as u8]);
        put(at::FEATURES, &[self.features]);
        put(at::FAMILIES, &[self.families]);
        put(at::TREES, &self.trees.to_le_bytes());
        put(at::NODES, &self.nodes.to_le_bytes());
        put(at::MEDIUM, &self.medium_at.to_le_bytes());
        put(at::HIGH, &self.high_at.to_le_bytes());
        put(at::ROWS, &self.rows.to_le_bytes());
        put(at::SCHEMA, &self.schema.to_le_bytes());
        put(at::DIGEST, &self.digest.to_le_bytes());
        octets
    }
}

impl Node {
    /// The node as it stands in an image.
    #[must_use]
    pub const fn octets(&self) -> [u8; NODE_LEN] {
        match *self {
            Self::Split { feature, threshold, first, threat } => {
                let [a, b, c, d] = threshold.to_le_bytes();
                let [e, f] = first.to_le_bytes();
                [a, b, c, d, e, f, feature, threat]
            }
            Self::Leaf { medium, high, family, strength } => {
                [medium, high, family, strength, 0, 0, LEAF, medium.saturating_add(high)]
            }
        }
    }
}

/// Writes the checksum into a complete image. An image shorter than a header is left as it is.
pub fn seal(image: &mut [u8]) {
    if image.len() >= HEADER_LEN {
        let sum = checksum(image);
        image[at::CHECKSUM..HEADER_LEN].copy_from_slice(&sum.to_le_bytes());
    }
}

/// The checksum over all of an image but the checksum's own place.
///
/// **Source**: CRC-64 of ECMA-182, reflected, as in the xz format: it finds any run of up to 64 damaged bits. It is no signature.
#[must_use]
pub fn checksum(image: &[u8]) -> u64 {
    let head = image.get(..at::CHECKSUM).unwrap_or(image);
    let body = image.get(HEADER_LEN..).unwrap_or(&[]);
    !crc64(crc64(!0, head), body)
}

/// The CRC-64 of octets, as [`checksum`] computes it.
pub(super) fn crc(octets: &[u8]) -> u64 {
    !crc64(!0, octets)
}

/// Mixes octets into a running CRC-64.
fn crc64(start: u64, octets: &[u8]) -> u64 {
    octets.iter().fold(start, |crc, octet| TABLE[usize::from(crc as u8 ^ octet)] ^ (crc >> 8))
}

/// The CRC of each octet.
static TABLE: [u64; 256] = {
    let mut table = [0u64; 256];
    let mut octet = 0;
    while octet < 256 {
        let mut crc = octet as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xc96c_5795_d787_0f42 } else { crc >> 1 };
            bit += 1;
        }
        table[octet] = crc;
        octet += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_crc_of_the_xz_format() {
        assert_eq!(!crc64(!0, b"123456789"), 0x995d_c9bb_df19_39fa);
    }

    #[test]
    fn sealing_changes_nothing_but_the_checksum() {
        let mut image = [7u8; HEADER_LEN + 8];
        seal(&mut image);
        assert_eq!((image[..at::CHECKSUM].iter().min(), &image[HEADER_LEN..]), (Some(&7), &[7u8; 8][..]));
        assert_eq!(image[at::CHECKSUM..HEADER_LEN], checksum(&image).to_le_bytes());
    }
}
