//! Settings that take effect at once, the machine as it is shown, and a gateway that starts again.

use serde_json::json;

use super::client::Box;
use super::stand::eventually;

#[test]
fn a_setting_takes_effect_at_once_and_outlives_a_restart_asked_for_over_the_api() {
    let Some((made, root)) = Box::claimed("settings") else { return };
    let (_, admin) = made.account(&root, "admin");
    let path = "/api/v1/settings/detect.icmp_per_second";
    let seen = made.get(&admin, path);
    let one = seen.json();
    assert_eq!(
        (one["value"].as_u64(), one["origin"].as_str(), one["default"].as_u64()),
        (Some(100), Some("default"), Some(100))
    );
    assert!(one["meaning"].as_str().unwrap().contains("ICMP"), "{one}");
    let tag = seen.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let set = |path: &str, token: &str, value: serde_json::Value| {
        let body = json!({"value": value, "why": "a test"}).to_string();
        made.ask_with("PATCH", path, Some(token), Some(&body), &[])
    };
    let changed = set(path, &admin, json!(77));
    assert_eq!((changed.status, changed.json()["origin"].as_str()), (200, Some("here")), "{changed:?}");
    let guarded = format!("If-Match: {tag}");
    let stale = made.ask_with("PATCH", path, Some(&admin), Some("{\"value\":5}"), &[&guarded]);
    assert_eq!(stale.status, 412, "{stale:?}");
    for wrong in [json!(0), json!("many"), json!({}), json!([1])] {
        let answer = set(path, &admin, wrong);
        assert_eq!((answer.status, answer.json()["field"].as_str()), (422, Some("value")), "{answer:?}");
    }
    assert_eq!(set("/api/v1/settings/api.listen", &admin, json!("")).status, 409);
    assert_eq!(set("/api/v1/settings/never_block.addresses", &admin, json!(["192.168.9.77"])).status, 200);
    assert_eq!(set("/api/v1/settings/accounts.bearer_minutes", &admin, json!(10)).status, 403);
    assert_eq!(set("/api/v1/settings/accounts.bearer_minutes", &root, json!(10)).status, 200);
    let login = made.try_log_in(super::client::ROOT, super::client::PASSWORD).json();
    assert_eq!(login["expires_in"], 600, "{login}");

    let machine = made.get(&root, "/api/v1/system/resources").json();
    assert!(machine["memory_api"].as_u64() > Some(0) && machine["disk_free"].as_u64() > Some(0), "{machine}");
    let ports = made.get(&root, "/api/v1/system/ports").json();
    let own = ports["items"].as_array().unwrap().iter().filter(|row| row["port"] == 8443).count();
    assert_eq!(own, 1, "{ports}");

    let (process, api) = (made.stand.id(), made.process());
    let again = made.post(&root, "/api/v1/system/restart", &json!({"why": "a test"}));
    assert_eq!(again.status, 200, "{again:?}");
    eventually(20, "another API process", || ![api, 0].contains(&made.process()));
    eventually(20, "its answer", || made.get(&root, path).status == 200);
    assert_eq!(made.stand.id(), process, "the same process");
    assert_eq!(made.get(&root, path).json()["value"], 77);
    assert_eq!(made.get(&root, "/api/v1/settings/never_block.addresses").json()["value"], json!(["192.168.9.77"]));
    let back = set(path, &root, serde_json::Value::Null);
    assert_eq!(
        (back.json()["value"].as_u64(), back.json()["origin"].as_str()),
        (Some(100), Some("default")),
        "{back:?}"
    );
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    for what in ["setting.change", "system.restart", "detect.icmp_per_second"] {
        assert!(audit.contains(what), "{what}: {audit}");
    }
}
