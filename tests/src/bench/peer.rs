//! Peers as processes: whether they are there, which version, and how much processor time one run takes.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::gateway::root;
use crate::process::output;

/// The folder of inputs, peers' environments and results.
#[must_use]
pub fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir));
    target.join("bench")
}

/// Python with the peers that come from there.
///
/// # Errors
/// When the environment was not made.
pub fn python() -> Result<PathBuf> {
    let python = folder().join("venv/bin/python");
    if !python.exists() {
        bail!("{} is missing: tests/setup bench makes it", python.display());
    }
    Ok(python)
}

/// The version of a Debian package that must be installed.
///
/// # Errors
/// When it is not: a missing peer ends the run.
pub fn debian(package: &str) -> Result<String> {
    let version = output(Command::new("dpkg-query").args(["-W", "-f", "${Version}", package]));
    version.with_context(|| format!("the peer {package} is missing: tests/setup bench installs it"))
}

/// The version of a Python package that must be installed.
///
/// # Errors
/// When it is not.
pub fn pypi(package: &str) -> Result<String> {
    let ask = format!("import importlib.metadata as m; print(m.version('{package}'))");
    let version = output(Command::new(python()?).args(["-c", &ask]));
    Ok(version.with_context(|| format!("the peer {package} is missing: tests/setup bench installs it"))?.trim().into())
}

/// What one run of a program wrote, and the processor time that it took.
pub struct Ran {
    /// Standard output and standard error.
    pub text: String,
    /// User and system time of the whole process and its children, seconds.
    pub cpu: f64,
}

/// Runs a program to its end. Nothing else may be started by this process meanwhile: the time is that of all ended children.
///
/// # Errors
/// When it can't be started or ends badly.
pub fn run(command: &mut Command) -> Result<Ran> {
    let before = cpu()?;
    let out = command.output().with_context(|| format!("can't start {command:?}"))?;
    let cpu = cpu()? - before;
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    if !out.status.success() {
        bail!("{command:?}: {} {}", out.status, text.trim());
    }
    Ok(Ran { text, cpu })
}

fn cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}
