//! Key presses, one at a time where the terminal allows it.

use std::io::{self, IsTerminal, Read};
use std::process::{Command, Stdio};
use std::thread;

use tokio::sync::mpsc::Sender;

/// The terminal's settings from before; dropped, they come back.
pub struct Keyboard {
    before: Option<String>,
}

/// Tells `pressed` of a q. Without a terminal, or without `stty`, only a signal ends the view (or q and return).
pub fn listen(pressed: Sender<()>) -> Keyboard {
    if !io::stdin().is_terminal() {
        return Keyboard { before: None };
    }
    let before = stty(&["-g"]).map(|settings| settings.trim().to_owned());
    if before.is_some() {
        stty(&["-icanon", "-echo"]);
    }
    thread::spawn(move || {
        let quits = |key: io::Result<u8>| key.is_ok_and(|key| key.eq_ignore_ascii_case(&b'q'));
        while let Some(key) = io::stdin().lock().bytes().next() {
            if quits(key) && pressed.blocking_send(()).is_err() {
                return;
            }
        }
    });
    Keyboard { before }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            stty(&[before]);
        }
    }
}

/// Runs `stty` on our terminal; what it prints, if it could do it.
fn stty(arguments: &[&str]) -> Option<String> {
    let done = Command::new("stty").args(arguments).stdin(Stdio::inherit()).stderr(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8(done.stdout).ok())?
}
