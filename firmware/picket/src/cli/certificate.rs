//! What can be done with the API's certificates.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ClientArgs;

/// What `picket certificate --help` teaches.
pub const CERTIFICATE_HELP: &str = "The key needs no passphrase, and is neither shown nor logged anywhere afterwards:\n  \
    picket certificate                          what is served, for which names, until when\n  \
    picket certificate install --chain box.pem --key box.key\n  \
    picket certificate remove                   the box's own is served to everybody again";

/// The arguments of `certificate`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct CertificateArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// A change rather than the list.
    #[command(subcommand)]
    pub act: Option<CertificateCommand>,
}

/// What can be done with certificates beside looking at them.
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Install a certificate for names of your own; it takes effect for the connections that come, and those that stand go on
    ///
    /// Refused with the reason: a key that does not fit, a chain in which one did not sign the other, one that has ended or has not begun, one for addresses alone.
    /// Three weeks before its end the box begins to warn.
    Install {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The chain as PEM: the box's certificate first, then whoever signed it
        #[arg(long, value_name = "FILE")]
        chain: PathBuf,
        /// Its private key as PEM
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Take the installed certificate and its key away: whoever asks, by whatever name or address, is shown the box's own certificate again, and connections that stand go on
    Remove(ClientArgs),
}
