//! What keeps glibc's allocator from holding on to memory that was given back.
//!
//! As it is, each thread would keep an arena of its own, and in it whatever large was freed there last: in the API process the 19 MiB of the
//! last password that each thread hashed, in the gateway's the news of several seconds. musl's allocator, which the card image has,
//! reads none of these settings and keeps nothing so large.

#[cfg(target_env = "gnu")]
use std::os::unix::process::CommandExt;
#[cfg(target_env = "gnu")]
use std::process::Command;

/// The settings. They are read when a program starts, and only then.
pub const SETTINGS: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "262144")];

/// Has this program start anew in its own place, with its number and its name, where it was started without the settings. Where that is
/// refused it goes on as it is.
#[cfg(target_env = "gnu")]
pub fn settle() {
    if SETTINGS.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
        return;
    }
    let mut words = std::env::args_os();
    if let (Ok(own), Some(name)) = (std::env::current_exe(), words.next()) {
        let refused = Command::new(own).arg0(name).args(words).envs(SETTINGS).exec();
        tracing::warn!("the gateway goes on with the allocator as it is: {refused}");
    }
}

/// Here nothing needs to be settled.
#[cfg(not(target_env = "gnu"))]
pub const fn settle() {}
