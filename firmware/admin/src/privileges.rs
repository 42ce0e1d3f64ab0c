//! Giving up rights, before there is a second thread: afterwards the process has its listeners, its folder and its socket pair.
//!
//! What it keeps is listed here and nowhere else: `SYSTEM_CALLS`, one folder, no capability, a user of its own. Everything that is
//! not listed fails with EPERM. It cannot make a socket, start a program, look at another process, or reach another file.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::fs::Mode;
use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Why rights could not be given up; the API does not serve then.
#[derive(Debug, thiserror::Error)]
pub enum RightsError {
    /// The system refuses.
    #[error("giving up {0}: {1}")]
    System(&'static str, io::Error),
    /// Landlock refuses.
    #[error("Landlock: {0}")]
    Landlock(#[from] landlock::RulesetError),
    /// The filter of system calls cannot be set.
    #[error("seccomp: {0}")]
    Seccomp(String),
}

/// What a process that only computes may take of memory, in octets.
const MEMORY: u64 = 256 << 20;

/// What the process may ask of the kernel; with all arguments, but for `ARGUMENTS`.
#[rustfmt::skip]
const SYSTEM_CALLS: &[i64] = &[
    // memory and threads
    libc::SYS_brk, libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_madvise,
    libc::SYS_clone, libc::SYS_clone3, libc::SYS_exit, libc::SYS_exit_group, libc::SYS_futex, libc::SYS_set_robust_list,
    libc::SYS_rseq, libc::SYS_set_tid_address, libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_membarrier,
    libc::SYS_gettid, libc::SYS_getpid, libc::SYS_tgkill, libc::SYS_restart_syscall, libc::SYS_prlimit64, libc::SYS_sysinfo,
    libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_sigaltstack,
    libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid, libc::SYS_getegid, libc::SYS_uname,
    // time and chance
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_clock_nanosleep, libc::SYS_nanosleep, libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    // the connections that were accepted, and the gateway
    libc::SYS_accept4, libc::SYS_recvfrom, libc::SYS_sendto, libc::SYS_recvmsg, libc::SYS_sendmsg, libc::SYS_shutdown,
    libc::SYS_getsockname, libc::SYS_getpeername, libc::SYS_getsockopt, libc::SYS_setsockopt,
    libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait, libc::SYS_eventfd2, libc::SYS_ppoll,
    // files, within the folder that Landlock leaves
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64, libc::SYS_close,
    libc::SYS_openat, libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_fstatfs, libc::SYS_statfs, libc::SYS_lseek,
    libc::SYS_fcntl, libc::SYS_flock, libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_sync_file_range, libc::SYS_ftruncate,
    libc::SYS_fallocate, libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_unlinkat, libc::SYS_mkdirat, libc::SYS_getdents64,
    libc::SYS_fchmod, libc::SYS_readlinkat, libc::SYS_faccessat, libc::SYS_getcwd, libc::SYS_dup,
];

/// What only older machines' libraries ask by.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLDER_CALLS: &[i64] = &[
    libc::SYS_open, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_rename, libc::SYS_unlink, libc::SYS_rmdir, libc::SYS_mkdir,
    libc::SYS_readlink, libc::SYS_poll, libc::SYS_epoll_wait, libc::SYS_arch_prctl, libc::SYS_getdents, libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_CALLS: &[i64] = &[];

/// Calls that are allowed with some arguments only: the call, which argument, its values.
#[allow(clippy::unnecessary_cast, reason = "these are of another type with another C library")]
const ARGUMENTS: [(i64, u8, &[u64]); 3] = [
    // Whether it is a terminal; not waiting; closing at exec. Never TIOCSTI.
    (libc::SYS_ioctl, 1, &[libc::TCGETS as u64, libc::FIONBIO as u64, libc::FIOCLEX as u64]),
    // The names of threads and of mappings.
    (libc::SYS_prctl, 0, &[libc::PR_SET_NAME as u64, libc::PR_GET_NAME as u64, 0x5356_4d41]),
    // What tokio wakes itself with.
    (libc::SYS_socketpair, 0, &[libc::AF_UNIX as u64]),
];

/// Makes the folder, goes into it, and gives up everything else. Says what holds the process from now on, in words.
///
/// # Errors
/// Something could not be given up.
pub fn give_up(folder: &Path, uid: u32) -> Result<Vec<String>, RightsError> {
    let system = |what: &'static str| move |error: rustix::io::Errno| RightsError::System(what, error.into());
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let root = rustix::process::geteuid().is_root();
    take_folder(folder, root.then_some(uid)).map_err(|error| RightsError::System("its folder", error))?;
    rustix::process::chdir(folder).map_err(system("other folders"))?;
    // Others go first when processors or memory are short.
    let _ = rustix::process::nice(5);
    let landlock = landlock()?;
    leave_root(uid).map_err(|(what, error)| system(what)(error))?;
    let left = rustix::thread::capabilities(None).map_err(system("capabilities"))?;
    if !(left.permitted | left.effective | left.inheritable).is_empty() {
        return Err(RightsError::System("capabilities", io::Error::other("some are left")));
    }
    seccompiler::apply_filter(&filter()?).map_err(|error| RightsError::Seccomp(error.to_string()))?;
    let user = rustix::process::getuid().as_raw();
    let calls = SYSTEM_CALLS.len() + OLDER_CALLS.len() + ARGUMENTS.len();
    Ok(vec![
        format!("user {user}"),
        "no capabilities".into(),
        "no new privileges".into(),
        format!("seccomp: {calls} system calls"),
        landlock,
    ])
}

/// Gives up everything but reading what names are looked up with, connecting to one port, and some memory; for a process that sends a mail.
///
/// # Errors
/// Something could not be given up.
pub fn give_up_all_but_one_port(port: u16) -> Result<(), RightsError> {
    let system = |what: &'static str| move |error: rustix::io::Errno| RightsError::System(what, error.into());
    let abi = ABI::V6;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rule(NetPort::new(port, AccessNet::ConnectTcp))?
        // Names that do not fit into a datagram.
        .add_rule(NetPort::new(53, AccessNet::ConnectTcp))?;
    for folder in ["/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve", "/run/network"] {
        if let Ok(folder) = PathFd::new(folder) {
            ruleset = ruleset.add_rule(PathBeneath::new(folder, AccessFs::from_read(abi)))?;
        }
    }
    ruleset.restrict_self()?;
    bound_memory()?;
    leave_root(protocol::MAIL_USER).map_err(|(what, error)| system(what)(error))
}

/// Gives up everything but standard input and output and what memory it takes; for a process that only computes.
///
/// # Errors
/// Something could not be given up.
pub fn give_up_all(uid: u32) -> Result<(), RightsError> {
    let system = |what: &'static str| move |error: rustix::io::Errno| RightsError::System(what, error.into());
    let abi = ABI::V6;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .restrict_self()?;
    let _ = rustix::process::nice(10);
    bound_memory()?;
    leave_root(uid).map_err(|(what, error)| system(what)(error))?;
    seccompiler::apply_filter(&filter()?).map_err(|error| RightsError::Seccomp(error.to_string()))
}

/// Lets the process have this much memory and no more, whatever it reads: a server may answer with a line that never ends.
fn bound_memory() -> Result<(), RightsError> {
    let most = rustix::process::Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) };
    let refused = |error: rustix::io::Errno| RightsError::System("memory", error.into());
    rustix::process::setrlimit(rustix::process::Resource::Data, most).map_err(refused)
}

/// Becomes a user without groups, capabilities and new privileges.
fn leave_root(uid: u32) -> Result<(), (&'static str, rustix::io::Errno)> {
    if rustix::process::geteuid().is_root() {
        for number in 0..64 {
            // The kernel knows fewer than 64, and says so.
            let one = CapabilitySet::from_bits_retain(1 << number);
            if rustix::thread::remove_capability_from_bounding_set(one).is_err() {
                break;
            }
        }
        let (group, user) = (Gid::from_raw(uid), Uid::from_raw(uid));
        rustix::thread::set_thread_groups(&[]).map_err(|error| ("groups", error))?;
        rustix::thread::set_thread_res_gid(group, group, group).map_err(|error| ("its group", error))?;
        rustix::thread::set_thread_res_uid(user, user, user).map_err(|error| ("its user", error))?;
    }
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(|error| ("capabilities", error))?;
    rustix::thread::set_no_new_privs(true).map_err(|error| ("new privileges", error))
}

/// Whether this kernel has Landlock.
#[must_use]
pub fn has_landlock() -> bool {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    ruleset.handle_access(AccessFs::Execute).and_then(Ruleset::create).is_ok()
}

/// Makes the folder for its owner alone.
fn take_folder(folder: &Path, owner: Option<u32>) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    if let Some(owner) = owner {
        rustix::fs::chown(folder, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?;
    }
    Ok(())
}

/// Leaves the files below the present folder; no other file, no port, nobody else's sockets and signals.
fn landlock() -> Result<String, RightsError> {
    let abi = ABI::V6;
    let folder = PathFd::new(".").map_err(|error| RightsError::System("other files", io::Error::other(error)))?;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rule(PathBeneath::new(folder, AccessFs::from_all(abi)))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => "Landlock: its folder only".into(),
        RulesetStatus::PartiallyEnforced => "Landlock: its folder only, as far as this kernel goes".into(),
        RulesetStatus::NotEnforced => "Landlock: this kernel has none; files are guarded by the user alone".into(),
    })
}

fn filter() -> Result<BpfProgram, RightsError> {
    let wrong = |error: seccompiler::BackendError| RightsError::Seccomp(error.to_string());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        SYSTEM_CALLS.iter().chain(OLDER_CALLS).map(|call| (*call, Vec::new())).collect();
    for (call, argument, values) in ARGUMENTS {
        let rule = |value: &u64| {
            let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *value)?;
            SeccompRule::new(vec![condition])
        };
        rules.insert(call, values.iter().map(rule).collect::<Result<_, _>>().map_err(wrong)?);
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(wrong)?;
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch).map_err(wrong)?;
    filter.try_into().map_err(wrong)
}
