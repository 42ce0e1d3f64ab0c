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

/// Drives every operation as one role: the status of each answer.
fn drive(made: &Box, role: &str, token: &str, phases: &str, examples: u32) -> Vec<u64> {
    let mut command = made.stand.gate.command(tool("schemathesis").to_str().unwrap());
    command.args(["run", &format!("{BASE}/api/v1/openapi.json"), "--tls-verify", "false"]);
    command.args(["-H", &format!("Authorization: Bearer {token}"), "--exclude-path-regex", LEFT_OUT]);
    command.args(["--checks", CHECKS]);
    command.args(["--phases", phases, "--max-examples", &examples.to_string(), "--continue-on-failure", "--no-shrink"]);
    command.args(["--seed", "7", "-w", "2", "--request-timeout", "20", "--suppress-health-check", "all"]);
    command.args(["--warnings", "off", "--generation-database", "none"]);
    let report = made.stand.file(&format!("{role}.har"));
    command.arg("--report-har-path").arg(&report);
    command.current_dir(made.stand.file("."));
    let told = printed(&mut command);
    let line = told.lines().find(|line| line.contains(" generated, ")).unwrap_or_else(|| panic!("{role}: {told}"));
    assert!(!line.contains("failure") && !line.contains("errored") && !told.contains("FAILURES"), "{role}: {told}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let answers = report["log"]["entries"].as_array().unwrap();
    answers.iter().filter_map(|entry| entry["response"]["status"].as_u64()).collect()
}

/// Whether an answer comes of the door, the role or the form of a request, and no handler has seen it.
fn stops_before(status: u64) -> bool {
    matches!(status, 400 | 401 | 403 | 405 | 406 | 408 | 413 | 415 | 429 | 431)
}

fn every_role(test: &str, phases: &str, examples: u32) -> Option<u32> {
    let (made, root) = Box::claimed(test)?;
    let mut tokens: Vec<(&str, String)> =
        ["user", "auditor", "admin"].map(|role| (role, made.account(&root, role).1)).into();
    tokens.push(("superadmin", root));
    let mut sum = 0;
    for (role, token) in &tokens {
        let statuses = drive(&made, role, token, phases, examples);
        let of = |wanted: fn(u64) -> bool| statuses.iter().filter(|status| wanted(**status)).count();
        let (done, before) = (of(|status| status < 300), of(stops_before));
        println!("schemathesis as {role}: {} answers, {done} did it, {before} ended before a handler", statuses.len());
        if *role == "superadmin" {
            assert!(before * 2 <= statuses.len(), "{before} of {} requests ended before a handler", statuses.len());
        }
        sum += u32::try_from(statuses.len()).unwrap();
    }
    assert_eq!(made.ask("GET", "/healthz", None, None).status, 200);
    assert!(!made.stand.log().contains("the API process ended"), "the API lived on");
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
    // What a log-in with its hash costs the process, as the kernel counts it and not as the process tells. **Units**: ticks.
    let busy = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", made.process())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    };
    let begun = busy();
    (0..8).for_each(|_| assert_eq!(log_in(), "200"));
    let eight = busy() - begun;
    let (before, begun) = (hashed(), busy());
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
    let limit = Instant::now() + Duration::from_secs(240);
    while running.try_wait().unwrap().is_none() {
        assert!(Instant::now() < limit, "hydra does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
    let (spent, ticks) = (hashed() - before, busy() - begun);
    println!("hydra: {ticks} ticks of the process for all guesses; eight log-ins took {eight}");
    assert!(
        ticks < eight * 1_000 / 8 / 4,
        "{ticks} ticks: a quarter of the guesses or more may have been hashed; eight log-ins took {eight}"
    );
    assert!((1..=11).contains(&spent), "ten guesses and the victim's own log-in: {spent}");
    assert_eq!(victim, "200");
}

/// Asks each UDP port of an address, again where nothing answers, and prints those that never said that they are closed.
const PROBE: &str = r#"
import socket, sys, time
to, silent = sys.argv[1], list(range(1, 65536))
probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
probe.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
probe.setblocking(False)
heard = set()
def hear():
    while True:
        try: heard.add(probe.recvmsg(1, 512, socket.MSG_ERRQUEUE)[3][1])
        except BlockingIOError: return
for again in range(20):
    before = len(silent)
    for at, port in enumerate(silent):
        for _ in range(3):
            try: probe.sendto(b"", (to, port)); break
            except OSError: hear()
        if at % 256 == 255: hear()
    time.sleep(0.5)
    hear()
    silent = [port for port in silent if port not in heard]
    if not silent or again > 2 and len(silent) == before: break
print(*silent)
"#;

/// The box's own address.
const ADDRESS: &str = "192.168.9.2";

/// A box with an owner that serves the API at its own address too, and the owner's token.
fn at_its_address(test: &str) -> Option<(Box, String)> {
    let mut made = Box::unclaimed(test)?;
    made.stand.stop();
    made.stand.configure(&format!("posture = \"observe\"\n[api]\nlisten = [\"127.0.0.1:8443\", \"{ADDRESS}:8443\"]"));
    made.stand.start_after("sysctl -qw net.ipv4.ip_nonlocal_bind=1");
    made.stand.gate.shell(&format!("ip addr add {ADDRESS}/24 dev br0 && ip link set br0 up")).unwrap();
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    assert_eq!(made.claim(made.code().as_str(), PASSWORD).status, 201);
    let root = made.log_in(ROOT, PASSWORD);
    Some((made, root))
}

#[test]
fn the_sockets_of_the_box_are_exactly_those_that_are_documented() {
    let Some((made, root)) = at_its_address("sockets") else { return };
    let kernel = || -> Vec<String> {
        let lines = made.stand.gate.shell("ss -Hlnut").unwrap();
        let ends = lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mut all: Vec<String> = ends.map(|words| format!("{} {}", words[0], words[4])).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let documented = ["tcp 127.0.0.1:8443", "tcp 192.168.9.2:8443", "udp 224.0.0.251:5353"];
    eventually(TEN, "the name to be answered to", || kernel() == documented);
    let listed = made.get(&root, "/api/v1/system/ports?limit=100").json();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let mut listed: Vec<String> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {}:{}", text(row, "protocol"), text(row, "address"), row["port"]))
        .collect();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed, documented, "what the API lists");
}

#[test]
#[ignore = "long form: 65,535 UDP ports from both sides"]
fn no_udp_port_of_the_box_is_open_from_either_side() {
    let Some((made, _)) = at_its_address("datagrams") else { return };
    // What is closed says so as often as it is asked. Older kernels have the second bound for the whole machine, and then it stays.
    made.stand.gate.shell("sysctl -qw net.ipv4.icmp_ratelimit=0").unwrap();
    made.stand
        .gate
        .shell("sysctl -qw net.ipv4.icmp_msgs_per_sec=10000000 net.ipv4.icmp_msgs_burst=1000000 || true")
        .unwrap();
    let probe = |side: &lab::namespace::Namespace| {
        printed(side.command("/usr/bin/python3").args(["-c", PROBE, ADDRESS])).trim().to_owned()
    };
    assert_eq!(probe(&made.stand.host), "", "from the LAN: the name is answered to on the group's address alone");
    assert_eq!(probe(&made.stand.router), "", "from the uplink");
    // One that is open is seen.
    let open = "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"192.168.9.2\", 4500)); time.sleep(600)";
    let mut open = made.stand.gate.command("/usr/bin/python3").args(["-c", open]).spawn().unwrap();
    eventually(TEN, "the open port", || made.stand.gate.shell("ss -Hlun sport = :4500 | grep -q .").is_ok());
    let found = probe(&made.stand.host);
    let _ = open.kill();
    let _ = open.wait();
    assert_eq!(found, "4500");
}

#[test]
fn the_ports_that_are_open_from_either_side_are_exactly_those_that_are_listed() {
    let Some((made, root)) = at_its_address("ports") else { return };
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
            let told = side
                .shell(&format!("nmap -n -Pn -sS -p- -T5 --min-rate 20000 --max-retries 2 -oG - {ADDRESS}"))
                .unwrap();
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
