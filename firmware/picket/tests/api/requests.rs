//! Asking for access: what is granted passes and ends by itself, what is refused does not, and both sides hear of it.

use std::process::Stdio;

use serde_json::{Value, json};

use super::client::Box;
use super::stand::{HOST_MAC, ROUTER, TEN, eventually};

/// A box that holds the host to its rules, of which there are none; the host belongs to the account of the role user.
fn strict(test: &str) -> Option<(Box, String, u64)> {
    let (made, root) = Box::claimed(test)?;
    made.stand.host.shell(&format!("ping -c 2 -i 0.3 {ROUTER}")).unwrap();
    let policy = format!(
        "posture = \"enforce\"\nnew = \"everything\"\n[[device]]\nname = \"desk\"\nmacs = [\"{HOST_MAC}\"]\nstate = \"approved\"\n"
    );
    let applied = made.post(&root, "/api/v1/rules/apply", &json!({"text": policy, "force": true}));
    assert_eq!(applied.status, 200, "{applied:?}");
    let list = || made.get(&root, &format!("/api/v1/devices?macs={HOST_MAC}")).json();
    eventually(TEN, "the device", || list()["items"].as_array().is_some_and(|rows| rows.len() == 1));
    let id = list()["items"][0]["id"].as_u64().unwrap();
    let owned =
        made.ask("PATCH", &format!("/api/v1/devices/{id}"), Some(&root), Some("{\"owner\":\"user@example.org\"}"));
    assert_eq!(owned.status, 200, "{owned:?}");
    Some((made, root, id))
}

fn wish(device: u64, service: &str, reason: &str) -> Value {
    json!({"device": device, "to": ROUTER, "service": service, "hours": 2, "reason": reason})
}

fn states(made: &Box, token: &str) -> Vec<String> {
    let all = made.get(token, "/api/v1/requests").json();
    all["items"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_user_asks_an_admin_grants_and_it_passes_until_the_hours_are_over() {
    let Some((made, root, device)) = strict("ask") else { return };
    let (_, user) = made.account(&root, "user");
    let (_, auditor) = made.account(&root, "auditor");
    let _server =
        made.stand.router.start("cd / && exec /usr/bin/python3 -m http.server 8000", &made.stand.file("server"));
    let reaches = || made.stand.host.shell(&format!("curl -s -o /dev/null --max-time 2 http://{ROUTER}:8000/")).is_ok();
    eventually(TEN, "the server", || made.stand.router.shell("ss -Hltn sport = :8000 | grep -q .").is_ok());
    assert!(!reaches(), "nothing allows it yet");

    let asked = made.post(&user, "/api/v1/requests", &wish(device, "tcp/8000", "the build server"));
    assert_eq!((asked.status, asked.json()["state"].as_str()), (201, Some("waiting")), "{asked:?}");
    let path = format!("/api/v1/requests/{}", asked.json()["id"]);
    assert_eq!((states(&made, &root), states(&made, &auditor)), (vec!["waiting".into()], vec!["waiting".into()]));
    assert!(!reaches(), "asking allows nothing");
    for (token, act) in [(&user, "grant"), (&auditor, "grant"), (&user, "refuse")] {
        assert_eq!(made.post(token, &format!("{path}/{act}"), &json!({"note": "x"})).status, 403);
    }

    // The feed tells the user what becomes of it, and nothing else.
    let mut feed = made.stand.gate.command("curl");
    let heard = made.stand.file("heard");
    feed.args(["-sNk", "--max-time", "8", "-H", &format!("Authorization: Bearer {user}"), "-o"]).arg(&heard);
    let mut feed = feed.arg(format!("{}/api/v1/events", super::client::BASE)).stdout(Stdio::null()).spawn().unwrap();
    eventually(TEN, "the feed", || std::fs::read_to_string(&heard).is_ok_and(|text| text.contains("retry")));
    let granted = made.post(&root, &format!("{path}/grant"), &json!({"hours": 1, "note": "for today"}));
    assert_eq!((granted.status, granted.json()["state"].as_str()), (200, Some("granted")), "{granted:?}");
    assert!(reaches(), "it is granted");
    feed.wait().unwrap();
    let heard = std::fs::read_to_string(&heard).unwrap();
    assert!(heard.contains("event: request") && heard.contains("for today"), "{heard}");
    assert!(!heard.contains("event: activity"), "{heard}");

    let rules = made.get(&root, "/api/v1/rules?owner=user@example.org").json();
    let rule = &rules["items"][0];
    assert_eq!(
        (rule["id"].clone(), rule["until"].clone()),
        (granted.json()["rule"].clone(), granted.json()["until"].clone())
    );
    assert_eq!((rule["who"].clone(), rule["comment"].as_str()), (json!(["desk"]), Some("the build server")), "{rules}");
    let until = policy::text::moment(rule["until"].as_str().unwrap()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((3_400..=3_600).contains(&(until.secs() - now)), "an hour, not two: {rule}");
    for act in ["grant", "refuse"] {
        assert_eq!(made.post(&root, &format!("{path}/{act}"), &json!({"note": "again"})).status, 409);
    }
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    for what in ["request.create", "request.grant", "policy.apply", "the build server", "this role may not"] {
        assert!(audit.contains(what), "{what}: {audit}");
    }
}

#[test]
fn what_is_asked_for_is_bounded_ones_own_and_decided_at_the_command_line_too() {
    let Some((made, root, device)) = strict("asks") else { return };
    let (_, user) = made.account(&root, "user");
    let wrong = |body: Value| {
        let answer = made.post(&user, "/api/v1/requests", &body);
        (answer.status, answer.json()["field"].as_str().unwrap_or_default().to_owned())
    };
    let good = wish(device, "tcp/8000", "x");
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (field, value) in [
        ("device", json!(999)),
        ("to", json!("a\n[[allow]]")),
        ("service", json!("tcp/99999")),
        ("hours", json!(0)),
        ("hours", json!(721)),
        ("reason", json!(" ")),
    ] {
        assert_eq!(wrong(with(field, value)), (422, field.to_owned()));
    }
    let foreign = made.get(&root, "/api/v1/devices?limit=100").json();
    let router =
        foreign["items"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).find(|id| *id != device);
    assert_eq!(wrong(with("device", json!(router.expect("the router is a device too")))), (422, "device".into()));

    for n in 1..=10 {
        assert_eq!(made.post(&user, "/api/v1/requests", &wish(device, "tcp/8000", &format!("number {n}"))).status, 201);
    }
    let beyond = made.post(&user, "/api/v1/requests", &good).status;
    assert!(matches!(beyond, 409 | 429), "{beyond}");
    let withdraw =
        |token: &str, id: u64| made.ask("DELETE", &format!("/api/v1/requests/{id}"), Some(token), None).status;
    assert_eq!((withdraw(&root, 1), withdraw(&user, 1), withdraw(&user, 1)), (409, 204, 409));
    let refused = made.post(&root, "/api/v1/requests/2/refuse", &json!({"note": "not today"})).json();
    assert_eq!(
        (refused["state"].as_str(), refused["decided_by"].as_str()),
        (Some("refused"), Some("root@example.org"))
    );
    assert_eq!(made.post(&root, "/api/v1/requests/3/refuse", &json!({"note": ""})).status, 422);

    let listed = made.stand.ask(&["requests", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 10, "{listed}");
    let granted = made.stand.ask(&["requests", "grant", "3", "--for", "90m", "--note", "by hand"]);
    assert_eq!((granted["state"].as_str(), granted["hours"].as_u64()), (Some("granted"), Some(2)), "{granted}");
    assert_eq!(made.stand.ask(&["requests", "refuse", "4", "--note", "no"])["state"], "refused");
    assert!(made.stand.try_ask(&["requests", "grant", "4"]).unwrap_err().contains("refused already"));
    assert!(made.get(&root, "/api/v1/rules/export").text.contains("request-3"));
    let audit = made.get(&root, "/api/v1/audit?limit=100").json();
    let by_hand = |what: &str| {
        audit["items"].as_array().unwrap().iter().any(|row| row["what"] == what && row["who"] == "command line")
    };
    assert!(by_hand("request.grant") && by_hand("request.refuse"), "{audit}");

    // Nothing is granted to a device that no rule can be about, nor while a trial runs; the request waits on.
    made.stand.ask(&["devices", "quarantine", HOST_MAC]);
    let held = made.post(&root, "/api/v1/requests/5/grant", &json!({}));
    assert_eq!(held.status, 409, "{held:?}");
    assert!(held.text.contains("approve it first"), "{held:?}");
    assert_eq!(made.get(&user, "/api/v1/requests/5").json()["state"], "waiting");

    // What was said stands after a kill.
    let before = states(&made, &user);
    let mut made = made;
    made.stand.kill();
    made.stand.start_blocked();
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    assert_eq!(states(&made, &user), before);
}
