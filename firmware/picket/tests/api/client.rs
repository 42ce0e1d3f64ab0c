//! A stand whose gateway serves the API, and a client of it.

use std::process::Output;

use serde_json::{Value, json};

use super::stand::{Stand, TEN, eventually};

pub const BASE: &str = "https://127.0.0.1:8443";
pub const ROOT: &str = "root@example.org";
pub const PASSWORD: &str = "correct-horse-7-staple";

/// A box with its API.
pub struct Box {
    pub stand: Stand,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Box {
    /// A box that nobody owns yet; nothing where that takes rights that are missing.
    pub fn unclaimed(test: &str) -> Option<Self> {
        Self::unclaimed_with(test, "")
    }

    /// The same with more in its configuration.
    pub fn unclaimed_with(test: &str, more: &str) -> Option<Self> {
        let mut stand = Stand::build(test)?;
        stand.configure(&format!("[api]\nlisten = \"127.0.0.1:8443\"\n{more}"));
        stand.start();
        let made = Self { stand };
        made.answers();
        Some(made)
    }

    /// Waits until the API answers.
    pub fn answers(&self) {
        eventually(TEN, "the API to answer", || self.ask("GET", "/healthz", None, None).status == 200);
    }

    /// A box with an owner, and the owner's token.
    pub fn claimed(test: &str) -> Option<(Self, String)> {
        let made = Self::unclaimed(test)?;
        let answer = made.claim(made.code().as_str(), PASSWORD);
        assert_eq!(answer.status, 201, "{answer:?}");
        let token = made.log_in(ROOT, PASSWORD);
        eventually(TEN, "the box to protect", || made.stand.ask(&["status"])["posture"] == "protect");
        Some((made, token))
    }

    pub fn code(&self) -> String {
        self.stand.ask(&["status"])["claim_code"].as_str().unwrap().to_owned()
    }

    pub fn claim(&self, code: &str, password: &str) -> Answer {
        let body = json!({"code": code, "email": ROOT, "first_name": "Root", "password": password});
        self.ask("POST", "/api/v1/auth/claim", None, Some(&body.to_string()))
    }

    pub fn try_log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.ask("POST", "/api/v1/auth/login", None, Some(&body.to_string()))
    }

    pub fn log_in(&self, email: &str, password: &str) -> String {
        let answer = self.try_log_in(email, password);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// An account of this role, with its token.
    pub fn account(&self, root: &str, role: &str) -> (u64, String) {
        let (email, password) = (format!("{role}@example.org"), format!("{PASSWORD}-{role}"));
        let made = self.post(root, "/api/v1/users", &json!({"email": email, "first_name": "Some", "role": role}));
        assert_eq!(made.status, 201, "{made:?}");
        let code = made.json()["setup_code"].as_str().unwrap().to_owned();
        let body = json!({"email": email, "code": code, "password": password}).to_string();
        let verified = self.ask("POST", "/api/v1/auth/verify", None, Some(&body));
        assert_eq!(verified.status, 204, "{verified:?}");
        (made.json()["id"].as_u64().unwrap(), self.log_in(&email, &password))
    }

    pub fn get(&self, token: &str, path: &str) -> Answer {
        self.ask("GET", path, Some(token), None)
    }

    pub fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(token), Some(&body.to_string()))
    }

    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&str>) -> Answer {
        self.ask_with(method, path, token, body, &[])
    }

    /// One request by curl, which checks the certificate against the device's CA.
    pub fn ask_with(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
        heads: &[&str],
    ) -> Answer {
        let mut command = self.stand.gate.command("curl");
        command.args(["-sS", "-i", "--max-time", "20", "-X", method, "--cacert"]);
        command.arg(self.stand.file("store/state/api/ca.pem"));
        if let Some(token) = token {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        if let Some(body) = body {
            command.args(["-H", "Content-Type: application/json", "--data-binary", body]);
        }
        for head in heads {
            command.args(["-H", head]);
        }
        let output: Output = command.arg(format!("{BASE}{path}")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (head, text) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), text: text.to_owned() }
    }

    /// The API's process.
    pub fn process(&self) -> u32 {
        let children = format!("/proc/{0}/task/{0}/children", self.stand.id());
        let own = std::fs::read_to_string(children).unwrap_or_default();
        let all = self.stand.gate.shell("pgrep -f 'exe api$' || true").unwrap();
        let mut found = own.split_whitespace().chain(all.split_whitespace()).filter_map(|id| id.parse().ok());
        let of_ours = |id: &u32| {
            let cmdline = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(str::trim).map(str::to_owned);
            cmdline.ends_with(b"\0api\0") && parent == Some(self.stand.id().to_string())
        };
        found.find(of_ours).unwrap_or(0)
    }
}
