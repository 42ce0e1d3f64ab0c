//! The log: for people on a terminal, JSON lines otherwise. Nothing is logged per packet.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts the log. `PICKET_LOG` chooses the level (`info` without it), as in `PICKET_LOG=debug`.
pub fn start() {
    let filter = EnvFilter::try_from_env("PICKET_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = if io::stderr().is_terminal() { log.with_target(false).try_init() } else { log.json().try_init() };
    if started.is_err() {
        eprintln!("picket: the log was started before");
    }
}
