//! The shipped binary on labelled captures, with kinds of evidence switched off in turn.
//!
//! ```text
//! picket replay FILE --format jsonl --config SWITCHES ─> lines ─> subjects found, minutes of harmless hosts
//! ```
//! What is measured is what people run: only the lines of the replay contract are read. A subject is a host that a label is about, in
//! one capture; it is found when a line of at least MEDIUM about it was decided within the label's time and two minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use terms::ThreatLevel;

use crate::evaluate::{DAY, by_chance};
use crate::labels::{Label, Labels, Subject};
use crate::rows::level;
use crate::side_by_side::side_by_side;

/// How long before and behind a label's time its subject's minutes belong to it, seconds.
const BEFORE: f64 = 1.0;
const BEHIND: f64 = 61.0;
/// How much later a line may be decided: a minute that is open at the end closes with it.
const GRACE: f64 = 60.0;

/// Which kinds of evidence a trial has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// What the report calls it.
    pub name: &'static str,
    /// Rules, forest, baseline.
    pub on: [bool; 3],
}

/// Every trial of a report: all together, each without one kind, each kind alone.
pub const TRIALS: [Switches; 7] = [
    Switches { name: "all together", on: [true, true, true] },
    Switches { name: "without the rules", on: [false, true, true] },
    Switches { name: "without the forest", on: [true, false, true] },
    Switches { name: "without the baseline", on: [true, true, false] },
    Switches { name: "rules alone", on: [true, false, false] },
    Switches { name: "forest alone", on: [false, true, false] },
    Switches { name: "baseline alone", on: [false, false, true] },
];

/// The definitions by themselves.
pub const RULES_ALONE: Switches = TRIALS[4];

/// A labelled host of a capture, and what was said of it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The capture.
    pub capture: String,
    /// The host, as the label names it.
    pub subject: String,
    /// The family of the label.
    pub family: String,
    /// The program that made it, where the label names one.
    pub tool: String,
    /// The level of the label.
    pub wanted: ThreatLevel,
    /// The highest level that was said in time.
    pub level: ThreatLevel,
    /// Seconds from its first frame to the first line above SAFE, on the clock of decisions.
    pub delay: Option<f64>,
    /// What spoke first, as `rule:port_scan`.
    pub by: Option<String>,
    /// Minutes in which it sent something.
    pub minutes: usize,
}

/// A harmless host of a capture: its minutes by level.
pub type Calm = BTreeMap<(String, String), [usize; 3]>;

/// What one set of switches found.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// Every labelled host.
    pub found: Vec<Found>,
    /// Every harmless host that private addresses name.
    pub calm: Calm,
    /// The confidence of each line, and whether it was about a labelled host.
    pub confidences: Vec<(f64, bool)>,
}

/// A line of the replay contract, as far as it is read here.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    mac: String,
    start: Option<f64>,
    end: Option<f64>,
    at: Option<f64>,
    #[serde(default)]
    decided: f64,
    level: Option<String>,
    confidence: Option<f64>,
    by: Option<String>,
    detector: Option<String>,
}

/// Runs every labelled capture of a folder through the binary.
///
/// # Errors
/// The labels cannot be read, or the binary fails on a capture.
pub fn trial(picket: &Path, folder: &Path, switches: Switches) -> Result<Trial> {
    let labels = Labels::of_folder(folder)?;
    let config = configuration(switches)?;
    let captures: Vec<&str> = labels.captures().filter(|capture| capture.contains(".pcap")).collect();
    let all = side_by_side(&captures, |capture| {
        let lines = replay(picket, &folder.join(capture), &config.0)?;
        Ok(judge(&labels, capture, &lines))
    })?;
    Ok(all.into_iter().fold(Trial::default(), |mut sum, one| {
        sum.found.extend(one.found);
        sum.calm.extend(one.calm);
        sum.confidences.extend(one.confidences);
        sum
    }))
}

/// A file that goes with its last user.
struct Written(PathBuf);

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn configuration(switches: Switches) -> Result<Written> {
    let [rules, forest, baseline] = switches.on;
    let name = format!("picket-report-{}-{}.toml", std::process::id(), switches.name.replace(' ', "-"));
    let path = std::env::temp_dir().join(name);
    let mut file = std::fs::File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    writeln!(file, "[detect]\nrules = {rules}\nforest = {forest}\nbaseline = {baseline}")?;
    Ok(Written(path))
}

fn replay(picket: &Path, capture: &Path, config: &Path) -> Result<Vec<Line>> {
    let run = Command::new(picket)
        .args(["replay", "--format", "jsonl", "--config"])
        .args([config, capture])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} cannot be run", picket.display()))?;
    if !run.status.success() {
        bail!("{}: {}", capture.display(), String::from_utf8_lossy(&run.stderr).trim());
    }
    let text = String::from_utf8(run.stdout).context("the replay's lines are no text")?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("no line of replay: {line}"))).collect()
}

fn judge(labels: &Labels, capture: &str, lines: &[Line]) -> Trial {
    let mut trial = Trial::default();
    let all = labels.about(capture);
    let threats: Vec<&Label> = all
        .iter()
        .filter(|l| l.level > ThreatLevel::Safe && l.subject != Subject::Others && l.is_by_source())
        .collect();
    for label in &threats {
        trial.found.push(found(capture, label, lines));
    }
    // Who is not labelled in a capture without a word about the others is nobody's harmless host.
    let rest = all.iter().any(|l| l.subject == Subject::Others && l.level == ThreatLevel::Safe);
    for line in lines.iter().filter(|line| line.kind == "window") {
        let labelled = threats.iter().any(|label| label.subject.is(&line.host, &line.mac) && line.within(label));
        let by_name = all.iter().any(|l| l.level == ThreatLevel::Safe && l.subject.is(&line.host, &line.mac));
        let harmless = (rest || by_name) && !labelled;
        if (labelled || harmless) && is_inside(&line.host) {
            trial
                .confidences
                .extend(line.confidence.filter(|_| line.level() > ThreatLevel::Safe).map(|c| (c, labelled)));
        }
        if harmless && is_inside(&line.host) {
            let minutes = trial.calm.entry((capture.to_owned(), line.host.clone())).or_default();
            minutes[line.level() as usize] += 1;
        }
    }
    trial
}

fn found(capture: &str, label: &Label, lines: &[Line]) -> Found {
    let mine = || lines.iter().filter(|line| label.subject.is(&line.host, &line.mac) && line.within(label));
    let begin = mine().map(Line::from).fold(f64::INFINITY, f64::min).max(label.from.unwrap_or(0.0) - BEFORE);
    let until = label.until.unwrap_or(f64::INFINITY) + BEHIND + GRACE;
    let said = || mine().filter(|line| line.level() > ThreatLevel::Safe && line.decided <= until);
    let first = said().min_by(|a, b| a.decided.total_cmp(&b.decided));
    let minutes: BTreeSet<u64> = mine().filter(|l| l.kind == "window").map(|l| (l.from() / 60.0) as u64).collect();
    Found {
        capture: capture.to_owned(),
        subject: label.subject.to_string(),
        family: label.family.clone(),
        tool: label.tool.clone(),
        wanted: label.level,
        level: said().map(Line::level).max().unwrap_or(ThreatLevel::Safe),
        delay: first.map(|line| (line.decided - begin).max(0.0)),
        by: first.and_then(|line| line.by.clone().or(line.detector.clone())),
        minutes: minutes.len(),
    }
}

/// Whether a host is on the inside: a private address, or one below IP.
fn is_inside(host: &str) -> bool {
    host.parse::<IpAddr>().map_or(true, |address| !terms::HostKey::from(address).is_global())
}

impl Line {
    fn from(&self) -> f64 {
        self.start.or(self.at).unwrap_or_default()
    }

    fn level(&self) -> ThreatLevel {
        self.level.as_deref().and_then(|word| level(word).ok()).unwrap_or(ThreatLevel::Safe)
    }

    fn within(&self, label: &Label) -> bool {
        let (from, until) = (self.from(), self.end.or(self.at).unwrap_or_default());
        label.from.is_none_or(|t| until >= t - BEFORE) && label.until.is_none_or(|t| from <= t + BEHIND)
    }
}

impl Trial {
    /// Minutes at Medium and at High a harmless host and day, and days.
    #[must_use]
    pub fn alarms(&self) -> ([f64; 2], f64) {
        let sums = self.calm.values().fold([0; 3], |sum, m| [sum[0] + m[0], sum[1] + m[1], sum[2] + m[2]]);
        let days = sums.iter().sum::<usize>() as f64 / DAY;
        ([sums[1], sums[2]].map(|n| if days > 0.0 { n as f64 / days } else { 0.0 }), days)
    }

    /// The same without the host that raised most.
    #[must_use]
    pub fn alarms_without_the_worst(&self) -> ([f64; 2], f64) {
        let mut rest = Self { calm: self.calm.clone(), ..Self::default() };
        let worst = self.calm.iter().max_by_key(|(_, m)| m[1] + m[2]).map(|(host, _)| host.clone());
        worst.map(|host| rest.calm.remove(&host));
        rest.alarms()
    }

    /// How many subjects would be found by alarms thrown by lot at the same rate.
    #[must_use]
    pub fn by_chance(&self) -> f64 {
        let ([medium, high], _) = self.alarms();
        by_chance((medium + high) / DAY, self.found.iter().map(|f| f.minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: &str = "\
file,attacker_or_subject_ip,label,family,start_time_epoch,end_time_epoch,source,license,why
a.pcap,10.0.0.1,HIGH,c2,100,200,s,l,w
a.pcap,*,SAFE,benign_iot,,,s,l,w
";

    fn line(text: &str) -> Line {
        serde_json::from_str(text).unwrap()
    }

    fn window(host: &str, start: f64, level: &str) -> Line {
        line(&format!(
            r#"{{"type":"window","host":"{host}","mac":"","start":{start},"end":{},"decided":{},"level":"{level}","confidence":0.7,"by":"rule:x"}}"#,
            start + 20.0,
            start + 40.0
        ))
    }

    #[test]
    fn a_subject_is_found_within_its_time_only() {
        let labels = Labels::read(LABELS.as_bytes()).unwrap();
        let judge = |lines: &[Line]| judge(&labels, "a.pcap", lines).found.remove(0);
        let hit = judge(&[window("10.0.0.1", 110.0, "SAFE"), window("10.0.0.1", 170.0, "MEDIUM")]);
        assert_eq!((hit.level, hit.delay, hit.minutes), (ThreatLevel::Medium, Some(100.0), 2));
        assert_eq!(judge(&[window("10.0.0.1", 400.0, "HIGH")]).level, ThreatLevel::Safe);
        assert_eq!(judge(&[window("10.0.0.2", 150.0, "HIGH")]).level, ThreatLevel::Safe);
    }

    #[test]
    fn harmless_hosts_on_the_inside_are_counted_by_minute_and_labelled_ones_outside_their_time() {
        let labels = Labels::read(LABELS.as_bytes()).unwrap();
        let lines = [
            window("10.0.0.2", 150.0, "MEDIUM"),
            window("10.0.0.1", 150.0, "HIGH"),
            window("10.0.0.1", 400.0, "SAFE"),
            window("9.9.9.9", 150.0, "HIGH"),
        ];
        let trial = judge(&labels, "a.pcap", &lines);
        let ([medium, high], days) = trial.alarms();
        assert_eq!((medium.round(), high, (days * 1440.0).round()), (720.0, 0.0, 2.0));
        assert_eq!(trial.alarms_without_the_worst().0, [0.0, 0.0]);
        assert_eq!(trial.confidences, [(0.7, false), (0.7, true)]);
    }
}
