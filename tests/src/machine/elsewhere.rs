//! The image built a second time, in another folder, with nothing kept, for somebody else in another time zone.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::medium::{built, hash};
use crate::gateway::root;
use crate::process::output;

/// Copies what git knows of, as it stands in this folder.
const COPY: &str = "git ls-files -z | tar --null -T - -cf - | tar -xf - -C \"$0\"";
/// Builds there. The packages are fetched again, and Cargo's registry is the only thing that both builds share.
const BUILD: &str = "umask 077; unset CARGO_TARGET_DIR; TZ=Pacific/Auckland LC_ALL=C.UTF-8 USER=somebody LOGNAME=somebody \
                     timeout 2400 image/build >build.log 2>&1 || { tail -5 build.log >&2; exit 1; }";

/// Both images are the same to the last bit.
///
/// # Errors
/// When they are not, or the second build fails.
pub fn is_the_same(folder: &Path) -> Result<()> {
    let place = folder.join("elsewhere");
    fs::create_dir_all(&place)?;
    output(Command::new("sh").args(["-ec", COPY]).arg(&place).current_dir(root())).context("the sources")?;
    output(Command::new("sh").args(["-ec", BUILD]).current_dir(&place)).context("the second build")?;
    for name in ["rpi", "qemu-virt"] {
        let (first, second) = (hash(&built(name))?, hash(&place.join(format!("target/image/picket-{name}.img.zst")))?);
        ensure!(first == second, "{name}: {first} here, {second} elsewhere");
    }
    Ok(fs::remove_dir_all(place)?)
}
