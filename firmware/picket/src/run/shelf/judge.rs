//! What a forest would change: both are asked about the same recent minutes, and each host's levels are held side by side.

use std::collections::BTreeMap;

use detect::forest::Forest;
use detect::level_with;
use features::{FEATURES, FeatureVector, SCHEMA};
use terms::{HostKey, MacAddr, ThreatLevel, Timestamp};

use crate::control::views::{ClassifiedView, DriftView, LevelChange, LoadView, MovedView, ShadowView, VotingView};
use crate::model::Model;
use crate::replay::why::Explanation;
use crate::run::jury::{Seen, Voted};

/// Asks both forests about these minutes. A host's level is that of its other evidence with the worst word of each forest.
pub fn judge(minutes: &[Seen], present: Option<&Model>, candidate: &Model) -> LoadView {
    let forests = [present.and_then(Model::forest), candidate.forest()];
    let mut hosts: BTreeMap<HostKey, ([ThreatLevel; 2], f32)> = BTreeMap::new();
    for seen in minutes {
        let words = forests.map(|forest| forest.map_or(ThreatLevel::Safe, |forest| seen.word_of(&forest)));
        let (worst, besides) = hosts.entry(seen.host).or_insert((words, seen.besides));
        *worst = [worst[0].max(words[0]), worst[1].max(words[1])];
        *besides = seen.besides;
    }
    let changes = hosts.iter().filter_map(|(host, (words, besides))| {
        let [now, then] = words.map(|word| level_with(*besides, word));
        let change = || LevelChange { host: host.to_string(), now: now.as_str().into(), then: then.as_str().into() };
        (now != then).then(change)
    });
    LoadView {
        loaded: false,
        forest: candidate.words(),
        before: present.map(Model::words),
        minutes: minutes.len() as u64,
        since: minutes.iter().map(|seen| seen.start).min().map(|at| at.as_secs_f64()),
        hosts: hosts.len() as u64,
        changes: changes.collect(),
    }
}

/// A minute of nobody with these features; what is not named is 0.
///
/// # Errors
/// The name that is no feature's.
pub fn stranger(named: &BTreeMap<String, f32>) -> Result<Seen, String> {
    let mut vector = FeatureVector([0.0; FEATURES]);
    for (name, value) in named {
        let at = SCHEMA.iter().position(|feature| feature == name).ok_or_else(|| name.clone())?;
        vector.0[at] = *value;
    }
    let (host, start, end) = (HostKey::Mac(MacAddr::default()), Timestamp::default(), Timestamp::default());
    Ok(Seen { host, start, end, vector, habits: None, besides: 0.0 })
}

/// What a forest says of a minute, and why.
pub fn classify(forest: &Forest<'_>, seen: &Seen) -> ClassifiedView {
    let said = forest.classify(&seen.vector.0);
    ClassifiedView {
        level: said.level.as_str().into(),
        counts_as: seen.word_of(forest).as_str().into(),
        confidence: said.confidence.into(),
        family: said.family.map(|family| family.as_str().into()),
        explanation: Explanation::new(forest, &seen.vector).0,
    }
}

/// What the inspector tells of the votes, in the words of the commands.
pub fn voting(voted: &Voted) -> VotingView {
    let moved = voted.moved.iter().map(|away| MovedView {
        feature: SCHEMA.get(away.feature).copied().unwrap_or_default().into(),
        distance: away.distance.into(),
        usual: away.usual.into(),
    });
    let drift = DriftView {
        minutes: voted.minutes,
        needed: detect::forest::drift::LEAST,
        moved: moved.collect(),
        usual: voted.apart,
        drifted: voted.drifted(),
    };
    let shadow = voted.shadow.as_ref().map(|(forest, until, tally)| ShadowView {
        forest: forest.clone(),
        until: until.as_secs_f64(),
        minutes: tally.minutes,
        differ: tally.differ,
        said: tally.said,
        would_say: tally.would_say,
        hosts: tally
            .hosts
            .iter()
            .map(|(host, [now, then], _)| LevelChange {
                host: host.to_string(),
                now: now.as_str().into(),
                then: then.as_str().into(),
            })
            .collect(),
        others: tally.others,
    });
    VotingView { drift, shadow, trouble: voted.trouble.clone(), ..VotingView::default() }
}
