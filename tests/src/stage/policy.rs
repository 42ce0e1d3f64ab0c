//! Plays scenes of policies: a fresh gateway, the policy applied by the command that an admin uses, the receivers' counts read.

use std::collections::BTreeSet;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use policy::text::written;
use serde_json::Value;
use terms::Timestamp;

use super::{LOOK, Stage, now};
use crate::crossing::{self, Reading};
use crate::gateway::Gateway;
use crate::kernel;
use crate::network::ROUTER;
use crate::scene::{Scene, fill};
use crate::verdict::{Verdict, of_policy};

/// How long the gateway may take to tell what was denied.
const TOLD: Duration = Duration::from_secs(4);

impl Stage<'_> {
    /// Plays one scene of a policy.
    ///
    /// # Errors
    /// When it can't be played; what the gateway does wrong is in the verdict.
    pub fn under_policy(&self, scene: &Scene) -> Result<Verdict> {
        let mut gateway = self.fresh_gateway()?;
        let mut prepared = self.parts(&scene.name, &scene.prepare)?;
        self.advance(&mut prepared, 0.0, &scene.name)?;
        if !prepared.is_empty() {
            sleep(Duration::from_millis(700));
        }
        for receiver in self.receivers(scene) {
            crossing::count_anew(self.network.space(receiver)?)?;
        }
        if let Some(gateway) = &gateway {
            self.meet_servers(gateway)?;
        }
        if !scene.ends.is_empty() {
            sleep(Duration::from_secs_f64(until_start(scene.policy.as_deref().unwrap_or_default(), now())?));
        }
        let (begin, began) = (Instant::now(), now());
        if let Some(gateway) = &gateway {
            self.apply(gateway, scene)?;
        }
        let mut parts = self.parts(&scene.name, &scene.run)?;
        let mut readings: Vec<Vec<Reading>> = vec![Vec::new(); scene.ends.len()];
        let all_read = scene.ends.iter().map(|ending| ending.after + ending.within + 1.0).fold(0.0, f64::max);
        loop {
            let elapsed = begin.elapsed().as_secs_f64();
            let running = self.advance(&mut parts, elapsed, &scene.name)?;
            for (ending, readings) in scene.ends.iter().zip(&mut readings) {
                readings.push(ending.read(self.network, begin)?);
            }
            if (!running && elapsed > all_read) || elapsed > scene.seconds || crate::stop::asked() {
                break;
            }
            sleep(LOOK);
        }
        let (passed, denied, mut wrong) = self.crossed(scene, gateway.as_mut())?;
        let events = gateway.as_ref().map(|gateway| gateway.ask(&["events"])).transpose()?.unwrap_or_default();
        for (ending, readings) in scene.ends.iter().zip(&readings) {
            let denied = ending.denied(self.network, events.as_array().map_or(&[], Vec::as_slice), began)?;
            wrong.extend(ending.fault(readings, &denied));
        }
        wrong.extend(self.what_is_broken(scene)?);
        sleep(self.linger);
        drop((parts, prepared));
        drop(gateway);
        self.network.space("box")?.shell("nft delete table bridge picket 2>/dev/null || true")?;
        self.network.forget_neighbours()?;
        Ok(of_policy(scene, format!("{passed} pass, {denied} denied"), wrong))
    }

    /// Lets the gateway see who answers names here, as it does in any network that it only watches at first.
    fn meet_servers(&self, gateway: &Gateway) -> Result<()> {
        let until = Instant::now() + TOLD;
        loop {
            self.network.space("h1")?.shell(&format!("dig +short +tries=3 +time=1 @{ROUTER} router.lab"))?;
            let policy = gateway.ask(&["policy", "show"])?;
            if policy["servers"].as_array().is_some_and(|servers| servers.iter().any(|server| server == ROUTER)) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "the gateway does not learn that {ROUTER} answers names");
            sleep(LOOK);
        }
    }

    /// Gives the gateway the scene's policy, as an admin would.
    fn apply(&self, gateway: &Gateway, scene: &Scene) -> Result<()> {
        let posture = self.over.get("posture").and_then(toml::Value::as_str).unwrap_or("enforce");
        let text = scene.policy.as_deref().context("a scene of a policy has one")?;
        let text = fill(&with_moments(text, now())?, self.network, self.folder).with_context(|| scene.name.clone())?;
        let file = self.folder.join(format!("{}.policy.toml", scene.name));
        fs::write(&file, format!("posture = \"{posture}\"\n{text}"))?;
        gateway.tell(&["policy", "apply", &file.to_string_lossy()])
    }

    /// What passed, what did not, and what of that is not as declared.
    fn crossed(&self, scene: &Scene, gateway: Option<&mut Gateway>) -> Result<(usize, usize, Vec<String>)> {
        let mut wrong = Vec::new();
        let (mut passed, mut denied) = (0, 0);
        for crossing in &scene.passes {
            let packets = crossing.received(self.network)?;
            passed += usize::from(packets > 0);
            if packets == 0 {
                wrong.push(format!("{}: nothing arrives", crossing.told()));
                continue;
            }
            let Some(gateway) = gateway.as_deref() else { continue };
            if !crossing.is_known(self.network)? {
                wrong.push(format!("{}: the kernel knows no such conversation", crossing.told()));
            }
            let rule = crossing.decided_by(self.network, gateway)?;
            if rule != crossing.rule {
                wrong.push(format!("{}: explain names {rule}, not {}", crossing.told(), crossing.rule));
            }
        }
        for crossing in &scene.denied {
            let packets = crossing.received(self.network)?;
            denied += usize::from(packets == 0);
            if packets > 0 {
                wrong.push(format!("{}: {packets} packets arrive", crossing.told()));
            }
        }
        let Some(gateway) = gateway else { return Ok((passed, denied, wrong)) };
        ensure!(gateway.runs(), "picket run ended during the scene; see picket.log");
        wrong.extend(self.untold(scene, gateway)?);
        let held = kernel::blocked(self.network.space("box")?)?;
        let blocked = self.network.hosts().iter().filter(|host| held.iter().any(|element| element.blocks(host)));
        wrong.extend(blocked.map(|host| format!("{} is blocked", host.name)));
        Ok((passed, denied, wrong))
    }

    /// What the gateway should have told, and has not in time.
    fn untold(&self, scene: &Scene, gateway: &Gateway) -> Result<Vec<String>> {
        let until = Instant::now() + TOLD;
        loop {
            let events = gateway.ask(&["events"])?;
            let events = events.as_array().context("picket events --json is no array")?;
            let mut missing = Vec::new();
            for crossing in &scene.denied {
                if !crossing.is_told(self.network, events)? {
                    missing.push(format!("{}: no event says that {} denies it", crossing.told(), crossing.rule));
                }
            }
            for words in &scene.tells {
                let filled: Vec<String> =
                    words.iter().map(|word| fill(word, self.network, self.folder)).collect::<Result<_>>()?;
                let says =
                    |event: &Value| filled.iter().all(|word| event["why"].as_str().is_some_and(|w| w.contains(word)));
                if !events.iter().any(says) {
                    missing.push(format!("no event says {}", filled.join(" ... ")));
                }
            }
            if missing.is_empty() || Instant::now() > until {
                return Ok(missing);
            }
            sleep(LOOK);
        }
    }

    /// Whose counts the scene is judged by, each once.
    fn receivers<'s>(&self, scene: &'s Scene) -> BTreeSet<&'s str> {
        let crossings = scene.passes.iter().chain(&scene.denied).map(|crossing| crossing.at.as_str());
        crossings.chain(scene.ends.iter().map(|ending| ending.at.as_str())).collect()
    }
}

/// The seconds to wait before a scene begins. A policy's moments are whole seconds, and its windows end with full minutes: what lies six
/// seconds ahead does so from the beginning of one.
fn until_start(policy: &str, now: f64) -> Result<f64> {
    let Some((_, window)) = policy.split_once("{window:") else { return Ok(1.0 - now.fract()) };
    let (seconds, _) = window.split_once('}').context("a brace is not closed")?;
    let seconds: f64 = seconds.parse().context("{window:SECONDS}")?;
    Ok((60.0 - seconds - now % 60.0).rem_euclid(60.0))
}

/// Puts moments in the place of `{in:SECONDS}`, and weekly windows in that of `{window:SECONDS}`.
fn with_moments(text: &str, now: f64) -> Result<String> {
    let text = replaced(text, "{in:", |seconds| written(Timestamp::from_secs_f64(now + seconds)))?;
    replaced(&text, "{window:", |seconds| window(now + seconds))
}

/// Puts what is made of each number in its place.
fn replaced(text: &str, mark: &str, made: impl Fn(f64) -> String) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        let (seconds, after) = after.split_once('}').context("a brace is not closed")?;
        let seconds = seconds.parse().with_context(|| format!("{mark}SECONDS}}"))?;
        out += before;
        out += &made(seconds);
        rest = after;
    }
    out += rest;
    Ok(out)
}

/// The window of an hour that ends with the full minute nearest to a moment, each day in universal time.
fn window(end: f64) -> String {
    let end = (end / 60.0).round() as u64 % 1_440;
    let words = |minute: u64| format!("{:02}:{:02}", minute / 60, minute % 60);
    format!("\"mon-sun {}-{}\"", words((end + 1_380) % 1_440), words(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_stands_in_its_place_and_lies_ahead() {
        let text = with_moments("until = {in:6}\nname = \"x\"", now()).expect("a moment");
        let moment = text.strip_prefix("until = ").and_then(|rest| rest.split('\n').next()).expect("a line");
        let ahead = policy::text::moment(moment).expect("a moment").as_secs_f64() - now();
        assert!((4.0..=6.0).contains(&ahead), "{ahead}");
        assert!(with_moments("{in:x}", 0.0).is_err() && with_moments("{in:6", 0.0).is_err());
    }

    #[test]
    fn a_window_ends_with_the_minute_for_which_the_scene_waits() {
        let (text, day) = ("when = {window:8}", 1_800_000_000.0 - 1_800_000_000.0 % 86_400.0);
        for (at, end) in [
            (3_600.0, "\"mon-sun 00:01-01:01\""),
            (3_653.5, "\"mon-sun 00:02-01:02\""),
            (86_392.1, "\"mon-sun 23:01-00:01\""),
        ] {
            let start = day + at + until_start(text, day + at).expect("a wait");
            assert!((start + 8.0) % 60.0 < 0.01 || (start + 8.0) % 60.0 > 59.99, "{start}");
            assert_eq!(with_moments(text, start + 0.4).expect("a window"), format!("when = {end}"));
            assert!(policy::Window::read(end.trim_matches('"')).is_ok());
        }
        assert!(
            until_start(text, day + 52.0).expect("a wait") < 0.01 && until_start("x", 7.25).expect("a wait") == 0.75
        );
    }
}
