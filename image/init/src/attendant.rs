//! A program that belongs to the box: started, and started again with growing pauses whenever it ends.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::console::say;
use crate::daemon::pause;

/// After so long its earlier ends are forgotten.
const STEADY: Duration = Duration::from_secs(60);

/// The program, as it is looked after.
#[derive(Debug)]
pub struct Attendant {
    words: Vec<String>,
    child: Option<Child>,
    /// Since when it runs, or from when on it may be started.
    at: Instant,
    /// Ends in a row without a steady time between them.
    ends: u32,
}

impl Attendant {
    /// One that is to be started at once.
    pub fn new(program: &str, words: &[&str]) -> Self {
        let words = [&[program], words].concat().into_iter().map(str::to_owned).collect();
        Self { words, child: None, at: Instant::now(), ends: 0 }
    }

    /// Looks after it once.
    pub fn look(&mut self) {
        match &mut self.child {
            Some(child) => {
                if self.ends > 0 && self.at.elapsed() > STEADY {
                    self.ends = 0;
                }
                match child.try_wait() {
                    Ok(None) => {}
                    Ok(Some(status)) => self.ended(&status.to_string()),
                    Err(error) => self.ended(&error.to_string()),
                }
            }
            None if Instant::now() >= self.at => match self.start() {
                Ok(child) => (self.child, self.at) = (Some(child), Instant::now()),
                Err(error) => self.ended(&error.to_string()),
            },
            None => {}
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        // Its words go to the console.
        Command::new(&self.words[0]).args(&self.words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).spawn()
    }

    fn ended(&mut self, why: &str) {
        // One that can't be waited for is collected with the others that the first process inherits.
        self.child = None;
        self.ends = self.ends.saturating_add(1);
        let pause = pause(self.ends);
        let name = self.words.get(1).unwrap_or(&self.words[0]);
        say(format_args!("{name} ended ({why}); it is started again in {} s", pause.as_secs()));
        self.at = Instant::now() + pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_started_again_after_a_pause() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("starts");
        let line = format!("echo started >> {}", file.display());
        let mut attendant = Attendant::new("/bin/sh", &["-c", &line]);
        let until = Instant::now() + Duration::from_secs(60);
        while std::fs::read_to_string(&file).unwrap_or_default().lines().count() < 2 {
            attendant.look();
            assert!(Instant::now() < until, "it was not started again");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(attendant.ends >= 1);
    }
}
