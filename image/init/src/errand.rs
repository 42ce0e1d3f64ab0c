//! A short program that is looked after while everything else goes on: it ends in time or is ended.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long an errand may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Where an errand's words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// To the console.
    Shown,
    /// Nowhere: only how it ends counts.
    Unheard,
}

/// A running errand.
#[derive(Debug)]
pub struct Errand {
    child: Child,
    until: Instant,
}

/// How an errand stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It runs.
    Runs,
    /// It ended well.
    Done,
    /// It failed, or took too long and was ended.
    Failed,
}

impl Errand {
    /// Starts one that may take so long.
    pub fn start_for(limit: Duration, program: &str, words: &[&str], heard: Words) -> io::Result<Self> {
        Ok(Self { until: Instant::now() + limit, ..Self::start(program, words, heard)? })
    }

    /// Starts one.
    pub fn start(program: &str, words: &[&str], heard: Words) -> io::Result<Self> {
        let to = || if heard == Words::Shown { Stdio::inherit() } else { Stdio::null() };
        let child = Command::new(program).args(words).stdin(Stdio::null()).stdout(to()).stderr(to()).spawn()?;
        Ok(Self { child, until: Instant::now() + LIMIT })
    }

    /// Looks after it.
    pub fn look(&mut self) -> Outcome {
        match self.child.try_wait() {
            Ok(None) if Instant::now() < self.until => Outcome::Runs,
            Ok(Some(status)) if ExitStatus::success(&status) => Outcome::Done,
            Ok(Some(_)) => Outcome::Failed,
            _ => {
                // One that hangs in the kernel can't be waited for; it is collected when it ends.
                let _ = self.child.kill();
                let _ = self.child.try_wait();
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(line: &str, limit: Duration) -> Outcome {
        let mut errand = Errand::start("/bin/sh", &["-c", line], Words::Unheard).expect("sh is there");
        errand.until = Instant::now() + limit;
        loop {
            let outcome = errand.look();
            if outcome != Outcome::Runs {
                return outcome;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn it_ends_well_or_badly_or_in_time() {
        assert_eq!(outcome("exit 0", LIMIT), Outcome::Done);
        assert_eq!(outcome("exit 3", LIMIT), Outcome::Failed);
        assert_eq!(outcome("sleep 1000", Duration::from_millis(50)), Outcome::Failed);
    }
}
