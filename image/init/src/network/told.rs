//! What others read of the box's address and time: a short text, and the resolvers for whoever looks a name up.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::console::say;

/// The file of words, a line each.
pub const STATE: &str = "state";
/// The file of resolvers, as resolv.conf(5) has it; the root's `/etc/resolv.conf` is a link to it.
const RESOLVERS: &str = "resolv.conf";

/// What is told, shared by those who tell.
#[derive(Clone, Debug)]
pub struct Told {
    folder: PathBuf,
    lines: Arc<Mutex<[String; 2]>>,
}

impl Told {
    /// Tells into a folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), lines: Arc::default() }
    }

    /// Tells the address and where it comes from.
    pub fn address(&self, words: String) {
        self.tell(0, format!("address: {words}"));
    }

    /// Tells how right the clock is.
    pub fn time(&self, words: String) {
        self.tell(1, format!("time: {words}"));
    }

    /// Tells who knows names.
    pub fn resolvers(&self, servers: &[Ipv4Addr]) {
        let lines = servers.iter().map(|server| format!("nameserver {server}\n"));
        self.write(RESOLVERS, &lines.collect::<String>());
    }

    fn tell(&self, line: usize, words: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines[line] = words;
        self.write(
            STATE,
            &lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect::<String>(),
        );
    }

    /// Writes a file so that nobody reads half of it.
    fn write(&self, name: &str, text: &str) {
        let half = self.folder.join(format!("{name}.half"));
        if let Err(error) = fs::write(&half, text).and_then(|()| fs::rename(&half, self.folder.join(name))) {
            say(format_args!("{name}: {error}"));
        }
    }
}
