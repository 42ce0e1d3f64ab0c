//! A host, the box with the gateway on it, and a router, each in a namespace of its own.
//!
//! ```text
//! host eth0 -- lan0 [box] up0 -- eth0 router
//! ```

#![allow(dead_code, reason = "two crates of tests share this file, and neither needs all of it")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lab::namespace::Namespace;
use lab::process::Process;
use serde_json::Value;
use tempfile::TempDir;

pub const HOST: &str = "192.168.9.10";
pub const HOST_MAC: &str = "02:09:00:00:00:10";
pub const ROUTER: &str = "192.168.9.1";
pub const ROUTER_MAC: &str = "02:09:00:00:00:01";
/// How long anything may take that is said to happen within ten seconds.
pub const TEN: u64 = 10;
const PICKET: &str = env!("CARGO_BIN_EXE_picket");

/// The three namespaces and what runs in them; all of it ends with this.
pub struct Stand {
    gateway: Option<Process>,
    pub host: Namespace,
    pub gate: Namespace,
    pub router: Namespace,
    folder: TempDir,
}

impl Stand {
    /// Makes the namespaces; says so and gives nothing where that takes rights that are missing.
    pub fn build(test: &str) -> Option<Self> {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            eprintln!("SKIP: network namespaces need root");
            return None;
        }
        let space = |role: &str| Namespace::create(&format!("{test}-{role}")).unwrap();
        let (host, gate, router) = (space("host"), space("box"), space("router"));
        gate.shell("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1").unwrap();
        let stand = Self { gateway: None, host, gate, router, folder: tempfile::tempdir().unwrap() };
        stand.plug("lan0", &stand.host, HOST, HOST_MAC);
        stand.plug("up0", &stand.router, ROUTER, ROUTER_MAC);
        Some(stand)
    }

    /// Joins the box and another namespace by a new cable.
    pub fn plug(&self, link: &str, other: &Namespace, address: &str, mac: &str) {
        self.gate.shell(&format!("ip link add {link} type veth peer name eth0 netns {}", other.name())).unwrap();
        let script = format!(
            "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1; ip link set eth0 address {mac}
             ip addr add {address}/24 dev eth0; ip link set eth0 up"
        );
        other.shell(&script).unwrap();
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration: the two links, paths, and `more`.
    pub fn configure(&self, more: &str) {
        let (store, socket) = (self.file("store/state"), self.file("socket"));
        let links =
            if more.contains("[links]") { "" } else { "[links]\nlan = \"lan0\"\nuplink = \"up0\"\nbridge = \"br0\"\n" };
        let text = format!(
            "{more}\n{links}[store]\npath = \"{}\"\n[control]\nsocket = \"{}\"\n",
            store.display(),
            socket.display()
        );
        fs::write(self.file("picket.toml"), text).unwrap();
    }

    /// Starts the gateway and waits until it answers; `before` runs in a shell of its namespace first.
    pub fn start_after(&mut self, before: &str) {
        self.begin(before);
        eventually(5, "the bridge to forward", || self.pings(1) == 1);
    }

    /// Starts the gateway where a block is known to stand, so that no ping tells that the bridge forwards.
    pub fn start_blocked(&mut self) {
        self.begin(":");
    }

    fn begin(&mut self, before: &str) {
        let line = format!("{before}\nexec {PICKET} run --config {}", self.file("picket.toml").display());
        let process = self.gate.start(&line, &self.file("log")).unwrap();
        self.gateway = Some(process);
        eventually(15, "the gateway to answer", || self.try_ask(&["status"]).is_ok());
    }

    pub fn start(&mut self) {
        self.start_after(":");
    }

    /// Ends the gateway as `systemctl stop` would.
    pub fn stop(&mut self) {
        if let Some(mut gateway) = self.gateway.take() {
            gateway.finish();
        }
    }

    /// Ends the gateway as nothing else can: it does nothing more.
    pub fn kill(&mut self) {
        if let Some(mut gateway) = self.gateway.take() {
            gateway.kill();
        }
    }

    /// The gateway's process id.
    pub fn id(&self) -> u32 {
        self.gateway.as_ref().expect("it runs").id()
    }

    pub fn runs(&mut self) -> bool {
        self.gateway.as_mut().is_some_and(|gateway| gateway.ended().is_none())
    }

    /// The exit status with which it ends within so many seconds.
    pub fn status(&mut self, seconds: u64) -> Option<i32> {
        self.gateway.as_mut()?.wait(Duration::from_secs(seconds))?.code()
    }

    /// What the gateway has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// Runs a client command in the box's namespace.
    pub fn picket(&self, words: &[&str]) -> Output {
        self.gate.command(PICKET).args(words).arg("--config").arg(self.file("picket.toml")).output().unwrap()
    }

    /// Runs a command that needs no gateway, outside of every namespace.
    pub fn picket_alone(&self, words: &[&str]) -> Output {
        Command::new(PICKET).args(words).output().unwrap()
    }

    pub fn try_ask(&self, words: &[&str]) -> Result<Value, String> {
        let output = self.picket(&[words, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        if output.status.success() {
            serde_json::from_str(&text).map_err(|e| format!("{e}: {text}"))
        } else {
            Err(said(&output))
        }
    }

    /// What a client command answers.
    pub fn ask(&self, words: &[&str]) -> Value {
        self.try_ask(words).unwrap_or_else(|error| panic!("picket {}: {error}", words.join(" ")))
    }

    /// The events whose words hold all of these.
    pub fn events(&self, words: &[&str]) -> Vec<Value> {
        let all = self.ask(&["events"]);
        let is_meant = |event: &&Value| words.iter().all(|word| event["why"].as_str().unwrap().contains(word));
        all.as_array().unwrap().iter().filter(is_meant).cloned().collect()
    }

    /// Whether an event or the status says all of this.
    pub fn tells(&self, words: &[&str]) -> bool {
        !self.events(words).is_empty()
    }

    pub fn warnings(&self) -> String {
        self.ask(&["status"])["warnings"].as_array().unwrap().iter().map(|w| w.to_string() + "\n").collect()
    }

    /// The row of `picket doctor` that is about this.
    pub fn doctor(&self, what: &str) -> Value {
        let output = self.picket(&["doctor", "--json"]);
        let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
        let row = rows.as_array().unwrap().iter().find(|row| row["what"].as_str().unwrap().contains(what));
        row.unwrap_or_else(|| panic!("no row about {what}: {rows}")).clone()
    }

    /// How many of so many pings from the host reach the router and come back.
    pub fn pings(&self, count: u32) -> u32 {
        pings(&self.host, count, ROUTER, &[])
    }

    /// What `nft` says of the table; empty without one.
    pub fn table(&self) -> String {
        self.gate.shell("nft list table bridge picket 2>/dev/null || true").unwrap()
    }

    pub fn nft(&self, line: &str) {
        self.gate.shell(&format!("nft '{line}'")).unwrap();
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log());
        }
        self.stop();
    }
}

/// How many answers come to so many pings, 20 ms apart.
pub fn pings(from: &Namespace, count: u32, to: &str, more: &[&str]) -> u32 {
    let count = count.to_string();
    let output = from
        .command("ping")
        .args(["-n", "-q", "-i", "0.02", "-W", "1", "-c", &count])
        .args(more)
        .arg(to)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let received = text.split(", ").find_map(|part| part.strip_suffix(" received"));
    received.and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// What a program wrote to standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits for something at most so many seconds.
pub fn eventually(seconds: u64, what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(seconds);
    while !is_so() {
        assert!(Instant::now() < until, "waited {seconds} s for {what}");
        sleep(Duration::from_millis(50));
    }
}

/// Runs the program alone, without a gateway to ask.
pub fn alone(space: &Namespace, words: &[&str], config: &Path) -> Output {
    let [program, more @ ..] = words else { panic!("no program") };
    let mut command: Command = space.command(program);
    command.args(more).args(["run", "--config"]).arg(config).output().unwrap()
}

pub fn binary() -> &'static str {
    PICKET
}
