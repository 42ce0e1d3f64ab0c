//! Enrolled sources: how far each has told, so that nothing is stored twice and nothing is lost unnoticed, over restarts of either end.
//!
//! An agent numbers its lines in a stream. Before a batch reaches the log, its numbers and the log's next number are written here; the
//! log takes a batch in one piece. After a crash the log's next number tells how much of it arrived.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use intake::json::Place;
use intake::{Act, Activity, Outcome, Proof};
use protocol::intake::SourceView;
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use super::sources::{Source, view_of};

/// Enrolments that are followed; the API makes no more.
const SENDERS_MAX: usize = 512;
/// The file, in the intake's folder.
const FILE: &str = "senders";

/// How far one has told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sender {
    /// The name under which it was enrolled.
    pub name: String,
    /// The address that it told from last.
    pub address: IpAddr,
    /// Its stream and the highest number of it that is stored; nothing for a source that does not number.
    pub told: Option<(u64, u64)>,
    /// Lines that never came.
    pub lost: u64,
    /// When it told last.
    pub last: Timestamp,
    /// Whether that was told as too long ago.
    pub silent: bool,
    /// What came of it since the start.
    #[serde(skip)]
    pub counts: Source,
}

/// A batch on its way into the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    sender: u64,
    stream: u64,
    /// The log's number of its first record.
    first: u64,
    /// The sender's numbers of its records; nothing for one that the box adds.
    seqs: Vec<Option<u64>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    senders: BTreeMap<u64, Sender>,
    pending: Option<Pending>,
}

/// Every enrolled source that has told something.
#[derive(Debug)]
pub struct Senders {
    kept: Kept,
    path: PathBuf,
    since: Timestamp,
    silent_after: Span,
}

/// Whether a place in a stream is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is, after so many lines that never came.
    Next(u64),
    /// It is stored already.
    Again,
}

impl Senders {
    /// What the last run left, settled with how far the log came.
    ///
    /// # Errors
    /// The file cannot be read: to begin anew would store lines twice.
    pub fn load(folder: &Path, next: u64, now: Timestamp, silent_after: Span) -> io::Result<Self> {
        let path = folder.join(FILE);
        let mut kept: Kept = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(error),
        };
        if let Some(pending) = kept.pending.take() {
            let stored = usize::try_from(next.saturating_sub(pending.first)).unwrap_or(usize::MAX);
            let through = pending.seqs.iter().take(stored).rev().find_map(|seq| *seq);
            if let (Some(through), Some(sender)) = (through, kept.senders.get_mut(&pending.sender)) {
                sender.told = Some((pending.stream, through));
            }
        }
        Ok(Self { kept, path, since: now, silent_after })
    }

    /// A source tells from an address. Nothing where there are too many.
    pub fn hear(&mut self, number: u64, name: &str, from: IpAddr, at: Timestamp) -> Option<&mut Sender> {
        let full = self.kept.senders.len() >= SENDERS_MAX;
        if full && !self.kept.senders.contains_key(&number) {
            return None;
        }
        let new = || Sender {
            name: name.into(),
            address: from,
            told: None,
            lost: 0,
            last: at,
            silent: false,
            counts: Source::default(),
        };
        let sender = self.kept.senders.entry(number).or_insert_with(new);
        (sender.name, sender.address, sender.last) = (name.into(), from, at);
        Some(sender)
    }

    /// Writes down what is about to be put into the log.
    ///
    /// # Errors
    /// The medium refuses; nothing may be put into the log then.
    pub fn announce(&mut self, sender: u64, stream: u64, first: u64, seqs: Vec<Option<u64>>) -> io::Result<()> {
        self.kept.pending = Some(Pending { sender, stream, first, seqs });
        self.write()
    }

    /// The announced batch is in the log up to this number.
    pub fn told(&mut self, sender: u64, stream: u64, through: u64) {
        self.kept.pending = None;
        if let Some(sender) = self.kept.senders.get_mut(&sender) {
            sender.told = Some((stream, through));
        }
    }

    /// Up to where a stream is stored.
    pub fn through(&self, sender: u64, stream: u64) -> u64 {
        let told = self.kept.senders.get(&sender).and_then(|sender| sender.told);
        told.filter(|(of, _)| *of == stream).map_or(0, |(_, through)| through)
    }

    /// Forgets an enrolment that ended.
    pub fn forget(&mut self, number: u64) {
        if self.kept.senders.remove(&number).is_some() {
            self.settle();
        }
    }

    /// What this box says of agents that have just fallen silent.
    pub fn silences(&mut self, now: Timestamp) -> Vec<Activity> {
        let (since, most) = (self.since, self.silent_after);
        let quiet =
            |sender: &&mut Sender| sender.told.is_some() && !sender.silent && now.since(sender.last.max(since)) > most;
        let told: Vec<Activity> = self
            .kept
            .senders
            .values_mut()
            .filter(quiet)
            .map(|sender| {
                sender.silent = true;
                let text =
                    format!("the agent of {} has said nothing for {} s", sender.name, now.since(sender.last).secs());
                of_box(sender, Act::AgentSilent, text, now)
            })
            .collect();
        if !told.is_empty() {
            self.settle();
        }
        told
    }

    /// All of them, for those who ask.
    pub fn views(&self) -> Vec<SourceView> {
        let view = |(number, sender): (&u64, &Sender)| SourceView {
            proof: Proof::Enrolled.as_str().into(),
            enrolled: Some(*number),
            address: Some(sender.address.to_string()),
            agent: sender.told.is_some(),
            lost: sender.lost,
            silent: sender.silent,
            last_seen: sender.last.as_secs_f64(),
            ..view_of(sender.name.clone(), &sender.counts)
        };
        self.kept.senders.iter().map(view).collect()
    }

    fn settle(&self) {
        if let Err(error) = self.write() {
            tracing::error!("how far agents have told is not kept: {error}");
        }
    }

    /// Writes the file whole or not at all.
    fn write(&self) -> io::Result<()> {
        let draft = self.path.with_extension("new");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(&self.kept)?)?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Sender {
    /// Whether a place is the next one, given what was taken of this batch so far.
    pub fn turn(&self, place: Place, so_far: Option<(u64, u64)>) -> Turn {
        let through =
            so_far.or(self.told).filter(|(stream, _)| *stream == place.stream).map_or(0, |(_, through)| through);
        if place.seq <= through { Turn::Again } else { Turn::Next(place.seq - through - 1) }
    }
}

/// What this box says of a source by itself.
pub fn of_box(sender: &Sender, action: Act, text: String, at: Timestamp) -> Activity {
    Activity {
        id: 0,
        at,
        claimed: None,
        source: sender.address,
        device: sender.name.clone(),
        subject: String::new(),
        action,
        object: String::new(),
        result: Outcome::Unknown,
        address: None,
        proof: Proof::Enrolled,
        program: "picket".into(),
        priority: 12,
        cut: false,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_secs(1_000);

    fn load(folder: &Path, next: u64) -> Senders {
        Senders::load(folder, next, AT, Span::from_secs(300)).expect("a folder")
    }

    #[test]
    fn after_a_crash_the_log_tells_how_much_of_a_batch_arrived() {
        let folder = tempfile::tempdir().expect("a folder");
        for (stored, through) in [(0, 4), (1, 5), (3, 7), (90, 7)] {
            let _ = fs::remove_file(folder.path().join(FILE));
            let mut senders = load(folder.path(), 0);
            senders.hear(1, "nas", [192, 0, 2, 7].into(), AT).expect("room").told = Some((99, 4));
            senders.announce(1, 99, 1_000, vec![Some(5), None, Some(7)]).expect("written");
            let mut senders = load(folder.path(), 1_000 + stored);
            let sender = senders.hear(1, "nas", [192, 0, 2, 7].into(), AT).expect("room");
            assert_eq!(sender.told, Some((99, through)), "{stored} records");
            let place = |seq| Place { stream: 99, seq };
            assert_eq!(sender.turn(place(through), None), Turn::Again);
            assert_eq!(sender.turn(place(through + 3), None), Turn::Next(2));
            assert_eq!(sender.turn(Place { stream: 5, seq: 1 }, None), Turn::Next(0));
        }
    }

    #[test]
    fn an_agent_that_says_nothing_is_told_once_and_a_shipper_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut senders = load(folder.path(), 0);
        senders.hear(1, "nas", [192, 0, 2, 7].into(), AT).expect("room").told = Some((9, 1));
        senders.hear(2, "pc", [192, 0, 2, 8].into(), AT).expect("room");
        let at = |secs: u64| Timestamp::from_secs(1_000 + secs);
        assert_eq!(senders.silences(at(300)), []);
        let told = senders.silences(at(301));
        assert_eq!((told.len(), told[0].action, told[0].device.as_str()), (1, Act::AgentSilent, "nas"));
        assert_eq!(senders.silences(at(900)), []);
    }
}
