//! The hardware watchdog: it resets the box where this process or the kernel hangs.

use std::fs::{File, OpenOptions};
use std::io::Write;

use crate::console::say;

const DEVICE: &str = "/dev/watchdog0";
/// This word on the kernel's command line leaves it alone: the watchdog of an emulated Pi 3 resets when it is opened.
const OFF: &str = "picket.watchdog=off";

/// The watchdog, once it was started, or nothing.
#[derive(Debug)]
pub struct Watchdog(Option<File>);

impl Watchdog {
    /// Starts it; it wants a sign of life within the time that its module's parameter names.
    pub fn start() -> Self {
        let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
        if line.split_whitespace().any(|word| word == OFF) {
            say("the watchdog is left alone, as the command line says");
            return Self(None);
        }
        match OpenOptions::new().write(true).open(DEVICE) {
            Ok(file) => {
                say("the watchdog looks after this process and the kernel");
                Self(Some(file))
            }
            Err(error) => {
                say(format_args!("no watchdog: {error}"));
                Self(None)
            }
        }
    }

    /// A sign of life.
    pub fn alive(&mut self) {
        if let Some(file) = &mut self.0 {
            // Where it fails the box is reset, which is what a watchdog is for.
            let _ = file.write_all(b".");
        }
    }
}
