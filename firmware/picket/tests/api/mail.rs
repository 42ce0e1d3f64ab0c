//! Mail against Debian's aiosmtpd in the box's namespace: codes, notices, servers that hang, refuse, or come late.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::client::{Box, PASSWORD};
use super::stand::{ROUTER, eventually};

/// A server that takes mail over TLS from those who log in, and lays each message down as a file.
const SERVER: &str = r#"
import asyncio, os, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
folder, implicit = sys.argv[1], sys.argv[2] == "tls"
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); tls.load_cert_chain(folder + "/leaf.pem", folder + "/leaf.key")
class Keep:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"): return "550 there is no such mailbox"
        envelope.rcpt_tos.append(address); return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        n = len(os.listdir(folder + "/mail")); to = envelope.rcpt_tos[0]
        open(f"{folder}/mail/{n}-{to}.new", "wb").write(envelope.content); os.rename(f"{folder}/mail/{n}-{to}.new", f"{folder}/mail/{n}-{to}")
        return "250 kept"
def known(server, session, envelope, mechanism, data): return AuthResult(success=(data.login, data.password) == (b"box", b"mail-secret-9"))
def make(): return SMTP(Keep(), tls_context=None if implicit else tls, require_starttls=not implicit, auth_required=True, auth_require_tls=not implicit, authenticator=known)
loop = asyncio.new_event_loop()
loop.run_until_complete(loop.create_server(make, "127.0.0.1", 465 if implicit else 587, ssl=tls if implicit else None))
loop.run_forever()
"#;

/// An authority, and a certificate of it for the server.
pub const CERTIFICATES: &str = r#"cd "$1" && mkdir -p mail && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=ca \
 -keyout ca.key -out ca.pem 2>/dev/null && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=mail -keyout leaf.key -out leaf.csr \
 2>/dev/null && printf 'subjectAltName=IP:127.0.0.1' >ext && openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 \
 -extfile ext -out leaf.pem 2>/dev/null"#;

pub struct Post {
    server: Child,
    folder: PathBuf,
}

impl Post {
    pub fn open(made: &Box, security: &str) -> Self {
        let folder = made.stand.file("post");
        std::fs::create_dir_all(&folder).unwrap();
        if !folder.join("leaf.pem").exists() {
            let done = made.stand.gate.command("bash").args(["-c", CERTIFICATES, "certificates"]).arg(&folder).status();
            assert!(done.unwrap().success());
        }
        let mut command = made.stand.gate.command("/usr/bin/python3");
        let server = command.args(["-c", SERVER]).arg(&folder).arg(security).stdout(Stdio::null()).spawn().unwrap();
        let port = if security == "tls" { 465 } else { 587 };
        eventually(10, "the mail server", || {
            made.stand.gate.shell(&format!("ss -Hltn sport = :{port} | grep -q .")).is_ok()
        });
        Self { server, folder }
    }

    /// What came for somebody, newest last.
    pub fn of(&self, to: &str) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(self.folder.join("mail")).unwrap().flatten().map(|e| e.path()).collect();
        names.retain(|name| name.to_string_lossy().ends_with(&format!("-{to}")));
        names.sort_by_key(|name| {
            let name = name.file_name().unwrap().to_string_lossy().into_owned();
            name.split('-').next().unwrap().parse::<u32>().unwrap()
        });
        names.iter().map(|name| std::fs::read_to_string(name).unwrap()).collect()
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

pub fn set(made: &Box, root: &str, id: &str, value: &Value) {
    let body = json!({"value": value}).to_string();
    let answer = made.ask("PATCH", &format!("/api/v1/settings/{id}"), Some(root), Some(&body));
    assert_eq!(answer.status, 200, "{id}: {answer:?}");
}

pub fn configure(made: &Box, root: &str, post: &Post, security: &str) {
    let ca = std::fs::read_to_string(post.folder.join("ca.pem")).unwrap();
    let port = if security == "tls" { 465 } else { 587 };
    let values = [
        ("mail.server", json!("127.0.0.1")),
        ("mail.port", json!(port)),
        ("mail.security", json!(security)),
        ("mail.ca", json!(ca)),
        ("mail.user", json!("box")),
        ("mail.password", json!("mail-secret-9")),
        ("mail.from", json!("picket@example.org")),
    ];
    values.iter().for_each(|(id, value)| set(made, root, id, value));
}

/// The six digits of a mail.
fn code(text: &str) -> String {
    let at = text.find(" is ").unwrap_or_else(|| panic!("no code: {text}"));
    text[at + 4..].chars().filter(char::is_ascii_digit).take(6).collect()
}

#[test]
fn a_new_account_gets_its_code_by_mail_and_hears_of_its_password() {
    let Some((made, root)) = Box::claimed("mail") else { return };
    let post = Post::open(&made, "starttls");
    configure(&made, &root, &post, "starttls");
    let shown = made.get(&root, "/api/v1/settings/mail.password").text;
    assert!(shown.contains("(set)") && !shown.contains("mail-secret-9"), "{shown}");
    let tried = made.ask("POST", "/api/v1/settings/mail/test", Some(&root), None);
    assert_eq!(tried.json()["mail"], "accepted", "{tried:?}");
    assert!(post.of("root@example.org")[0].contains("text/html"), "HTML and plain");

    let create = |name: &str| {
        made.post(&root, "/api/v1/users", &json!({"email": format!("{name}@example.org"), "first_name": "Ada"})).json()
    };
    let created = create("ada");
    assert_eq!((created["mail"].as_str(), created["setup_code"].is_null()), (Some("accepted"), true), "{created}");
    let first = code(&post.of("ada@example.org")[0]);
    let verify = |code: &str| {
        let body = json!({"email": "ada@example.org", "code": code, "password": PASSWORD}).to_string();
        made.ask("POST", "/api/v1/auth/verify", None, Some(&body)).status
    };
    let resend =
        |email: &str| made.ask("POST", "/api/v1/auth/resend", None, Some(&json!({"email": email}).to_string())).status;
    assert_eq!((resend("ada@example.org"), resend("unknown@example.org")), (204, 204));
    eventually(10, "the second code", || post.of("ada@example.org").len() == 2);
    let second = code(&post.of("ada@example.org")[1]);
    if first != second {
        assert_eq!(verify(&first), 422, "the newer one counts");
    }
    assert_eq!((verify(&second), verify(&second)), (204, 422), "once");
    assert_eq!((resend("ada@example.org"), resend("ada@example.org")), (204, 429), "two in ten minutes");
    let token = made.log_in("ada@example.org", PASSWORD);
    let change = json!({"current": PASSWORD, "password": "another-long-one-9"});
    assert_eq!(made.post(&token, "/api/v1/auth/password", &change).status, 204);
    eventually(10, "the notice", || post.of("ada@example.org").last().unwrap().contains("was changed from 127.0.0.1"));

    // Who decides about a request for access hears of it, and who asked hears what became of it.
    made.stand.host.shell(&format!("ping -c 1 {ROUTER}")).unwrap();
    let devices = || made.get(&root, "/api/v1/devices").json()["items"].as_array().cloned().unwrap_or_default();
    eventually(10, "a device", || !devices().is_empty());
    let device = devices()[0]["id"].clone();
    let owned = Some("{\"owner\":\"ada@example.org\"}");
    assert_eq!(made.ask("PATCH", &format!("/api/v1/devices/{device}"), Some(&root), owned).status, 200);
    let token = made.log_in("ada@example.org", "another-long-one-9");
    let wish = json!({"device": device, "to": "internet", "service": "https", "hours": 1, "reason": "a download"});
    let asked = made.post(&token, "/api/v1/requests", &wish);
    assert_eq!(asked.status, 201, "{asked:?}");
    eventually(10, "the request", || post.of("root@example.org").last().unwrap().contains("a download"));
    let refusal = made.post(&root, &format!("/api/v1/requests/{}/refuse", asked.json()["id"]), &json!({"note": "no"}));
    assert_eq!(refusal.status, 200, "{refusal:?}");
    eventually(10, "the refusal", || {
        post.of("ada@example.org").last().unwrap().contains("request for access was refused")
    });

    let refused = create("nobody");
    assert_eq!(refused["mail"], "refused", "{refused}");
    assert!(refused["mail_detail"].as_str().unwrap().contains("no such mailbox"), "{refused}");
    let by_hand = made.post(&root, &format!("/api/v1/users/{}/code", refused["id"]), &json!({"why": "no mailbox"}));
    assert!(by_hand.json()["setup_code"].is_string(), "{by_hand:?}");

    // Another server does not get the password of this one, and no code lies in the store.
    set(&made, &root, "mail.server", &json!("127.0.0.2"));
    assert_eq!(made.get(&root, "/api/v1/settings/mail.password").json()["value"], "");
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    assert!(audit.contains("mail.sent") && audit.contains("mail.refused"), "{audit}");
    assert!(!audit.contains(&second) && !audit.contains("mail-secret-9"), "no secret in the audit");
}

#[test]
fn a_server_that_hangs_or_comes_late_costs_nothing_but_time() {
    let Some((made, root)) = Box::claimed("late") else { return };
    let post = Post::open(&made, "tls");
    configure(&made, &root, &post, "tls");
    let tried = made.ask("POST", "/api/v1/settings/mail/test", Some(&root), None);
    assert_eq!(tried.json()["mail"], "accepted", "{tried:?}");
    let folder = post.folder.clone();
    drop(post);
    // One that takes the connection and says nothing.
    let silent = "import socket, time\ns = socket.create_server((\"127.0.0.1\", 465)); time.sleep(60)";
    let mut hanging = made.stand.gate.command("/usr/bin/python3").args(["-c", silent]).spawn().unwrap();
    eventually(10, "the silent server", || made.stand.gate.shell("ss -Hltn sport = :465 | grep -q .").is_ok());
    let begun = std::time::Instant::now();
    let created = made.post(&root, "/api/v1/users", &json!({"email": "ada@example.org", "first_name": "Ada"})).json();
    assert_eq!((created["mail"].as_str(), created["setup_code"].is_null()), (Some("queued"), true), "{created}");
    assert!(begun.elapsed().as_secs() < 12, "{:?}", begun.elapsed());
    assert_eq!(made.get(&root, "/healthz").status, 200);
    hanging.kill().unwrap();
    hanging.wait().unwrap();
    let post = Post::open(&made, "tls");
    assert_eq!(folder, post.folder);
    eventually(40, "the letter that waited", || !post.of("ada@example.org").is_empty());
    let body = json!({"email": "ada@example.org", "code": code(&post.of("ada@example.org")[0]), "password": PASSWORD});
    assert_eq!(made.ask("POST", "/api/v1/auth/verify", None, Some(&body.to_string())).status, 204);
}
