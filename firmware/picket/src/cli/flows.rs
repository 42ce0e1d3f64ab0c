//! The arguments of `flows`, and of what is tried against them.

use std::path::PathBuf;

use clap::Args;
use terms::Span;

use super::{ClientArgs, span};

/// The arguments of `flows`.
#[derive(Debug, Args)]
pub struct FlowsArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// Only those of a device: its name in the policy, or its hardware or IP address
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// How far back: 15m, 8h, 7d
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "1h")]
    pub last: Span,
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
}

/// How far back flows are looked at.
#[derive(Clone, Copy, Debug, Args)]
pub struct Past {
    /// Only flows of so many days
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3_650))]
    days: u16,
}

impl Past {
    /// As a length of time.
    pub fn span(self) -> Span {
        Span::from_secs(u64::from(self.days) * 86_400)
    }
}

/// The arguments of `policy timemachine`.
#[derive(Debug, Args)]
pub struct TimemachineArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The policy to try
    pub file: PathBuf,
    /// How far back.
    #[command(flatten)]
    pub past: Past,
}

/// The arguments of `devices propose`.
#[derive(Debug, Args)]
pub struct ProposeArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The device: its name in the policy, or its hardware or IP address
    pub device: String,
    /// How far back.
    #[command(flatten)]
    pub past: Past,
}

/// The arguments of `devices shadow`.
#[derive(Debug, Args)]
pub struct WatchDeviceArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The device: its name in the policy, or its hardware or IP address
    pub device: String,
    /// How far back the proposal looks, where the device has no rules yet.
    #[command(flatten)]
    pub past: Past,
    /// End the shadow; the device's rules stay
    #[arg(long)]
    pub stop: bool,
}

/// The arguments of `devices enforce`.
#[derive(Debug, Args)]
pub struct EnforceArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The device: its name in the policy, or its hardware or IP address
    pub device: String,
    /// The policy before comes back after so many seconds, or a time as 2m, unless it is confirmed
    #[arg(long, value_name = "SECONDS", value_parser = super::policy::seconds)]
    pub confirm_within: Option<Span>,
}
