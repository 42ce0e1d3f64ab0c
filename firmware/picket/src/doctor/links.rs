//! Probes of the links and the bridge, as the kernel tells them of this network namespace.

use capture::{BridgeReport, LinkState, Setting};

use super::Row;
use super::machine::knows_fdb_bound;
use crate::config::LinksConfig;
use crate::links;

/// The largest packet of ordinary Ethernet, and the one that fits where a second VLAN tag has to as well.
const MTU: u32 = 1500;
const MTU_TWO_TAGS: u32 = 1504;

/// Every probe of the links and the bridge, chosen as `picket run` would choose them.
pub fn rows(config: &LinksConfig) -> Vec<Row> {
    let all = match capture::list() {
        Ok(all) => all,
        Err(error) => {
            return vec![Row::missing("links", format!("the kernel does not tell them: {error}"), "it needs netlink")];
        }
    };
    let chosen = links::choose(config, &all);
    let state = |name: &Option<String>| all.iter().find(|link| Some(&link.name) == name.as_ref());
    let mut rows = vec![
        link("link to the switch (lan)", chosen.lan.as_deref(), state(&chosen.lan), "lan", &chosen.passed_by),
        link(
            "link to the router (uplink)",
            chosen.uplink.as_deref(),
            state(&chosen.uplink),
            "uplink",
            &chosen.passed_by,
        ),
    ];
    let sides = state(&chosen.lan).zip(state(&chosen.uplink));
    if let Some((lan, uplink)) = sides {
        rows.push(same_mtu(lan, uplink));
        rows.push(large(lan.mtu.min(uplink.mtu)));
    }
    match chosen.both() {
        Ok((lan, uplink)) if sides.is_some() => rows.extend(bridge(&config.bridge, &lan, &uplink)),
        Ok(_) | Err(links::LinksError::TooFew { .. }) => {}
        Err(error) => rows.push(Row::missing("links", error.to_string(), "")),
    }
    rows
}

/// One of the two links.
fn link(what: &str, name: Option<&str>, state: Option<&LinkState>, key: &str, passed_by: &[String]) -> Row {
    match (name, state) {
        (None, _) if passed_by.is_empty() => {
            Row::missing(what, "there is no Ethernet link for it", "plug one in, as a USB adapter")
        }
        (None, _) => Row::missing(
            what,
            "there is no hardware Ethernet link for it",
            format!("plug one in, or name one as {key} in [links]; there are {}", passed_by.join(", ")),
        ),
        (Some(name), None) => Row::missing(
            what,
            format!("{name} does not exist"),
            format!("plug it in, or name another as {key} in [links]"),
        ),
        (Some(name), Some(link)) if link.carrier => Row::good(what, format!("{name}, up, MTU {}", link.mtu)),
        (Some(name), Some(link)) if link.up => {
            Row::instead(what, format!("{name}, no carrier, MTU {}", link.mtu), "nothing passes until its cable is in")
        }
        (Some(name), Some(link)) => {
            Row::instead(what, format!("{name}, down, MTU {}", link.mtu), "it is set up when the gateway starts")
        }
    }
}

/// Frames of one side must fit the other.
fn same_mtu(lan: &LinkState, uplink: &LinkState) -> Row {
    if lan.mtu == uplink.mtu {
        return Row::good("links: equal MTU", lan.mtu.to_string());
    }
    let found = format!("{} has {}, {} has {}", lan.name, lan.mtu, uplink.name, uplink.mtu);
    Row::instead("links: equal MTU", found, "larger frames are lost towards the smaller; give both the same")
}

/// What the links let through beyond ordinary frames.
fn large(mtu: u32) -> Row {
    let jumbo = if mtu > MTU { format!("packets up to {mtu} octets") } else { "none, as the links are set".to_owned() };
    let tags = if mtu >= MTU_TWO_TAGS { "two tags" } else { "one tag; two where the driver makes room for them" };
    let found = format!("{jumbo}; full packets behind {tags}");
    Row::good("links: jumbo and tagged frames", found)
}

/// The bridge: as it is, or as it will be made.
fn bridge(name: &str, lan: &str, uplink: &str) -> Vec<Row> {
    match capture::look_at_bridge(name, lan, uplink) {
        Ok(Some(report)) => settings(&report),
        Ok(None) => {
            let found = format!("not over {lan} and {uplink} yet; it is made, and set, when the gateway starts");
            vec![Row::good(&format!("bridge {name}"), found), fdb_bound(None)]
        }
        Err(error) => {
            vec![Row::missing(&format!("bridge {name}"), error.to_string(), "free the links, or name others")]
        }
    }
}

/// Each setting that makes the bridge transparent, and whether VLANs pass.
fn settings(report: &BridgeReport) -> Vec<Row> {
    let name = &report.bridge.name;
    let what = format!("bridge {name}");
    let state = if report.bridge.up { "up" } else { "down; it is set up when the gateway starts" };
    let mut rows = vec![Row::good(&what, format!("over {} and {}, {state}", report.lan.name, report.uplink.name))];
    rows.extend(report.settings.iter().map(|setting| match setting.name {
        "fdb_max_learned" => fdb_bound(Some(setting)),
        _ => one_setting(&what, setting),
    }));
    rows.push(if report.filters_vlans() {
        Row::instead(
            &format!("{what}: VLANs"),
            "filtered",
            format!("left as it is; `ip link set {name} type bridge vlan_filtering 0` lets all pass"),
        )
    } else {
        Row::good(&format!("{what}: VLANs"), "all pass, also behind two tags (QinQ)")
    });
    rows
}

fn one_setting(bridge: &str, setting: &Setting) -> Row {
    let what = format!("{bridge}: {}", setting.name);
    let hex = setting.name == "group_fwd_mask";
    let number = |n: u64| if hex { format!("{n:#x}") } else { n.to_string() };
    match setting.found {
        Some(_) if setting.held() => {
            Row::good(&what, format!("{}, {}", number(setting.wanted), effect(setting.name).0))
        }
        Some(found) => Row::instead(
            &what,
            format!("{} rather than {}", number(found), number(setting.wanted)),
            format!("set when the gateway starts; as it is, {}", effect(setting.name).1),
        ),
        None => Row::instead(&what, "not in this kernel", "nothing: the kernel has no such filter to switch off"),
    }
}

/// What a setting of the bridge brings, and what it costs where it is another.
fn effect(setting: &str) -> (&'static str, &'static str) {
    match setting {
        "stp_state" => ("no part in spanning tree", "the bridge takes part in spanning tree"),
        "mcast_snooping" => ("all groups pass", "multicast, and so mDNS and IPv6, can be lost"),
        "group_fwd_mask" => (
            "LLDP and 802.1X pass (LACP never does: the kernel refuses it)",
            "LLDP and 802.1X do not pass (LACP never does: the kernel refuses it)",
        ),
        _ => ("off", "every frame passes the IP tables as well, 0.8 us each"),
    }
}

/// The bound on what the bridge learns, as it is set or as the kernel's age tells.
fn fdb_bound(setting: Option<&Setting>) -> Row {
    let what = "bridge: bound on learned addresses";
    let not_bound = || {
        Row::instead(
            what,
            "not in this kernel (it came with 6.7)",
            "spoofed addresses can fill the kernel's bridge table until they age out, after 5 minutes",
        )
    };
    match setting {
        Some(Setting { found: Some(found), wanted, .. }) if found == wanted => Row::good(what, found.to_string()),
        Some(Setting { found: Some(found), wanted, .. }) => {
            let found = if *found == 0 { "none".to_owned() } else { found.to_string() };
            Row::instead(what, format!("{found} rather than {wanted}"), "set when the gateway starts")
        }
        Some(_) => not_bound(),
        None if knows_fdb_bound() => Row::good(what, "in this kernel; set when the gateway starts"),
        None => not_bound(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;
    use terms::MacAddr;

    #[test]
    fn a_link_that_does_not_exist_is_named_with_its_key() {
        let row = link("lan", Some("never-there0"), None, "lan", &[]);
        assert_eq!(row.health, Health::Missing);
        assert!(row.found.contains("never-there0") && row.instead.contains("[links]"), "{row:?}");
    }

    #[test]
    fn links_that_are_taken_only_when_named_are_offered() {
        let row = link("lan", None, None, "lan", &["veth0".into(), "wlan0".into()]);
        assert!(row.health == Health::Missing && row.instead.contains("veth0, wlan0"), "{row:?}");
    }

    #[test]
    fn unequal_lengths_are_told_with_both() {
        let link = |name, mtu| {
            let mut link = LinkState::named(name, MacAddr::ZERO);
            link.mtu = mtu;
            link
        };
        let row = same_mtu(&link("eth0", 1500), &link("eth1", 9000));
        assert!(row.health == Health::Instead && row.found == "eth0 has 1500, eth1 has 9000", "{row:?}");
        assert_eq!(same_mtu(&link("eth0", 9000), &link("eth1", 9000)).health, Health::Good);
    }

    #[test]
    fn a_setting_that_is_another_says_what_that_costs() {
        let setting = |name, wanted, found| Setting { name, wanted, found, refused: None };
        let row = one_setting("bridge br0", &setting("group_fwd_mask", 0x4008, Some(0)));
        assert!(row.health == Health::Instead && row.found == "0x0 rather than 0x4008", "{row:?}");
        assert_eq!(one_setting("bridge br0", &setting("stp_state", 0, Some(0))).health, Health::Good);
        let old = fdb_bound(Some(&setting("fdb_max_learned", 8192, None)));
        assert!(old.health == Health::Instead && old.instead.contains("spoofed"), "{old:?}");
    }
}
