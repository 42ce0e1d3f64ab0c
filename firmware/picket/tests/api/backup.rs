//! A backup of one box, restored on another: each kind of what people made is compared, and what is no backup changes nothing.

use serde_json::{Value, json};

use super::client::{Box, PASSWORD, ROOT};
use super::stand::{HOST_MAC, ROUTER, Stand, TEN, eventually};

const PHRASE: &str = "a long enough passphrase";

/// Writes down what it is posted, and whether that is signed with the secret in the first file.
const RECEIVER: &str = r#"
import hashlib, hmac, http.server, sys
secret = bytes.fromhex(open(sys.argv[1]).read())
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        text = self.headers["x-picket-timestamp"].encode() + b"." + body
        right = "sha256=" + hmac.new(secret, text, hashlib.sha256).hexdigest() == self.headers["x-picket-signature"]
        open(sys.argv[2], "a").write(f"{self.path} {right}\n")
        self.send_response(204); self.send_header("content-length", "0"); self.end_headers()
http.server.HTTPServer(("127.0.0.1", 9099), Hook).serve_forever()
"#;

/// A box that takes logs from enrolled sources, and the token of its owner.
fn made(test: &str, owner: &str, password: &str) -> Option<(Box, String)> {
    made_on(test, owner, password, None)
}

/// The same, its store on a medium of its own of this size where one is given.
fn made_on(test: &str, owner: &str, password: &str, medium: Option<&str>) -> Option<(Box, String)> {
    let mut stand = Stand::build(test)?;
    stand.configure("[api]\nlisten = \"127.0.0.1:8443\"\n[intake]\nenabled = true");
    let store = stand.file("store");
    let mount = |size: &str| format!("mkdir -p {0} && mount -t tmpfs -o size={size} none {0}", store.display());
    stand.start_after(&medium.map_or_else(|| ":".to_owned(), mount));
    let made = Box { stand };
    if medium.is_some() {
        // Clients look for the authority where the store is, and do not see the medium, which the gateway alone has mounted.
        let authority = "state/api/ca.pem";
        std::fs::create_dir_all(store.join("state/api")).unwrap();
        eventually(TEN, "the authority", || std::fs::copy(mounted(&made, authority), store.join(authority)).is_ok());
    }
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    let claim = json!({"code": made.code(), "email": owner, "first_name": "Root", "password": password});
    assert_eq!(made.ask("POST", "/api/v1/auth/claim", None, Some(&claim.to_string())).status, 201);
    let root = made.log_in(owner, password);
    eventually(TEN, "the intake", || made.stand.try_ask(&["sources"]).is_ok());
    eventually(TEN, "the box to protect", || made.stand.ask(&["status"])["posture"] == "protect");
    Some((made, root))
}

fn post(made: &Box, token: &str, path: &str, body: &Value, status: u16) -> Value {
    let answer = made.post(token, &format!("/api/v1/{path}"), body);
    assert_eq!(answer.status, status, "{path}: {answer:?}");
    answer.json()
}

fn set(made: &Box, token: &str, id: &str, value: &Value) {
    let answer =
        made.ask("PATCH", &format!("/api/v1/settings/{id}"), Some(token), Some(&json!({"value": value}).to_string()));
    assert_eq!(answer.status, 200, "{id}: {answer:?}");
}

/// What people made of a box, a list a kind, without what each box counts for itself.
fn kinds(made: &Box, token: &str) -> Vec<(&'static str, Value)> {
    let list = |path: &'static str, keys: &[&str]| {
        let rows = made.get(token, &format!("/api/v1/{path}")).json();
        let kept = |row: &Value| Value::Object(keys.iter().map(|key| ((*key).to_owned(), row[*key].clone())).collect());
        (path, rows["items"].as_array().unwrap().iter().map(kept).collect())
    };
    let mut story = made.get(token, "/api/v1/incidents/1").json();
    for thing in story["timeline"].as_array_mut().into_iter().flatten() {
        // They are numbers in the history of one box.
        (thing["event"], thing["activity"]) = (Value::Null, Value::Null);
    }
    vec![
        list(
            "users",
            &["id", "email", "user_name", "first_name", "last_name", "role", "active", "verified", "created"],
        ),
        list("tokens", &["id", "name", "scopes", "until", "created", "user"]),
        list(
            "requests",
            &["id", "state", "asked_by", "device", "to", "service", "reason", "created", "note", "decided_by"],
        ),
        list("sources", &["id", "name", "proof", "waiting", "enrolled", "enrolled_by"]),
        list(
            "notifications",
            &["id", "name", "kind", "to", "preset", "level", "families", "quiet", "time_zone", "digest_minutes"],
        ),
        list(
            "incidents",
            &["id", "state", "level", "summary", "hosts", "subjects", "sources", "began", "events", "assigned"],
        ),
        ("incidents/1", story),
        list("indicators", &["name", "level", "origin", "networks", "names"]),
        list("settings?origin=here", &["id", "value"]),
        list("devices?state=approved", &["id", "name", "state", "notes", "owner", "macs"]),
        ("rules/export", made.get(token, "/api/v1/rules/export").text.into()),
    ]
}

/// Makes something of every kind that a backup keeps. The texts that were shown once: of a program's token, a source's token, another's
/// code, a webhook's secret.
fn furnish(made: &Box, root: &str) -> [String; 4] {
    let (_, user) = made.account(root, "user");
    made.stand.host.shell(&format!("ping -c 2 -i 0.2 {ROUTER}")).unwrap();
    let device = || made.get(root, &format!("/api/v1/devices?macs={HOST_MAC}")).json()["items"][0]["id"].as_u64();
    eventually(TEN, "the device", || device().is_some());
    let path = format!("/api/v1/devices/{}", device().unwrap());
    let said = "{\"notes\":\"by the door\",\"owner\":\"user@example.org\"}";
    assert_eq!(made.ask("PATCH", &path, Some(root), Some(said)).status, 200);
    assert_eq!(made.post(root, &format!("{path}/approve"), &json!({"name": "desk"})).status, 200);
    let wish = |service: &str| json!({"device": device(), "to": ROUTER, "service": service, "hours": 2, "reason": "the build server"});
    post(made, &user, "requests", &wish("tcp/8000"), 201);
    let asked = post(made, &user, "requests", &wish("tcp/8001"), 201);
    post(made, root, &format!("requests/{}/refuse", asked["id"]), &json!({"note": "not that"}), 200);
    let token = post(made, root, "tokens", &json!({"name": "script", "scopes": ["read"], "days": 3}), 201);
    let nas = post(made, root, "sources", &json!({"name": "nas"}), 201);
    let laptop = post(made, root, "sources", &json!({"name": "laptop", "with": "code"}), 201);
    let hook =
        post(made, root, "notifications", &json!({"name": "chat", "url": "http://127.0.0.1:9099/hook?of=me"}), 201);
    post(
        made,
        root,
        "notifications",
        &json!({"name": "mail", "mail": "ann@example.org", "high_only": true, "digest_minutes": 60}),
        201,
    );
    let list = json!({"name": "feed", "text": "203.0.113.7\nbad.example.org\n", "high": true, "origin": "a feed", "for_secs": 86_400});
    post(made, root, "indicators", &list, 201);
    for (id, value) in [
        ("detect.icmp_per_second", json!(77)),
        ("never_block.addresses", json!(["192.168.9.77"])),
        ("box.name", json!("the attic")),
        ("mail.server", json!("mail.example.org")),
        ("mail.password", json!("between-us-only")),
    ] {
        set(made, root, id, &value);
    }
    let line = |word: &str| {
        json!({"program": "sshd", "message": format!("{word} password for ann from 10.0.0.9 port 22 ssh2")}).to_string()
            + "\n"
    };
    let text = |answer: &Value, key: &str| answer[key].as_str().unwrap().to_owned();
    let nas = text(&nas, "token");
    let told = made.ask("POST", "/api/v1/logs", Some(&nas), Some(&(line("Failed").repeat(5) + &line("Accepted"))));
    assert_eq!(told.status, 200, "{told:?}");
    eventually(TEN, "the incident", || made.get(root, "/api/v1/incidents/1").status == 200);
    post(made, root, "incidents/1/comment", &json!({"text": "I ask Ann"}), 200);
    post(made, root, "incidents/1/assign", &json!({"to": ROOT}), 200);
    [text(&token, "token"), nas, text(&laptop, "code"), text(&hook, "secret")]
}

#[test]
fn a_backup_makes_another_box_the_same_in_every_kind_and_a_wrong_one_changes_nothing() {
    let Some((first, root)) = made("backup", ROOT, PASSWORD) else { return };
    let [token, nas, laptop, secret] = furnish(&first, &root);
    let wanted = kinds(&first, &root);
    for (kind, value) in &wanted {
        assert!(value.as_array().is_none_or(|rows| !rows.is_empty()), "nothing to compare of {kind}");
    }
    let backup =
        post(&first, &root, "backup", &json!({"passphrase": PHRASE}), 200)["backup"].as_str().unwrap().to_owned();
    let records = first.get(&root, "/api/v1/audit?limit=100").json()["items"].as_array().unwrap().clone();
    drop(first);

    let Some((second, new)) = made("restore", "new@example.org", "another-owner-77") else { return };
    post(&second, &new, "sources", &json!({"name": "gone"}), 201);
    post(&second, &new, "notifications", &json!({"name": "gone", "mail": "new@example.org"}), 201);
    post(&second, &new, "indicators", &json!({"name": "gone", "text": "203.0.113.9", "for_secs": 900}), 201);
    set(&second, &new, "detect.syn_per_second", &json!(4_321));
    let restore = |phrase: &str, backup: &str| {
        let file = second.stand.file("body.json");
        std::fs::write(&file, json!({"passphrase": phrase, "backup": backup}).to_string()).unwrap();
        second.ask("POST", "/api/v1/backup/restore", Some(&new), Some(&format!("@{}", file.display())))
    };
    let before = kinds(&second, &new);
    let changed = format!("{}{}{}", &backup[..200], if &backup[200..201] == "A" { "B" } else { "A" }, &backup[201..]);
    for (phrase, backup) in [
        ("another long passphrase", backup.as_str()),
        (PHRASE, &backup[..backup.len() / 8 * 4]),
        (PHRASE, &changed),
        (PHRASE, "AAAA"),
    ] {
        let refused = restore(phrase, backup);
        assert_eq!((refused.status, refused.json()["field"].as_str()), (422, Some("backup")), "{refused:?}");
    }
    // A policy that waits for its confirmation is not written over either.
    let text = second.get(&new, "/api/v1/rules/export").text;
    post(&second, &new, "rules/apply", &json!({"text": text, "within_secs": 600, "force": true}), 200);
    let refused = restore(PHRASE, &backup);
    assert!(refused.status == 409 && refused.text.contains("on trial"), "{refused:?}");
    post(&second, &new, "rules/revert", &json!({}), 200);
    assert_eq!(kinds(&second, &new), before, "nothing was changed");

    let done = restore(PHRASE, &backup);
    assert_eq!(done.status, 200, "{done:?}");
    let told = done.json();
    assert_eq!((&told["accounts"], &told["incidents"], &told["left"]), (&json!(2), &json!(1), &json!([])), "{told}");
    eventually(20, "the owner of the first box", || second.try_log_in(ROOT, PASSWORD).status == 200);
    let root = second.log_in(ROOT, PASSWORD);
    assert_eq!(second.get(&new, "/api/v1/profile").status, 401, "the session of the box before is over");
    for ((kind, found), (_, wanted)) in kinds(&second, &root).iter().zip(&wanted) {
        assert_eq!(found, wanted, "{kind}");
    }

    // Secrets that no list shows hold too.
    assert_eq!(second.get(&token, "/api/v1/rules").status, 200, "the program's token");
    assert_eq!(second.ask("POST", "/api/v1/logs", Some(&nas), Some("{\"message\":\"x\"}")).status, 200, "the source's");
    assert_eq!(post(&second, &root, "sources/redeem", &json!({"code": laptop}), 200)["name"], "laptop");
    let [script, key, out] = ["receiver.py", "secret", "received"].map(|name| second.stand.file(name));
    std::fs::write(&script, RECEIVER).unwrap();
    std::fs::write(&key, secret).unwrap();
    let line = format!("exec python3 {} {} {}", script.display(), key.display(), out.display());
    let _receiver = second.stand.gate.start(&line, &second.stand.file("receiver.log")).unwrap();
    eventually(TEN, "the receiver", || second.stand.gate.shell("ss -tln | grep -q 9099").is_ok());
    let channels = second.get(&root, "/api/v1/notifications?kind=webhook").json();
    let tried =
        second.ask("POST", &format!("/api/v1/notifications/{}/test", channels["items"][0]["id"]), Some(&root), None);
    assert_eq!(tried.status, 200, "{tried:?}");
    eventually(TEN, "the webhook", || std::fs::read_to_string(&out).is_ok_and(|text| text == "/hook?of=me True\n"));

    audit_is_whole(&second, &root, &records);
}

/// A file of the store as the gateway sees it.
fn mounted(made: &Box, name: &str) -> std::path::PathBuf {
    let store = made.stand.file("store");
    std::path::PathBuf::from(format!("/proc/{}/root", made.stand.id()))
        .join(store.strip_prefix("/").unwrap())
        .join(name)
}

/// Leaves no room on the medium of the store: the file that takes it.
fn fill(made: &Box) -> std::path::PathBuf {
    use std::io::Write;

    let filler = mounted(made, "filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write_all(&[7; 4096]).is_ok() {}
    filler
}

#[test]
fn a_restore_on_a_full_disk_is_refused_and_changes_nothing() {
    let Some((made, root)) = made_on("crowded", ROOT, PASSWORD, Some("64m")) else { return };
    furnish(&made, &root);
    let backup =
        post(&made, &root, "backup", &json!({"passphrase": PHRASE}), 200)["backup"].as_str().unwrap().to_owned();
    // What the backup does not have, so that a half of it would be seen.
    post(&made, &root, "sources", &json!({"name": "later"}), 201);
    post(&made, &root, "indicators", &json!({"name": "later", "text": "203.0.113.9", "for_secs": 900}), 201);
    set(&made, &root, "detect.syn_per_second", &json!(4_321));
    let before = kinds(&made, &root);
    let filler = fill(&made);
    let body = made.stand.file("body.json");
    std::fs::write(&body, json!({"passphrase": PHRASE, "backup": backup}).to_string()).unwrap();
    let restore = || made.ask("POST", "/api/v1/backup/restore", Some(&root), Some(&format!("@{}", body.display())));
    let refused = restore();
    assert!(matches!(refused.status, 503 | 507), "{refused:?}");
    assert!(refused.head.contains("application/problem+json") && refused.text.contains("full"), "{refused:?}");
    assert_eq!(kinds(&made, &root), before, "nothing was changed");
    assert_eq!(made.stand.pings(2), 2, "the bridge forwards on");
    std::fs::remove_file(&filler).unwrap();
    eventually(20, "the restore once there is room", || restore().status == 200);
    eventually(20, "the owner", || made.try_log_in(ROOT, PASSWORD).status == 200);
    let root = made.log_in(ROOT, PASSWORD);
    assert!(!made.get(&root, "/api/v1/sources").text.contains("later"), "what the backup does not have is gone");
}

#[test]
fn on_a_full_disk_changes_are_refused_whole_and_go_on_when_there_is_room() {
    let Some((made, root)) = made_on("brimful", ROOT, PASSWORD, Some("64m")) else { return };
    let create = |name: &str| {
        made.post(&root, "/api/v1/users", &json!({"email": format!("{name}@example.org"), "first_name": "Ada"}))
    };
    let apply = |name: &str| {
        let text = format!(
            "posture = \"protect\"\n[[allow]]\nname = \"{name}\"\nwho = \"lan\"\nto = \"internet\"\nservice = \"tcp/80\"\n"
        );
        made.post(&root, "/api/v1/rules/apply", &json!({"text": text}))
    };
    assert_eq!((create("early").status, apply("early").status), (201, 200));
    let held = || ["users", "rules/export", "audit/state"].map(|path| made.get(&root, &format!("/api/v1/{path}")).text);
    let before = held();
    let filler = fill(&made);
    for refused in [create("full"), apply("full")] {
        assert!(refused.status >= 409 && refused.head.contains("application/problem+json"), "{refused:?}");
    }
    let after = held();
    assert_eq!(before[..2], after[..2], "nothing is half done");
    assert_eq!(made.stand.pings(2), 2, "the bridge forwards on");
    std::fs::remove_file(&filler).unwrap();
    eventually(20, "an account once there is room", || create("later").status == 201);
    eventually(20, "a policy once there is room", || apply("later").status == 200);
    assert!(!made.stand.log().contains("panicked"), "nothing panics");
    let verdict = made.get(&root, "/api/v1/audit/verify").json();
    assert_eq!(verdict["whole"], true, "{verdict}");
}

/// The audit goes on from that of the backup, and its chain holds.
fn audit_is_whole(made: &Box, root: &str, records: &[Value]) {
    let audit = made.get(root, "/api/v1/audit?limit=100").json();
    let told = audit["items"].as_array().unwrap();
    let restored = told.iter().find(|record| record["what"] == "backup.restore").unwrap();
    assert_eq!(restored["who"], "new@example.org", "{audit}");
    let kept = records.iter().take(40).filter(|record| record["what"] != "gateway.act");
    assert!(kept.into_iter().all(|record| told.contains(record)), "{audit}");
    let out = made.stand.file("audit.jsonl");
    let exported = made.stand.picket(&["audit", "export", "--out", &out.display().to_string()]);
    assert!(exported.status.success(), "{exported:?}");
    let verified = made.stand.picket_alone(&["audit", "verify", &out.display().to_string()]);
    assert!(verified.status.success(), "{verified:?}");
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(!text.contains("between-us-only") && !text.contains(PHRASE), "no secret is in the audit");
    let warnings = made.stand.ask(&["status"])["warnings"].to_string();
    assert!(!warnings.contains("audit"), "{warnings}");
}
