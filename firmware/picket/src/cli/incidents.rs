//! What can be asked about incidents.

use clap::Args;

use super::ClientArgs;

/// What `picket incidents --help` teaches.
pub const INCIDENTS_HELP: &str = "For example:\n  \
    picket incidents                            those that are open, the newest last\n  \
    picket incidents --all --json               closed ones too, for programs\n  \
    picket incidents 7                          one as a story: what happened, what was done, what to do next";

/// The arguments of `incidents`.
#[derive(Debug, Args)]
pub struct IncidentsArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The number of one, to read it as a whole
    pub id: Option<u64>,
    /// Closed ones too
    #[arg(long, conflicts_with = "id")]
    pub all: bool,
}
