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

#[test]
fn a_backup_makes_another_box_the_same_and_a_wrong_one_changes_nothing() {
    let Some((first, root)) = Box::claimed("backup") else { return };
    let (_, admin) = first.account(&root, "admin");
    let device = || {
        let list = first.get(&root, &format!("/api/v1/devices?macs={}", super::stand::HOST_MAC)).json();
        list["items"][0]["id"].as_u64()
    };
    first.stand.host.shell(&format!("ping -c 2 -i 0.2 {}", super::stand::ROUTER)).unwrap();
    eventually(10, "the device", || device().is_some());
    let path = format!("/api/v1/devices/{}", device().unwrap());
    assert_eq!(first.ask("PATCH", &path, Some(&root), Some("{\"notes\":\"by the door\"}")).status, 200);
    let approved = first.post(&admin, &format!("{path}/approve"), &json!({"name": "desk"}));
    assert_eq!(approved.status, 200, "{approved:?}");
    let phrase = "a long enough passphrase";
    let made = first.post(&root, "/api/v1/backup", &json!({"passphrase": phrase}));
    assert_eq!(made.status, 200, "{made:?}");
    let backup = made.json()["backup"].as_str().unwrap().to_owned();
    let policy = first.get(&root, "/api/v1/rules/export").text;
    let records = first.get(&root, "/api/v1/audit?limit=100").json()["items"].as_array().unwrap().clone();
    drop(first);

    let Some(second) = Box::unclaimed("restore") else { return };
    let claim =
        json!({"code": second.code(), "email": "new@example.org", "first_name": "New", "password": "another-owner-77"});
    assert_eq!(second.ask("POST", "/api/v1/auth/claim", None, Some(&claim.to_string())).status, 201);
    let new = second.log_in("new@example.org", "another-owner-77");
    let restore = |phrase: &str, backup: &str| {
        let (body, token) = (json!({"passphrase": phrase, "backup": backup}).to_string(), &new);
        let file = second.stand.file("body.json");
        std::fs::write(&file, body).unwrap();
        second.ask("POST", "/api/v1/backup/restore", Some(token), Some(&format!("@{}", file.display())))
    };
    let state = || {
        ["users", "rules/export", "devices?state=approved"]
            .map(|path| second.get(&new, &format!("/api/v1/{path}")).text)
    };
    let before = state();
    let changed = format!("{}{}{}", &backup[..200], if &backup[200..201] == "A" { "B" } else { "A" }, &backup[201..]);
    for (phrase, backup) in [
        ("another long passphrase", backup.as_str()),
        (phrase, &backup[..backup.len() / 8 * 4]),
        (phrase, &changed),
        (phrase, "AAAA"),
    ] {
        let refused = restore(phrase, backup);
        assert_eq!((refused.status, refused.json()["field"].as_str()), (422, Some("backup")), "{refused:?}");
    }
    assert_eq!(state(), before, "nothing was changed");

    let done = restore(phrase, &backup);
    assert_eq!((done.status, done.json()["accounts"].as_u64()), (200, Some(2)), "{done:?}");
    eventually(20, "the owner of the first box", || {
        second.try_log_in(super::client::ROOT, super::client::PASSWORD).status == 200
    });
    let root = second.log_in(super::client::ROOT, super::client::PASSWORD);
    assert_eq!(second.get(&new, "/api/v1/profile").status, 401, "the session of the box before is over");
    assert_eq!(second.get(&root, "/api/v1/rules/export").text, policy);
    let devices = second.get(&root, "/api/v1/devices?q=by+the+door").json();
    assert_eq!(
        (devices["items"][0]["state"].as_str(), devices["items"].as_array().map(Vec::len)),
        (Some("approved"), Some(1)),
        "{devices}"
    );
    let audit = second.get(&root, "/api/v1/audit?limit=100").json();
    let told = audit["items"].as_array().unwrap();
    assert!(
        records.iter().filter(|record| record["what"] != "gateway.act").all(|record| told.contains(record)),
        "{audit}"
    );
    assert!(
        told.iter().any(|record| record["what"] == "backup.restore" && record["who"] == "new@example.org"),
        "{audit}"
    );
    let out = second.stand.file("audit.jsonl");
    let exported = second.stand.picket(&["audit", "export", "--out", &out.display().to_string()]);
    assert!(exported.status.success(), "{exported:?}");
    let verified = second.stand.picket_alone(&["audit", "verify", &out.display().to_string()]);
    assert!(verified.status.success(), "{verified:?}");
    let warnings = second.stand.ask(&["status"])["warnings"].to_string();
    assert!(!warnings.contains("audit"), "{warnings}");
}
