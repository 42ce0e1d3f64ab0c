//! How often what may be tried: log-ins by address and by account, codes, claims. Memory is bounded.

use std::collections::HashMap;
use std::hash::Hash;

use terms::{Span, Timestamp};

/// Tries that are free within the window.
const FREE: u32 = 5;
/// The time over which tries add up.
const WINDOW: Span = Span::from_secs(300);
/// How long the first refusal lasts; each further failure doubles it.
const FIRST: u64 = 30;
/// The longest refusal. **Units**: seconds.
const LONGEST: u64 = 900;

/// Failures by key.
///
/// **Bounds**: so many keys; then the one whose failure is oldest makes room.
pub struct Tries<K> {
    most: usize,
    /// Tries that are free within the window, and how long the first refusal lasts.
    free: u32,
    window: Span,
    first: u64,
    failed: HashMap<K, Failures>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
    until: Timestamp,
}

impl<K: Hash + Eq + Clone> Tries<K> {
    /// Nobody has failed.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, free: FREE, window: WINDOW, first: FIRST, failed: HashMap::new() }
    }

    /// Nobody has failed; so many tries are free within a time, after which the next come in the time after that.
    #[must_use]
    pub fn allowing(most: usize, free: u32, window: Span) -> Self {
        Self { most, free, window, first: window.secs(), failed: HashMap::new() }
    }

    /// For how many seconds this key is refused now.
    #[must_use]
    pub fn refused(&self, key: &K, now: Timestamp) -> Option<u64> {
        let until = self.failed.get(key)?.until;
        // A clock that was set back must not make a refusal last for years.
        (until > now).then(|| until.since(now).secs() + 1).filter(|secs| *secs <= LONGEST + 1)
    }

    /// Counts a failure.
    pub fn fail(&mut self, key: K, now: Timestamp) {
        if self.failed.len() >= self.most && !self.failed.contains_key(&key) {
            let oldest = self.failed.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
            oldest.map(|oldest| self.failed.remove(&oldest));
        }
        let failures = self.failed.entry(key).or_insert(Failures { count: 0, last: now, until: Timestamp::EPOCH });
        if now.since(failures.last.max(failures.until)) > self.window {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        if let Some(beyond) = failures.count.checked_sub(self.free) {
            let secs = (self.first << beyond.min(5)).min(LONGEST);
            failures.until = Timestamp::from_micros(now.micros() + Span::from_secs(secs).micros());
        }
    }

    /// Forgets a key's failures.
    pub fn succeed(&mut self, key: &K) {
        self.failed.remove(key);
    }
}

/// A number of tries in a time, for everybody together.
pub struct Allowance {
    most: usize,
    within: Span,
    used: std::collections::VecDeque<Timestamp>,
}

impl Allowance {
    /// So many in such a time.
    #[must_use]
    pub fn new(most: usize, within: Span) -> Self {
        Self { most, within, used: std::collections::VecDeque::new() }
    }

    /// After how many seconds there is one again; nothing if there is one now.
    pub fn refused(&mut self, now: Timestamp) -> Option<u64> {
        // What lies in the future was used before the clock was set back, and is forgotten.
        while self.used.front().is_some_and(|first| now.since(*first) >= self.within || *first > now) {
            self.used.pop_front();
        }
        let first = *self.used.front().filter(|_| self.used.len() >= self.most)?;
        Some(self.within.secs().saturating_sub(now.since(first).secs()).max(1))
    }

    /// Uses one.
    pub fn spend(&mut self, now: Timestamp) {
        if self.used.len() < self.most {
            self.used.push_back(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + secs)
    }

    #[test]
    fn five_failures_are_free_and_each_further_one_costs_twice_as_long() {
        let mut tries = Tries::new(9);
        for _ in 0..4 {
            tries.fail("a", at(0));
            assert_eq!(tries.refused(&"a", at(0)), None);
        }
        for (n, secs) in [30, 60, 120, 240, 480, 900, 900].into_iter().enumerate() {
            tries.fail("a", at(0));
            assert_eq!(tries.refused(&"a", at(0)), Some(secs + 1), "failure {}", n + 5);
        }
        assert_eq!((tries.refused(&"a", at(900)), tries.refused(&"b", at(0))), (None, None));
    }

    #[test]
    fn failures_fade_and_a_success_forgets_them() {
        let mut tries = Tries::new(9);
        (0..4).for_each(|_| tries.fail("a", at(0)));
        tries.fail("a", at(301));
        assert_eq!(tries.refused(&"a", at(301)), None);
        (0..9).for_each(|_| tries.fail("a", at(301)));
        tries.succeed(&"a");
        assert_eq!(tries.refused(&"a", at(301)), None);
    }

    #[test]
    fn a_million_keys_need_no_more_memory_than_the_first_few() {
        let mut tries = Tries::new(16);
        (0..100_000_u64).for_each(|n| tries.fail(n, at(n)));
        assert_eq!(tries.failed.len(), 16);
    }

    #[test]
    fn an_allowance_comes_back_with_time() {
        let mut allowance = Allowance::new(2, Span::from_secs(60));
        for secs in [0, 10] {
            assert_eq!(allowance.refused(at(secs)), None);
            allowance.spend(at(secs));
        }
        assert_eq!((allowance.refused(at(20)), allowance.refused(at(61))), (Some(40), None));
    }

    #[test]
    fn a_clock_that_is_set_back_by_years_locks_nobody_out() {
        let (mut tries, mut allowance) = (Tries::new(9), Allowance::new(1, Span::from_secs(60)));
        (0..9).for_each(|_| tries.fail("a", at(0)));
        allowance.spend(at(0));
        assert!(tries.refused(&"a", at(0)).is_some() && allowance.refused(at(0)).is_some());
        let long_ago = Timestamp::from_secs(5);
        assert!(tries.refused(&"a", long_ago).is_none() && allowance.refused(long_ago).is_none());
    }
}
