//! The boot partition: firmware, kernel, initramfs, device trees.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use board::{Board, Image};
use card::table::BOOT;
use flate2::{Compression, GzBuilder};

use crate::archive::Archive;
use crate::modules::Modules;
use crate::tool::{DATE, run};

/// What every board needs beside what reads its card.
const COMMON: [&str; 1] = ["squashfs"];
/// The firmware's settings: 64 bits, device trees named as the kernel names them, the initramfs behind the kernel.
const CONFIG: &str = "arm_64bit=1\nupstream_kernel=1\nkernel=kernel8.img\ninitramfs initrd.img followkernel\n\
                      enable_uart=1\ndisable_splash=1\n";

/// The kernel, compressed as the firmware and QEMU take it; kept, because that takes a while.
pub fn kernel(tree: &Path, release: &str, work: &Path) -> Result<Vec<u8>> {
    let kept = work.join(format!("kernel8-{release}.img"));
    if let Ok(kernel) = fs::read(&kept) {
        return Ok(kernel);
    }
    let plain = fs::read(tree.join("boot").join(format!("vmlinuz-{release}"))).context("the kernel")?;
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    gzip.write_all(&plain)?;
    let kernel = gzip.finish()?;
    // A build that is stopped half-way leaves nothing that looks whole.
    let half = kept.with_extension("half");
    fs::write(&half, &kernel)?;
    fs::rename(&half, &kept)?;
    Ok(kernel)
}

/// The initramfs: `init`, and the modules by which these boards read their card.
pub fn initramfs(modules: &Modules, boards: &[&Image], init: &[u8]) -> Result<Vec<u8>> {
    let storage = boards.iter().flat_map(|board| &board.storage).map(String::as_str);
    let ordered = modules.order(storage.chain(COMMON))?;
    let mut archive = Archive::default();
    for folder in ["dev", "modules", "proc", "slot", "sys"] {
        archive.folder(folder);
    }
    archive.console();
    archive.file("init", init);
    archive.file("modules/list", ordered.list().as_bytes());
    for (name, content) in ordered.files() {
        archive.file(&format!("modules/{name}"), content);
    }
    Ok(zstd::encode_all(&archive.finish()[..], 19)?)
}

/// The kernel's command line for boards that share an image: the last console is the one that `init` reads.
pub fn command_line(boards: &[&Image]) -> String {
    let mut consoles: Vec<&str> = boards.iter().map(|board| board.console.as_str()).collect();
    consoles.dedup();
    let consoles: Vec<String> = consoles.iter().map(|console| format!("console={console}")).collect();
    format!("console=tty1 {} quiet loglevel=3 panic=10", consoles.join(" "))
}

/// Every file of the boot partition.
pub fn files(
    tree: &Path,
    boards: &[&Image],
    release: &str,
    kernel: Vec<u8>,
    initramfs: Vec<u8>,
) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = vec![
        ("kernel8.img".to_owned(), kernel),
        ("initrd.img".to_owned(), initramfs),
        ("cmdline.txt".to_owned(), format!("{}\n", command_line(boards)).into_bytes()),
    ];
    let mut from = |folder: PathBuf, names: &Vec<String>| -> Result<()> {
        for name in names {
            let path = folder.join(name);
            if files.iter().all(|(own, _)| own != name) {
                files.push((name.clone(), fs::read(&path).with_context(|| path.display().to_string())?));
            }
        }
        Ok(())
    };
    for board in boards {
        from(tree.join(format!("usr/lib/linux-image-{release}/broadcom")), &board.device_trees)?;
        from(tree.join("usr/lib/raspi-firmware"), &board.firmware)?;
    }
    if boards.iter().any(|board| !board.firmware.is_empty()) {
        files.push(("config.txt".to_owned(), CONFIG.as_bytes().to_vec()));
    }
    Ok(files)
}

/// The partition with these files, as it stands on the card.
pub fn partition(files: &[(String, Vec<u8>)], work: &Path) -> Result<Vec<u8>> {
    let (fat, folder) = (work.join("boot.fat"), work.join("boot"));
    for old in [&fat, &folder] {
        if old.is_dir() {
            fs::remove_dir_all(old)?
        } else if old.exists() {
            fs::remove_file(old)?
        }
    }
    fs::create_dir_all(&folder)?;
    let path = fat.to_string_lossy();
    let kib = (BOOT.len / 1024).to_string();
    run("mkfs.vfat", &["-F", "32", "-n", "PICKET", "--invariant", "-C", &path, &kib])?;
    for (name, content) in files {
        let file = folder.join(name);
        fs::write(&file, content)?;
        run("touch", &["-d", &format!("@{DATE}"), &file.to_string_lossy()])?;
        run("mcopy", &["-m", "-i", &path, &file.to_string_lossy(), &format!("::{name}")])?;
    }
    Ok(fs::read(&fat)?)
}

/// The images that boards name, each with its boards.
pub fn images(boards: &[Board]) -> Vec<(&str, Vec<&Image>)> {
    let mut images: Vec<(&str, Vec<&Image>)> = Vec::new();
    for image in boards.iter().filter_map(|board| board.image.as_ref()) {
        match images.iter_mut().find(|(name, _)| *name == image.name) {
            Some((_, boards)) => boards.push(image),
            None => images.push((&image.name, vec![image])),
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_share_an_image_and_its_command_line() {
        let boards = Board::all().expect("they are right");
        let images = images(&boards);
        let names: Vec<&str> = images.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["qemu-virt", "rpi"]);
        assert_eq!(images[1].1.len(), 2);
        assert_eq!(command_line(&images[1].1), "console=tty1 console=ttyS1,115200 quiet loglevel=3 panic=10");
    }
}
