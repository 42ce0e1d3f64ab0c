//! Configurations: all defaults, and some that people write.

use crate::config::{Config, show};

/// Good texts.
pub fn all() -> Vec<Vec<u8>> {
    let defaults = show(&Config::default(), None);
    let bare: Vec<_> = defaults.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let few = "posture = \"observe\"\n\n[links]\nlan = \"eth0\"\nuplink = \"eth1\"\n\n[never_block]\naddresses = [\"10.0.0.1\", \"02:00:00:00:00:01\"]\n";
    let inline = "posture = 'protect'\nrespond = { block_for = \"5m\", per_minute = 3 }\n";
    vec![bare.join("\n").into_bytes(), few.into(), inline.into(), defaults.into_bytes()]
}
