//! A mail server that we did not write: Debian's aiosmtpd in the box's namespace, over TLS, for those who log in.

use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::client::Box;
use super::stand::eventually;

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

/// A running server.
pub struct Post {
    server: Child,
    /// Its certificates, and in `mail` a file a message.
    pub folder: PathBuf,
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

/// Changes a setting as this account.
pub fn set(made: &Box, root: &str, id: &str, value: &Value) {
    let body = json!({"value": value}).to_string();
    let answer = made.ask("PATCH", &format!("/api/v1/settings/{id}"), Some(root), Some(&body));
    assert_eq!(answer.status, 200, "{id}: {answer:?}");
}

/// Has the box send its mail there.
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
