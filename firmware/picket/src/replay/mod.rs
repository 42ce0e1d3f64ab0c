//! `picket replay`: the gateway's own pipeline on captures, told as lines of JSON.
//!
//! The lines are a contract that others build on: see [`lines`]. Replay uses a fixed hash key, so that two runs agree to the last
//! octet, and no clock: a line is decided when a frame's time says so. With `--why` the forest explains itself: see [`why`].

mod lines;
pub mod why;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use capture::CaptureFile;
use detect::forest::Forest;
use detect::{Detector, Finding, Sink, Source, Window};
use features::{Capacities, FeatureVector, HashKey};
use serde::Serialize;
use terms::{ThreatLevel, Timestamp};
use wire::Ignored;

use crate::cli::{Format, ReplayArgs};
use crate::commands::bad_file;
use crate::config::Config;
use crate::model;
use lines::{FindingLine, Summary, WindowLine};
use why::Explanation;

/// Replays each capture in turn, each with empty tables, and prints what it finds.
///
/// Exit status 2 and one line on standard error for each file that can't be read.
#[must_use]
pub fn replay(args: &ReplayArgs) -> ExitCode {
    let config = match args.config.as_deref().map_or_else(|| Ok(Config::default()), Config::load) {
        Ok(config) => config,
        Err(error) => return bad_file(&error),
    };
    let mut failed = false;
    for file in &args.files {
        match replay_one(file, args, &config) {
            Ok(()) => {}
            // Whoever reads the lines has seen enough.
            Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Err(trouble) => {
                eprintln!("picket replay: {trouble}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Input(#[from] capture::OpenError),
    #[error("can't write the lines: {0}")]
    Output(#[from] io::Error),
}

/// Prints each line as it comes; the first failure to write ends the printing.
struct Printer<W> {
    out: W,
    format: Format,
    /// The forest that is asked why; nothing where nobody wants to know.
    asked: Option<Forest<'static>>,
    decided: Timestamp,
    partial: bool,
    windows: u64,
    findings: u64,
    failure: Option<io::Error>,
}

fn replay_one(file: &Path, args: &ReplayArgs, config: &Config) -> Result<(), Trouble> {
    let mut capture = CaptureFile::open(file)?;
    let forest = model::shipped();
    let mut detector = Detector::new(HashKey::FIXED, Capacities::default(), config.detect.thresholds(), forest);
    detector.enable(config.detect.kinds());
    let out = BufWriter::with_capacity(256 << 10, io::stdout().lock());
    let mut printer = Printer {
        out,
        format: args.format,
        asked: forest.filter(|_| args.why),
        decided: Timestamp::EPOCH,
        partial: false,
        windows: 0,
        findings: 0,
        failure: None,
    };
    let mut ignored = [0_u64; Ignored::COUNT];
    let (mut frames, mut octets, mut first) = (0_u64, 0_u64, None);
    while let Some(frame) = capture.next() {
        let frame = frame.snapped();
        frames += 1;
        octets += u64::from(frame.len);
        first.get_or_insert(frame.at);
        printer.decided = printer.decided.max(frame.at);
        match wire::parse(frame.link, frame.octets, frame.len, frame.vlan) {
            Ok(summary) => detector.observe(&summary, frame.at, frame.side, &mut printer),
            Err(reason) => {
                ignored[reason.index()] += 1;
                detector.tick(frame.at, &mut printer);
            }
        }
        if printer.failure.is_some() {
            break;
        }
    }
    printer.partial = true;
    detector.close(&mut printer);
    let occupancy = detector.table().occupancy();
    let reasons = Ignored::ALL.iter().map(|r| (r.as_str(), ignored[r.index()]));
    let summary = Summary {
        kind: "summary",
        frames,
        octets,
        hosts: occupancy.hosts as u64 + occupancy.hosts_evicted,
        windows: printer.windows,
        findings: printer.findings,
        ignored: reasons.chain(capture.skipped().by_reason()).filter(|(_, n)| *n > 0).collect(),
        truncated: capture.truncated(),
        first: first.unwrap_or_default().as_secs_f64(),
        last: detector.now().as_secs_f64(),
    };
    printer.finish(file, &summary)?;
    Ok(())
}

impl<W: Write> Printer<W> {
    fn print(&mut self, write: impl FnOnce(&mut W) -> io::Result<()>) {
        if self.failure.is_none() {
            self.failure = write(&mut self.out).err();
        }
    }

    fn line(&mut self, line: impl Serialize, why: Option<Explanation>) {
        self.print(|out| match why {
            None => lines::write(out, &line),
            Some(why) => lines::write(out, &why.of(line)),
        });
    }

    fn finish(mut self, file: &Path, summary: &Summary<'_>) -> io::Result<()> {
        match self.format {
            Format::Jsonl | Format::Summary => self.print(|out| lines::write(out, summary)),
            Format::Text => self.print(|out| writeln!(out, "{}: {summary}", file.display())),
        }
        self.failure.map_or_else(|| self.out.flush(), Err)
    }
}

impl<W: Write> Sink for Printer<W> {
    fn finding(&mut self, finding: &Finding, vector: &FeatureVector) {
        self.findings += 1;
        if self.format == Format::Summary {
            return;
        }
        let why =
            self.asked.filter(|_| finding.source == Source::Forest).map(|forest| Explanation::new(&forest, vector));
        if self.format == Format::Jsonl {
            return self.line(FindingLine::new(finding, self.decided), why);
        }
        self.print(|out| writeln!(out, "{} {} {} {finding}", finding.level, finding.host, finding.family));
        if let Some(why) = why {
            self.print(|out| writeln!(out, "  {why}"));
        }
    }

    fn window(&mut self, window: &Window) {
        self.windows += 1;
        if self.format == Format::Jsonl {
            let told = window.source == Some(Source::Forest) || window.level > ThreatLevel::Safe;
            let why = self.asked.filter(|_| told).map(|forest| Explanation::new(&forest, &window.vector));
            self.line(WindowLine::new(window, self.decided, self.partial), why);
        }
    }
}
