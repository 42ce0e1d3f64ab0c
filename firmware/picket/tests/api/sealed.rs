//! Syslog over TLS: real senders that check the box's certificate, hostile peers, and a certificate that outlives restarts.

use std::fs;

use serde_json::Value;

use super::client::Box;
use super::stand::{Stand, TEN, eventually};

/// Reads a file and sends each of its lines over TLS, counted in octets; the box's authority must have signed what it is shown.
const RSYSLOG: &str = r#"
global(workDirectory="FOLDER" defaultNetstreamDriverCAFile="AUTHORITY")
module(load="imfile")
input(type="imfile" File="FOLDER/input.log" Tag="x" ruleset="out")
template(name="raw" type="string" string="%rawmsg%")
ruleset(name="out") { action(type="omfwd" target="127.0.0.1" port="6514" protocol="tcp" TCP_Framing="octet-counted" template="raw"
  StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid" action.resumeRetryCount="-1" action.resumeInterval="1") }
"#;

/// Shakes hands badly, not at all, with an old version; says torn and endless things behind a good one.
const HOSTILE: &str = r#"
import os, socket, ssl, sys
def connect():
    s = socket.create_connection(("127.0.0.1", 6514), 20); s.settimeout(30); return s
for bad in (b"<13>1 - - - - - - forgedclear\n", os.urandom(4096), b"\x16\x03\x01\xff\xff" + b"A" * 70000):
    s = connect()
    try:
        s.sendall(bad); s.recv(1)
    except OSError: pass
    s.close()
context = ssl.create_default_context(cafile=sys.argv[1])
def sealed(version=None):
    c = ssl.create_default_context(cafile=sys.argv[1])
    if version: c.minimum_version = c.maximum_version = version
    return c.wrap_socket(connect(), server_hostname="127.0.0.1")
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    s = sealed(version); m = b"<38>1 - - - - - - sealed by " + s.version().encode(); s.sendall(b"%d %s" % (len(m), m)); s.unwrap().close()
try: sealed(ssl.TLSVersion.TLSv1_1); print("an old version is spoken")
except (ssl.SSLError, ValueError, OSError): pass
try: ssl.create_default_context().wrap_socket(connect(), server_hostname="127.0.0.1"); print("anybody's certificate")
except ssl.SSLError: pass
s = sealed(); s.sendall(b"999999999 " + b"B" * 200000)
try: s.recv(1)
except OSError: pass
s = sealed(); s.sendall(b"500 <13>1 - - - - - - torn off"); s.close()
idle = connect()
try: print("silence is answered", idle.recv(1)) if idle.recv(1) else None
except OSError as error: print("silence is waited for", error)
"#;

fn count(made: &Box, text: &str) -> u64 {
    made.stand.ask(&["activity", "--text", text, "--count"])["count"].as_u64().unwrap()
}

fn source(made: &Box) -> Value {
    let all = made.stand.ask(&["sources"]);
    all.as_array().unwrap().iter().find(|row| row["source"] == "127.0.0.1").cloned().unwrap_or_default()
}

#[test]
fn syslog_over_tls_is_taken_from_rsyslog_which_checks_the_box_and_hostile_peers_are_counted() {
    let Some(mut stand) = Stand::build("sealed") else { return };
    stand.configure("[intake]\nenabled = true\nsyslog_tls = \"127.0.0.1:6514\"");
    let refused = stand.picket_alone(&["config", "check", stand.file("picket.toml").to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("needs an address in [api] listen"), "{refused:?}");
    stand.configure("[api]\nlisten = \"127.0.0.1:8443\"\n[intake]\nenabled = true\nsyslog_tls = \"127.0.0.1:6514\"");
    stand.start();
    let mut made = Box { stand };
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    eventually(TEN, "the intake", || made.stand.try_ask(&["sources"]).is_ok());
    let (folder, ca) = (made.stand.file("sender"), made.stand.file("store/state/api/ca.pem"));
    fs::create_dir(&folder).unwrap();
    let lines = |from: u32| -> String {
        (from..from + 500)
            .map(|n| format!("<38>1 2026-11-22T05:00:00Z web app - - - number {n:04} relayed\n"))
            .collect()
    };
    fs::write(folder.join("input.log"), lines(0)).unwrap();
    let config = RSYSLOG.replace("FOLDER", folder.to_str().unwrap()).replace("AUTHORITY", ca.to_str().unwrap());
    fs::write(folder.join("rsyslog.conf"), config).unwrap();
    let run = format!("exec rsyslogd -n -f {0}/rsyslog.conf -i {0}/pid", folder.display());
    let _rsyslog = made.stand.gate.start(&run, &made.stand.file("rsyslog.log")).unwrap();
    eventually(30, "five hundred lines", || count(&made, "relayed") == 500);
    for n in [0, 250, 499] {
        assert_eq!(count(&made, &format!("number {n:04} relayed")), 1, "each once");
    }
    let row = source(&made);
    assert_eq!((row["transports"].to_string().as_str(), &row["proof"]), ("[\"tls\"]", &"unproven".into()), "{row}");

    let before = row["refused"].as_u64().unwrap();
    let output = made.stand.gate.command("python3").args(["-c", HOSTILE]).arg(&ca).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    eventually(TEN, "both versions", || count(&made, "sealed by TLSv1") == 2);
    eventually(TEN, "what was refused to be counted", || {
        let row = source(&made);
        row["refused"].as_u64().unwrap() >= before + 5 && row["dropped"].as_u64().unwrap() >= 2
    });
    assert_eq!((count(&made, "forgedclear"), count(&made, "torn off")), (0, 0));

    // The same certificate after a restart: whoever remembers it goes on; what was sent meanwhile comes.
    let leaf = made.stand.file("store/state/api/intake.pem");
    let print = fs::read(&leaf).unwrap();
    made.stand.kill();
    let mut input = fs::File::options().append(true).open(folder.join("input.log")).unwrap();
    std::io::Write::write_all(&mut input, lines(500).as_bytes()).unwrap();
    made.stand.start();
    assert_eq!(fs::read(&leaf).unwrap(), print);
    eventually(60, "what was sent meanwhile", || count(&made, "number 0999 relayed") == 1);
}
