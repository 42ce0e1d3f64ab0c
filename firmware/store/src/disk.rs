//! The directory under a store: room left, octets held, names that survive a power cut.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock, statvfs};

use crate::contract::StoreError;

/// Room that writing leaves to the rest of the box, and to sled for tidying up.
///
/// **Units**: octets; eight of sled's segments.
const RESERVE: u64 = 4 << 20;

/// Makes a directory that only its owner can enter, with its parents.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Takes the directory for this process. `None` if another holds it.
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().create(true).write(true).truncate(false).open(path.join("lock"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_names(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Refuses to go on when writing so many octets would leave less than the reserve.
pub(crate) fn room_for(path: &Path, octets: usize) -> Result<(), StoreError> {
    let stat = statvfs(path).map_err(|e| StoreError::Disk { path: path.into(), source: e.into() })?;
    let left = stat.f_bavail.saturating_mul(stat.f_frsize);
    // sled writes a row several times over before it settles
    let needed = RESERVE.saturating_add(octets as u64 * 4);
    if left < needed { Err(StoreError::Full { path: path.into(), left, needed }) } else { Ok(()) }
}

/// The size of the medium below a path, and what of it is free. **Units**: octets.
///
/// # Errors
/// The system knows no such path.
pub fn room(path: &Path) -> io::Result<(u64, u64)> {
    let stat = statvfs(path)?;
    Ok((stat.f_blocks.saturating_mul(stat.f_frsize), stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// Octets that a directory and everything in it take up on the medium.
pub(crate) fn octets_in(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => octets_in(&entry.path()),
            // the system counts in blocks of 512 octets, whatever the file system has
            Ok(meta) => meta.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

/// What of a directory is the store's; whatever else lies there belongs to others, as the API's folder.
const OWN: [&str; 4] = ["sled", "sealed", "layout", "closed"];

/// Moves a store out of the way, to the first free `path.damaged-<n>`. What is not its own stays.
pub(crate) fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let mut n = 1_u32;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{n}"));
        let aside = PathBuf::from(name);
        if aside.symlink_metadata().is_err() {
            make_private(&aside)?;
            for own in OWN {
                match fs::rename(path.join(own), aside.join(own)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            sync_names(&aside)?;
            sync_names(path)?;
            if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                sync_names(parent)?;
            }
            return Ok(aside);
        }
        n = n.checked_add(1).ok_or_else(|| io::Error::other("no name is left to set the store aside"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_damaged_store_gets_a_name_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        for n in 1..=3 {
            make_private(&path.join("sled")).unwrap();
            fs::write(path.join("of-others"), "stays").unwrap();
            let aside = set_aside(&path).unwrap();
            assert_eq!(aside, dir.path().join(format!("store.damaged-{n}")));
            assert!(aside.join("sled").is_dir() && !path.join("sled").exists() && path.join("of-others").exists());
        }
    }

    #[test]
    fn a_directory_has_one_owner() {
        let dir = tempfile::tempdir().unwrap();
        let held = lock(dir.path()).unwrap();
        assert!(held.is_some());
        assert!(lock(dir.path()).unwrap().is_none());
        drop(held);
        assert!(lock(dir.path()).unwrap().is_some());
    }

    #[test]
    fn more_than_the_disk_holds_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let error = room_for(dir.path(), 1 << 60).unwrap_err();
        assert!(error.to_string().contains("is full"), "{error}");
    }
}
