//! Why a capture could not be opened.

use std::io;
use std::path::Path;

use thiserror::Error;

/// A capture could not be opened. Its text is one line that names the file.
#[derive(Debug, Error)]
#[error("{file}: {cause}")]
pub struct OpenError {
    file: String,
    cause: Cause,
}

/// What is wrong with the file.
#[derive(Debug, Error)]
pub(super) enum Cause {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("is empty: a capture begins with a header of 24 octets")]
    Empty,
    #[error("is not a capture: its first octets {0} are neither those of pcap nor of pcapng (plain, .gz or .zst)")]
    NotACapture(Magic),
    #[error("ends inside its own header: nothing can be read from it")]
    HeaderCut,
    #[error("has link type {0}: only Ethernet (1) and Linux cooked (113) captures can be read")]
    LinkType(u32),
}

/// The first octets of a file that was not understood.
#[derive(Debug, Error)]
#[error("{}", self.0.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(" "))]
pub(super) struct Magic(pub Vec<u8>);

impl OpenError {
    pub(super) fn new(path: &Path, cause: Cause) -> Self {
        let name = if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy() };
        Self { file: name.chars().map(|c| if c.is_control() { '?' } else { c }).collect(), cause }
    }
}
