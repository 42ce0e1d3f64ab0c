//! A batch of an enrolled source: each of its records is stored and on the medium, or refused with its reason, before it is answered.

use intake::json::{Place, Teller, of_value, place};
use intake::{Act, Activity, Refusal};
use protocol::intake::{BATCH_LINES, LogsBatch, LogsTaken};
use serde_json::Value;
use terms::Timestamp;

use super::Room;
use super::senders::{Sender, Turn, of_box};
use crate::run::now;

/// What of a batch goes into the log.
#[derive(Default)]
struct Sorted {
    rows: Vec<Activity>,
    /// Their numbers at the source; nothing for what the box adds and what is not numbered.
    seqs: Vec<Option<u64>>,
    /// Stream and number of the last numbered one.
    so_far: Option<(u64, u64)>,
    /// Whether it is numbered at all, and in which stream.
    stream: Option<u64>,
    taken: LogsTaken,
}

impl Room {
    /// Takes a batch in. Gives what became of it, and its records in the order in which they are stored.
    ///
    /// # Errors
    /// The store takes nothing, or too many sources are enrolled; the source is to tell the same again.
    pub fn take_batch(&self, batch: &LogsBatch) -> Result<(LogsTaken, Vec<Activity>), String> {
        let at = now();
        let values = values(&batch.text);
        let mut log = self.log();
        let mut senders = self.senders();
        // What waits from a batch that the medium refused comes before anything new.
        log.tick(at).map_err(|error| error.to_string())?;
        let sender = senders
            .hear(batch.sender, &batch.name, batch.from, at)
            .ok_or("more sources are enrolled than are followed")?;
        sender.counts.came_by_https(values.len(), batch.text.len(), at);
        let Sorted { mut rows, seqs, so_far, stream, mut taken } = sort(batch, &values, sender, at);
        if let Some((stream, _)) = so_far {
            senders.announce(batch.sender, stream, log.next(), seqs.clone()).map_err(|error| error.to_string())?;
        }
        let mut stored = 0;
        for row in &mut rows {
            match log.append(row.clone()) {
                Ok(id) => row.id = id,
                Err(error) => {
                    tracing::error!("a batch is not stored whole: {error}");
                    break;
                }
            }
            stored += 1;
        }
        let whole = stored == seqs.len();
        let through = seqs.iter().take(stored).rev().find_map(|seq| *seq);
        if let Some((stream, last)) = so_far {
            // What is refused for good behind the last record counts as told: it would be refused again.
            let before = senders.through(batch.sender, stream);
            let through = if whole { last } else { through.unwrap_or(before) };
            senders.told(batch.sender, stream, through);
        }
        taken.through = stream.map(|stream| senders.through(batch.sender, stream));
        rows.truncate(stored);
        if let Some(sender) = senders.hear(batch.sender, &batch.name, batch.from, at) {
            sender.counts.stored_more(stored);
            let left = (seqs.len() - stored) as u64;
            if left > 0 {
                taken.refused += left;
                taken.accepted = taken.accepted.saturating_sub(left);
                *taken.refused_for.entry(Refusal::Store.as_str().into()).or_default() += left;
                sender.counts.refuse(Refusal::Store, left);
            }
        }
        // On the medium before it is acknowledged.
        log.tick(at).map_err(|error| error.to_string())?;
        Ok((taken, rows))
    }
}

/// Tells what is to be stored from what is not.
fn sort(batch: &LogsBatch, values: &[Option<Value>], sender: &mut Sender, at: Timestamp) -> Sorted {
    let mut sorted = Sorted::default();
    if sender.silent {
        sender.silent = false;
        sorted.add(of_box(sender, Act::Other, format!("the agent of {} tells again", sender.name), at), None);
    }
    let teller = Teller { name: &batch.name, from: batch.from };
    let mut full: Option<Refusal> = None;
    for (n, value) in values.iter().enumerate() {
        let late = full.or((n >= BATCH_LINES).then_some(Refusal::TooMany));
        let late = late.or_else(|| (!sender.counts.pass(at)).then_some(Refusal::TooFast));
        if let Some(why) = late {
            // Whatever may come later is not overtaken by what stands behind it.
            full = Some(why);
            sorted.refuse(sender, why);
            continue;
        }
        let record = value.as_ref().ok_or(Refusal::NoRecord).and_then(|value| of_value(value, teller, at));
        match record {
            Err(why) => {
                if let Some(place) = value.as_ref().and_then(place) {
                    sorted.pass_over(sender, place, at);
                }
                sorted.refuse(sender, why);
            }
            Ok((activity, None)) => {
                sorted.taken.accepted += 1;
                sorted.add(activity, None);
            }
            Ok((activity, Some(place))) => match sender.turn(place, sorted.so_far) {
                Turn::Again => {
                    sorted.stream = Some(place.stream);
                    sorted.refuse(sender, Refusal::Again);
                }
                Turn::Next(lost) => {
                    sorted.lose(sender, place, lost, at);
                    sorted.taken.accepted += 1;
                    sorted.add(activity, Some(place));
                }
            },
        }
    }
    sorted
}

impl Sorted {
    fn add(&mut self, activity: Activity, place: Option<Place>) {
        self.so_far = place.map(|place| (place.stream, place.seq)).or(self.so_far);
        self.stream = self.so_far.map(|(stream, _)| stream).or(self.stream);
        self.seqs.push(place.map(|place| place.seq));
        self.rows.push(activity);
    }

    /// Goes on behind a line that says nothing.
    fn pass_over(&mut self, sender: &mut Sender, place: Place, at: Timestamp) {
        self.stream = Some(place.stream);
        if let Turn::Next(lost) = sender.turn(place, self.so_far) {
            self.lose(sender, place, lost, at);
            self.so_far = Some((place.stream, place.seq));
        }
    }

    fn refuse(&mut self, sender: &mut Sender, why: Refusal) {
        self.taken.refused += 1;
        *self.taken.refused_for.entry(why.as_str().into()).or_default() += 1;
        sender.counts.refuse(why, 1);
    }

    /// Says which lines before this one never came.
    fn lose(&mut self, sender: &mut Sender, place: Place, lost: u64, at: Timestamp) {
        if lost == 0 {
            return;
        }
        sender.lost = sender.lost.saturating_add(lost);
        let (first, last) = (place.seq - lost, place.seq - 1);
        let text = format!("{lost} lines of the agent of {} never came: numbers {first} to {last}", sender.name);
        self.add(of_box(sender, Act::LinesLost, text, at), None);
    }
}

/// The objects of a batch: an array, one object, or one a line. What cannot be read is nothing, at its place.
fn values(text: &str) -> Vec<Option<Value>> {
    let trimmed = text.trim_start();
    if trimmed.starts_with('[') {
        return match serde_json::from_str::<Vec<Value>>(text) {
            Ok(values) => values.into_iter().map(Some).collect(),
            Err(_) => vec![None],
        };
    }
    if let Ok(one) = serde_json::from_str::<Value>(text) {
        return vec![Some(one)];
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_an_object_and_lines_are_batches() {
        let count = |text: &str| values(text).iter().map(|value| u8::from(value.is_some())).collect::<Vec<_>>();
        assert_eq!(count("[{\"a\":1},{\"b\":2}]"), [1, 1]);
        assert_eq!(count("{\n \"a\": 1\n}"), [1]);
        assert_eq!(count("{\"a\":1}\n\nnonsense\r\n{\"b\":2}\n"), [1, 0, 1]);
        assert_eq!(count("[{\"a\":1},"), [0]);
        assert_eq!(count(""), Vec::<u8>::new());
    }
}
