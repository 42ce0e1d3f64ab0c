//! Hostile input for every reader: mutates good inputs from a seed and sees what panics, hangs or grows.
//!
//! `fuzz` runs every target for 20 s; `fuzz dns pcap --seconds 600` runs two for longer; `fuzz dns --seed S --execs N` does the
//! same N inputs again; `fuzz dns --file F` does one. An input that fails is saved and named, and the exit status is 1.

mod chance;
#[path = "../../common/chance.rs"]
mod common;
#[rustfmt::skip]
#[path = "../../../firmware/picket/src/config/mod.rs"]
#[allow(dead_code, unused_imports, clippy::all, reason = "the room is picket's, which uses all of it and checks it")]
mod config;
mod failure;
mod memory;
#[rustfmt::skip]
#[path = "../../../firmware/picket/src/model/trust.rs"]
#[allow(dead_code, unused_imports, clippy::all, reason = "the configuration's keys are of its types")]
mod model;
mod mutate;
mod run;
mod scratch;
mod seeds;
mod targets;

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;

use run::{Limit, Progress, Report};
use targets::{TARGETS, Target};

/// What the command line says.
#[derive(Parser)]
#[command(about = "Feeds hostile input to Picket's readers", after_help = after_help())]
struct Args {
    /// Targets to run; all of them if none is named. `wire` names all readers of frames and their payloads.
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How many inputs each target gets, instead of a time.
    #[arg(long)]
    execs: Option<u64>,
    /// Where chance begins; drawn anew if not given. The same seed gives the same inputs.
    #[arg(long, value_parser = seed_of)]
    seed: Option<u64>,
    /// One input from a file, instead of chance.
    #[arg(long)]
    file: Option<PathBuf>,
    /// How many targets run at a time.
    #[arg(long, default_value_t = thread::available_parallelism().map_or(1, usize::from))]
    jobs: usize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let targets = match chosen(&args.targets) {
        Ok(targets) => targets,
        Err(unknown) => {
            eprintln!("fuzz: no target named {unknown}; {}", after_help());
            return ExitCode::from(2);
        }
    };
    failure::listen();
    if let Some(file) = &args.file {
        return once(&targets, file);
    }
    let seed = args.seed.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
    let limit = args.execs.map_or(Limit::Time(Duration::from_secs(args.seconds)), Limit::Execs);
    println!("fuzz: seed {seed:#018x}, {} targets, {limit} each", targets.len());
    verdict(&run_all(&targets, seed, limit, args.jobs.max(1)))
}

/// Runs every target, some at a time, and prints each report as it comes.
fn run_all(targets: &[&'static Target], seed: u64, limit: Limit, jobs: usize) -> Vec<Report> {
    let mut reports = Vec::new();
    for group in targets.chunks(jobs) {
        let running: Vec<_> = group.iter().map(|target| Progress::start(target)).collect();
        let done = thread::scope(|scope| {
            let threads: Vec<_> =
                running.iter().map(|progress| scope.spawn(move || run::target(progress, seed, limit))).collect();
            run::watch(&running, seed);
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Vec<_>>()
        });
        done.iter().for_each(|report| println!("fuzz: {report}"));
        reports.extend(done);
    }
    reports
}

/// The last line and the exit status.
fn verdict(reports: &[Report]) -> ExitCode {
    let execs: u64 = reports.iter().map(|report| report.execs).sum();
    let panics: u64 = reports.iter().map(|report| report.panics).sum();
    let peak = memory::peak_mib();
    println!("fuzz: {} targets, {execs} execs, {panics} panics, peak memory {peak} MiB", reports.len());
    if peak > memory::MOST_MIB {
        println!("fuzz: that is more than the {} MiB that the readers' bounds allow", memory::MOST_MIB);
        return ExitCode::FAILURE;
    }
    if panics == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs each target on one file.
fn once(targets: &[&'static Target], file: &PathBuf) -> ExitCode {
    let input = match std::fs::read(file) {
        Ok(input) => input,
        Err(error) => {
            eprintln!("fuzz: {}: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    let mut status = ExitCode::SUCCESS;
    for target in targets {
        match failure::catch(|| (target.run)(&input)) {
            Ok(kind) => println!("fuzz: {}: no panic, kind {kind:016x}", target.name),
            Err(panic) => {
                println!("fuzz: {}: PANIC: {panic}", target.name);
                status = ExitCode::FAILURE;
            }
        }
    }
    status
}

/// The targets with these names.
fn chosen(names: &[String]) -> Result<Vec<&'static Target>, String> {
    if names.is_empty() {
        return Ok(TARGETS.iter().collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        let before = chosen.len();
        chosen.extend(TARGETS.iter().filter(|target| target.name == name || (target.of_wire && name == "wire")));
        if chosen.len() == before {
            return Err(name.clone());
        }
    }
    Ok(chosen)
}

fn seed_of(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16))
}

fn after_help() -> String {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    format!("targets: {}, and wire for those of the frames", names.join(", "))
}
