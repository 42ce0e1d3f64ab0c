//! The forest that ships: loads here, stands by its golden rows, and is the one that its report describes.

use detect::forest::{Forest, golden};

static IMAGE: &[u8] = include_bytes!("../picket.forest");
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
fn a_damaged_forest_and_one_of_other_features_are_refused() {
    assert!(Forest::load(IMAGE, features::schema_hash() ^ 1).is_err());
    for at in (0..IMAGE.len()).step_by(997) {
        let mut damaged = IMAGE.to_vec();
        damaged[at] ^= 0x10;
        assert!(Forest::load(&damaged, features::schema_hash()).is_err(), "octet {at}");
    }
}
