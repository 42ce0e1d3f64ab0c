//! The image in a virtual machine, between the lab's switch and its router: what `make image` built is booted and must hold what it
//! promises, with real frames.
//!
//! Kernel, initramfs, command line and slots are read out of the finished image file. Every wait is for words on the console or for a
//! frame, never for time to pass; time only bounds it.

mod bundle;
mod checks;
mod elsewhere;
mod guest;
mod medium;
mod owner;
mod proof;
mod sabotage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;

use crate::gate::tally::Tally;
use crate::site::Site;
pub use checks::CHECKS;
use checks::Length;

/// What to check of the image.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Only these checks, by name.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Also what takes long.
    #[arg(long)]
    pub long: bool,
    /// Keeps the consoles' logs.
    #[arg(long)]
    pub keep: bool,
    /// The image; that of `make image` unless another is named.
    #[arg(long)]
    pub image: Option<PathBuf>,
}

/// Runs the checks and prints how each went.
///
/// # Errors
/// When the lab can't be built, or no check has that name.
pub fn run(options: &Options) -> Result<ExitCode> {
    crate::stop::listen()?;
    let mut tally = Tally::default();
    check(options, &mut tally)?;
    println!("image-test: {} passed, {} failed", tally.passed(), tally.failed());
    Ok(if tally.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the checks one after the other, each in a machine of its own, and counts them.
///
/// # Errors
/// When the lab can't be built, or no check has that name.
pub fn check(options: &Options, tally: &mut Tally) -> Result<()> {
    for name in &options.only {
        ensure!(CHECKS.iter().any(|(own, ..)| own == name), "there is no check named {name}");
    }
    let image = options.image.clone().unwrap_or_else(|| medium::built("qemu-virt"));
    let site = Site::build(options.keep)?;
    println!("-- image: sha256 {}", medium::hash(&image)?);
    let mut boots = 0;
    for (name, length, check) in CHECKS {
        let wanted = if options.only.is_empty() {
            options.long || *length == Length::Short
        } else {
            options.only.iter().any(|only| only == name)
        };
        if !wanted || crate::stop::asked() {
            continue;
        }
        let begin = Instant::now();
        let mut stand = guest::Stand::new(&site, &image, name)?;
        let done = check(&mut stand);
        boots += stand.boots();
        match &done {
            Ok(()) => println!("image::{name}: ok in {:.0} s", begin.elapsed().as_secs_f64()),
            Err(error) => println!("image::{name}: FAILED: {error:#}"),
        }
        tally.whole(&format!("image::{name}"), done.is_ok());
    }
    println!("-- image: {boots} boots");
    Ok(())
}
