//! Limits at every stage: what is silent, slow or long loses its connection, and a real request goes through meanwhile.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::client::Box;

/// A TLS connection that sends these words and then nothing; ends when the server hangs up.
fn silent(made: &Box, protocol: &str, words: &str) -> Child {
    let send = format!(
        "(printf '{words}'; sleep 90) | timeout 90 openssl s_client -quiet -connect 127.0.0.1:8443 -alpn {protocol} >/dev/null 2>&1"
    );
    made.stand
        .gate
        .command("sh")
        .args(["-c", &format!("{send}; kill $$ 2>/dev/null")])
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_client_that_goes_silent_is_gone_within_seconds_at_every_stage() {
    let Some((made, root)) = Box::claimed("silent") else { return };
    let begin = Instant::now();
    let slow_body = "POST /api/v1/auth/login HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\nContent-Length: 100\\r\\n\\r\\n{";
    let stages = [
        ("nothing after TLS, HTTP/1.1", "http/1.1", ""),
        ("nothing after TLS, HTTP/2", "h2", ""),
        ("half a header", "http/1.1", "GET / HTTP/1.1\\r\\nX: "),
        ("a body that never comes", "http/1.1", slow_body),
    ];
    let mut all: Vec<_> =
        stages.iter().map(|(name, protocol, words)| (*name, silent(&made, protocol, words))).collect();
    let mut tcp = made
        .stand
        .gate
        .command("sh")
        .args(["-c", "sleep 30 | timeout 30 curl -s telnet://127.0.0.1:8443 >/dev/null; kill $$"])
        .spawn()
        .unwrap();
    let connections = || made.stand.gate.shell("ss -Htn state established sport = :8443 | wc -l").unwrap();
    super::stand::eventually(5, "all of them to be connected", || connections().trim() == "5");
    let asked = Instant::now();
    assert_eq!(made.get(&root, "/api/v1/profile").status, 200);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    while connections().trim() != "0" {
        assert!(begin.elapsed() < Duration::from_secs(16), "{} connections are left", connections().trim());
        std::thread::sleep(Duration::from_millis(200));
    }
    for (_, child) in &mut all {
        let _ = child.kill();
        let _ = child.wait();
    }
    let _ = tcp.kill();
    let _ = tcp.wait();
}

#[test]
fn what_is_too_long_or_no_json_is_refused_and_the_next_request_is_served() {
    let Some((made, root)) = Box::claimed("bodies") else { return };
    let long = format!("{{\"email\":\"{}\"}}", "x".repeat(60_000));
    let deep = "[".repeat(15_000);
    let cases = [
        (long.as_str(), 413),
        (&deep, 400),
        ("{\"", 400),
        ("[]", 422),
        ("{\"email\":1e999}", 400),
        ("{\"email\":\"a\",\"password\":\"b\",\"more\":1}", 422),
    ];
    for (body, status) in cases {
        let answer = made.ask("POST", "/api/v1/auth/login", None, Some(body));
        assert_eq!(answer.status, status, "{} {answer:?}", &body[..body.len().min(40)]);
        assert!(answer.head.contains("application/problem+json"), "{answer:?}");
    }
    let plain = made.ask_with("POST", "/api/v1/auth/login", None, None, &["Content-Type: text/plain"]);
    assert_eq!(plain.status, 415);
    assert_eq!(made.ask("PUT", "/api/v1/profile", Some(&root), None).status, 405);
    assert_eq!(made.get(&root, "/api/v1/users/%ff").status, 404);
    assert_eq!(made.get(&root, "/api/v1/users?limit=1000").status, 422);
    assert_eq!(made.get(&root, "/api/v1/profile").status, 200);
}

#[test]
fn a_body_of_a_gibibyte_is_refused_long_before_its_end_and_memory_does_not_grow() {
    let Some((made, root)) = Box::claimed("gibibyte") else { return };
    let held = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", made.process())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim_end_matches("kB").trim().parse().unwrap()
    };
    let before = held();
    // A file of nothing but holes, with its length told beforehand, or as a stream without one.
    let file = made.stand.file("gibibyte");
    std::fs::File::create(&file).unwrap().set_len(1 << 30).unwrap();
    let file = file.display();
    for (path, version, from) in [
        ("auth/login", "--http1.1", format!("-T {file}")),
        ("auth/login", "--http1.1", format!("-T - < {file}")),
        ("auth/login", "--http2", format!("-T - < {file}")),
        ("rules/apply", "--http1.1", format!("-T - < {file}")),
        ("rules/apply", "--http2", format!("-T {file}")),
    ] {
        let line = format!(
            "curl -sk {version} --max-time 30 -X POST -H 'Expect:' -H 'Content-Type: application/json' -H 'Authorization: Bearer {root}' \
             -o /dev/null -w '%{{http_code}} %{{size_upload}}' https://127.0.0.1:8443/api/v1/{path} {from} || true"
        );
        let told = made.stand.gate.shell(&line).unwrap();
        let (status, sent) = told.trim().split_once(' ').unwrap_or_else(|| panic!("{told}"));
        // Whoever goes on sending may lose the answer with the connection.
        assert!(matches!(status, "413" | "408" | "000"), "{path} {version} {from}: {told}");
        assert!(sent.parse::<u64>().unwrap() < 64 << 20, "{path} {version} {from}: {told}");
        assert_eq!(made.get(&root, "/api/v1/profile").status, 200);
    }
    let grown = held().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB more than before");
}
