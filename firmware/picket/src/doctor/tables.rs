//! Probes of nftables in the bridge family.

use enforce::Feature;

use super::Row;

/// Every feature that is tried; the first tells whether nftables answers at all.
pub fn rows() -> Vec<Row> {
    enforce::probe().iter().enumerate().map(|(number, feature)| row(feature, number == 0)).collect()
}

/// One feature; without the first nobody can be blocked.
fn row(feature: &Feature, needed: bool) -> Row {
    let what = if feature.name.starts_with("nftables") {
        feature.name.to_owned()
    } else {
        format!("nftables: {}", feature.name)
    };
    let found = || feature.why.as_ref().map_or_else(|| "not there".into(), |why| format!("not there ({why})"));
    match (feature.present, needed) {
        (true, _) => Row::good(&what, "there"),
        (false, true) => Row::missing(&what, found(), feature.instead),
        (false, false) => Row::instead(&what, found(), feature.instead),
    }
}
