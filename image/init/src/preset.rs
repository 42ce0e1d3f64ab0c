//! What its owner put onto the boot partition with the card in a computer: how the box finds its address.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use rustix::mount::{UnmountFlags, unmount};

use crate::console::say;
use crate::mounts;
use crate::network::{FOLDER, settings::LONGEST};
use crate::slot::Booted;
use crate::update::BOOT;

/// The file's name on the boot partition, and where it stands while the box runs.
const NAME: &str = "network.toml";
pub const FILE: &str = "/run/network.toml";

/// Copies the file to where the box reads it; a box without one goes by DHCP.
pub fn take(booted: &Booted) {
    if let Err(error) = fs::create_dir_all(FOLDER) {
        say(format_args!("{FOLDER}: {error}"));
    }
    let device = booted.device(card::table::BOOT);
    if let Err(error) = mounts::boot_to_read(&device.to_string_lossy(), BOOT) {
        return say(format_args!("the boot partition: {error}"));
    }
    match read(&Path::new(BOOT).join(NAME)) {
        Ok(octets) => {
            if let Err(error) = fs::write(FILE, octets) {
                say(format_args!("{FILE}: {error}"));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => say(format_args!("{NAME}: {error}")),
    }
    if let Err(error) = unmount(BOOT, UnmountFlags::empty()) {
        say(format_args!("the boot partition stays mounted: {error}"));
    }
}

/// The file, of which no more is read than is looked at: one octet more than it may have tells that it is too long.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(file)?.take(LONGEST + 1).read_to_end(&mut octets)?;
    Ok(octets)
}
