//! Lists of indicators in a running gateway: loaded, looked for, looked for in the past, kept over a restart, over, removed.

use std::fs;

use serde_json::Value;

use super::stand::{HOST, ROUTER, Stand, TEN, eventually, said};

/// Addresses of the internet behind the router, and a third that nobody lists.
const BAD: &str = "203.0.113.7";
const WORSE: &str = "198.51.100.9";
const GOOD: &str = "198.51.100.80";

fn list(stand: &Stand, name: &str, text: &str) -> String {
    let path = stand.file(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The router answers for a few addresses of the internet.
fn build(test: &str) -> Option<Stand> {
    let mut stand = Stand::build(test)?;
    stand.configure("");
    stand.start();
    stand.host.shell(&format!("ip route add default via {ROUTER}")).unwrap();
    let addresses = [BAD, WORSE, GOOD].map(|address| format!("ip addr add {address}/32 dev lo"));
    stand.router.shell(&format!("ip link set lo up; {}", addresses.join("; "))).unwrap();
    Some(stand)
}

fn visit(stand: &Stand, address: &str) {
    stand.host.shell(&format!("ping -n -q -c 1 -W 1 {address} || true")).unwrap();
}

fn found(stand: &Stand) -> Vec<Value> {
    let events = stand.ask(&["events"]);
    events.as_array().unwrap().iter().filter(|event| event["family"] == "listed").cloned().collect()
}

#[test]
fn a_list_is_looked_for_from_now_on_and_in_the_past_outlives_a_restart_and_ends() {
    let Some(mut stand) = build("lists") else { return };
    visit(&stand, BAD);
    let flows = || stand.ask(&["flows"]).as_array().unwrap().iter().any(|flow| flow["peer"] == BAD);
    eventually(75, "the conversation to be kept", || stand.pings(1) == 1 && flows());
    assert!(found(&stand).is_empty(), "nobody knew");

    let file = list(&stand, "feed.txt", &format!("# a feed\n{BAD}\nbad.example.org\n192.168.0.0/16\n"));
    let loaded = stand.ask(&["indicators", "load", &file, "--origin", "https://feeds.example/feed.txt"]);
    let view = &loaded["list"];
    assert_eq!(
        (view["name"].as_str(), view["number"].as_u64(), view["level"].as_str()),
        (Some("feed"), Some(1), Some("MEDIUM"))
    );
    assert_eq!(
        (view["networks"].as_u64(), view["names"].as_u64(), view["passed_over"].as_u64()),
        (Some(1), Some(1), Some(1))
    );
    let met = &loaded["past"]["met"];
    assert!(met.as_array().unwrap().len() == 1 && met[0]["device"] == HOST && met[0]["peer"] == BAD, "{loaded}");
    assert_eq!(stand.ask(&["indicators", "past", "feed"])["met"], *met);
    let none = list(&stand, "none.txt", "9.9.9.9\n");
    assert!(stand.ask(&["indicators", "past", "--file", &none])["met"].as_array().unwrap().is_empty());

    visit(&stand, GOOD);
    visit(&stand, BAD);
    eventually(TEN, "it to be told", || !found(&stand).is_empty());
    let event = found(&stand).remove(0);
    assert_eq!(
        (event["host"].as_str(), event["level"].as_str(), event["evidence"]["list"].as_f64()),
        (Some(HOST), Some("MEDIUM"), Some(1.0)),
        "{event}"
    );
    assert_eq!(stand.pings(1), 1, "Medium blocks nobody");

    stand.stop();
    stand.start();
    let all = stand.ask(&["indicators", "list"]);
    assert_eq!(
        (all[0]["name"].as_str(), all[0]["origin"].as_str()),
        (Some("feed"), Some("https://feeds.example/feed.txt")),
        "{all}"
    );
    let before = found(&stand).len();
    visit(&stand, BAD);
    eventually(TEN, "it to be told again", || found(&stand).len() > before);

    // Held High: who begins a conversation with it is cut off.
    let high = list(&stand, "worse.txt", &format!("{WORSE}\n"));
    let loaded = stand.ask(&["indicators", "load", &high, "--high", "--for", "1h"]);
    assert_eq!(
        (loaded["list"]["number"].as_u64(), loaded["list"]["level"].as_str()),
        (Some(2), Some("HIGH")),
        "{loaded}"
    );
    visit(&stand, WORSE);
    eventually(TEN, "the block", || stand.pings(1) == 0);
    assert!(stand.ask(&["blocks"]).as_array().unwrap().iter().any(|block| block["host"] == HOST));
    stand.ask(&["indicators", "remove", "worse"]);
    stand.picket(&["unblock", HOST]);
    eventually(TEN, "it to be free", || stand.pings(1) == 1);
    let again = found(&stand).len();
    // A list that is over says nothing, and is shown as that.
    stand.ask(&["indicators", "load", &file, "--for", "1s"]);
    eventually(TEN, "it to be over", || stand.ask(&["indicators", "list"])[0]["over"] == true);
    visit(&stand, BAD);
    visit(&stand, WORSE);
    visit(&stand, GOOD);
    assert!(stand.pings(3) == 3 && found(&stand).len() == again, "{:?}", found(&stand));
    assert!(stand.tells(&["an admin loaded list 1 feed"]) && stand.tells(&["an admin removed list 2 worse"]));
}

#[test]
fn what_is_no_list_changes_nothing_and_a_file_that_was_damaged_is_told() {
    let Some(mut stand) = build("nolist") else { return };
    let good = list(&stand, "good.txt", &format!("{BAD}\n"));
    let wrong = [
        (list(&stand, "wrong.txt", "9.9.9.9\nhttp://example.org/\n"), "line 2"),
        (list(&stand, "empty.txt", "# nothing\n"), "holds no address"),
        ("/dev/zero".into(), "at most"),
        (stand.file("missing").to_str().unwrap().to_owned(), "No such file"),
    ];
    for (file, why) in &wrong {
        let output = stand.picket(&["indicators", "load", file]);
        assert!(output.status.code() == Some(1) && said(&output).contains(why), "{file}: {}", said(&output));
        let output = stand.picket_alone(&["indicators", "check", file]);
        assert!(output.status.code() == Some(2) && said(&output).contains(why), "{file}: {}", said(&output));
    }
    for name in ["../x", "", "A", "a/b"] {
        let output = stand.picket(&["indicators", "load", &good, "--name", name]);
        assert!(
            output.status.code() == Some(1) && said(&output).contains("a list's name"),
            "{name}: {}",
            said(&output)
        );
    }
    assert_eq!(stand.ask(&["indicators", "list"]), serde_json::json!([]));
    assert_eq!(stand.picket(&["indicators", "remove", "good"]).status.code(), Some(1));
    stand.ask(&["indicators", "load", &good]);
    stand.stop();
    let kept = stand.file("store/state.lists/good.json");
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, &text[..text.len() / 2]).unwrap();
    stand.start();
    eventually(TEN, "it to be told", || stand.tells(&["good.json does not count"]));
    assert_eq!(stand.ask(&["indicators", "list"]), serde_json::json!([]));
    stand.ask(&["indicators", "load", &good]);
    visit(&stand, BAD);
    eventually(TEN, "it to count again", || !found(&stand).is_empty());
}
