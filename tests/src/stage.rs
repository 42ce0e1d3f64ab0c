//! Plays scenes: a fresh gateway, its neighbourhood warmed up, the commands, the kernel watched, all ended again.

mod policy;

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use toml::Table;

use crate::gateway::Gateway;
use crate::kernel::{self, Element};
use crate::network::{Host, Network};
use crate::process::Process;
use crate::record::{Record, Recording};
use crate::scene::{Run, Scene, fill};
use crate::verdict::{Seen, Verdict, judge};

/// How often the kernel's ruleset is read while a scene runs.
const LOOK: Duration = Duration::from_millis(50);
/// How long after the last command ended something may still be found.
const AFTERWARDS: Duration = Duration::from_millis(1500);
/// How long something that must still work may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The port that blocked hosts' datagrams are counted at.
const COUNTED: u16 = 4009;

/// Where scenes are played.
pub struct Stage<'a> {
    /// The network.
    pub network: &'a Network,
    /// The lab's folder for logs and state.
    pub folder: &'a Path,
    /// What is laid over the gateway's configuration.
    pub over: &'a Table,
    /// Whether to run without a gateway, to see that the scenes themselves work.
    pub bare: bool,
    /// How long a scene is left standing once it is decided, for people who watch.
    pub linger: Duration,
}

/// One command that is to be started, or was.
pub(crate) struct Part {
    due: f64,
    host: String,
    line: String,
    process: Option<Process>,
}

impl Stage<'_> {
    /// Plays one attack scene.
    ///
    /// # Errors
    /// When it can't be played; what the gateway does wrong is in the verdict.
    pub fn attack(&self, scene: &Scene, record: Option<&mut Record>) -> Result<Verdict> {
        let expect = scene.expect.as_ref().context("an attack scene expects something")?;
        let attacker = self.network.host(&expect.host)?;
        let recording = record.as_ref().map(|record| record.start(self.network, scene, &[])).transpose()?;
        let mut gateway = self.fresh_gateway()?;
        let mut prepared = self.parts(&scene.name, &scene.prepare)?;
        self.advance(&mut prepared, 0.0, &scene.name)?;
        if !prepared.is_empty() {
            sleep(Duration::from_millis(700));
        }
        let mut parts = self.parts(&scene.name, &scene.run)?;
        let mut seen = Seen { began: now(), ..Seen::default() };
        let begin = Instant::now();
        let (mut idle_since, mut held) = (None, None);
        loop {
            let running = self.advance(&mut parts, begin.elapsed().as_secs_f64(), &scene.name)?;
            if gateway.is_some() {
                held =
                    kernel::blocked(self.network.space("box")?)?.into_iter().find(|element| element.blocks(attacker));
                seen.blocked_after = held.is_some().then(|| begin.elapsed().as_secs_f64());
            }
            let idle = *idle_since.get_or_insert_with(Instant::now);
            if running {
                idle_since = None;
            }
            let done = seen.blocked_after.is_some() || (!running && idle.elapsed() > AFTERWARDS);
            if done || begin.elapsed().as_secs_f64() > scene.seconds || crate::stop::asked() {
                break;
            }
            sleep(LOOK);
        }
        sleep(Duration::from_millis(300) + self.linger);
        seen.broken = self.what_is_broken(scene)?;
        if let Some(element) = held {
            seen.leaked = self.leaked(attacker, &element)?;
        }
        let mut innocent: Vec<&str> = expect.also.iter().map(String::as_str).collect();
        innocent.push(&expect.host);
        self.collect(gateway.as_mut(), &mut seen, &innocent)?;
        drop((parts, prepared));
        let verdict = judge(scene, self.network.hosts(), &seen);
        self.end(scene, record, recording, seen.began, verdict.host.as_deref())?;
        drop(gateway);
        self.network.forget_neighbours()?;
        Ok(verdict)
    }

    /// Plays all benign scenes at the same time, each on its own hosts.
    ///
    /// # Errors
    /// When they can't be played.
    pub fn benign(&self, scenes: &[&Scene], mut record: Option<&mut Record>) -> Result<Vec<Verdict>> {
        let mut recordings = Vec::new();
        if let Some(record) = &record {
            for scene in scenes {
                let actors = scene.actors().into_iter().filter(|name| name.starts_with('h'));
                let macs = actors.map(|name| Ok(self.network.host(name)?.mac.clone())).collect::<Result<Vec<_>>>()?;
                recordings.push(Some(record.start(self.network, scene, &macs)?));
            }
        }
        let mut gateway = self.fresh_gateway()?;
        let mut plays = Vec::new();
        for scene in scenes {
            let mut prepared = self.parts(&scene.name, &scene.prepare)?;
            self.advance(&mut prepared, 0.0, &scene.name)?;
            plays.push((prepared, self.parts(&scene.name, &scene.run)?, Vec::new()));
        }
        sleep(Duration::from_millis(700));
        let (began, begin) = (now(), Instant::now());
        loop {
            let mut running = false;
            let elapsed = begin.elapsed().as_secs_f64();
            for (scene, (_, parts, broken)) in scenes.iter().zip(&mut plays) {
                let on = elapsed < scene.seconds && self.advance(parts, elapsed, &scene.name)?;
                running |= on;
                if !on {
                    broken.extend(parts.drain(..).filter_map(failed));
                }
            }
            if !running || crate::stop::asked() {
                break;
            }
            sleep(LOOK);
        }
        sleep(AFTERWARDS);
        let mut together = Seen { began, ..Seen::default() };
        self.collect(gateway.as_mut(), &mut together, &[])?;
        let mut verdicts = Vec::new();
        for (n, scene) in scenes.iter().enumerate() {
            let mut broken = std::mem::take(&mut plays[n].2);
            broken.extend(self.what_is_broken(scene)?);
            let concerned: Vec<_> = self
                .network
                .hosts()
                .iter()
                .filter(|host| scene.actors().contains(&host.name.as_str()))
                .cloned()
                .collect();
            let others_blocked = together
                .others_blocked
                .iter()
                .filter(|name| concerned.iter().any(|host| host.name == **name))
                .cloned()
                .collect();
            let seen = Seen { events: together.events.clone(), began, broken, others_blocked, ..Seen::default() };
            verdicts.push(judge(scene, &concerned, &seen));
            let recording = recordings.get_mut(n).and_then(Option::take);
            self.end(scene, record.as_deref_mut(), recording, began, None)?;
        }
        drop(plays);
        drop(gateway);
        Ok(verdicts)
    }

    /// A gateway that knows nothing yet, and then everyone on the LAN, from their talk with router and server.
    fn fresh_gateway(&self) -> Result<Option<Gateway>> {
        let gateway = if self.bare { None } else { Some(Gateway::start(self.network, self.folder, self.over)?) };
        self.network.warm_up(&[])?;
        sleep(Duration::from_millis(500));
        Ok(gateway)
    }

    /// The commands as they are to be run; `name` is that of the scene, for messages and the log.
    pub(crate) fn parts(&self, name: &str, runs: &[Run]) -> Result<Vec<Part>> {
        let part = |run: &Run| -> Result<Part> {
            let line = fill(&run.command, self.network, self.folder).with_context(|| name.to_owned())?;
            Ok(Part { due: run.after, host: run.host.clone(), line, process: None })
        };
        runs.iter().map(part).collect()
    }

    /// Starts what is due and tells whether anything runs or will.
    pub(crate) fn advance(&self, parts: &mut [Part], elapsed: f64, name: &str) -> Result<bool> {
        let log = self.folder.join(format!("{name}.log"));
        let mut running = false;
        for part in parts {
            if part.process.is_none() && part.due <= elapsed {
                part.process = Some(self.network.space(&part.host)?.start(&part.line, &log)?);
            }
            let status = part.process.as_mut().and_then(Process::ended);
            if let Some(127) = status.and_then(|status| status.code()) {
                bail!("a program is missing for: {}; see {}", part.line, log.display());
            }
            running |= status.is_none();
        }
        Ok(running)
    }

    fn what_is_broken(&self, scene: &Scene) -> Result<Vec<String>> {
        let log = self.folder.join(format!("{}.log", scene.name));
        let mut running = Vec::new();
        for run in &scene.works {
            let line = fill(&run.command, self.network, self.folder)?;
            running.push(self.network.space(&run.host)?.start(&line, &log)?);
        }
        let mut broken = Vec::new();
        for process in &mut running {
            if !process.wait(PATIENCE).is_some_and(|status| status.success()) {
                broken.push(format!("does not work: {}", process.what()));
            }
        }
        Ok(broken)
    }

    /// How many datagrams of a blocked host arrive at the other side of the box, over the protocol that is blocked.
    fn leaked(&self, attacker: &Host, by: &Element) -> Result<u64> {
        let receiver = if attacker.name.starts_with('h') { "inet" } else { "h1" };
        let to = self.network.host(receiver)?;
        let six = by.names.contains(&attacker.address6);
        let (any, to) = if six { ("[::]", format!("[{}]", to.address6)) } else { ("0.0.0.0", to.address.clone()) };
        let out = self.folder.join("counted");
        fs::write(&out, "")?;
        let lab = self.folder.join("lab");
        let lab = lab.display();
        let mut counter =
            self.network.space(receiver)?.start(&format!("exec {lab} count {any}:{COUNTED} 1.2"), &out)?;
        sleep(Duration::from_millis(150));
        self.network.space(&attacker.name)?.shell(&format!("{lab} pour {to}:{COUNTED} 40 100"))?;
        ensure!(
            counter.wait(Duration::from_secs(4)).is_some_and(|status| status.success()),
            "the receiver's counter failed"
        );
        fs::read_to_string(&out)?.trim().parse().context("the receiver's count is no number")
    }

    /// Asks for the events, and the kernel for blocks of others than the named ones.
    fn collect(&self, gateway: Option<&mut Gateway>, seen: &mut Seen, but: &[&str]) -> Result<()> {
        let Some(gateway) = gateway else { return Ok(()) };
        ensure!(gateway.runs(), "picket run ended during the scene; see picket.log");
        let events = gateway.ask(&["events"])?;
        seen.events = events.as_array().cloned().context("picket events --json is no array")?;
        let held = kernel::blocked(self.network.space("box")?)?;
        let others = self.network.hosts().iter().filter(|host| !but.contains(&host.name.as_str()));
        seen.others_blocked = others
            .filter(|host| held.iter().any(|element| element.blocks(host)))
            .map(|host| host.name.clone())
            .collect();
        Ok(())
    }

    fn end(
        &self,
        scene: &Scene,
        record: Option<&mut Record>,
        recording: Option<Recording>,
        began: f64,
        host: Option<&str>,
    ) -> Result<()> {
        if let (Some(record), Some(recording)) = (record, recording) {
            recording.finish();
            record.label(self.network, scene, host, (began, now()))?;
        }
        Ok(())
    }
}

/// Why a benign command is not as it should be; nothing where it ended well.
fn failed(mut part: Part) -> Option<String> {
    match part.process.as_mut().and_then(Process::ended) {
        Some(status) if status.success() => None,
        Some(status) => Some(format!("{status}: {}", part.line)),
        None => Some(format!("did not end in time: {}", part.line)),
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
