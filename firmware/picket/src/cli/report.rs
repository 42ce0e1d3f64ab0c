//! What can be asked about reports.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What can be done with reports.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Make the report of a period and write it to a file
    ///
    /// The running gateway is asked for what it found between two times, and the report says it in words, counts, bars and lists: findings by level and family, hosts
    /// that were blocked, attempts that rules denied, what a person must decide. The four forms agree to the digit. It is made by this command, not by the gateway, and the
    /// file is written as whoever calls it. History older than max_age in [store] is gone and cannot be reported.
    #[command(after_help = "For example:\n  \
        picket report make --from 2026-11-16T00:00:00Z --to 2026-11-23T00:00:00Z --format pdf --out week.pdf")]
    Make(ReportMakeArgs),
}

/// The arguments of `report make`.
#[derive(Debug, Args)]
pub struct ReportMakeArgs {
    /// The gateway's configuration, for its socket [default: /etc/picket/picket.toml if there is one, else the defaults]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// When the period begins, as 2026-11-16T00:00:00Z (RFC 3339)
    #[arg(long, value_name = "T")]
    pub from: String,
    /// When it ends, in the same form; the end is not part of it
    #[arg(long, value_name = "T")]
    pub to: String,
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Pdf)]
    pub format: Form,
    /// The file; one that exists is replaced
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// All figures and every finding, for programs
    Json,
    /// A heading and one row a finding, for spreadsheets
    Csv,
    /// One file for a browser or a mail; no script, nothing from outside
    Html,
    /// A4, tagged, to print or to hand on
    Pdf,
}
