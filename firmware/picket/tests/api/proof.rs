//! The audit: what was acknowledged is there, whatever is killed; an export proves itself.

use std::fs;
use std::time::Duration;

use serde_json::json;

use super::client::{Box, PASSWORD};
use super::stand::{TEN, eventually, said};

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_api_is_killed_while_writing() {
    let Some((made, root)) = Box::claimed("kill") else { return };
    let gateway = made.stand.id();
    let mut acknowledged = Vec::new();
    for round in 0..4_u64 {
        std::thread::scope(|scope| {
            let killer = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(150 + 70 * round));
                let api = made.process();
                made.stand.gate.shell(&format!("kill -9 {api}")).unwrap();
                api
            });
            for n in 0..30 {
                let name = format!("token {round} {n}");
                let answer = made.post(&root, "/api/v1/tokens", &json!({"name": name, "scopes": ["read"], "days": 1}));
                match answer.status {
                    201 => acknowledged.push(name),
                    0 => break,
                    other => panic!("{other}: {answer:?}"),
                }
            }
            let killed = killer.join().unwrap();
            eventually(TEN, "another API process", || {
                made.ask("GET", "/healthz", None, None).status == 200 && made.process() != killed
            });
        });
    }
    assert!(acknowledged.len() >= 4, "one in each round: {acknowledged:?}");
    assert_eq!(made.stand.id(), gateway, "the gateway went on");
    let kept = every_row(&made, &root, "tokens");
    let file = made.stand.file("audit.jsonl");
    let exported = made.stand.picket(&["audit", "export", "--out", file.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", said(&exported));
    let audit = fs::read_to_string(&file).unwrap();
    for name in &acknowledged {
        assert!(kept.contains(&format!("\"{name}\"")) && audit.contains(&format!("\"{name}\"")), "{name} is lost");
    }
    assert!(made.stand.picket_alone(&["audit", "verify", file.to_str().unwrap()]).status.success());
    assert!(!audit.contains("audit.broken"), "the chain stayed whole");
}

/// All rows of a list, as text.
fn every_row(made: &Box, root: &str, list: &str) -> String {
    let (mut rows, mut path) = (String::new(), format!("/api/v1/{list}?limit=100"));
    loop {
        let page = made.get(root, &path).json();
        rows += &page["items"].to_string();
        match page["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return rows,
        }
    }
}

#[test]
fn acts_of_the_command_line_are_in_the_audit_before_they_are_acknowledged() {
    let Some((made, root)) = Box::claimed("acts") else { return };
    made.try_log_in("root@example.org\r\n{\"forged\":1}", "xxxxxxxxxxxx");
    made.stand.ask(&["block", "192.168.9.77", "--for", "10m", "--why", "lost tablet"]);
    made.post(&root, "/api/v1/blocks", &json!({"host": "192.168.9.78", "why": "lost phone", "for_secs": 60}));
    let file = made.stand.file("audit.jsonl");
    let exported = made.stand.picket(&["audit", "export", "--out", file.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", said(&exported));
    let text = fs::read_to_string(&file).unwrap();
    for words in ["command line", "lost tablet", "lost phone", "auth.claim", "auth.login", "root@example.org"] {
        assert!(text.contains(words), "no {words} in {text}");
    }
    assert!(!text.contains(PASSWORD) && !text.lines().any(|line| line.starts_with("{\"forged")), "{text}");
    let verify = |text: &str| {
        let copy = made.stand.file("copy.jsonl");
        fs::write(&copy, text).unwrap();
        made.stand.picket_alone(&["audit", "verify", copy.to_str().unwrap()])
    };
    assert!(verify(&text).status.success());
    let changed = verify(&text.replace("lost tablet", "lost tables"));
    assert!(changed.status.code() == Some(1) && said(&changed).contains("was changed"), "{}", said(&changed));
    let cut: String =
        text.lines().rev().skip(1).collect::<Vec<_>>().into_iter().rev().map(|line| format!("{line}\n")).collect();
    assert!(said(&verify(&cut)).contains("no trailer"));
}
