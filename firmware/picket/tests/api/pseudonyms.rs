//! Pseudonyms: no name of a person leaves the box, by any way, before another admin consented.

use serde_json::{Value, json};

use super::client::{Box, ROOT};
use super::logs::{enrolled, login, made_with, tell};
use super::post::{Post, configure, set};
use super::stand::{TEN, eventually};

/// Nobody else on the box is called so.
const NAME: &str = "quintessa";
const OTHER: &str = "Rupert.Vandermolen";
const OPS: &str = "ops@example.org";

fn names_nobody(where_: &str, text: &str) {
    let lower = text.to_lowercase();
    for name in [NAME, "rupert", "vandermolen"] {
        assert!(!lower.contains(name), "{where_} names {name}: {}", &text[..text.len().min(4_000)]);
    }
}

/// A report's file, as text.
fn report(made: &Box, format: &str) -> String {
    let at = |shift: &str| made.stand.gate.shell(&format!("date -u -d '{shift}' +%FT%TZ")).unwrap().trim().to_owned();
    let file = made.stand.file(&format!("report.{format}"));
    let out = file.to_str().unwrap();
    let (from, to) = (at("-10 min"), at("+10 min"));
    let done = made.stand.picket(&["report", "make", "--from", &from, "--to", &to, "--format", format, "--out", out]);
    assert!(done.status.success(), "{}", super::stand::said(&done));
    match format {
        "pdf" => made.stand.gate.shell(&format!("pdftotext -layout {out} -")).unwrap(),
        _ => std::fs::read_to_string(file).unwrap(),
    }
}

#[test]
fn no_name_is_in_answers_tables_papers_mail_logs_or_exports_before_somebody_consented() {
    let more = "[intake]\nenabled = true\npseudonyms = true\nconsent_after = \"5s\"";
    let Some((made, root)) = made_with("pseudonyms", more) else { return };
    let post = Post::open(&made, "starttls");
    configure(&made, &root, &post, "starttls");
    let channel = |body: Value| {
        let answer = made.post(&root, "/api/v1/notifications", &body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].to_string()
    };
    channel(json!({"name": "ops", "mail": OPS}));
    let eve = channel(json!({"name": "siem", "url": "eve:file"}));
    let nas = enrolled(&made, &root, "nas");
    let says = |message: String| json!({"program": "sudo", "message": message}).to_string() + "\n";
    let told = login(NAME, "failed").repeat(5)
        + &login(NAME, "done")
        + &says(format!("{OTHER} : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/{NAME} ; USER=root ; COMMAND=/bin/cat /home/{NAME}/.ssh/id")).repeat(3)
        + &says(format!("(QUINTESSA) CMD (run for {NAME}.)"));
    assert_eq!(tell(&made, &nas, &told).status, 200);
    let incidents = || made.get(&root, "/api/v1/incidents").json()["items"].as_array().unwrap().len();
    eventually(TEN, "the incidents", || incidents() == 2);
    eventually(30, "the mail", || post.of(OPS).len() >= 2);
    let file = format!("/api/v1/notifications/{eve}/file");
    eventually(20, "the export", || made.get(&root, &file).text.lines().count() >= 2);

    // Answers of the API, and tables.
    let subjects = made.get(&root, "/api/v1/subjects").json();
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    let all: Vec<String> = subjects["items"].as_array().unwrap().iter().map(id).collect();
    assert!(all.len() == 2 && all.iter().all(|id| id.starts_with("person-") && id.ends_with(" on nas")), "{all:?}");
    let lists = [
        "logs?limit=100",
        "subjects",
        "incidents",
        "incidents/1",
        "incidents/2",
        "activity?limit=100",
        "alerts",
        "threats",
        "sources",
        "audit?limit=100",
        "notifications",
        "hosts",
        "devices",
        "statistics",
        "system",
        "settings?limit=100",
        "reports",
        "disclosures",
    ];
    for path in lists {
        let answer = made.get(&root, &format!("/api/v1/{path}"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        names_nobody(path, &answer.text);
        let table = made.ask_with("GET", &format!("/api/v1/{path}"), Some(&root), None, &["Accept: text/csv"]);
        names_nobody(&format!("{path} as CSV"), &table.text);
    }
    for path in ["logs?limit=100", "incidents", "activity?limit=100"] {
        assert!(made.get(&root, &format!("/api/v1/{path}")).text.contains("person-"), "{path} tells of nobody");
    }
    // Papers, mail, logs, exports, the command line.
    for format in ["csv", "json", "html", "pdf"] {
        let text = report(&made, format);
        names_nobody(format, &text);
        assert!(!text.is_empty(), "{format}");
    }
    for letter in post.of(OPS) {
        names_nobody("a mail", &letter);
        assert!(letter.contains("person-"), "{letter}");
    }
    names_nobody("the log", &made.stand.log());
    names_nobody("the export for a SIEM", &made.get(&root, &file).text);
    names_nobody("the figures", &made.get(&root, "/metrics").text);
    for words in [
        &["activity", "--limit", "100", "--json"][..],
        &["activity", "--csv"],
        &["incidents", "1"],
        &["incidents", "--json"],
    ] {
        names_nobody(&words.join(" "), &super::stand::said(&made.stand.picket(words)));
    }

    // Nor does a search tell whose pseudonym it is: only what is shown can be looked for.
    let rows = |query: &str| {
        made.get(&root, &format!("/api/v1/logs?{query}&limit=100")).json()["items"].as_array().unwrap().len()
    };
    assert_eq!((rows("text=quint"), rows(&format!("subject={NAME}"))), (0, 0));
    let logs = made.get(&root, "/api/v1/logs?action=login&limit=100").json();
    let person = logs["items"][0]["subject"].as_str().unwrap().to_owned();
    assert_eq!((rows(&format!("subject={person}")), rows("text=person-") >= 6), (6, true));
    assert_eq!(made.stand.ask(&["activity", "--subject", &person, "--count"])["count"], 6);
    assert!(!made.stand.picket(&["activity", "--text", "quint", "--count"]).status.success());
    // A source of one's own that tells of the same name has another pseudonym for it.
    let mine = enrolled(&made, &root, "mine");
    tell(&made, &mine, &login(NAME, "done"));
    let own = made.get(&root, "/api/v1/logs?device=mine").json()["items"][0]["subject"].as_str().unwrap().to_owned();
    assert!(own.starts_with("person-") && own != person, "{own} {person}");

    // With one admin it opens after a wait; to nobody does it earlier.
    let ask = |token: &str, subject: &str| {
        made.post(token, "/api/v1/disclosures", &json!({"subject": subject, "reason": "a case"}))
    };
    let act = |token: &str, id: &Value, what: &str| {
        made.ask("POST", &format!("/api/v1/disclosures/{id}/{what}"), Some(token), None)
    };
    assert_eq!(ask(&root, "person-0000000000").json()["field"], "subject");
    let alone = ask(&root, &person).json();
    assert_eq!((&alone["state"], alone["opens"].is_string()), (&json!("waiting"), true), "{alone}");
    assert_eq!(act(&root, &alone["id"], "name").status, 409);
    eventually(20, "the wait to be over", || act(&root, &alone["id"], "name").status == 200);
    assert_eq!(act(&root, &alone["id"], "name").json()["name"], format!("{NAME} on nas"));
    eventually(20, "the notice", || post.of(ROOT).iter().any(|letter| letter.contains(&person)));

    // With two, the other one consents, once that account is old enough; the name is told to who asked.
    // Without a mail server the code of the new account is handed out here.
    set(&made, &root, "mail.server", &json!(""));
    let (_, admin) = made.account(&root, "admin");
    set(&made, &root, "mail.server", &json!("127.0.0.1"));
    let both = ask(&root, &person).json();
    assert_eq!((&both["state"], &both["opens"]), (&json!("waiting"), &Value::Null), "{both}");
    assert_eq!(act(&root, &both["id"], "consent").status, 409, "who asks consents");
    assert_eq!(act(&root, &both["id"], "name").status, 409);
    eventually(20, "consent", || act(&admin, &both["id"], "consent").status == 200);
    assert_eq!(act(&admin, &both["id"], "name").status, 409, "the name is told to who did not ask");
    assert_eq!(act(&root, &both["id"], "name").json()["name"], format!("{NAME} on nas"));
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    for what in ["subject.ask", "subject.consent", "subject.name"] {
        assert!(audit.contains(what), "{what} is not in the audit");
    }
    names_nobody("the audit", &audit);
    for letter in post.of(ROOT) {
        names_nobody("a notice", &letter);
    }
    assert_eq!(made.ask("DELETE", &format!("/api/v1/disclosures/{}", both["id"]), Some(&root), None).status, 204);
    assert_eq!(act(&root, &both["id"], "name").status, 404);
}
