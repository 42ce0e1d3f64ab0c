//! A file in memory for readers that want a path.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

thread_local! {
    static SCRATCH: OnceCell<Scratch> = const { OnceCell::new() };
}

static FILES: AtomicU32 = AtomicU32::new(0);

/// One file a thread, removed with the thread.
struct Scratch(PathBuf);

/// Writes the octets to the thread's file and lends its path.
pub fn with<T>(octets: &[u8], read: impl FnOnce(&Path) -> T) -> T {
    SCRATCH.with(|cell| {
        let Scratch(path) = cell.get_or_init(Scratch::new);
        if let Err(error) = std::fs::write(path, octets) {
            panic!("{}: {error}", path.display());
        }
        read(path)
    })
}

impl Scratch {
    fn new() -> Self {
        let shared = Path::new("/dev/shm");
        let folder = if shared.is_dir() { shared.into() } else { std::env::temp_dir() };
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        Self(folder.join(format!("picket-fuzz-{}-{number}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = std::fs::remove_file(&self.0);
    }
}
