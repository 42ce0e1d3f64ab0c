//! The daily letter: written at its time, once, made up for after the box was off, kept, and refused where it could never be.

use serde_json::{Value, json};

use super::client::Box;
use super::post::{Post, configure, set};
use super::stand::{HOST, ROUTER, eventually};

/// The minute of the day in UTC, so many minutes from now, as `07:00`, and how many seconds the present one still lasts.
fn minute(made: &Box, more: u64) -> (String, u64) {
    let now = made.stand.gate.shell("date -u +'%H %M %S'").unwrap();
    let now: Vec<u64> = now.split_whitespace().map(|part| part.parse().unwrap()).collect();
    let minute = now[0] * 60 + now[1] + more;
    (format!("{:02}:{:02}", minute / 60 % 24, minute % 60), 60 - now[2])
}

/// The reports on the box.
fn reports(made: &Box, root: &str) -> Vec<Value> {
    made.get(root, "/api/v1/reports").json()["items"].as_array().unwrap().clone()
}

#[test]
fn a_letter_is_written_when_its_time_has_come_to_each_who_is_to_have_it_and_once() {
    let Some((made, root)) = Box::claimed("letter") else { return };
    let post = Post::open(&made, "starttls");
    configure(&made, &root, &post, "starttls");
    set(&made, &root, "reports.to", &json!("ada@example.org, bob@example.org"));
    set(&made, &root, "box.organisation", &json!("Dorfschule <Nord>"));
    // Its first time lies a day back, and makes nothing; the next one is the minute that has just begun.
    set(&made, &root, "reports.daily", &json!(minute(&made, 2).0));
    std::thread::sleep(std::time::Duration::from_secs(12));
    assert_eq!((reports(&made, &root).len(), post.of("ada@example.org").len()), (0, 0));
    set(&made, &root, "reports.daily", &json!(minute(&made, 0).0));
    eventually(40, "both letters", || !post.of("ada@example.org").is_empty() && !post.of("bob@example.org").is_empty());
    let letter = post.of("ada@example.org").remove(0);
    for words in
        ["Subject: Picket: daily letter", "Dorfschule <Nord>", "Findings 0 (before: 0)", "The box: all is well"]
    {
        assert!(letter.contains(words), "{words}: {letter}");
    }
    let kept = reports(&made, &root);
    assert_eq!((kept.len(), &kept[0]["state"], &kept[0]["format"]), (1, &json!("done"), &json!("pdf")), "{kept:?}");
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert_eq!((post.of("ada@example.org").len(), post.of("bob@example.org").len()), (1, 1));
}

#[test]
#[ignore = "long form: it waits for a minute of the clock"]
fn a_letter_that_was_missed_is_written_once_and_tells_what_the_report_on_the_box_tells() {
    let Some((mut made, root)) = Box::claimed("calendar") else { return };
    for (id, wrong) in [
        ("reports.daily", "25:00"),
        ("reports.daily", "mon 07:00"),
        ("reports.weekly", "07:00"),
        ("reports.weekly", "someday 07:00"),
        ("reports.time_zone", "Mars/Olympus"),
        ("reports.to", "ada@example.org, nobody"),
    ] {
        let body = json!({"value": wrong}).to_string();
        let answer = made.ask("PATCH", &format!("/api/v1/settings/{id}"), Some(&root), Some(&body));
        assert_eq!((answer.status, &answer.json()["field"]), (422, &json!("value")), "{id} {wrong}: {answer:?}");
    }
    let post = Post::open(&made, "starttls");
    configure(&made, &root, &post, "starttls");
    set(&made, &root, "reports.to", &json!("ada@example.org, bob@example.org"));
    set(&made, &root, "box.organisation", &json!("Dorfschule <Nord>"));
    // A scan, of which the letter is to tell.
    made.stand
        .host
        .shell(&format!("nmap -n -Pn -sS -T4 --max-rate 100 --max-retries 0 --host-timeout 6s -p 1000-1060 {ROUTER}"))
        .unwrap();
    eventually(20, "the finding", || made.get(&root, "/api/v1/threats").text.contains(HOST));
    // Its first time is in the past, and makes nothing.
    set(&made, &root, "reports.daily", &json!(minute(&made, 0).0));
    std::thread::sleep(std::time::Duration::from_secs(12));
    assert_eq!((reports(&made, &root).len(), post.of("ada@example.org").len()), (0, 0));
    let (next, wait) = minute(&made, 1);
    set(&made, &root, "reports.daily", &json!(next));
    // The box is off when its time comes.
    made.stand.kill();
    std::thread::sleep(std::time::Duration::from_secs(wait + 2));
    made.stand.start_blocked();
    eventually(20, "the API", || made.ask("GET", "/healthz", None, None).status == 200);
    eventually(40, "both letters", || !post.of("ada@example.org").is_empty() && !post.of("bob@example.org").is_empty());
    let letter = post.of("ada@example.org").remove(0);
    for words in ["Subject: Picket: daily letter", "Dorfschule <Nord>", "port_scan_vertical", "The box: all is well"] {
        assert!(letter.contains(words), "{words}: {letter}");
    }
    let kept = reports(&made, &root);
    let [report] = &kept[..] else { panic!("one report: {kept:?}") };
    assert_eq!(
        (&report["state"], &report["format"], &report["by"]),
        (&json!("done"), &json!("pdf"), &json!("calendar: daily"))
    );
    // The same period on demand says the same to the digit.
    let ask = json!({"from": report["from"], "to": report["to"], "format": "json"});
    let demanded = made.post(&root, "/api/v1/reports", &ask).json();
    let path = format!("/api/v1/reports/{}", demanded["id"]);
    eventually(20, "the report on demand", || made.get(&root, &path).json()["state"] == "done");
    let figures: Value = made.get(&root, &format!("{path}/file")).json();
    assert_eq!(figures["organisation"], "Dorfschule <Nord>");
    let counts = &figures["counts"];
    assert!(counts["high"].as_u64() > Some(0), "{counts}");
    let counted = format!("Findings {} (before: 0), level HIGH {} (before: 0)", counts["findings"], counts["high"]);
    assert!(letter.contains(&counted), "{counted}: {letter}");
    // Once, also over another restart.
    made.stand.kill();
    made.stand.start_blocked();
    eventually(20, "the API", || made.ask("GET", "/healthz", None, None).status == 200);
    std::thread::sleep(std::time::Duration::from_secs(8));
    assert_eq!((post.of("ada@example.org").len(), post.of("bob@example.org").len()), (1, 1));
    assert_eq!(reports(&made, &root).iter().filter(|report| report["by"] == "calendar: daily").count(), 1);
}
