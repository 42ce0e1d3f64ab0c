//! The bridge under a running gateway: links that are lost, vanish and return, and a bridge that was there before.

use super::stand::{HOST, ROUTER, ROUTER_MAC, Stand, TEN, alone, binary, eventually, said};

#[test]
fn the_loss_of_one_side_is_told_and_its_return_too() {
    let Some(mut stand) = Stand::build("carrier") else { return };
    stand.configure("");
    stand.start();
    let (lost, back) = (["lan0 (lan)", "lost its carrier"], ["lan0 (lan)", "passes frames again"]);
    assert!(!stand.tells(&lost) && stand.doctor("link to the switch")["health"] == "good");
    stand.host.shell("ip link set eth0 down").unwrap();
    eventually(TEN, "the loss to be told", || stand.tells(&lost));
    assert!(stand.warnings().contains("lost its carrier"), "{}", stand.warnings());
    let row = stand.doctor("link to the switch");
    assert!(row["health"] == "instead" && row["found"].as_str().unwrap().contains("no carrier"), "{row}");
    stand.host.shell("ip link set eth0 up").unwrap();
    eventually(TEN, "the return to be told", || stand.tells(&back));
    eventually(TEN, "pings to pass again", || stand.pings(3) == 3);
    assert_eq!(
        (stand.events(&lost).len(), stand.events(&back).len(), stand.warnings().as_str()),
        (1, 1, ""),
        "once each"
    );
}

#[test]
fn a_link_that_vanishes_and_returns_is_taken_again_and_seen_again() {
    let Some(mut stand) = Stand::build("vanish") else { return };
    stand.configure("");
    stand.start();
    stand.ask(&["block", "192.168.9.99", "--for", "10m", "--why", "stands meanwhile"]);
    for round in 1..=2 {
        stand.gate.shell("ip link del up0").unwrap();
        eventually(TEN, "the loss to be told", || stand.events(&["link up0 does not exist"]).len() == round);
        assert!(stand.runs() && stand.warnings().contains("up0"), "{}", stand.warnings());
        stand.plug("up0", &stand.router, ROUTER, ROUTER_MAC);
        eventually(TEN, "pings to pass again", || stand.pings(3) == 3);
        eventually(TEN, "its return to be told", || stand.events(&["in the bridge again"]).len() == round);
        let frames = || stand.ask(&["status"])["frames"].as_u64().unwrap();
        let router = || {
            let hosts = stand.ask(&["hosts"]);
            let seen = hosts.as_array().unwrap().iter().find(|host| host["host"] == ROUTER);
            seen.map_or(0, |host| host["frames"].as_u64().unwrap())
        };
        let before = (frames(), router());
        eventually(TEN, "both directions to be seen again", || {
            stand.pings(5) == 5 && frames() > before.0 && router() > before.1
        });
    }
    eventually(TEN, "nothing to be wrong any more", || stand.warnings().is_empty());
    assert_eq!(stand.ask(&["blocks"])[0]["state"], "confirmed");
}

#[test]
fn a_bridge_that_already_holds_both_links_is_used_as_it_is() {
    let Some(mut stand) = Stand::build("taken") else { return };
    stand.configure("");
    stand
        .gate
        .shell(
            "ip link add old type bridge ageing_time 1234 stp_state 1; ip addr add 192.168.9.2/24 dev old; ip link set old up
             ip link set lan0 master old; ip link set up0 master old",
        )
        .unwrap();
    let row = stand.doctor("bridge old: stp_state");
    assert!(row["health"] == "instead" && row["instead"].as_str().unwrap().contains("spanning tree"), "{row}");
    stand.start();
    let links = stand.gate.shell("ip -d link show old; ip addr show old; ip -o link show type bridge").unwrap();
    assert!(links.contains("ageing_time 1234") && links.contains("192.168.9.2/24"), "{links}");
    assert!(
        links.contains("stp_state 0") && links.contains("mcast_snooping 0") && links.contains("group_fwd_mask 0x4008"),
        "{links}"
    );
    assert!(!links.contains("br0"), "{links}");
    for what in [
        "bridge old: stp_state",
        "bridge old: mcast_snooping",
        "bridge old: group_fwd_mask",
        "links: equal MTU",
        "jumbo",
        "bridge old: VLANs",
    ] {
        assert_eq!(stand.doctor(what)["health"], "good", "{what}");
    }
    let words = "old over lan0 (lan) and up0 (uplink)";
    eventually(TEN, "the status to name it", || stand.ask(&["status"])["bridge"] == words);
    // The bridge forwards on when the gateway is gone.
    stand.stop();
    assert_eq!(stand.pings(5), 5);
}

#[test]
fn what_somebody_changes_at_the_bridge_is_told_and_set_again() {
    let Some(mut stand) = Stand::build("drift") else { return };
    stand.configure("");
    stand.start();
    stand.gate.shell("ip link set br0 type bridge stp_state 1 mcast_snooping 1 group_fwd_mask 0").unwrap();
    eventually(TEN, "the change to be told", || {
        stand.tells(&["br0", "stp_state", "mcast_snooping", "group_fwd_mask", "set again"])
    });
    let links = stand.gate.shell("ip -d link show br0").unwrap();
    assert!(
        links.contains("stp_state 0") && links.contains("mcast_snooping 0") && links.contains("group_fwd_mask 0x4008"),
        "{links}"
    );
    stand.gate.shell("ip link set up0 nomaster").unwrap();
    eventually(TEN, "the link to be back", || stand.tells(&["were not both in bridge br0"]) && stand.pings(1) == 1);
    stand.gate.shell("ip link set up0 mtu 1400").unwrap();
    eventually(TEN, "the shorter length to be told", || {
        stand.tells(&["lan0", "1500", "up0", "1400", "larger ones are lost"])
    });
    let row = stand.doctor("links: equal MTU");
    assert!(row["health"] == "instead" && row["found"].as_str().unwrap().contains("1400"), "{row}");
    stand.gate.shell("ip link set up0 mtu 1500").unwrap();
    eventually(TEN, "the end of it to be told", || {
        stand.tells(&["of one length again"]) && stand.warnings().is_empty()
    });
}

#[test]
fn links_made_of_software_are_taken_only_when_named() {
    let Some(stand) = Stand::build("choice") else { return };
    stand.configure("[links]");
    stand.gate.shell("ip link add dummy0 type dummy 2>/dev/null || true").unwrap();
    let output = alone(&stand.gate, &[binary()], &stand.file("picket.toml"));
    let words = said(&output);
    assert!(words.contains("there is none") && words.contains("lan0") && words.contains("[links]"), "{words}");
    assert_eq!(output.status.code(), Some(1), "{words}");
    let row = stand.doctor("link to the switch");
    assert!(row["health"] == "missing" && row["instead"].as_str().unwrap().contains("lan0"), "{row}");
    assert!(stand.gate.shell("ip -o link show type bridge").unwrap().is_empty(), "nothing was made for {HOST}");
}
