//! What people are told beside incidents: devices, links, denials, channels that fail; and a receiver that hangs holds up nobody else.

use serde_json::{Value, json};

use super::client::Box;
use super::stand::{HOST, HOST_MAC, ROUTER, TEN, eventually};

/// Takes what is posted to `/ok`, answers nothing at `/hang`, refuses anything else.
const RECEIVER: &str = r#"
import http.server, sys, time
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.startswith("/hang"): time.sleep(60); return
        if self.path == "/ok":
            with open(sys.argv[1], "ab") as f: f.write(body + b"\n")
        self.send_response(204 if self.path == "/ok" else 410); self.send_header("content-length", "0"); self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", 9099), Hook).serve_forever()
"#;

fn channel(made: &Box, root: &str, name: &str, url: &str, families: &[&str]) -> Value {
    let answer = made.post(root, "/api/v1/notifications", &json!({"name": name, "url": url, "families": families}));
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

#[test]
fn devices_links_denials_and_failing_channels_are_told_to_who_chose_them_and_a_hanging_one_delays_nobody() {
    let Some((made, root)) = Box::claimed("families") else { return };
    let usual = made.post(&root, "/api/v1/notifications", &json!({"name": "usual", "mail": "ada@example.org"})).json();
    assert_eq!(usual["families"], json!(["incident", "agent", "conflict", "link", "store"]));
    for wrong in [json!([]), json!(["gossip"])] {
        let answer =
            made.post(&root, "/api/v1/notifications", &json!({"name": "x", "url": "eve:file", "families": wrong}));
        assert_eq!(answer.status, 422, "{answer:?}");
    }
    let page = json!({"value": "https://picket.example.org"}).to_string();
    let set = made.ask("PATCH", "/api/v1/settings/box.page", Some(&root), Some(&page));
    assert_eq!(set.status, 200, "{set:?}");
    let (script, out) = (made.stand.file("receiver.py"), made.stand.file("received"));
    std::fs::write(&script, RECEIVER).unwrap();
    let line = format!("exec python3 {} {}", script.display(), out.display());
    let _receiver = made.stand.gate.start(&line, &made.stand.file("receiver.log")).unwrap();
    eventually(TEN, "the receiver", || made.stand.gate.shell("ss -tln | grep -q 9099").is_ok());
    let file = channel(&made, &root, "file", "eve:file", &["device", "conflict", "denied", "channel"]);
    for n in 0..5 {
        channel(&made, &root, &format!("hangs {n}"), &format!("http://127.0.0.1:9099/hang{n}"), &["link"]);
    }
    channel(&made, &root, "works", "http://127.0.0.1:9099/ok", &["link"]);
    let gone = channel(&made, &root, "gone", "http://127.0.0.1:9099/gone", &["link"]);

    // Five of the receivers hang on this; who works hears of both ends of it all the same.
    made.stand.host.shell("ip link set eth0 down").unwrap();
    let received = || -> Vec<Value> {
        let text = std::fs::read_to_string(&out).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    eventually(40, "the lost link", || received().len() == 1);
    made.stand.host.shell("ip link set eth0 up").unwrap();
    eventually(TEN, "its return while others hang", || received().len() == 2);
    let told = received();
    let of = |n: usize| (told[n]["kind"].clone(), told[n]["matter"]["level"].clone());
    assert_eq!((of(0), of(1)), ((json!("link"), json!("HIGH")), (json!("link"), json!("MEDIUM"))), "{told:?}");
    assert!(told[0]["text"].as_str().unwrap().contains("lan0 (lan) has lost its carrier"), "{told:?}");
    assert_eq!(told[0]["link"], "https://picket.example.org/#/system");

    // A policy denies the host something, and somebody else takes its address.
    let policy = format!(
        "posture = \"enforce\"\nnew = \"everything\"\n[[device]]\nname = \"desk\"\nmacs = [\"{HOST_MAC}\"]\nowner = \"ada\"\nstate = \"approved\"\n"
    );
    let applied = made.post(&root, "/api/v1/rules/apply", &json!({"text": policy, "force": true}));
    assert_eq!(applied.status, 200, "{applied:?}");
    eventually(TEN, "the denial", || {
        made.stand.pings(3);
        made.stand.tells(&["denied", HOST, ROUTER])
    });
    made.stand.host.shell("ip link set eth0 address 02:09:00:00:00:66; ip neigh flush all").unwrap();
    made.stand.router.shell("ip neigh flush all").unwrap();
    eventually(TEN, "the conflict", || made.stand.pings(2) < 9 && made.stand.tells(&["which was there a moment ago"]));
    let path = format!("/api/v1/notifications/{}/file", file["id"]);
    let lines = || -> Vec<Value> {
        made.get(&root, &path).text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let of = |family: &str| -> Vec<Value> {
        lines().into_iter().filter(|line| line["alert"]["category"] == family).collect()
    };
    eventually(TEN, "the one that is gone", || !of("channel").is_empty());
    eventually(90, "new devices and denials", || !of("device").is_empty() && !of("denied").is_empty());
    assert!(
        of("channel")[0]["alert"]["signature"].as_str().unwrap().contains("\"gone\" does not deliver: it answers 410")
    );
    let conflict = of("conflict");
    assert!(conflict.len() == 1 && conflict[0]["alert"]["signature"].as_str().unwrap().contains(HOST), "{conflict:?}");
    assert_eq!(conflict[0]["ether"]["src_mac"], "02:09:00:00:00:66");
    let denied = &of("denied")[0];
    let metadata = &denied["alert"]["metadata"];
    assert_eq!(
        (&metadata["picket_owner"], &denied["ether"]["src_mac"]),
        (&json!(["ada"]), &json!(HOST_MAC)),
        "{denied}"
    );
    assert!(denied["alert"]["signature"].as_str().unwrap().contains("no rule allows it"), "{denied}");
    assert!(
        metadata["picket_link"][0].as_str().unwrap().starts_with("https://picket.example.org/#/devices/"),
        "{denied}"
    );
    assert!(of("device").iter().all(|line| line["alert"]["signature"].as_str().unwrap().contains("not here before")));
    assert!(lines().iter().all(|line| line["alert"]["category"] != "link"), "nobody chose that for the file");
    // Whoever chooses other families hears of those.
    let path = format!("/api/v1/notifications/{}", gone["id"]);
    let changed = made.ask("PATCH", &path, Some(&root), Some("{\"families\": [\"store\"]}"));
    assert_eq!((changed.status, &changed.json()["families"]), (200, &json!(["store"])), "{changed:?}");
    assert!(made.get(&root, "/api/v1/audit?limit=100").text.contains("notification.change"));
}
