//! Probes of nftables in the bridge family.

use enforce::{Feature, Tracking};

use super::Row;

/// Every feature that is tried, the first of which tells whether nftables answers at all; then what is used to know conversations.
pub fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> =
        enforce::probe().iter().enumerate().map(|(number, feature)| row(feature, number == 0)).collect();
    let found = enforce::tracking();
    let known = match found.tracking {
        Tracking::Map => format!("by Picket's own map; {}", found.why),
        Tracking::Kernel => {
            format!("by Picket's own map; the kernel's connection tracking could, {}, and is not used yet", found.why)
        }
    };
    rows.push(Row::good("replies under default deny are known", &known));
    rows
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
