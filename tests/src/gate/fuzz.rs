//! Hostile input for every reader: the fuzz targets, built once, each for a while.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use super::tally::Tally;

/// How long each target runs, in the short and in the long form, seconds.
const SECONDS: (u32, u32) = (20, 180);

/// The targets while they run.
pub struct Running {
    begin: Instant,
    reports: JoinHandle<Result<(Reports, bool)>>,
}

/// Builds the targets in their own workspace and starts them, behind whatever else wants a processor: they end by the clock, so what
/// only waits may run meanwhile.
///
/// # Errors
/// When cargo can't be started.
pub fn start(root: &Path, long: bool) -> Result<Running> {
    let begin = Instant::now();
    let seconds = if long { SECONDS.1 } else { SECONDS.0 };
    println!("-- fuzz: every reader of hostile input, {seconds} s each");
    let folder = root.join("tests/fuzz");
    // A build that fails is told again by the run.
    Command::new("cargo").args(["build", "--quiet"]).current_dir(&folder).stdin(Stdio::null()).status()?;
    println!("-- fuzz: built in {:.0} s", begin.elapsed().as_secs_f64());
    let mut command = Command::new("nice");
    command.args(["-n", "10", "cargo", "run", "--quiet", "--", "--seconds"]).arg(seconds.to_string());
    let mut child = command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("nice")?;
    let out = child.stdout.take().context("no pipe")?;
    let reports = thread::spawn(move || {
        let mut reports = Reports::default();
        for line in BufReader::new(out).lines() {
            let line = line?;
            println!("{line}");
            reports.read(&line);
        }
        Ok((reports, child.wait()?.success()))
    });
    Ok(Running { begin, reports })
}

impl Running {
    /// Waits until all are done; each counts as a test.
    ///
    /// # Errors
    /// When what they say can't be read.
    pub fn end(self, tally: &mut Tally) -> Result<()> {
        let (reports, well) = self.reports.join().map_err(|_| anyhow!("the reader of what they say panicked"))??;
        for (name, passed) in &reports.told {
            tally.whole(&format!("fuzz::{name}"), *passed);
        }
        // A target that hangs or takes too much memory ends the program.
        if !well || reports.told.is_empty() || reports.told.len() != reports.announced {
            tally.whole("fuzz (see above)", false);
        }
        println!("-- fuzz: done in {:.0} s", self.begin.elapsed().as_secs_f64());
        Ok(())
    }
}

/// What the program says of its targets.
#[derive(Debug, Default, PartialEq)]
struct Reports {
    /// How many will run.
    announced: usize,
    /// Each that did, and whether nothing panicked.
    told: Vec<(String, bool)>,
}

impl Reports {
    /// Reads one line: `fuzz: seed S, N targets, ...` first, then `fuzz: NAME: seed S, ..., N panics, ...` for each.
    fn read(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("fuzz: ") else { return };
        let counted = |what: &str| {
            let before = rest.split(", ").find_map(|part| part.strip_suffix(what))?;
            before.trim().parse::<usize>().ok()
        };
        if rest.starts_with("seed ") {
            self.announced = counted(" targets").unwrap_or(0);
        } else if let Some((name, _)) = rest.split_once(": seed ") {
            self.told.push((name.to_owned(), counted(" panics") == Some(0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_is_counted_by_its_own_report() {
        let mut reports = Reports::default();
        for line in [
            "fuzz: seed 0x00000000000000ff, 2 targets, 20 s each",
            "fuzz: dns: PANIC with corpus/dns/1: index out of bounds",
            "fuzz: dns: seed 0x00000000000000ff, 90 execs in 1.0 s, 7 kinds, 1 panics, slowest 0.1 ms",
            "fuzz: pcap: seed 0x00000000000000ff, 90 execs in 1.0 s, 7 kinds, 0 panics, slowest 0.1 ms",
            "fuzz: 2 targets, 180 execs, 1 panics, peak memory 9 MiB",
        ] {
            reports.read(line);
        }
        let told = vec![("dns".to_owned(), false), ("pcap".to_owned(), true)];
        assert_eq!(reports, Reports { announced: 2, told });
    }
}
