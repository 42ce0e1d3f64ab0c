//! The root of a slot: programs, modules, the tools of the data partition, and who vouches for updates.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result};
use board::Image;

use crate::modules::Modules;
use crate::parts;
use crate::tool::run;

/// Modules of every board beside those of its links, loaded first of all: the bridge itself, nftables as the gateway uses it, and what
/// the last good ruleset is read from the data partition with.
const FIRST: [&str; 12] = [
    "bridge",
    "nf_tables",
    "nft_meta_bridge",
    "nf_conntrack_bridge",
    "nft_reject_bridge",
    "nft_ct",
    "nft_limit",
    "nft_log",
    "nfnetlink_log",
    "nft_queue",
    "crc32c_generic",
    "ext4",
];
/// What is needed once frames pass: the boot partition, and the cables of the check whether a slot protects.
const LATER: [&str; 4] = ["vfat", "nls_cp437", "nls_ascii", "veth"];
/// Folders that something is mounted on or that hold what follows.
const FOLDERS: [&str; 12] = [
    "bin",
    "boot",
    "dev",
    "etc/picket",
    "lib/modules",
    "proc",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr/share/picket",
    "var/lib/picket",
];
/// Files of the packages: what mends and makes the data partition, and its libraries.
const TOOLS: [&str; 9] = [
    "sbin/e2fsck",
    "sbin/mke2fs",
    "lib/aarch64-linux-gnu/libext2fs.so.2",
    "lib/aarch64-linux-gnu/libcom_err.so.2",
    "lib/aarch64-linux-gnu/libe2p.so.2",
    "usr/lib/aarch64-linux-gnu/libblkid.so.1",
    "usr/lib/aarch64-linux-gnu/libuuid.so.1",
    "lib/aarch64-linux-gnu/libc.so.6",
    "lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
];
/// The page is at every address of the box, which only its bridge has: the links have none.
const CONFIGURATION: &str =
    "# The box's own configuration: every other key has its default. The owner's is /var/lib/picket/picket.toml.
[api]
listen = \"0.0.0.0:443\"
";
/// Who knows names is known only while the box runs.
const RESOLVERS: &str = "/run/network/resolv.conf";

/// Lays the root out below `work` and packs it.
pub fn squashfs(
    name: &str,
    tree: &Path,
    programs: &Path,
    modules: &Modules,
    boards: &[&Image],
    work: &Path,
) -> Result<Vec<u8>> {
    let (root, packed) = (work.join("root"), work.join("root.squashfs"));
    for old in [&root, &packed] {
        if old.is_dir() {
            fs::remove_dir_all(old)?
        } else if old.exists() {
            fs::remove_file(old)?
        }
    }
    for folder in FOLDERS {
        fs::create_dir_all(root.join(folder))?;
    }
    program(&programs.join("picket"), &root.join("bin/picket"))?;
    program(&programs.join("init"), &root.join("sbin/init"))?;
    for file in TOOLS {
        let to = root.join(file);
        fs::create_dir_all(to.parent().context("a folder")?)?;
        program(&fs::canonicalize(tree.join(file)).with_context(|| file.to_owned())?, &to)?;
    }
    symlink("aarch64-linux-gnu/ld-linux-aarch64.so.1", root.join("lib/ld-linux-aarch64.so.1"))?;
    symlink(RESOLVERS, root.join("etc/resolv.conf"))?;
    let links = boards.iter().flat_map(|board| &board.links).map(String::as_str);
    let first = modules.order(links.chain(FIRST))?;
    let watchdogs = boards.iter().map(|board| board.watchdog.as_str());
    let later = modules.order(watchdogs.chain(LATER))?.without(&first);
    for (list, ordered) in [("list", &first), ("later", &later)] {
        plain(&root.join("lib/modules").join(list), ordered.list().as_bytes())?;
        for (file, content) in ordered.files() {
            plain(&root.join("lib/modules").join(file), content)?;
        }
    }
    plain(&root.join("etc/picket/picket.toml"), CONFIGURATION.as_bytes())?;
    plain(&root.join("etc/picket/image"), name.as_bytes())?;
    plain(&root.join("etc/picket/keys"), include_bytes!("../../keys"))?;
    for (file, content) in parts::documents(tree, work)? {
        let to = root.join("usr/share/picket").join(file);
        fs::create_dir_all(to.parent().context("a folder")?)?;
        plain(&to, &content)?;
    }
    plain(&root.join("etc/mke2fs.conf"), &fs::read(tree.join("etc/mke2fs.conf")).context("mke2fs.conf")?)?;
    // Its own date and those of all files, which are later, become the one that the tools are told.
    let fixed = ["-comp", "zstd", "-Xcompression-level", "19", "-all-root"];
    let (from, to) = (root.to_string_lossy(), packed.to_string_lossy());
    run("mksquashfs", &[&[&*from, &*to], &fixed[..], &["-no-xattrs", "-no-progress", "-noappend"]].concat())?;
    Ok(fs::read(&packed)?)
}

fn program(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o755))?)
}

fn plain(to: &Path, content: &[u8]) -> Result<()> {
    fs::write(to, content).with_context(|| to.display().to_string())?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o644))?)
}
