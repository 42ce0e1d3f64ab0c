//! Lists of indicators over the API: loaded by admins, looked for in what devices did, forgotten, refused line by line.

use serde_json::json;

use super::client::Box;
use super::stand::{HOST, ROUTER, TEN, eventually};

/// An address of the internet behind the router.
const BAD: &str = "203.0.113.7";

#[test]
fn a_list_is_loaded_looked_for_in_the_past_and_forgotten_and_what_is_none_is_refused() {
    let Some((made, root)) = Box::claimed("indicators") else { return };
    let (_, admin) = made.account(&root, "admin");
    made.stand.router.shell(&format!("ip link set lo up; ip addr add {BAD}/32 dev lo")).unwrap();
    made.stand.host.shell(&format!("ip route add default via {ROUTER}; ping -n -q -c 1 -W 1 {BAD} || true")).unwrap();
    let list =
        json!({"name": "feed", "text": format!("{BAD}\nbad.example.org\n"), "origin": "a feed", "for_secs": 3600});
    let wrong = [("text", json!("9.9.9.9\nhttp://example.org/")), ("text", json!("")), ("for_secs", json!(0))];
    for (field, value) in wrong {
        let mut body = list.clone();
        body[field] = value;
        let answer = made.post(&admin, "/api/v1/indicators", &body);
        assert!(answer.status == 422 && answer.text.contains(field), "{field}: {answer:?}");
    }
    let named = made.post(&admin, "/api/v1/indicators", &json!({"name": "../x", "text": BAD, "for_secs": 9}));
    assert_eq!(named.status, 409, "{named:?}");
    assert_eq!(made.get(&admin, "/api/v1/indicators").json()["items"], json!([]));

    let loaded = made.post(&admin, "/api/v1/indicators", &list);
    let row = loaded.json();
    assert_eq!(
        (loaded.status, row["level"].as_str(), row["names"].as_u64()),
        (201, Some("MEDIUM"), Some(1)),
        "{loaded:?}"
    );
    assert!(row["until"].as_str().unwrap().ends_with('Z'), "{row}");
    let past = || made.post(&admin, "/api/v1/indicators/feed/past", &json!({})).json();
    eventually(TEN, "the past to tell it", || past()["met"][0]["device"] == HOST);
    made.stand.host.shell(&format!("ping -n -q -c 1 -W 1 {BAD} || true")).unwrap();
    eventually(TEN, "the present to tell it", || made.get(&root, "/api/v1/threats").text.contains("\"listed\""));
    assert_eq!(made.ask("DELETE", "/api/v1/indicators/feed", Some(&admin), None).status, 204);
    assert_eq!(made.ask("DELETE", "/api/v1/indicators/feed", Some(&admin), None).status, 404);
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    assert!(audit.contains("indicators.load") && audit.contains("indicators.remove"), "{audit}");
}
