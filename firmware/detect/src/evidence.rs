//! Evidence adds up per host and fades; a level is entered higher than it is left.

use features::Judgement;
use terms::{Family, HostKey, Span, ThreatLevel, Timestamp};

use crate::finding::{Evidence, Source};
use crate::rules::{Judged, Rule};

/// The time in which evidence halves.
const HALF_LIFE_SECONDS: f32 = 300.0;
const ENTER_HIGH: f32 = 1.0;
const LEAVE_HIGH: f32 = 0.5;
const ENTER_MEDIUM: f32 = 0.4;
const LEAVE_MEDIUM: f32 = 0.2;
/// More than this is no worse: a long attack must not weigh for a day.
const MOST: f32 = 3.0;
/// The most to which the forest alone can raise a host: never to High.
const FOREST_MOST: f32 = 0.9;
/// How long a rule that stays above its threshold is silent before it speaks again.
const REPEAT: Span = Span::from_secs(60);
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

/// What detection keeps with each host.
///
/// **Shape**: in the order written; what each frame touches comes first.
#[derive(Clone, Debug, Default)]
#[repr(C)]
pub struct HostState {
    weighed: Timestamp,
    score: f32,
    level: ThreatLevel,
    /// Blocked: its frames are retries and no evidence.
    pub(crate) blocked: bool,
    pub(crate) minute: Option<OpenMinute>,
    fired: [Timestamp; Rule::COUNT],
    pub(crate) reason: Option<Reason>,
}

impl HostState {
    /// The level at this time.
    pub fn level(&mut self, now: Timestamp) -> ThreatLevel {
        self.fade(now);
        self.level
    }

    /// The evidence at this time: 0 for none, 1 and more for High.
    pub fn score(&mut self, now: Timestamp) -> f32 {
        self.fade(now);
        self.score
    }

    /// The family and the confidence of the strongest reason, while there is one.
    #[must_use]
    pub fn reason(&self) -> Option<(Family, f32)> {
        self.reason.as_ref().filter(|_| self.level > ThreatLevel::Safe).map(|r| (r.family, r.confidence))
    }

    /// Whether a rule may speak now; notes that it does.
    pub(crate) fn fires(&mut self, judged: &Judged, now: Timestamp) -> bool {
        let fired = &mut self.fired[judged.rule as usize];
        if judged.value > judged.threshold {
            let quiet = *fired == Timestamp::EPOCH || now.since(*fired) >= REPEAT;
            if quiet {
                *fired = now;
            }
            return quiet;
        }
        if judged.value < judged.threshold * REARM && now.since(*fired) >= Span::from_secs(10) {
            *fired = Timestamp::EPOCH;
        }
        false
    }

    /// Adds evidence and returns where the host stands with it.
    pub(crate) fn weigh(&mut self, level: ThreatLevel, reason: Reason, now: Timestamp) -> ThreatLevel {
        self.fade(now);
        let weight = match level {
            ThreatLevel::Safe => 0.0,
            ThreatLevel::Medium => 0.5,
            ThreatLevel::High => 1.0,
        };
        let most = if reason.source == Source::Forest { FOREST_MOST.max(self.score) } else { MOST };
        self.score = (self.score + weight).min(most);
        let stronger = self.level == ThreatLevel::Safe || level >= self.level;
        self.settle();
        if stronger {
            self.reason = Some(reason);
        }
        if let Some(minute) = &mut self.minute {
            minute.level = minute.level.max(self.level);
        }
        self.level
    }

    fn fade(&mut self, now: Timestamp) {
        #[allow(clippy::cast_precision_loss, reason = "a fading needs no microseconds")]
        let seconds = now.since(self.weighed).micros() as f32 / 1e6;
        self.weighed = self.weighed.max(now);
        if self.score > 0.0 && seconds > 0.0 {
            self.score *= libm::exp2f(-seconds / HALF_LIFE_SECONDS);
            self.settle();
        }
    }

    fn settle(&mut self) {
        let was = self.level;
        let high = self.score >= if was == ThreatLevel::High { LEAVE_HIGH } else { ENTER_HIGH };
        let medium = self.score >= if was == ThreatLevel::Safe { ENTER_MEDIUM } else { LEAVE_MEDIUM };
        self.level = match (high, medium) {
            (true, _) => ThreatLevel::High,
            (false, true) => ThreatLevel::Medium,
            (false, false) => ThreatLevel::Safe,
        };
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
    fn the_forest_alone_never_makes_high_however_often_it_says_so() {
        let mut state = HostState::default();
        for n in 0..100 {
            assert!(
                state.weigh(ThreatLevel::High, reason(Source::Forest), Timestamp::from_secs(n)) < ThreatLevel::High
            );
        }
    }

    #[test]
    fn two_different_mediums_add_up_to_high() {
        let mut state = HostState::default();
        let now = Timestamp::from_secs(9);
        assert_eq!(state.weigh(ThreatLevel::Medium, reason(Source::Rule(Rule::ArpSweep)), now), ThreatLevel::Medium);
        assert_eq!(state.weigh(ThreatLevel::Medium, reason(Source::Rule(Rule::IcmpSweep)), now), ThreatLevel::High);
    }
}
