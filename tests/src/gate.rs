//! The gate: formatting, lints, every crate's tests, the lab's short scenes, then the image in a virtual machine while the fuzz targets
//! run; the last line counts them.

mod fuzz;
pub mod tally;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::demo;
use crate::faults;
use crate::gateway::root;
use crate::load;
use crate::machine;
use crate::pings;
use crate::replayed;
use crate::site::Site;
use tally::Tally;

/// How long all crates' tests may take, seconds.
const TESTS_LIMIT: &str = "2400";
/// How often the gateway is killed; the benchmarks do so a thousand times.
const KILLS: u32 = 100;
/// For how many seconds the API is under load, in the short form and in the long one.
const LOADED: (u32, u32) = (5, 60);
/// The attack scenes of the short form of the test that a silenced gateway is told apart.
const SHORT: [&str; 3] = ["scan-connect", "flood-udp", "flood-syn"];
/// One that observing spoils and not detecting does not.
const DENYING: &str = "policy-camera";

/// Runs the gate from the workspace's folder.
///
/// # Errors
/// When a step can't be started at all; a step that fails is counted.
pub fn run(long: bool) -> Result<ExitCode> {
    let strict = std::env::var("CI").is_ok_and(|ci| ci == "true");
    let root = root();
    fs::create_dir_all(root.join("target"))?;
    let mut tally = Tally::default();
    step(&mut tally, &root, "formatting", &["cargo", "fmt", "--all", "--check"])?;
    step(
        &mut tally,
        &root,
        "lints",
        &["cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
    )?;
    // Scenes and some tests drive the program as it is shipped.
    step(&mut tally, &root, "release build", &["cargo", "build", "--quiet", "--release", "--bin", "picket"])?;
    // One of the long tests runs the aarch64 binary under the emulator.
    step(&mut tally, &root, "what an image needs", &["tests/setup", "base", "cross", "image", "machine"])?;
    step(&mut tally, &root, "image", &["image/build"])?;
    tests(&mut tally, &root, long)?;
    lab(&mut tally, &root, long);
    let fuzz = fuzz::start(&root, long)?;
    machine(&mut tally, long);
    fuzz.end(&mut tally)?;
    Ok(finish(&tally, strict))
}

/// A step that passes or fails as a whole.
fn step(tally: &mut Tally, root: &Path, name: &str, words: &[&str]) -> Result<()> {
    let begin = Instant::now();
    println!("-- {name}: {}", words.join(" "));
    let status = Command::new(words[0])
        .args(&words[1..])
        .current_dir(root)
        .stdin(Stdio::null())
        .status()
        .context(words[0].to_owned())?;
    tally.whole(name, status.success());
    println!("-- {name}: {} in {:.0} s", if status.success() { "ok" } else { "FAILED" }, begin.elapsed().as_secs_f64());
    Ok(())
}

/// Every crate's tests, read line by line.
fn tests(tally: &mut Tally, root: &Path, long: bool) -> Result<()> {
    let begin = Instant::now();
    let line = format!(
        "exec timeout -k 10 {TESTS_LIMIT} cargo test --workspace --no-fail-fast -- --show-output --test-threads {} {} 2>&1",
        threads(),
        if long { "--include-ignored" } else { "" }
    );
    println!("-- tests: cargo test --workspace");
    let mut child =
        Command::new("sh").args(["-c", &line]).current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut log = File::create(root.join("target/test.log"))?;
    let failed = tally.failed();
    let mut lines = BufReader::new(child.stdout.take().context("no pipe")?);
    let mut octets = Vec::new();
    while lines.read_until(b'\n', &mut octets)? > 0 {
        let text = String::from_utf8_lossy(&octets);
        let text = text.trim_end();
        writeln!(log, "{text}")?;
        if tally.read(text) {
            println!("{text}");
        }
        octets.clear();
    }
    let status = child.wait()?;
    if !status.success() && tally.failed() == failed {
        tally.whole("cargo test (see target/test.log)", false);
    }
    println!("-- tests: done in {:.0} s, full log in target/test.log", begin.elapsed().as_secs_f64());
    Ok(())
}

/// Tests at a time: the long ones wait for kernels, browsers and servers rather than for a processor.
fn threads() -> usize {
    thread::available_parallelism().map_or(2, |processors| processors.get() * 3 / 2)
}

/// The lab. Without root there is none, which is a skip.
fn lab(tally: &mut Tally, root: &Path, long: bool) {
    if !rustix::process::geteuid().is_root() {
        tally.skip("lab", "network namespaces need root");
        return;
    }
    let done = crate::stop::listen().and_then(|()| {
        scenes(tally, &root.join("target/recorded"), long)?;
        println!("-- lab: the gateway is killed under load");
        let killed = faults::run(KILLS);
        tally.whole("lab::no_frame_is_lost_while_the_gateway_is_killed", told(killed));
        let site = Site::build(false)?;
        println!("-- lab: pings across start, reload and stop of the gateway");
        let pinged = pings::none_is_lost(site.network(), site.folder());
        tally.whole("lab::no_ping_is_lost_across_start_reload_and_stop", told(pinged));
        println!("-- lab: the API under load from the LAN");
        let seconds = if long { LOADED.1 } else { LOADED.0 };
        let loaded = load::no_frame_is_lost(site.network(), site.folder(), seconds);
        tally.whole("lab::no_frame_is_lost_while_the_api_is_under_load", told(loaded));
        drop(site);
        silenced(tally, root, long)
    });
    if let Err(error) = done {
        eprintln!("lab: {error:#}");
        tally.whole("lab", false);
    }
}

/// The image that was built above, booted in the place of the box.
fn machine(tally: &mut Tally, long: bool) {
    if !rustix::process::geteuid().is_root() {
        tally.skip("image", "network namespaces need root");
        return;
    }
    println!("-- image: booted in a virtual machine{}", if long { "" } else { ", the short checks" });
    if let Err(error) = machine::check(&machine::Options { long, ..machine::Options::default() }, tally) {
        eprintln!("image: {error:#}");
        tally.whole("image", false);
    }
}

/// Whether it went well; says why not.
fn told<T>(done: Result<T>) -> bool {
    if let Err(error) = &done {
        eprintln!("lab: {error:#}");
    }
    done.is_ok()
}

/// The scenes of the subset, or all of them, recorded; then each recording replayed.
fn scenes(tally: &mut Tally, record: &Path, long: bool) -> Result<()> {
    let subset = (!long).then(|| "test".to_owned());
    println!("-- lab: {}, recorded and replayed", if long { "every scene" } else { "the scenes of the test subset" });
    let options = demo::Options { once: true, subset, record: Some(record.to_owned()), ..demo::Options::default() };
    for verdict in demo::play(&options)? {
        tally.whole(&format!("lab::{}", verdict.scene), verdict.as_declared());
    }
    let wrong = replayed::differences(record)?;
    wrong.iter().for_each(|(file, why)| println!("replay of {file}: {why}"));
    tally.whole("lab::recordings_replay_as_they_were_judged_live", wrong.is_empty());
    Ok(())
}

/// A gateway that may not act, or may not look, must be told apart from one that does: no attack is then as declared.
fn silenced(tally: &mut Tally, root: &Path, long: bool) -> Result<()> {
    for (name, text) in [("observing", "posture = \"observe\"\n"), ("not_detecting", "[detect]\nenabled = false\n")] {
        println!("-- lab: {name}, where no attack may be as declared");
        let mut only = if long { Vec::new() } else { SHORT.map(str::to_owned).to_vec() };
        if name == "observing" && !long {
            only.push(DENYING.to_owned());
        }
        let config = root.join(format!("target/{name}.toml"));
        fs::write(&config, text)?;
        let options = demo::Options { once: true, only, config: Some(config), ..demo::Options::default() };
        let verdicts = demo::play(&options)?;
        let not = verdicts.iter().filter(|verdict| !verdict.as_declared()).count();
        tally.whole(&format!("lab::{name}_is_reported"), if long { not >= 10 } else { not == verdicts.len() });
    }
    Ok(())
}

fn finish(tally: &Tally, strict: bool) -> ExitCode {
    for (name, why) in tally.skips() {
        println!("skipped: {name}: {why}");
    }
    for name in tally.failures() {
        println!("failed: {name}");
    }
    // Where a machine is said to have all, what is missing is a failure.
    let (passed, mut failed, mut skipped) = (tally.passed(), tally.failed(), tally.skips().len());
    if strict && skipped > 0 {
        println!("with CI=true a skip is a failure");
        failed += skipped;
        skipped = 0;
    }
    println!("test: {passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
