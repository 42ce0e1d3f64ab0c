//! The first hour of a box: it is claimed once, people get in, and the wrong ones do not.

use serde_json::json;

use super::client::{Box, PASSWORD, ROOT};
use super::stand::{TEN, eventually};

#[test]
fn a_box_is_claimed_once_and_serves_nothing_else_before() {
    let Some(made) = Box::unclaimed("claim") else { return };
    let code = made.code();
    let posture = || made.stand.ask(&["status"])["posture"].clone();
    eventually(TEN, "the box to observe", || posture() == "observe");
    for path in ["/api/v1/users", "/api/v1/blocks", "/metrics", "/api/v1/nothing"] {
        assert!(matches!(made.ask("GET", path, None, None).status, 401 | 403 | 404), "{path}");
    }
    assert_eq!(made.try_log_in("admin", "picket").status, 403);
    assert_eq!(made.claim("wrong-code", PASSWORD).status, 403);
    let short = made.claim(&code, "short-12345");
    assert_eq!((short.status, short.json()["field"].as_str()), (422, Some("password")), "{short:?}");
    assert_eq!(made.claim(&code.to_uppercase().replace('-', " "), PASSWORD).status, 201);
    eventually(TEN, "the box to protect", || posture() == "protect");
    assert_eq!(made.claim(&code, PASSWORD).status, 409);
    let status = made.stand.ask(&["status"]);
    assert!(status.get("claim_code").is_none() && status["fingerprint"].as_str().unwrap().len() == 64, "{status}");
    let token = made.log_in(ROOT, PASSWORD);
    assert_eq!(made.get(&token, "/api/v1/profile").json()["email"], ROOT);
    // Headers that every answer carries.
    let head = made.get(&token, "/api/v1/profile").head;
    for line in ["cache-control: no-store", "x-content-type-options: nosniff", "etag: \"", "strict-transport-security:"]
    {
        assert!(head.contains(line), "{head}");
    }
}

#[test]
fn ten_wrong_codes_close_the_claim_for_the_right_one_too() {
    let Some(made) = Box::unclaimed("guess") else { return };
    let code = made.code();
    let statuses: Vec<u16> = (0..12).map(|_| made.claim("abcd-efgh-jkmn-pqrs", PASSWORD).status).collect();
    assert_eq!(statuses, [[403; 10].as_slice(), &[429; 2]].concat());
    let right = made.claim(&code, PASSWORD);
    assert!(right.status == 429 && right.head.contains("retry-after: "), "{right:?}");
}

#[test]
fn what_ends_a_session_ends_it_at_once() {
    let Some((made, root)) = Box::claimed("ends") else { return };
    let works = |token: &str| made.get(token, "/api/v1/profile").status;
    let (id, admin) = made.account(&root, "admin");
    let password = format!("{PASSWORD}-admin");
    // Logging out.
    let other = made.log_in("admin@example.org", &password);
    assert_eq!(
        (works(&admin), made.ask("POST", "/api/v1/auth/logout", Some(&other), None).status, works(&other)),
        (200, 204, 401)
    );
    // Another password ends the other sessions, not the one that asks.
    let other = made.log_in("admin@example.org", &password);
    let wrong =
        made.post(&admin, "/api/v1/auth/password", &json!({"current": "wrong", "password": "another-long-one-9"}));
    assert_eq!(wrong.json()["field"], "current");
    let changed =
        made.post(&admin, "/api/v1/auth/password", &json!({"current": password, "password": "another-long-one-9"}));
    assert_eq!((changed.status, works(&admin), works(&other)), (204, 200, 401));
    // Another role, then being disabled.
    let patch = |body: &str| made.ask("PATCH", &format!("/api/v1/users/{id}"), Some(&root), Some(body));
    assert_eq!((patch("{\"role\":\"auditor\"}").status, works(&admin)), (200, 401));
    let token = made.log_in("admin@example.org", "another-long-one-9");
    assert_eq!((patch("{\"active\":false}").status, works(&token)), (200, 401));
    assert_eq!(made.try_log_in("admin@example.org", "another-long-one-9").status, 401);
    // The last superadmin stays.
    assert_eq!(made.ask("DELETE", "/api/v1/users/1", Some(&root), None).status, 409);
}

#[test]
fn guessing_costs_time_and_an_account_that_does_not_exist_is_not_told() {
    let Some((made, root)) = Box::claimed("storm") else { return };
    let hashes = || {
        let text = made.get(&root, "/metrics").text;
        let line = text.lines().find_map(|line| line.strip_prefix("picket_password_hashes_total ")).unwrap().to_owned();
        line.parse::<u64>().unwrap()
    };
    let before = hashes();
    let answers: Vec<_> = (0..20)
        .map(|n| made.try_log_in(if n % 2 == 0 { ROOT } else { "nobody@example.org" }, "wrong wrong wrong"))
        .collect();
    assert!(answers[..5].iter().all(|answer| answer.status == 401 && answer.text == answers[0].text), "{answers:?}");
    assert!(answers[5..].iter().all(|answer| answer.status == 429), "{answers:?}");
    assert_eq!(hashes() - before, 5);
    assert_eq!(made.get(&root, "/api/v1/profile").status, 200, "who is in stays in");
}

#[test]
fn a_change_is_made_once_for_a_key_and_only_of_what_was_seen() {
    let Some((made, root)) = Box::claimed("once") else { return };
    let body = json!({"name": "backup", "scopes": ["read"], "days": 7}).to_string();
    let make = |key: &str, body: &str| {
        made.ask_with("POST", "/api/v1/tokens", Some(&root), Some(body), &[&format!("Idempotency-Key: {key}")])
    };
    let (first, again) = (make("k1", &body), make("k1", &body));
    assert_eq!((first.status, again.status, first.text == again.text), (201, 201, true));
    assert_eq!(make("k1", &body.replace("backup", "other")).status, 422);
    let token = first.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(made.get(&token, "/api/v1/hosts").status, 200);
    let denied = made.post(&token, "/api/v1/blocks", &json!({"host": "192.168.9.99", "why": "x"}));
    assert_eq!(denied.status, 403, "its scope is read");

    let seen = made.get(&root, "/api/v1/profile");
    let tag = seen.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let change = |tag: &str, name: &str| {
        let body = json!({"first_name": name}).to_string();
        made.ask_with("PATCH", "/api/v1/profile", Some(&root), Some(&body), &[&format!("If-Match: {tag}")]).status
    };
    assert_eq!((change(&tag, "Rosa"), change(&tag, "Rita")), (200, 412));
    assert_eq!(made.get(&root, "/api/v1/profile").json()["first_name"], "Rosa");
    let list = made.ask_with("GET", "/api/v1/users", Some(&root), None, &["Accept: text/csv"]);
    assert!(list.head.contains("text/csv") && list.text.contains("\"root@example.org\""), "{list:?}");
}

#[test]
fn a_second_factor_is_asked_for_at_each_log_in_and_a_recovery_code_is_worth_one() {
    let Some((made, root)) = Box::claimed("factor") else { return };
    let require = |token: &str| {
        let body = Some("{\"value\":true}");
        made.ask("PATCH", "/api/v1/settings/accounts.require_totp", Some(token), body).status
    };
    assert_eq!(require(&root), 409, "who lacks one would lock themselves out");
    let begun = made.ask("POST", "/api/v1/profile/totp", Some(&root), None).json();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Picket:"), "{begun}");
    // Reckoned by a program that knows nothing of this one.
    let code = || {
        let script = r#"key=$(printf %s "$1" | base32 -d | od -An -tx1 | tr -d ' \n'); step=$(printf %016x $(($(date +%s) / 30)))
            tag=$(printf "$(printf %s "$step" | sed 's/../\\x&/g')" | openssl dgst -sha1 -mac HMAC -macopt hexkey:$key -r | cut -c1-40)
            at=$((16#${tag:39:1} * 2)); printf %06d $(((16#${tag:$at:8} & 0x7fffffff) % 1000000))"#;
        let output = made.stand.gate.command("bash").args(["-c", script, "code", &secret]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let wrong = made.post(&root, "/api/v1/profile/totp/confirm", &json!({"code": "000000"}));
    assert_eq!(wrong.status, 422, "{wrong:?}");
    let confirmed = made.post(&root, "/api/v1/profile/totp/confirm", &json!({"code": code()}));
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    let recovery = confirmed.json()["recovery_codes"][0].as_str().unwrap().to_owned();
    let begun = made.try_log_in(ROOT, PASSWORD).json();
    assert_eq!(begun["due"], json!(["totp"]));
    let token = begun["access_token"].as_str().unwrap();
    assert_eq!((made.get(token, "/api/v1/users").status, made.get(token, "/api/v1/profile").status), (403, 200));
    let answer = |token: &str, code: &str| made.post(token, "/api/v1/auth/totp", &json!({"code": code})).status;
    assert_eq!((answer(token, "123456"), answer(token, &recovery)), (422, 200));
    assert_eq!(made.get(token, "/api/v1/users").status, 200);
    let next = made.log_in(ROOT, PASSWORD);
    assert_eq!(answer(&next, &recovery), 422, "it is used up");

    // Once it is required, a superadmin without one sets it up and does nothing else; others are not asked.
    assert_eq!((require(token), made.ask("DELETE", "/api/v1/profile/totp", Some(token), None).status), (200, 409));
    let (_, admin) = made.account(token, "admin");
    let (_, owner) = made.account(token, "superadmin");
    let due = made.try_log_in("superadmin@example.org", &format!("{PASSWORD}-superadmin")).json()["due"].clone();
    assert_eq!((due, made.get(&admin, "/api/v1/devices").status), (json!(["enrol"]), 200));
    assert_eq!((made.get(&owner, "/api/v1/users").status, made.get(&owner, "/api/v1/profile").status), (403, 200));
    assert_eq!(made.ask("POST", "/api/v1/profile/totp", Some(&owner), None).status, 201);
}
