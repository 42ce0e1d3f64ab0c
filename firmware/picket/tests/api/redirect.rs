//! Port 80 where it is on: every question gets the way to the page, and whoever asks nothing is gone.

use super::client::{Box, PASSWORD, ROOT};
use super::stand::{Stand, TEN, eventually};

/// Holds connections that ask nothing from the address that is named; tells how many of them were let in, and after how long the last was ended.
const SILENT: &str = r#"
import select, socket, sys, time
held = []
for _ in range(20):
    one = socket.socket(); one.bind((sys.argv[1], 0)); one.connect(("192.168.9.2", 80)); held.append(one)
begun, ends = time.time(), []
while held:
    for one in select.select(held, [], [], 30)[0]:
        try:
            if one.recv(100): continue
        except ConnectionResetError: pass
        held.remove(one); ends.append(time.time() - begun)
print(sum(end > 3 for end in ends), max(ends) < 15)
"#;

#[test]
fn port_80_sends_everybody_to_the_page_and_serves_nothing_else() {
    let Some(mut stand) = Stand::build("redirect") else { return };
    stand.configure("[api]\nlisten = [\"127.0.0.1:8443\", \"192.168.9.2:8443\"]\nredirect = true");
    stand.start_after("sysctl -qw net.ipv4.ip_nonlocal_bind=1");
    stand.gate.shell("ip addr add 192.168.9.2/24 dev br0").unwrap();
    let made = Box { stand };
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    assert_eq!(made.claim(made.code().as_str(), PASSWORD).status, 201);
    let asked = |more: &str, path: &str| {
        let line = format!("curl -sS -i --max-time 9 {more} http://192.168.9.2{path}");
        made.stand.host.shell(&line).unwrap().to_lowercase()
    };
    let login =
        format!("-d '{{\"email\":\"{ROOT}\",\"password\":\"{PASSWORD}\"}}' -H 'Content-Type: application/json'");
    for (more, path, place) in [
        ("", "/", "https://192.168.9.2:8443/"),
        ("-I", "/", "https://192.168.9.2:8443/"),
        (&login, "/api/v1/auth/login", "https://192.168.9.2:8443/"),
        ("-X DELETE", "/api/v1/devices/1?x=y", "https://192.168.9.2:8443/"),
        ("-H 'Host: picket.local'", "/", "https://picket.local:8443/"),
        ("-H 'Host: evil.example'", "/", "https://192.168.9.2:8443/"),
        ("-H 'Host: picket.local@evil.example:80'", "//evil.example/", "https://192.168.9.2:8443/"),
    ] {
        let answer = asked(more, path);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("http/1.1 308 ") && head.contains(&format!("location: {place}\r\n")),
            "{more}: {answer}"
        );
        assert!(head.contains("connection: close") && body.is_empty() && !head.contains("cookie"), "{answer}");
    }
    let nonsense =
        made.stand.host.shell("printf 'nonsense\\r\\n\\r\\n' | timeout 9 nc -q 5 192.168.9.2 80 || true").unwrap();
    assert!(nonsense.is_empty() || nonsense.starts_with("HTTP/1.1 400"), "{nonsense}");
    let ca = made.stand.file("store/state/api/ca.pem");
    let page = asked(&format!("-L --cacert {}", ca.display()), "/");
    assert!(page.contains("http/2 200") && page.contains("<html"), "{page}");

    // Whoever asks nothing takes eight places for some seconds; another address is answered meanwhile.
    let (script, log) = (made.stand.file("silent.py"), made.stand.file("silent.log"));
    std::fs::write(&script, SILENT).unwrap();
    let line = format!("exec python3 {} 192.168.9.10", script.display());
    let _silent = made.stand.host.start(&line, &log).unwrap();
    eventually(TEN, "the silent ones", || {
        made.stand.gate.shell("ss -Htn state established sport = :80 | wc -l").unwrap().trim().parse::<u32>().unwrap()
            >= 8
    });
    let other = made.stand.router.shell("curl -sS -i --max-time 4 http://192.168.9.2/").unwrap();
    assert!(other.starts_with("HTTP/1.1 308"), "{other}");
    eventually(30, "their end", || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("True")));
    assert_eq!(std::fs::read_to_string(&log).unwrap().trim(), "8 True");
    let ports = made.get(&made.log_in(ROOT, PASSWORD), "/api/v1/system/ports?limit=100").json();
    assert!(ports["items"].as_array().unwrap().iter().any(|row| row["port"] == 80), "{ports}");
}
