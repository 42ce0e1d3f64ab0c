//! How a run ends, and whether the box can be switched off with it.
//!
//! The gateway switches nothing off itself: it ends with an exit status by which the image's init knows that this was meant. Under any
//! other supervisor the machine is not Picket's to switch off, and the wish is refused.

use std::process::ExitCode;
use std::sync::Mutex;

use tokio::sync::Notify;

/// What the image's init sets in the gateway's environment: it switches the box off when the gateway ends with `OFF`.
const SWITCH: &str = "PICKET_SWITCH";
/// The exit status that says so; `image/init` knows the same.
const OFF: u8 = 100;
/// Why not.
pub const CANNOT: &str = "this box is not switched off by Picket but by its own system, as by systemctl poweroff";

/// How a run that went well ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// By a signal.
    #[default]
    Asked,
    /// To start again.
    Again,
    /// To have the box switched off.
    Off,
}

/// Rung when somebody wants the run to end.
#[derive(Default)]
pub struct Ending {
    /// How.
    pub how: Mutex<End>,
    /// That.
    pub wanted: Notify,
}

/// Whether whoever started the gateway switches the box off for it.
pub fn can_switch_off() -> bool {
    std::env::var_os(SWITCH).is_some()
}

/// The exit status with which the box is switched off.
pub fn off() -> ExitCode {
    ExitCode::from(OFF)
}
