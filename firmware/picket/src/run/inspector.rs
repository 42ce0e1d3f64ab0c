//! The inspector: both taps, the host table, detection. It waits for nobody but the kernel.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use capture::{Answers, Frame, Tap};
use detect::forest::drift::Drift;
use detect::{Baseline, Denied, Detector, Finding, Sink, Window};
use features::talks::Talks;
use features::{Capacities, FeatureVector, HashKey};
use policy::NeverBlock;
use store::{Event, HostRecord, Minute};
use terms::{HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};
use wire::Ignored;

use super::clues::Clues;
use super::event::{HostNow, News, Order, Second, Suspected, Work, now};
use super::jury::{Jury, Voted, Votes, Voting};
use super::pulse::Pulse;
use super::recent::Recent;
use super::settings::Settings;
use super::shown::Showing;
use super::told::{Questions, Told};
use crate::config::Config;

/// Frames read before orders are heard.
const TURN: usize = 4_096;
/// Answers of DNS servers that wait for the frames before them.
const ANSWERS: usize = 64;
/// How long the inspector sleeps when nothing comes in.
const SLEEP: Duration = Duration::from_millis(50);
/// A host that nobody answers is written down when it has been there for so long; an invented one never has.
const LASTING: Span = Span::from_secs(60);
/// How far the clock of silence stays behind the present, so that frames still in the ring are not late.
const LAG: Span = Span::from_millis(200);

/// Inspects until told to stop.
pub fn inspect(
    config: &Config,
    settings: &Settings,
    (mut voting, drift): (Voting, Drift),
    orders: &Receiver<Order>,
    (suspects, news, clues): (&SyncSender<Work>, &SyncSender<News>, Clues),
    pulse: &Pulse,
) {
    let key = HashKey::new(settings.secret[0], settings.secret[1]);
    let capacities = Capacities { hosts: settings.board.budgets.hosts, ..Capacities::default() };
    let mut detector = Detector::new(key, capacities, config.detect.thresholds(), None);
    detector.enable(config.detect.kinds());
    let mut eye = Eye::new(suspects.clone(), clues, (capacities.hosts, key), drift);
    eye.own = settings.own.iter().filter_map(NeverBlock::mac).collect();
    let mut taps = Taps::new(settings);
    let ways = Ways { orders, suspects, news, pulse };
    // A forest is borrowed for as long as it votes: the next one takes its place between two frames.
    loop {
        let jury = Jury::of(&voting);
        let mut sitting = detector.with(jury.forest);
        let Some(next) = watch(&mut sitting, &jury, &mut eye, &mut taps, &ways) else { return };
        eye.votes.change(&voting, &next);
        detector = sitting.with(None);
        voting = next;
    }
}

/// Whom the inspector hears and tells.
struct Ways<'a> {
    orders: &'a Receiver<Order>,
    suspects: &'a SyncSender<Work>,
    news: &'a SyncSender<News>,
    pulse: &'a Pulse,
}

/// Inspects under these forests, until others are to vote or, with nothing, until told to stop.
fn watch(
    detector: &mut Detector<'_>,
    jury: &Jury<'_>,
    eye: &mut Eye,
    taps: &mut Taps,
    ways: &Ways<'_>,
) -> Option<Voting> {
    let mut tick = Instant::now();
    loop {
        ways.pulse.beat();
        taps.mend(eye.questions.wants_any());
        taps.take_answers();
        taps.read(&mut |frame| eye.see(detector, jury, &frame));
        taps.give_answers(&mut |frame| eye.hear_answer(&frame));
        for order in ways.orders.try_iter() {
            match order {
                Order::Mark(host, blocked) => detector.mark_blocked(host, blocked),
                Order::Denied(denied) => eye.hear_denied(detector, jury, &denied),
                Order::Adjust(thresholds, kinds) => {
                    detector.adjust(thresholds);
                    detector.enable(kinds);
                }
                Order::Quiet(list, new) => {
                    detector.quiet(list);
                    new.iter().for_each(|event| eye.forgive(detector, event));
                }
                Order::LookFor(indicators) => detector.look_for(indicators),
                Order::Names(names) => eye.questions.want(names),
                Order::Remember(hosts) => eye.remember(detector, &hosts),
                // Where nobody waits any more, it was taken back.
                Order::Vote(next, reply) => {
                    if reply.try_send(()).is_ok() {
                        return Some(next);
                    }
                }
                Order::Votes(reply) => {
                    let _gone = reply.try_send(eye.votes.told(jury));
                }
                Order::Drift(reply) => {
                    let _gone = reply.try_send(eye.votes.drift().clone());
                }
                Order::Minutes(reply) => {
                    let _gone = reply.try_send(eye.votes.recent(detector));
                }
                Order::Stop => return None,
            }
        }
        if tick.elapsed() >= Duration::from_secs(1) {
            tick = Instant::now();
            eye.settle(detector, jury, Timestamp::from_micros(now().micros().saturating_sub(LAG.micros())));
            let second = Second { voted: eye.votes.told(jury), ..eye.second(detector, taps) };
            // A keeper that is behind misses a summary; the next one says the same and more.
            let _missed = ways.news.try_send(News::Second(Box::new(second)));
            let _missed = ways.suspects.try_send(Work::Serving(serving(detector)));
        }
    }
}

/// Who serves the network: the DHCP server and the router, by hardware address and address.
fn serving(detector: &mut Detector<'_>) -> Vec<NeverBlock> {
    let mut list: Vec<NeverBlock> = Vec::new();
    let infrastructure = detector.table().infrastructure();
    list.extend(infrastructure.macs.iter().copied().map(NeverBlock::Mac));
    list.extend(infrastructure.addresses.iter().filter_map(|host| host.ip()).map(NeverBlock::Address));
    list.sort_unstable();
    list.dedup();
    list
}

/// Both sides of the box.
struct Taps {
    sides: [(String, Side); 2],
    taps: Vec<Tap>,
    /// Answers of DNS servers that a ring does not keep, as long as a rule is about a name.
    answers: Option<Answers>,
    /// Answers that wait until the frames that came in before them were read.
    waiting: Vec<(Timestamp, Vec<u8>)>,
    /// Frames may lie in the rings that came in before the last answer.
    behind: bool,
    /// Counters of taps that are gone.
    past: (u64, u64),
    /// Frames that one ring holds.
    frames: u32,
    retry: Option<Instant>,
    complaint: Option<String>,
}

impl Taps {
    fn new(settings: &Settings) -> Self {
        let sides = [(settings.lan.clone(), Side::Lan), (settings.uplink.clone(), Side::Uplink)];
        let frames = settings.board.budgets.ring_frames;
        Self {
            sides,
            frames,
            taps: Vec::new(),
            answers: None,
            waiting: Vec::new(),
            behind: false,
            past: (0, 0),
            retry: None,
            complaint: None,
        }
    }

    /// Opens what is not open; a failure is said once and tried again each second.
    fn mend(&mut self, names: bool) {
        if self.taps.len() == 2 {
            // Most policies are about no name, and every frame would be asked whether it is an answer.
            match (names, &self.answers) {
                (true, None) => self.answers = Answers::open(&self.sides[1].0, Side::Uplink).ok(),
                (false, Some(_)) => self.answers = None,
                _ => {}
            }
        }
        if self.taps.len() == 2 || self.retry.is_some_and(|at| at.elapsed() < Duration::from_secs(1)) {
            return;
        }
        let opened: Result<Vec<Tap>, _> =
            self.sides.iter().map(|(link, side)| Tap::open(link, *side, capture::HEAD, self.frames)).collect();
        match opened {
            Ok(taps) => {
                if self.complaint.take().is_some() {
                    tracing::info!("both links are read again");
                }
                self.taps = taps;
                self.retry = None;
            }
            Err(error) => {
                let text = error.to_string();
                if self.complaint.as_ref() != Some(&text) {
                    tracing::warn!("{text}; the bridge forwards on, nothing is inspected; trying again each second");
                }
                self.complaint = Some(text);
                self.retry = Some(Instant::now());
            }
        }
    }

    /// Reads what has come in, in the order of time over both sides, or sleeps a little.
    fn read(&mut self, each: &mut dyn FnMut(Frame<'_>)) {
        if self.taps.is_empty() {
            std::thread::sleep(SLEEP);
            return;
        }
        let read = capture::drain_in_order(&mut self.taps, TURN, each);
        self.behind = matches!(read, Ok(TURN));
        let read = read.and_then(|n| if n == 0 { capture::wait(&mut self.taps, SLEEP).map(|_| ()) } else { Ok(()) });
        if let Err(gone) = read {
            tracing::warn!("{gone}; waiting for it to come back");
            self.complaint = Some(gone.to_string());
            let (frames, dropped) = self.counters();
            self.past = (frames, dropped);
            self.taps.clear();
            self.answers = None;
        }
    }

    /// Takes answers in, so that the questions before them lie in the rings by then.
    fn take_answers(&mut self) {
        let room = ANSWERS.saturating_sub(self.waiting.len());
        let Some(answers) = &mut self.answers else { return };
        if answers.drain(room, &mut |frame| self.waiting.push((frame.at, frame.octets.to_vec()))).is_err() {
            self.answers = None;
        }
    }

    /// Gives out the answers whose questions were read.
    fn give_answers(&mut self, each: &mut dyn FnMut(Frame<'_>)) {
        if self.behind {
            return;
        }
        for (at, octets) in self.waiting.drain(..) {
            let len = u32::try_from(octets.len()).unwrap_or(u32::MAX);
            each(Frame { at, side: Side::Uplink, link: wire::LinkType::Ethernet, len, vlan: None, octets: &octets });
        }
    }

    /// Frames handed over and dropped since the start.
    fn counters(&mut self) -> (u64, u64) {
        self.taps.iter_mut().map(Tap::counters).fold(self.past, |sum, c| (sum.0 + c.frames, sum.1 + c.dropped))
    }
}

/// What the inspector has seen, and where findings go.
struct Eye {
    suspects: SyncSender<Work>,
    clues: Clues,
    questions: Questions,
    showing: Showing,
    talks: Talks,
    /// The minute in which all conversations were told.
    told_all: u64,
    /// The box's own hardware addresses.
    own: Vec<MacAddr>,
    recent: Recent,
    frames: u64,
    octets: u64,
    ignored: [u64; Ignored::COUNT],
    findings: u64,
    lost: u64,
    known_lan_hosts: u32,
    minutes: Vec<Minute>,
    found: Vec<(Finding, FeatureVector)>,
    /// What was learnt of hosts before the start, and of which hardware address.
    remembered: BTreeMap<HostKey, (MacAddr, Baseline)>,
    /// What is remembered of the forests' votes.
    votes: Votes,
}

/// Collects what the detector says while it works, and says what is remembered.
struct Heard<'a> {
    found: &'a mut Vec<(Finding, FeatureVector)>,
    minutes: &'a mut Vec<Minute>,
    remembered: &'a BTreeMap<HostKey, (MacAddr, Baseline)>,
    votes: &'a mut Votes,
    jury: &'a Jury<'a>,
}

impl Sink for Heard<'_> {
    fn finding(&mut self, finding: &Finding, vector: &FeatureVector) {
        self.found.push((finding.clone(), *vector));
    }

    fn window(&mut self, window: &Window) {
        self.votes.hear(self.jury, window);
        // A flood of invented hosts must not fill the list, nor the store: one frame that nothing speaks against is no history.
        let told = window.level > ThreatLevel::Safe || window.end > window.start;
        if told && self.minutes.len() < self.minutes.capacity() {
            self.minutes.push(Minute {
                minute: window.start.minute(),
                host: window.host,
                level: window.level,
                confidence: window.confidence,
                score: window.score,
            });
        }
    }

    fn newcomer(&mut self, host: HostKey, mac: MacAddr) -> Option<Baseline> {
        self.remembered.get(&host).filter(|(known, _)| *known == mac).map(|(_, baseline)| *baseline)
    }
}

impl Eye {
    fn new(suspects: SyncSender<Work>, clues: Clues, (capacity, key): (usize, HashKey), drift: Drift) -> Self {
        Self {
            suspects,
            clues,
            questions: Questions::new(),
            showing: Showing::new(),
            talks: Talks::new(key),
            told_all: 0,
            own: Vec::new(),
            recent: Recent::new(),
            frames: 0,
            octets: 0,
            ignored: [0; Ignored::COUNT],
            findings: 0,
            lost: 0,
            known_lan_hosts: 0,
            minutes: Vec::with_capacity(capacity),
            found: Vec::with_capacity(features::NOTED),
            remembered: BTreeMap::new(),
            votes: Votes::new(drift),
        }
    }

    /// Takes up what the store knows of hosts; those that were faster are told now, the others when they come.
    fn remember(&mut self, detector: &mut Detector<'_>, hosts: &[HostRecord]) {
        for record in hosts {
            if let (Some(mac), Some(baseline)) = (record.mac, Baseline::of_record(&record.learnt)) {
                detector.recall(record.host, mac, baseline);
                self.remembered.insert(record.host, (mac, baseline));
            }
        }
    }

    /// Takes an event for a false alarm, whether its host is in the table or only remembered.
    fn forgive(&mut self, detector: &mut Detector<'_>, event: &Event) {
        let Some(family) = event.family else { return };
        let evidence = || event.evidence.iter().map(|(name, value)| (name.as_str(), *value));
        detector.forgive(event.host, family, evidence());
        if let Some((_, baseline)) = self.remembered.get_mut(&event.host) {
            baseline.accept(evidence());
        }
    }

    /// Hears a whole answer of a DNS server; all else that it shows was seen in the ring.
    fn hear_answer(&mut self, frame: &Frame<'_>) {
        let Ok(summary) = wire::parse(frame.link, frame.octets, frame.len, frame.vlan) else { return };
        let mut all = Vec::new();
        self.questions.hear_whole(&summary, frame.at, &mut |told| all.push(told));
        all.into_iter().for_each(|told| self.pass_told(told));
    }

    fn pass_told(&mut self, told: Told) {
        if self.questions.is_wanted(&told) {
            let sent = self.suspects.try_send(Work::Told(Box::new(told.clone())));
            self.lost += u64::from(sent.is_err());
        }
        self.clues.pass_told(told);
    }

    fn see(&mut self, detector: &mut Detector<'_>, jury: &Jury<'_>, frame: &Frame<'_>) {
        self.frames += 1;
        self.octets += u64::from(frame.len);
        match &wire::parse(frame.link, frame.octets, frame.len, frame.vlan) {
            Ok(summary) => {
                let host = match &summary.net {
                    wire::Net::Ip(packet) => HostKey::from(packet.src),
                    _ => HostKey::Mac(summary.src),
                };
                self.recent.keep(frame.at, host, frame.len, frame.octets);
                self.clues.hear(summary, frame.at, frame.side);
                if let Some(told) = self.questions.hear(summary, frame.at, frame.side) {
                    self.pass_told(told);
                }
                if self.questions.wants_any()
                    && let Some(shown) = self.showing.hear(summary, frame.at, frame.side)
                {
                    let sent = self.suspects.try_send(Work::Shown(Box::new(shown)));
                    self.lost += u64::from(sent.is_err());
                }
                // What the box itself says and hears does not cross it.
                if !self.own.contains(&summary.src) && !self.own.contains(&summary.dst) {
                    self.talks.observe(summary, frame.at, frame.side);
                }
                detector.observe(summary, frame.at, frame.side, &mut self.heard(jury));
            }
            Err(reason) => self.ignored[reason.index()] += 1,
        }
        if !self.found.is_empty() {
            self.pass_on(detector);
        }
    }

    /// Hears what the kernel says that the policy denied.
    fn hear_denied(&mut self, detector: &mut Detector<'_>, jury: &Jury<'_>, denied: &Denied) {
        detector.deny(denied, &mut self.heard(jury));
        self.pass_on(detector);
    }

    /// Lets time pass where no frame does.
    fn settle(&mut self, detector: &mut Detector<'_>, jury: &Jury<'_>, at: Timestamp) {
        detector.tick(at, &mut self.heard(jury));
        self.pass_on(detector);
    }

    /// Where what detection says is heard.
    fn heard<'a>(&'a mut self, jury: &'a Jury<'_>) -> Heard<'a> {
        let Self { found, minutes, remembered, votes, .. } = self;
        Heard { found, minutes, remembered, votes, jury }
    }

    fn pass_on(&mut self, detector: &mut Detector<'_>) {
        let at = detector.now();
        for (finding, vector) in self.found.drain(..) {
            self.findings += 1;
            let mut frames = self.recent.of(finding.host, at);
            if frames.is_empty() {
                frames = self.recent.of(HostKey::Mac(finding.mac), at);
            }
            let suspected = Suspected {
                addresses_on_mac: detector.table().hosts_behind(finding.mac, at),
                vector,
                frames,
                known_lan_hosts: self.known_lan_hosts,
                finding,
            };
            self.lost += u64::from(self.suspects.try_send(Work::Suspect(Box::new(suspected))).is_err());
        }
    }

    fn second(&mut self, detector: &mut Detector<'_>, taps: &mut Taps) -> Second {
        let at = detector.now();
        let mut hosts: Vec<HostNow> = Vec::with_capacity(self.minutes.capacity());
        let mut known = 0;
        for host in detector.table().hosts_mut() {
            known += u32::from(host.side == Side::Lan && host.conversed);
            let level = host.judgement.level(at);
            let record = HostRecord {
                host: host.key,
                mac: Some(host.mac).filter(|mac| *mac != MacAddr::ZERO),
                side: host.side,
                first_seen: host.first_seen,
                last_seen: host.last_seen,
                level,
                learnt: host.judgement.baseline().record(),
            };
            // Who is pushed out of the table meanwhile is known again when it comes back.
            if host.side == Side::Lan && host.judgement.baseline().since().is_some() && host.conversed {
                self.remembered.insert(host.key, (host.mac, *host.judgement.baseline()));
            }
            let reason = host.judgement.reason().filter(|_| level > ThreatLevel::Safe);
            let score = host.judgement.score(at);
            hosts.push(HostNow {
                record,
                frames: host.frames,
                octets: host.octets,
                reason,
                score,
                lasting: host.conversed
                    || level > ThreatLevel::Safe
                    || host.last_seen.since(host.first_seen) >= LASTING,
                addresses_on_mac: 1,
            });
        }
        self.known_lan_hosts = known;
        for host in &mut hosts {
            host.addresses_on_mac = host.record.mac.map_or(1, |mac| detector.table().hosts_behind(mac, at));
        }
        let counted = Ignored::ALL.iter().map(|r| (r.as_str(), self.ignored[r.index()])).filter(|(_, n)| *n > 0);
        let turn = std::mem::replace(&mut self.told_all, at.minute()) != at.minute();
        let mut talks = Vec::new();
        self.talks.tell(turn, &mut |talk| talks.push(*talk));
        let minutes = std::mem::replace(&mut self.minutes, Vec::with_capacity(hosts.capacity()));
        Second {
            at,
            frames: self.frames,
            octets: self.octets,
            dropped: taps.counters().1,
            ignored: counted.collect::<BTreeMap<_, _>>(),
            evicted: detector.table().occupancy().hosts_evicted,
            findings: self.findings,
            lost: self.lost,
            clues_lost: self.clues.lost(),
            hosts,
            minutes,
            talks,
            talks_lost: self.talks.lost(),
            voted: Voted::default(),
            warnings: taps.complaint.iter().cloned().collect(),
        }
    }
}
