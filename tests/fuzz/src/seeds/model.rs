//! Small forests.

use detect::forest::format::{Header, NAME_LEN, NO_FAMILY, Node, seal};
use terms::Family;

/// The schema that every seed was trained for.
pub const SCHEMA: u64 = 0x0123_4567_89ab_cdef;
/// How many features their vectors have.
pub const FEATURES: usize = 3;

/// One tree of one leaf, two trees, and twenty.
pub fn all() -> Vec<Vec<u8>> {
    let leaf = Node::Leaf { medium: 9, high: 200, family: 0, strength: 209 };
    let pair: Vec<_> = [tree(0), tree(5)].concat();
    let many: Vec<_> = (0..20).flat_map(|n| tree(5 * n)).collect();
    let roots: Vec<_> = (0..20).map(|n| 5 * n).collect();
    vec![image(&[leaf], &[0]), image(&pair, &[0, 5]), image(&many, &roots)]
}

/// Asks feature 0, then feature 1.
fn tree(at: u16) -> [Node; 5] {
    let split = |feature, threshold, first, threat| Node::Split { feature, threshold, first: at + first, threat };
    let safe = Node::Leaf { medium: 0, high: 0, family: NO_FAMILY, strength: 0 };
    let medium = Node::Leaf { medium: 155, high: 0, family: 0, strength: 155 };
    let high = Node::Leaf { medium: 0, high: 255, family: 1, strength: 255 };
    [split(0, 10.0, 1, 100), safe, split(1, 0.5, 3, 200), medium, high]
}

fn image(nodes: &[Node], roots: &[u16]) -> Vec<u8> {
    let header = Header {
        features: FEATURES as u8,
        families: 2,
        trees: roots.len() as u16,
        nodes: nodes.len() as u16,
        medium_at: 0.4,
        high_at: 0.6,
        rows: 77,
        schema: SCHEMA,
        digest: 9,
    };
    let mut image = header.octets().to_vec();
    for family in [Family::PortScanVertical, Family::FloodSyn] {
        let mut name = family.as_str().as_bytes().to_vec();
        name.resize(NAME_LEN, 0);
        image.extend(name);
    }
    image.extend(roots.iter().flat_map(|root| root.to_le_bytes()));
    image.extend(nodes.iter().flat_map(Node::octets));
    seal(&mut image);
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_loads() {
        for image in all() {
            detect::forest::Forest::load(&image, SCHEMA).expect("a good image");
        }
    }
}
