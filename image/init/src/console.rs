//! What the console says, and the menu behind it. There is no shell.

use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::SyncSender;
use std::thread;

/// Octets of a line that is typed in; the rest is thrown away.
const LONGEST_LINE: usize = 80;

/// What somebody at the console wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// How the box is.
    Status,
    /// Who is blocked.
    Blocks,
    /// What was found.
    Events,
    /// The gateway's last words.
    Log,
    /// The gateway ended and started anew.
    Restart,
    /// The other slot tried.
    OtherSlot,
    /// The box started anew.
    Reboot,
    /// Everything forgotten; only after the word itself was typed in.
    FactoryReset,
    /// The list of what can be wished for.
    Menu,
}

/// The menu: what is typed in, what it does.
const MENU: [(&str, Wish, &str); 8] = [
    ("1", Wish::Status, "status"),
    ("2", Wish::Blocks, "blocked hosts"),
    ("3", Wish::Events, "events"),
    ("4", Wish::Log, "the gateway's last words"),
    ("5", Wish::Restart, "restart the gateway; the bridge forwards on"),
    ("6", Wish::OtherSlot, "try the other slot's version; restarts the box"),
    ("7", Wish::Reboot, "restart the box"),
    ("factory-reset", Wish::FactoryReset, "forget everything; restarts the box (type the word)"),
];

/// Says a line, with the time since the kernel started.
pub fn say(words: impl Display) {
    // A console that is gone is no reason to end.
    let _ = writeln!(io::stderr(), "picket [{:7.2}] {words}", uptime());
}

/// Seconds since the kernel started; 0 where nobody tells.
pub fn uptime() -> f64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split(' ').next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0.0)
}

/// Shows what can be wished for.
pub fn menu() {
    for (typed, _, words) in MENU {
        let _ = writeln!(io::stderr(), "  {typed:13}  {words}");
    }
}

/// Reads the console from now on.
pub fn listen(wishes: SyncSender<Wish>) -> io::Result<()> {
    thread::Builder::new().name("console".into()).spawn(move || {
        let mut console = io::stdin().lock();
        while let Ok(Some(line)) = line(&mut console) {
            if wishes.send(read(&line)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

/// One line without its end, cut at its longest; nothing at the console's end.
fn line(console: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        let piece = console.fill_buf()?;
        if piece.is_empty() {
            return Ok(None);
        }
        let end = piece.iter().position(|octet| matches!(octet, b'\n' | b'\r'));
        let len = end.unwrap_or(piece.len());
        line.extend_from_slice(&piece[..len.min(LONGEST_LINE - line.len())]);
        console.consume(len + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
        }
    }
}

/// What a line means; the menu if it means nothing.
fn read(line: &str) -> Wish {
    MENU.iter().find(|(typed, ..)| *typed == line.trim()).map_or(Wish::Menu, |(_, wish, _)| *wish)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_octets_are_read_in_bounded_memory() {
        let long = [&[b'x'; 10_000][..], b"\n\xff\xfe\n5\n"].concat();
        let mut console = &long[..];
        let mut next = || line(&mut console).expect("it reads");
        assert_eq!(next().map(|line| line.len()), Some(LONGEST_LINE));
        assert_eq!(next().as_deref().map(read), Some(Wish::Menu));
        assert_eq!(next().as_deref().map(read), Some(Wish::Restart));
        assert_eq!(next(), None);
    }

    #[test]
    fn nothing_is_forgotten_by_one_key() {
        for typed in ["8", "9", "f", "factory", "factory-reset now", ""] {
            assert_ne!(read(typed), Wish::FactoryReset, "{typed}");
        }
        assert_eq!(read(" factory-reset "), Wish::FactoryReset);
    }
}
