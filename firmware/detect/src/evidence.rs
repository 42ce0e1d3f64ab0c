//! Evidence adds up per host and fades; a level is entered higher than it is left.

use features::Judgement;
use terms::{Family, HostKey, Span, ThreatLevel, Timestamp};
use wire::ja4::Ja4;

use crate::baseline::Baseline;
use crate::finding::{Evidence, Habit, Source};
use crate::rules::{Judged, Rule};

/// The time in which evidence halves.
const HALF_LIFE_SECONDS: f32 = 300.0;
const ENTER_HIGH: f32 = 1.0;
const LEAVE_HIGH: f32 = 0.5;
const ENTER_MEDIUM: f32 = 0.35;
const LEAVE_MEDIUM: f32 = 0.2;
/// What a rule's High weighs: enough by itself.
const HIGH: f32 = 1.0;
/// What a rule's Medium weighs: two different ones within three minutes are High.
const MEDIUM: f32 = 0.6;
/// What weighs less, as what others do to a host, or what is only unusual for it: with one Medium it stays below High.
const SUSPICION: f32 = 0.38;
/// What weighs nothing by itself and little besides others: a TLS client that is new to the host comes with many an update.
const HINT: f32 = 0.2;
/// What the forest's Medium weighs: with one Medium of a rule it is High.
const VOTE: f32 = 0.42;
/// How long a rule that stays above its threshold is silent before it speaks again.
const REPEAT: Span = Span::from_secs(60);
/// How long a habit that shows with each conversation is not told again.
const AGAIN: Span = Span::from_secs(3_600);
/// How long a span is, and how long after one it may be until what persists is said in the next.
///
/// **Units**: seconds.
const SPAN: u16 = 600;
const NEXT_SPAN: u16 = 6 * 3_600;
/// In so many separate spans evidence persists.
pub(crate) const PERSISTS: u8 = 3;
/// A rule is armed again when its counter falls below this share of the threshold.
const REARM: f32 = 0.8;

/// What speaks for the level of the minute.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    pub family: Family,
    pub source: Source,
    pub confidence: f32,
    pub target: Option<HostKey>,
    pub evidence: Evidence,
}

/// A minute of one host while it is open.
#[derive(Clone, Debug)]
pub(crate) struct OpenMinute {
    pub first: Timestamp,
    pub last: Timestamp,
    pub level: ThreatLevel,
}

/// What one source has said against a host.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    at: Timestamp,
    weight: f32,
    family: Option<Family>,
    /// In how many separate spans it said what may persist.
    spans: u8,
    /// From the beginning of the last of them to `at`.
    ///
    /// **Units**: seconds.
    into_span: u16,
}

/// What detection keeps with each host.
///
/// **Shape**: in the order written; what each frame touches comes first.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct HostState {
    /// Where it stood when something was said last.
    level: ThreatLevel,
    /// Blocked: its frames are retries and no evidence.
    pub(crate) blocked: bool,
    pub(crate) minute: Option<OpenMinute>,
    /// By rule; then the forest, then the habits.
    said: [Said; Rule::COUNT + 1 + Habit::COUNT],
    /// When each rule spoke last, the epoch while it is armed, and of what level.
    fired: ([Timestamp; Rule::COUNT], [ThreatLevel; Rule::COUNT]),
    pub(crate) reason: Option<Reason>,
    pub(crate) baseline: Baseline,
}

impl Default for HostState {
    fn default() -> Self {
        Self {
            level: ThreatLevel::Safe,
            blocked: false,
            minute: None,
            said: [Said::default(); Rule::COUNT + 1 + Habit::COUNT],
            fired: ([Timestamp::EPOCH; Rule::COUNT], [ThreatLevel::Safe; Rule::COUNT]),
            reason: None,
            baseline: Baseline::default(),
        }
    }
}

impl HostState {
    /// Notes that the host sent something: the minute in which it does has its level.
    ///
    /// A level rises with what is said against the host only (see `weigh`), so that it is asked for once a minute.
    #[inline]
    pub(crate) fn sent(&mut self, now: Timestamp) {
        match &mut self.minute {
            Some(minute) => minute.last = now,
            None => self.minute = Some(OpenMinute { first: now, last: now, level: self.level(now) }),
        }
    }

    /// The level at this time.
    #[must_use]
    pub fn level(&self, now: Timestamp) -> ThreatLevel {
        if self.level == ThreatLevel::Safe { ThreatLevel::Safe } else { stands(self.level, self.score(now)) }
    }

    /// The evidence at this time: 0 for none, 1 and more for High.
    #[must_use]
    pub fn score(&self, now: Timestamp) -> f32 {
        self.said.iter().filter(|said| said.weight > 0.0).fold(0.0, |sum, said| sum + said.faded(now))
    }

    /// The evidence at this time without what the forest said.
    #[must_use]
    pub fn score_besides_forest(&self, now: Timestamp) -> f32 {
        (self.score(now) - self.said[Rule::COUNT].faded(now)).max(0.0)
    }

    /// What was learnt of the host.
    #[must_use]
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    /// The family and the confidence of the strongest reason, while there is one.
    #[must_use]
    pub fn reason(&self) -> Option<(Family, f32)> {
        self.reason.as_ref().filter(|_| self.level > ThreatLevel::Safe).map(|r| (r.family, r.confidence))
    }

    /// Whether a rule may speak now; notes that it does.
    pub(crate) fn fires(&mut self, judged: &Judged, now: Timestamp) -> bool {
        let rule = judged.rule as usize;
        let (fired, level) = (&mut self.fired.0[rule], &mut self.fired.1[rule]);
        if judged.value > judged.threshold {
            // What became worse is said at once.
            let speaks = *fired == Timestamp::EPOCH || now.since(*fired) >= REPEAT || judged.level > *level;
            if speaks {
                (*fired, *level) = (now, judged.level);
            }
            return speaks;
        }
        if judged.value < judged.threshold * REARM && now.since(*fired) >= Span::from_secs(10) {
            *fired = Timestamp::EPOCH;
        }
        false
    }

    /// Notes that a rule says what may persist, and returns in how many separate spans it did.
    pub(crate) fn spans(&mut self, rule: Rule, now: Timestamp) -> u8 {
        let said = &mut self.said[rule as usize];
        *said = said.until(now);
        if said.spans == 0 || said.into_span >= NEXT_SPAN {
            (said.spans, said.into_span) = (1, 0);
        } else if said.into_span >= SPAN {
            (said.spans, said.into_span) = (said.spans.saturating_add(1), 0);
        }
        said.spans
    }

    /// Adds evidence and returns where the host stands with it. A source that speaks again says no more than it can say once.
    pub(crate) fn weigh(&mut self, level: ThreatLevel, reason: Reason, now: Timestamp) -> ThreatLevel {
        let before = self.level(now);
        let (place, weight) = match (reason.source, level) {
            (_, ThreatLevel::Safe) => return before,
            (Source::Rule(rule @ Rule::UnderFlood), _) => (rule as usize, SUSPICION),
            // What a mail server and a resolver do by trade says no more together than each alone.
            (Source::Rule(Rule::NoSuchNames | Rule::MailServers), _) => (Rule::NoSuchNames as usize, SUSPICION),
            // Whatever is denied to a host speaks once: an attempt that was cut is no attack.
            (Source::Rule(Rule::DeniedAgain | Rule::DeniedServices), _) => (Rule::DeniedAgain as usize, SUSPICION),
            (Source::Rule(rule), ThreatLevel::Medium) => (rule as usize, MEDIUM),
            (Source::Rule(rule), ThreatLevel::High) => (rule as usize, HIGH),
            (Source::Forest, ThreatLevel::High) => (Rule::COUNT, HIGH),
            (Source::Forest, ThreatLevel::Medium) => (Rule::COUNT, VOTE),
            (Source::Baseline(Habit::Client), _) => (Rule::COUNT + 1 + Habit::Client as usize, HINT),
            (Source::Baseline(habit), _) => (Rule::COUNT + 1 + habit as usize, SUSPICION),
        };
        let said = &mut self.said[place];
        let until_now = said.until(now);
        *said = Said { weight: weight.max(until_now.weight), family: Some(reason.family), ..until_now };
        self.level = stands(before, self.score(now));
        if before == ThreatLevel::Safe || level >= before {
            self.reason = Some(reason);
        }
        if let Some(minute) = &mut self.minute {
            minute.level = minute.level.max(self.level);
        }
        self.level
    }

    /// Notes a TLS client that the host uses; one that it never used weighs besides what else is said.
    pub(crate) fn greets(&mut self, client: &Ja4, now: Timestamp) {
        if self.baseline.uses(client, now) {
            let said = &mut self.said[Rule::COUNT + 1 + Habit::Client as usize];
            *said = Said { at: now, weight: HINT, family: Some(Family::Anomaly), ..Said::default() };
        }
    }

    /// Whether a habit was held against the host within the last hour.
    pub(crate) fn was_unusual(&self, habit: Habit, now: Timestamp) -> bool {
        let said = &self.said[Rule::COUNT + 1 + habit as usize];
        said.weight > 0.0 && now.since(said.at) < AGAIN
    }

    /// Takes back what was said of one family: it was a false alarm, and its numbers are usual for the host.
    pub(crate) fn forgive<'a>(
        &mut self,
        family: Family,
        evidence: impl Iterator<Item = (&'a str, f64)>,
        now: Timestamp,
    ) {
        let taken_back = self.said.iter_mut().filter(|said| said.family == Some(family));
        taken_back.for_each(|said| *said = Said::default());
        self.level = stands(ThreatLevel::Safe, self.score(now));
        if self.reason.as_ref().is_some_and(|reason| reason.family == family) {
            self.reason = None;
        }
        self.baseline.accept(evidence);
    }
}

/// Where a host with this other evidence would stand if a forest said this of it now.
#[must_use]
pub fn level_with(besides: f32, vote: ThreatLevel) -> ThreatLevel {
    let weight = match vote {
        ThreatLevel::Safe => 0.0,
        ThreatLevel::Medium => VOTE,
        ThreatLevel::High => HIGH,
    };
    stands(ThreatLevel::Safe, besides + weight)
}

impl Said {
    /// The same, as it is now.
    fn until(&self, now: Timestamp) -> Self {
        let more = u16::try_from(now.since(self.at).secs()).unwrap_or(u16::MAX);
        Self { at: now, weight: self.faded(now), into_span: self.into_span.saturating_add(more), ..*self }
    }

    fn faded(&self, now: Timestamp) -> f32 {
        #[allow(clippy::cast_precision_loss, reason = "a fading needs no microseconds")]
        let seconds = now.since(self.at).micros() as f32 / 1e6;
        self.weight * libm::exp2f(-seconds / HALF_LIFE_SECONDS)
    }
}

/// The level that this evidence makes of the one before: it is entered higher than it is left.
fn stands(before: ThreatLevel, score: f32) -> ThreatLevel {
    if score >= if before == ThreatLevel::High { LEAVE_HIGH } else { ENTER_HIGH } {
        ThreatLevel::High
    } else if score >= if before == ThreatLevel::Safe { ENTER_MEDIUM } else { LEAVE_MEDIUM } {
        ThreatLevel::Medium
    } else {
        ThreatLevel::Safe
    }
}

impl Judgement for HostState {
    fn holds(&self) -> bool {
        self.blocked || self.level > ThreatLevel::Safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(source: Source) -> Reason {
        Reason { family: Family::Anomaly, source, confidence: 0.7, target: None, evidence: Evidence::new() }
    }

    #[test]
    fn one_definition_is_high_and_fades_through_medium_to_safe() {
        let mut state = HostState::default();
        let t = Timestamp::from_secs;
        assert_eq!(state.weigh(ThreatLevel::High, reason(Source::Rule(Rule::PortScan)), t(1_000)), ThreatLevel::High);
        assert_eq!(state.level(t(1_200)), ThreatLevel::High);
        assert_eq!(state.level(t(1_400)), ThreatLevel::Medium);
        assert_eq!(state.level(t(2_000)), ThreatLevel::Safe);
    }

    #[test]
    fn what_persists_is_said_in_spans_of_ten_minutes_that_are_hours_apart_at_most() {
        let spans = |moments: &[u64]| {
            let mut state = HostState::default();
            let mut last = 0;
            for moment in moments {
                let now = Timestamp::from_secs(1_000_000 + moment);
                last = state.spans(Rule::Infection, now);
                state.weigh(ThreatLevel::Medium, reason(Source::Rule(Rule::Infection)), now);
            }
            last
        };
        assert_eq!(spans(&[0]), 1);
        assert_eq!(spans(&[0, 60, 599]), 1);
        assert_eq!(spans(&[0, 599, 600]), 2);
        assert_eq!(spans(&[0, 599, 601, 1_200, 1_201]), 3);
        assert_eq!(spans(&[0, 600, 600 + 21_599]), 3);
        assert_eq!(spans(&[0, 600, 600 + 21_600]), 1);
        assert_eq!(spans(&[0, 600, 600 + 90_000]), 1);
        assert_eq!(size_of::<Said>(), 16, "it has no room of its own");
    }

    #[test]
    fn the_forests_medium_alone_never_makes_high_however_often_it_says_so() {
        let mut state = HostState::default();
        for n in 0..100 {
            assert!(
                state.weigh(ThreatLevel::Medium, reason(Source::Forest), Timestamp::from_secs(n)) < ThreatLevel::High
            );
        }
    }

    #[test]
    fn two_different_mediums_add_up_to_high_and_one_again_and_again_does_not() {
        let mut state = HostState::default();
        let t = Timestamp::from_secs;
        for minute in 0..60 {
            let again = state.weigh(ThreatLevel::Medium, reason(Source::Rule(Rule::IcmpSweep)), t(minute * 60));
            assert_eq!(again, ThreatLevel::Medium, "minute {minute}");
        }
        let habit = reason(Source::Baseline(Habit::Volume));
        assert_eq!(state.weigh(ThreatLevel::Medium, habit, t(3_600)), ThreatLevel::Medium);
        assert_eq!(state.weigh(ThreatLevel::Medium, reason(Source::Rule(Rule::ArpSweep)), t(3_600)), ThreatLevel::High);
    }

    #[test]
    fn the_forest_and_a_rule_that_both_say_medium_are_high() {
        let mut state = HostState::default();
        let t = Timestamp::from_secs(1_000);
        assert_eq!(state.weigh(ThreatLevel::Medium, reason(Source::Forest), t), ThreatLevel::Medium);
        assert_eq!(state.weigh(ThreatLevel::Medium, reason(Source::Rule(Rule::Infection)), t), ThreatLevel::High);
    }

    #[test]
    fn what_another_forest_would_make_of_a_host_is_what_it_makes_of_it() {
        let t = Timestamp::from_secs(1_000);
        for rule in [None, Some(Rule::Infection)] {
            for vote in [ThreatLevel::Safe, ThreatLevel::Medium, ThreatLevel::High] {
                let mut state = HostState::default();
                rule.map(|rule| state.weigh(ThreatLevel::Medium, reason(Source::Rule(rule)), t));
                let told = level_with(state.score_besides_forest(t), vote);
                assert_eq!(state.weigh(vote, reason(Source::Forest), t), told, "{rule:?} {vote:?}");
                assert_eq!(level_with(state.score_besides_forest(t), vote), told, "whatever this one said");
            }
        }
    }

    #[test]
    fn what_is_denied_weighs_once_and_is_high_only_with_two_others() {
        let mut state = HostState::default();
        let t = Timestamp::from_secs(1_000);
        for rule in [Rule::DeniedAgain, Rule::DeniedServices] {
            assert_eq!(state.weigh(ThreatLevel::Medium, reason(Source::Rule(rule)), t), ThreatLevel::Medium);
        }
        let sweep = reason(Source::Rule(Rule::IcmpSweep));
        assert_eq!(state.weigh(ThreatLevel::Medium, sweep, t), ThreatLevel::Medium);
        let new = reason(Source::Baseline(Habit::Administration));
        assert_eq!(state.weigh(ThreatLevel::Medium, new, t), ThreatLevel::High);
    }

    #[test]
    fn a_victim_is_never_high_for_what_others_do_to_it() {
        let mut state = HostState::default();
        for n in 0..100 {
            let now = Timestamp::from_secs(n * 10);
            assert_eq!(
                state.weigh(ThreatLevel::Medium, reason(Source::Rule(Rule::UnderFlood)), now),
                ThreatLevel::Medium
            );
            assert_eq!(state.weigh(ThreatLevel::Medium, reason(Source::Forest), now), ThreatLevel::Medium);
        }
    }
}
