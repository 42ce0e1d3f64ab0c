//! The way of a frame from what it says to what is found.

use features::{Capacities, FeatureVector, HashKey, HostTable, Noted, Notes};
use terms::{Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};
use wire::Summary;

use crate::evidence::{HostState, Reason};
use crate::finding::{Evidence, Finding, Source};
use crate::forest::Forest;
use crate::rules::{self, Rule};
use crate::thresholds::Thresholds;

/// One host's minute, closed.
#[derive(Clone, Debug)]
pub struct Window {
    /// The host.
    pub host: HostKey,
    /// Its hardware address.
    pub mac: MacAddr,
    /// Its first frame of the minute.
    pub start: Timestamp,
    /// Its last frame of the minute.
    pub end: Timestamp,
    /// The highest level that it had.
    pub level: ThreatLevel,
    /// What speaks for that.
    pub family: Family,
    /// From 0 to 1.
    pub confidence: f32,
    /// Evidence at the end of the minute.
    pub score: f32,
    /// What made it; nothing where nothing speaks against the host and no forest is loaded.
    pub source: Option<Source>,
    /// The other end, where there is one.
    pub target: Option<HostKey>,
    /// The numbers behind it.
    pub evidence: Evidence,
    /// The features at the end of the minute.
    pub vector: FeatureVector,
}

/// How a minute comes to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// By a frame of a later one.
    Over,
    /// Because nothing more is read.
    Cut,
}

/// Who hears what is found.
pub trait Sink {
    /// A finding is made. The host's vector at this moment comes with it.
    fn finding(&mut self, finding: &Finding, vector: &FeatureVector);
    /// A host's minute is over.
    fn window(&mut self, window: &Window);
}

/// The host table, the rules and the forest.
pub struct Detector<'a> {
    table: HostTable<HostState>,
    thresholds: Thresholds,
    forest: Option<Forest<'a>>,
    enabled: bool,
    now: Timestamp,
    /// When the minute of `now` is over.
    minute_over: Timestamp,
}

impl<'a> Detector<'a> {
    /// A detector with empty tables.
    #[must_use]
    pub fn new(key: HashKey, capacities: Capacities, thresholds: Thresholds, forest: Option<Forest<'a>>) -> Self {
        let horizon = Span::from_secs(thresholds.failed_logins_seconds.into());
        Self {
            table: HostTable::new(key, capacities, horizon),
            thresholds,
            forest,
            enabled: true,
            now: Timestamp::EPOCH,
            minute_over: Timestamp::EPOCH,
        }
    }

    /// Switches finding on or off; counting goes on.
    pub fn enable(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// Puts other thresholds in force, from the next frame on.
    pub fn adjust(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// The hosts and their companions.
    pub fn table(&mut self) -> &mut HostTable<HostState> {
        &mut self.table
    }

    /// The time of the newest frame.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Marks a host as blocked or free; a blocked host's frames are counted and are no evidence.
    pub fn mark_blocked(&mut self, host: HostKey, blocked: bool) {
        if let Some(host) = self.table.host(host) {
            host.judgement.blocked = blocked;
        }
    }

    /// Takes in one frame. A time before that of an earlier frame is read as the earlier frame's: time does not run backwards.
    pub fn observe(&mut self, frame: &Summary<'_>, at: Timestamp, side: Side, sink: &mut impl Sink) {
        self.advance(at, sink);
        let now = self.now;
        let mut notes = Notes::new();
        let host = self.table.observe(frame, now, side, &mut notes);
        host.judgement.sent(now);
        self.judge(&notes, sink);
    }

    /// Lets time pass without a frame: what is due becomes silent, minutes close.
    pub fn tick(&mut self, at: Timestamp, sink: &mut impl Sink) {
        self.advance(at, sink);
    }

    /// Closes every open minute, as at the end of a capture. Such a minute may have gone on: it has a level and makes no finding.
    pub fn close(&mut self, sink: &mut impl Sink) {
        self.close_minutes(self.now, Ending::Cut, sink);
    }

    fn advance(&mut self, at: Timestamp, sink: &mut impl Sink) {
        if at <= self.now {
            return;
        }
        if at >= self.minute_over {
            if self.now > Timestamp::EPOCH {
                let end = Timestamp::from_micros(self.minute_over.micros() - 1);
                self.fall_silent(end, sink);
                self.close_minutes(end, Ending::Over, sink);
            }
            self.minute_over = Timestamp::from_micros((at.minute() + 1).saturating_mul(60_000_000));
        }
        self.fall_silent(at, sink);
        self.now = at;
    }

    /// Judges every silence up to a moment, each at its own.
    fn fall_silent(&mut self, until: Timestamp, sink: &mut impl Sink) {
        let mut notes = Notes::new();
        while let Some(due) = self.table.silence(until, &mut notes) {
            self.now = self.now.max(due);
            self.judge(&notes, sink);
            notes.clear();
        }
    }

    fn judge(&mut self, notes: &Notes, sink: &mut impl Sink) {
        if !self.enabled {
            return;
        }
        for noted in notes {
            self.judge_one(noted, sink);
        }
    }

    fn judge_one(&mut self, noted: &Noted, sink: &mut impl Sink) {
        let now = self.now;
        let judged = rules::judge(&noted.change, &self.thresholds);
        let Some(host) = self.table.host(noted.host) else { return };
        if host.judgement.blocked || !host.judgement.fires(&judged, now) {
            return;
        }
        let evidence = rules::evidence(&noted.change, &judged, &self.thresholds);
        let confidence = 1.0 - 0.5 * judged.threshold / judged.value;
        let source = Source::Rule(judged.rule);
        let (family, target) = (judged.family, judged.target);
        let reason = Reason { family, source, confidence, target, evidence: evidence.clone() };
        let host_level = host.judgement.weigh(judged.level, reason, now);
        // Invented addresses are their hardware address's doing.
        let accused = if judged.rule == Rule::SpoofedSource { HostKey::Mac(noted.mac) } else { noted.host };
        let finding = Finding {
            host: accused,
            mac: noted.mac,
            side: noted.side,
            at: now,
            level: judged.level,
            host_level: if judged.rule == Rule::UnderFlood { ThreatLevel::Medium } else { host_level },
            family,
            source,
            confidence,
            target,
            evidence,
        };
        if let Some(vector) = self.table.vector(noted.host, now) {
            sink.finding(&finding, &vector);
        }
    }

    /// Closes all open minutes; `end` is the last moment that belongs to them.
    fn close_minutes(&mut self, end: Timestamp, ending: Ending, sink: &mut impl Sink) {
        for slot in 0..self.table.occupancy().hosts {
            let open = self.table.host_at(slot).filter(|host| host.judgement.minute.is_some()).map(|host| host.key);
            if let Some(key) = open {
                self.close_minute(key, end, ending, sink);
            }
        }
    }

    fn close_minute(&mut self, key: HostKey, end: Timestamp, ending: Ending, sink: &mut impl Sink) {
        let Some(vector) = self.table.vector(key, end) else { return };
        let classified = self.forest.as_ref().map(|f| f.classify(&vector.0));
        let Some(host) = self.table.host(key) else { return };
        let mac = host.mac;
        let side = host.side;
        let state = &mut host.judgement;
        let suspected = classified.filter(|c| self.enabled && !state.blocked && c.level > ThreatLevel::Safe);
        let suspicion = suspected.filter(|_| state.level(end) == ThreatLevel::Safe).map(|c| {
            let family = c.family.unwrap_or(Family::Anomaly);
            let evidence =
                Evidence::from_slice(&[("share_high", c.shares[2].into()), ("share_medium", c.shares[1].into())]);
            let evidence = evidence.unwrap_or_default();
            let (confidence, source) = (c.confidence, Source::Forest);
            let reason = Reason { family, source, confidence, target: None, evidence: evidence.clone() };
            let host_level = state.weigh(ThreatLevel::Medium, reason, end);
            let (level, at) = (ThreatLevel::Medium, self.now);
            Finding { host: key, mac, side, at, level, host_level, family, source, confidence, target: None, evidence }
        });
        if let Some(finding) = suspicion.filter(|_| ending == Ending::Over) {
            sink.finding(&finding, &vector);
        }
        let Some(host) = self.table.host(key) else { return };
        let state = &mut host.judgement;
        let Some(minute) = state.minute.take() else { return };
        let score = state.score(end);
        let reason = state.reason.clone().filter(|_| minute.level > ThreatLevel::Safe);
        let calm = Reason {
            family: Family::Benign,
            source: Source::Forest,
            confidence: classified.as_ref().map_or(0.0, |c| c.shares[0]),
            target: None,
            evidence: Evidence::new(),
        };
        let source = reason.as_ref().map(|r| r.source).or(classified.map(|_| Source::Forest));
        let Reason { family, confidence, target, evidence, .. } = reason.unwrap_or(calm);
        sink.window(&Window {
            host: key,
            mac,
            start: minute.first,
            end: minute.last,
            level: minute.level,
            family,
            confidence,
            score,
            source,
            target,
            evidence,
            vector,
        });
    }
}
