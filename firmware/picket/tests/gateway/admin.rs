//! What an admin does by hand: blocks, refusals, unblocks, and what the history says of it.

use super::stand::{HOST, HOST_MAC, ROUTER, Stand, TEN, eventually, pings, said};

#[test]
fn a_host_that_was_never_seen_is_blocked_by_its_address_and_freed_again() {
    let Some(mut stand) = Stand::build("unseen") else { return };
    stand.configure("");
    stand.start();
    let block = stand.ask(&["block", "192.168.9.77", "--for", "10m", "--why", "lost tablet"]);
    assert_eq!((block["state"].as_str(), block["host"].as_str()), (Some("confirmed"), Some("192.168.9.77")), "{block}");
    // It appears on the LAN side only now.
    stand.host.shell("ip addr add 192.168.9.77/24 dev eth0").unwrap();
    let from = |address| pings(&stand.host, 3, ROUTER, &["-I", address]);
    assert_eq!((from("192.168.9.77"), from(HOST)), (0, 3), "from the first frame on, and its neighbour goes on");
    let event = &stand.events(&["lost tablet"])[0];
    assert_eq!((event["state"].as_str(), event["side"].as_str()), (Some("confirmed"), Some("unknown")), "{event}");
    stand.ask(&["unblock", "192.168.9.77"]);
    assert_eq!((from("192.168.9.77"), stand.ask(&["blocks"]).as_array().unwrap().len()), (3, 0));
    assert!(stand.tells(&["unblocked by an admin", "lost tablet"]));
}

#[test]
fn events_of_an_admins_acts_carry_host_side_and_hardware_address() {
    let Some(mut stand) = Stand::build("acts") else { return };
    stand.configure("");
    stand.start();
    eventually(TEN, "the host to be seen", || stand.ask(&["hosts"]).to_string().contains(HOST_MAC));
    stand.ask(&["block", HOST, "--for", "10m", "--why", "by address"]);
    assert_eq!(stand.pings(3), 0);
    // Whichever of its names is used.
    stand.ask(&["unblock", HOST_MAC]);
    assert_eq!(stand.pings(3), 3);
    for (words, state) in [("by address", "confirmed"), ("unblocked by an admin", "observed")] {
        let event = &stand.events(&[words])[0];
        let seen = ["host", "mac", "side", "state"].map(|key| event[key].as_str().unwrap().to_owned());
        assert_eq!(seen, [HOST, HOST_MAC, "lan", state], "{event}");
    }
    stand.ask(&["block", HOST_MAC, "--for", "1m", "--why", "by hardware address"]);
    let event = &stand.events(&["by hardware address"])[0];
    assert_eq!((event["mac"].as_str(), event["side"].as_str()), (Some(HOST_MAC), Some("lan")), "{event}");
}

#[test]
fn the_never_block_list_refuses_and_says_which_entry_does() {
    let Some(mut stand) = Stand::build("never") else { return };
    stand.configure(&format!("[never_block]\naddresses = [\"{HOST}\", \"02:09:00:00:00:77\"]"));
    stand.start();
    eventually(TEN, "the host to be seen", || stand.ask(&["hosts"]).to_string().contains(HOST_MAC));
    for name in [HOST, "02:09:00:00:00:77"] {
        let output = stand.picket(&["block", name, "--for", "1m", "--why", "no"]);
        let words = said(&output);
        assert!(words.contains(&format!("{name} is on the never-block list")) && words.lines().count() == 1, "{words}");
        assert_eq!(output.status.code(), Some(1), "{words}");
    }
    assert_eq!((stand.pings(3), stand.ask(&["blocks"]).as_array().unwrap().len()), (3, 0));
    let output = stand.picket(&["unblock", "192.168.9.55"]);
    assert!(said(&output).contains("192.168.9.55 is not blocked") && !output.status.success(), "{}", said(&output));
}

#[test]
fn an_unblock_opens_a_grace_in_which_the_host_is_not_blocked_by_itself() {
    let Some(mut stand) = Stand::build("grace") else { return };
    stand.configure("");
    stand.start();
    let attack = |line: &str| stand.host.shell(line).unwrap();
    attack(&format!("nmap -n -Pn -sS -T4 --max-rate 100 --max-retries 0 --host-timeout 6s -p 1000-1060 {ROUTER}"));
    eventually(TEN, "the scanner to be blocked", || stand.table().contains(HOST_MAC));
    stand.ask(&["unblock", HOST]);
    assert!(!stand.table().contains(HOST_MAC) && stand.pings(3) == 3);
    // Another offence, since the same one goes on rather than being found anew.
    attack(&format!("ping -q -f -c 2000 -w 4 {ROUTER} || true"));
    eventually(TEN, "the grace to be told", || stand.tells(&["grace lasts"]));
    assert!(stand.events(&["grace lasts"]).iter().all(|event| event["state"] == "would block"));
    assert!(!stand.table().contains(HOST_MAC) && stand.pings(3) == 3, "{}", stand.table());
}
