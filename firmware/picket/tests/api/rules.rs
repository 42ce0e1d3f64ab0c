//! Devices, groups, rules and posture over the API: what is changed holds, is in the audit, and is told to whom it belongs.

use serde_json::{Value, json};

use super::client::{Answer, Box};
use super::stand::{HOST, HOST_MAC, ROUTER, TEN, eventually};

/// A policy that approves the host and allows it what it needs.
fn policy(posture: &str, more: &str) -> String {
    format!(
        "posture = \"{posture}\"\nnew = \"everything\"\n\n[[device]]\nname = \"desk\"\nmacs = [\"{HOST_MAC}\"]\n\
         groups = [\"office\"]\nstate = \"approved\"\n\n[[allow]]\nname = \"desk-web\"\nwho = \"office\"\nto = \"uplink\"\n\
         service = \"tcp/8000\"\nowner = \"ada\"\n{more}"
    )
}

fn tag(answer: &Answer) -> String {
    answer.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned()
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().filter_map(|row| row["id"].as_str()).collect()
}

#[test]
fn a_policy_on_trial_is_kept_by_who_applied_it_over_a_new_connection_or_goes() {
    let Some((made, root)) = Box::claimed("trial") else { return };
    let (_, other) = made.account(&root, "admin");
    let wrong =
        made.post(&root, "/api/v1/rules/check", &json!({"text": "posture = \"protect\"\nnonsense = 1\n"})).json();
    assert_eq!((wrong["good"].as_bool(), wrong["faults"][0]["line"].as_u64()), (Some(false), Some(2)), "{wrong}");
    let text = policy("enforce", "");
    let diff = made.post(&root, "/api/v1/rules/diff", &json!({"text": text})).json();
    assert!(diff["added"].to_string().contains("desk-web"), "{diff}");

    // Applied and confirmed by one curl, over one connection: it is not even possible, since the first answer ends it.
    let apply = |text: &str, within: Option<u64>| {
        let body = json!({"text": text, "within_secs": within, "why": "a test"});
        made.post(&root, "/api/v1/rules/apply", &body)
    };
    let applied = apply(&text, Some(60));
    assert_eq!((applied.status, applied.json()["on_trial"].as_bool()), (200, Some(true)), "{applied:?}");
    let trial = made.get(&root, "/api/v1/rules/trial").json();
    assert_eq!(trial["author"], "root@example.org", "{trial}");
    let confirm = |token: &str| made.ask("POST", "/api/v1/rules/confirm", Some(token), None);
    let by_other = confirm(&other);
    assert_eq!(by_other.status, 409, "{by_other:?}");
    assert!(by_other.text.contains("root@example.org"), "{by_other:?}");
    assert_eq!((confirm(&root).status, confirm(&root).status), (200, 409));
    assert!(ids(&made.get(&root, "/api/v1/rules?limit=100").json()).contains(&"desk-web"));
    let told =
        made.post(&root, "/api/v1/rules/explain", &json!({"from": "desk", "to": ROUTER, "service": "tcp/8000"})).json();
    assert_eq!((told["decision"].as_str(), told["rule"].as_str()), (Some("allow"), Some("desk-web")), "{told}");

    // What was changed meanwhile is not written over.
    let seen = made.get(&root, "/api/v1/rules/policy");
    let body = json!({"text": policy("enforce", "comment = \"first\"\n")}).to_string();
    let guarded = || {
        let tag = format!("If-Match: {}", tag(&seen));
        made.ask_with("POST", "/api/v1/rules/apply", Some(&root), Some(&body), &[&tag]).status
    };
    assert_eq!((guarded(), guarded()), (200, 412));

    // One that nobody confirms goes, and the history says so.
    assert_eq!(apply(&policy("enforce", "comment = \"trial\"\n"), Some(10)).status, 200);
    assert!(made.get(&root, "/api/v1/rules/export").text.contains("trial"));
    eventually(15, "the trial to end", || made.get(&root, "/api/v1/rules/trial").status == 404);
    assert!(made.get(&root, "/api/v1/rules/export").text.contains("first"));
    let history = made.get(&root, "/api/v1/rules/history").json();
    let newest = &history["items"][0];
    assert_eq!((newest["act"].as_str(), newest["author"].as_str()), (Some("revert"), Some("picket")), "{history}");
    let older = made.get(&root, &format!("/api/v1/rules/history/{}", history["items"][1]["id"])).json();
    assert!(older["text"].as_str().unwrap().contains("trial"), "{older}");

    for what in ["policy.apply", "policy.confirm", "was not confirmed within 10 s"] {
        eventually(TEN, what, || made.get(&root, "/api/v1/audit?limit=100").text.contains(what));
    }
}

#[test]
fn a_connection_that_was_there_before_the_change_cannot_confirm_it() {
    let Some((made, root)) = Box::claimed("parting") else { return };
    // Python keeps one connection open, if the server lets it.
    let script = format!(
        r#"
import http.client, json, ssl
c = http.client.HTTPSConnection("127.0.0.1", 8443, context=ssl._create_unverified_context())
h = {{"Authorization": "Bearer {root}", "Content-Type": "application/json"}}
def ask(method, path, body=None):
    c.request(method, path, None if body is None else json.dumps(body), h); r = c.getresponse(); r.read()
    return r.status, r.getheader("connection")
print(ask("GET", "/api/v1/posture"))
print(ask("POST", "/api/v1/rules/apply", {{"text": {text:?}, "within_secs": 60}}))
print(c.sock is None)
"#,
        text = policy("protect", "")
    );
    let output = made.stand.gate.command("python3").args(["-c", &script]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told, "(200, None)\n(200, 'close')\nTrue\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(made.ask("POST", "/api/v1/rules/confirm", Some(&root), None).status, 200);
}

#[test]
fn a_device_is_decided_described_and_shown_to_its_owner_alone() {
    let Some((made, root)) = Box::claimed("own") else { return };
    let (_, user) = made.account(&root, "user");
    made.stand.host.shell(&format!("ping -c 3 -i 0.3 {ROUTER}")).unwrap();
    let list = || made.get(&root, &format!("/api/v1/devices?macs={HOST_MAC}")).json();
    eventually(TEN, "the device", || list()["items"].as_array().is_some_and(|rows| rows.len() == 1));
    let id = list()["items"][0]["id"].to_string();
    let path = format!("/api/v1/devices/{id}");
    assert_eq!(
        (made.get(&user, &path).status, made.get(&user, "/api/v1/devices").json()["items"].clone()),
        (404, json!([]))
    );

    let seen = made.get(&root, &path);
    let describe = |tag: &str, body: &Value| {
        made.ask_with("PATCH", &path, Some(&root), Some(&body.to_string()), &[&format!("If-Match: {tag}")])
    };
    let said = json!({"name": "desk", "owner": "user@example.org", "groups": ["office"], "tags": ["loud"], "notes": "by the door"});
    let described = describe(&tag(&seen), &said);
    assert_eq!(described.status, 200, "{described:?}");
    assert_eq!(describe(&tag(&seen), &said).status, 412, "it was changed meanwhile");
    let own = made.get(&user, &path);
    assert_eq!((own.status, own.json()["notes"].as_str()), (200, Some("by the door")), "{own:?}");
    assert!(made.get(&user, "/api/v1/activity").json()["items"].as_array().is_some());
    assert_eq!(made.post(&user, &format!("{path}/approve"), &json!({})).status, 403);

    let approved = made.post(&root, &format!("{path}/approve"), &json!({"name": "desk", "why": "known"}));
    assert_eq!((approved.status, approved.json()["state"].as_str()), (200, Some("approved")), "{approved:?}");
    assert_eq!(approved.json()["groups"], json!(["office"]), "the policy takes over what was written down");
    let group = made.get(&root, "/api/v1/groups/office").json();
    assert_eq!(group["devices"], json!(["desk"]), "{group}");
    let strict = made.ask("PATCH", "/api/v1/groups/office", Some(&root), Some("{\"posture\":\"enforce\"}"));
    assert_eq!((strict.status, strict.json()["posture"].as_str()), (200, Some("enforce")), "{strict:?}");
    assert_eq!(made.ask("PATCH", &path, Some(&root), Some("{\"groups\":[\"lab\"]}")).status, 200);
    assert!(made.get(&root, "/api/v1/rules/export").text.contains("groups = [\"lab\"]"));

    let blocked = made.post(&root, &format!("{path}/block"), &json!({"why": "gone"}));
    assert_eq!(blocked.json()["state"], "blocked", "{blocked:?}");
    let passes = || made.stand.host.shell(&format!("ping -c 1 -W 1 {ROUTER}")).is_ok();
    assert!(!passes(), "{HOST} is cut off");
    assert_eq!(made.post(&root, &format!("{path}/approve"), &json!({})).json()["state"], "approved");
    let pause = made.post(&root, "/api/v1/posture", &json!({"posture": "observe", "for": 60, "why": "a pause"}));
    assert_eq!((pause.status, pause.json()["posture"].as_str()), (200, Some("observe")), "{pause:?}");
    let found = made.get(&root, "/api/v1/devices?q=DESK").json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    for what in ["device.describe", "device.approve", "device.block", "group.change", "posture.set", "a pause"] {
        assert!(audit.contains(what), "{what}: {audit}");
    }
}

#[test]
fn a_draft_is_kept_for_its_writer_and_a_description_is_read_and_written() {
    let Some((made, root)) = Box::claimed("draft") else { return };
    let (_, other) = made.account(&root, "admin");
    let kept = made.post(&root, "/api/v1/rules/draft", &json!({"text": policy("protect", "")}));
    assert_eq!(kept.status, 201, "{kept:?}");
    assert_eq!(made.get(&other, "/api/v1/rules/draft").status, 404);
    let text = made.get(&root, "/api/v1/rules/draft").json()["text"].as_str().unwrap().to_owned();
    assert_eq!(made.post(&root, "/api/v1/rules/apply", &json!({"text": text})).status, 200);
    assert_eq!(made.get(&root, "/api/v1/rules/draft").json()["outdated"], true);
    let written = made.get(&root, "/api/v1/rules/mud/desk");
    assert_eq!(written.status, 200, "{written:?}");
    let read = made.post(&root, "/api/v1/rules/mud", &json!({"file": written.json()["file"], "device": "desk"}));
    assert_eq!(read.status, 200, "{read:?}");
    assert!(read.json()["policy"].as_str().unwrap().contains("tcp/8000"), "{read:?}");
    assert_eq!(made.ask("DELETE", "/api/v1/rules/draft", Some(&root), None).status, 204);
    assert_eq!(made.get(&root, "/api/v1/rules/draft").status, 404);
    // The command line lands in the same audit.
    made.stand.ask(&["posture", "observe", "--why", "by hand"]);
    let audit = made.get(&root, "/api/v1/audit").json();
    let newest = &audit["items"][0];
    assert_eq!(
        (newest["who"].as_str(), newest["what"].as_str()),
        (Some("command line"), Some("posture.set")),
        "{audit}"
    );
}
