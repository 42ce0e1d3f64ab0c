//! A finding: who did what, by which rule or features, with which numbers.

use core::fmt;

use heapless::Vec;
use terms::{Family, HostKey, MacAddr, Side, ThreatLevel, Timestamp};

use crate::rules::Rule;

/// Named numbers behind a finding; the threshold that was crossed is one of them.
pub type Evidence = Vec<(&'static str, f64), 8>;

/// What made a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A rule with a definition.
    Rule(Rule),
    /// The forest's vote.
    Forest,
    /// Something that the device never did.
    Baseline(Habit),
}

/// What a baseline knows of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Habit {
    /// How much it sends.
    Volume,
    /// Which administration protocols it speaks.
    Administration,
    /// How it lets the internet in.
    Exposure,
    /// Which TLS clients it uses. A new one is no finding by itself: it weighs besides others.
    Client,
}

impl Habit {
    /// How many habits there are.
    pub const COUNT: usize = 4;

    /// The name behind `baseline:`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Administration => "administration",
            Self::Exposure => "exposure",
            Self::Client => "client",
        }
    }

    /// What the host does, in words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Volume => "sends more than it ever did in an hour",
            Self::Administration => "administers another host in a way in which it never did",
            Self::Exposure => "lets the internet in, in a way in which it never did",
            Self::Client => "uses a TLS client that it never used",
        }
    }
}

/// Something that speaks against a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The host it is about.
    pub host: HostKey,
    /// Its hardware address.
    pub mac: MacAddr,
    /// Where it was seen.
    pub side: Side,
    /// When the threshold was crossed: the newest frame's time.
    pub at: Timestamp,
    /// How much this finding weighs by itself.
    pub level: ThreatLevel,
    /// Where the host stands with it.
    pub host_level: ThreatLevel,
    /// What it is.
    pub family: Family,
    /// What made it.
    pub source: Source,
    /// From 0 to 1.
    pub confidence: f32,
    /// The other end, where there is one.
    pub target: Option<HostKey>,
    /// The numbers.
    pub evidence: Evidence,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => write!(f, "rule:{}", rule.name()),
            Self::Forest => f.write_str("forest"),
            Self::Baseline(habit) => write!(f, "baseline:{}", habit.name()),
        }
    }
}

impl fmt::Display for Finding {
    /// The finding in words, for the admin.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            Source::Rule(rule) => f.write_str(rule.meaning())?,
            Source::Forest => f.write_str("behaves like hosts that attack")?,
            Source::Baseline(habit) => f.write_str(habit.meaning())?,
        }
        if let Some(target) = self.target {
            write!(f, " ({target})")?;
        }
        for (n, (name, value)) in self.evidence.iter().enumerate() {
            let lead = if n == 0 { ": " } else { ", " };
            write!(f, "{lead}{name} {value}")?;
        }
        Ok(())
    }
}
