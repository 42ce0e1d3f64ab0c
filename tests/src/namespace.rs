//! Network namespaces: made for one run, named after its process, and removed with everything that runs in them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{Process, output};

/// First letters of every namespace of the lab.
const PREFIX: &str = "picketlab";

/// One network namespace. Dropping it ends its processes and removes it.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes an empty namespace whose only link is a loopback that is up.
    ///
    /// # Errors
    /// When this process may not (needs root), or `ip` is missing.
    pub fn create(role: &str) -> Result<Self> {
        let name = format!("{PREFIX}{}-{role}", std::process::id());
        output(Command::new("ip").args(["netns", "add", &name])).context("network namespaces need root")?;
        let made = Self { name };
        made.shell(
            "ip link set lo up; sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
                    net.ipv6.conf.default.router_solicitations=0 net.ipv6.conf.default.accept_ra=0 net.ipv4.ping_group_range='0 2147483647'",
        )?;
        Ok(made)
    }

    /// Its name, as `ip netns` knows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A command that runs inside.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs a shell script inside to its end; the first failing line ends it.
    ///
    /// # Errors
    /// When it ends with another status than 0.
    pub fn shell(&self, script: &str) -> Result<String> {
        output(self.command("sh").args(["-ec", script]))
    }

    /// Starts a shell line inside, which goes on until it ends or the process is dropped.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(&self, line: &str, log: &Path) -> Result<Process> {
        let mut command = self.command("sh");
        command.args(["-c", line]);
        // Some tools leave files where they run.
        if let Some(folder) = log.parent() {
            command.current_dir(folder);
        }
        Process::start(command, line, log)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Removes namespaces that an earlier lab left because it was killed.
pub fn sweep() {
    let Ok(list) = output(Command::new("ip").args(["netns", "list"])) else { return };
    for name in list.lines().filter_map(|line| line.split_whitespace().next()) {
        let Some(owner) = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()) else { continue };
        if !Path::new("/proc").join(owner).exists() {
            remove(name);
        }
    }
}

fn remove(name: &str) {
    if let Ok(pids) = output(Command::new("ip").args(["netns", "pids", name])) {
        let pids: Vec<&str> = pids.split_whitespace().collect();
        if !pids.is_empty() {
            let _ = Command::new("kill").arg("-9").args(&pids).output();
        }
    }
    let _ = Command::new("ip").args(["netns", "del", name]).output();
}
