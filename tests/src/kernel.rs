//! What the kernel's ruleset holds: the only word on blocks that the lab believes.

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::namespace::Namespace;
use crate::network::Host;
use crate::process::output;

/// First letters of the sets whose elements are dropped.
const BLOCKED: &str = "blocked_";
/// The maps whose elements are conversations.
const KNOWN: [&str; 2] = ["talk_v4", "talk_v6"];

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
    read(&listed(space, &["sets", "table", "bridge", "picket"])?)
}

/// The conversations that the gateway's rules know: of each both ends and the protocol, the LAN end first.
///
/// # Errors
/// When the maps can't be read or are no JSON.
pub fn conversations(space: &Namespace) -> Result<Vec<[String; 5]>> {
    let mut out = Vec::new();
    for map in KNOWN {
        let listed: Value =
            serde_json::from_str(&listed(space, &["map", "bridge", "picket", map])?).context("nft -j")?;
        let maps = listed["nftables"].as_array().into_iter().flatten().filter_map(|entry| entry.get("map"));
        for element in maps.flat_map(|map| map["elem"].as_array().into_iter().flatten()) {
            let value = element.get(0).context("an element of a map without a key")?;
            let key = value.get("elem").map_or(value, |inner| &inner["val"])["concat"].as_array();
            let fields: Vec<String> = key.into_iter().flatten().map(text).collect();
            out.push(fields.try_into().map_err(|fields: Vec<_>| anyhow!("a conversation of {} fields", fields.len()))?);
        }
    }
    Ok(out)
}

/// What the kernel lists; nothing where there is no table. Rules are not asked for: Debian 12's
/// nft ends at keys that it did not write.
fn listed(space: &Namespace, what: &[&str]) -> Result<String> {
    match output(space.command("nft").args(["-j", "list"]).args(what)) {
        Err(error) if error.to_string().contains("No such file") => Ok("{}".into()),
        other => other,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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
