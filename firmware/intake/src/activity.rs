//! One normal form for everything that a host says of its users.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::said::Said;
use crate::syslog::Line;

/// Octets that are kept of a message.
pub const TEXT_MAX: usize = 8 << 10;
/// Octets that are kept of a name.
pub const WORD_MAX: usize = 255;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Act {
    /// Something that is not told apart.
    #[default]
    Other,
    /// Somebody logs in.
    Login,
    /// Somebody logs out.
    Logout,
    /// Somebody takes another's rights.
    RightsRaised,
    /// An account is made, changed or removed.
    Account,
    /// A group is made or changed, or somebody becomes a member.
    Group,
    /// A key for log-ins is put in place.
    Key,
    /// A file is read.
    Read,
    /// A file is written.
    Write,
    /// A file is deleted.
    Delete,
    /// A medium is plugged in.
    Medium,
    /// A log is cleared.
    LogCleared,
    /// A program that watches is stopped.
    WatchStopped,
    /// An agent says nothing any more; this box says so.
    AgentSilent,
    /// Lines of an agent never came; this box says so.
    LinesLost,
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The line does not say.
    #[default]
    Unknown,
    /// It was done.
    Done,
    /// It was refused, or failed.
    Failed,
}

/// What speaks for the record being its source's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Proof {
    /// Nothing but the address that the line came from. Anybody who reaches the listener can say anything.
    #[default]
    Unproven,
    /// The source has shown the token with which it was enrolled. It speaks for itself and its own accounts, and for nobody else.
    Enrolled,
}

/// One thing that a host says was done.
///
/// **Bounds**: `text` 8 KiB, every other text 255 octets; the rest is cut off between two characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Its number: 1 and up, in the order of storing, never used twice. The store assigns it.
    pub id: u64,
    /// When it came, on this box's clock.
    pub at: Timestamp,
    /// When it was, as its source claims; nothing where it does not.
    pub claimed: Option<Timestamp>,
    /// The address that it came from.
    pub source: IpAddr,
    /// The host's name, as its source claims; empty where it does not.
    pub device: String,
    /// The account that did it; empty where the line names none.
    pub subject: String,
    /// What was done.
    pub action: Act,
    /// To what or whom: another account, a file, a command.
    pub object: String,
    /// How it went.
    pub result: Outcome,
    /// From which address it was done.
    pub address: Option<IpAddr>,
    /// What speaks for it.
    pub proof: Proof,
    /// The program that says it.
    pub program: String,
    /// Facility times eight and severity; 13 (user, notice) where the line has none.
    pub priority: u8,
    /// Whether the message was longer than what is kept.
    pub cut: bool,
    /// The message, with its structured data before it where it has any.
    pub text: String,
}

impl Act {
    /// Every action, in the order in which they are told.
    pub const ALL: [Self; 15] = [
        Self::Other,
        Self::Login,
        Self::Logout,
        Self::RightsRaised,
        Self::Account,
        Self::Group,
        Self::Key,
        Self::Read,
        Self::Write,
        Self::Delete,
        Self::Medium,
        Self::LogCleared,
        Self::WatchStopped,
        Self::AgentSilent,
        Self::LinesLost,
    ];

    /// The action in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::RightsRaised => "rights raised",
            Self::Account => "account",
            Self::Group => "group",
            Self::Key => "key",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Medium => "medium",
            Self::LogCleared => "log cleared",
            Self::WatchStopped => "watch stopped",
            Self::AgentSilent => "agent silent",
            Self::LinesLost => "lines lost",
        }
    }

    /// The action of these words.
    #[must_use]
    pub fn of(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == words)
    }
}

impl Outcome {
    /// The outcome in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Proof {
    /// The proof in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Enrolled => "token",
        }
    }
}

impl Activity {
    /// The record of a line and what is understood of it.
    #[must_use]
    pub fn of(line: Line, said: Said, from: IpAddr, at: Timestamp, proof: Proof) -> Self {
        let mut text = if line.data.is_empty() { line.message } else { format!("{} {}", line.data, line.message) };
        let cut = text.len() > TEXT_MAX;
        shorten(&mut text, TEXT_MAX);
        let word = |mut text: String| {
            shorten(&mut text, WORD_MAX);
            text
        };
        Self {
            id: 0,
            at,
            claimed: line.at,
            source: from,
            device: word(line.host),
            subject: word(said.subject),
            action: said.action,
            object: word(said.object),
            result: said.result,
            address: said.address,
            proof,
            program: word(line.app),
            priority: line.priority,
            cut,
            text,
        }
    }
}

/// The text with everything that a terminal or a reader would obey written out: `\x1b`, `\u{202e}`.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => out.extend(format!("\\x{:02x}", u32::from(c)).chars()),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

/// Cuts a text to so many octets, between two characters, and gives back the room that it no longer needs.
fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(shown("a\u{1b}[2J\u{7}\n\u{9b}b"), "a\\x1b[2J\\x07\\x0a\\x9bb");
        assert_eq!(shown("\u{202e}gpj.exe\u{feff}"), "\\u{202e}gpj.exe\\u{feff}");
        assert_eq!(shown("Übung, 日本"), "Übung, 日本");
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        let mut text = "a".to_owned() + &"é".repeat(WORD_MAX);
        shorten(&mut text, WORD_MAX);
        assert_eq!((text.len(), text.ends_with('é')), (WORD_MAX, true));
    }

    #[test]
    fn every_action_is_found_by_its_words() {
        for act in Act::ALL {
            assert_eq!(Act::of(act.as_str()), Some(act));
        }
        assert_eq!(Act::of("dance"), None);
    }
}
