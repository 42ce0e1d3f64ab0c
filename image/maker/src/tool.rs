//! Host programs that are run to their end, in an environment that says the same everywhere.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// 2025-01-01, the date of whatever must have one.
pub const DATE: &str = "1735689600";

/// Runs a program and gives what it wrote.
///
/// # Errors
/// It is missing, or failed: the message holds its last words.
pub fn run(program: &str, words: &[&str]) -> Result<Vec<u8>> {
    let path = std::env::var("PATH").unwrap_or_default();
    let out = Command::new(program)
        .args(words)
        .env_clear()
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .envs([("LC_ALL", "C"), ("TZ", "UTC"), ("SOURCE_DATE_EPOCH", DATE), ("MTOOLS_SKIP_CHECK", "1")])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{program} is missing; tests/setup image brings it"))?;
    ensure!(out.status.success(), "{program} {}: {}", words.join(" "), String::from_utf8_lossy(&out.stderr).trim());
    Ok(out.stdout)
}
