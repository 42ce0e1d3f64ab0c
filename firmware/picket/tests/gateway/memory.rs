//! What the gateway keeps in mind: what an admin said of its findings, and what it learnt of a host, over a restart.

use super::stand::{HOST, HOST_MAC, ROUTER, Stand, TEN, eventually, said};

/// A minute must be over before something is learnt from it.
const MINUTE: u64 = 75;

#[test]
fn a_false_alarm_ends_its_block_and_is_quiet_after_a_restart_too() {
    let Some(mut stand) = Stand::build("feedback") else { return };
    stand.configure("");
    stand.start();
    let attack = |stand: &Stand, line: &str| drop(stand.host.shell(line).unwrap());
    attack(
        &stand,
        &format!("nmap -n -Pn -sS -T4 --max-rate 100 --max-retries 0 --host-timeout 6s -p 1000-1039 {ROUTER}"),
    );
    eventually(TEN, "the scanner to be blocked", || stand.table().contains(HOST_MAC));
    let found =
        |stand: &Stand| stand.events(&["ports"]).into_iter().find(|event| event["family"] == "port_scan_vertical");
    eventually(TEN, "the event to be written", || found(&stand).is_some());
    let id = found(&stand).unwrap()["id"].to_string();
    assert!(stand.ask(&["explain", HOST])["blocked"]["automatic"].as_bool().unwrap());

    let said_so = stand.ask(&["feedback", "false-alarm", &id, "--for", "1d"]);
    assert_eq!((said_so["verdict"].as_str(), said_so["host"].as_str()), (Some("false alarm"), Some(HOST)), "{said_so}");
    eventually(TEN, "the block to end", || !stand.table().contains(HOST_MAC));
    assert_eq!(stand.pings(3), 3);
    eventually(60, "the level to fall", || stand.ask(&["explain", HOST])["host"]["level"] == "SAFE");
    assert!(stand.tells(&["a false alarm", "an admin said"]));
    // Another family is found as before; the unblock opened a grace.
    attack(&stand, &format!("ping -q -f -c 2000 -w 4 {ROUTER} || true"));
    eventually(TEN, "the flood to be told", || stand.tells(&["grace lasts"]));

    stand.stop();
    stand.start();
    let kept = stand.ask(&["feedback", "list"]);
    assert_eq!((kept.as_array().unwrap().len(), kept[0]["family"].as_str()), (1, Some("port_scan_vertical")), "{kept}");
    let file = stand.file("site.csv");
    let exported = stand.picket(&["feedback", "export", file.to_str().unwrap()]);
    let rows = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{}", said(&exported)));
    assert_eq!(rows.lines().filter(|row| row.starts_with("SAFE,benign,feedback,")).count(), 1, "{rows}");
    assert!(!rows.contains("192.168."), "{rows}");
    stand.ask(&["feedback", "undo", &id]);
    assert_eq!(stand.ask(&["feedback", "list"]).as_array().unwrap().len(), 0);
    for words in [["feedback", "right", "999999"], ["feedback", "undo", &id]] {
        let output = stand.picket(&words);
        assert!(output.status.code() == Some(1) && said(&output).lines().count() == 1, "{}", said(&output));
    }
}

#[test]
fn what_was_learnt_of_a_host_outlives_a_restart() {
    let Some(mut stand) = Stand::build("learnt") else { return };
    stand.configure("");
    stand.start();
    let since = |stand: &Stand| stand.try_ask(&["explain", HOST]).ok()?["baseline"]["since"].as_f64();
    eventually(MINUTE, "a minute to be learnt", || stand.pings(1) == 1 && since(&stand).is_some());
    let before = since(&stand).unwrap();
    stand.stop();
    stand.start();
    eventually(TEN, "the host to be remembered", || stand.pings(1) == 1 && since(&stand) == Some(before));
}
