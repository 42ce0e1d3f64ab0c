//! The checks between the octets of an image and a forest that is trusted after.

use core::fmt;

use terms::Family;

use super::Forest;
use super::format::{
    CLASSES, HEADER_LEN, LEAF, MAGIC, MAX_FAMILIES, MAX_FEATURES, MAX_LEN, MAX_TREES, NAME_LEN, NO_FAMILY, NODE_LEN,
    VERSION, at, checksum,
};

/// Why an image is no forest for this box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelError {
    /// Shorter than a header.
    Cut,
    /// Larger than an image may be.
    Large(usize),
    /// Not an image of a forest at all.
    Magic,
    /// Written in another version of the format.
    Version(u16),
    /// Damaged: the octets do not give the checksum in the header.
    Checksum,
    /// Trained for another feature schema; this is the hash that it was trained for.
    Schema(u64),
    /// A field of the header is out of its range.
    Field(&'static str),
    /// The length is not what the header's numbers give.
    Length {
        /// What the header gives.
        expected: usize,
        /// What there is.
        found: usize,
    },
    /// The name at this place is no family that this box knows.
    Family(usize),
    /// The root of this tree does not stand where the tree before it ends.
    Root(usize),
    /// This node points anywhere but to its own pair of children.
    Child(usize),
    /// This node looks at a feature that the vector does not have.
    Feature(usize),
    /// The threshold of this node is not a finite number.
    Threshold(usize),
    /// The shares of this leaf are not shares, or it names a family that is not there.
    Leaf(usize),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("the model is cut short: there is no whole header"),
            Self::Large(len) => write!(f, "the model has {len} octets, more than the {MAX_LEN} allowed"),
            Self::Magic => f.write_str("this is not a model: it does not begin with the mark of one"),
            Self::Version(found) => write!(f, "the model has format version {found}, this program reads {VERSION}"),
            Self::Checksum => f.write_str("the model is damaged: its checksum does not match"),
            Self::Schema(found) => {
                write!(
                    f,
                    "the model was trained for other features (schema {found:016x}); train it again with this version"
                )
            }
            Self::Field(name) => write!(f, "the model's header has a bad value for {name}"),
            Self::Length { expected, found } => write!(f, "the model has {found} octets, its header says {expected}"),
            Self::Family(i) => write!(f, "the model's family {i} is not known here"),
            Self::Root(i) => write!(f, "tree {i} of the model does not begin where it must"),
            Self::Child(i) => write!(f, "node {i} of the model does not point to its own children"),
            Self::Feature(i) => write!(f, "node {i} of the model looks at a feature that does not exist"),
            Self::Threshold(i) => write!(f, "node {i} of the model has a threshold that is not a finite number"),
            Self::Leaf(i) => write!(f, "leaf {i} of the model has shares that cannot be"),
        }
    }
}

impl core::error::Error for ModelError {}

/// Checks an image from its first octet to its last.
pub(super) fn load(image: &[u8], schema: u64) -> Result<Forest<'_>, ModelError> {
    let header: &[u8; HEADER_LEN] = image.first_chunk().ok_or(ModelError::Cut)?;
    if image.len() > MAX_LEN {
        return Err(ModelError::Large(image.len()));
    }
    if header[..MAGIC.len()] != MAGIC {
        return Err(ModelError::Magic);
    }
    if u16_at(header, at::VERSION) != VERSION {
        return Err(ModelError::Version(u16_at(header, at::VERSION)));
    }
    if u64_at(header, at::CHECKSUM) != checksum(image) {
        return Err(ModelError::Checksum);
    }
    if u64_at(header, at::SCHEMA) != schema {
        return Err(ModelError::Schema(u64_at(header, at::SCHEMA)));
    }
    let numbers = numbers(header)?;
    let names_len = numbers.families * NAME_LEN;
    let roots_len = numbers.trees * 2;
    let expected = HEADER_LEN + names_len + roots_len + numbers.nodes * NODE_LEN;
    if image.len() != expected {
        return Err(ModelError::Length { expected, found: image.len() });
    }
    let (names, rest) = image[HEADER_LEN..].split_at(names_len);
    let (roots, nodes) = rest.split_at(roots_len);
    let forest = Forest {
        nodes: nodes.as_chunks().0,
        roots: roots.as_chunks().0,
        features: numbers.features,
        families: families(names)?,
        medium_at: numbers.medium_at,
        high_at: numbers.high_at,
        trained_on: u32_at(header, at::ROWS),
        digest: u64_at(header, at::DIGEST),
    };
    check_trees(&forest, numbers.families)?;
    Ok(forest)
}

/// The header's numbers, each in its range.
struct Numbers {
    features: usize,
    families: usize,
    trees: usize,
    nodes: usize,
    medium_at: f32,
    high_at: f32,
}

fn numbers(header: &[u8; HEADER_LEN]) -> Result<Numbers, ModelError> {
    let within = |name, value: usize, least: usize, most: usize| {
        if (least..=most).contains(&value) { Ok(value) } else { Err(ModelError::Field(name)) }
    };
    let share = |name, value: f32| {
        // A threshold above 1 is how a trainer says "never"; 2 leaves room for that and for nothing else.
        if value > 0.0 && value <= 2.0 { Ok(value) } else { Err(ModelError::Field(name)) }
    };
    within("classes", usize::from(header[at::CLASSES]), CLASSES, CLASSES)?;
    let unused = u64::from(header[at::ZERO]) | u64::from(u16_at(header, at::ZERO_TOO)) | u64_at(header, at::ZERO_LAST);
    if unused != 0 {
        return Err(ModelError::Field("the unused places"));
    }
    let trees = within("trees", usize::from(u16_at(header, at::TREES)), 1, MAX_TREES)?;
    Ok(Numbers {
        features: within("features", usize::from(header[at::FEATURES]), 1, MAX_FEATURES)?,
        families: within("families", usize::from(header[at::FAMILIES]), 0, MAX_FAMILIES)?,
        trees,
        nodes: within("nodes", usize::from(u16_at(header, at::NODES)), trees, MAX_LEN / NODE_LEN)?,
        medium_at: share("the share from which a host is Medium", f32::from_bits(u32_at(header, at::MEDIUM)))?,
        high_at: share("the share from which a host is High", f32::from_bits(u32_at(header, at::HIGH)))?,
    })
}

/// The families behind the names.
fn families(names: &[u8]) -> Result<[Option<Family>; MAX_FAMILIES], ModelError> {
    let mut families = [None; MAX_FAMILIES];
    for (i, (slot, name)) in families.iter_mut().zip(names.as_chunks::<NAME_LEN>().0).enumerate() {
        let end = name.iter().position(|&o| o == 0).unwrap_or(NAME_LEN);
        let padded = name[end..].iter().all(|&o| o == 0);
        let family = Family::ALL.iter().find(|f| padded && f.as_str().as_bytes() == &name[..end]);
        *slot = Some(*family.ok_or(ModelError::Family(i))?);
    }
    Ok(families)
}

/// Follows every tree in the one order that its nodes may have.
fn check_trees(forest: &Forest<'_>, families: usize) -> Result<(), ModelError> {
    let mut node = 0;
    for (tree, root) in forest.roots.iter().enumerate() {
        if usize::from(u16::from_le_bytes(*root)) != node {
            return Err(ModelError::Root(tree));
        }
        // `end` grows by a pair with each split; the tree is whole when every node up to it has been read.
        let mut end = node + 1;
        while node < end {
            let octets = forest.nodes.get(node).ok_or(ModelError::Root(tree))?;
            if octets[6] == LEAF {
                check_leaf(octets, families).ok_or(ModelError::Leaf(node))?;
            } else {
                check_split(octets, node, end, forest.features)?;
                end += 2;
            }
            node += 1;
        }
    }
    if node == forest.nodes.len() { Ok(()) } else { Err(ModelError::Root(forest.roots.len())) }
}

fn check_split(octets: &[u8; NODE_LEN], node: usize, first: usize, features: usize) -> Result<(), ModelError> {
    if usize::from(octets[6]) >= features {
        return Err(ModelError::Feature(node));
    }
    if usize::from(u16_at(octets, 4)) != first {
        return Err(ModelError::Child(node));
    }
    if f32::from_bits(u32_at(octets, 0)).is_finite() { Ok(()) } else { Err(ModelError::Threshold(node)) }
}

fn check_leaf(octets: &[u8; NODE_LEN], families: usize) -> Option<()> {
    let [medium, high, family, _, zero, also, _, threat] = *octets;
    let sum = medium.checked_add(high)?;
    let named = family == NO_FAMILY || usize::from(family) < families;
    (sum == threat && named && zero == 0 && also == 0).then_some(())
}

fn u16_at(octets: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([octets[at], octets[at + 1]])
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from(u16_at(octets, at)) | u32::from(u16_at(octets, at + 2)) << 16
}

fn u64_at(octets: &[u8], at: usize) -> u64 {
    u64::from(u32_at(octets, at)) | u64::from(u32_at(octets, at + 4)) << 32
}
