//! Questions about activity, answered from what there was when they were asked.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use intake::{Act, Activity};
use memchr::memmem::Finder;
use terms::Timestamp;

use super::open_log::rows;
use super::record;
use super::segment::Segment;

/// What is wanted; what is not named is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// A part of the message.
    pub text: Option<String>,
    /// The account.
    pub subject: Option<String>,
    /// The device, by the name that it claims or the address that it came from.
    pub device: Option<String>,
    /// What was done.
    pub action: Option<Act>,
    /// Not before this moment.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Numbers below this one.
    pub before: Option<u64>,
}

/// The search took too long; nothing is told rather than a part that looks like all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is too much to search in {} s; name a time, a subject or a smaller limit", .0.as_secs())]
pub struct Unfinished(Duration);

/// What there was at one moment.
pub struct Shot {
    sealed: Vec<Arc<Segment>>,
    open: Vec<u8>,
}

impl Shot {
    pub(super) fn new(sealed: Vec<Arc<Segment>>, open: Vec<u8>) -> Self {
        Self { sealed, open }
    }

    /// The newest `limit` records that are wanted, oldest first.
    ///
    /// # Errors
    /// It took longer than `patience`.
    pub fn find(&self, query: &Query, limit: usize, patience: Duration) -> Result<Vec<Activity>, Unfinished> {
        let mut found: Vec<Activity> = Vec::new();
        self.walk(query, patience, |part| {
            // Numbers grow from segment to segment, and within one stand in the order of subjects.
            part.sort_by_key(|activity| std::cmp::Reverse(activity.id));
            part.truncate(limit - found.len());
            found.append(part);
            found.len() < limit
        })?;
        found.reverse();
        Ok(found)
    }

    /// How many records are wanted.
    ///
    /// # Errors
    /// It took longer than `patience`.
    pub fn count(&self, query: &Query, patience: Duration) -> Result<u64, Unfinished> {
        let mut count = 0;
        self.walk(query, patience, |part| {
            count += part.len() as u64;
            part.clear();
            true
        })?;
        Ok(count)
    }

    /// Every record that is wanted, oldest first, handed over one by one until it says that it has enough.
    ///
    /// # Errors
    /// It took longer than `patience`.
    pub fn each(
        &self,
        query: &Query,
        patience: Duration,
        mut each: impl FnMut(Activity) -> bool,
    ) -> Result<(), Unfinished> {
        let began = Instant::now();
        let wanted = Wanted::new(query);
        let mut part = Vec::new();
        for segment in &self.sealed {
            wanted
                .of_segment(segment, &mut part, &mut || began.elapsed() <= patience)
                .then_some(())
                .ok_or(Unfinished(patience))?;
            part.sort_by_key(|activity: &Activity| activity.id);
            if !part.drain(..).all(&mut each) {
                return Ok(());
            }
        }
        wanted.of_rows(&self.open, &mut part);
        let _all = part.drain(..).all(&mut each);
        Ok(())
    }

    /// Hands over what is wanted, the newest part first, until `enough` says so.
    fn walk(
        &self,
        query: &Query,
        patience: Duration,
        mut more: impl FnMut(&mut Vec<Activity>) -> bool,
    ) -> Result<(), Unfinished> {
        let began = Instant::now();
        let wanted = Wanted::new(query);
        let mut part = Vec::new();
        wanted.of_rows(&self.open, &mut part);
        if !more(&mut part) {
            return Ok(());
        }
        for segment in self.sealed.iter().rev() {
            part.clear();
            wanted
                .of_segment(segment, &mut part, &mut || began.elapsed() <= patience)
                .then_some(())
                .ok_or(Unfinished(patience))?;
            if !more(&mut part) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// A question, made ready.
struct Wanted<'q> {
    query: &'q Query,
    text: Option<Finder<'q>>,
}

impl<'q> Wanted<'q> {
    fn new(query: &'q Query) -> Self {
        Self { query, text: query.text.as_deref().map(|text| Finder::new(text.as_bytes())) }
    }

    /// Whether there was time for all of it.
    fn of_segment(&self, segment: &Segment, into: &mut Vec<Activity>, goes_on: &mut dyn FnMut() -> bool) -> bool {
        let Query { subject, since, until, .. } = self.query;
        let meant = |block: &&super::segment::Block| {
            subject.as_deref().is_none_or(|subject| *block.first <= *subject && *subject <= *block.last)
                && since.is_none_or(|since| block.until >= since)
                && until.is_none_or(|until| block.from < until)
        };
        let mut file = None;
        for block in segment.blocks().iter().filter(meant) {
            if !goes_on() {
                return false;
            }
            // A segment that went meanwhile, or cannot be read, is left out: the rest is worth more than an error.
            let Some(file) = file.get_or_insert_with(|| File::open(segment.path()).ok()) else { break };
            if let Ok(octets) = segment.rows(file, block) {
                self.of_rows(&octets, into);
            }
        }
        true
    }

    fn of_rows(&self, octets: &[u8], into: &mut Vec<Activity>) {
        // Most blocks do not hold a rare word at all.
        if self.text.as_ref().is_some_and(|text| text.find(octets).is_none()) {
            return;
        }
        for (number, value) in rows(octets) {
            let text = self.text.as_ref().is_none_or(|text| text.find(value).is_some());
            if text && self.query.before.is_none_or(|before| number < before) {
                into.extend(record(value).filter(|activity| self.is(activity)));
            }
        }
    }

    fn is(&self, activity: &Activity) -> bool {
        let Query { text, subject, device, action, since, until, .. } = self.query;
        text.as_deref().is_none_or(|text| activity.text.contains(text))
            && subject.as_deref().is_none_or(|subject| activity.subject == subject)
            && device.as_deref().is_none_or(|device| activity.device == device || activity.source.to_string() == device)
            && action.is_none_or(|action| activity.action == action)
            && since.is_none_or(|since| activity.at >= since)
            && until.is_none_or(|until| activity.at < until)
    }
}
