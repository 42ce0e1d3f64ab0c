//! The reports that were made: their files, for a while.
//!
//! **Bounds**: one is made at a time; `KEPT` of at most `REPORT_MAX` octets are kept, the oldest goes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use protocol::report::{REPORT_MAX, ReportAsk};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::problem::Problem;
use crate::rows::{Change, Kind, Rows, RowsError};

/// The most reports that are kept.
const KEPT: usize = 20;
/// The most octets of all of them.
const OCTETS_MAX: u64 = 32 << 20;
/// Their folder, in the API's own.
const FOLDER: &str = "reports";

/// How far a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It is being made.
    Making,
    /// It can be fetched.
    Done,
    /// It could not be made.
    Failed,
}

/// One report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Its number.
    pub number: u64,
    /// Of which period, and in which form.
    pub asked: ReportAsk,
    /// How far it is.
    pub stage: Stage,
    /// Why it failed.
    pub why: String,
    /// Its length.
    pub octets: u64,
    /// When it was asked for, in microseconds.
    pub created: u64,
    /// By whom.
    pub by: String,
}

/// All of them.
#[derive(Default)]
pub struct Reports {
    all: BTreeMap<u64, Report>,
}

impl Reports {
    /// Those of the last run. One that was being made is not among them.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn load(rows: &Rows) -> Result<Self, RowsError> {
        Ok(Self { all: rows.all(Kind::Report)?.into_iter().collect() })
    }

    /// All, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Report> {
        self.all.values()
    }

    /// One.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&Report> {
        self.all.get(&number)
    }

    /// Begins one.
    ///
    /// # Errors
    /// 503: another is being made.
    pub fn begin(&mut self, asked: ReportAsk, by: String, now: Timestamp) -> Result<Report, Problem> {
        if self.all.values().any(|report| report.stage == Stage::Making) {
            return Err(Problem::busy("another report is being made; ask again when it is done"));
        }
        let number = self.all.last_key_value().map_or(1, |(last, _)| last + 1);
        let created = now.micros();
        let report = Report { number, asked, stage: Stage::Making, why: String::new(), octets: 0, created, by };
        self.all.insert(number, report.clone());
        Ok(report)
    }

    /// It was made, or not.
    pub fn end(&mut self, rows: &Rows, number: u64, made: Result<Vec<u8>, String>) {
        let Some(report) = self.all.get_mut(&number) else { return };
        let kept = made.and_then(|octets| {
            if octets.len() > REPORT_MAX {
                return Err("it is too long; ask for a shorter period".into());
            }
            report.write(&octets).map_err(|error| error.to_string())?;
            Ok(octets.len() as u64)
        });
        match kept {
            Ok(octets) => (report.stage, report.octets) = (Stage::Done, octets),
            Err(why) => (report.stage, report.why) = (Stage::Failed, why),
        }
        let mut change = Change::default();
        change.put(Kind::Report, number, report);
        while self.all.len() > KEPT || self.all.values().map(|report| report.octets).sum::<u64>() > OCTETS_MAX {
            let Some((oldest, report)) = self.all.pop_first() else { break };
            // A file that is gone already is what was wanted.
            let _ = fs::remove_file(report.path());
            change.remove(Kind::Report, oldest);
        }
        if let Err(error) = rows.commit(change) {
            tracing::error!("a report is not kept: {error}");
        }
    }
}

impl Report {
    /// Its octets.
    ///
    /// # Errors
    /// The medium's.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(self.path())
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(FOLDER).join(format!("{}.{}", self.number, self.asked.format.as_str()))
    }

    fn write(&self, octets: &[u8]) -> io::Result<()> {
        fs::create_dir_all(FOLDER)?;
        let draft = PathBuf::from(FOLDER).join("new");
        let mut file = File::create(&draft)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(draft, self.path())
    }
}
