//! Forests over the API: sent, judged, loaded, watched in the shadow, taken back, and asked why they vote as they do.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::client::Box;
use super::leaf::forest;
use super::signing::signed;
use super::stand::{HOST, ROUTER, TEN, eventually};

/// Whose forests the box trusts, and whose not.
const FRIEND: u8 = 3;
const STRANGER: u8 = 4;
/// A minute and what it takes to close.
const MINUTE: u64 = 75;

#[test]
fn a_forest_that_is_sent_is_checked_judged_loaded_and_taken_back_and_a_stranger_s_changes_nothing() {
    let Some((made, root)) = Box::claimed("model") else { return };
    let (image, card) = forest(255);
    let (file, key) = signed(&image, &card, FRIEND);
    made.stand.configure(&format!("[api]\nlisten = \"127.0.0.1:8443\"\n[model]\nkeys = [\"{key}\"]"));
    made.stand.gate.shell(&format!("kill -HUP {}", made.stand.id())).unwrap();
    let id = |path: &str| made.get(&root, path).json()["model"]["id"].as_str().unwrap().to_owned();
    let sent = |file: &[u8]| json!({"model": STANDARD.encode(file)});
    let (shipped, good) = (id("/api/v1/model"), sent(&file));
    eventually(TEN, "the key to be trusted", || made.post(&root, "/api/v1/model/check", &good).status == 200);

    let checked = made.post(&root, "/api/v1/model/check", &good).json();
    assert_eq!((checked["trees"].as_u64(), checked["signed_by"].as_str()), (Some(1), Some(key.as_str())), "{checked}");
    let mut damaged = file.clone();
    damaged[image.len() + 40] ^= 1;
    let wrong = [
        (json!({"model": "not base 64"}), "not base 64"),
        (sent(&image), "no signature"),
        (sent(&signed(&image, &card, STRANGER).0), "not trusted here"),
        (sent(&damaged), "signature is not right"),
        (sent(&file[..file.len() - 1]), "damaged"),
    ];
    for (body, why) in &wrong {
        for act in ["check", "dry-run", "load"] {
            let answer = made.post(&root, &format!("/api/v1/model/{act}"), body);
            let told = answer.json()["detail"].as_str().unwrap().contains(why);
            assert!(answer.status == 422 && answer.json()["field"] == "model" && told, "{act}: {answer:?}");
        }
    }
    assert_eq!(id("/api/v1/model"), shipped);

    let minute = |body| made.post(&root, "/api/v1/model/classify", &body);
    let newest = || minute(json!({"host": HOST}));
    eventually(MINUTE, "a minute to close", || made.stand.pings(2) == 2 && newest().status == 200);
    let (harmless, flood) = (newest().json(), minute(json!({"vector": {"asks_rate": 1e30, "ports": 60_000}})).json());
    assert_eq!(
        (harmless["level"].as_str(), harmless["counts_as"].as_str()),
        (Some("SAFE"), Some("SAFE")),
        "{harmless}"
    );
    for told in [&harmless, &flood] {
        let moved: f64 =
            told["contributions"].as_object().unwrap().values().filter_map(serde_json::Value::as_f64).sum();
        let sum = told["base"].as_f64().unwrap() + moved;
        assert!((sum - told["score"].as_f64().unwrap()).abs() < 1e-9, "{told}");
    }
    assert!(flood["score"] != harmless["score"], "{flood} {harmless}");
    for body in
        [json!({}), json!({"host": HOST, "vector": {}}), json!({"vector": {"nothing": 1}}), json!({"host": "nobody"})]
    {
        assert!(matches!(minute(body.clone()).status, 409 | 422), "{body}");
    }

    let api = made.process();
    let endless = minute(json!({"vector": {"ports": 1e300}}));
    assert_eq!((endless.status, endless.json()["field"].as_str()), (422, Some("vector")), "{endless:?}");
    assert_eq!(made.process(), api, "the gateway did not have to end the API");

    let change = json!({"host": HOST, "now": "SAFE", "then": "MEDIUM"});
    let dry = made.post(&root, "/api/v1/model/dry-run", &good).json();
    assert!(dry["changes"].as_array().unwrap().contains(&change) && dry["loaded"] == false, "{dry}");
    let shadow = made.post(&root, "/api/v1/model/shadow", &json!({"model": good["model"], "for_secs": 3600}));
    assert!(shadow.status == 200 && shadow.json()["shadow"]["until"].as_str().unwrap().ends_with('Z'), "{shadow:?}");
    assert_eq!(made.ask("DELETE", "/api/v1/model/shadow", Some(&root), None).status, 204);
    assert_eq!(id("/api/v1/model"), shipped, "nothing of this changes who votes");

    let (_, admin) = made.account(&root, "admin");
    assert_eq!(made.post(&admin, "/api/v1/model/load", &good).status, 403);
    let loaded = made.post(&root, "/api/v1/model/load", &good);
    assert!(loaded.status == 200 && loaded.json()["loaded"] == true && id("/api/v1/model") != shipped, "{loaded:?}");
    assert_eq!(minute(json!({"host": ROUTER})).json()["level"], "HIGH", "the forest in force is asked");
    assert_eq!(made.ask("POST", "/api/v1/model/revert", Some(&root), None).status, 200);
    assert_eq!(id("/api/v1/model"), shipped);
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    for what in ["model.load", "model.revert", "model.shadow", "model.unshadow", "this role may not"] {
        assert!(audit.contains(what), "{what}: {audit}");
    }
}
