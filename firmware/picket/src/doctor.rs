//! `picket doctor`: what this machine has, what it lacks, and what is done instead.

mod links;
mod machine;
mod tables;

pub use machine::lacking_rights;

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::ClientArgs;
use crate::commands::bad_file;
use crate::config::Config;
use crate::terminal::{Table, print};

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Good,
    /// Not as it should be; the gateway runs all the same, as the note says.
    Instead,
    /// The gateway cannot run like this.
    Missing,
}

/// One probe and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What was looked at.
    pub what: String,
    /// How it is.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What is done instead, or what to do about it; empty where all is good.
    pub instead: String,
}

impl Row {
    /// A probe that found what it should.
    #[must_use]
    pub fn good(what: &str, found: impl Into<String>) -> Self {
        Self { what: what.into(), health: Health::Good, found: found.into(), instead: String::new() }
    }

    /// A probe that found something else, which costs something but not the gateway.
    #[must_use]
    pub fn instead(what: &str, found: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { what: what.into(), health: Health::Instead, found: found.into(), instead: instead.into() }
    }

    /// A probe that found the gateway unable to run.
    #[must_use]
    pub fn missing(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), health: Health::Missing, found: found.into(), instead: remedy.into() }
    }
}

/// Probes and prints; status 1 if the gateway cannot run on this machine.
pub fn doctor(args: &ClientArgs) -> ExitCode {
    let config = match Config::find(args.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return bad_file(&error),
    };
    let mut rows = machine::rows();
    rows.extend(links::rows(&config.links));
    rows.extend(tables::rows());
    let able = rows.iter().all(|row| row.health != Health::Missing);
    if args.json {
        print(&(serde_json::to_string(&rows).unwrap_or_default() + "\n"));
    } else {
        print(&text(&rows, able));
    }
    if able { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The table and what follows from it.
fn text(rows: &[Row], able: bool) -> String {
    let mut table = Table::new(&["WHAT", "", "FOUND", "INSTEAD"]);
    for row in rows {
        let mark = match row.health {
            Health::Good => "ok",
            Health::Instead => "note",
            Health::Missing => "MISSING",
        };
        table.row([row.what.clone(), mark.into(), row.found.clone(), row.instead.clone()]);
    }
    let end =
        if able { "The gateway can run here." } else { "The gateway cannot run here until what is MISSING is there." };
    format!("{}\n{end}\n", table.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_says_what_was_found_and_what_is_done_instead() {
        let rows = [
            Row::good("kernel", "6.12"),
            Row::instead("clock", "none", "waits"),
            Row::missing("root", "no", "use sudo"),
        ];
        let told = text(&rows, false);
        for part in [
            "kernel  ok       6.12",
            "clock   note     none   waits",
            "root    MISSING  no     use sudo",
            "cannot run here",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
}
