//! What is said of a capture cut after any frame is the beginning of what is said of the whole; no clock but the frames' is read.

use detect::forest::Forest;
use detect::{Detector, Finding, Sink, Thresholds, Window};
use features::{Capacities, FeatureVector, HashKey};
use serde_json::Value;
use terms::{Side, Timestamp};

use crate::held::{Capture, Chance, lines, skip, train};
use crate::seed;

const CAPTURES: usize = 20;
const CUTS: usize = 10;
/// Packed captures of the short form are at most so long, octets.
const SHORT: u64 = 400_000;
/// A year of 365 days, microseconds.
const YEAR: u64 = 365 * 86_400 * 1_000_000;

static FOREST: &[u8] = include_bytes!("../../../../models/picket.forest");

/// A moment of a line, microseconds.
fn micros(line: &Value, key: &str) -> Option<u64> {
    line[key].as_f64().map(|seconds| (seconds * 1e6).round() as u64)
}

/// What holds of the lines of any replay; gives those that are not marked as partial.
fn complete(name: &str, capture: &Capture, frames: usize, mut lines: Vec<Value>) -> Vec<Value> {
    let summary = lines.pop().expect("a summary");
    assert_eq!(summary["type"], "summary", "{name}: the last line");
    assert_eq!(summary["frames"], frames, "{name}: frames");
    let last = capture.frames[..frames].iter().map(|frame| frame.at.micros()).max().unwrap_or(0);
    let mut decided = 0;
    for line in &lines {
        let now = micros(line, "decided").expect("every line is decided");
        assert!(now >= decided, "{name}: decided goes back: {line}");
        decided = now;
        let own = micros(line, "end").or_else(|| micros(line, "at")).expect("every line has its time");
        assert!(now >= own, "{name}: decided before the line's own time: {line}");
        if line["type"] == "window" {
            let start = micros(line, "start").expect("a window begins");
            assert_eq!(start / 60_000_000, own / 60_000_000, "{name}: a window of two minutes of the epoch: {line}");
            let open = own / 60_000_000 == last / 60_000_000;
            assert_eq!(line["partial"] == true, open, "{name}: partial is what is open at the last frame: {line}");
        }
    }
    lines.retain(|line| line["partial"] != true);
    lines
}

/// Cuts one capture several times.
fn cut(capture: &Capture, chance: &mut Chance) -> usize {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("capture.pcap");
    let all = capture.frames.len();
    capture.write(&path, all, 0);
    let name = &capture.name;
    let whole = complete(name, capture, all, lines(&path));
    let mut compared = 0;
    for _ in 0..CUTS {
        let frames = 1 + chance.below(all);
        capture.write(&path, frames, 0);
        let part = complete(name, capture, frames, lines(&path));
        for (n, line) in part.iter().enumerate() {
            assert_eq!(Some(line), whole.get(n), "{name} cut after {frames} frames: line {n}");
        }
        let last = capture.frames[..frames].iter().map(|frame| frame.at.micros()).max().unwrap_or(0);
        let owed = whole.iter().filter(|line| micros(line, "decided").is_some_and(|at| at < last)).count();
        assert!(part.len() >= owed, "{name} cut after {frames} frames: {} lines of {owed} decided by then", part.len());
        compared += part.len();
    }
    compared
}

fn cuts(most: u64) {
    let Some(mut files) = train(most) else { return skip() };
    let mut chance = Chance(seed::drawn("causality"));
    let (mut done, mut compared) = (0, 0);
    while done < CAPTURES {
        assert!(!files.is_empty(), "{CAPTURES} captures that can be read");
        let file = files.swap_remove(chance.below(files.len()));
        if let Some(capture) = Capture::read(&file) {
            compared += cut(&capture, &mut chance);
            done += 1;
        }
    }
    println!("{done} captures, {} cuts, {compared} lines compared", done * CUTS);
    assert!(compared > 100, "too few complete lines");
}

#[test]
fn a_cut_capture_gives_the_beginning_of_the_whole_ones_lines() {
    cuts(SHORT);
}

#[test]
#[ignore = "long form: captures of any length"]
fn a_cut_capture_of_any_length_gives_the_beginning_of_the_whole_ones_lines() {
    cuts(u64::MAX);
}

/// Every vector, by whose and when it is.
#[derive(Default)]
struct Vectors(Vec<(String, Timestamp, [u32; features::FEATURES])>);

impl Sink for Vectors {
    fn finding(&mut self, finding: &Finding, vector: &FeatureVector) {
        self.0.push((format!("{} {}", finding.host, finding.family), finding.at, vector.0.map(f32::to_bits)));
    }

    fn window(&mut self, window: &Window) {
        self.0.push((window.host.to_string(), window.end, window.vector.0.map(f32::to_bits)));
    }
}

fn vectors(capture: &Capture, later: u64) -> Vectors {
    let forest = Forest::load(FOREST, features::schema_hash()).expect("the shipped forest is of this schema");
    let mut detector = Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), Some(forest));
    let mut vectors = Vectors::default();
    for frame in &capture.frames {
        let at = Timestamp::from_micros(frame.at.micros() + later);
        if let Ok(summary) = wire::parse(capture.link, &frame.octets, frame.len, None) {
            detector.observe(&summary, at, Side::Unknown, &mut vectors);
        }
    }
    detector.close(&mut vectors);
    vectors
}

#[test]
fn a_year_later_the_same_lines_and_the_same_vectors() {
    let Some(mut files) = train(SHORT) else { return skip() };
    let mut chance = Chance(seed::drawn("a year later"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("capture.pcap");
    let (mut done, mut compared) = (0, 0);
    while done < CAPTURES {
        let file = files.swap_remove(chance.below(files.len()));
        let Some(capture) = Capture::read(&file) else { continue };
        done += 1;
        let name = &capture.name;
        let told = |later| {
            capture.write(&path, capture.frames.len(), later);
            let mut lines = lines(&path);
            for line in &mut lines {
                for key in ["start", "end", "at", "decided", "first", "last"] {
                    if let Some(at) = micros(line, key) {
                        line[key] = Value::from(at.saturating_sub(later));
                    }
                }
            }
            lines
        };
        let (now, then) = (told(0), told(YEAR));
        for (n, (now, then)) in now.iter().zip(&then).enumerate() {
            assert_eq!(now, then, "{name}: line {n} a year later");
        }
        assert_eq!(now.len(), then.len(), "{name}: lines a year later");
        let (now, then) = (vectors(&capture, 0), vectors(&capture, YEAR));
        assert_eq!(now.0.len(), then.0.len(), "{name}: vectors a year later");
        for (now, then) in now.0.iter().zip(&then.0) {
            assert_eq!((&now.0, now.1.micros() + YEAR, now.2), (&then.0, then.1.micros(), then.2), "{name}: vectors");
        }
        compared += now.0.len();
    }
    println!("{done} captures, {compared} vectors alike");
}
