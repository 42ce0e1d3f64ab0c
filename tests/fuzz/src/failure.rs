//! Panics as data, and inputs that failed as files.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

thread_local! {
    /// The words of this thread's last panic, while it runs under [`catch`].
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the words of a panic for [`catch`] rather than printing them.
pub fn listen() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_caught = LAST
            .with_borrow_mut(|last| last.as_mut().map(|words| *words = info.to_string().replace('\n', " ")).is_some());
        if !is_caught {
            print(info);
        }
    }));
}

/// What `run` gives, or where it panicked.
pub fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    LAST.set(Some(String::new()));
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    let words = LAST.take().unwrap_or_default();
    outcome.map_err(|_| words)
}

/// Saves an input that failed in `corpus/TARGET` of this package (without cargo: of the current folder) and tells where.
pub fn save(target: &str, input: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into());
    let folder = Path::new(&package).join("corpus").join(target);
    let path = folder.join(format!("{:016x}", hasher.finish()));
    match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, input)) {
        Ok(()) => path,
        Err(error) => {
            eprintln!("fuzz: {}: cannot be saved: {error}; the seed brings it back", path.display());
            path
        }
    }
}
