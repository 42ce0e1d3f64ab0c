//! One target in a loop: mutate, run, keep what is new.

use std::collections::HashSet;
use std::fmt;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::failure;
use crate::mutate::mutate;
use crate::targets::Target;

/// How many inputs the corpus holds. **Bounds**: later ones of a new kind are not kept.
const CORPUS: usize = 4096;

/// A target stops at so many panics.
const PANICS: u64 = 5;

/// An input that takes longer hangs.
const HANG: Duration = Duration::from_secs(20);

/// When a target is done.
#[derive(Clone, Copy)]
pub enum Limit {
    /// After a time.
    Time(Duration),
    /// After so many inputs.
    Execs(u64),
}

/// What a running target shows to whoever watches it.
pub struct Progress {
    target: &'static Target,
    execs: AtomicU64,
    done: AtomicBool,
    input: Mutex<Vec<u8>>,
}

/// What came of a target.
pub struct Report {
    target: &'static Target,
    seed: u64,
    took: Duration,
    kinds: usize,
    slowest: Duration,
    /// How many inputs it got.
    pub execs: u64,
    /// How many of them made it panic.
    pub panics: u64,
}

impl Progress {
    /// Of a target that is about to run.
    pub fn start(target: &'static Target) -> Self {
        Self { target, execs: AtomicU64::new(0), done: AtomicBool::new(false), input: Mutex::default() }
    }

    fn note(&self, input: &[u8]) {
        self.execs.fetch_add(1, Ordering::Relaxed);
        let mut held = self.input.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        held.clear();
        held.extend_from_slice(input);
    }
}

/// Runs a target to its limit: first its good inputs, then what chance makes of them.
pub fn target(progress: &Progress, seed: u64, limit: Limit) -> Report {
    let target = progress.target;
    let mut chance = Chance::new(seed, target.name);
    let mut corpus = (target.seeds)();
    let mut kinds = HashSet::new();
    let began = Instant::now();
    let mut report =
        Report { target, seed, took: Duration::ZERO, kinds: 0, slowest: Duration::ZERO, execs: 0, panics: 0 };
    let good = corpus.clone();
    while !limit.reached(report.execs, began) && report.panics < PANICS {
        let input = usize::try_from(report.execs).ok().and_then(|n| good.get(n).cloned());
        let input = input.unwrap_or_else(|| mutate(&mut chance, &corpus, target.words, target.longest));
        progress.note(&input);
        let before = Instant::now();
        let outcome = failure::catch(|| (target.run)(&input));
        report.slowest = report.slowest.max(before.elapsed());
        report.execs += 1;
        match outcome {
            Ok(kind) => {
                if kinds.insert(kind) && corpus.len() < CORPUS {
                    corpus.push(input);
                }
            }
            Err(panic) => {
                report.panics += 1;
                let path = failure::save(target.name, &input);
                println!("fuzz: {}: PANIC with {}: {panic}", target.name, path.display());
            }
        }
    }
    report.took = began.elapsed();
    report.kinds = kinds.len();
    progress.done.store(true, Ordering::Relaxed);
    report
}

/// Waits until all are done; ends the process if an input hangs.
pub fn watch(running: &[Progress], seed: u64) {
    let mut seen: Vec<_> = running.iter().map(|_| (0, Instant::now())).collect();
    while running.iter().any(|progress| !progress.done.load(Ordering::Relaxed)) {
        thread::sleep(Duration::from_millis(20));
        for (progress, (execs, at)) in running.iter().zip(&mut seen) {
            let now = progress.execs.load(Ordering::Relaxed);
            if now != *execs || progress.done.load(Ordering::Relaxed) {
                (*execs, *at) = (now, Instant::now());
            } else if at.elapsed() > HANG {
                let name = progress.target.name;
                let input = progress.input.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let path = failure::save(name, &input);
                println!("fuzz: {name}: HANGS with {} (seed {seed:#018x}, exec {now})", path.display());
                process::exit(1);
            }
        }
    }
}

impl Limit {
    fn reached(self, execs: u64, began: Instant) -> bool {
        match self {
            Self::Time(time) => execs.is_multiple_of(32) && began.elapsed() >= time,
            Self::Execs(most) => execs >= most,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{} s", time.as_secs()),
            Self::Execs(most) => write!(f, "{most} execs"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, seed, took, kinds, slowest, execs, panics } = self;
        let (took, slowest) = (took.as_secs_f64(), slowest.as_secs_f64() * 1e3);
        let name = target.name;
        write!(
            f,
            "{name}: seed {seed:#018x}, {execs} execs in {took:.1} s, {kinds} kinds, {panics} panics, slowest {slowest:.1} ms"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static FRAGILE: Target = Target {
        name: "fragile",
        of_wire: false,
        run: |input| {
            assert!(!input.starts_with(b"ab") || input.get(2) != Some(&b'c'), "found it");
            u64::from(input.starts_with(b"a")) + u64::from(input.starts_with(b"ab"))
        },
        seeds: || vec![b"xyz".to_vec()],
        words: &[b"a"],
        longest: 16,
    };

    #[test]
    fn a_panic_behind_three_octets_is_found_again_by_its_seed() {
        failure::listen();
        let run = || target(&Progress::start(&FRAGILE), 3, Limit::Execs(100_000));
        let (one, two) = (run(), run());
        assert!(one.panics > 0, "{one}");
        assert_eq!((one.execs, one.panics, one.kinds), (two.execs, two.panics, two.kinds));
        std::fs::remove_dir_all("corpus/fragile").unwrap();
    }
}
