//! What can be done with requests for access.

use clap::{Args, Subcommand};
use terms::Span;

use super::{ClientArgs, span};

/// What `picket requests --help` teaches.
pub const REQUESTS_HELP: &str = "Users ask on the page or by POST /api/v1/requests:\n  \
    picket requests list                       who wants what for which device, and what became of it\n  \
    picket requests grant 3 --for 8h           request 3 becomes a rule that ends by itself\n  \
    picket requests refuse 4 --note \"why\"      who asked is told";

/// What can be done with requests.
#[derive(Debug, Subcommand)]
pub enum RequestsCommand {
    /// Every request that is kept, the newest first: who asks, for which device, to whom about what and for how long, why, and whether it
    /// waits, was granted, refused or withdrawn
    List(ClientArgs),
    /// Grant a request: it becomes a rule of the policy that allows its device what was asked, is owned by who asked, and ends by itself
    /// after the time
    ///
    /// The rule goes the way of every change of the policy: checked, a new version in the history, in the kernel before this command is done.
    /// The device must be approved. Rules of requests that are over are taken out with it. Whoever asked is told on the page, and by mail
    /// where that is configured.
    Grant(GrantArgs),
    /// Refuse a request with a note; nothing of the policy is changed, and whoever asked is told on the page, and by mail where that is
    /// configured
    Refuse(RefuseArgs),
}

/// The arguments of `requests grant`.
#[derive(Debug, Args)]
pub struct GrantArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The request's number, as `picket requests list` prints it
    pub id: u64,
    /// For how long, in whole hours: 8h, 2d [default: as asked for]
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub lasts: Option<Span>,
    /// A word for who asked
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
}

/// The arguments of `requests refuse`.
#[derive(Debug, Args)]
pub struct RefuseArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The request's number, as `picket requests list` prints it
    pub id: u64,
    /// Why, for who asked
    #[arg(long, value_name = "TEXT")]
    pub note: String,
}
