//! Frames that broke other readers, sent at a running gateway from both sides: it goes on, and counts what it can't read.

#[path = "../../capture/tests/common/archive.rs"]
mod archive;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use capture::CaptureFile;
use pnet_datalink::{Channel, Config, DataLinkSender};
use serde_json::Value;
use wire::LinkType;

const PICKET: &str = env!("CARGO_BIN_EXE_picket");
/// Frames between two pauses of the sender, so that the rings keep up.
const BATCH: usize = 64;
/// How long the gateway may take to start, or to have read everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A box in a network namespace of its own, whose two links end in this process' namespace.
struct Sandbox {
    space: String,
    ends: [String; 2],
    config: PathBuf,
    gateway: Option<Child>,
}

impl Sandbox {
    /// Nothing where namespaces are not allowed.
    fn build(folder: &Path) -> Option<Self> {
        let pid = std::process::id();
        let ends = [format!("pkl{pid}"), format!("pku{pid}")];
        let config = folder.join("picket.toml");
        let made = Self { space: format!("pickethostile{pid}"), ends, config, gateway: None };
        if !run("ip", &["netns", "add", &made.space]).status.success() {
            return None;
        }
        for (end, link) in made.ends.iter().zip(["lan0", "up0"]) {
            must(
                "ip",
                &[
                    "link",
                    "add",
                    end,
                    "mtu",
                    "9000",
                    "type",
                    "veth",
                    "peer",
                    "name",
                    link,
                    "mtu",
                    "9000",
                    "netns",
                    &made.space,
                ],
            );
            fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").expect("a link can be set up");
            must("ip", &["link", "set", end, "up"]);
            must("ip", &["-n", &made.space, "link", "set", link, "up"]);
        }
        let text = format!(
            "[links]\nlan = \"lan0\"\nuplink = \"up0\"\nbridge = \"br0\"\n[store]\npath = \"{0}/state\"\n[control]\nsocket = \"{0}/socket\"\n",
            folder.display()
        );
        fs::write(&made.config, text).expect("a temporary file");
        Some(made)
    }

    fn start(&mut self, log: &Path) {
        let log = File::create(log).expect("a temporary file");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space, PICKET, "run", "--config"]).arg(&self.config);
        command.stdout(log.try_clone().expect("a file")).stderr(log);
        self.gateway = Some(command.spawn().expect("ip is installed"));
        self.wait_for("the gateway to answer", |status| status.is_object());
    }

    /// What the gateway says of itself; null while it says nothing.
    fn status(&self) -> Value {
        let output = Command::new(PICKET).args(["status", "--json", "--config"]).arg(&self.config).output();
        output.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok()).unwrap_or_default()
    }

    fn wait_for(&mut self, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let ended = self.gateway.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert_eq!(ended, None, "the gateway ended while waiting for {what}");
            let status = self.status();
            if so(&status) {
                return status;
            }
            assert!(Instant::now() < until, "waited for {what}: {status}");
            sleep(Duration::from_millis(100));
        }
    }

    fn sender(&self, end: usize) -> Box<dyn DataLinkSender> {
        let known = pnet_datalink::interfaces().into_iter().find(|known| known.name == self.ends[end]);
        match pnet_datalink::channel(&known.expect("the link exists"), Config::default()).expect("it can be written") {
            Channel::Ethernet(sender, _) => sender,
            _ => panic!("a link is an Ethernet"),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(child) = &mut self.gateway {
            let _ = child.kill();
            let _ = child.wait();
        }
        // The links go with their other ends.
        run("ip", &["netns", "del", &self.space]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().expect("ip is installed")
}

fn must(program: &str, arguments: &[&str]) {
    let output = run(program, arguments);
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Every frame of the malformed captures that a link takes, and some that no capture has.
fn frames(folder: &Path, into: &Path) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for file in archive::malformed(folder, into) {
        let Ok(mut file) = CaptureFile::open(&file) else { continue };
        while let Some(frame) = file.next() {
            if frame.link == LinkType::Ethernet && (14..=9_000).contains(&frame.octets.len()) {
                frames.push(frame.octets.to_vec());
            }
        }
    }
    // Headers that end where they begin.
    for ethertype in [[8, 0], [0x86, 0xdd], [8, 6]] {
        for len in 14..60 {
            let mut octets = vec![0x45; len];
            octets[..12].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
            octets[12..14].copy_from_slice(&ethertype);
            frames.push(octets);
        }
    }
    frames
}

#[test]
fn a_running_gateway_survives_every_malformed_frame_and_counts_it() {
    let Some(captures) = archive::captures() else {
        eprintln!("SKIP: no captures beside the project and PICKET_CAPTURES is not set");
        return;
    };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let Some(mut sandbox) = Sandbox::build(dir.path()) else {
        eprintln!("SKIP: no right to make a network namespace");
        return;
    };
    let packed = tempfile::tempdir().expect("a temporary folder");
    let frames = frames(&captures, packed.path());
    assert!(frames.len() > 10_000, "only {} frames", frames.len());
    sandbox.start(&dir.path().join("log"));
    let before = sandbox.status()["frames"].as_u64().unwrap_or(0);
    let mut senders = [sandbox.sender(0), sandbox.sender(1)];
    let mut sent = 0;
    for (n, octets) in frames.iter().enumerate() {
        // What the kernel does not take never reaches anybody.
        if let Some(Ok(())) = senders[n % 2].send_to(octets, None) {
            sent += 1;
        }
        if n % BATCH == 0 {
            sleep(Duration::from_millis(1));
        }
    }
    // The kernel itself drops frames whose tag is cut.
    let enough = before + sent * 9 / 10;
    let read = |status: &Value| status["frames"].as_u64().unwrap_or(0) + status["dropped"].as_u64().unwrap_or(0);
    let status = sandbox.wait_for("all frames to be read", |status| read(status) >= enough);
    let ignored: u64 =
        status["ignored"].as_object().into_iter().flat_map(|told| told.values()).filter_map(Value::as_u64).sum();
    println!("{sent} frames sent, {} read, {ignored} ignored: {}", status["frames"], status["ignored"]);
    assert!(ignored > 100, "{status}");
    let after = sandbox.status();
    assert!(after.is_object(), "the gateway does not answer any more");
}
