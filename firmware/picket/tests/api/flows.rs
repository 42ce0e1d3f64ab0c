//! What devices did over the API: flows page by page, the time machine, a device that is learnt, watched and held to its rules.

use std::collections::BTreeSet;

use serde_json::json;

use super::client::Box;
use super::stand::{HOST_MAC, ROUTER, TEN, eventually};

#[test]
fn a_device_is_learnt_watched_and_enforced_and_its_flows_page_without_a_gap() {
    let Some((made, root)) = Box::claimed("flows") else { return };
    let (_, user) = made.account(&root, "user");
    // Each refusal of a port is a conversation, and so few are no scan.
    let knock = |ports: &str| {
        made.stand.host.shell(&format!("nmap -n -Pn -sT -p {ports} --max-retries 0 {ROUTER} || true")).unwrap();
    };
    knock("7001-7008");
    let text = format!(
        "posture = \"protect\"\nnew = \"everything\"\n[[device]]\nname = \"desk\"\nmacs = [\"{HOST_MAC}\"]\nstate = \"approved\"\n"
    );
    let applied = made.post(&root, "/api/v1/rules/apply", &json!({"text": text, "why": "known"}));
    assert_eq!(applied.status, 200, "{applied:?}");

    let pages = || {
        let (mut seen, mut next) = (Vec::new(), Some(format!("/api/v1/flows?limit=3&mac={HOST_MAC}")));
        while let Some(path) = next {
            let page = made.get(&root, &path).json();
            let rows = page["items"].as_array().unwrap();
            assert!(rows.len() <= 3);
            seen.extend(rows.iter().filter_map(|row| row["service"].as_str().map(ToOwned::to_owned)));
            next = page["next"].as_str().map(ToOwned::to_owned);
        }
        seen
    };
    let wanted: BTreeSet<String> = (7001..=7008).map(|port| format!("tcp/{port}")).collect();
    eventually(TEN, "every flow once", || {
        let seen = pages();
        let set: BTreeSet<String> = seen.iter().filter(|s| s.starts_with("tcp/70")).cloned().collect();
        set == wanted && seen.iter().filter(|s| s.starts_with("tcp/70")).count() == 8
    });
    assert_eq!(made.get(&user, "/api/v1/flows").json()["items"], json!([]), "a user sees its own devices' alone");

    let draft = text.replace("protect", "enforce")
        + &format!("[[allow]]\nname = \"few\"\nwho = \"desk\"\nto = \"{ROUTER}\"\nservice = \"tcp/7001-7003\"\n");
    let tried = made.post(&root, "/api/v1/rules/timemachine", &json!({"text": draft})).json();
    let cut = tried["differences"].as_array().unwrap();
    let lost: BTreeSet<&str> =
        cut.iter().filter_map(|d| d["service"].as_str()).filter(|s| s.starts_with("tcp/70")).collect();
    assert_eq!(lost.len(), 5, "{tried}");
    assert!(cut.iter().all(|d| d["device"] == "desk" && d["decision"] == "deny" && d["allow"].is_string()), "{tried}");

    let proposal = made.post(&root, "/api/v1/proposals/desk", &json!({})).json();
    assert!(proposal["text"].as_str().unwrap().contains(ROUTER), "{proposal}");
    let held = made.post(&root, "/api/v1/proposals/desk/enforce", &json!({}));
    assert_eq!(held.status, 409, "a device without rules would be cut off: {held:?}");
    let watched = made.post(&root, "/api/v1/proposals/desk/shadow", &json!({"on": true, "why": "to see"}));
    assert_eq!(watched.status, 200, "{watched:?}");
    let sctp = || made.stand.host.shell(&format!("nmap -n -Pn -sY -p 7100 --max-retries 0 {ROUTER}")).unwrap();
    sctp();
    let shadow = || made.get(&root, "/api/v1/proposals/desk/shadow").json();
    eventually(TEN, "what the shadow saw", || shadow()["seen"]["differences"][0]["service"] == "ip/132");
    assert!(shadow()["since"].as_str().is_some_and(|at| at.ends_with('Z')));
    let enforced = made.post(&root, "/api/v1/proposals/desk/enforce", &json!({"why": "seen enough"}));
    assert_eq!(enforced.status, 200, "{enforced:?}");
    sctp();
    let told = || made.get(&root, "/api/v1/activity?limit=20").text;
    eventually(TEN, "what is denied now", || told().contains("about ip/132; no rule allows it"));
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    for what in ["device.shadow", "device.enforce", "seen enough"] {
        assert!(audit.contains(what), "{what}");
    }
}
