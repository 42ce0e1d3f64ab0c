//! What the kernel's ruleset holds: the only word on blocks that the lab believes.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::namespace::Namespace;
use crate::network::Host;
use crate::process::output;

/// First letters of the sets whose elements are dropped.
const BLOCKED: &str = "blocked_";

/// One element of a set that is dropped: a hardware address, an address, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The set's name.
    pub set: String,
    /// What it is matched by, one to two names.
    pub names: Vec<String>,
    /// Seconds until the kernel forgets it.
    pub left: Option<u64>,
}

impl Element {
    /// Whether it blocks this host.
    #[must_use]
    pub fn blocks(&self, host: &Host) -> bool {
        self.names.iter().all(|name| host.is(name))
    }
}

/// Everything that the kernel drops in this namespace for the gateway. No table is no block.
///
/// # Errors
/// When the ruleset can't be read or is no JSON.
pub fn blocked(space: &Namespace) -> Result<Vec<Element>> {
    let mut nft = space.command("nft");
    match output(nft.args(["-j", "list", "table", "bridge", "picket"])) {
        Ok(text) => read(&text),
        Err(error) if error.to_string().contains("No such file") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn read(text: &str) -> Result<Vec<Element>> {
    let ruleset: Value = serde_json::from_str(text).context("nft -j")?;
    let mut out = Vec::new();
    for set in ruleset["nftables"].as_array().into_iter().flatten().filter_map(|entry| entry.get("set")) {
        let name = set["name"].as_str().unwrap_or_default();
        if !name.starts_with(BLOCKED) {
            continue;
        }
        for element in set["elem"].as_array().into_iter().flatten() {
            let inner = element.get("elem");
            let value = inner.map_or(element, |inner| &inner["val"]);
            let names = match value.get("concat").and_then(Value::as_array) {
                Some(parts) => parts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                None => value.as_str().map(str::to_owned).into_iter().collect(),
            };
            out.push(Element { set: name.to_owned(), names, left: inner.and_then(|inner| inner["expires"].as_u64()) });
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULESET: &str = r#"{"nftables":[{"metainfo":{}},{"table":{"family":"bridge","name":"picket"}},
        {"set":{"name":"never_mac","elem":["02:77:00:00:01:01"]}},
        {"set":{"name":"blocked_mac","elem":[{"elem":{"val":"02:77:00:00:00:03","timeout":600,"expires":598}}]}},
        {"set":{"name":"blocked_mac_v4","elem":[{"elem":{"val":{"concat":["02:77:00:00:00:04","192.168.77.14"]},"expires":5}}]}},
        {"set":{"name":"blocked_v4"}}]}"#;

    fn host(mac: &str, address: &str) -> Host {
        Host { name: "h".into(), mac: mac.into(), address: address.into(), address6: "fd77::9".into() }
    }

    #[test]
    fn only_elements_of_blocked_sets_count_as_blocks() {
        let held = read(RULESET).expect("this is JSON");
        assert_eq!(held.len(), 2);
        assert_eq!(held[0].left, Some(598));
        assert!(!held.iter().any(|element| element.blocks(&host("02:77:00:00:01:01", "192.168.77.1"))));
    }

    #[test]
    fn a_pair_blocks_only_where_both_match() {
        let held = read(RULESET).expect("this is JSON");
        assert!(held[1].blocks(&host("02:77:00:00:00:04", "192.168.77.14")));
        assert!(!held[1].blocks(&host("02:77:00:00:00:04", "192.168.77.15")));
    }
}
