//! The benchmarks: Picket beside its peers, in one run, in turns, on the same input.
//!
//! Each file measures one thing and returns rows of raw figures; this one chooses which, writes `results.json` and the README's
//! table. Every figure is a ratio's half: machines differ, so only what was measured side by side is compared. A peer that is
//! missing ends the run with an error, a goal that is not met does not: it is said.

mod block;
mod features;
mod forest;
mod forwarding;
mod history;
mod input;
mod kill;
mod load;
mod memory;
mod page;
mod peer;
mod ping;
mod policy;
mod readme;
mod row;
pub mod sender;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::gateway::root;
use row::{Row, median};

/// What `lab bench` takes.
#[derive(Args, Debug)]
pub struct Options {
    /// Only these, separated by commas: features, forest, forwarding, block, memory, ping, policy, load, page, history, kill. The README is left as it is then.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Three rounds instead of seven, and twenty kills; the README is left as it is.
    #[arg(long)]
    quick: bool,
    /// Measures nothing: writes the README's table anew from the last results.
    #[arg(long)]
    table: bool,
}

/// How much is measured.
#[derive(Debug)]
struct Plan {
    /// Alternating rounds a side.
    rounds: u32,
    /// Kills of the fault test.
    kills: u32,
    /// For how long the API is under load. **Units**: seconds.
    loaded: u32,
}

type Benchmark = (&'static str, fn(&Plan) -> Result<Vec<Row>>);

/// In the order in which they run, the long one last.
const ALL: [Benchmark; 11] = [
    ("features", features::run),
    ("forest", forest::run),
    ("forwarding", forwarding::run),
    ("block", block::run),
    ("memory", memory::run),
    ("ping", ping::run),
    ("policy", policy::run),
    ("load", load::run),
    ("page", page::run),
    ("history", history::run),
    ("kill", kill::run),
];

/// Measures, and writes what came of it.
///
/// # Errors
/// When a peer is missing or something can't be measured.
pub fn run(options: &Options) -> Result<ExitCode> {
    crate::stop::listen()?;
    let names = ALL.map(|(name, _)| name);
    for name in &options.only {
        ensure!(names.contains(&name.as_str()), "no benchmark is named {name}: there are {}", names.join(", "));
    }
    let full = Plan { rounds: 7, kills: 1_000, loaded: 60 };
    let plan = if options.quick { Plan { rounds: 3, kills: 20, loaded: 15 } } else { full };
    let folder = peer::folder();
    if options.table {
        let results = folder.join("results.json");
        let text = fs::read_to_string(&results).with_context(|| format!("can't read {}", results.display()))?;
        readme::update(&root().join("README.md"), &serde_json::from_str::<Vec<Row>>(&text)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for (name, measure) in ALL {
        if !options.only.is_empty() && !options.only.iter().any(|only| only == name) {
            continue;
        }
        ensure!(!crate::stop::asked(), "asked to stop");
        let begin = Instant::now();
        eprintln!("bench: {name}");
        match measure(&plan) {
            Ok(more) => rows.extend(more),
            Err(error) => {
                eprintln!("bench: {name} FAILED: {error:#}");
                failed.push(name);
            }
        }
        eprintln!("bench: {name} took {:.0} s", begin.elapsed().as_secs_f64());
    }
    write(&folder.join("results.json"), &rows)?;
    print!("{}", readme::table(&rows));
    ensure!(failed.is_empty(), "not measured: {}", failed.join(", "));
    if options.only.is_empty() && !options.quick {
        readme::update(&root().join("README.md"), &rows)?;
    }
    let missed = rows.iter().filter(|row| !row.met).count();
    println!("bench: {} figures, {missed} short of what is required", rows.len());
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, rows: &[Row]) -> Result<()> {
    let text = serde_json::to_string_pretty(rows)? + "\n";
    fs::write(file, text).with_context(|| format!("can't write {}", file.display()))
}

impl Plan {
    /// Says how far a benchmark has come.
    fn told(&self, what: &str, round: u32, figures: &[f64]) {
        eprintln!("bench: {what}: round {round}, median so far {:.2}", median(figures).unwrap_or(0.0));
    }
}
