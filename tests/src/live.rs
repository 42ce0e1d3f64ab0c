//! The live view: the gateway's own screen, redrawn each second while a scene runs.

use std::cell::Cell;
use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

use crate::gateway::Gateway;

/// How often the screen is drawn.
const EACH: Duration = Duration::from_secs(1);

/// Draws the gateway's screen on a terminal; does nothing elsewhere.
pub struct Live {
    on: bool,
    last: Cell<Option<Instant>>,
}

impl Live {
    /// A view that draws if it is wanted and standard output is a terminal.
    #[must_use]
    pub fn new(wanted: bool) -> Self {
        Self { on: wanted && stdout().is_terminal(), last: Cell::new(None) }
    }

    /// Draws if a second has passed.
    pub fn draw(&self, gateway: &Gateway) {
        if !self.on || self.last.get().is_some_and(|last| last.elapsed() < EACH) {
            return;
        }
        self.last.set(Some(Instant::now()));
        if let Ok(screen) = gateway.screen() {
            let mut out = stdout().lock();
            // Home and clear: the screen's own escape codes may differ between versions.
            let _ = write!(out, "\x1b[H\x1b[2J{screen}");
            let _ = out.flush();
        }
    }
}
