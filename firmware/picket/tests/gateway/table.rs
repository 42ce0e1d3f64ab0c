//! The kernel's table under a running gateway: deleted, changed, emptied by somebody else, and gone with a restart.

use serde_json::Value;

use super::stand::{HOST, HOST_MAC, Stand, TEN, eventually};

fn blocked(stand: &Stand) -> Value {
    stand.ask(&["blocks"])[0].clone()
}

#[test]
fn a_table_that_somebody_deletes_is_restored_with_its_blocks_and_told() {
    let Some(mut stand) = Stand::build("deleted") else { return };
    stand.configure("");
    stand.start();
    eventually(TEN, "the host to be seen", || stand.ask(&["hosts"]).to_string().contains(HOST_MAC));
    stand.ask(&["block", HOST, "--for", "10m", "--why", "a test"]);
    let before = blocked(&stand);
    assert_eq!((before["state"].as_str(), stand.pings(3)), (Some("confirmed"), 0));
    for line in ["delete table bridge picket", "flush ruleset"] {
        stand.nft(line);
        eventually(TEN, "the block to be back in the kernel", || stand.table().contains(HOST_MAC));
        assert_eq!(stand.pings(3), 0, "after {line}");
        let after = blocked(&stand);
        assert_eq!((&after["state"], &after["until"]), (&before["state"], &before["until"]), "after {line}");
    }
    eventually(TEN, "both to be told", || stand.events(&["table", "missing", "restored with 1 blocks"]).len() == 2);
    let told = &stand.events(&["table", "missing"])[0];
    assert!(told["state"] == "observed" && told["detector"] == "gateway" && told["mac"].is_null(), "{told}");
    // The time left in the kernel is the block's own, not begun anew.
    let left: u64 = stand.table().split("expires ").nth(1).unwrap().split('m').next().unwrap().parse().unwrap();
    assert!(left < 10, "{left} minutes left of less than ten");
}

#[test]
fn a_table_that_somebody_changes_is_restored_and_told() {
    let Some(mut stand) = Stand::build("changed") else { return };
    stand.configure("");
    stand.start();
    eventually(TEN, "the host to be seen", || stand.ask(&["hosts"]).to_string().contains(HOST_MAC));
    stand.ask(&["block", HOST, "--for", "10m", "--why", "a test"]);
    assert_eq!(stand.pings(3), 0);
    // What counts in the table stays when only its rules are mended; elements' clocks and what they count differ by the moment.
    let form = |text: String| {
        let lines = text.lines().filter(|line| !line.contains("packets") && !line.contains("elements"));
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        // A chain that was deleted comes back behind the others.
        lines.sort();
        lines
    };
    let whole = form(stand.table());
    let changes = [
        ("insert rule bridge picket forward accept", "changed"),
        ("flush chain bridge picket blocked_from_lan", "changed"),
        ("add chain bridge picket other { type filter hook forward priority 0; policy drop; }", "changed"),
        ("delete chain bridge picket forward", "changed"),
        ("flush set bridge picket blocked_mac", "lacked 1 blocks"),
        ("add element bridge picket blocked_mac { 02:09:00:00:00:01 timeout 9m }", "held 1 that Picket did not put in"),
    ];
    for (before, (line, words)) in changes.into_iter().enumerate() {
        stand.nft(line);
        eventually(TEN, line, || {
            let table = stand.table();
            form(table.clone()) == whole && table.contains(HOST_MAC) && !table.contains("02:09:00:00:00:01 timeout")
        });
        eventually(TEN, "it to be told", || stand.events(&["table bridge picket"]).len() == before + 1);
        assert!(stand.tells(&["table bridge picket", words]), "{line}: {:?}", stand.events(&["table"]));
        assert_eq!((stand.pings(2), blocked(&stand)["state"].as_str()), (0, Some("confirmed")), "after {line}");
    }
}

#[test]
fn blocks_come_back_after_a_restart_with_the_time_they_have_left() {
    let Some(mut stand) = Stand::build("restart") else { return };
    stand.configure("");
    stand.start();
    eventually(TEN, "the host to be seen", || stand.ask(&["hosts"]).to_string().contains(HOST_MAC));
    stand.ask(&["block", HOST, "--for", "10m", "--why", "a test of restarts"]);
    stand.ask(&["block", "192.168.9.99", "--for", "5m", "--why", "never seen"]);
    let by_host = |stand: &Stand| {
        let mut all = stand.ask(&["blocks"]).as_array().unwrap().clone();
        all.sort_by_key(|block| block["host"].to_string());
        all
    };
    let before = by_host(&stand);
    for reboot in [false, true] {
        stand.stop();
        assert!(stand.table().contains(HOST_MAC), "the last ruleset stands");
        if reboot {
            stand.nft("flush ruleset");
        }
        // Pings don't pass while the host is blocked: that the gateway answers is enough.
        stand.start_blocked();
        eventually(TEN, "both blocks to be confirmed", || {
            by_host(&stand).iter().filter(|b| b["state"] == "confirmed").count() == 2
        });
        for (was, is) in before.iter().zip(by_host(&stand)) {
            for key in ["host", "mac", "target", "why", "automatic"] {
                assert_eq!(was[key], is[key], "{key} after a restart, reboot: {reboot}");
            }
            let moved = was["until"].as_f64().unwrap() - is["until"].as_f64().unwrap();
            assert!(moved.abs() < 2.0, "the end moved by {moved} s, reboot: {reboot}");
        }
        assert_eq!((stand.pings(3), by_host(&stand).len()), (0, 2), "reboot: {reboot}");
        assert!(!stand.tells(&["table"]), "nobody changed the table: {:?}", stand.events(&["table"]));
    }
}
