//! The way of a frame from what it says to what is found.

extern crate alloc;
use alloc::sync::Arc;

use features::listed::Indicators;
use features::{Capacities, Change, FeatureVector, HashKey, HostTable, Noted, Notes};
use terms::{Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};
use wire::Summary;

use crate::baseline::Baseline;
use crate::denied::{Denied, DeniedTable, TooMany};
use crate::evidence::{HostState, PERSISTS, Reason};
use crate::finding::{Evidence, Finding, Habit, Source};
use crate::forest::{Classification, Forest};
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
    /// What was learnt of the host before this minute; nothing where habits are not looked at.
    pub habits: Option<Baseline>,
}

/// False alarms that are kept in mind at a time.
pub const QUIET_AT_MOST: usize = 64;

/// Which kinds of evidence are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// Definitions.
    pub rules: bool,
    /// The forest's vote.
    pub forest: bool,
    /// What a device never did.
    pub baseline: bool,
}

/// What an admin called a false alarm: findings of this family are no evidence against this host for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// The host.
    pub host: HostKey,
    /// Its hardware address, where it must be that device and not whoever has its address now.
    pub mac: Option<MacAddr>,
    /// What it is not to be suspected of.
    pub family: Family,
    /// Until when.
    pub until: Timestamp,
}

/// How a minute comes to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// By a frame of a later one.
    Over,
    /// Because nothing more is read.
    Cut,
}

/// Something that speaks against a host, before it is weighed.
#[derive(Clone, Debug)]
struct Told {
    level: ThreatLevel,
    family: Family,
    source: Source,
    confidence: f32,
    target: Option<HostKey>,
    evidence: Evidence,
}

/// Who hears what is found.
pub trait Sink {
    /// A finding is made. The host's vector at this moment comes with it.
    fn finding(&mut self, finding: &Finding, vector: &FeatureVector);
    /// A host's minute is over.
    fn window(&mut self, window: &Window);
    /// A host came into the table: what was learnt of it before, if that is remembered.
    fn newcomer(&mut self, _host: HostKey, _mac: MacAddr) -> Option<Baseline> {
        None
    }
}

/// The host table, the rules and the forest.
pub struct Detector<'a> {
    table: HostTable<HostState>,
    thresholds: Thresholds,
    forest: Option<Forest<'a>>,
    kinds: Kinds,
    quiet: heapless::Vec<Quiet, QUIET_AT_MOST>,
    denied: DeniedTable,
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
            kinds: Kinds::ALL,
            quiet: heapless::Vec::new(),
            denied: DeniedTable::new(),
            now: Timestamp::EPOCH,
            minute_over: Timestamp::EPOCH,
        }
    }

    /// Puts another forest, or none, in the place of the one that votes; all that was counted and learnt stays.
    ///
    /// A forest is borrowed for as long as it votes, so that its image cannot change meanwhile.
    #[must_use]
    pub fn with<'b>(self, forest: Option<Forest<'b>>) -> Detector<'b> {
        let Self { table, thresholds, forest: _, kinds, quiet, denied, now, minute_over } = self;
        Detector { table, thresholds, forest, kinds, quiet, denied, now, minute_over }
    }

    /// Looks for these kinds of evidence from now on; counting goes on whatever is looked for.
    pub fn enable(&mut self, kinds: Kinds) {
        self.kinds = kinds;
    }

    /// Puts these false alarms in the place of those known.
    ///
    /// **Bounds**: the first [`QUIET_AT_MOST`].
    pub fn quiet(&mut self, list: impl IntoIterator<Item = Quiet>) {
        self.quiet = list.into_iter().take(QUIET_AT_MOST).collect();
    }

    /// Takes back what is held against a host of one family; the numbers of the finding, by their names, are usual for it from now on.
    pub fn forgive<'n>(&mut self, host: HostKey, family: Family, evidence: impl Iterator<Item = (&'n str, f64)>) {
        let now = self.now;
        if let Some(host) = self.table.host(host) {
            host.judgement.forgive(family, evidence, now);
        }
    }

    /// Puts other thresholds in force, from the next frame on.
    pub fn adjust(&mut self, thresholds: Thresholds) {
        self.thresholds = thresholds;
    }

    /// Looks for what is on these lists, from the next frame on.
    pub fn look_for(&mut self, indicators: Arc<Indicators>) {
        self.table.look_for(indicators);
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
        if host.frames == 1 {
            let (key, mac) = (host.key, host.mac);
            self.meet(key, mac, sink);
        }
        self.judge(&notes, sink);
    }

    /// Hears that the policy denied something to a host, at the time of the newest frame. Hosts that were not seen on the LAN side by a
    /// frame before, and those that are blocked, are left out.
    pub fn deny(&mut self, denied: &Denied, sink: &mut impl Sink) {
        let (now, mac) = (self.now, denied.mac);
        let Some(host) = self.table.host(denied.host).filter(|host| host.side == Side::Lan && host.mac == mac) else {
            return;
        };
        if !self.kinds.rules || host.judgement.blocked {
            return;
        }
        // A device goes by several addresses; several hosts may share one hardware address.
        let device = if self.table.hosts_behind(mac, now) > 1 { denied.host } else { HostKey::Mac(mac) };
        for too_many in self.denied.count(device, denied, &self.thresholds, now) {
            self.tell((denied.host, mac, Side::Lan), Told::by_policy(&too_many, denied), sink);
        }
    }

    /// Takes up what was learnt of a host before it came into the table, be it of this address or of the device's former one.
    #[cold]
    fn meet(&mut self, key: HostKey, mac: MacAddr, sink: &mut impl Sink) {
        let now = self.now;
        let known = sink.newcomer(key, mac).or_else(|| Some(self.table.predecessor(key, mac, now)?.judgement.baseline));
        if let Some(baseline) = known {
            self.recall(key, mac, baseline);
        }
    }

    /// Takes up what was learnt of a host before, as after a restart, if it is longer than what is known and of the same device.
    pub fn recall(&mut self, host: HostKey, mac: MacAddr, baseline: Baseline) {
        if let Some(host) = self.table.host(host).filter(|host| host.mac == mac) {
            host.judgement.baseline.recall(baseline);
        }
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
        for noted in notes {
            match noted.change {
                Change::Administers { .. } | Change::Exposes { .. } if !self.kinds.baseline => {}
                Change::Exposes { target, how } => {
                    let now = self.now;
                    let Some(state) = self.table.host(noted.host).map(|host| &mut host.judgement) else { continue };
                    let told = !state.blocked && state.baseline.exposes(how, now);
                    // Until it is a habit, each conversation of a server would be told.
                    if told && !state.was_unusual(Habit::Exposure, now) {
                        let evidence = Evidence::from_slice(&[(how.name(), 1.0)]).unwrap_or_default();
                        self.tell(noted.who(), Told::by_habit(Habit::Exposure, Some(target), evidence), sink);
                    }
                }
                Change::Administers { target, what } => {
                    let now = self.now;
                    let Some(host) = self.table.host(noted.host) else { continue };
                    if !host.judgement.blocked && host.judgement.baseline.administers(what, now) {
                        let told = Told::by_habit(Habit::Administration, Some(target), Evidence::new());
                        self.tell(noted.who(), told, sink);
                    }
                }
                Change::Greets { client, .. } => {
                    let now = self.now;
                    let Some(host) = self.table.host(noted.host).filter(|_| self.kinds.baseline) else { continue };
                    if !host.judgement.blocked {
                        host.judgement.greets(&client, now);
                    }
                }
                _ if self.kinds.rules => self.judge_by_rules(noted, sink),
                _ => {}
            }
        }
    }

    fn judge_by_rules(&mut self, noted: &Noted, sink: &mut impl Sink) {
        let now = self.now;
        let Some(host) = self.table.host(noted.host) else { return };
        let mut change = noted.change;
        if let Change::Signs { counts, .. } = &mut change
            && self.kinds.baseline
        {
            *counts = host.judgement.baseline.unusual(counts, now);
        }
        let Some(judged) = rules::judge(&change, &self.thresholds) else { return };
        if host.judgement.blocked || !host.judgement.fires(&judged, now) {
            return;
        }
        let spans = if judged.grows { host.judgement.spans(judged.rule, now) } else { 0 };
        let persists = spans >= PERSISTS;
        let mut evidence = rules::evidence(&change, &judged, &self.thresholds);
        if persists {
            // Where all room is taken, the rest says enough.
            evidence.push(("separate_spans", spans.into())).unwrap_or_default();
        }
        let told = Told {
            level: if persists { ThreatLevel::High } else { judged.level },
            family: judged.family,
            source: Source::Rule(judged.rule),
            confidence: 1.0 - 0.5 * judged.threshold / judged.value,
            target: judged.target,
            evidence,
        };
        self.tell(noted.who(), told, sink);
    }

    /// Holds something against a host and tells it.
    fn tell(&mut self, (host, mac, side): (HostKey, MacAddr, Side), mut told: Told, sink: &mut impl Sink) {
        let (now, source) = (self.now, told.source);
        let by = |rule| source == Source::Rule(rule);
        // Invented addresses are their hardware address's doing.
        let accused = if by(Rule::SpoofedSource) { HostKey::Mac(mac) } else { host };
        if is_quiet(&self.quiet, (accused, mac), told.family, now) {
            return;
        }
        let Some(known) = self.table.host(host) else { return };
        if known.judgement.was_unusual(Habit::Client, now) {
            // Where all room is taken, the rest says enough.
            told.evidence.push(("new_tls_client", 1.0)).unwrap_or_default();
        }
        let host_level = known.judgement.weigh(told.level, told.reason(), now);
        let host_level = if by(Rule::UnderFlood) { ThreatLevel::Medium } else { host_level };
        let finding = told.finding(accused, mac, side, now, host_level);
        if let Some(vector) = self.table.vector(host, now) {
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
        let vote = self.forest.as_ref().map(|forest| forest.classify(&vector.0));
        let (kinds, now) = (self.kinds, self.now);
        let Some(host) = self.table.host(key) else { return };
        let (mac, side, octets) = (host.mac, host.side, host.octets);
        let state = &mut host.judgement;
        let habits = kinds.baseline.then_some(state.baseline);
        let quiet = |family| is_quiet(&self.quiet, (key, mac), family, end);
        let heard = vote.filter(|vote| kinds.forest && !quiet(named(vote)));
        let suspected = heard.and_then(|vote| suspected(state, &vote, kinds, end));
        let busier = kinds.baseline.then(|| busier(state, octets, end)).flatten();
        for told in [suspected, busier].into_iter().flatten().filter(|told| !quiet(told.family)) {
            let before = state.level(end);
            let host_level = state.weigh(told.level, told.reason(), end);
            if ending == Ending::Over && host_level > before {
                sink.finding(&told.finding(key, mac, side, now, host_level), &vector);
            }
        }
        let Some(minute) = state.minute.take() else { return };
        if kinds.baseline {
            let calm = minute.level.max(state.level(end)) == ThreatLevel::Safe && !state.blocked;
            state.baseline.learn(calm, vote.map(|vote| vote.shares[1] + vote.shares[2]), end);
        }
        let score = state.score(end);
        let reason = state.reason.clone().filter(|_| minute.level > ThreatLevel::Safe);
        let calm = Reason {
            family: Family::Benign,
            source: Source::Forest,
            confidence: vote.as_ref().map_or(0.0, |vote| vote.shares[0]),
            target: None,
            evidence: Evidence::new(),
        };
        let source = reason.as_ref().map(|r| r.source).or(vote.map(|_| Source::Forest));
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
            habits,
        });
    }
}

/// Whether an admin said that findings of this family about this host are false alarms.
fn is_quiet(list: &[Quiet], (host, mac): (HostKey, MacAddr), family: Family, now: Timestamp) -> bool {
    let about =
        |quiet: &&Quiet| (quiet.host, quiet.family) == (host, family) && quiet.mac.is_none_or(|known| known == mac);
    list.iter().find(about).is_some_and(|quiet| now < quiet.until)
}

/// The family that a vote speaks of.
fn named(vote: &Classification) -> Family {
    vote.family.unwrap_or(Family::Anomaly)
}

/// The level that a forest's vote on a minute speaks for by itself, given what was learnt of the host before.
#[must_use]
pub fn weigh(habits: Option<&Baseline>, vote: &Classification, at: Timestamp) -> ThreatLevel {
    habits.map_or(vote.level.min(ThreatLevel::Medium), |habits| habits.weigh(vote, at))
}

/// What the forest's vote says against a host. Where nothing else does, it has one Medium a device and week.
fn suspected(state: &mut HostState, vote: &Classification, kinds: Kinds, end: Timestamp) -> Option<Told> {
    let level = weigh(Some(&state.baseline).filter(|_| kinds.baseline), vote, end);
    if state.blocked || level == ThreatLevel::Safe {
        return None;
    }
    if state.level(end) == ThreatLevel::Safe {
        if state.baseline.spent(end) && level < ThreatLevel::High {
            return None;
        }
        state.baseline.spend(end);
    }
    let [_, medium, high] = vote.shares;
    let evidence = Evidence::from_slice(&[("share_high", high.into()), ("share_medium", medium.into())]);
    Some(Told {
        level,
        family: named(vote),
        source: Source::Forest,
        confidence: medium + high,
        target: None,
        evidence: evidence.unwrap_or_default(),
    })
}

/// What its volume says against a host.
fn busier(state: &mut HostState, octets: u64, end: Timestamp) -> Option<Told> {
    let volume = state.baseline.volume(octets, end).filter(|_| !state.blocked)?;
    #[allow(clippy::cast_precision_loss, reason = "volumes are told to seven digits")]
    let figures = [("octets_this_hour", volume.sent as f64), ("most_in_an_hour", volume.most as f64)];
    Some(Told::by_habit(Habit::Volume, None, Evidence::from_slice(&figures).unwrap_or_default()))
}

impl Kinds {
    /// Every kind.
    pub const ALL: Self = Self { rules: true, forest: true, baseline: true };
    /// No kind: nothing is found.
    pub const NONE: Self = Self { rules: false, forest: false, baseline: false };
}

impl Told {
    fn by_habit(habit: Habit, target: Option<HostKey>, evidence: Evidence) -> Self {
        let family = match habit {
            Habit::Volume => Family::Exfiltration,
            Habit::Administration => Family::LateralMovement,
            Habit::Exposure => Family::Exposure,
            Habit::Client => Family::Anomaly,
        };
        let (level, source) = (ThreatLevel::Medium, Source::Baseline(habit));
        Self { level, family, source, confidence: 0.5, target, evidence }
    }

    fn by_policy(too_many: &TooMany, denied: &Denied) -> Self {
        let TooMany { rule, count, threshold } = *too_many;
        let counted = if rule == Rule::DeniedAgain { "attempts_an_hour" } else { "services_an_hour" };
        let figures = [
            (counted, count.into()),
            ("threshold", threshold.into()),
            ("protocol", denied.protocol.into()),
            ("port", denied.port.into()),
        ];
        Self {
            level: ThreatLevel::Medium,
            family: Family::Denied,
            source: Source::Rule(rule),
            confidence: 0.5,
            target: Some(denied.target),
            evidence: Evidence::from_slice(&figures).unwrap_or_default(),
        }
    }

    fn reason(&self) -> Reason {
        let Self { family, source, confidence, target, ref evidence, .. } = *self;
        Reason { family, source, confidence, target, evidence: evidence.clone() }
    }

    fn finding(self, host: HostKey, mac: MacAddr, side: Side, at: Timestamp, host_level: ThreatLevel) -> Finding {
        let Self { level, family, source, confidence, target, evidence } = self;
        Finding { host, mac, side, at, level, host_level, family, source, confidence, target, evidence }
    }
}
