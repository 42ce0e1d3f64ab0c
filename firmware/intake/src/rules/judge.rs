//! Rules over records as they come, in fixed memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use terms::Timestamp;

use super::{Distinct, Rule};
use crate::activity::{Activity, Proof};
use crate::habits::Habits;

/// Subjects and sources that are followed at a time, each by each rule; the longest silent go.
pub const KEYS_MAX: usize = 4_096;

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The place of the rule among those that were given.
    pub rule: usize,
    /// The account or the address that it is about.
    pub key: String,
    /// When its first record of the last step came.
    pub since: Timestamp,
    /// When the record came that completed it.
    pub at: Timestamp,
    /// That record's number.
    pub id: u64,
    /// What speaks for it: the weakest of all.
    pub proof: Proof,
}

/// Rules, and how far whom they follow has come.
pub struct Judge {
    rules: Vec<Rule>,
    followed: HashMap<(usize, String), Followed>,
    hasher: RandomState,
    habits: Habits,
}

/// How far one has come in one rule.
struct Followed {
    step: usize,
    /// The records of this step that still count, oldest first: when, and what must differ.
    counted: Vec<(Timestamp, u64)>,
    /// When the step before was done.
    came_so_far: Timestamp,
    proof: Proof,
    /// The same is not told again before this.
    quiet_until: Timestamp,
    last: Timestamp,
}

impl Judge {
    /// Nothing has come yet.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules, followed: HashMap::new(), hasher: RandomState::new(), habits: Habits::default() }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What is usual for each account.
    #[must_use]
    pub fn habits(&self) -> &Habits {
        &self.habits
    }

    /// Whom it follows now, each by each rule.
    #[must_use]
    pub fn followed(&self) -> usize {
        self.followed.len()
    }

    /// Hears a record, in the order in which they came, and says what it completes.
    pub fn hear(&mut self, activity: &Activity) -> Vec<Found> {
        let source = activity.source.to_string();
        let mut found = Vec::new();
        let unusual = self.habits.hear(activity);
        for (n, rule) in self.rules.iter().enumerate() {
            let Some(key) = rule.key(activity, &source) else { continue };
            if let Some(habit) = rule.habit {
                if unusual.contains(&habit) {
                    let (at, proof) = (activity.at, activity.proof);
                    found.push(Found { rule: n, key: key.into_owned(), since: at, at, id: activity.id, proof });
                }
                continue;
            }
            let place = (n, key.into_owned());
            let begun = self.followed.contains_key(&place);
            if !begun && !rule.steps.first().is_some_and(|step| step.is(activity)) {
                continue;
            }
            if !begun && self.followed.len() >= KEYS_MAX {
                forget_a_half(&mut self.followed);
            }
            let key = place.1.clone();
            let followed = self.followed.entry(place).or_insert_with(Followed::new);
            if let Some(since) = followed.hear(rule, activity, &self.hasher) {
                let proof = followed.proof;
                found.push(Found { rule: n, key, since, at: activity.at, id: activity.id, proof });
                followed.begin_anew();
                followed.quiet_until = activity.at + rule.window;
            }
        }
        found
    }
}

/// Lets those go that were silent the longest.
fn forget_a_half(followed: &mut HashMap<(usize, String), Followed>) {
    let mut last: Vec<Timestamp> = followed.values().map(|one| one.last).collect();
    let middle = last.len() / 2;
    let (_, cutoff, _) = last.select_nth_unstable(middle);
    let cutoff = *cutoff;
    let mut spare = middle;
    // Where many were heard at the same moment, some of them go all the same.
    followed.retain(|_, one| {
        let stays = one.last > cutoff || spare == 0;
        spare -= usize::from(!stays);
        stays
    });
}

impl Followed {
    fn new() -> Self {
        Self {
            step: 0,
            counted: Vec::new(),
            came_so_far: Timestamp::EPOCH,
            proof: Proof::Enrolled,
            quiet_until: Timestamp::EPOCH,
            last: Timestamp::EPOCH,
        }
    }

    fn begin_anew(&mut self) {
        *self = Self { quiet_until: self.quiet_until, last: self.last, ..Self::new() };
    }

    /// When the last step began, if this record completes the rule.
    fn hear(&mut self, rule: &Rule, activity: &Activity, hasher: &RandomState) -> Option<Timestamp> {
        let at = activity.at;
        self.last = at;
        if at < self.quiet_until {
            return None;
        }
        if self.step > 0 && at.since(self.came_so_far) > rule.window {
            self.begin_anew();
        }
        let step = rule.steps.get(self.step)?;
        if !step.is(activity) {
            // More of the step before: the time for this one begins again.
            if self.step > 0 && rule.steps[self.step - 1].is(activity) {
                self.came_so_far = at;
            }
            return None;
        }
        let differs = step.distinct.map_or(0, |what| hasher.hash_one(what_differs(what, activity)));
        self.counted
            .retain(|(then, seen)| at.since(*then) <= rule.window && (step.distinct.is_none() || *seen != differs));
        self.counted.push((at, differs));
        self.proof = self.proof.min(activity.proof);
        if (self.counted.len() as u64) < u64::from(step.count) {
            return None;
        }
        let since = self.counted.first().map_or(at, |(then, _)| *then);
        self.step += 1;
        (self.counted, self.came_so_far) = (Vec::new(), at);
        (self.step == rule.steps.len()).then_some(since)
    }
}

/// What must differ, as text.
fn what_differs(what: Distinct, activity: &Activity) -> String {
    match what {
        Distinct::Subject => activity.subject.clone(),
        Distinct::Address => activity.address.map(|address| address.to_string()).unwrap_or_default(),
        Distinct::Object => activity.object.clone(),
    }
}
