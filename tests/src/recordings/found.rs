//! What a replay says of a recording that was just made.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::gateway::binary;
use crate::network::Host;
use crate::process::output;

/// The findings of a recording.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Families and levels found about the host.
    pub own: BTreeSet<String>,
    /// The same about others.
    pub others: BTreeSet<String>,
}

/// Replays a recording and collects what is found.
///
/// # Errors
/// The replay fails, or says that the capture is damaged.
pub(super) fn found(file: &Path, host: &Host) -> Result<Found> {
    let text = output(Command::new(binary()?).args(["replay", "--format", "jsonl"]).arg(file))?;
    let lines = text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect::<Result<Vec<Value>>>()?;
    let summary = lines.last().filter(|line| line["type"] == "summary").context("the replay has no summary")?;
    ensure!(summary["truncated"] == false, "the replay says that it is truncated");
    let mut found = Found::default();
    for line in lines.iter().filter(|line| line["type"] == "finding") {
        let word = |key: &str| line[key].as_str().unwrap_or_default();
        let own = (host.name.starts_with('h') && word("mac") == host.mac) || host.is(word("host"));
        let what = format!("{} {}", word("level"), word("family"));
        if own {
            found.own.insert(what)
        } else {
            found.others.insert(format!("{what} of {}", word("host")))
        };
    }
    Ok(found)
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |of: &BTreeSet<String>| of.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        write!(f, "found: {}", if self.own.is_empty() { "nothing".to_owned() } else { words(&self.own) })?;
        if !self.others.is_empty() {
            write!(f, "; others: {}", words(&self.others))?;
        }
        Ok(())
    }
}
