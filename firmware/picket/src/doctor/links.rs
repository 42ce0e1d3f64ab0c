//! Probes of the links and the bridge, as the kernel tells them of this network namespace.

use std::path::Path;

use capture::LinkState;

use super::Row;
use super::machine::read;
use crate::config::LinksConfig;

/// What the bridge's settings must be to be transparent: file, value, and what it costs otherwise.
const SETTINGS: [(&str, &str, &str); 5] = [
    ("stp_state", "0", "the bridge would take part in spanning tree"),
    ("multicast_snooping", "0", "multicast, and so mDNS and IPv6, could be lost"),
    ("group_fwd_mask", "0x4008", "LLDP and 802.1X would not pass (LACP never does: the kernel refuses it)"),
    ("nf_call_iptables", "0", "every frame would pass the IP tables as well, 0.8 us each"),
    ("nf_call_ip6tables", "0", "every frame would pass the IP tables as well, 0.8 us each"),
];

/// Every probe of the configured links and bridge.
pub fn rows(links: &LinksConfig) -> Vec<Row> {
    let all = match capture::list() {
        Ok(all) => all,
        Err(error) => {
            return vec![Row::missing("links", format!("the kernel does not tell them: {error}"), "it needs netlink")];
        }
    };
    let mut free = all
        .iter()
        .filter(|link| link.ethernet && link.kind != "bridge" && link.name != links.lan && link.name != links.uplink);
    let mut chosen =
        |name: &String| if name.is_empty() { free.next().map(|link| link.name.clone()) } else { Some(name.clone()) };
    let (lan, uplink) = (chosen(&links.lan), chosen(&links.uplink));
    let state = |name: &Option<String>| all.iter().find(|link| Some(&link.name) == name.as_ref());
    let mut rows = vec![
        link("link to the switch (lan)", lan.as_deref(), state(&lan), "lan"),
        link("link to the router (uplink)", uplink.as_deref(), state(&uplink), "uplink"),
    ];
    rows.extend(state(&lan).zip(state(&uplink)).map(|(lan, uplink)| same_mtu(lan, uplink)));
    rows.extend(bridge(&links.bridge, all.iter().find(|link| link.name == links.bridge)));
    rows
}

/// One of the two links.
fn link(what: &str, name: Option<&str>, state: Option<&LinkState>, key: &str) -> Row {
    match (name, state) {
        (None, _) => Row::missing(what, "no Ethernet link is left for it", format!("name one as {key} in [links]")),
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

/// The bridge, if it is there already.
fn bridge(name: &str, state: Option<&LinkState>) -> Vec<Row> {
    let what = format!("bridge {name}");
    match state {
        None => return vec![Row::good(&what, "not there yet; it is made when the gateway starts")],
        Some(link) if link.kind != "bridge" => {
            return vec![Row::missing(
                &what,
                "a link of this name is no bridge",
                "give the bridge another name in [links]",
            )];
        }
        Some(_) if !Path::new(&format!("/sys/class/net/{name}/bridge")).exists() => {
            return vec![Row::instead(
                &what,
                "there; /sys does not show its settings",
                "they are checked when the gateway starts",
            )];
        }
        Some(_) => {}
    }
    let settings = SETTINGS.iter().map(|(file, right, cost)| {
        let value = read(&format!("/sys/class/net/{name}/bridge/{file}"));
        let what = format!("{what}: {file}");
        if value == *right {
            Row::good(&what, value)
        } else {
            Row::instead(
                &what,
                format!("{value} rather than {right}"),
                format!("set when the gateway starts; as it is, {cost}"),
            )
        }
    });
    settings.collect()
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn a_link_that_does_not_exist_is_named_with_its_key() {
        let row = link("lan", Some("never-there0"), None, "lan");
        assert_eq!(row.health, Health::Missing);
        assert!(row.found.contains("never-there0") && row.instead.contains("[links]"), "{row:?}");
    }

    #[test]
    fn a_link_in_the_place_of_the_bridge_is_told() {
        let Ok(Some(lo)) = capture::link_state("lo") else {
            eprintln!("SKIP: this network namespace has no loopback");
            return;
        };
        assert_eq!(bridge("lo", Some(&lo))[0].health, Health::Missing);
        assert_eq!(bridge("never-there0", None)[0].health, Health::Good);
    }
}
