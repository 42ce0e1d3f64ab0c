//! The API under the tools that people point at one: schemathesis, sslyze, slowhttptest, hydra, nmap.
//!
//! `tests/setup attack` installs them. The short forms run in `make test`, the long ones in `make test-long`.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::client::{BASE, Box, PASSWORD, ROOT};
use super::stand::{TEN, eventually};

/// What would end the run, the session that drives it, or never answer.
const LEFT_OUT: &str =
    "/(events|auth/logout|auth/password|system/restart|system/shutdown|backup/restore)$|/sessions|/totp";

/// What no answer may fail.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// A tool out of `tests/setup attack`.
fn tool(name: &str) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let tool = target.parent().unwrap().join("attack/venv/bin").join(name);
    assert!(tool.exists(), "{} is missing: run tests/setup attack", tool.display());
    tool
}

/// What a program printed, on either stream, without its colours.
fn printed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain += before;
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

/// Drives every operation as one role; the number of requests.
fn drive(made: &Box, role: &str, token: &str, phases: &str, examples: u32) -> u32 {
    let mut command = made.stand.gate.command(tool("schemathesis").to_str().unwrap());
    command.args(["run", &format!("{BASE}/api/v1/openapi.json"), "--tls-verify", "false"]);
    command.args(["-H", &format!("Authorization: Bearer {token}"), "--exclude-path-regex", LEFT_OUT]);
    command.args(["--checks", CHECKS]);
    command.args(["--phases", phases, "--max-examples", &examples.to_string(), "--continue-on-failure", "--no-shrink"]);
    command.args(["--seed", "7", "-w", "2", "--request-timeout", "20", "--suppress-health-check", "all"]);
    command.args(["--warnings", "off", "--generation-database", "none"]);
    command.current_dir(made.stand.file("."));
    let told = printed(&mut command);
    let line = told.lines().find(|line| line.contains(" generated, ")).unwrap_or_else(|| panic!("{role}: {told}"));
    assert!(!line.contains("failure") && !line.contains("errored") && !told.contains("FAILURES"), "{role}: {told}");
    line.split_whitespace().next().unwrap().parse().unwrap_or_else(|_| panic!("{role}: {line}"))
}

fn every_role(test: &str, phases: &str, examples: u32) -> Option<u32> {
    let (made, root) = Box::claimed(test)?;
    let mut tokens: Vec<(&str, String)> =
        ["user", "auditor", "admin"].map(|role| (role, made.account(&root, role).1)).into();
    tokens.push(("superadmin", root));
    let sum = tokens.iter().map(|(role, token)| drive(&made, role, token, phases, examples)).sum();
    assert_eq!(made.ask("GET", "/healthz", None, None).status, 200);
    Some(sum)
}

#[test]
fn no_role_gets_a_server_error_or_an_answer_that_is_not_in_the_document() {
    let Some(requests) = every_role("fuzzed", "fuzzing", 3) else { return };
    println!("schemathesis: {requests} requests");
    assert!(requests >= 800, "{requests}");
}

#[test]
#[ignore = "long form: twenty thousand requests"]
fn twenty_thousand_requests_get_no_server_error_and_no_undocumented_answer() {
    let Some(requests) = every_role("drilled", "coverage,fuzzing", 40) else { return };
    println!("schemathesis: {requests} requests");
    assert!(requests >= 20_000, "{requests}");
}

#[test]
fn tls_is_what_mozilla_calls_intermediate_but_for_the_authority_of_ones_own() {
    let Some((made, _)) = Box::claimed("sslyze") else { return };
    let mut command = made.stand.gate.command(tool("sslyze").to_str().unwrap());
    let told = printed(command.args(["--mozilla_config", "intermediate", "127.0.0.1:8443"]));
    let verdict = told.split("COMPLIANCE AGAINST TLS CONFIGURATION").nth(1).unwrap_or_else(|| panic!("{told}"));
    let deviations: Vec<&str> = verdict.lines().map(str::trim).filter(|line| line.starts_with("* ")).collect();
    assert!(
        deviations.len() == 1 && deviations[0].starts_with("* certificate_path_validation:"),
        "the private authority alone: {verdict}"
    );
}

#[test]
fn an_admin_is_answered_within_a_second_while_slow_clients_hold_what_they_can() {
    let Some((made, root)) = Box::claimed("slow") else { return };
    let url = format!("{BASE}/api/v1/auth/login");
    let kinds: [&[&str]; 3] = [&["-H", "-i", "3"], &["-B", "-i", "3", "-s", "4096"], &["-X", "-n", "2", "-k", "3"]];
    let mut slow: Vec<_> = kinds
        .iter()
        .map(|kind| {
            let mut command = made.stand.gate.command("slowhttptest");
            command.args(*kind).args(["-c", "333", "-r", "200", "-l", "8", "-p", "2", "-t", "POST", "-u", &url]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let connected = || made.stand.gate.shell("ss -Htn state established sport = :8443 | wc -l").unwrap();
    eventually(TEN, "the attack", || connected().trim().parse::<u32>().unwrap() >= 20);
    let begun = Instant::now();
    let mut asked = 0;
    while begun.elapsed() < Duration::from_secs(5) {
        let one = Instant::now();
        // Another address than the attacker's, as another machine has.
        let mut curl = made.stand.gate.command("curl");
        curl.args(["-sk", "--interface", "127.0.0.3", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}"]);
        curl.args(["-H", &format!("Authorization: Bearer {root}"), &format!("{BASE}/api/v1/devices")]);
        assert_eq!(printed(&mut curl), "200");
        assert!(one.elapsed() < Duration::from_secs(1), "{:?}", one.elapsed());
        asked += 1;
        std::thread::sleep(Duration::from_millis(250));
    }
    assert!(asked >= 5, "{asked}");
    for process in &mut slow {
        let _ = process.kill();
        let _ = process.wait();
    }
}

#[test]
fn of_a_thousand_guesses_ten_are_hashed_at_most_and_the_victim_logs_in_meanwhile() {
    let Some((made, root)) = Box::claimed("hydra") else { return };
    let hashed = || {
        let metrics = made.get(&root, "/metrics").text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("picket_password_hashes_total ")).unwrap();
        line.parse::<u64>().unwrap()
    };
    let guesses: String = (0..1_000).map(|n| format!("wrong-guess-{n}\n")).collect();
    let list = made.stand.file("guesses");
    std::fs::write(&list, guesses).unwrap();
    let form =
        r#"/api/v1/auth/login:{"email"\:"^USER^","password"\:"^PASS^"}:H=Content-Type\: application/json:F=status"#;
    // From where the owner has been before; the attacker has another address.
    let log_in = || {
        let body = serde_json::json!({"email": ROOT, "password": PASSWORD}).to_string();
        let mut curl = made.stand.gate.command("curl");
        curl.args(["-sk", "--interface", "127.0.0.3", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", &body]);
        curl.args(["-H", "Content-Type: application/json", &format!("{BASE}/api/v1/auth/login")]);
        printed(&mut curl)
    };
    assert_eq!(log_in(), "200");
    let before = hashed();
    let mut hydra = made.stand.gate.command("hydra");
    hydra.args(["-I", "-t", "8", "-l", ROOT, "-s", "8443", "-P"]).arg(&list).args([
        "127.0.0.1",
        "https-post-form",
        form,
    ]);
    let mut running = hydra.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let audit = || made.get(&root, "/api/v1/audit?limit=100").text;
    eventually(TEN, "the guesses", || audit().contains("too many tries"));
    let victim = log_in();
    let limit = Instant::now() + Duration::from_secs(40);
    while running.try_wait().unwrap().is_none() {
        assert!(Instant::now() < limit, "hydra does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
    let spent = hashed() - before;
    assert!((1..=11).contains(&spent), "ten guesses and the victim's own log-in: {spent}");
    assert_eq!(victim, "200");
}

#[test]
fn the_ports_that_are_open_from_either_side_are_exactly_those_that_are_listed() {
    let Some(mut made) = Box::unclaimed("ports") else { return };
    made.stand.stop();
    made.stand.configure("posture = \"observe\"\n[api]\nlisten = [\"127.0.0.1:8443\", \"192.168.9.2:8443\"]");
    made.stand.start_after("sysctl -qw net.ipv4.ip_nonlocal_bind=1");
    made.stand.gate.shell("ip addr add 192.168.9.2/24 dev br0 && ip link set br0 up").unwrap();
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    assert_eq!(made.claim(made.code().as_str(), PASSWORD).status, 201);
    let root = made.log_in(ROOT, PASSWORD);
    let listed = made.get(&root, "/api/v1/system/ports?limit=100").json();
    let reachable = |row: &&serde_json::Value| {
        row["protocol"] == "tcp" && !row["address"].as_str().unwrap_or_default().starts_with("127.")
    };
    let mut listed: Vec<u64> =
        listed["items"].as_array().unwrap().iter().filter(reachable).filter_map(|row| row["port"].as_u64()).collect();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed, [8443]);
    for side in [&made.stand.host, &made.stand.router] {
        // A busy machine loses probes: what is listed is asked for again, and whatever was found open once counts.
        let mut open = Vec::new();
        for _ in 0..4 {
            let told =
                side.shell("nmap -n -Pn -sS -p- -T5 --min-rate 20000 --max-retries 2 -oG - 192.168.9.2").unwrap();
            let ports = told.lines().find_map(|line| line.split_once("Ports: ")).map_or("", |(_, ports)| ports);
            open.extend(ports.split(", ").filter_map(|port| port.split_once("/open/")?.0.trim().parse::<u64>().ok()));
            if listed.iter().all(|port| open.contains(port)) {
                break;
            }
        }
        open.sort_unstable();
        open.dedup();
        assert_eq!(open, listed);
    }
}
