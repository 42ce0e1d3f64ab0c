//! The forests that vote: the one in force, one in its shadow, and what is kept of recent minutes to judge another by.
//!
//! A forest is borrowed for as long as it votes; the inspector takes the next one between two frames. What is remembered here lies in
//! fixed memory: a ring of minutes, counts by feature, a tally of the shadow.

use std::collections::VecDeque;
use std::sync::Arc;

use detect::forest::Forest;
use detect::forest::card::Card;
use detect::forest::drift::{Away, Drift};
use detect::{Baseline, Detector, Window, weigh};
use features::FeatureVector;
use terms::{HostKey, ThreatLevel, Timestamp};

use crate::model::Model;

/// Minutes of hosts that are kept.
///
/// **Bounds**: 0.6 MiB.
const KEPT: usize = 2_048;
/// Hosts of whose minutes the shadow's disagreements are told one by one; those of others are only counted.
const HOSTS: usize = 64;

/// Which forests vote.
#[derive(Clone, Debug, Default)]
pub struct Voting {
    /// Whose vote counts; the rules are alone where there is none.
    pub forest: Option<Arc<Model>>,
    /// Whose vote is only counted, and until when.
    pub shadow: Option<(Arc<Model>, Timestamp)>,
    /// What is wrong with the forest that should vote, for those who ask how things are.
    pub trouble: Option<String>,
}

/// The forests as they are while none is changed.
#[derive(Clone, Copy)]
pub struct Jury<'a> {
    /// The one in force.
    pub forest: Option<Forest<'a>>,
    voting: &'a Voting,
    card: Option<Card<'a>>,
    shadow: Option<(Forest<'a>, Timestamp)>,
}

/// A host's minute that another forest can be asked about.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The host.
    pub host: HostKey,
    /// Its first frame of the minute.
    pub start: Timestamp,
    /// Its last.
    pub end: Timestamp,
    /// The features at its end.
    pub vector: FeatureVector,
    /// What was learnt of the host before; nothing where habits are not looked at.
    pub habits: Option<Baseline>,
    /// The evidence against the host besides the forest's, when the minutes were asked for.
    pub besides: f32,
}

/// What is remembered of votes.
pub struct Votes {
    ring: VecDeque<Seen>,
    drift: Drift,
    tally: Tally,
}

/// How the shadow's votes compare with those that count.
///
/// **Units**: minutes of hosts. A forest's word is what its vote speaks for by itself, before budgets, quiet and blocks.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Minutes on which both voted.
    pub minutes: u64,
    /// Of these, minutes on which they disagree.
    pub differ: u64,
    /// Minutes that the forest in force calls Medium, and High.
    pub said: [u64; 2],
    /// Minutes that the shadow calls Medium, and High: the findings that it would have made.
    pub would_say: [u64; 2],
    /// Hosts of whom they said different things: the highest word of each, and on how many minutes they differed.
    pub hosts: Vec<(HostKey, [ThreatLevel; 2], u32)>,
    /// Minutes of disagreement on hosts that found no place in the list.
    pub others: u64,
}

/// What the keeper and those who ask are told of the votes.
#[derive(Clone, Debug, Default)]
pub struct Voted {
    /// The forest in words; nothing where none votes.
    pub forest: Option<String>,
    /// The shadow's name, its end, and its tally.
    pub shadow: Option<(String, Timestamp, Tally)>,
    /// Minutes behind the drift.
    pub minutes: u32,
    /// Features that moved, farthest first.
    pub moved: Vec<Away>,
    /// The most features at which one of the training's own sources stood apart.
    pub apart: u32,
    /// What is wrong with the forest that should vote.
    pub trouble: Option<String>,
}

impl<'a> Jury<'a> {
    /// The forests, borrowed.
    pub fn of(voting: &'a Voting) -> Self {
        let model = voting.forest.as_deref();
        let shadow = voting.shadow.as_ref().and_then(|(model, until)| Some((model.forest()?, *until)));
        Self { voting, forest: model.and_then(Model::forest), card: model.and_then(Model::card), shadow }
    }
}

impl Seen {
    /// What a forest's vote on the minute speaks for by itself.
    pub fn word_of(&self, forest: &Forest<'_>) -> ThreatLevel {
        weigh(self.habits.as_ref(), &forest.classify(&self.vector.0), self.end)
    }
}

impl Voted {
    /// Whether more features moved than one of the training's own sources stood apart at.
    pub fn drifted(&self) -> bool {
        self.moved.len() > self.apart as usize
    }
}

impl Tally {
    fn count(&mut self, host: HostKey, words: [ThreatLevel; 2]) {
        self.minutes += 1;
        for (word, counts) in words.iter().zip([&mut self.said, &mut self.would_say]) {
            match word {
                ThreatLevel::Safe => {}
                ThreatLevel::Medium => counts[0] += 1,
                ThreatLevel::High => counts[1] += 1,
            }
        }
        if words[0] == words[1] {
            return;
        }
        self.differ += 1;
        if let Some((_, worst, minutes)) = self.hosts.iter_mut().find(|known| known.0 == host) {
            *worst = [worst[0].max(words[0]), worst[1].max(words[1])];
            *minutes += 1;
        } else if self.hosts.len() < HOSTS {
            self.hosts.push((host, words, 1));
        } else {
            self.others += 1;
        }
    }
}

impl Votes {
    /// Nothing is remembered but this drift; the memory is reserved.
    pub fn new(drift: Drift) -> Self {
        Self { ring: VecDeque::with_capacity(KEPT), drift, tally: Tally::default() }
    }

    /// What was counted of the drift.
    pub fn drift(&self) -> &Drift {
        &self.drift
    }

    /// Takes in a host's minute.
    pub fn hear(&mut self, jury: &Jury<'_>, window: &Window) {
        if self.ring.len() == KEPT {
            self.ring.pop_front();
        }
        let Window { host, start, end, vector, habits, .. } = window;
        let seen = Seen { host: *host, start: *start, end: *end, vector: *vector, habits: *habits, besides: 0.0 };
        self.ring.push_back(seen);
        if let Some(card) = &jury.card {
            self.drift.count(card, vector);
        }
        if let (Some(forest), Some((shadow, until))) = (&jury.forest, &jury.shadow)
            && window.end < *until
        {
            let words = [forest, shadow].map(|forest| seen.word_of(forest));
            self.tally.count(window.host, words);
        }
    }

    /// Other forests vote from now on: what was counted for those before them goes, the minutes stay.
    pub fn change(&mut self, before: &Voting, after: &Voting) {
        let id = |model: &Option<Arc<Model>>| model.as_ref().map(|model| model.id().to_owned());
        let shadow = |voting: &Voting| voting.shadow.as_ref().map(|(model, until)| (model.id().to_owned(), *until));
        let same = id(&before.forest) == id(&after.forest);
        if !same {
            self.drift = Drift::default();
        }
        if !same || shadow(before) != shadow(after) {
            self.tally = Tally::default();
        }
    }

    /// The minutes that are kept, oldest first, with the other evidence against their hosts.
    pub fn recent(&self, detector: &mut Detector<'_>) -> Vec<Seen> {
        let now = detector.now();
        let seen = |seen: &Seen| {
            let host = detector.table().host(seen.host);
            Seen { besides: host.map_or(0.0, |host| host.judgement.score_besides_forest(now)), ..*seen }
        };
        self.ring.iter().map(seen).collect()
    }

    /// What is told of the votes.
    pub fn told(&self, jury: &Jury<'_>) -> Voted {
        let voting = jury.voting;
        let shadow = voting.shadow.as_ref().map(|(model, until)| (model.words(), *until, self.tally.clone()));
        Voted {
            forest: voting.forest.as_ref().map(|model| model.words()),
            shadow,
            minutes: self.drift.minutes(),
            moved: jury.card.map(|card| self.drift.moved(&card).to_vec()).unwrap_or_default(),
            apart: jury.card.map_or(0, |card| card.apart()),
            trouble: voting.trouble.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: ThreatLevel = ThreatLevel::Safe;
    const MEDIUM: ThreatLevel = ThreatLevel::Medium;

    fn host(n: u16) -> HostKey {
        let [a, b] = n.to_be_bytes();
        HostKey::V4([10, 0, a, b].into())
    }

    #[test]
    fn a_tally_counts_what_the_shadow_would_have_said_and_of_whom() {
        let mut tally = Tally::default();
        tally.count(host(1), [SAFE, SAFE]);
        tally.count(host(2), [SAFE, MEDIUM]);
        tally.count(host(2), [MEDIUM, ThreatLevel::High]);
        assert_eq!((tally.minutes, tally.differ), (3, 2));
        assert_eq!((tally.said, tally.would_say), ([1, 0], [1, 1]));
        assert_eq!(tally.hosts, [(host(2), [MEDIUM, ThreatLevel::High], 2)]);
    }

    #[test]
    fn a_tally_of_many_hosts_stays_small_and_counts_the_rest() {
        let mut tally = Tally::default();
        (0..1_000).for_each(|n| tally.count(host(n), [SAFE, MEDIUM]));
        assert_eq!((tally.hosts.len(), tally.others, tally.differ), (HOSTS, 1_000 - HOSTS as u64, 1_000));
    }
}
