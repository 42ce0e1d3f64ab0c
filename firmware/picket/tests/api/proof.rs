//! The audit: what was acknowledged is there, whatever is killed; an export proves itself.

use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Box, PASSWORD, ROOT};
use super::stand::{eventually, said};

#[test]
fn nothing_that_was_acknowledged_is_lost_when_api_and_gateway_are_killed_while_writing() {
    kill("kill", 4);
}

#[test]
#[ignore = "long form: two hundred kills of the API and of the gateway"]
fn nothing_that_was_acknowledged_is_lost_in_two_hundred_kills() {
    kill("kills", 200);
}

/// Tokens that are kept at a time, below the bound of the box; the oldest one is ended for the next. Accounts that are made, likewise.
const TOKENS: usize = 100;
const ACCOUNTS: usize = 900;

/// What was acknowledged so far.
#[derive(Default)]
struct Acknowledged {
    /// Tokens that were made and not ended, with their numbers, and those that were ended.
    tokens: VecDeque<(u64, String)>,
    ended: Vec<String>,
    accounts: Vec<String>,
    /// Changes of the policy, each of which replaces the one before.
    policies: Vec<u64>,
}

impl Acknowledged {
    /// Makes the next change; its status, which is 0 where nobody answered.
    fn write(&mut self, made: &Box, root: &str, number: u64) -> u16 {
        let name = format!("n{number}n");
        match number % 3 {
            1 if self.accounts.len() < ACCOUNTS => {
                let body = json!({"email": format!("{name}@example.org"), "first_name": "Ada"});
                let status = made.post(root, "/api/v1/users", &body).status;
                self.accounts.extend((status == 201).then_some(name));
                status
            }
            0 | 1 if self.tokens.len() == TOKENS => {
                let Some((id, name)) = self.tokens.pop_front() else { return 0 };
                let status = made.ask("DELETE", &format!("/api/v1/tokens/{id}"), Some(root), None).status;
                self.ended.extend((status == 204).then_some(name));
                status
            }
            0 | 1 => {
                let body = json!({"name": name, "scopes": ["read"], "days": 1});
                let answer = made.post(root, "/api/v1/tokens", &body);
                if answer.status == 201 {
                    self.tokens.push_back((answer.json()["id"].as_u64().unwrap(), name));
                }
                answer.status
            }
            _ => {
                let text = format!(
                    "posture = \"protect\"\n[[allow]]\nname = \"{name}\"\nwho = \"lan\"\nto = \"internet\"\nservice = \"tcp/80\"\n"
                );
                let body = json!({"text": text, "why": format!("change {name}")});
                let status = made.post(root, "/api/v1/rules/apply", &body).status;
                self.policies.extend((status == 200).then_some(number));
                status
            }
        }
    }

    /// That all of it is there: the rows, the policy, and a record of each in a chain that is whole.
    fn is_there(&self, made: &Box, root: &str) {
        let file = made.stand.file("audit.jsonl");
        let exported = made.stand.picket(&["audit", "export", "--out", file.to_str().unwrap()]);
        assert!(exported.status.success(), "{}", said(&exported));
        let verified = made.stand.picket_alone(&["audit", "verify", file.to_str().unwrap()]);
        assert!(verified.status.success(), "{}", said(&verified));
        let audit = fs::read_to_string(&file).unwrap();
        assert!(!audit.contains("audit.broken"), "the chain stayed whole");
        let [tokens, accounts] = ["tokens", "users"].map(|list| every_row(made, root, list));
        for (_, name) in &self.tokens {
            assert!(tokens.contains(name) && audit.contains(name), "token {name} is lost");
        }
        for name in &self.ended {
            assert!(!tokens.contains(name) && audit.contains(name), "token {name} is back");
        }
        for name in &self.accounts {
            assert!(accounts.contains(name) && audit.contains(name), "account {name} is lost");
        }
        for number in &self.policies {
            assert!(audit.contains(&format!("change n{number}n")), "the record of change {number} is lost");
        }
        self.policy_holds(made, root);
    }

    /// That the policy in force is the one that was acknowledged last, or a newer one whose answer was lost.
    fn policy_holds(&self, made: &Box, root: &str) {
        let Some(last) = self.policies.last() else { return };
        let text = made.get(root, "/api/v1/rules/export").text;
        let kept = text.split("\"n").nth(1).and_then(|rest| rest.split('n').next()?.parse::<u64>().ok());
        assert!(kept.is_some_and(|kept| kept >= *last), "change {last} was acknowledged, and there is {text}");
    }
}

/// Kills the API and the gateway in turn, at drawn moments while a superadmin writes.
fn kill(test: &str, times: u64) {
    let Some((mut made, mut root)) = Box::claimed(test) else { return };
    let mut all = Acknowledged::default();
    let (mut moment, mut number) = (0x2545_f491_4f6c_dd1d_u64, 0);
    for round in 0..times {
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let gateway = made.stand.id();
        let whole = round % 2 == 1;
        let victim = if whole { gateway } else { made.process() };
        let done = AtomicU32::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // A write of each kind first, however slow the machine is.
                let begun = Instant::now();
                while done.load(Ordering::Relaxed) < 3 && begun.elapsed() < Duration::from_secs(60) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                std::thread::sleep(Duration::from_millis((moment >> 33) % 500));
                made.stand.gate.shell(&format!("kill -9 {victim}")).unwrap();
            });
            loop {
                number += 1;
                match all.write(&made, &root, number) {
                    0 => break,
                    200 | 201 | 204 => done.fetch_add(1, Ordering::Relaxed),
                    503 => 0,
                    // Accounts are made with a log-in of the last five minutes.
                    403 => {
                        root = made.log_in(ROOT, PASSWORD);
                        0
                    }
                    other => panic!("kill {round}: {other}"),
                };
            }
        });
        if whole {
            made.stand.kill();
            made.stand.start();
        }
        eventually(30, "another API process", || {
            made.ask("GET", "/healthz", None, None).status == 200 && made.process() != victim
        });
        assert!(whole || made.stand.id() == gateway && made.stand.runs(), "kill {round}: the gateway went on");
        all.policy_holds(&made, &root);
    }
    let Acknowledged { tokens, ended, accounts, policies } = &all;
    println!(
        "{times} kills: acknowledged were {} tokens, {} ends of tokens, {} accounts, {} changes of the policy",
        tokens.len() + ended.len(),
        ended.len(),
        accounts.len(),
        policies.len()
    );
    let written = tokens.len() + ended.len() + accounts.len() + policies.len();
    assert!(written as u64 >= 3 * times, "three writes or more before each kill");
    all.is_there(&made, &root);
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
