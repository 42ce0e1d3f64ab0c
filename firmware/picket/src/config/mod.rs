//! The configuration: one TOML file -> checked values, or every fault with its line and what was meant.
//!
//! An empty file is a whole configuration: every key has a default, and the default posture is `protect`. Unknown keys are
//! refused, so that a misspelt one cannot be silently without effect.

mod detect;
pub mod duration;
mod keys;
mod kind;
mod reader;
pub mod set;
mod show;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use keys::{Config, DevicesConfig, FailConfig, KEYS, Key, LinksConfig};
pub use policy::text::Fault;
pub use reader::Origins;
pub use show::show;

use terms::{Failure, Posture};

/// The file that is read where none is named.
pub const DEFAULT_PATH: &str = "/etc/picket/picket.toml";

/// Why a file is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is larger than any configuration.
    #[error("{}: is larger than {} KiB, which no configuration needs", path.display(), reader::TEXT_MAX >> 10)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not text.
    #[error("{}: line {line}: is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The line of the first octet that is no text, from 1.
        line: usize,
    },
    /// It is text, and some of it is wrong.
    #[error("{}", told(path, faults))]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong, in the order of the lines; at least one.
        faults: Vec<Fault>,
    },
}

impl FailConfig {
    /// What passes without the gateway in a posture.
    #[must_use]
    pub const fn of(&self, posture: Posture) -> Failure {
        match posture {
            Posture::Observe => self.observe,
            Posture::Protect => self.protect,
            Posture::Enforce => self.enforce,
        }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file cannot be read, is not text, or has faults; the text names each with its line.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_with_origins(path).map(|(config, _)| config)
    }

    /// Reads and checks a file, and tells which line set which key.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn load_with_origins(path: &Path) -> Result<(Self, Origins), ConfigError> {
        let text = text_of(path)?;
        reader::read(&text).map_err(|faults| ConfigError::Refused { path: path.into(), faults })
    }

    /// Reads the named file, or else the one at [`DEFAULT_PATH`] if there is one, or else takes the defaults.
    ///
    /// # Errors
    /// As for [`Config::load`]; a named file must exist.
    pub fn find(named: Option<&Path>) -> Result<Self, ConfigError> {
        Self::find_with_origins(named).map(|(config, _)| config)
    }

    /// As [`Config::find`], and tells which line set which key.
    ///
    /// # Errors
    /// As for [`Config::find`].
    pub fn find_with_origins(named: Option<&Path>) -> Result<(Self, Origins), ConfigError> {
        match (named, Path::new(DEFAULT_PATH)) {
            (Some(path), _) => Self::load_with_origins(path),
            (None, path) if path.exists() => Self::load_with_origins(path),
            (None, _) => Ok((Self::default(), Origins::new())),
        }
    }
}

/// The file's text, at most so many octets of it.
fn text_of(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.into(), source };
    let mut octets = Vec::new();
    let most = reader::TEXT_MAX as u64 + 1;
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut octets)).map_err(unreadable)?;
    if octets.len() > reader::TEXT_MAX {
        return Err(ConfigError::TooLarge { path: path.into() });
    }
    String::from_utf8(octets).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|octet| **octet == b'\n').count() + 1;
        ConfigError::NotText { path: path.into(), line }
    })
}

/// Each fault on a line of its own, with the file.
fn told(path: &Path, faults: &[Fault]) -> String {
    let lines: Vec<_> = faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
