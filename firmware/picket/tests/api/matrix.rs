//! Every route, every role, every kind of session: a route that has no row here fails.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::Box;

/// Who may, written by hand: `-` everybody, `e` enrolled sources and no account, else the letters of user, auditor, admin and superadmin.
const TABLE: &str = "
POST   /api/v1/auth/claim                 -
GET    /api/v1/auth/claim                 -
POST   /api/v1/auth/login                 -
POST   /api/v1/auth/verify                -
POST   /api/v1/auth/register              -
POST   /api/v1/auth/resend                -
GET    /healthz                           -
GET    /.well-known/security.txt          -
POST   /api/v1/auth/logout                u t a s
POST   /api/v1/auth/password              u t a s
POST   /api/v1/auth/totp                  u t a s
POST   /api/v1/profile/totp               u t a s
POST   /api/v1/profile/totp/confirm       u t a s
DELETE /api/v1/profile/totp               u t a s
GET    /api/v1/profile                    u t a s
PATCH  /api/v1/profile                    u t a s
GET    /api/v1/sessions                   u t a s
DELETE /api/v1/sessions/{id}              u t a s
GET    /api/v1/openapi.json               u t a s
GET    /api/v1/users                      t s
POST   /api/v1/users                      s
GET    /api/v1/users/{id}                 t s
PATCH  /api/v1/users/{id}                 s
DELETE /api/v1/users/{id}                 s
POST   /api/v1/users/{id}/code            s
POST   /api/v1/users/{id}/approve         s
GET    /api/v1/users/{id}/sessions        t s
DELETE /api/v1/users/{id}/sessions        s
GET    /api/v1/tokens                     t a s
POST   /api/v1/tokens                     a s
DELETE /api/v1/tokens/{id}                a s
GET    /api/v1/hosts                      t a s
GET    /api/v1/hosts/{host}               t a s
GET    /api/v1/devices                    u t a s
GET    /api/v1/devices/{id}               u t a s
PATCH  /api/v1/devices/{id}               a s
DELETE /api/v1/devices/{id}               a s
POST   /api/v1/devices/{id}/approve       a s
POST   /api/v1/devices/{id}/quarantine    a s
POST   /api/v1/devices/{id}/block         a s
POST   /api/v1/devices/{id}/undecide      a s
POST   /api/v1/devices/{id}/merge         a s
POST   /api/v1/devices/{id}/split         a s
GET    /api/v1/groups                     t a s
POST   /api/v1/groups                     a s
GET    /api/v1/groups/{name}              t a s
PATCH  /api/v1/groups/{name}              a s
DELETE /api/v1/groups/{name}              a s
GET    /api/v1/rules                      t a s
GET    /api/v1/rules/policy               t a s
GET    /api/v1/rules/export               t a s
POST   /api/v1/rules/check                t a s
POST   /api/v1/rules/diff                 t a s
GET    /api/v1/rules/draft                a s
POST   /api/v1/rules/draft                a s
DELETE /api/v1/rules/draft                a s
POST   /api/v1/rules/apply                a s
GET    /api/v1/rules/trial                t a s
POST   /api/v1/rules/confirm              a s
POST   /api/v1/rules/revert               a s
GET    /api/v1/rules/history              t a s
GET    /api/v1/rules/history/{id}         t a s
POST   /api/v1/rules/explain              t a s
POST   /api/v1/rules/mud                  t a s
GET    /api/v1/rules/mud/{name}           t a s
POST   /api/v1/rules/timemachine          t a s
GET    /api/v1/flows                      u t a s
POST   /api/v1/proposals/{device}         t a s
GET    /api/v1/proposals/{device}/shadow  t a s
POST   /api/v1/proposals/{device}/shadow  a s
POST   /api/v1/proposals/{device}/enforce a s
GET    /api/v1/posture                    t a s
POST   /api/v1/posture                    a s
GET    /api/v1/requests                   u t a s
POST   /api/v1/requests                   u a s
GET    /api/v1/requests/{id}              u t a s
POST   /api/v1/requests/{id}/grant        a s
POST   /api/v1/requests/{id}/refuse       a s
DELETE /api/v1/requests/{id}              u a s
GET    /api/v1/model                      t a s
POST   /api/v1/model/check                t a s
POST   /api/v1/model/dry-run              t a s
POST   /api/v1/model/load                 s
POST   /api/v1/model/revert               s
POST   /api/v1/model/shadow               s
DELETE /api/v1/model/shadow               s
POST   /api/v1/model/classify             t a s
GET    /api/v1/indicators                 t a s
POST   /api/v1/indicators                 a s
DELETE /api/v1/indicators/{name}          a s
POST   /api/v1/indicators/{name}/past     t a s
GET    /api/v1/threats                    t a s
GET    /api/v1/threats/{id}               t a s
GET    /api/v1/threats/{id}/pcap          t a s
POST   /api/v1/threats/{id}/feedback      a s
DELETE /api/v1/threats/{id}/feedback      a s
GET    /api/v1/alerts                     t a s
GET    /api/v1/alerts/{id}                t a s
POST   /api/v1/alerts/{id}/acknowledge    a s
POST   /api/v1/alerts/{id}/assign         a s
POST   /api/v1/alerts/{id}/note           a s
POST   /api/v1/alerts/{id}/mute           a s
POST   /api/v1/alerts/{id}/false-alarm    a s
GET    /api/v1/blocks                     t a s
POST   /api/v1/blocks                     a s
GET    /api/v1/blocks/{host}              t a s
DELETE /api/v1/blocks/{host}              a s
GET    /api/v1/activity                   u t a s
GET    /api/v1/events                     u t a s
GET    /api/v1/statistics                 t a s
GET    /api/v1/incidents                  t a s
GET    /api/v1/incidents/{id}             t a s
POST   /api/v1/incidents/{id}/assign      a s
POST   /api/v1/incidents/{id}/comment     a s
POST   /api/v1/incidents/{id}/close       a s
POST   /api/v1/incidents/{id}/reopen      a s
POST   /api/v1/incidents/{id}/merge       a s
POST   /api/v1/incidents/{id}/split       a s
GET    /api/v1/notifications              t a s
POST   /api/v1/notifications              a s
PATCH  /api/v1/notifications/{id}         a s
DELETE /api/v1/notifications/{id}         a s
POST   /api/v1/notifications/{id}/test    a s
GET    /api/v1/notifications/{id}/letters t a s
GET    /api/v1/notifications/{id}/file    t a s
GET    /api/v1/logs                       t a s
POST   /api/v1/logs                       e
GET    /api/v1/subjects                   t a s
GET    /api/v1/disclosures                t a s
POST   /api/v1/disclosures                a s
POST   /api/v1/disclosures/{id}/consent   a s
POST   /api/v1/disclosures/{id}/name      a s
DELETE /api/v1/disclosures/{id}           a s
GET    /api/v1/sources                    t a s
POST   /api/v1/sources                    a s
POST   /api/v1/sources/redeem             -
DELETE /api/v1/sources/{id}               a s
GET    /api/v1/reports                    t a s
POST   /api/v1/reports                    t a s
GET    /api/v1/reports/{id}               t a s
GET    /api/v1/reports/{id}/file          t a s
GET    /api/v1/statistics/{reach}/{topic} t a s
GET    /api/v1/audit                      t s
GET    /api/v1/audit/state                t s
GET    /api/v1/audit/verify               t s
GET    /api/v1/catalogue                  u t a s
GET    /api/v1/system                     t a s
GET    /api/v1/system/resources           t a s
GET    /api/v1/system/ports               t a s
GET    /api/v1/system/certificate         t a s
POST   /api/v1/system/certificate         s
DELETE /api/v1/system/certificate         s
POST   /api/v1/system/restart             s
POST   /api/v1/system/shutdown            s
GET    /api/v1/settings                   t a s
GET    /api/v1/settings/{id}              t a s
PATCH  /api/v1/settings/{id}              a s
POST   /api/v1/backup                     s
POST   /api/v1/backup/restore             s
POST   /api/v1/settings/mail/test         a s
GET    /metrics                           t a s
";

fn rows() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?, words.collect()))
    };
    TABLE.lines().filter_map(row).collect()
}

#[test]
fn every_route_takes_exactly_the_roles_of_its_row() {
    let Some((made, root)) = Box::claimed("matrix") else { return };
    let served = made.get(&root, "/api/v1/openapi.json").json();
    let printed: Value = serde_json::from_slice(&made.stand.picket_alone(&["openapi"]).stdout).unwrap();
    assert_eq!(served["paths"], printed["paths"]);
    let declared: BTreeSet<(String, String)> = served["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |m| (m.to_uppercase(), path.clone())))
        .collect();
    let listed: BTreeSet<(String, String)> = rows().iter().map(|row| (row.0.into(), row.1.into())).collect();
    assert_eq!(declared, listed, "each route has a row, each row a route");

    let tokens: Vec<(&str, String)> = [("u", "user"), ("t", "auditor"), ("a", "admin")]
        .map(|(letter, role)| (letter, made.account(&root, role).1))
        .into();
    let ended = made.log_in("admin@example.org", "correct-horse-7-staple-admin");
    assert_eq!(made.ask("POST", "/api/v1/auth/logout", Some(&ended), None).status, 204);
    let accounts = |token: &str| made.get(token, "/api/v1/users").text;
    let before = accounts(&root);
    let mut wrong = Vec::new();
    for (method, path, who) in rows() {
        let concrete = path
            .replace("{id}", "999999999")
            .replace("{host}", "203.0.113.99")
            .replace("{name}", "nobody")
            .replace("{device}", "nobody");
        let body = (method != "GET" && method != "DELETE").then_some("{\"");
        let mut expect = |name: &str, token: Option<&str>, wanted: &dyn Fn(u16) -> bool| {
            let status = made.ask(method, &concrete, token, body).status;
            if !wanted(status) {
                wrong.push(format!("{method} {path} as {name}: {status}"));
            }
        };
        if who == ["e"] {
            for token in [None, Some("a.b.c")].into_iter().chain(tokens.iter().map(|(_, token)| Some(token.as_str()))) {
                expect("no source", token, &|status| status == 401);
            }
            continue;
        }
        if who == ["-"] {
            expect("nobody", None, &|status| status != 401);
            continue;
        }
        for (name, token) in
            [("nobody", None), ("one who logged out", Some(ended.as_str())), ("a forger", Some("a.b.c"))]
        {
            expect(name, token, &|status| status == 401);
        }
        for (letter, token) in &tokens {
            if !who.contains(letter) {
                expect(letter, Some(token), &|status| status == 403);
            } else if path != "/api/v1/events" && path != "/api/v1/auth/logout" {
                expect(letter, Some(token), &|status| status != 0 && status < 500 && !matches!(status, 401 | 403));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(accounts(&root), before, "a refused act changes nothing");
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    assert!(audit.contains("this role may not") && audit.contains("user@example.org"), "{audit}");
}

#[test]
fn lists_show_a_real_attack() {
    let Some((made, root)) = Box::claimed("rows") else { return };
    use super::stand::{HOST, ROUTER, TEN, eventually};
    made.stand
        .host
        .shell(&format!("nmap -n -Pn -sS -T4 --max-rate 100 --max-retries 0 --host-timeout 6s -p 1000-1060 {ROUTER}"))
        .unwrap();
    for path in ["threats", "alerts", "blocks", "activity", "hosts", "audit"] {
        eventually(TEN, path, || made.get(&root, &format!("/api/v1/{path}")).text.contains(HOST));
    }
    let alerts = made.get(&root, "/api/v1/alerts").json();
    let of_host = alerts["items"].as_array().unwrap().iter().filter(|alert| alert["host"] == HOST).count();
    assert_eq!(of_host, 1, "one rise, one alert: {alerts}");
    let id = alerts["items"][0]["id"].to_string();
    let seen =
        made.post(&root, &format!("/api/v1/alerts/{id}/acknowledge"), &serde_json::json!({"note": "I look"})).json();
    assert_eq!(
        (seen["acknowledged_by"].as_str(), seen["notes"][0]["text"].as_str()),
        (Some("root@example.org"), Some("I look"))
    );
    let threat = made.get(&root, &format!("/api/v1/threats/{}", alerts["items"][0]["threat"])).json();
    assert!(!threat["frames"].as_array().unwrap().is_empty(), "{threat}");
    // They are those of the newest second.
    eventually(TEN, "the totals", || {
        let totals = made.get(&root, "/api/v1/statistics").json();
        totals["blocks"].as_u64() > Some(0) && totals["frames"].as_u64() > Some(0)
    });
    assert_eq!(made.ask("DELETE", &format!("/api/v1/blocks/{HOST}"), Some(&root), None).status, 204);
    assert_eq!(made.get(&root, &format!("/api/v1/blocks/{HOST}")).status, 404);
    // The feed tells again what was missed.
    let feed = made.ask_with("GET", "/api/v1/events", Some(&root), None, &["Last-Event-ID: 0"]);
    assert!(feed.text.contains("event: activity") && feed.text.contains(HOST), "{feed:?}");
}
