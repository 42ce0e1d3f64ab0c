//! The agent, in a root of its own beside a real box: real programs act, the network is cut, box and agent are killed.

use std::fs;
use std::process::Output;
use std::time::Duration;

use lab::namespace::Namespace;
use lab::process::Process;

use super::client::{Box, PASSWORD, ROOT};
use super::stand::{Stand, TEN, binary, eventually, said};

/// The box's own address, which a host of the network reaches.
const BOX: &str = "192.168.9.2";

/// A box that hosts reach, and a host with a root of its own: other accounts, logs and mounts than this machine's.
struct Scene {
    made: Box,
    /// Keeps the host's root, with its syslog daemon.
    root: Process,
    agent: Option<Process>,
}

impl Scene {
    fn build(test: &str) -> Option<Self> {
        let mut stand = Stand::build(test)?;
        stand.gate.shell("sysctl -qw net.ipv4.ip_nonlocal_bind=1").unwrap();
        stand.configure(&format!(
            "[api]\nlisten = [\"127.0.0.1:8443\", \"{BOX}:8443\"]\n[intake]\nenabled = true\nsilent_after = \"5s\""
        ));
        stand.start();
        stand.gate.shell(&format!("ip addr add {BOX}/24 dev br0")).unwrap();
        let made = Box { stand };
        eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
        assert_eq!(made.claim(made.code().as_str(), PASSWORD).status, 201);
        eventually(TEN, "the intake", || made.stand.try_ask(&["sources"]).is_ok());
        let folder = made.stand.file("root");
        let rsyslog = made.stand.file("rsyslog.conf");
        fs::create_dir_all(folder.join("log")).unwrap();
        fs::create_dir_all(folder.join("work")).unwrap();
        fs::create_dir_all(folder.join("srv")).unwrap();
        fs::create_dir_all(folder.join("stick")).unwrap();
        let at = folder.display();
        let config = format!(
            "global(workDirectory=\"{at}/work\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"{at}/socket\" CreatePath=\"on\" RateLimit.Interval=\"0\")
auth,authpriv.* action(type=\"omfile\" file=\"/var/log/auth.log\")\n"
        );
        fs::write(&rsyslog, config).unwrap();
        // The folder that is watched lies on a mount of its own, as /srv would.
        let script = format!(
            "mount --make-rprivate / && cp -a /etc {at}/etc && mount --bind {at}/etc /etc && mount --bind {at}/log /var/log \
             && mount -t tmpfs tmpfs {at}/srv && : > /var/log/auth.log && exec rsyslogd -n -f {} -i {at}/rsyslog.pid",
            rsyslog.display()
        );
        let log = made.stand.file("rsyslog.log");
        let root = made.stand.host.start(&format!("exec unshare -m sh -c '{script}'"), &log).unwrap();
        eventually(TEN, "the host's syslog", || folder.join("socket").exists() && folder.join("log/auth.log").exists());
        Some(Self { made, root, agent: None })
    }

    fn host(&self) -> &Namespace {
        &self.made.stand.host
    }

    /// Something that is done on the host, to its end.
    fn act(&self, script: &str) -> String {
        let output = self.try_act(script);
        assert!(output.status.success(), "{script}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn try_act(&self, script: &str) -> Output {
        let inside = format!("-t {} -m", self.root.id());
        let mut command = self.host().command("nsenter");
        command.args(inside.split(' ')).args(["sh", "-ec", script]);
        command.current_dir("/").output().unwrap()
    }

    /// A line of a program, through the host's own syslog.
    fn log(&self, tag: &str, message: &str) {
        let socket = self.made.stand.file("root/socket");
        self.act(&format!("logger -u {} -p auth.info -t {tag} -- '{message}'", socket.display()));
    }

    /// Numbered log-ins.
    fn logins(&self, from: u32, until: u32) {
        let socket = self.made.stand.file("root/socket");
        let say = "Accepted password for ann from 10.0.0.9 port 22 ssh2, number";
        let script = format!(
            "for n in $(seq {from} {until}); do printf '<38>sshd[1]: {say} %05d.\\n' $n; done | while read -r line; do logger -u {} -p auth.info -t sshd -- \"${{line#*: }}\"; done",
            socket.display()
        );
        self.act(&script);
    }

    fn run(&mut self) {
        let folder = self.made.stand.file("root");
        let line = format!(
            "exec nsenter -t {} -m {} agent run --folder {at}/agent --watch {at}/srv",
            self.root.id(),
            binary(),
            at = folder.display(),
        );
        let agent = self.host().start(&line, &self.made.stand.file("agent.log")).unwrap();
        self.agent = Some(agent);
    }

    fn count(&self, text: &str) -> u64 {
        self.made.stand.ask(&["activity", "--text", text, "--count"])["count"].as_u64().unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "the agent's log:\n{}",
                fs::read_to_string(self.made.stand.file("agent.log")).unwrap_or_default()
            );
        }
    }
}

/// Enrols the host's agent.
fn enroll(scene: &Scene) {
    let stand = &scene.made.stand;
    let code = stand.ask(&["sources", "enroll", "laptop7", "--code"])["code"].as_str().unwrap().to_owned();
    let fingerprint = stand.ask(&["status"])["fingerprint"].as_str().unwrap().to_owned();
    let call = |fingerprint: &str, code: &str| {
        let folder = stand.file("root/agent");
        scene.try_act(&format!(
            "{} agent enroll --box {BOX}:8443 --fingerprint {fingerprint} --code {code} --folder {}",
            binary(),
            folder.display()
        ))
    };
    let other = call(&"ab".repeat(32), &code);
    assert!(!other.status.success() && said(&other).contains("somebody may stand in between"), "{}", said(&other));
    let wrong = call(&fingerprint, "0000-0000-0000-0000");
    assert!(!wrong.status.success() && said(&wrong).contains("refuses (401)"), "{}", said(&wrong));
    let done = call(&fingerprint, &code);
    assert!(done.status.success(), "{}", said(&done));
    let again = call(&fingerprint, &code);
    assert!(said(&again).contains("enrolled already"), "{}", said(&again));
}

#[test]
fn every_line_arrives_once_over_a_cut_network_a_killed_agent_and_a_killed_box() {
    let Some(mut scene) = Scene::build("agent-cut") else { return };
    enroll(&scene);
    scene.run();
    eventually(TEN, "the agent to begin", || scene.count("begins") == 1);
    scene.logins(1, 100);
    eventually(TEN, "a hundred log-ins", || scene.count("number") == 100);
    // The cable is pulled; the agent is killed and started again; the box is killed and started again.
    scene.host().shell("ip link set eth0 down").unwrap();
    scene.logins(101, 200);
    scene.agent.take().unwrap().kill();
    scene.logins(201, 300);
    scene.run();
    scene.made.stand.kill();
    // With the cable out no ping would tell that it is there.
    scene.made.stand.start_blocked();
    scene.logins(301, 400);
    scene.host().shell("ip link set eth0 up").unwrap();
    eventually(60, "all of them", || scene.count("number") >= 400);
    scene.logins(401, 420);
    eventually(20, "the last of them", || scene.count("number") >= 420);
    std::thread::sleep(Duration::from_secs(2));
    let rows = scene.made.stand.ask(&["activity", "--text", "number", "--limit", "1000"]);
    let told: Vec<u32> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["text"].as_str().unwrap().rsplit(' ').next().unwrap().trim_end_matches('.').parse().unwrap())
        .collect();
    assert!(told == (1..=420).collect::<Vec<_>>(), "each once, in order: {} of them", told.len());
    let row = &rows[0];
    let keys =
        ["device", "subject", "action", "proof", "program"].map(|key| row[key].as_str().unwrap_or("").to_owned());
    assert_eq!(keys, ["laptop7", "ann", "login", "token", "sshd"], "{row}");
    assert_eq!(scene.count("never came"), 0);
    let token = scene.made.log_in(ROOT, PASSWORD);
    let source = scene.made.get(&token, "/api/v1/sources?name=laptop7").json()["items"][0].clone();
    assert_eq!((source["lost"].as_u64(), source["agent"].as_bool()), (Some(0), Some(true)), "{source}");
}

#[test]
fn accounts_media_files_and_a_cleared_log_are_told_and_make_one_incident() {
    let Some(mut scene) = Scene::build("agent-acts") else { return };
    enroll(&scene);
    let srv = scene.made.stand.file("root/srv");
    scene.act("useradd --create-home ann");
    scene.act(&format!("for n in $(seq 1 600); do echo plan $n > {}/plan-$n.txt; done", srv.display()));
    scene.run();
    eventually(TEN, "the agent to begin", || scene.count("begins") == 1);
    let shown =
        scene.act(&format!("{} agent show --folder {}/../agent --watch {}", binary(), srv.display(), srv.display()));
    for word in ["laptop7", BOX, "sudo or su", "It does not tell", &srv.display().to_string()] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(shown.lines().count() <= 24, "one screen: {shown}");
    // Real programs: an account with rights, files read in bulk by a person, a stick, a log that is wiped.
    scene.act("useradd eve && usermod -aG sudo eve");
    scene.act(&format!(
        "chmod 755 {0} {0}/..; runuser -u ann -- cp -r {0} /home/ann/copy; rm -r /home/ann/copy",
        srv.display()
    ));
    let stick = scene.made.stand.file("root/stick");
    scene.act(&format!("truncate -s 4M {0}.img && mkfs.ext4 -q {0}.img && mount -o loop {0}.img {0}", stick.display()));
    scene.log("sshd", "Accepted password for ann from 10.0.0.9 port 22 ssh2, kept");
    eventually(TEN, "the line before the log is wiped", || scene.count("kept") == 1);
    scene.act(": > /var/log/auth.log");
    let stand = &scene.made.stand;
    for event in [
        "Somebody became an administrator of a host: laptop7",
        "Many files were read at once: ann on laptop7",
        "A stick was plugged in after many files were read: laptop7",
        "A log was cleared: laptop7",
    ] {
        eventually(20, event, || stand.tells(&[event, "token logs"]));
    }
    let read = stand.ask(&["activity", "--action", "read", "--subject", "ann", "--count"])["count"].as_u64().unwrap();
    assert_eq!(read, 600, "each file that Ann read");
    let own = stand.ask(&["activity", "--action", "medium"]);
    assert_eq!(own.as_array().unwrap().len(), 1, "{own}");
    assert_eq!(scene.count("the account eve was made"), 1);
    // The group, the files, the stick, the log: what happened on one host is one story.
    eventually(TEN, "the whole story", || stand.ask(&["incidents"])[0]["events"].as_u64() >= Some(4));
    let incidents = stand.ask(&["incidents"]);
    assert_eq!(incidents.as_array().unwrap().len(), 1, "one story on one host: {incidents}");
    assert_eq!(incidents[0]["level"], "HIGH", "{incidents}");
    let sources: Vec<_> = incidents[0]["sources"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(sources, ["laptop7"]);
    assert!(stand.ask(&["blocks"]).as_array().unwrap().is_empty());
    // A little memory, hardly a processor; and the end is said, then noticed as silence.
    let agent = scene.agent.take().unwrap();
    let id = agent.id();
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let resident: u64 =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok()).unwrap();
    assert!(resident <= 40 << 10, "{resident} KiB in a debug build");
    scene.host().shell(&format!("kill -TERM {id}")).unwrap();
    eventually(TEN, "the end", || scene.count("the agent was told to stop") == 1);
    drop(agent);
    eventually(20, "the silence", || scene.made.stand.tells(&["An agent says nothing any more: laptop7"]));
    // What would run it on a real host.
    let root = scene.made.stand.file("installed");
    scene.act(&format!(
        "{} agent install --root {} --folder {}/../agent --watch /srv",
        binary(),
        root.display(),
        srv.display()
    ));
    let unit = fs::read_to_string(root.join("etc/systemd/system/picket-agent.service")).unwrap();
    assert!(
        unit.contains("agent run --folder")
            && unit.contains("--watch \"/srv\"")
            && unit.contains("NoNewPrivileges=yes"),
        "{unit}"
    );
}
