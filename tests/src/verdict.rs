//! Compares what happened in a scene with what it declares.

use serde_json::Value;

use crate::network::Host;
use crate::scene::{Level, Scene};

/// What was seen while a scene ran.
#[derive(Debug, Default)]
pub struct Seen {
    /// The gateway's events.
    pub events: Vec<Value>,
    /// Seconds since the epoch when the scene's commands began.
    pub began: f64,
    /// Seconds until the kernel held a block of the expected host.
    pub blocked_after: Option<f64>,
    /// Names of others that the kernel held a block of.
    pub others_blocked: Vec<String>,
    /// Datagrams of the blocked host that arrived all the same.
    pub leaked: u64,
    /// What should have worked and did not.
    pub broken: Vec<String>,
}

/// One line of the demo's table.
#[derive(Debug)]
pub struct Verdict {
    /// The scene's name.
    pub scene: String,
    /// What it declares.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// The host as the gateway names it.
    pub host: Option<String>,
    /// Seconds from the start to the finding.
    pub finding: Option<f64>,
    /// Seconds from the start to the kernel's block.
    pub block: Option<f64>,
    /// What is not as declared; empty where all is.
    pub wrong: Vec<String>,
}

impl Verdict {
    /// Whether all is as declared.
    #[must_use]
    pub fn as_declared(&self) -> bool {
        self.wrong.is_empty()
    }

    /// A scene that could not even be run.
    #[must_use]
    pub fn failed(scene: &Scene, error: &anyhow::Error) -> Self {
        let wrong = vec![format!("{error:#}")];
        Self {
            scene: scene.name.clone(),
            expected: declared(scene),
            found: "-".into(),
            host: None,
            finding: None,
            block: None,
            wrong,
        }
    }
}

/// Judges one scene of a policy: what is wrong, and what was seen in words.
#[must_use]
pub fn of_policy(scene: &Scene, found: String, wrong: Vec<String>) -> Verdict {
    let expected = declared(scene);
    Verdict { scene: scene.name.clone(), expected, found, host: None, finding: None, block: None, wrong }
}

/// Judges one scene.
#[must_use]
pub fn judge(scene: &Scene, hosts: &[Host], seen: &Seen) -> Verdict {
    let mut wrong = seen.broken.clone();
    let expected_host = scene.expect.as_ref().and_then(|expect| hosts.iter().find(|host| host.name == expect.host));
    let mut verdict = Verdict {
        scene: scene.name.clone(),
        expected: declared(scene),
        found: "nothing".into(),
        host: None,
        finding: None,
        block: seen.blocked_after,
        wrong: Vec::new(),
    };
    if let (Some(expect), Some(host)) = (&scene.expect, expected_host) {
        let mine: Vec<&Value> = seen
            .events
            .iter()
            .filter(|event| subject(event, hosts).is_some_and(|subject| subject.name == host.name))
            .collect();
        let hit = mine.iter().find(|event| is_family(event, &expect.family) && level(event) >= Some(expect.level));
        match hit.or_else(|| mine.iter().find(|event| event["family"].is_string())) {
            Some(event) => {
                verdict.found = name(event);
                verdict.host = event["host"].as_str().map(str::to_owned);
                verdict.finding = event["at"].as_f64().map(|at| at - seen.began);
            }
            None => wrong.push(format!("nothing is found about {}", host.name)),
        }
        if hit.is_none() && !mine.is_empty() {
            wrong.push("found something else".into());
        }
        wrong.extend(judge_block(expect.blocked_within, seen));
    }
    let allowed = |host: &Host| {
        scene.expect.as_ref().is_some_and(|expect| expect.host == host.name || expect.also.contains(&host.name))
    };
    let bar = if scene.is_benign() { Level::Medium } else { Level::High };
    for event in seen.events.iter().filter(|event| level(event) >= Some(bar)) {
        if let Some(host) = subject(event, hosts).filter(|host| !allowed(host)) {
            verdict.found = name(event);
            wrong.push(format!("{}: {} {}", host.name, name(event), event["why"].as_str().unwrap_or_default()));
        }
    }
    wrong.extend(seen.others_blocked.iter().map(|name| format!("{name} is blocked")));
    wrong.dedup();
    verdict.wrong = wrong;
    verdict
}

fn judge_block(within: Option<f64>, seen: &Seen) -> Vec<String> {
    match (within, seen.blocked_after) {
        (Some(limit), Some(after)) if after > limit => vec![format!("blocked after {after:.1} s, not {limit} s")],
        (Some(_), None) => vec!["the kernel holds no block".into()],
        (None, Some(_)) => vec!["it is blocked".into()],
        _ if seen.leaked > 0 => vec![format!("{} datagrams of the blocked host arrived", seen.leaked)],
        _ => Vec::new(),
    }
}

fn declared(scene: &Scene) -> String {
    if scene.is_of_policy() {
        return format!("{} pass, {} denied", scene.passes.len(), scene.denied.len());
    }
    scene
        .expect
        .as_ref()
        .map_or_else(|| "nothing".into(), |expect| format!("{} {}", expect.level.as_str(), expect.family))
}

/// Whom an event is about. A LAN host's hardware address says it best, since addresses can be claimed; the router's says
/// nothing, since every frame from the internet carries it.
fn subject<'a>(event: &Value, hosts: &'a [Host]) -> Option<&'a Host> {
    let named = |key: &str, lan: bool| {
        let name = event[key].as_str()?;
        hosts.iter().find(|host| host.is(name) && (!lan || host.name.starts_with('h')))
    };
    named("mac", true).or_else(|| named("host", false))
}

fn is_family(event: &Value, wanted: &str) -> bool {
    event["family"]
        .as_str()
        .is_some_and(|family| family == wanted || (wanted.ends_with('_') && family.starts_with(wanted)))
}

fn level(event: &Value) -> Option<Level> {
    event["level"].as_str().and_then(Level::read)
}

fn name(event: &Value) -> String {
    format!("{} {}", level(event).map_or("?", Level::as_str), event["family"].as_str().unwrap_or("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hosts() -> Vec<Host> {
        (1..=2)
            .map(|n| Host {
                name: format!("h{n}"),
                mac: format!("02:77:00:00:00:0{n}"),
                address: format!("192.168.77.1{n}"),
                address6: format!("fd77::1{n}"),
            })
            .collect()
    }

    fn scene(expect: &str) -> Scene {
        toml::from_str(&format!("about = 'x'\nseconds = 5\nrun = [{{ host = 'h1', command = 'true' }}]\n{expect}"))
            .expect("a scene")
    }

    fn attack() -> Scene {
        scene("[expect]\nhost = 'h1'\nfamily = 'port_scan_'\nlevel = 'HIGH'\nblocked_within = 3")
    }

    fn finding(host: &str, level: &str) -> Value {
        json!({"host": host, "level": level, "family": "port_scan_vertical", "at": 101.5, "why": "w"})
    }

    #[test]
    fn a_found_and_blocked_scan_is_as_declared() {
        let seen = Seen {
            events: vec![finding("192.168.77.11", "high")],
            began: 100.0,
            blocked_after: Some(1.6),
            ..Seen::default()
        };
        let verdict = judge(&attack(), &hosts(), &seen);
        assert!(verdict.as_declared(), "{verdict:?}");
        assert_eq!(verdict.finding, Some(1.5));
    }

    #[test]
    fn a_finding_without_the_kernels_block_is_not_as_declared() {
        let seen = Seen { events: vec![finding("192.168.77.11", "HIGH")], began: 100.0, ..Seen::default() };
        assert!(!judge(&attack(), &hosts(), &seen).as_declared());
    }

    #[test]
    fn a_block_too_late_or_leaking_is_not_as_declared() {
        let late = Seen { events: vec![finding("192.168.77.11", "HIGH")], blocked_after: Some(3.5), ..Seen::default() };
        assert!(!judge(&attack(), &hosts(), &late).as_declared());
        let leaking = Seen {
            events: vec![finding("192.168.77.11", "HIGH")],
            blocked_after: Some(1.0),
            leaked: 1,
            ..Seen::default()
        };
        assert!(!judge(&attack(), &hosts(), &leaking).as_declared());
    }

    #[test]
    fn blaming_or_blocking_a_bystander_is_not_as_declared() {
        let events = vec![finding("192.168.77.11", "HIGH"), finding("02:77:00:00:00:02", "HIGH")];
        let blamed = Seen { events, blocked_after: Some(1.0), ..Seen::default() };
        assert!(!judge(&attack(), &hosts(), &blamed).as_declared());
        let others_blocked = vec!["h2".to_owned()];
        let blocked = Seen {
            events: vec![finding("192.168.77.11", "HIGH")],
            blocked_after: Some(1.0),
            others_blocked,
            ..Seen::default()
        };
        assert!(!judge(&attack(), &hosts(), &blocked).as_declared());
    }

    #[test]
    fn a_benign_scene_takes_not_even_a_medium_finding() {
        assert!(judge(&scene(""), &hosts(), &Seen::default()).as_declared());
        let seen = Seen { events: vec![finding("192.168.77.12", "MEDIUM")], ..Seen::default() };
        assert!(!judge(&scene(""), &hosts(), &seen).as_declared());
    }
}
