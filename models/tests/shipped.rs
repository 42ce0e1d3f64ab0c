//! The forest that ships: loads here, stands by its golden rows, and is the one that its report describes.

use detect::forest::card::Card;
use detect::forest::{Forest, format, golden};

static IMAGE: &[u8] = include_bytes!("../picket.forest");
static CARD: &[u8] = include_bytes!("../picket.card");
static GOLDEN: &[u8] = include_bytes!("../picket.golden");
static REPORT: &str = include_str!("../REPORT.md");

fn shipped() -> Forest<'static> {
    Forest::load(IMAGE, features::schema_hash()).expect("the features have changed: train again with `models train`")
}

#[test]
fn the_shipped_forest_repeats_its_golden_rows_bit_for_bit() {
    assert!(golden::check(&shipped(), GOLDEN).unwrap() >= 100);
}

#[test]
fn the_shipped_forest_is_no_toy_and_fits_the_budget() {
    let forest = shipped();
    assert!(IMAGE.len() <= 256 * 1024, "{} octets", IMAGE.len());
    assert!(forest.trees() >= 20 && forest.nodes() >= 1000 && forest.features() == features::FEATURES);
}

#[test]
fn the_report_is_about_this_forest() {
    let forest = shipped();
    assert!(REPORT.contains(&format!("with digest {:016x}", forest.digest())));
    assert!(REPORT.contains(&format!("{} nodes, {} octets", forest.nodes(), IMAGE.len())));
}

#[test]
fn the_card_goes_with_this_forest_and_tells_of_every_feature() {
    let card = Card::load(CARD, features::FEATURES, format::checksum(IMAGE)).expect("train again with `models train`");
    assert!(card.rows() >= 10_000 && card.knots().count() >= 3, "{} rows", card.rows());
    let varied = (0..features::FEATURES).filter_map(|feature| card.reference(feature));
    assert!(varied.filter(|reference| reference.edges[0] < reference.edges[8]).count() >= features::FEATURES / 2);
}

#[test]
fn no_private_key_lies_in_this_folder() {
    // PKCS#8 names the algorithm ed25519 so, whether as octets or in base64 of PEM.
    let marks: [&[u8]; 3] = [&[0x06, 0x03, 0x2b, 0x65, 0x70, 0x04], b"PRIVATE KEY", b"MC4CAQAwBQYDK2Vw"];
    for entry in std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let path = entry.unwrap().path();
        let octets = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        for mark in marks {
            assert!(!octets.windows(mark.len()).any(|part| part == mark), "{}", path.display());
        }
    }
}

#[test]
fn a_damaged_forest_and_one_of_other_features_are_refused() {
    assert!(Forest::load(IMAGE, features::schema_hash() ^ 1).is_err());
    for at in (0..IMAGE.len()).step_by(997) {
        let mut damaged = IMAGE.to_vec();
        damaged[at] ^= 0x10;
        assert!(Forest::load(&damaged, features::schema_hash()).is_err(), "octet {at}");
    }
}
