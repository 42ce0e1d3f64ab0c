//! Insider scenes: what people do on a host of the lab, told by a real agent there, and the one story that the box makes of it.
//!
//! The host has a root of its own: accounts, logs, devices, a share. Real programs act in it and log through a real syslog daemon; the agent
//! reads what they leave, as on any host. Nothing feeds the box what is asked of it later.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use toml::Table;

use crate::gateway::{Gateway, binary, root};
use crate::namespace::Namespace;
use crate::network::{BOX, Network};
use crate::process::{Process, output};
use crate::scene::{Level, fill, name_of, read_folder};
use crate::stage::now;
use crate::verdict::Verdict;

/// The host on which people do things, as the agent is enrolled.
const DESK: &str = "h5";
const NAME: &str = "desk5";
/// How long the host, the API and the agent may take until they are there.
const START: Duration = Duration::from_secs(30);
/// For how long a scene in which nothing may be found is looked at after the box has every line.
const AFTERWARDS: Duration = Duration::from_secs(4);
/// The longest scene. **Units**: seconds.
const LIMIT: f64 = 60.0;

/// One scene.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Insider {
    /// The file's name without its ending.
    #[serde(skip)]
    pub name: String,
    /// What happens, in one sentence.
    pub about: String,
    /// Whether `make test` runs it too.
    #[serde(default)]
    pub subset: bool,
    /// What was there before anybody looked.
    #[serde(default)]
    pub prepare: Vec<String>,
    /// What is done, one after the other.
    pub act: Vec<Deed>,
    /// The one story that must be told; none may be where it is missing.
    pub expect: Option<Story>,
    /// After how many seconds everything is ended.
    pub seconds: f64,
}

/// One thing that is done.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// From which host of the lab; on the desk's host, in its own root, where none is named.
    pub host: Option<String>,
    /// A shell line; `{desk}` stands for the desk's address.
    pub command: String,
}

/// The story that must be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// Its level, and no other.
    pub level: Level,
    /// Who it names.
    #[serde(default)]
    pub subject: Option<String>,
    /// The rules that it rests on, each of which must be told.
    pub rules: Vec<String>,
}

impl Insider {
    /// Reads every scene, in the order of their names.
    ///
    /// # Errors
    /// Names the file and what is wrong in it.
    pub fn read_all() -> Result<Vec<Self>> {
        let folder = root().join("tests/lab/insiders");
        read_folder(&folder)?
            .into_iter()
            .map(|(path, scene)| Self { name: name_of(&path), ..scene }.checked(&path))
            .collect()
    }

    fn checked(self, path: &Path) -> Result<Self> {
        let (what, scene) = (path.display(), self);
        ensure!(scene.seconds > 0.0 && scene.seconds <= LIMIT, "{what}: seconds must be over 0 and at most {LIMIT}");
        ensure!(!scene.act.is_empty(), "{what}: nothing is done");
        ensure!(scene.expect.as_ref().is_none_or(|story| !story.rules.is_empty()), "{what}: a story rests on rules");
        Ok(scene)
    }

    /// Plays it on the network, with its files in `folder`, under a gateway that knows nothing yet.
    ///
    /// # Errors
    /// When it can't be played; what the box makes of it is in the verdict.
    pub fn play(&self, network: &Network, folder: &Path) -> Result<Verdict> {
        let over: Table = toml::from_str(&format!(
            "[api]\nlisten = [\"127.0.0.1:8443\", \"{BOX}:8443\"]\n[intake]\nenabled = true\n"
        ))?;
        let gateway = Gateway::start(network, folder, &over)?;
        network.warm_up(&[])?;
        let mut desk = Desk::furnish(network, folder)?;
        for line in &self.prepare {
            desk.act(line)?;
        }
        claim(network, folder, &gateway)?;
        desk.enroll(&gateway)?;
        desk.begin(&gateway)?;
        let began = now();
        for deed in &self.act {
            match &deed.host {
                None => desk.act(&deed.command)?,
                Some(host) => {
                    let line = deed.command.replace("{desk}", &network.host(DESK)?.address);
                    let line = fill(&line, network, folder)?;
                    output(network.space(host)?.command("sh").args(["-ec", &line]).current_dir(folder))
                        .with_context(|| format!("{}: {line}", self.name))?;
                }
            }
        }
        // The box has every line that was written until here once it has this one.
        desk.act("logger -p auth.info -t lab -- 'the scene is over'")?;
        let told = || gateway.ask(&["activity", "--text", "the scene is over", "--count"]);
        wait(Duration::from_secs_f64(self.seconds), "the last line", || Ok(told()?["count"] == 1))?;
        let verdict = self.watch(&gateway, began);
        drop(desk);
        drop(gateway);
        network.forget_neighbours()?;
        verdict
    }

    /// Waits for what must be told, or for a while in which nothing may be.
    fn watch(&self, gateway: &Gateway, began: f64) -> Result<Verdict> {
        let until = Instant::now() + self.expect.as_ref().map_or(AFTERWARDS, |_| Duration::from_secs_f64(self.seconds));
        loop {
            let verdict = self.judge(gateway, began)?;
            let over = Instant::now() >= until || crate::stop::asked();
            if over || self.expect.is_some() && verdict.as_declared() {
                return Ok(verdict);
            }
            sleep(Duration::from_millis(200));
        }
    }

    /// Compares what the box tells with what is declared.
    fn judge(&self, gateway: &Gateway, began: f64) -> Result<Verdict> {
        let (incidents, events) = (gateway.ask(&["incidents"])?, gateway.ask(&["events"])?);
        let blocks = gateway.ask(&["blocks"])?;
        let (incidents, events) = (incidents.as_array().context("incidents")?, events.as_array().context("events")?);
        Ok(self.verdict(incidents, events, blocks.as_array().is_some_and(Vec::is_empty), began))
    }

    fn verdict(&self, incidents: &[Value], events: &[Value], no_block: bool, began: f64) -> Verdict {
        let rule = |event: &Value| event["detector"].as_str()?.strip_prefix("insider:").map(str::to_owned);
        let told: Vec<String> = events.iter().filter_map(rule).collect();
        let finding = events.iter().filter(|event| rule(event).is_some()).filter_map(|event| event["at"].as_f64());
        let finding = finding.reduce(f64::min).map(|at| at - began);
        let level = incidents.first().and_then(|incident| incident["level"].as_str()).unwrap_or("-").to_owned();
        let mut wrong = Vec::new();
        if !no_block {
            wrong.push("somebody was blocked for what a host says".to_owned());
        }
        match &self.expect {
            None if incidents.is_empty() => {}
            None => wrong.push(format!("{} incidents: {}", incidents.len(), incidents[0]["summary"])),
            Some(story) => {
                if incidents.len() != 1 {
                    wrong.push(format!("{} incidents instead of one", incidents.len()));
                } else if level != story.level.as_str() {
                    wrong.push(format!("it is {level}"));
                }
                for missing in story.rules.iter().filter(|rule| !told.contains(rule)) {
                    wrong.push(format!("{missing} was not told"));
                }
                let named = |subject: &&String| {
                    let subjects =
                        incidents.first().map(|incident| incident["subjects"].to_string()).unwrap_or_default();
                    !subjects.contains(subject.as_str())
                };
                wrong.extend(story.subject.as_ref().filter(named).map(|subject| format!("{subject} is not named")));
            }
        }
        let expected =
            self.expect.as_ref().map_or("no incident".into(), |story| format!("incident {}", story.level.as_str()));
        let found = if incidents.is_empty() { "nothing".into() } else { format!("incident {level}") };
        Verdict { scene: self.name.clone(), expected, found, host: None, finding, block: None, wrong }
    }

    /// One that could not even be played.
    #[must_use]
    pub fn failed(&self, error: &anyhow::Error) -> Verdict {
        let expected =
            self.expect.as_ref().map_or("no incident".into(), |story| format!("incident {}", story.level.as_str()));
        let wrong = vec![format!("{error:#}")];
        Verdict { scene: self.name.clone(), expected, found: "-".into(), host: None, finding: None, block: None, wrong }
    }
}

/// Gives the box its owner, as its page would: without one it takes in nothing.
fn claim(network: &Network, folder: &Path, gateway: &Gateway) -> Result<()> {
    let space = network.space("box")?;
    let healthy =
        format!("curl -sf --max-time 5 --cacert {}/state/api/ca.pem https://127.0.0.1:8443", folder.display());
    wait(START, "the API", || Ok(space.shell(&format!("{healthy}/healthz")).is_ok()))?;
    let status = gateway.ask(&["status"])?;
    let code = status["claim_code"].as_str().context("the box has an owner already")?;
    let body = serde_json::json!({
        "code": code, "email": "lab@example.org", "first_name": "Lab", "password": "correct-horse-7-staple",
    });
    let head = "-H 'Content-Type: application/json' -o /dev/null";
    space.shell(&format!("{healthy}/api/v1/auth/claim {head} --data-binary '{body}'")).map(drop)
}

/// The host with its own root: `/etc`, `/var/log`, `/home`, `/dev`, a share at `/srv`, a syslog daemon, an SSH server, the agent.
struct Desk<'n> {
    space: &'n Namespace,
    folder: PathBuf,
    /// Keeps the mounts, and is the syslog daemon.
    root: Process,
    running: Vec<Process>,
}

impl<'n> Desk<'n> {
    fn furnish(network: &'n Network, lab: &Path) -> Result<Self> {
        let (space, folder) = (network.space(DESK)?, lab.join("desk"));
        let _ = fs::remove_dir_all(&folder);
        for sub in ["log", "work", "dev", "agent", "home", "srv"] {
            fs::create_dir_all(folder.join(sub))?;
        }
        let at = folder.display().to_string();
        fs::write(
            folder.join("rsyslog.conf"),
            format!(
                "global(workDirectory=\"{at}/work\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
                 input(type=\"imuxsock\" Socket=\"/dev/log\" CreatePath=\"on\" RateLimit.Interval=\"0\")\n\
                 auth,authpriv.* action(type=\"omfile\" file=\"/var/log/auth.log\")\n"
            ),
        )?;
        fs::write(
            folder.join("sshd.conf"),
            format!(
                "Port 22\nHostKey {}/host_key\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication yes\n\
                 AuthorizedKeysFile {}/user_key.pub\nUseDNS no\nMaxStartups 100\nMaxAuthTries 3\n",
                lab.display(),
                lab.display()
            ),
        )?;
        // Each step on its own line; what is missing on this machine's /dev is missing there too.
        let script = format!(
            "set -e; mount --make-rprivate /; cp -a /etc {at}/etc; mount --bind {at}/etc /etc; mount --bind {at}/log /var/log; \
             mount -t tmpfs -o mode=755 tmpfs {at}/home; mount --bind {at}/home /home; mount -t tmpfs -o mode=755 tmpfs {at}/srv; \
             mount --bind {at}/srv /srv; mount -t tmpfs -o mode=755 tmpfs {at}/dev; \
             cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx {at}/dev/; \
             cp -a /dev/loop* {at}/dev/ || true; ln -s /proc/self/fd {at}/dev/fd; mkdir {at}/dev/pts {at}/dev/shm; \
             mount --rbind /dev/pts {at}/dev/pts; mount --bind {at}/dev /dev; : > /var/log/auth.log; \
             exec rsyslogd -n -f {at}/rsyslog.conf -i {at}/work/rsyslog.pid"
        );
        let root = space.start(&format!("exec unshare -m sh -c '{script}'"), &lab.join("desk.log"))?;
        let mut desk = Self { space, folder, root, running: Vec::new() };
        let (socket, log) = (desk.folder.join("work/rsyslog.pid"), desk.folder.join("log/auth.log"));
        wait(START, "the host's syslog", || Ok(socket.exists() && log.exists()))?;
        desk.start(&format!("exec /usr/sbin/sshd -D -f {at}/sshd.conf"))?;
        wait(START, "the host's sshd", || Ok(space.shell("ss -Hltn sport = :22 | grep -q .").is_ok()))?;
        Ok(desk)
    }

    /// The words before a command that is to run in the host's root.
    fn inside(&self) -> String {
        format!("nsenter -t {} -m", self.root.id())
    }

    fn start(&mut self, line: &str) -> Result<()> {
        let line = format!("exec {} sh -c '{line}'", self.inside());
        let log = self.folder.join("running.log");
        self.running.push(self.space.start(&line, &log)?);
        Ok(())
    }

    /// Does something on the host, to its end.
    fn act(&self, line: &str) -> Result<()> {
        let inside = self.inside();
        let mut words = inside.split(' ').map(str::to_owned);
        let mut command = self.space.command(&words.next().unwrap_or_default());
        command.args(words).args(["sh", "-ec", line]).current_dir("/");
        output(&mut command).map(drop).with_context(|| line.to_owned())
    }

    fn enroll(&self, gateway: &Gateway) -> Result<()> {
        let deadline = Instant::now() + START;
        let made = loop {
            match gateway.ask(&["sources", "enroll", NAME, "--code"]) {
                Ok(made) => break made,
                Err(error) if Instant::now() >= deadline => return Err(error),
                Err(_) => sleep(Duration::from_millis(100)),
            }
        };
        let code = made["code"].as_str().context("no code")?.to_owned();
        let status = gateway.ask(&["status"])?;
        let fingerprint = status["fingerprint"].as_str().context("no fingerprint")?;
        let (program, at) = (binary()?, self.folder.display());
        self.act(&format!(
            "{} agent enroll --box {BOX}:8443 --fingerprint {fingerprint} --code {code} --folder {at}/agent",
            program.display()
        ))
    }

    /// Starts the agent and waits until the box hears it.
    fn begin(&mut self, gateway: &Gateway) -> Result<()> {
        let (program, at) = (binary()?, self.folder.display().to_string());
        self.start(&format!("exec {} agent run --folder {at}/agent --watch /srv", program.display()))?;
        wait(START, "the agent", || Ok(gateway.ask(&["activity", "--text", "begins", "--count"])?["count"] == 1))
    }
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        for process in &mut self.running {
            process.finish();
        }
        // What a scene left mounted from a file would keep its loop device.
        let _ = self.act("umount -d /home/stick 2>/dev/null || true");
        self.root.kill();
        let _ = Command::new("rm").args(["-rf", "--one-file-system"]).arg(&self.folder).status();
    }
}

/// Waits for something, and says what it waited for in vain.
fn wait(limit: Duration, what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + limit;
    while !is_so()? {
        if Instant::now() >= until {
            bail!("{what} did not come within {} s", limit.as_secs());
        }
        sleep(Duration::from_millis(100));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scene(expect: &str) -> Insider {
        toml::from_str(&format!("about = 'x'\nseconds = 5\nact = [{{ command = 'true' }}]\n{expect}")).expect("a scene")
    }

    fn incident(level: &str) -> Value {
        json!({"level": level, "summary": "s", "subjects": ["ann on desk5"]})
    }

    #[test]
    fn the_scenes_read_and_each_kind_is_there() {
        let scenes = Insider::read_all().expect("the scenes are right");
        assert!(scenes.iter().any(|scene| scene.expect.is_none()) && scenes.iter().any(|scene| scene.expect.is_some()));
    }

    #[test]
    fn one_story_of_the_declared_level_with_every_rule_is_as_declared_and_nothing_else_is() {
        let scene = scene("[expect]\nlevel = 'HIGH'\nsubject = 'ann'\nrules = ['bulk-read']");
        let event = json!({"detector": "insider:bulk-read", "at": 11.0});
        let judge = |incidents: &[Value], events: &[Value], no_block| scene.verdict(incidents, events, no_block, 10.0);
        let good = judge(&[incident("HIGH")], std::slice::from_ref(&event), true);
        assert!(good.as_declared() && good.finding == Some(1.0), "{good:?}");
        assert!(!judge(&[incident("MEDIUM")], std::slice::from_ref(&event), true).as_declared());
        assert!(!judge(&[incident("HIGH"), incident("HIGH")], std::slice::from_ref(&event), true).as_declared());
        assert!(!judge(&[incident("HIGH")], &[], true).as_declared());
        assert!(!judge(&[incident("HIGH")], std::slice::from_ref(&event), false).as_declared());
        assert!(!judge(&[], &[event], true).as_declared());
    }

    #[test]
    fn a_harmless_scene_takes_no_incident_at_all() {
        assert!(scene("").verdict(&[], &[], true, 0.0).as_declared());
        assert!(!scene("").verdict(&[incident("MEDIUM")], &[], true, 0.0).as_declared());
    }
}
