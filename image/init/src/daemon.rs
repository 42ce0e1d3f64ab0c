//! The gateway's process: started, asked whether it answers, ended where it hangs, started again with growing pauses.
//!
//! The last ruleset stands whatever happens here, and frames cross the kernel's bridge under it, unless the owner chose that nothing
//! passes without the gateway.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpgid};

use crate::console::say;
use crate::data;
use crate::errand::{Errand, Outcome, Words};
use crate::log::{self, LastWords};
use crate::{reset, rules};

/// The gateway.
pub const PROGRAM: &str = "/bin/picket";
/// Its configuration: the owner's, if there is one, or the image's.
const CONFIGURATIONS: [&str; 2] = ["/var/lib/picket/picket.toml", "/etc/picket/picket.toml"];
/// What tells the gateway that this init switches the box off for it, and the exit status that asks for that; `firmware/picket` knows the same.
const SWITCH: &str = "PICKET_SWITCH";
const OFF: i32 = 100;
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// Questions in a row that it may leave unanswered.
const UNANSWERED: u32 = 3;
/// How long it has to answer for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(60);
/// After so long with answers its earlier ends are forgotten.
const STEADY: Duration = Duration::from_secs(60);
/// The longest pause before it is started again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// So many starts in a row that never gave an answer mean that the box is to be restarted: the first and three more.
const HOPELESS: u32 = 4;

/// The gateway, as it is looked after.
#[derive(Debug)]
pub struct Daemon {
    state: State,
    words: LastWords,
    /// Ends in a row without a steady time between them.
    ends: u32,
    /// Starts in a row that never gave an answer.
    silent: u32,
    /// Whether the box is yet to be closed where its owner chose that, and why that was not possible.
    to_close: bool,
    complaint: Option<String>,
    /// Groups of processes whose leader has ended: what it started is collected here.
    orphans: Vec<Pid>,
}

#[derive(Debug)]
enum State {
    Pause { until: Instant },
    Runs(Running),
}

#[derive(Debug)]
struct Running {
    child: Child,
    since: Instant,
    question: Option<Errand>,
    next_question: Instant,
    unanswered: u32,
    answers: u32,
}

impl Daemon {
    /// One that is to be started at once.
    pub fn new() -> Self {
        Self {
            state: State::Pause { until: Instant::now() },
            words: LastWords::default(),
            ends: 0,
            silent: 0,
            to_close: false,
            complaint: None,
            orphans: Vec::new(),
        }
    }

    /// Looks after it once.
    pub fn look(&mut self) {
        self.orphans.retain(|group| waitpgid(*group, WaitOptions::NOHANG).is_ok());
        match &mut self.state {
            State::Pause { until } if Instant::now() >= *until => self.start(),
            State::Pause { .. } => self.close(),
            State::Runs(running) => {
                if let Some(why) = running.look() {
                    self.ended(&why);
                } else if running.is_steady() {
                    (self.ends, self.silent) = (0, 0);
                }
            }
        }
    }

    /// Whether it answered since it was started, and answers.
    pub fn is_well(&self) -> bool {
        matches!(&self.state, State::Runs(running) if running.answers > 1 && running.unanswered == 0)
    }

    /// Whether starting it again has failed often enough.
    pub const fn is_hopeless(&self) -> bool {
        self.silent >= HOPELESS
    }

    /// Ends it at once; it is started again as after any other end.
    pub fn kill(&mut self) {
        if let State::Runs(running) = &mut self.state {
            running.end();
        }
    }

    /// Its last words.
    pub fn last_words(&self) -> Vec<String> {
        self.words.lines()
    }

    fn start(&mut self) {
        match Running::start(&self.words) {
            Ok(running) => {
                say(format_args!("picket runs as process {}", running.child.id()));
                self.state = State::Runs(running);
            }
            Err(error) => self.ended(&format!("can't be started: {error}")),
        }
    }

    fn ended(&mut self, why: &str) {
        if let State::Runs(running) = &mut self.state {
            running.end();
            self.orphans.extend(running.group());
        }
        let answered = matches!(&self.state, State::Runs(running) if running.answers > 0);
        self.silent = if answered { 0 } else { self.silent + 1 };
        let pause = pause(self.ends);
        self.ends += 1;
        self.to_close = true;
        say(format_args!("picket {why}; the last ruleset stands; it is started again in {} s", pause.as_secs()));
        self.close();
        if let Err(error) = log::report(&Path::new(data::FOLDER).join("crashes"), why, &self.words.lines()) {
            say(format_args!("the crash report can't be kept: {error}"));
        }
        self.state = State::Pause { until: Instant::now() + pause };
    }
}

impl Daemon {
    /// Has nothing pass where the owner chose that for a gateway that is gone; tried with each look until it is done.
    fn close(&mut self) {
        if !self.to_close {
            return;
        }
        match rules::close_if_chosen(Path::new(rules::FILE)) {
            Ok(closed) => {
                if closed {
                    say("closed, as its owner chose: nothing passes until picket runs");
                }
                (self.to_close, self.complaint) = (false, None);
            }
            Err(why) => {
                if self.complaint.as_ref() != Some(&why) {
                    say(format_args!("not closed, though its owner chose that: {why}"));
                }
                self.complaint = Some(why);
            }
        }
    }
}

impl Running {
    fn start(words: &LastWords) -> io::Result<Self> {
        let mut child = Command::new(PROGRAM)
            .args(["run", "--config", configuration()])
            .env(SWITCH, "init")
            .env(rules::WHERE, rules::FILE)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        if let Some(from) = child.stderr.take() {
            words.follow(from)?;
        }
        let since = Instant::now();
        Ok(Self {
            child,
            since,
            question: None,
            next_question: since + Duration::from_secs(1),
            unanswered: 0,
            answers: 0,
        })
    }

    /// Why it has ended, if it has.
    fn look(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => self.ask(),
            Ok(Some(status)) if status.code() == Some(OFF) => reset::switch_off("an admin wants it"),
            Ok(Some(status)) => Some(format!("ended: {status}")),
            Err(error) => Some(format!("is lost: {error}")),
        }
    }

    /// Asks it from time to time; ends it where it leaves too many questions unanswered.
    fn ask(&mut self) -> Option<String> {
        match self.question.as_mut().map(Errand::look) {
            Some(Outcome::Runs) => return None,
            Some(Outcome::Done) => (self.unanswered, self.answers) = (0, self.answers + 1),
            Some(Outcome::Failed) if self.answers > 0 || self.since.elapsed() > FIRST_ANSWER => self.unanswered += 1,
            Some(Outcome::Failed) | None => {}
        }
        self.question = None;
        if self.unanswered >= UNANSWERED {
            self.end();
            return Some("does not answer and was ended".into());
        }
        if Instant::now() >= self.next_question {
            self.next_question = Instant::now() + if self.answers > 1 { ASK_EVERY } else { Duration::from_secs(1) };
            self.question = Errand::start(PROGRAM, &["status", "--config", configuration()], Words::Unheard).ok();
        }
        None
    }

    /// Ends it at once, with all that it started, and waits for it.
    fn end(&mut self) {
        // Who has ended already can't be ended.
        let _ = self.group().map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.child.wait();
    }

    fn group(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn is_steady(&self) -> bool {
        self.answers > 0 && self.since.elapsed() > STEADY
    }
}

/// The file that holds.
pub fn configuration() -> &'static str {
    let [owners, image] = CONFIGURATIONS;
    if Path::new(owners).exists() { owners } else { image }
}

/// The pause after so many ends in a row: none after the first, then a second, doubled each time.
pub fn pause(ends: u32) -> Duration {
    match ends {
        0 => Duration::ZERO,
        ends => Duration::from_secs(1 << (ends - 1).min(6)).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let seconds: Vec<u64> = (0..10).map(|ends| pause(ends).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
