//! What can be asked about the senders of logs.

use clap::{Args, Subcommand};

use super::ClientArgs;

/// What `picket sources --help` teaches.
pub const SOURCES_HELP: &str = "An enrolled source tells over HTTPS and proves who it is; plain syslog proves nothing:\n  \
    picket sources                              who sends, and what was dropped and why\n  \
    picket sources enroll nas                   a token for a shipper that posts JSON to /api/v1/logs\n  \
    picket sources enroll laptop7 --code        a code for picket agent enroll on that host; it works once\n  \
    picket sources revoke nas                   its token holds no more; what it told stays";

/// The arguments of `sources`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SourcesArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// An enrolment rather than the list.
    #[command(subcommand)]
    pub act: Option<SourcesCommand>,
}

/// What can be done with sources beside listing them.
#[derive(Debug, Subcommand)]
pub enum SourcesCommand {
    /// Enrol a host that tells over HTTPS what it logs
    ///
    /// Prints a token that goes into a shipper's configuration as Authorization: Bearer, or with --code a code with which picket agent enroll fetches one.
    /// Either is shown this once and kept as a hash. What an enrolled source tells counts for itself and its own accounts, and for nobody else.
    Enroll {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// What it is called, as its host is
        name: String,
        /// A code for an agent, which works once within a day, instead of a token
        #[arg(long)]
        code: bool,
    },
    /// End an enrolment: the token of the source holds no more from this moment on
    ///
    /// What the source told stays, with the proof that it had. A host that is stolen or taken over is revoked first and looked at then; to have it tell
    /// again it is enrolled anew.
    Revoke {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// Its name
        name: String,
    },
}
