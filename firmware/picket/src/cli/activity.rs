//! What can be asked about hosts' own logs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ClientArgs;

/// What `picket activity --help` teaches.
pub const ACTIVITY_HELP: &str = "Everything that is named must hold:\n  \
    picket activity --subject alice --limit 20          what this account did last\n  \
    picket activity --action login --text 10.0.0.7      log-ins with this in their message\n  \
    picket activity --text sudo --count                 how many lines hold this\n  \
    picket activity --device nas --csv > nas.csv        for a spreadsheet; no cell begins a formula";

/// The arguments of `activity`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ActivityArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// Only those with this in their message
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Only those of this account
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
    /// Only those of this device, by the name that it claims or the address that it sends from
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Only this: login, logout, rights raised, account, group, key, read, write, delete, medium, log cleared, watch stopped, agent silent, lines lost, other
    #[arg(long, value_name = "WHAT")]
    pub action: Option<String>,
    /// Only those that came at this time or later, in seconds since the epoch
    #[arg(long, value_name = "T")]
    pub since: Option<f64>,
    /// Only those that came before this time, in seconds since the epoch
    #[arg(long, value_name = "T")]
    pub until: Option<f64>,
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub limit: u32,
    /// Say how many there are, whatever the limit, and list none
    #[arg(long, conflicts_with = "csv")]
    pub count: bool,
    /// Print CSV with a heading
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// A rule rather than the list.
    #[command(subcommand)]
    pub rule: Option<ActivityCommand>,
}

/// What can be done with activity beside listing it.
#[derive(Debug, Subcommand)]
pub enum ActivityCommand {
    /// Try an insider rule on what is stored, and list what it would have found
    ///
    /// A rule is named as the binary carries it, as `guessed-password`, or by a file of one's own, with a slash or a dot in its name. Nothing is told to anybody and no event is made, so
    /// that a rule can be tried on last week before it is trusted. A name that there is not is answered with all there are.
    Test(ActivityTestArgs),
}

/// The arguments of `activity test`.
#[derive(Debug, Args)]
pub struct ActivityTestArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The rule's name, or its file
    #[arg(value_name = "RULE")]
    pub rule: PathBuf,
    /// Only activity that came at this time or later, in seconds since the epoch
    #[arg(long, value_name = "T")]
    pub since: Option<f64>,
    /// Only activity that came before this time, in seconds since the epoch
    #[arg(long, value_name = "T")]
    pub until: Option<f64>,
}
