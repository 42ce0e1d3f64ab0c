//! How people come to an account: they ask and are approved, or are let in again at the console.

use serde_json::json;

use super::client::{Box, PASSWORD, ROOT};

#[test]
fn an_account_that_was_asked_for_waits_for_a_superadmin_and_is_a_user() {
    let Some((made, root)) = Box::claimed("register") else { return };
    let ask = |body: serde_json::Value| made.ask("POST", "/api/v1/auth/register", None, Some(&body.to_string()));
    let ada = json!({"email": "ada@example.org", "first_name": "Ada"});
    assert_eq!(ask(ada.clone()).status, 403, "off by default");
    let on = made.ask("PATCH", "/api/v1/settings/accounts.register", Some(&root), Some("{\"value\":true}"));
    assert_eq!(on.status, 200, "{on:?}");
    assert_eq!(ask(json!({"email": "ada@example.org", "first_name": "Ada", "role": "superadmin"})).status, 422);
    let known = ask(json!({"email": ROOT, "first_name": "Root"}));
    assert_eq!((ask(ada.clone()).status, known.status, ask(ada).status), (204, 204, 204), "all alike");
    let users = made.get(&root, "/api/v1/users?email=ada@example.org").json();
    let row = &users["items"][0];
    assert_eq!(
        (row["role"].as_str(), row["pending"].as_bool(), row["active"].as_bool()),
        (Some("user"), Some(true), Some(false))
    );
    let path = format!("/api/v1/users/{}", row["id"]);
    assert_eq!(made.ask("PATCH", &path, Some(&root), Some("{\"active\":true}")).status, 409);
    let approved = made.post(&root, &format!("{path}/approve"), &json!({"why": "known"}));
    assert_eq!(approved.status, 200, "{approved:?}");
    let code = approved.json()["setup_code"].clone();
    let verify = json!({"email": "ada@example.org", "code": code, "password": PASSWORD}).to_string();
    assert_eq!(made.ask("POST", "/api/v1/auth/verify", None, Some(&verify)).status, 204);
    let token = made.log_in("ada@example.org", PASSWORD);
    assert_eq!(made.get(&token, "/api/v1/users").status, 403);
    assert_eq!(made.post(&root, &format!("{path}/approve"), &json!({})).status, 409);
}

#[test]
fn a_lost_superadmin_comes_back_at_the_console_alone_and_the_audit_says_so() {
    let Some((made, root)) = Box::claimed("recover") else { return };
    let code = made.stand.ask(&["recover", ROOT]);
    assert_eq!((made.get(&root, "/api/v1/profile").status, made.try_log_in(ROOT, PASSWORD).status), (401, 401));
    let verify = json!({"email": ROOT, "code": code, "password": "another-long-one-9"}).to_string();
    assert_eq!(made.ask("POST", "/api/v1/auth/verify", None, Some(&verify)).status, 204);
    let token = made.log_in(ROOT, "another-long-one-9");
    let audit = made.get(&token, "/api/v1/audit").json();
    let told = audit["items"].as_array().unwrap().iter().find(|record| record["what"] == "user.recover");
    assert_eq!(
        told.map(|record| (record["who"].as_str(), record["on"].as_str())),
        Some((Some("command line"), Some(ROOT))),
        "{audit}"
    );
}
