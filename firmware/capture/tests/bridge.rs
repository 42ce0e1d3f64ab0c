//! The bridge in a namespace of its own: made, taken over, set, refused by name, and passing frames.

#[path = "common/netns.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod netns;

use capture::{LinkError, ensure_bridge, link_state, list, look_at_bridge, own_addresses};
use netns::{in_own_namespace, ip};

fn two_links() {
    for link in ["lan", "uplink"] {
        ip(&format!("link add {link} type veth peer name {link}-far"));
        ip(&format!("link set {link}-far up"));
    }
}

#[test]
fn a_bridge_is_made_and_is_transparent() {
    in_own_namespace(|| {
        two_links();
        let report = ensure_bridge("br-test", "lan", "uplink").unwrap();
        assert!(report.created && report.mtu_agrees());
        assert!(
            report.bridge.up
                && report.lan.up
                && report.uplink.up
                && report.lan.carrier
                && report.bridge.kind == "bridge"
        );
        assert_eq!((report.lan.master, report.uplink.master), (Some(report.bridge.index), Some(report.bridge.index)));
        for setting in &report.settings {
            // Kernels before 6.7 do not bound what they learn.
            assert!(setting.held() || setting.name == "fdb_max_learned" && setting.found.is_none(), "{setting:?}");
        }
        let details = ip("-d link show br-test");
        for want in ["stp_state 0", "mcast_snooping 0", "group_fwd_mask 0x4008", "nf_call_iptables 0"] {
            assert!(details.contains(want), "{want} is not in {details}");
        }
        let again = ensure_bridge("br-test", "lan", "uplink").unwrap();
        assert_eq!((again.created, again.bridge.index, again.settings), (false, report.bridge.index, report.settings));
    });
}

#[test]
fn a_bridge_that_holds_both_links_is_used_whatever_its_name() {
    in_own_namespace(|| {
        two_links();
        ip("link add old type bridge stp_state 1 ageing_time 1234");
        ip("link set lan master old");
        ip("link set uplink master old");
        let report = ensure_bridge("br-test", "lan", "uplink").unwrap();
        assert!(!report.created && report.bridge.name == "old");
        assert_eq!(link_state("br-test").unwrap(), None);
        let details = ip("-d link show old");
        assert!(details.contains("stp_state 0") && details.contains("ageing_time 1234"), "{details}");
    });
}

#[test]
fn a_bridge_of_the_name_that_lacks_a_link_gets_it() {
    in_own_namespace(|| {
        two_links();
        ip("link add br-test type bridge");
        ip("link set lan master br-test");
        let report = ensure_bridge("br-test", "lan", "uplink").unwrap();
        assert!(!report.created && report.uplink.master == Some(report.bridge.index));
    });
}

#[test]
fn a_look_changes_nothing_and_tells_what_it_found() {
    in_own_namespace(|| {
        two_links();
        assert_eq!(look_at_bridge("br-test", "lan", "uplink").unwrap(), None, "no bridge yet");
        ip("link add old type bridge stp_state 1 mcast_snooping 1");
        ip("link set lan master old");
        assert!(
            matches!(look_at_bridge("br-test", "lan", "uplink"), Err(LinkError::Taken { link, .. }) if link == "lan")
        );
        ip("link set uplink master old");
        for _ in 0..2 {
            let report = look_at_bridge("br-test", "lan", "uplink").unwrap().expect("it holds both");
            assert_eq!((report.bridge.name.as_str(), report.created, report.bridge.up), ("old", false, false));
            let wrong: Vec<_> =
                report.settings.iter().filter(|s| !s.held() && s.found.is_some()).map(|s| s.name).collect();
            assert!(wrong.starts_with(&["stp_state", "mcast_snooping", "group_fwd_mask"]), "{wrong:?}");
            assert!(!report.filters_vlans());
        }
        ensure_bridge("br-test", "lan", "uplink").unwrap();
        let report = look_at_bridge("br-test", "lan", "uplink").unwrap().expect("it holds both");
        assert!(report.settings.iter().all(|s| s.held() || s.found.is_none()), "{report:?}");
        ip("link set uplink nomaster");
        assert_eq!(look_at_bridge("old", "lan", "uplink").unwrap(), None, "one link has left");
    });
}

#[test]
fn an_error_names_the_link_at_fault_and_leaves_no_bridge_behind() {
    in_own_namespace(|| {
        two_links();
        ip("link add other type bridge");
        ip("link set uplink master other");
        let of = |bridge, lan, uplink| ensure_bridge(bridge, lan, uplink).unwrap_err();
        assert!(matches!(of("br-test", "lan", "nowhere"), LinkError::Missing(link) if link == "nowhere"));
        assert!(matches!(of("br-test", "lan", "a-name-that-is-far-too-long"), LinkError::Missing(_)));
        assert!(matches!(of("br-test", "lan", "lan"), LinkError::Same(link) if link == "lan"));
        assert!(matches!(of("br-test", "lo", "lan"), LinkError::Unfit(link) if link == "lo"));
        assert!(matches!(of("br-test", "lan", "other"), LinkError::Unfit(link) if link == "other"));
        assert!(
            matches!(of("br-test", "lan", "uplink"), LinkError::Taken { link, holder } if link == "uplink" && holder == "other")
        );
        ip("link set uplink nomaster");
        // A link below a MACVLAN can't join a bridge, so that the bridge was made in vain.
        ip("link add above link uplink type macvlan mode passthru");
        let text = of("br-test", "lan", "uplink").to_string();
        assert!(text.starts_with("link uplink: join the bridge: "), "{text}");
        assert_eq!(
            (link_state("br-test").unwrap(), link_state("lan").unwrap().and_then(|link| link.master)),
            (None, None)
        );
        ip("link del above");
        assert!(matches!(of("lan-far", "lan", "uplink"), LinkError::NoBridge(link) if link == "lan-far"));
        let text = of("bad/name", "lan", "uplink").to_string();
        assert!(text.contains("bad/name") && text.lines().count() == 1, "{text}");
        assert_eq!(link_state("br-test").unwrap(), None);
    });
}

#[test]
fn different_lengths_are_told_and_a_lost_side_too() {
    in_own_namespace(|| {
        two_links();
        ip("link set uplink mtu 9000");
        ip("link set uplink-far mtu 9000");
        let report = ensure_bridge("br-test", "lan", "uplink").unwrap();
        assert!(!report.mtu_agrees() && report.lan.mtu == 1500 && report.uplink.mtu == 9000);
        ip("link set lan-far down");
        assert!(!link_state("lan").unwrap().expect("the link exists").carrier);
        assert!(link_state("uplink").unwrap().expect("the link exists").carrier);
    });
}

#[test]
fn the_box_knows_its_own_addresses() {
    in_own_namespace(|| {
        two_links();
        let report = ensure_bridge("br-test", "lan", "uplink").unwrap();
        ip("addr add 192.168.7.2/24 dev br-test");
        ip("addr add 10.9.9.9/24 dev lan-far");
        let own = own_addresses(&["br-test", "lan", "uplink", "nowhere"]);
        assert_eq!(own.addresses, ["192.168.7.2".parse::<std::net::IpAddr>().unwrap()]);
        assert!(
            [&report.bridge, &report.lan, &report.uplink].iter().all(|link| own.macs.contains(&link.mac)),
            "{own:?}"
        );
        assert!(!own.macs.contains(&link_state("lan-far").unwrap().expect("the link exists").mac));
        let mut names: Vec<_> = list().unwrap().into_iter().map(|link| (link.name, link.ethernet)).collect();
        names.sort();
        let want = [
            ("br-test", true),
            ("lan", true),
            ("lan-far", true),
            ("lo", false),
            ("uplink", true),
            ("uplink-far", true),
        ];
        assert_eq!(names, want.map(|(name, ethernet)| (name.to_owned(), ethernet)));
    });
}
