//! The live view: the gateway's own screen below the name of the scene, drawn anew while scenes run in turn.

use std::io::{IsTerminal, Write, stdout};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;

use crate::gateway::binary;
use crate::process::output;

/// How long a scene that was decided stays on the screen.
const LINGER: Duration = Duration::from_secs(4);
/// The least time between two drawings, on top of the second over which the screen measures.
const PAUSE: Duration = Duration::from_millis(100);
/// Verdicts that are shown.
const VERDICTS: usize = 6;

/// What is drawn besides the gateway's screen.
enum Line {
    Scene(String),
    Verdict(String),
}

/// A view of a terminal; there is none elsewhere.
pub struct Live {
    lines: Sender<Line>,
    painter: Option<JoinHandle<()>>,
}

impl Live {
    /// A view of the gateway whose configuration is in this folder, if one is wanted and standard output is a terminal.
    ///
    /// # Errors
    /// The program is missing, or there is no thread to be had.
    pub fn open(wanted: bool, folder: &Path) -> Result<Option<Self>> {
        if !wanted || !stdout().is_terminal() {
            return Ok(None);
        }
        let (lines, heard) = channel();
        let mut command = Command::new(binary()?);
        command.args(["watch", "--once", "--config"]).arg(folder.join("picket.toml"));
        let painter = thread::Builder::new().name("painter".into()).spawn(move || paint(command, &heard))?;
        Ok(Some(Self { lines, painter: Some(painter) }))
    }

    /// Names the scene that is played.
    pub fn scene(&self, text: String) {
        let _ended = self.lines.send(Line::Scene(text));
    }

    /// Adds what came of a scene.
    pub fn verdict(&self, text: String) {
        let _ended = self.lines.send(Line::Verdict(text));
    }

    /// How long a scene that was decided stays on the screen.
    #[must_use]
    pub const fn linger(&self) -> Duration {
        LINGER
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.lines = channel().0;
        if let Some(painter) = self.painter.take() {
            let _panicked = painter.join();
        }
    }
}

/// Draws until nobody tells of scenes any more.
fn paint(mut screen: Command, heard: &Receiver<Line>) {
    let (mut scene, mut verdicts) = (String::new(), Vec::new());
    loop {
        match heard.recv_timeout(PAUSE) {
            Ok(Line::Scene(text)) => scene = text,
            Ok(Line::Verdict(text)) => {
                verdicts.push(text);
                verdicts.drain(..verdicts.len().saturating_sub(VERDICTS));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let body = output(&mut screen).unwrap_or_else(|_| "the gateway starts\n".into());
        let mut out = stdout().lock();
        // Home and clear, then the whole text at once.
        let _ = write!(out, "\x1b[H\x1b[2J{scene}\n\n{body}\n{}\n\nCtrl-C ends.\n", verdicts.join("\n"));
        let _ = out.flush();
    }
}
