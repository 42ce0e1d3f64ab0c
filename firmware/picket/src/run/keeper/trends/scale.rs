//! Periods of one length, as many as are kept.

use std::collections::VecDeque;

use super::period::Period;

/// Periods, the newest last; all but the newest are closed.
pub struct Scale {
    minutes: u64,
    most: usize,
    periods: VecDeque<Period>,
}

impl Scale {
    /// None yet; each lasts so many minutes, and so many are kept.
    pub fn new(minutes: u64, most: usize) -> Self {
        Self { minutes, most, periods: VecDeque::new() }
    }

    /// How long a period lasts.
    pub fn minutes(&self) -> u64 {
        self.minutes
    }

    /// Takes over what was written.
    pub fn fill(&mut self, mut periods: Vec<Period>) {
        periods.sort_by_key(|period| period.number);
        periods.dedup_by_key(|period| period.number);
        let beyond = periods.len().saturating_sub(self.most);
        self.periods = periods.split_off(beyond).into();
    }

    /// The period of a minute. What is older than the newest counts there, unless the clock was set back by more than a period: then what was
    /// counted under the wrong time goes.
    pub fn at(&mut self, minute: u64) -> &mut Period {
        let number = minute / self.minutes;
        while self.periods.back().is_some_and(|newest| newest.number > number + 1) {
            self.periods.pop_back();
        }
        if self.periods.back().is_none_or(|newest| newest.number < number) {
            if let Some(newest) = self.periods.back_mut() {
                newest.close();
            }
            self.periods.push_back(Period::new(number));
        }
        while self.periods.len() > self.most
            || self.periods.front().is_some_and(|oldest| oldest.number + self.most as u64 <= number)
        {
            self.periods.pop_front();
        }
        let newest = self.periods.len() - 1;
        &mut self.periods[newest]
    }

    /// All of them, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Period> {
        self.periods.iter()
    }

    /// The newest period's number.
    pub fn newest(&self) -> u64 {
        self.periods.back().map_or(0, |newest| newest.number)
    }

    /// All of them as they are written: the newest as if it were over.
    pub fn closed(&self) -> Vec<Period> {
        let mut all: Vec<Period> = self.periods.iter().cloned().collect();
        if let Some(newest) = all.last_mut() {
            newest.close();
        }
        all
    }
}
