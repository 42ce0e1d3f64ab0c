//! The arguments of `indicators`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use terms::Span;

use super::flows::Past;
use super::{ClientArgs, span};

/// What `picket indicators --help` teaches.
pub const INDICATORS_HELP: &str = "\
A list is a text with an address, a network, a name or a TLS client's JA4 a line, as blocklists are published; files of hosts and filters are\n\
read too. Nothing is fetched: whoever fetches it loads it, and says with --origin where it comes from. Who begins a conversation with what is\n\
listed, names it to a server or uses a listed client is held Medium, or with --high High, which blocks; a question to DNS alone is Medium at most.\n\n\
  picket indicators check feodo.txt               what the file holds, or each line that is wrong\n\
  picket indicators load feodo.txt --for 7d       look for it from now on, and in what devices did before\n\
  picket indicators list\n\
  picket indicators past feodo --days 30          who had to do with it\n\
  picket indicators remove feodo";

/// What can be done with lists of indicators.
#[derive(Debug, Subcommand)]
pub enum IndicatorsCommand {
    /// Say what a file holds and what is wrong with it, line by line; nothing is loaded, and no gateway is asked
    Check {
        /// The file
        file: PathBuf,
    },
    /// Have the running gateway look for what is on a list, and say which devices had to do with it before
    Load(LoadListArgs),
    /// The lists that the gateway looks for, with their numbers, where they come from, and until when they hold
    ///
    /// A finding names its list by number. A list that is over is not looked for any more and stays here until it is loaded again or removed.
    List(ClientArgs),
    /// Say which devices had to do with what is on a list, as their stored conversations and the names that they were told have it
    Past(PastArgs),
    /// Have the running gateway forget a list
    ///
    /// Its file is removed, its number is free for the next list, and what was found by it stays in the history. Nothing is looked for in its
    /// name any more from the next frame on; a block that followed from it ends when its time is over, or by `picket unblock`.
    Remove {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// Its name
        name: String,
    },
}

/// The arguments of `indicators load`.
#[derive(Debug, Args)]
pub struct LoadListArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The file
    #[arg(value_name = "LIST")]
    pub file: PathBuf,
    /// What to call it: a-z, 0-9, - and _; a list of this name is replaced [default: the file's name without its ending]
    #[arg(long)]
    pub name: Option<String>,
    /// Hold High against who has to do with it, so that it is blocked; else Medium
    #[arg(long)]
    pub high: bool,
    /// Where it comes from, for those who read the list of lists later [default: the file's path]
    #[arg(long, value_name = "WORDS")]
    pub origin: Option<String>,
    /// For how long it holds: 12h, 30d
    #[arg(long = "for", value_name = "TIME", value_parser = span, default_value = "30d")]
    pub lasts: Span,
    /// How far back what devices did is looked at.
    #[command(flatten)]
    pub past: Past,
}

/// The arguments of `indicators past`.
#[derive(Debug, Args)]
pub struct PastArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The name of a list that is loaded
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub name: Option<String>,
    /// A file instead of a list that is loaded
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How far back what devices did is looked at.
    #[command(flatten)]
    pub past: Past,
}
