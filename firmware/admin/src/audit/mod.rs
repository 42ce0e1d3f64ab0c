//! The audit: who did what, when, from where, why, and how it ended. Append-only, each record chained to the one before.
//!
//! A record is one line of JSON; `verify` reads an export without the box, `Audit` writes.

mod record;
mod verify;

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::link::Head;
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::clock::{now, rfc3339};
use crate::problem::Problem;
use crate::rows::{Change, Kind, Rows, RowsError};
use crate::secret::hex;

pub use record::{Act, Record, Who};
use record::{BEGIN, seal};
use verify::trailer;
pub use verify::{Broken, Verified, verify};

/// How many lines are read at a time.
const PAGE: usize = 1_000;

/// The open audit.
pub struct Audit {
    head: Mutex<Head>,
    boot: u64,
    key: Ed25519KeyPair,
}

impl Audit {
    /// Goes on from the newest record, and looks for the head that others know. That the whole chain holds is for `verify`, which may take
    /// a minute where a million records are kept: nobody waits for that to be served.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn open(
        rows: &Rows,
        boot: u64,
        key: Ed25519KeyPair,
        known: Option<&Head>,
    ) -> Result<(Self, Option<Broken>), RowsError> {
        let head = rows.lines_before(u64::MAX, 1)?.pop().map_or_else(begin, |line| claimed(&line));
        let gone = match known.filter(|known| known.number > 0) {
            Some(known) => rows.lines(known.number, 1)?.first().map(claimed).as_ref() != Some(known),
            None => false,
        };
        let broken = known.filter(|_| gone).map(Broken::gone);
        Ok((Self { head: Mutex::new(head), boot, key }, broken))
    }

    /// Writes records together with the change that they tell of, and brings both to the medium.
    ///
    /// # Errors
    /// Neither may be counted on.
    pub fn commit(&self, rows: &Rows, change: Change, acts: Vec<Act>) -> Result<(), RowsError> {
        self.write(rows, change, acts)?;
        rows.sync()
    }

    /// Writes records of what the box did by itself; they are on the medium within a second.
    ///
    /// # Errors
    /// They may not be there.
    pub fn jot(&self, rows: &Rows, change: Change, acts: Vec<Act>) -> Result<(), RowsError> {
        self.write(rows, change, acts)
    }

    fn write(&self, rows: &Rows, mut change: Change, acts: Vec<Act>) -> Result<(), RowsError> {
        let mut head = self.lock();
        let mut after = head.clone();
        for act in acts {
            let (line, next) = seal(act, &after, self.boot, &rfc3339(now()));
            change.line(next.number, &line);
            after = next;
        }
        rows.jot(change)?;
        *head = after;
        Ok(())
    }

    /// Puts another chain in place of this one, together with a change that is made up while no record is written, and with a record that says
    /// so at its end. From then on nothing more is written: what this audit knows of its chain is not so any more.
    ///
    /// # Errors
    /// 422: the lines are no chain, and nothing was changed; 503: the medium fails.
    pub fn replace(
        &self,
        rows: &Rows,
        change: impl FnOnce() -> Result<Change, Problem>,
        lines: &[String],
        act: Act,
    ) -> Result<Head, Problem> {
        let held = self.lock();
        let heads = chain(lines)?;
        let mut change = change()?;
        for (head, line) in heads.iter().zip(lines) {
            change.line(head.number, line);
        }
        let head = heads.last().cloned().unwrap_or_else(begin);
        let (line, after) = seal(act, &head, self.boot, &rfc3339(now()));
        change.line(after.number, &line);
        (after.number + 1..=held.number).for_each(|number| change.remove(Kind::Audit, number));
        let done = rows.commit(change).map_err(|error| Problem::busy(error.to_string()));
        // Kept for good where it was done: a record after the old head would break the new chain.
        done.map(|()| {
            std::mem::forget(held);
            after
        })
    }

    /// The newest record.
    #[must_use]
    pub fn head(&self) -> Head {
        self.lock().clone()
    }

    /// Reads the whole chain again, up to the newest record.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn verify(&self, rows: &Rows) -> Result<Option<Broken>, RowsError> {
        walk(rows, &self.head())
    }

    /// The signed end of an export up to this record: none is missing at the end.
    ///
    /// # Errors
    /// There is no such record.
    pub fn trailer(&self, rows: &Rows, last: u64) -> Result<Option<String>, RowsError> {
        let line = rows.lines(last, 1)?.pop().filter(|(number, _)| *number == last);
        Ok(line.map(|(_, line)| {
            let at = rfc3339(now());
            let hash = record::hash_of(&line);
            trailer(last, &hash, &at, &self.public(), |text| hex(self.key.sign(text).as_ref()))
        }))
    }

    /// The key that trailers are signed with, hexadecimal.
    #[must_use]
    pub fn public(&self) -> String {
        hex(self.key.public_key().as_ref())
    }

    fn lock(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the first record follows.
fn begin() -> Head {
    Head { number: 0, hash: BEGIN.into() }
}

/// The head that a line says it makes.
fn claimed((number, line): &(u64, String)) -> Head {
    Head { number: *number, hash: record::hash_of(line) }
}

/// Reads the whole chain: its first break, which is also that the head that is known is not in it.
fn walk(rows: &Rows, known: &Head) -> Result<Option<Broken>, RowsError> {
    let (mut head, mut next) = (begin(), 0);
    let mut known_there = head == *known;
    loop {
        let lines = rows.lines(next, PAGE)?;
        let Some((last, _)) = lines.last() else { break };
        next = last + 1;
        for (number, line) in lines {
            match record::open(&line, &head) {
                Ok(after) => head = after,
                Err(why) => return Ok(Some(Broken { number, why: why.into() })),
            }
            known_there |= head == *known;
        }
    }
    Ok((!known_there).then(|| Broken::gone(known)))
}

/// The heads of a chain, record by record.
///
/// # Errors
/// 422: the lines are no chain.
pub fn chain(lines: &[String]) -> Result<Vec<Head>, Problem> {
    let mut head = begin();
    let mut next = |line: &String| {
        head = record::open(line, &head)
            .map_err(|why| Problem::field("backup", format!("record {}: {why}", head.number + 1)))?;
        Ok(head.clone())
    };
    lines.iter().map(&mut next).collect()
}

#[cfg(test)]
mod power;
#[cfg(test)]
mod tests;
