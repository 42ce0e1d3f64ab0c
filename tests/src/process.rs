//! Child processes that never outlive the lab: each leads a process group that is ended with it.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

/// How often a wait looks again.
const TICK: Duration = Duration::from_millis(20);

/// A running program. Dropping it ends it and everything it started.
pub struct Process {
    child: Child,
    what: String,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts a program that writes into a log file.
    ///
    /// # Errors
    /// When the log can't be written or the program is not there.
    pub fn start(mut command: Command, what: &str, log: &Path) -> Result<Self> {
        let out =
            File::options().create(true).append(true).open(log).with_context(|| format!("log {}", log.display()))?;
        let err = out.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .spawn()
            .with_context(|| format!("can't start {what}"))?;
        Ok(Self { child, what: what.to_owned(), ended: None })
    }

    /// What was started, for messages.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or nothing while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits until it ends, at most this long.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + limit;
        while self.ended().is_none() && Instant::now() < until && !crate::stop::asked() {
            sleep(TICK);
        }
        self.ended()
    }

    /// Asks it to read its configuration anew.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Asks it to end, and ends it after two seconds.
    pub fn finish(&mut self) {
        if self.ended().is_none() {
            self.signal(Signal::TERM);
            let until = Instant::now() + Duration::from_secs(2);
            while self.ended().is_none() && Instant::now() < until {
                sleep(TICK);
            }
        }
        // The group may still hold programs that the leader started.
        self.kill();
    }

    /// Ends it at once (SIGKILL), with everything it started.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // An empty group is what is wanted, so its error says nothing new.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Runs a program to its end and gives what it wrote.
///
/// # Errors
/// When it can't be started, or ends with another status than 0: the message holds what it wrote to standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("can't start {command:?}"))?;
    if !out.status.success() {
        anyhow::bail!("{command:?}: {} {}", out.status, String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many living processes are in a group, by the fifth field of their stat line.
    fn members(group: u32) -> usize {
        let stats = std::fs::read_dir("/proc")
            .expect("proc is there")
            .flatten()
            .filter_map(|p| std::fs::read_to_string(p.path().join("stat")).ok());
        stats
            .filter(|stat| {
                let rest: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
                rest.first() != Some(&"Z") && rest.get(2) == Some(&group.to_string().as_str())
            })
            .count()
    }

    #[test]
    fn a_dropped_process_takes_its_children_along() {
        let log = std::env::temp_dir().join(format!("lab-process-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 987654 & sleep 987654"]);
        let process = Process::start(command, "sleepers", &log).expect("sh is there");
        let group = process.id();
        assert!(members(group) >= 1);
        drop(process);
        // The kernel ends those that nobody waits for in its own time.
        let patience = std::time::Instant::now();
        while members(group) > 0 && patience.elapsed() < std::time::Duration::from_secs(10) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(members(group), 0);
        let _ = std::fs::remove_file(log);
    }

    #[test]
    fn a_failing_program_is_told_with_what_it_said() {
        let error = output(Command::new("sh").args(["-c", "echo because >&2; exit 3"])).expect_err("status 3");
        assert!(error.to_string().contains("because"), "{error}");
    }
}
