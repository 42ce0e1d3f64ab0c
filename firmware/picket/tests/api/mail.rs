//! Mail to Debian's aiosmtpd in the box's namespace: codes, notices, servers that hang, refuse, or come late.

use serde_json::json;

use super::client::{Box, PASSWORD};
use super::post::{Post, configure, set};
use super::stand::{ROUTER, eventually};

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

/// A server that shakes hands, and then either answers what is no SMTP, or begins a line and never ends it.
const NONSENSE: &str = r#"
import socket, ssl, sys
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); tls.load_cert_chain(sys.argv[1] + "/leaf.pem", sys.argv[1] + "/leaf.key")
listener = socket.create_server(("127.0.0.1", 465))
while True:
    try:
        peer = tls.wrap_socket(listener.accept()[0], server_side=True)
        if sys.argv[2] == "words": peer.sendall(b"999 \xff\x00\x1b[2J what\r\n" * 9); peer.close()
        else:
            peer.sendall(b"220-")
            while True: peer.sendall(b"x" * 65536)
    except OSError: pass
"#;

#[test]
fn a_server_that_answers_nonsense_or_without_end_costs_nothing_but_the_letter() {
    let Some((made, root)) = Box::claimed("nonsense") else { return };
    let post = Post::open(&made, "tls");
    configure(&made, &root, &post, "tls");
    let folder = post.folder.clone();
    drop(post);
    for kind in ["words", "endless"] {
        let mut server = made.stand.gate.command("/usr/bin/python3");
        let mut server = server.args(["-c", NONSENSE]).arg(&folder).arg(kind).spawn().unwrap();
        eventually(20, "the server", || made.stand.gate.shell("ss -Hltn sport = :465 | grep -q .").is_ok());
        let created =
            made.post(&root, "/api/v1/users", &json!({"email": format!("{kind}@example.org"), "first_name": "Ada"}));
        assert_eq!(created.status, 201, "{kind}: {created:?}");
        assert_ne!(created.json()["mail"], "accepted", "{kind}: {created:?}");
        assert_eq!(made.get(&root, "/healthz").status, 200);
        server.kill().unwrap();
        server.wait().unwrap();
    }
    assert_eq!(made.stand.pings(2), 2, "the bridge forwards on");
    let audit = made.get(&root, "/api/v1/audit?limit=100").text;
    assert!(!audit.contains("xxxxxxxxxxxxxxxx") && !audit.contains('\u{1b}'), "nothing of it is in the audit: {audit}");
    assert!(!made.stand.log().contains("panicked"), "nothing panics");
}
