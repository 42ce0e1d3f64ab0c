//! The gateway under test: its configuration, its process in the box's namespace, and what it answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use toml::Table;

use crate::network::{BRIDGE, LAN_LINK, Network, UPLINK};
use crate::process::{Process, output};

/// How long it may take until it answers.
const START: Duration = Duration::from_secs(15);

/// A running gateway. Dropping it ends it; the kernel's table stays, as it would on a box.
pub struct Gateway {
    process: Process,
    binary: PathBuf,
    config: PathBuf,
}

impl Gateway {
    /// Starts the gateway with an empty store and no table left over, and waits until it answers.
    ///
    /// # Errors
    /// When the program is missing, ends early, or does not answer in time: the message holds its last words.
    pub fn start(network: &Network, folder: &Path, over: &Table) -> Result<Self> {
        network.space("box")?.shell("nft delete table bridge picket 2>/dev/null || true")?;
        let state = folder.join("state");
        if state.exists() {
            fs::remove_dir_all(&state)?;
        }
        fs::write(folder.join("picket.toml"), toml::to_string(&configuration(folder, over)?)?)?;
        Self::again(network, folder)
    }

    /// Starts the gateway upon what an earlier one left: its configuration, its store and the kernel's table.
    ///
    /// # Errors
    /// As for a first start.
    pub fn again(network: &Network, folder: &Path) -> Result<Self> {
        let (binary, config, log) = (binary()?, folder.join("picket.toml"), folder.join("picket.log"));
        fs::write(&log, "")?;
        let mut command = network.space("box")?.command(&binary.to_string_lossy());
        command.args(["run", "--config"]).arg(&config);
        let mut started = Self { process: Process::start(command, "picket run", &log)?, binary, config };
        let until = Instant::now() + START;
        while started.ask(&["status"]).is_err() {
            let words =
                || fs::read_to_string(&log).unwrap_or_default().lines().rev().take(3).collect::<Vec<_>>().join(" | ");
            if let Some(status) = started.process.ended() {
                bail!("picket run ended ({status}): {}", words());
            }
            ensure!(Instant::now() < until && !crate::stop::asked(), "picket run does not answer: {}", words());
            sleep(Duration::from_millis(20));
        }
        Ok(started)
    }

    /// Ends the gateway at once, as a crash would.
    pub fn kill(mut self) {
        self.process.kill();
    }

    /// Tells the gateway to read its configuration anew.
    ///
    /// # Errors
    /// When it has ended.
    pub fn reload(&mut self) -> Result<()> {
        ensure!(self.runs(), "picket run has ended");
        self.process.hang_up();
        Ok(())
    }

    /// Tells the gateway to end, and waits for that.
    ///
    /// # Errors
    /// When it does not end within ten seconds.
    pub fn stop(mut self) -> Result<()> {
        self.process.terminate();
        self.process.wait(Duration::from_secs(10)).context("picket run does not end when told to")?;
        Ok(())
    }

    /// What a client command answers, as JSON.
    ///
    /// # Errors
    /// When the command fails or writes no JSON.
    pub fn ask(&self, what: &[&str]) -> Result<Value> {
        let text = output(Command::new(&self.binary).args(what).args(["--json", "--config"]).arg(&self.config))?;
        serde_json::from_str(&text).with_context(|| format!("picket {} --json: no JSON", what.join(" ")))
    }

    /// Gives a client command and leaves its answer unread.
    ///
    /// # Errors
    /// When the command fails.
    pub fn tell(&self, what: &[&str]) -> Result<()> {
        output(Command::new(&self.binary).args(what).arg("--config").arg(&self.config)).map(drop)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.ended().is_none()
    }
}

/// The program under test.
///
/// # Errors
/// When it was not built.
pub fn binary() -> Result<PathBuf> {
    let root = root();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let path = target.join("release/picket");
    ensure!(path.exists(), "{} is missing: cargo build --release", path.display());
    Ok(path)
}

/// The workspace's folder.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The lab's configuration: only links and paths, no threshold; `over` is laid over it.
fn configuration(folder: &Path, over: &Table) -> Result<Table> {
    let text = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let mut base: Table = toml::from_str(&format!(
        "posture = \"protect\"\n[links]\nlan = \"{LAN_LINK}\"\nuplink = \"{UPLINK}\"\nbridge = \"{BRIDGE}\"\n\
         [store]\npath = \"{}\"\n[control]\nsocket = \"{}\"\n",
        text("state"),
        text("socket")
    ))?;
    merge(&mut base, over);
    Ok(base)
}

/// Lays one table over another: tables are merged, everything else is replaced.
fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(more)) => merge(inner, more),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_laid_over_the_configuration_keeps_what_it_does_not_name() {
        let over: Table =
            toml::from_str("posture = 'observe'\n[links]\nlan = 'other'\n[detect]\nenabled = false").expect("TOML");
        let got = configuration(Path::new("/lab"), &over).expect("TOML");
        assert_eq!(got["posture"].as_str(), Some("observe"));
        assert_eq!(got["links"]["lan"].as_str(), Some("other"));
        assert_eq!(got["links"]["uplink"].as_str(), Some(UPLINK));
        assert_eq!(got["detect"]["enabled"].as_bool(), Some(false));
    }

    #[test]
    fn the_labs_own_configuration_changes_no_threshold() {
        let got = configuration(Path::new("/lab"), &Table::new()).expect("TOML");
        assert!(!got.contains_key("detect") && !got.contains_key("respond"));
    }
}
