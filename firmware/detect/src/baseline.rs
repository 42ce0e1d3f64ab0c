//! What one device does by habit, learnt at its site: how the forest scores it, how much it sends, what it administers, which
//! TLS clients it uses, and which signs of an infection are its nature.
//!
//! A device is judged as any other until its baseline holds: a day after its first minute, with an hour of minutes learnt. It learns
//! from minutes without evidence only, and after the first day no more than a bounded step a day, so that patience does not make
//! an attack a habit: one habit more, a quarter more sent.

use features::{Administration, Exposure, Sign, SignCounts};
use terms::{FNV_BEGINS, Span, ThreatLevel, Timestamp, fnv};
use wire::ja4::Ja4;

use crate::forest::Classification;
use crate::signs;

/// How long a device is learnt before its baseline holds. A longer time in which nothing was learnt of it does not count, whether the
/// device was away or the clock was set.
const LEARNING: Span = Span::from_secs(86_400);
/// Minutes that it must have learnt by then.
const LEAST_MINUTES: u32 = 60;
/// The time for which the forest alone has one Medium a device.
const BUDGET: Span = Span::from_secs(7 * 86_400);
/// Steps between 0 and 1 in which scores are kept.
const STEPS: u8 = 64;
/// Steps above every score of its own from which a device is suspected, and from which it is certain.
const SUSPECTED: u8 = 3;
const CERTAIN: u8 = 16;
/// The share of the vote below which nobody is suspected, whatever is usual for it, and below which nobody is certain.
const LEAST_SHARE: f32 = 0.5;
const CERTAIN_SHARE: f32 = 0.9;
/// How much more than in its busiest hour is more than ever, and from how many octets on.
const MORE: u64 = 8;
const MUCH: u64 = 64 << 20;

/// From so many bits on a device has many TLS clients.
const MANY_CLIENTS: u32 = 32;
/// The number of the form in which a baseline is written down.
const FORM: u64 = 3;
/// Room for signs in it, a bit each, and the most minutes that it tells: 31 years.
const SIGNS: u32 = (1 << 24) - 1;
const MOST_MINUTES: u32 = (1 << 24) - 1;
const _: () = assert!(Sign::COUNT <= SIGNS.count_ones() as usize, "each sign has a bit");

/// A baseline written down, for whoever keeps it over a restart.
///
/// **Shape**: numbers whose meaning is this module's; all 0 where nothing is learnt.
pub type Record = [u64; 7];

/// The habits of one device.
///
/// **Bounds**: 88 octets, whatever it does and for however long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// When it was seen first; the epoch where nothing is learnt. Later by the times in which nothing was learnt for long.
    since: Timestamp,
    /// When a minute was learnt last.
    ///
    /// **Units**: seconds since the epoch.
    last: u32,
    /// Minutes learnt.
    minutes: u32,
    /// The highest score of a minute learnt, in steps.
    highest: u8,
    /// Administration protocols that it speaks, a bit each; above them the ways in which it lets the internet in.
    administers: u8,
    /// Signs that it gives, a bit each.
    signs: u32,
    /// Signs of the minute that is open.
    given: u32,
    /// The day of the last step after the first day.
    stepped: u32,
    /// The hour being counted, and whether something spoke against the device in it.
    hour: u32,
    tainted: bool,
    /// Octets sent: in the hour being counted, and in all since the host came into the table.
    sent: u64,
    total: u64,
    /// The most octets of an hour learnt.
    most: u64,
    /// When the forest alone suspected it last.
    suspected: Timestamp,
    /// TLS clients that it uses, two bits each: of a device with many some new one may be taken for known, and from half of the bits on
    /// none is told.
    clients: u64,
}

/// What the volume of this hour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    /// Octets sent in this hour so far.
    pub sent: u64,
    /// The most in an hour so far.
    pub most: u64,
}

impl Baseline {
    /// Whether it is old enough to be held against the device.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.minutes >= LEAST_MINUTES && now.since(self.since) >= LEARNING
    }

    /// When it was seen first, later by the times in which nothing was learnt for long; nothing where it never was.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        Some(self.since).filter(|since| *since > Timestamp::EPOCH)
    }

    /// Minutes learnt.
    #[must_use]
    pub fn minutes(&self) -> u32 {
        self.minutes
    }

    /// The highest share of the forest's vote against it that is usual.
    #[must_use]
    pub fn usual_share(&self) -> f32 {
        f32::from(self.highest) / f32::from(STEPS)
    }

    /// The most octets that it sent in an hour.
    #[must_use]
    pub fn busiest_hour(&self) -> u64 {
        self.most
    }

    /// How it lets the internet in.
    pub fn exposed_by(&self) -> impl Iterator<Item = Exposure> {
        let known = self.administers >> Administration::ALL.len();
        Exposure::ALL.into_iter().filter(move |how| known & 1 << *how as u8 != 0)
    }

    /// How it administers other hosts.
    pub fn administers_by(&self) -> impl Iterator<Item = Administration> {
        let known = self.administers;
        Administration::ALL.into_iter().filter(move |what| known & 1 << *what as u8 != 0)
    }

    /// The signs of an infection that are its nature.
    pub fn usual_signs(&self) -> impl Iterator<Item = Sign> {
        let known = self.signs;
        Sign::ALL.iter().copied().filter(move |sign| known & bit(*sign) != 0)
    }

    /// Learns that the numbers of a finding are usual for the device: an admin called it a false alarm. A share of the vote becomes
    /// usual so far that the forest can still be certain.
    pub fn accept<'a>(&mut self, evidence: impl Iterator<Item = (&'a str, f64)>) {
        let mut share = 0.0;
        for (name, value) in evidence {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share; octets, which saturate"
            )]
            match name {
                "share_high" | "share_medium" => share += value as f32,
                "octets_this_hour" => self.most = self.most.max(value as u64),
                _ => {
                    self.signs |=
                        Sign::ALL.iter().filter(|sign| sign.name() == name).fold(0, |bits, sign| bits | bit(*sign))
                }
            }
        }
        self.highest = self.highest.max(step(share).min(STEPS - CERTAIN - 1));
    }

    /// What the forest's vote is worth for this device, the level that it speaks for by itself; Safe where it speaks for none.
    ///
    /// Without a baseline that holds, the model's own threshold speaks. With one, a score must lie above all that are usual for the
    /// device. Either way one Medium a device and week is all that the forest has alone: `spent` says that it had it.
    pub(crate) fn weigh(&self, vote: &Classification, now: Timestamp) -> ThreatLevel {
        if !self.holds(now) {
            return vote.level.min(ThreatLevel::Medium);
        }
        let [_, medium, high] = vote.shares;
        let threat = medium + high;
        let above = |steps: u8| step(threat) > self.highest.saturating_add(steps);
        if high >= CERTAIN_SHARE && above(CERTAIN) {
            ThreatLevel::High
        } else if threat >= LEAST_SHARE && above(SUSPECTED) {
            ThreatLevel::Medium
        } else {
            ThreatLevel::Safe
        }
    }

    /// Whether the forest had its Medium of the week.
    pub(crate) fn spent(&self, now: Timestamp) -> bool {
        self.suspected > Timestamp::EPOCH && now.since(self.suspected) < BUDGET
    }

    /// Notes that the forest alone suspects the device.
    pub(crate) fn spend(&mut self, now: Timestamp) {
        self.suspected = now;
    }

    /// Signs without those that are the device's nature.
    pub(crate) fn unusual(&mut self, counts: &SignCounts, now: Timestamp) -> SignCounts {
        self.given |= signs::telling(counts).fold(0, |bits, (sign, _)| bits | bit(sign));
        let mut counts = *counts;
        if self.holds(now) {
            let usual = Sign::ALL.iter().zip(&mut counts).filter(|(sign, _)| self.signs & bit(**sign) != 0);
            usual.for_each(|(_, count)| *count = 0);
        }
        counts
    }

    /// Notes that the device administers another one; tells whether it never did.
    pub(crate) fn administers(&mut self, what: Administration, now: Timestamp) -> bool {
        self.does(1 << what as u8, now)
    }

    /// Notes that the device lets the internet in; tells whether it never did.
    pub(crate) fn exposes(&mut self, how: Exposure, now: Timestamp) -> bool {
        self.does(1 << (Administration::ALL.len() as u8 + how as u8), now)
    }

    /// Notes a TLS client that the device uses; tells whether it never did.
    pub(crate) fn uses(&mut self, client: &Ja4, now: Timestamp) -> bool {
        // Who makes up one of equal bits hides what is little evidence.
        let hash = fnv(FNV_BEGINS, &client.octets());
        let hash = hash ^ hash >> 32;
        let bits = 1 << (hash & 63) | 1_u64 << (hash >> 6 & 63);
        let new = self.clients & bits != bits;
        let told = new && self.holds(now) && self.clients.count_ones() <= MANY_CLIENTS;
        if new && (!told || self.step(now)) {
            self.clients |= bits;
        }
        told
    }

    /// Notes what the device does, a bit; tells whether it never did.
    fn does(&mut self, what: u8, now: Timestamp) -> bool {
        let new = self.administers & what == 0;
        let told = new && self.holds(now);
        if new && (!told || self.step(now)) {
            self.administers |= what;
        }
        told
    }

    /// What the device sent in this hour, where that is more than ever; `octets` are all that it ever sent.
    pub(crate) fn volume(&mut self, octets: u64, now: Timestamp) -> Option<Volume> {
        if hour(now) != self.hour {
            if self.sent > self.most && !self.tainted {
                let held = self.holds(now);
                self.most = if !held { self.sent } else { self.most + if self.step(now) { self.most / 4 } else { 0 } };
            }
            (self.hour, self.sent, self.tainted) = (hour(now), 0, false);
        }
        self.sent = self.sent.saturating_add(octets.saturating_sub(self.total));
        self.total = octets.max(self.total);
        let volume = Volume { sent: self.sent, most: self.most };
        let more = volume.sent > MUCH && volume.sent / MORE > volume.most;
        (more && self.holds(now)).then_some(volume)
    }

    /// Learns from a minute that is over; `score` is the forest's vote. Where something speaks against the device, only time passes.
    pub(crate) fn learn(&mut self, calm: bool, score: Option<f32>, now: Timestamp) {
        let gap = now.since(Timestamp::from_secs(self.last.into()));
        if self.since == Timestamp::EPOCH {
            self.since = now;
        } else if gap >= LEARNING {
            self.since = (self.since + gap).min(now);
        }
        // A clock that was behind for a while and is set again makes no gap.
        self.last = self.last.max(u32::try_from(now.secs()).unwrap_or(u32::MAX));
        let given = core::mem::take(&mut self.given);
        self.tainted |= !calm;
        if !calm {
            return;
        }
        let held = self.holds(now);
        self.minutes = self.minutes.saturating_add(1);
        if given & !self.signs != 0 && (!held || self.step(now)) {
            self.signs |= given;
        }
        if let Some(score) = score.map(step).filter(|score| *score > self.highest)
            && (!held || self.step(now))
        {
            self.highest = if held { self.highest + 1 } else { score };
        }
    }

    /// The baseline as it is written down, its moments to the second.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "halves of a number")]
    pub fn record(&self) -> Record {
        let Self {
            since,
            last,
            minutes,
            highest,
            administers,
            signs,
            given,
            stepped,
            hour,
            tainted,
            sent,
            most,
            suspected,
            clients,
            ..
        } = *self;
        if since == Timestamp::EPOCH {
            return Record::default();
        }
        let words = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let learnt = u64::from(signs) << 16 | u64::from(administers) << 8 | u64::from(highest);
        let open = u64::from(given) << 8 | u64::from(tainted) << 7 | FORM;
        let secs = |at: Timestamp| u32::try_from(at.secs()).unwrap_or(u32::MAX);
        [
            words(secs(since), (clients >> 32) as u32),
            u64::from(minutes.min(MOST_MINUTES)) << 40 | learnt,
            u64::from(last) << 32 | open,
            words(stepped, hour),
            sent,
            most,
            words(secs(suspected), clients as u32),
        ]
    }

    /// The baseline that was written down; nothing where it is of another form.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "each part is what `record` put there")]
    pub fn of_record(record: &Record) -> Option<Self> {
        let [since, learnt, open, times, sent, most, suspected] = *record;
        let (minutes, signs, given, tainted) = match (open & 0xff, open >> 8 & 0xff) {
            // The first form had room for 16 signs.
            (1, tainted @ (0 | 1)) => (learnt >> 32, learnt >> 16 & 0xffff, open >> 16 & 0xffff, tainted),
            (form, _) if matches!(form & 0x7f, 2 | FORM) => {
                (learnt >> 40, learnt >> 16 & u64::from(SIGNS), open >> 8 & u64::from(SIGNS), form >> 7)
            }
            _ => return None,
        };
        // Former forms knew no clients, and moments to the microsecond.
        let apart = |word: u64| match open & 0x7f {
            FORM => (Timestamp::from_secs(word >> 32), word & u64::from(u32::MAX)),
            _ => (Timestamp::from_micros(word), 0),
        };
        let ((since, high), (suspected, low)) = (apart(since), apart(suspected));
        Some(Self {
            since,
            last: (open >> 32) as u32,
            minutes: minutes as u32,
            highest: learnt as u8,
            administers: (learnt >> 8) as u8,
            signs: signs as u32,
            given: given as u32,
            stepped: (times >> 32) as u32,
            hour: times as u32,
            tainted: tainted == 1,
            sent,
            total: 0,
            most,
            suspected,
            clients: high << 32 | low,
        })
    }

    /// Takes up what was learnt of the device before, if that is longer.
    pub(crate) fn recall(&mut self, before: Self) {
        let known = before.since > Timestamp::EPOCH;
        if known && (self.since == Timestamp::EPOCH || before.since < self.since) {
            *self = Self { total: self.total, given: self.given | before.given, ..before };
        }
    }

    /// Takes the step of this day, if it was not taken.
    fn step(&mut self, now: Timestamp) -> bool {
        let free = self.stepped != day(now);
        self.stepped = day(now);
        free
    }
}

fn bit(sign: Sign) -> u32 {
    1 << sign as u8
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 1 is 64 steps")]
fn step(share: f32) -> u8 {
    (share * f32::from(STEPS)) as u8
}

#[allow(clippy::cast_possible_truncation, reason = "hours since the epoch fit until the year 490,000")]
fn hour(at: Timestamp) -> u32 {
    (at.secs() / 3_600) as u32
}

fn day(at: Timestamp) -> u32 {
    hour(at) / 24
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use super::*;

    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    const START: u64 = 1_700_000_000;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(START + seconds)
    }

    fn vote(high: f32) -> Classification {
        let level = if high >= 0.95 { ThreatLevel::High } else { ThreatLevel::Safe };
        Classification { shares: [1.0 - high, 0.0, high], level, confidence: high, family: None }
    }

    /// A device of a day: steady, with scores up to 0.4, a megabyte an hour.
    fn steady() -> Baseline {
        let mut baseline = Baseline::default();
        for minute in 0..=24 * 60 {
            baseline.volume(minute << 14, at(minute * 60));
            baseline.learn(true, Some(if minute % 7 == 0 { 0.4 } else { 0.1 }), at(minute * 60));
        }
        assert!(baseline.holds(at(DAY)));
        baseline
    }

    #[test]
    fn a_baseline_holds_after_a_day_with_an_hour_of_minutes() {
        let mut baseline = Baseline::default();
        for minute in 0..59 {
            baseline.learn(true, None, at(minute * 60));
        }
        assert!(!baseline.holds(at(2 * DAY)));
        baseline.learn(true, None, at(59 * 60));
        assert!(!baseline.holds(at(DAY - 1)));
        assert!(baseline.holds(at(DAY)));
    }

    #[test]
    fn without_a_baseline_the_models_threshold_speaks_and_never_for_high() {
        let young = Baseline::default();
        assert_eq!(
            [0.5, 0.94, 0.96].map(|v| young.weigh(&vote(v), at(0))),
            [ThreatLevel::Safe, ThreatLevel::Safe, ThreatLevel::Medium]
        );
    }

    #[test]
    fn a_score_counts_above_what_is_usual_for_the_device() {
        let steady = steady();
        let mut uneasy = steady;
        uneasy.highest = step(0.9);
        let now = at(DAY + 60);
        assert_eq!(
            [0.45, 0.55, 0.99].map(|v| steady.weigh(&vote(v), now)),
            [ThreatLevel::Safe, ThreatLevel::Medium, ThreatLevel::High]
        );
        assert_eq!(uneasy.weigh(&vote(0.93), now), ThreatLevel::Safe);
    }

    #[test]
    fn the_forest_has_one_medium_a_week() {
        let mut baseline = Baseline::default();
        assert!(!baseline.spent(at(0)));
        baseline.spend(at(0));
        assert!(baseline.spent(at(7 * DAY - 1)) && !baseline.spent(at(7 * DAY)));
    }

    #[test]
    fn what_a_device_always_sent_is_not_more_than_ever() {
        let octets = (24 * 60) << 14;
        let busy = |sent: u64| steady().volume(octets + sent, at(DAY + HOUR));
        assert_eq!(busy(60 << 20), None);
        assert!(busy(70 << 20).is_some_and(|v| v.sent == 70 << 20 && v.most < 2 << 20), "{:?}", busy(70 << 20));
        assert_eq!(Baseline::default().volume(u64::MAX, at(60)), None, "nothing is known of it");
    }

    #[test]
    fn every_way_that_is_learnt_has_a_bit_of_its_own() {
        assert!(Administration::ALL.len() + Exposure::ALL.len() <= 8);
        let mut baseline = Baseline::default();
        assert!(!baseline.exposes(Exposure::AnswersInternet, at(0)), "all is new in the first day");
        assert_eq!((baseline.administers_by().count(), baseline.exposed_by().count()), (0, 1));
        Administration::ALL.into_iter().for_each(|what| assert!(!baseline.administers(what, at(0))));
        assert_eq!((baseline.administers_by().count(), baseline.exposed_by().count()), (6, 1));
        assert_eq!(baseline.exposed_by().next(), Some(Exposure::AnswersInternet));
    }

    #[test]
    fn administration_is_new_once_a_day_at_most_as_a_habit() {
        let mut baseline = steady();
        let now = at(DAY + 60);
        assert!(baseline.administers(Administration::Rdp, now));
        assert!(!baseline.administers(Administration::Rdp, now), "it was told and learnt");
        assert!(baseline.administers(Administration::Ssh, now));
        assert!(baseline.administers(Administration::Ssh, now), "the day's step was taken");
        assert!(!Baseline::default().administers(Administration::Ssh, at(0)), "all is new in the first day");
    }

    #[test]
    fn a_tls_client_is_new_after_the_first_day_and_known_once_it_was_learnt() {
        let client = |n: u32| Ja4::parse(&alloc::format!("t13d1516h2_8daaf6152771_e562{n:08x}")).unwrap();
        let now = at(DAY + 60);
        let mut baseline = Baseline::default();
        assert!(!baseline.uses(&client(1), at(0)), "all is new in the first day");
        let mut baseline = Baseline { clients: baseline.clients, ..steady() };
        assert!(!baseline.uses(&client(1), now), "it was learnt");
        assert!(baseline.uses(&client(2), now));
        assert!(!baseline.uses(&client(2), now), "it was told and learnt");
        assert!(baseline.uses(&client(3), now) && baseline.uses(&client(3), now), "the day's step was taken");
        let mut many = Baseline::default();
        (0..100).for_each(|n| assert!(!many.uses(&client(n), at(0))));
        let mut many = Baseline { clients: many.clients, ..steady() };
        (100..200).for_each(|n| assert!(!many.uses(&client(n), now), "a device of many clients"));
    }

    #[test]
    fn signs_of_the_first_day_are_the_devices_nature_and_later_ones_are_not() {
        let mut seen = SignCounts::default();
        seen[Sign::Irc as usize] = 1;
        let mut baseline = Baseline::default();
        for minute in 0..=24 * 60 {
            baseline.unusual(&seen, at(minute * 60));
            baseline.learn(true, None, at(minute * 60));
        }
        seen[Sign::OwnAddress as usize] = 1;
        let left = baseline.unusual(&seen, at(DAY + 60));
        assert_eq!((left[Sign::Irc as usize], left[Sign::OwnAddress as usize]), (0, 1));
    }

    #[test]
    fn a_baseline_written_down_goes_on_where_it_was() {
        let (mut one, mut other) = (steady(), Baseline::of_record(&steady().record()).unwrap());
        assert_eq!(Baseline { total: one.total, ..other }, one);
        // the table counts from nothing again
        let octets = one.total;
        for minute in 1..=200 {
            let now = at(DAY + minute * 60);
            let sent = minute << 21;
            assert_eq!(one.volume(octets + sent, now), other.volume(sent, now), "minute {minute}");
            one.learn(true, Some(0.9), now);
            other.learn(true, Some(0.9), now);
        }
        assert_eq!(Baseline { total: one.total, ..other }, one);
        assert_eq!(Baseline::of_record(&[0; 7]), None, "nothing was learnt");
        let full = Baseline {
            signs: SIGNS,
            given: SIGNS,
            minutes: MOST_MINUTES,
            highest: 255,
            administers: 255,
            tainted: true,
            total: 0,
            clients: 0x8000_0001_7fff_fffe,
            ..steady()
        };
        assert_eq!(Baseline::of_record(&full.record()), Some(full));
        let former = [full.since.micros(), 90 << 32 | 0xfff1_aa22, 7 << 32 | 0xfff2_0101, 0, 0, 0, 0];
        let read = Baseline::of_record(&former).unwrap();
        assert_eq!((read.minutes, read.signs, read.given, read.last), (90, 0xfff1, 0xfff2, 7));
        assert_eq!((read.highest, read.administers, read.tainted), (0x22, 0xaa, true));
        let second = [full.since.micros() + 7, 90 << 40 | 0xfff1_aa22, 7 << 32 | 0xfff2_0102, 0, 0, 0, 55];
        let read = Baseline::of_record(&second).unwrap();
        assert_eq!((read.since.micros(), read.suspected.micros()), (second[0], 55));
        assert_eq!((read.minutes, read.signs, read.clients), (90, 0xfff1, 0));
        let mut later = one.record();
        later[2] += 1;
        assert_eq!(Baseline::of_record(&later), None, "of a form of tomorrow");
    }

    #[test]
    fn what_an_admin_calls_a_false_alarm_becomes_usual() {
        let mut baseline = steady();
        let now = at(DAY + 60);
        let evidence =
            [("share_high", 0.9), ("share_medium", 0.05), ("octets_this_hour", 9e9), (Sign::Irc.name(), 3.0)];
        baseline.accept(evidence.into_iter().chain([("threshold", 1e12)]));
        let said = [0.75, 0.95, 1.0].map(|share| baseline.weigh(&vote(share), now));
        assert_eq!(said, [ThreatLevel::Safe, ThreatLevel::Medium, ThreatLevel::High], "certainty is not given away");
        assert_eq!(baseline.busiest_hour(), 9_000_000_000);
        assert!(baseline.usual_signs().eq([Sign::Irc]));
        assert_eq!(baseline.usual_share(), 47.0 / 64.0);
    }

    #[test]
    fn the_longer_memory_is_taken_up() {
        let (old, mut young) = (steady(), Baseline::default());
        young.volume(77, at(DAY + 60));
        young.learn(true, Some(0.9), at(DAY + 60));
        let mut recalled = young;
        recalled.recall(old);
        assert_eq!(Baseline { total: old.total, ..recalled }, old);
        assert_eq!(recalled.total, 77, "what the table counted is not sent again");
        let mut still = old;
        still.recall(young);
        assert_eq!(still, old);
        still.recall(Baseline::default());
        assert_eq!(still, old);
    }

    #[test]
    fn a_clock_that_is_set_makes_no_day_of_learning() {
        let mut baseline = Baseline::default();
        for minute in 1..100 {
            baseline.learn(true, None, Timestamp::from_secs(minute * 60));
        }
        for minute in 0..100 {
            baseline.learn(true, None, at(minute * 60));
        }
        assert!(!baseline.holds(at(100 * 60)), "three hours were learnt");
        assert!(baseline.holds(at(DAY)));
    }

    #[test]
    fn a_box_without_a_clock_forgets_nothing_while_it_waits_for_the_time() {
        let mut baseline = Baseline::of_record(&steady().record()).unwrap();
        for minute in 1..5 {
            baseline.learn(true, Some(0.1), Timestamp::from_secs(minute * 60));
        }
        baseline.learn(true, Some(0.1), at(DAY + 600));
        assert!(baseline.holds(at(DAY + 660)));
    }

    #[test]
    fn nothing_is_learnt_from_minutes_with_evidence_and_little_a_day() {
        let mut baseline = steady();
        let before = (baseline.highest, baseline.most);
        let mut octets = baseline.total;
        for minute in 1..600 {
            octets += 10 << 20;
            baseline.volume(octets, at(DAY + minute * 60));
            baseline.learn(false, Some(0.99), at(DAY + minute * 60));
        }
        assert_eq!((baseline.highest, baseline.most), before);
        for minute in 720..1_200 {
            octets += 10 << 20;
            baseline.volume(octets, at(DAY + minute * 60));
            baseline.learn(true, Some(0.99), at(DAY + minute * 60));
        }
        assert_eq!(baseline.highest, before.0 + 1, "a step a day");
        assert!(baseline.most <= before.1 * 5 / 4, "a quarter a day");
    }
}
