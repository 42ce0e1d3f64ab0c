//! The command `maker`: programs and Debian packages into card images, and update bundles.
//!
//! Everything that it writes depends on its input alone: no clock, no random number, no name of a machine or a folder.

mod archive;
mod boot;
mod bundle;
mod image;
mod modules;
mod parts;
mod root;
mod tool;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds card images and update bundles.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the image of every board that has one.
    Images(image::Options),
    /// Takes the content of a slot out of an image as a bundle that nobody has signed yet.
    Bundle {
        /// The image, `.img.zst`.
        image: PathBuf,
        /// The bundle to write.
        bundle: PathBuf,
    },
    /// Draws a new key: the secret half into a file that only its owner reads, the public half printed.
    Key {
        /// The file of the secret half.
        secret: PathBuf,
    },
    /// Signs a bundle in place.
    Sign {
        /// The file of the secret half of a key.
        secret: PathBuf,
        /// The bundle.
        bundle: PathBuf,
    },
}

fn main() -> ExitCode {
    let done: Result<()> = match Cli::parse().command {
        Command::Images(options) => image::build_all(&options),
        Command::Bundle { image, bundle } => bundle::take(&image, &bundle),
        Command::Key { secret } => bundle::key(&secret),
        Command::Sign { secret, bundle } => bundle::sign(&secret, &bundle),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("image: {error:#}");
            ExitCode::FAILURE
        }
    }
}
