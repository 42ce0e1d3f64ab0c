//! The lines of the replay contract.
//!
//! **Units**: times are seconds since the epoch on the capture's clock, to a microsecond. `decided` is the time of the newest frame
//! that was read when the line was decided; it never decreases.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use detect::{Evidence, Finding, Source, Window};
use serde::Serialize;
use terms::Timestamp;

/// One host's minute.
#[derive(Serialize)]
pub struct WindowLine {
    #[serde(rename = "type")]
    kind: &'static str,
    host: String,
    mac: String,
    start: f64,
    end: f64,
    decided: f64,
    level: &'static str,
    family: &'static str,
    confidence: f64,
    by: String,
    why: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

/// Something that was found.
#[derive(Serialize)]
pub struct FindingLine {
    #[serde(rename = "type")]
    kind: &'static str,
    host: String,
    mac: String,
    at: f64,
    decided: f64,
    level: &'static str,
    family: &'static str,
    detector: String,
    confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    evidence: BTreeMap<&'static str, f64>,
}

/// The last line.
#[derive(Serialize)]
pub struct Summary<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub frames: u64,
    pub octets: u64,
    pub hosts: u64,
    pub windows: u64,
    pub findings: u64,
    pub ignored: BTreeMap<&'a str, u64>,
    pub truncated: bool,
    pub first: f64,
    pub last: f64,
}

impl WindowLine {
    /// The line of a closed minute.
    pub fn new(window: &Window, decided: Timestamp, partial: bool) -> Self {
        let numbers = |evidence: &Evidence| evidence.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let meaning = match window.source {
            Some(Source::Rule(rule)) => Some(rule.meaning().to_owned()),
            Some(Source::Baseline(habit)) => Some(habit.meaning().to_owned()),
            _ => None,
        };
        let target = window.target.map(|target| format!("target {target}"));
        let mut why: Vec<String> = meaning.into_iter().chain(target).collect();
        why.extend::<Vec<String>>(numbers(&window.evidence));
        Self {
            kind: "window",
            host: window.host.to_string(),
            mac: window.mac.to_string(),
            start: window.start.as_secs_f64(),
            end: window.end.as_secs_f64(),
            decided: decided.as_secs_f64(),
            level: window.level.as_str(),
            family: window.family.as_str(),
            confidence: f64::from(window.confidence),
            by: window.source.map_or_else(|| "baseline".into(), |source| source.to_string()),
            why,
            partial,
        }
    }
}

impl FindingLine {
    /// The line of a finding.
    pub fn new(finding: &Finding, decided: Timestamp) -> Self {
        Self {
            kind: "finding",
            host: finding.host.to_string(),
            mac: finding.mac.to_string(),
            at: finding.at.as_secs_f64(),
            decided: decided.as_secs_f64(),
            level: finding.level.as_str(),
            family: finding.family.as_str(),
            detector: finding.source.to_string(),
            confidence: f64::from(finding.confidence),
            target: finding.target.map(|target| target.to_string()),
            evidence: finding.evidence.iter().copied().collect(),
        }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames, octets, hosts, windows, findings, .. } = self;
        write!(f, "{frames} frames, {octets} octets, {hosts} hosts, {windows} host minutes, {findings} findings")?;
        for (reason, n) in &self.ignored {
            write!(f, ", {n} ignored ({reason})")?;
        }
        if self.truncated { f.write_str(", the capture was cut short") } else { Ok(()) }
    }
}

/// Writes one compact JSON object and a line end.
pub fn write(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
