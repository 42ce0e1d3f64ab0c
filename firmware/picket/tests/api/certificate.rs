//! Certificates as clients see them: openssl and curl before and after a change, while a connection that was there before lives on.

use serde_json::{Value, json};

use super::client::{Box, PASSWORD, ROOT};
use super::stand::{Stand, TEN, eventually};

/// An authority with a leaf for two names, another leaf that has ended, and a key that fits neither.
const CERTIFICATES: &str = r#"cd "$1" && ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes" && exec 2>/dev/null
openssl req -x509 $ec -days 9 -subj /CN=company -keyout ca.key -out company.pem &&
openssl req $ec -subj /CN=gw -keyout gw.key -out gw.csr && printf 'subjectAltName=DNS:gw.example.org,DNS:*.lab.example.org' >names &&
openssl x509 -req -in gw.csr -CA company.pem -CAkey ca.key -CAcreateserial -days 9 -extfile names -out gw.crt && cat gw.crt company.pem >gw.pem &&
openssl x509 -req -in gw.csr -CA company.pem -CAkey ca.key -days -1 -extfile names -out old.pem &&
openssl req -x509 $ec -days 9 -subj /CN=company -keyout other.key -out other.crt && cat gw.crt other.crt >torn.pem"#;

/// Asks over one connection again and again, until a file is there and once after that. Writes down the status lines, and a word at the end.
const HOLDER: &str = r#"
import os, socket, ssl, sys, time
out, go = sys.argv[1:]
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
tls = context.wrap_socket(socket.create_connection(("127.0.0.1", 8443)), server_hostname="gw.example.org")
def ask():
    tls.sendall(b"GET /healthz HTTP/1.1\r\nhost: gw.example.org\r\n\r\n")
    text = b""
    while not text.endswith(b"ok"): text += tls.recv(4096) or exit("it was closed")
    open(out, "a").write(text.split(b"\r\n")[0].decode() + "\n")
while not os.path.exists(go):
    ask()
    time.sleep(0.5)
ask()
open(out, "a").write("lives")
"#;

struct Held {
    out: std::path::PathBuf,
    go: std::path::PathBuf,
    _process: lab::process::Process,
}

/// A connection that has asked once.
fn hold(made: &Box, name: &str) -> Held {
    let [script, out, go, log] = ["py", "out", "go", "log"].map(|end| made.stand.file(&format!("{name}.{end}")));
    std::fs::write(&script, HOLDER).unwrap();
    let line = format!("exec python3 {} {} {}", script.display(), out.display(), go.display());
    let process = made.stand.gate.start(&line, &log).unwrap();
    let held = Held { out, go, _process: process };
    eventually(TEN, "the first answer", || held.told().starts_with("HTTP/1.1 200 OK\n"));
    held
}

impl Held {
    fn told(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// It was answered over the same connection all the time, and is once more now.
    fn lives(&self) {
        std::fs::write(&self.go, "").unwrap();
        eventually(TEN, "an answer over the old connection", || self.told().ends_with("200 OK\nlives"));
    }
}

/// SHA-256 of what is shown to whoever asks by a name, or by none.
fn shown(made: &Box, name: &str) -> String {
    let by = if name.is_empty() { "-noservername".to_owned() } else { format!("-servername {name}") };
    let line = format!(
        "openssl s_client -connect 127.0.0.1:8443 {by} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 || true"
    );
    let text = made.stand.gate.shell(&line).unwrap();
    text.trim().split_once('=').map_or(String::new(), |(_, hex)| hex.replace(':', "").to_lowercase())
}

fn certificate(made: &Box, root: &str) -> Value {
    made.get(root, "/api/v1/system/certificate").json()
}

/// A box that listens at one address, and on another port at all that it has.
fn made(test: &str) -> Option<(Box, String)> {
    let mut stand = Stand::build(test)?;
    stand.configure("[api]\nlisten = [\"127.0.0.1:8443\", \"0.0.0.0:8444\"]");
    stand.start();
    let made = Box { stand };
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    assert_eq!(made.claim(made.code().as_str(), PASSWORD).status, 201);
    let root = made.log_in(ROOT, PASSWORD);
    Some((made, root))
}

#[test]
fn an_installed_certificate_is_shown_to_its_names_alone_and_connections_live_on() {
    let Some((made, root)) = made("certificate") else { return };
    let folder = made.stand.file("pki");
    std::fs::create_dir(&folder).unwrap();
    let script = made.stand.file("certificates.sh");
    std::fs::write(&script, CERTIFICATES).unwrap();
    made.stand.gate.shell(&format!("sh {} {}", script.display(), folder.display())).unwrap();
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let own = shown(&made, "");
    assert_eq!(made.stand.ask(&["status"])["fingerprint"], own);
    assert_eq!(shown(&made, "gw.example.org"), own);
    let held = hold(&made, "held");

    let install = |chain: &str, key: &str| {
        let file = made.stand.file("body.json");
        std::fs::write(&file, json!({"certificate": chain, "key": key}).to_string()).unwrap();
        made.ask("POST", "/api/v1/system/certificate", Some(&root), Some(&format!("@{}", file.display())))
    };
    for (chain, key, field, why) in [
        (text("gw.pem"), text("other.key"), "key", "does not fit"),
        (text("gw.pem"), text("gw.pem"), "key", "no private key"),
        (text("old.pem"), text("gw.key"), "certificate", "ended at"),
        (text("torn.pem"), text("gw.key"), "certificate", "no chain"),
        (text("company.pem"), text("ca.key"), "certificate", "an authority's"),
        ("nonsense".into(), text("gw.key"), "certificate", "1 to 6"),
        ("x".repeat(30_000), text("gw.key"), "certificate", "24 KiB"),
    ] {
        let refused = install(&chain, &key);
        let told = refused.json();
        assert_eq!((refused.status, told["field"].as_str()), (422, Some(field)), "{why}: {refused:?}");
        assert!(told["detail"].as_str().unwrap().contains(why), "{told}");
    }
    assert_eq!(install(&"x".repeat(1 << 20), "").status, 413);
    assert_eq!(certificate(&made, &root)["installed"], Value::Null, "nothing was changed");

    let done = install(&text("gw.pem"), &text("gw.key"));
    assert_eq!(done.status, 200, "{done:?}");
    let new = done.json()["installed"]["fingerprint"].as_str().unwrap().to_owned();
    assert_ne!(new, own);
    for (name, wanted) in [
        ("gw.example.org", &new),
        ("a.lab.example.org", &new),
        ("picket.local", &own),
        ("", &own),
        ("b.example.org", &own),
    ] {
        assert_eq!(&shown(&made, name), wanted, "asked for as {name:?}");
    }
    let by_name = |more: &str| {
        let resolve = "--resolve gw.example.org:8443:127.0.0.1 https://gw.example.org:8443/healthz";
        made.stand
            .gate
            .shell(&format!("curl -sS --max-time 9 --cacert {} {more} {resolve}", folder.join("company.pem").display()))
    };
    assert_eq!(by_name("--http2").unwrap().trim(), "ok");
    assert_eq!(by_name("--http1.1 --tls-max 1.2").unwrap().trim(), "ok");
    held.lives();

    // It outlives the process that serves it.
    let process = made.process();
    made.stand.gate.shell(&format!("kill -9 {process}")).unwrap();
    eventually(20, "another process", || {
        ![process, 0].contains(&made.process()) && shown(&made, "gw.example.org") == new
    });
    let command = |words: &[&str]| made.stand.try_ask(&[&["certificate"], words].concat());
    eventually(20, "its answer", || command(&[]).is_ok());
    assert_eq!(command(&[]).unwrap()["installed"]["fingerprint"], new);
    assert_eq!(command(&["remove"]).unwrap()["installed"], Value::Null);
    assert_eq!(shown(&made, "gw.example.org"), own);
    let path = |name: &str| folder.join(name).display().to_string();
    let wrong = command(&["install", "--chain", &path("gw.pem"), "--key", &path("other.key")]).unwrap_err();
    assert!(wrong.contains("key does not fit the certificate"), "{wrong}");
    let again = command(&["install", "--chain", &path("gw.pem"), "--key", &path("gw.key")]).unwrap();
    assert_eq!((&again["installed"]["by"], shown(&made, "gw.example.org")), (&json!("command line"), new));
    assert_eq!(made.ask("DELETE", "/api/v1/system/certificate", Some(&root), None).status, 204);
    assert_eq!(made.ask("DELETE", "/api/v1/system/certificate", Some(&root), None).status, 404);
    assert_eq!(shown(&made, "gw.example.org"), own);

    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    for what in ["certificate.install", "certificate.remove", "gw.example.org", "does not fit"] {
        assert!(audit.contains(what), "{what}: {audit}");
    }
    assert!(!audit.contains("PRIVATE KEY") && !made.stand.log().contains("PRIVATE KEY"), "the key is told nowhere");
}

#[test]
fn the_boxs_own_certificate_follows_its_addresses_and_connections_live_on() {
    let Some((made, root)) = made("readdress") else { return };
    let before = certificate(&made, &root);
    assert!(before["names"].to_string().contains("127.0.0.1"), "{before}");
    let held = hold(&made, "held");
    made.stand.gate.shell("ip addr add 192.168.9.2/24 dev br0").unwrap();
    eventually(30, "a certificate for the new address", || {
        certificate(&made, &root)["names"].as_array().unwrap().contains(&json!("192.168.9.2"))
    });
    let after = certificate(&made, &root);
    assert_ne!(after["fingerprint"], before["fingerprint"]);
    assert_eq!(shown(&made, ""), after["fingerprint"].as_str().unwrap());
    eventually(TEN, "the status", || made.stand.ask(&["status"])["fingerprint"] == after["fingerprint"]);
    held.lives();
    // Whoever trusts the box's CA reaches it there now, from the LAN.
    let ca = made.stand.file("store/state/api/ca.pem");
    let reach = format!("curl -sS --max-time 9 --cacert {} https://192.168.9.2:8444/healthz", ca.display());
    assert_eq!(made.stand.host.shell(&reach).unwrap().trim(), "ok");
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    assert!(audit.contains("certificate.renew") && audit.contains("the box's addresses changed"), "{audit}");
}
