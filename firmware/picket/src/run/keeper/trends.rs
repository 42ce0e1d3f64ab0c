//! Figures over time: octets by device, service and protocol, findings by level and host; a minute for a day, an hour for a month, a day
//! for a year.
//!
//! **Bounds**: a period keeps its [`KEPT`] largest of each kind and the rest as one; so many periods are kept that all of it stays below
//! 6 MiB, whatever crosses the box and for however long. **Durability**: written each hour and at the end; after a power cut the octets
//! since then come back from the flows in the store, as far as those were written, and the findings do not.

mod period;
mod scale;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use protocol::series::{LineView, POINTS_MAX, Reach, SeriesView, Topic};
use store::{Event, Store};
use terms::{MacAddr, Span, Timestamp};

use features::talks::Talk;
use period::{Period, Service, Tally};
use scale::Scale;

/// The largest of each kind that a closed period keeps.
const KEPT: usize = 16;
/// The most of each kind that a period counts while it runs; beyond that the larger half stays and the rest becomes one, so that a
/// flood of invented addresses hides nobody who says much.
const COUNTED: usize = 1_024;
/// The lines of a series.
const LINES: usize = 10;
/// How often it is written.
const WRITE: Span = Span::from_secs(3_600);
/// The largest file that is read. **Units**: octets, unpacked.
const FILE_MAX: u64 = 32 << 20;
/// Flows that are looked at after a start.
const FLOWS: usize = 65_536;

/// All that is counted.
pub(super) struct Trends {
    minutes: Scale,
    hours: Scale,
    days: Scale,
    file: PathBuf,
    written: Timestamp,
}

impl Trends {
    /// What was written last, and what the flows tell since.
    pub fn open(folder: &Path, store: &dyn Store) -> Self {
        let file = folder.join("trends");
        let mut trends = Self {
            minutes: Scale::new(1, 1_440),
            hours: Scale::new(60, 744),
            days: Scale::new(1_440, 366),
            written: Timestamp::EPOCH,
            file,
        };
        match read(&trends.file) {
            Ok([minutes, hours, days]) => {
                trends.minutes.fill(minutes);
                trends.hours.fill(hours);
                trends.days.fill(days);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!("{}: {error}; figures over time begin anew", trends.file.display()),
        }
        let newest = trends.minutes.newest();
        for (_, flows) in store.flows(None, FLOWS).unwrap_or_default().into_iter().rev() {
            for flow in flows.iter().filter(|flow| flow.first.minute() > newest) {
                let service = Service { protocol: flow.asked.protocol, port: flow.asked.port };
                trends.add(flow.first.minute(), |period| period.carry(flow.mac, service, flow.octets));
            }
        }
        trends
    }

    /// Counts what a conversation carried since it was told last.
    pub fn carry(&mut self, talk: &Talk) {
        if talk.octets != [0; 2] {
            let service = Service { protocol: talk.protocol, port: talk.port };
            self.add(talk.last.minute(), |period| period.carry(talk.mac, service, talk.octets));
        }
    }

    /// Counts a finding; what else is among the events is none.
    pub fn find(&mut self, event: &Event) {
        if event.family.is_some() {
            self.add(event.at.minute(), |period| period.find(event.host, event.level));
        }
    }

    fn add(&mut self, minute: u64, count: impl Fn(&mut Period)) {
        for scale in [&mut self.minutes, &mut self.hours, &mut self.days] {
            count(scale.at(minute));
        }
    }

    /// Writes it if that is due, or at the `end`.
    pub fn keep(&mut self, now: Timestamp, end: bool) {
        if self.written == Timestamp::EPOCH {
            self.written = now;
        }
        if !end && now.since(self.written) < WRITE {
            return;
        }
        self.written = now;
        if let Err(error) = write(&self.file, [&self.minutes, &self.hours, &self.days]) {
            tracing::warn!("{}: {error}; figures over time are kept in memory alone", self.file.display());
        }
    }

    /// The series of a topic up to a moment; `name` tells what people call a device, and its number.
    pub fn series(
        &self,
        reach: Reach,
        topic: Topic,
        now: Timestamp,
        name: &dyn Fn(MacAddr) -> (String, Option<u32>),
    ) -> SeriesView {
        let (scale, each, points) = match reach {
            Reach::Hour => (&self.minutes, 1, 60),
            Reach::Day => (&self.minutes, 5, 288),
            Reach::Week => (&self.hours, 1, 168),
            Reach::Month => (&self.hours, 3, 248),
            Reach::Year => (&self.days, 2, 183),
        };
        debug_assert!(points <= POINTS_MAX);
        let last = now.minute() / scale.minutes() / each;
        let first = (last + 1).saturating_sub(points as u64);
        let mut tally = Tally::new(points);
        for period in scale.all() {
            let at = period.number / each;
            if (first..=last).contains(&at) {
                // Below `points`, which fits.
                tally.add(period, topic, usize::try_from(at - first).unwrap_or_default());
            }
        }
        let line = |(key, values): (period::Key, period::Values)| {
            let (name, device) = match key {
                period::Key::Device(mac) => name(mac),
                key => (key.to_string(), None),
            };
            let total = values.iter().map(|[sent, received]| sent + received).sum();
            let sent = values.iter().map(|both| both[0]).collect();
            let received = values.iter().map(|both| both[1]).collect();
            LineView { name, device, total, sent, received: if topic.counts_octets() { received } else { Vec::new() } }
        };
        let step = scale.minutes() * each * 60;
        SeriesView {
            from: (first * step) as f64,
            step,
            points,
            unit: if topic.counts_octets() { "octets" } else { "findings" }.into(),
            lines: tally.largest(LINES).into_iter().map(line).collect(),
        }
    }
}

/// Whether a topic is about octets; else it is about findings.
trait Counted {
    fn counts_octets(self) -> bool;
}

impl Counted for Topic {
    fn counts_octets(self) -> bool {
        matches!(self, Self::Devices | Self::Services | Self::Protocols)
    }
}

fn read(file: &Path) -> io::Result<[Vec<Period>; 3]> {
    let mut text = String::new();
    GzDecoder::new(File::open(file)?).take(FILE_MAX).read_to_string(&mut text)?;
    serde_json::from_str(&text).map_err(io::Error::from)
}

fn write(file: &Path, scales: [&Scale; 3]) -> io::Result<()> {
    let text = serde_json::to_vec(&scales.map(Scale::closed))?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&text)?;
    crate::run::api::replace(file, &packed.finish()?)
}

#[cfg(test)]
mod tests;
