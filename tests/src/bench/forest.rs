//! The shipped forest beside scikit-learn's of the same number of trees and depth, on the same 4,096 different vectors.
//!
//! The vectors are those that the input's hosts have at the end of their minutes, and their senders at every hundredth frame; the peer learns to tell what the shipped forest
//! says of them, so that its trees are grown and not empty.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use capture::CaptureFile;
use detect::forest::Forest;
use detect::{Detector, Finding, Sink, Thresholds, Window};
use features::{Capacities, FEATURES, FeatureVector, HashKey, schema_hash};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};
use terms::HostKey;
use wire::Net;

use super::Plan;
use super::input::Input;
use super::peer::{folder, pypi, python};
use super::row::{Goal, Peer, Row};

static IMAGE: &[u8] = include_bytes!("../../../models/picket.forest");

/// Vectors in a batch.
const BATCH: usize = 4_096;
/// The most splits between a root and a leaf in the shipped forest, as `models/REPORT.md` tells.
const DEPTH: usize = 12;
/// Frames from one sender whose vector is taken to the next.
const EACH: u32 = 100;
/// Batches of which a round takes the fastest.
const BATCHES: usize = 20;

/// Hosts' vectors, each different.
#[derive(Default)]
struct Vectors(Vec<[f32; FEATURES]>);

/// Measures both.
///
/// # Errors
/// When the peer is missing or has other trees.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    ensure!(!cfg!(debug_assertions), "the forest is measured in a release build: cargo run --release");
    let version = pypi("scikit-learn")?;
    let forest = Forest::load(IMAGE, schema_hash())?;
    let vectors = Vectors::collect()?;
    let scratch = folder().join("forest");
    fs::create_dir_all(&scratch)?;
    fs::write(scratch.join("x"), vectors.0.iter().flatten().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())?;
    fs::write(scratch.join("y"), vectors.0.iter().map(|v| class(&forest, v)).collect::<Vec<u8>>())?;
    fs::write(scratch.join("forest.py"), SCRIPT)?;
    let mut peer = Command::new(python()?)
        .arg(scratch.join("forest.py"))
        .arg(&scratch)
        .args([forest.trees(), DEPTH, FEATURES, BATCHES].map(|n| n.to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut ask = peer.stdin.take().context("no standard input")?;
    let mut answers = BufReader::new(peer.stdout.take().context("no standard output")?).lines();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=plan.rounds {
        ours.push(fastest(&forest, &vectors));
        writeln!(ask, "go")?;
        theirs.push(answers.next().context("scikit-learn ended early")??.trim().parse()?);
        plan.told("forest", round, &ours);
    }
    drop(ask);
    ensure!(peer.wait()?.success(), "scikit-learn ended badly");
    let what = format!("forest of {} trees, a host in a batch of {BATCH} different ones", forest.trees());
    let peer = Peer { name: "scikit-learn".into(), version, figures: theirs };
    Ok(vec![Row::new(&what, "ns", ours, Some(peer), Goal::AtMost(1_000.0))])
}

/// One batch a line that is read; nanoseconds a row of the fastest of some.
const SCRIPT: &str = "
import sys, time, warnings
import numpy as np
from sklearn.ensemble import RandomForestClassifier
folder, trees, depth, features, batches = sys.argv[1], *map(int, sys.argv[2:])
x = np.fromfile(folder + '/x', dtype='<f4').reshape(-1, features)
y = np.fromfile(folder + '/y', dtype='u1')
forest = RandomForestClassifier(n_estimators=trees, max_depth=depth, random_state=1, n_jobs=1).fit(x, y)
assert len(forest.estimators_) == trees and forest.predict(x).shape == y.shape
for _ in sys.stdin:
    best = None
    for _ in range(batches):
        begin = time.thread_time_ns()
        forest.predict_proba(x)
        took = time.thread_time_ns() - begin
        best = took if best is None else min(best, took)
    print(best / len(x), flush=True)
";

/// Nanoseconds of processor time a vector, of the fastest batch.
fn fastest(forest: &Forest<'_>, vectors: &Vectors) -> f64 {
    let now = || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(0, |time| time.num_nanoseconds());
    let batch = || {
        let begin = now();
        for vector in &vectors.0 {
            black_box(forest.classify(black_box(vector)));
        }
        now() - begin
    };
    let best = (0..BATCHES).map(|_| batch()).min().unwrap_or(0);
    best as f64 / vectors.0.len() as f64
}

/// What the peer is to learn: the level and, beyond it, how sure the forest is in tenths.
fn class(forest: &Forest<'_>, vector: &[f32; FEATURES]) -> u8 {
    let said = forest.classify(vector);
    (said.level as u8) * 11 + (said.shares[0] * 10.0) as u8
}

impl Vectors {
    /// The first different ones of the input, which is made if no benchmark made it yet.
    fn collect() -> Result<Self> {
        let mix = folder().join("mix.pcap");
        let mix = if mix.exists() { mix } else { Input::make(&folder())?.file };
        let mut capture = CaptureFile::open(&mix)?;
        let mut detector = Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), None);
        let mut found = Self::default();
        let mut frames = 0_u32;
        while let Some(frame) = capture.next() {
            let Ok(summary) = wire::parse(frame.link, frame.octets, frame.len, frame.vlan) else { continue };
            detector.observe(&summary, frame.at, frame.side, &mut found);
            frames += 1;
            if let Net::Ip(packet) = summary.net
                && frames.is_multiple_of(EACH)
            {
                let now = detector.now();
                found.0.extend(detector.table().vector(HostKey::from(packet.src), now).map(|vector| vector.0));
            }
        }
        detector.close(&mut found);
        found.0.sort_by(|a, b| {
            a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        found.0.dedup();
        // Every n-th of the sorted ones, then out of order again: neighbours would go the same way through the trees.
        let all = found.0.len();
        ensure!(all >= BATCH, "the input has {all} different vectors only");
        let chosen = (0..BATCH).map(|n| found.0[(n * 1_597 % BATCH) * all / BATCH]).collect();
        Ok(Self(chosen))
    }
}

impl Sink for Vectors {
    fn finding(&mut self, _: &Finding, _: &FeatureVector) {}

    fn window(&mut self, window: &Window) {
        self.0.push(window.vector.0);
    }
}
