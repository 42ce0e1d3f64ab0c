//! Enrolled sources, what they tell, what is made of it, and reports.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Answer, Box};
use super::stand::{HOST, ROUTER, Stand, TEN, eventually};

/// A box that takes logs from enrolled sources and from nobody else, and its owner's token.
pub fn made(test: &str) -> Option<(Box, String)> {
    made_with(test, "[intake]\nenabled = true\nsilent_after = \"5s\"")
}

/// The same with an intake configured so.
pub fn made_with(test: &str, intake: &str) -> Option<(Box, String)> {
    let mut stand = Stand::build(test)?;
    stand.configure(&format!("[api]\nlisten = \"127.0.0.1:8443\"\n{intake}"));
    stand.start();
    let made = Box { stand };
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    made.claim(made.code().as_str(), super::client::PASSWORD);
    let root = made.log_in(super::client::ROOT, super::client::PASSWORD);
    eventually(TEN, "the intake", || made.stand.try_ask(&["sources"]).is_ok());
    Some((made, root))
}

pub fn enrolled(made: &Box, root: &str, name: &str) -> String {
    let answer = made.post(root, "/api/v1/sources", &json!({"name": name}));
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["token"].as_str().unwrap().to_owned()
}

pub fn tell(made: &Box, token: &str, text: &str) -> Answer {
    made.ask("POST", "/api/v1/logs", Some(token), Some(text))
}

pub fn login(who: &str, result: &str) -> String {
    let word = if result == "done" { "Accepted" } else { "Failed" };
    json!({"program": "sshd", "message": format!("{word} password for {who} from 10.0.0.9 port 22 ssh2")}).to_string()
        + "\n"
}

fn count(made: &Box, text: &str) -> u64 {
    made.stand.ask(&["activity", "--text", text, "--count"])["count"].as_u64().unwrap()
}

#[test]
fn an_enrolled_source_tells_for_itself_and_nobody_else() {
    let Some((made, root)) = made("tells") else { return };
    let (nas, web) = (enrolled(&made, &root, "nas"), enrolled(&made, &root, "web"));
    let again = made.post(&root, "/api/v1/sources", &json!({"name": "NAS"}));
    assert_eq!(again.status, 409, "{again:?}");
    // JSON lines, one of them none; an array; Windows' words; what is no JSON at all.
    let batch = login("ann", "failed").repeat(4) + "nonsense\n" + &login("bob", "done");
    let taken = tell(&made, &nas, &batch).json();
    assert_eq!(
        (&taken["accepted"], &taken["refused"], &taken["refused_for"]["no record"]),
        (&json!(5), &json!(1), &json!(1))
    );
    let windows = json!([{"winlog": {"event_id": "4625", "event_data": {"TargetUserName": "ann", "IpAddress": "10.0.0.9"}}, "message": "failed"}]);
    assert_eq!(tell(&made, &nas, &windows.to_string()).json()["accepted"], 1);
    let long = made.stand.file("long.json");
    std::fs::write(&long, "x".repeat((1 << 20) + 1)).unwrap();
    assert_eq!(tell(&made, &nas, &format!("@{}", long.display())).status, 413);
    let rows = made.get(&root, "/api/v1/logs?subject=ann&action=login&limit=100").json();
    let rows = rows["items"].as_array().unwrap();
    let of =
        |row: &Value| ["device", "proof", "result", "address"].map(|key| row[key].as_str().unwrap_or("").to_owned());
    assert_eq!(rows.len(), 5, "{rows:?}");
    assert!(rows.iter().all(|row| of(row) == ["nas", "token", "failed", "10.0.0.9"]), "{rows:?}");
    // Five failures on one host and the log-in on another are two people's: nothing is found. On the same host it is.
    assert_eq!(tell(&made, &web, &login("ann", "done")).json()["accepted"], 1);
    assert_eq!(tell(&made, &nas, &login("ann", "done")).json()["accepted"], 1);
    eventually(TEN, "the finding", || made.stand.tells(&["A password was guessed: ann on nas", "token logs"]));
    assert!(!made.stand.tells(&["guessed: ann on web"]));
    assert!(made.stand.ask(&["blocks"]).as_array().unwrap().is_empty());
    let subjects = made.get(&root, "/api/v1/subjects?q=ann").json();
    assert_eq!(subjects["items"].as_array().unwrap().len(), 2, "{subjects}");
    let sources = made.get(&root, "/api/v1/sources?name=nas").json();
    assert_eq!((&sources["items"][0]["stored"], &sources["items"][0]["dropped"]), (&json!(7), &json!(1)), "{sources}");
    assert!(!made.get(&root, "/api/v1/sources").text.contains("pksrc_"), "a token is shown once");
    // Ended, its token is nobody's.
    let id = sources["items"][0]["id"].as_str().unwrap();
    assert_eq!(made.ask("DELETE", &format!("/api/v1/sources/{id}"), Some(&root), None).status, 204);
    assert_eq!(tell(&made, &nas, &login("eve", "done")).status, 401);
    assert_eq!(count(&made, "eve"), 0);
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    assert!(audit.contains("source.enroll") && audit.contains("source.revoke") && !audit.contains("pksrc_"), "{audit}");
}

#[test]
fn what_a_host_says_and_what_the_wire_shows_is_one_incident() {
    let Some((mut made, root)) = made("incident") else { return };
    let nas = enrolled(&made, &root, "nas");
    let from_host = |word: &str| {
        json!({"program": "sshd", "message": format!("{word} password for ann from {HOST} port 22 ssh2")}).to_string()
            + "\n"
    };
    tell(&made, &nas, &(from_host("Failed").repeat(5) + &from_host("Accepted")));
    // Somebody else on the same host at the same time is another story; a harmless log-in is none.
    let eve = json!({"program": "sudo", "message": "eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh"});
    tell(&made, &nas, &((eve.to_string() + "\n").repeat(3) + &login("bob", "done")));
    eventually(TEN, "two incidents", || {
        made.get(&root, "/api/v1/incidents").json()["items"].as_array().unwrap().len() == 2
    });
    let scan = "nmap -n -Pn -sS -T4 --max-rate 100 --max-retries 0 --host-timeout 6s -p 1000-1060";
    made.stand.host.shell(&format!("{scan} {ROUTER}")).unwrap();
    let story = |token: &str| made.get(token, "/api/v1/incidents/1").json();
    eventually(TEN, "the scan in it", || story(&root)["blocked"] == true);
    let told = story(&root);
    let detectors: Vec<_> =
        told["timeline"].as_array().unwrap().iter().map(|thing| thing["detector"].as_str().unwrap()).collect();
    assert_eq!(detectors[0], "insider:guessed-password", "{told}");
    assert!(detectors.iter().any(|detector| detector.starts_with("rule:")), "{told}");
    assert!(told["summary"].as_str().unwrap().starts_with("ann on nas: a password was guessed, then "), "{told}");
    assert!(told["next"][0].as_str().unwrap().starts_with("Ask the person"), "{told}");
    assert_eq!(made.get(&root, "/api/v1/incidents").json()["items"].as_array().unwrap().len(), 2);
    // People give it away, write to it, close it; what happens then is another. All of it outlives a kill.
    let act = |what: &str, body: Value| made.post(&root, &format!("/api/v1/incidents/1/{what}"), &body);
    assert_eq!(act("assign", json!({"to": super::client::ROOT})).json()["assigned"], super::client::ROOT);
    assert_eq!(act("comment", json!({"text": "<b>I ask Ann</b>"})).status, 200);
    assert_eq!(act("close", json!({"reason": " "})).json()["field"], "reason");
    assert_eq!(act("close", json!({"reason": "it was a test"})).json()["state"], "closed");
    assert_eq!(act("close", json!({"reason": "again"})).status, 409);
    assert_eq!(act("reopen", json!({"reason": "it was none"})).json()["state"], "open");
    // A part is taken out, and is a story of its own; what is left has nothing of it.
    let events: Vec<Value> = told["timeline"].as_array().unwrap().iter().map(|thing| thing["event"].clone()).collect();
    assert_eq!(act("split", json!({"events": events})).json()["field"], "events", "all of it is no part");
    assert_eq!(act("split", json!({"events": [999_999]})).json()["field"], "events");
    let part = act("split", json!({"events": [events[0]]}));
    assert_eq!(part.status, 201, "{part:?}");
    let (part, left) = (part.json(), story(&root));
    assert_eq!((part["timeline"].as_array().unwrap().len(), &part["subjects"]), (1, &json!(["ann on nas"])), "{part}");
    assert_eq!(left["timeline"].as_array().unwrap().len(), events.len() - 1, "{left}");
    assert_eq!(act("merge", json!({"with": part["id"]})).json()["timeline"].as_array().unwrap().len(), events.len());
    assert_eq!(act("merge", json!({"with": 1})).json()["field"], "with");
    assert_eq!(act("merge", json!({"with": 2})).status, 200);
    made.stand.kill();
    // The block outlives it too.
    made.stand.start_blocked();
    eventually(20, "the API", || made.ask("GET", "/healthz", None, None).status == 200);
    let list = made.stand.ask(&["incidents"]);
    assert_eq!((list.as_array().unwrap().len(), &list[0]["assigned"]), (1, &json!(super::client::ROOT)), "{list}");
    let text = String::from_utf8(made.stand.picket(&["incidents", "1"]).stdout).unwrap();
    assert!(
        ["what happened", "what to do next"].iter().any(|part| text.contains(part)) && text.contains("I ask Ann"),
        "{text}"
    );
    let missing = made.stand.picket(&["incidents", "99"]);
    assert!(!missing.status.success());
}

/// A receiver of webhooks that fails once, hangs once, refuses below `/refuse`, and writes down what it took and whether its signature is right.
const RECEIVER: &str = r#"
import hashlib, hmac, http.server, json, sys, time
secret, out, tries = bytes.fromhex(open(sys.argv[1]).read()), sys.argv[2], [0]
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/refuse": return self.answer(410)
        tries[0] += 1
        if tries[0] == 1: return self.answer(500)
        if tries[0] == 2: time.sleep(20); return
        text = self.headers["x-picket-timestamp"].encode() + b"." + body
        right = "sha256=" + hmac.new(secret, text, hashlib.sha256).hexdigest() == self.headers["x-picket-signature"]
        with open(out, "a") as f: f.write(json.dumps({"right": right, "id": self.headers["x-picket-delivery"], "body": json.loads(body)}) + "\n")
        self.answer(204)
    def answer(self, status):
        self.send_response(status); self.send_header("content-length", "0"); self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", 9099), Hook).serve_forever()
"#;

#[test]
fn a_webhook_that_fails_and_hangs_gets_every_incident_once_and_signed() {
    let Some((made, root)) = made("webhook") else { return };
    let nas = enrolled(&made, &root, "nas");
    let channel = |name: &str, path: &str| {
        let body = json!({"name": name, "url": format!("http://127.0.0.1:9099{path}")});
        let answer = made.post(&root, "/api/v1/notifications", &body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    };
    for (wrong, field) in [
        (json!({"name": "x", "url": "ftp://x"}), "url"),
        (json!({"name": "x", "mail": "nobody"}), "mail"),
        (json!({"name": "x"}), "url"),
    ] {
        assert_eq!(made.post(&root, "/api/v1/notifications", &wrong).json()["field"], field);
    }
    let (hook, dead) = (channel("chat", "/hook?token=hidden"), channel("gone", "/refuse"));
    let (script, secret, out) =
        (made.stand.file("receiver.py"), made.stand.file("secret"), made.stand.file("received"));
    std::fs::write(&script, RECEIVER).unwrap();
    std::fs::write(&secret, hook["secret"].as_str().unwrap()).unwrap();
    let line = format!("exec python3 {} {} {}", script.display(), secret.display(), out.display());
    let _receiver = made.stand.gate.start(&line, &made.stand.file("receiver.log")).unwrap();
    eventually(TEN, "the receiver", || made.stand.gate.shell("ss -tln | grep -q 9099").is_ok());
    tell(&made, &nas, &(login("ann", "failed").repeat(5) + &login("ann", "done")));
    let show = |id: &Value| {
        let all = made.get(&root, "/api/v1/notifications").json();
        all["items"].as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap().clone()
    };
    eventually(TEN, "the channel that refuses", || show(&dead["id"])["dead"] == 1);
    eventually(TEN, "trouble that shows", || show(&hook["id"])["trouble"].as_str().unwrap().contains("500"));
    let letters = made.get(&root, &format!("/api/v1/notifications/{}/letters", dead["id"])).json();
    assert_eq!((&letters["items"][0]["dead"], &letters["items"][0]["incident"]), (&json!("it answers 410"), &json!(1)));
    // It fails, hangs, takes it; what happens next of the same incident is no other notice.
    tell(&made, &nas, &login("ann", "failed").repeat(9));
    eventually(45, "the delivery", || std::fs::read_to_string(&out).is_ok_and(|text| text.contains("ann on nas")));
    eventually(TEN, "nothing that waits", || show(&hook["id"])["waiting"] == 0);
    let told = std::fs::read_to_string(&out).unwrap();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (told.len(), &told[0]["right"], &told[0]["body"]["incident"]["level"]),
        (1, &json!(true), &json!("HIGH")),
        "{told:?}"
    );
    let row = show(&hook["id"]);
    assert!(row["trouble"] == "" && row["to"] == "127.0.0.1" && row["last_sent"].is_string(), "{row}");
    assert!(!made.get(&root, "/api/v1/notifications").text.contains("hidden"), "an address may hold a secret");
    let tried = made.ask("POST", &format!("/api/v1/notifications/{}/test", hook["id"]), Some(&root), None);
    assert_eq!(tried.status, 200, "{tried:?}");
    eventually(TEN, "the try", || std::fs::read_to_string(&out).is_ok_and(|text| text.contains("\"kind\": \"test\"")));
    assert_eq!(made.ask("DELETE", &format!("/api/v1/notifications/{}", dead["id"]), Some(&root), None).status, 204);
}

#[test]
fn a_numbered_line_is_stored_once_over_restarts_and_a_gap_and_silence_are_told() {
    let Some((mut made, root)) = made("numbered") else { return };
    let answer = made.stand.ask(&["sources", "enroll", "laptop", "--code"]);
    let code = answer["code"].as_str().unwrap().to_owned();
    let redeemed = made.ask("POST", "/api/v1/sources/redeem", None, Some(&json!({"code": code}).to_string()));
    let token = redeemed.json()["token"].as_str().unwrap().to_owned();
    let twice = made.ask("POST", "/api/v1/sources/redeem", None, Some(&json!({"code": code}).to_string()));
    assert_eq!(twice.status, 401, "a code works once");
    let lines = |from: u64, until: u64| -> String {
        let line = |seq| json!({"seq": seq, "stream": 77, "message": format!("numbered {seq:05}.")}).to_string() + "\n";
        (from..=until).map(line).collect()
    };
    let taken = tell(&made, &token, &lines(1, 500)).json();
    assert_eq!((&taken["accepted"], &taken["through"]), (&json!(500), &json!(500)), "{taken}");
    // The same again, and more: after a kill of the intake, and of the whole gateway.
    let children = made.stand.gate.shell(&format!("pgrep -P {} -a", made.stand.id())).unwrap();
    let intake = children.lines().find(|line| line.ends_with(" intake")).unwrap().split(' ').next().unwrap().to_owned();
    made.stand.gate.shell(&format!("kill -9 {intake}")).unwrap();
    eventually(TEN, "another intake", || made.stand.try_ask(&["sources"]).is_ok());
    let taken = tell(&made, &token, &lines(400, 700)).json();
    assert_eq!((&taken["accepted"], &taken["refused_for"]["told before"]), (&json!(200), &json!(101)), "{taken}");
    made.stand.kill();
    made.stand.start();
    eventually(20, "the API and the intake", || tell(&made, &token, &lines(1, 1)).status == 200);
    let taken = tell(&made, &token, &lines(600, 900)).json();
    assert_eq!((&taken["accepted"], &taken["through"]), (&json!(200), &json!(900)), "{taken}");
    let rows = made.stand.ask(&["activity", "--text", "numbered", "--limit", "2000"]);
    let told: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    let right: Vec<_> = (1..=900).map(|seq| format!("numbered {seq:05}.")).collect();
    assert!(told == right, "each once, in order: {} of them", told.len());
    // What was skipped is told, and what falls silent.
    let taken = tell(&made, &token, &lines(951, 951)).json();
    assert_eq!(taken["through"], 951);
    assert_eq!(count(&made, "50 lines of the agent of laptop never came: numbers 901 to 950"), 1);
    eventually(20, "the silence", || made.stand.tells(&["An agent says nothing any more: laptop"]));
    let root = made.try_log_in(super::client::ROOT, super::client::PASSWORD).json()["access_token"]
        .as_str()
        .unwrap_or(&root)
        .to_owned();
    let row = made.get(&root, "/api/v1/sources?name=laptop").json()["items"][0].clone();
    assert_eq!((&row["silent"], &row["lost"], &row["agent"]), (&json!(true), &json!(50), &json!(true)), "{row}");
    tell(&made, &token, &lines(952, 952));
    assert_eq!(count(&made, "tells again"), 1);
}

#[test]
fn a_report_is_made_beside_the_gateway_and_counts_what_the_lists_count() {
    let Some((made, root)) = made("reports") else { return };
    let from = made.stand.gate.shell("date -u -d '-5 min' +%FT%TZ").unwrap().trim().to_owned();
    let scan = "nmap -n -Pn -sS -T4 --max-rate 100 --max-retries 0 --host-timeout 6s -p 1000-1060";
    made.stand.host.shell(&format!("{scan} {ROUTER}")).unwrap();
    eventually(TEN, "the scan", || made.get(&root, "/api/v1/threats").text.contains(HOST));
    std::thread::sleep(Duration::from_secs(1));
    let to = made.stand.gate.shell("date -u -d '+5 min' +%FT%TZ").unwrap().trim().to_owned();
    let mut figures = Value::Null;
    for format in ["json", "pdf"] {
        let asked = made.post(&root, "/api/v1/reports", &json!({"from": from, "to": to, "format": format}));
        assert_eq!(asked.status, 201, "{asked:?}");
        let path = format!("/api/v1/reports/{}", asked.json()["id"]);
        eventually(30, "the report", || made.get(&root, &path).json()["state"] == "done");
        let file = made.get(&root, &format!("{path}/file"));
        assert!(file.head.contains("attachment; filename=\"picket-"), "{}", file.head);
        match format {
            "json" => figures = file.json(),
            _ => assert!(file.text.starts_with("%PDF-") && file.head.contains("application/pdf"), "{}", file.head),
        }
    }
    assert_eq!(figures["counts"]["blocked"], 1, "{figures}");
    assert!(figures["counts"]["findings"].as_u64() >= Some(1) && figures.to_string().contains(HOST), "{figures}");
    let wrong = made.post(&root, "/api/v1/reports", &json!({"from": to, "to": from, "format": "pdf"}));
    assert_eq!((wrong.status, wrong.json()["field"].as_str()), (422, Some("to")));
    assert_eq!(made.get(&root, "/api/v1/reports").json()["items"].as_array().unwrap().len(), 2);
}
