//! File systems where the rest expects them.

use std::ffi::CStr;
use std::io;

use rustix::mount::{MountFlags, mount, mount_move};
use rustix::process::{chdir, chroot};

/// What every stage needs of the kernel.
const KERNEL: [(&CStr, &CStr); 3] = [(c"proc", c"/proc"), (c"sysfs", c"/sys"), (c"devtmpfs", c"/dev")];

/// Mounts what the kernel itself tells and offers.
pub fn kernel() -> io::Result<()> {
    for (kind, place) in KERNEL {
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
        mount(kind, place, kind, flags, None)?;
    }
    Ok(())
}

/// Mounts memory at a place, bounded in octets.
pub fn memory(place: &str, options: &CStr) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(mount(c"tmpfs", place, c"tmpfs", flags, options)?)
}

/// Mounts a slot, which nobody can write.
pub fn slot(device: &str, place: &str) -> io::Result<()> {
    Ok(mount(device, place, c"squashfs", MountFlags::RDONLY | MountFlags::NODEV | MountFlags::NOSUID, None)?)
}

/// Mounts the data partition.
pub fn data(device: &str, place: &str) -> io::Result<()> {
    let flags = MountFlags::NOATIME | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(mount(device, place, c"ext4", flags, c"errors=remount-ro,commit=5")?)
}

/// Mounts the data partition so that nobody writes to it; the kernel plays back what its journal holds.
pub fn data_to_read(device: &str, place: &str) -> io::Result<()> {
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(mount(device, place, c"ext4", flags, None)?)
}

/// Mounts the boot partition, each write at once: it is small, and no computer looks after it once the card is out.
pub fn boot(device: &str, place: &str) -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::SYNCHRONOUS;
    Ok(mount(device, place, c"vfat", flags, c"umask=0077")?)
}

/// Mounts the boot partition so that nobody writes to it.
pub fn boot_to_read(device: &str, place: &str) -> io::Result<()> {
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    Ok(mount(device, place, c"vfat", flags, c"umask=0077")?)
}

/// Makes a mounted folder the root, with the kernel's own file systems in it.
pub fn switch_root(place: &str) -> io::Result<()> {
    for (_, inner) in KERNEL {
        let inner = inner.to_string_lossy();
        mount_move(&*inner, &*format!("{place}{inner}"))?;
    }
    chdir(place)?;
    mount_move(".", "/")?;
    chroot(".")?;
    chdir("/")?;
    Ok(())
}
