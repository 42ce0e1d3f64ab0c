//! Whether someone asked the lab to end (Ctrl-C, or a polite kill).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Begins to listen. From now on SIGINT and SIGTERM only set the flag, so that namespaces are removed on the way out.
///
/// # Errors
/// When the signals can't be caught.
pub fn listen() -> anyhow::Result<()> {
    let flag = ASKED.get_or_init(|| Arc::new(AtomicBool::new(false)));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

/// Whether the lab should end now.
#[must_use]
pub fn asked() -> bool {
    ASKED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}
