//! Alerts that leave as syslog and as EVE JSON, read back by an rsyslog and judged by a script that knows the form alone.

use serde_json::{Value, json};

use super::client::Box;
use super::logs::{enrolled, login, made, tell};
use super::stand::{TEN, eventually};

/// Takes what it is told by every way, and writes down by which it came and what of it it understood.
const RSYSLOG: &str = r#"
global(workDirectory="FOLDER" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriverCAFile="FOLDER/ca.pem" defaultNetstreamDriverCertFile="FOLDER/leaf.pem" defaultNetstreamDriverKeyFile="FOLDER/leaf.key")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="told" type="string" string="%inputname%|%syslogfacility-text%|%syslogseverity-text%|%hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg%\n")
template(name="raw" type="string" string="%rawmsg%\n")
ruleset(name="told") { action(type="omfile" file="FOLDER/told" template="told") }
ruleset(name="eve") { action(type="omfile" file="FOLDER/eve" template="raw") }
input(type="imudp" address="127.0.0.1" port="5514" name="udp" ruleset="told")
input(type="imptcp" address="127.0.0.1" port="5514" name="tcp" ruleset="told")
input(type="imptcp" address="127.0.0.1" port="5045" name="eve" ruleset="eve")
input(type="imtcp" address="127.0.0.1" port="6514" name="tls" ruleset="told")
"#;

/// Accepts one connection and dies without having read what it was told.
const DEAF: &str = "import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', 5514)); s.listen()
c, _ = s.accept(); s.close(); time.sleep(1); c.close(); print('died', flush=True)";

/// Whether lines are alerts of EVE; says how many, and of which severity.
const JUDGE: &str = r#"
import json, re, sys
kinds = {"alert", "anomaly", "flow", "dns", "tls", "dhcp", "arp", "drop", "stats"}
common = {"timestamp": str, "event_type": str, "flow_id": int, "in_iface": str, "src_ip": str, "src_port": int, "dest_ip": str, "dest_port": int,
  "proto": str, "app_proto": str, "host": str, "ether": dict, "alert": dict, "verdict": dict}
alert = {"action": str, "gid": int, "signature_id": int, "rev": int, "signature": str, "category": str, "severity": int, "metadata": dict}
severities = []
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    assert re.match(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+[+\-]\d+$", event["timestamp"]), line
    assert event["event_type"] in kinds and event["event_type"] == "alert", line
    for where, form in ((event, common), (event["alert"], alert)):
        for key, value in where.items():
            assert type(value) is form[key], (key, line)
    assert set(event["alert"]) == set(alert), line
    assert event["alert"]["action"] in ("allowed", "blocked") and event["verdict"]["action"] in ("alert", "pass", "drop"), line
    assert event["alert"]["severity"] >= 1 and set(event.get("ether", {})) <= {"src_mac", "dest_mac"}, line
    for values in event["alert"]["metadata"].values():
        assert type(values) is list and all(type(value) is str for value in values), line
    severities.append(event["alert"]["severity"])
print(json.dumps(severities))
"#;

fn channel(made: &Box, root: &str, name: &str, url: &str, ca: &str) -> Value {
    let answer = made.post(root, "/api/v1/notifications", &json!({"name": name, "url": url, "ca": ca}));
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn show(made: &Box, root: &str, id: &Value) -> Value {
    let all = made.get(root, "/api/v1/notifications").json();
    all["items"].as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap().clone()
}

#[test]
fn alerts_leave_as_syslog_and_eve_and_a_receiver_that_was_away_gets_each() {
    let Some((made, root)) = made("receivers") else { return };
    for (url, ca, field) in [
        ("syslog+udp://", "", "url"),
        ("syslog+sctp://10.0.0.5:514", "", "url"),
        ("syslog+tcp://10.0.0.5:514/path", "", "url"),
        ("eve+tcp://10.0.0.5", "", "url"),
        ("syslog+tcp://10.0.0.5:0", "", "url"),
        ("eve:other", "", "url"),
        ("syslog+udp://10.0.0.5", "-----BEGIN CERTIFICATE-----", "ca"),
    ] {
        let answer = made.post(&root, "/api/v1/notifications", &json!({"name": "x", "url": url, "ca": ca}));
        assert_eq!(answer.json()["field"], field, "{url}: {answer:?}");
    }
    let folder = made.stand.file("receiver");
    std::fs::create_dir(&folder).unwrap();
    let script = ["-c", super::post::CERTIFICATES, "certificates"];
    assert!(made.stand.gate.command("bash").args(script).arg(&folder).status().unwrap().success());
    let ca = std::fs::read_to_string(folder.join("ca.pem")).unwrap();
    let ways = [
        channel(&made, &root, "udp", "syslog+udp://127.0.0.1:5514", ""),
        channel(&made, &root, "tcp", "syslog+tcp://127.0.0.1:5514", ""),
        channel(&made, &root, "tls", "syslog+tls://127.0.0.1", &ca),
        channel(&made, &root, "eve", "eve+tcp://127.0.0.1:5045", ""),
    ];
    let stranger = channel(&made, &root, "stranger", "syslog+tls://127.0.0.1:6514", "");
    let file = channel(&made, &root, "file", "eve:file", "");
    assert_eq!((&ways[2]["kind"], &ways[3]["kind"], &file["kind"]), (&json!("syslog"), &json!("eve"), &json!("file")));
    // An incident, and nobody hears it: each way says so.
    let nas = enrolled(&made, &root, "nas");
    tell(&made, &nas, &(login("ann", "failed").repeat(5) + &login("ann", "done")));
    for way in &ways {
        let refused = |row: &Value| row["trouble"].as_str().unwrap().contains("refused") && row["waiting"] == 1;
        eventually(TEN, "trouble that shows", || refused(&show(&made, &root, &way["id"])));
    }
    // One that dies with the message unread has not got it: it is told again below.
    let deaf = made.stand.file("deaf.log");
    let _deaf = made.stand.gate.start(&format!("exec python3 -c \"{DEAF}\""), &deaf).unwrap();
    eventually(40, "its death", || std::fs::read_to_string(&deaf).is_ok_and(|text| text.contains("died")));
    let config = folder.join("rsyslog.conf");
    std::fs::write(&config, RSYSLOG.replace("FOLDER", folder.to_str().unwrap())).unwrap();
    let run = format!("exec rsyslogd -n -f {} -i {}", config.display(), folder.join("pid").display());
    let _rsyslog = made.stand.gate.start(&run, &made.stand.file("rsyslog.log")).unwrap();
    for way in &ways {
        let done = |row: &Value| row["waiting"] == 0 && row["trouble"] == "" && row["last_sent"].is_string();
        eventually(90, "the delivery", || done(&show(&made, &root, &way["id"])));
    }
    let tried = made.ask("POST", &format!("/api/v1/notifications/{}/test", ways[2]["id"]), Some(&root), None);
    assert_eq!(tried.status, 200, "{tried:?}");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    eventually(20, "four messages", || read("told").lines().count() == 4 && read("eve").lines().count() == 1);
    let told = read("told");
    for way in ["udp", "tcp", "tls"] {
        let of_it: Vec<_> = told.lines().filter(|line| line.starts_with(&format!("{way}|local0|alert|"))).collect();
        let [line] = of_it[..] else { panic!("{way} once: {told}") };
        let parts: Vec<_> = line.splitn(9, '|').collect();
        assert_eq!((parts[4], parts[5], parts[6]), ("picket", "-", "ALERT"), "{line}");
        assert!(parts[7].starts_with("[picket@32473 notice=\"") && parts[7].contains("level=\"HIGH\""), "{line}");
        assert!(parts[7].contains("subject=\"ann on nas\"") && parts[8].contains("ann on nas: a password"), "{line}");
    }
    assert!(told.lines().any(|line| line.starts_with("tls|local0|info|") && line.contains("|TEST|")), "{told}");
    // Whoever shows no certificate of an authority that is trusted hears nothing.
    let row = show(&made, &root, &stranger["id"]);
    assert!(row["trouble"].as_str().unwrap().contains("certificate") && row["waiting"] == 1, "{row}");
    let path = format!("/api/v1/notifications/{}", file["id"]);
    assert_eq!(made.ask("POST", &format!("{path}/test"), Some(&root), None).status, 200);
    eventually(TEN, "the line of the try", || made.get(&root, &format!("{path}/file")).text.lines().count() == 2);
    let fetched = made.get(&root, &format!("{path}/file"));
    assert!(fetched.head.contains("attachment; filename=\"eve.json\""), "{}", fetched.head);
    std::fs::write(folder.join("fetched"), fetched.text).unwrap();
    let judge = |name: &str| {
        let output = made.stand.gate.command("python3").args(["-c", JUDGE]).arg(folder.join(name)).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(judge("eve").0.trim(), "[1]", "{}: {}", judge("eve").1, read("eve"));
    assert_eq!(judge("fetched").0.trim(), "[1, 3]", "{}: {}", judge("fetched").1, read("fetched"));
    let none = made.get(&root, &format!("/api/v1/notifications/{}/file", ways[0]["id"]));
    assert_eq!(none.status, 409, "{none:?}");
    assert_eq!(made.ask("DELETE", &path, Some(&root), None).status, 204);
}

#[test]
fn quiet_hours_hold_back_what_is_not_high_over_a_restart_and_their_end_tells_it_as_one() {
    let Some((mut made, root)) = made("quiet") else { return };
    let post = |body: Value| made.post(&root, "/api/v1/notifications", &body);
    for (key, wrong, field) in [
        ("quiet", json!(["daily 00:00-24:00"]), "quiet"),
        ("quiet", json!(["someday 22:00-06:00"]), "quiet"),
        ("time_zone", json!("Mars/Olympus"), "time_zone"),
        ("digest_minutes", json!(20_000), "digest_minutes"),
    ] {
        let mut body = json!({"name": "x", "url": "eve:file"});
        body[key] = wrong;
        assert_eq!(post(body).json()["field"], field);
    }
    // Quiet but for one hour of the day, which is half a day away.
    let minute: u64 = made
        .stand
        .gate
        .shell("date -u +'%H %M'")
        .unwrap()
        .trim()
        .split(' ')
        .fold(0, |all, part| all * 60 + part.parse::<u64>().unwrap());
    let time = |minute: u64| format!("{:02}:{:02}", minute % 1_440 / 60, minute % 60);
    let window = format!("daily {}-{}", time(minute + 780), time(minute + 720));
    let channel = post(json!({"name": "night", "url": "eve:file", "quiet": [window], "time_zone": "utc"})).json();
    assert_eq!((&channel["quiet"], &channel["time_zone"]), (&json!([window]), &json!("UTC")), "{channel}");
    let path = format!("/api/v1/notifications/{}", channel["id"]);
    let nas = enrolled(&made, &root, "nas");
    let sudo = |who: &str| {
        let message = format!("{who} : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh");
        (json!({"program": "sudo", "message": message}).to_string() + "\n").repeat(3)
    };
    tell(&made, &nas, &(sudo("eve") + &sudo("carl")));
    eventually(20, "two that are held back", || show(&made, &root, &channel["id"])["held"] == 2);
    tell(&made, &nas, &(login("ann", "failed").repeat(5) + &login("ann", "done")));
    let lines = |made: &Box| -> Vec<Value> {
        let text = made.get(&root, &format!("{path}/file")).text;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    eventually(20, "what is High", || lines(&made).len() == 1);
    assert_eq!(lines(&made)[0]["alert"]["severity"], 1);
    made.stand.kill();
    made.stand.start();
    eventually(20, "the API", || made.ask("GET", "/healthz", None, None).status == 200);
    let row = show(&made, &root, &channel["id"]);
    assert!(row["held"] == 2 && row["held_since"].is_string() && lines(&made).len() == 1, "{row}");
    // An hour that never ends is refused here too; the end of quiet hours lets go.
    let patch = |body: Value| made.ask("PATCH", &path, Some(&root), Some(&body.to_string()));
    assert_eq!(patch(json!({"quiet": ["mon-sun 00:00-24:00"]})).json()["field"], "quiet");
    assert_eq!(show(&made, &root, &channel["id"])["quiet"], json!([window]));
    let changed = patch(json!({"quiet": []}));
    assert_eq!((changed.status, &changed.json()["quiet"]), (200, &json!([])), "{changed:?}");
    eventually(TEN, "what was held back", || lines(&made).len() == 3);
    let told = lines(&made);
    let of = |key: &str| told.iter().map(|line| line["alert"]["metadata"][key].clone()).collect::<Vec<_>>();
    assert_eq!(of("picket_held_back"), [Value::Null, json!(["2"]), json!(["2"])], "{told:?}");
    assert_eq!(of("picket_notice")[1], of("picket_notice")[2], "one message");
    assert_eq!(show(&made, &root, &channel["id"])["held"], 0);
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    assert!(audit.contains("notification.change"), "{audit}");
}
