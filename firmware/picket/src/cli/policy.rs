//! The arguments of `policy`, `posture` and of what is decided about devices.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use terms::{Posture, Span, Timestamp};

use super::{ClientArgs, TimemachineArgs, span};

/// What `picket policy --help` teaches.
pub const POLICY_HELP: &str = "A policy is a text: devices, and who may start a conversation with whom.\n  \
    picket policy export policy.toml                        the one in force, to edit\n  \
    picket policy check policy.toml                         what is wrong with it, line by line\n  \
    picket policy diff policy.toml                          what it would change\n  \
    picket policy apply policy.toml --confirm-within 120    goes by itself in two minutes, unless\n  \
    picket policy confirm                                   says that it works\n  \
    picket policy explain camera-2 192.168.1.1 tcp/443      which rule lets it pass, or cuts it";

/// What can be done with the policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print the policy in force as text, with the rules that every policy has as comments
    ///
    /// The text is the same that `apply` takes. What is printed as comments are the built-in rules of the starter set: address
    /// resolution, DHCP, the network's own DNS and time.
    Show(ClientArgs),
    /// Say whether a conversation would pass, and which rule says so
    ///
    /// Names the rule that decides, with its owner and comment, or the default where no rule does. FROM and TO are devices of the policy
    /// or addresses, TO can be a host's name; SERVICE is as in rules: tcp/443, udp/53, ping.
    Explain {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// Who begins: a device's name, or an IP or hardware address
        from: String,
        /// With whom: a device's name, an address, or a host's name
        to: String,
        /// About what: tcp/443, udp/53, ping, ip/47
        service: String,
        /// When: seconds since the epoch, or as 2026-12-24T18:00:00Z [default: now]
        #[arg(long, value_name = "TIME", value_parser = moment)]
        at: Option<Timestamp>,
    },
    /// Say what a file would change: devices and rules that would go, and that would come
    ///
    /// Compares the policy in force with the file, table by table: lines with a minus are in force and not in the file, lines with a
    /// plus are new. Nothing is changed by it.
    Diff {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The policy to compare with
        file: PathBuf,
    },
    /// Say what a file would have cut, and let pass, of what devices really did
    ///
    /// Every conversation of the last days is asked of the file and of the policy in force; where they differ it is told by device, with
    /// the rule that decides, how often, and the rule that would allow it. Nothing is changed by it.
    Timemachine(TimemachineArgs),
    /// Say whether a file is a policy, and if not, what is wrong on which line
    ///
    /// Needs no running gateway. Every fault is one line with the file's name, the line's number, the key and the value; the exit
    /// status is 2 then, and nothing of the file would be taken.
    Check {
        /// Taken for the sake of scripts that give it to every command; nobody is asked
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The file
        file: PathBuf,
    },
    /// Put a policy in force, on trial if --confirm-within is given
    ///
    /// The policy before comes back by itself unless `policy confirm` follows in time: also when the gateway is killed, the machine
    /// restarts or its clock is set meanwhile. Answers once the kernel holds the rules. A policy that leaves approved devices no way to
    /// the router is refused.
    Apply {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The policy
        file: PathBuf,
        /// The policy before comes back after so many seconds, or a time as 2m, unless it is confirmed
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        confirm_within: Option<Span>,
        /// Why, for those who read the history later
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
        /// Apply it although it leaves approved devices no way to the router
        #[arg(long)]
        force: bool,
    },
    /// Let a device begin one kind of conversation, for an hour unless another time is said
    ///
    /// Adds a rule to the policy in force that ends by itself, and its conversations with it; with --always it stays. FROM is a device of
    /// the policy, TO and SERVICE are as in rules. What the gateway told as denied stands in `picket events`, in these words.
    Allow {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// Who may begin: a device's or a group's name
        from: String,
        /// With whom: internet, a device's name, an address, a network, or a host's name
        to: String,
        /// About what: tcp/443, https, ping, any
        service: String,
        /// For how long, as 30m, 1h or 2d
        #[arg(long = "for", value_name = "TIME", value_parser = span, default_value = "1h")]
        lasts: Span,
        /// For good
        #[arg(long, conflicts_with = "lasts")]
        always: bool,
        /// Why, for those who read the history later
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Give a device the rules that people ask for most; without arguments list what there is
    ///
    /// The rules are printed, and put in force with --apply: the policy in force with these behind it. Some presets need to be told more
    /// by --with: the hosts of a maker's cloud, the recorder of a camera, the networks that print.
    Preset {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// Which one: internet-only, local-only, no-internet, vendor-cloud, printer, camera-to-recorder
        preset: Option<String>,
        /// A device of the policy
        #[arg(requires = "preset")]
        device: Option<String>,
        /// What the preset needs besides; can be said several times
        #[arg(long, value_name = "TEXT")]
        with: Vec<String>,
        /// Put the rules in force
        #[arg(long, requires = "device")]
        apply: bool,
    },
    /// Keep the policy that is on trial, so that it does not go by itself
    ///
    /// Only who applied it can confirm it. Try first that what must work does: the trial goes on until it is confirmed, reverted, or its
    /// time is over.
    Confirm(ClientArgs),
    /// Go back: end a trial, or return to the policy before, or to a version
    ///
    /// Without a version a trial ends at once; without a trial the newest policy that says something else comes back. The history keeps
    /// what was left, so that a revert can be undone by another.
    Revert {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The version, as `policy history` lists it [default: the one before]
        version: Option<u64>,
        /// Why, for those who read the history later
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// List every version with its time, author, act and reason; automatic reverts too
    ///
    /// The newest 500 versions are kept, each with its whole text (see --json). The one that holds now is marked with a star, a trial
    /// that ended by itself is listed as a revert.
    History(ClientArgs),
    /// Write the policy in force to a file, as text that `check`, `diff` and `apply` take
    ///
    /// The text is complete: devices, groups, lists, rules and schedules. Keep it in version control, edit it, or take it to another box. A
    /// dash writes to standard output.
    Export {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The file; - is standard output
        file: PathBuf,
    },
    /// Put a policy from a file in force for good, without a trial
    ///
    /// The same as `apply` without --confirm-within, for scripts and for a box that is set up from a file. The history keeps the policy
    /// before it, so that `policy revert` brings it back.
    Import {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The policy
        file: PathBuf,
        /// Why, for those who read the history later
        #[arg(long, value_name = "TEXT", default_value = "imported")]
        why: String,
    },
}

/// The arguments of `posture`.
#[derive(Debug, Args)]
pub struct PostureArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// What the box does from now on; without it the posture in force is printed
    pub posture: Option<PostureName>,
    /// For how long: 15m, 1h; then it is again as before, also after a restart
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub lasts: Option<Span>,
    /// Why, for those who read the history later
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub why: String,
}

/// A posture on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PostureName {
    /// Nothing is dropped; what would have been is told
    Observe,
    /// Flagged hosts are blocked, the rest flows
    Protect,
    /// Only what the policy allows passes, and flagged hosts are blocked
    Enforce,
}

/// The arguments of what is decided about a device.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// Its name in the policy, or its hardware or IP address
    pub device: String,
    /// The name that it gets in the policy
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Why, for those who read the history later
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub why: String,
}

impl From<PostureName> for Posture {
    fn from(name: PostureName) -> Self {
        match name {
            PostureName::Observe => Self::Observe,
            PostureName::Protect => Self::Protect,
            PostureName::Enforce => Self::Enforce,
        }
    }
}

/// Seconds as a plain number, or a duration.
pub(super) fn seconds(text: &str) -> Result<Span, String> {
    match text.parse::<u32>() {
        Ok(secs) if secs > 0 => Ok(Span::from_secs(u64::from(secs))),
        _ => span(text).map_err(|_| "expected seconds, or a time as 2m".into()),
    }
}

/// Seconds since the epoch, or a date and time.
fn moment(text: &str) -> Result<Timestamp, String> {
    let secs = text.parse::<u32>().ok().map(|secs| Timestamp::from_secs(u64::from(secs)));
    let written = || policy::text::moment(text);
    secs.or_else(written).ok_or_else(|| "expected seconds since the epoch, or a time as 2026-12-24T18:00:00Z".into())
}
