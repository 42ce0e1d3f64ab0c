//! The command line: what can be asked, and the help that teaches it.

mod activity;
mod agent;
mod certificate;
mod flows;
mod incidents;
mod indicators;
mod policy;
mod report;
mod requests;
mod sources;
mod statistics;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use terms::{HostKey, Span};

use crate::config::duration;
use crate::control::protocol::EVENTS_MAX;
pub use activity::{ActivityArgs, ActivityCommand, ActivityTestArgs};
pub use agent::{AgentArgs, AgentCommand, AgentEnrollArgs, AgentInstallArgs};
pub use certificate::{CertificateArgs, CertificateCommand};
pub use flows::{EnforceArgs, FlowsArgs, ProposeArgs, TimemachineArgs, WatchDeviceArgs};
pub use incidents::IncidentsArgs;
pub use indicators::{IndicatorsCommand, LoadListArgs, PastArgs};
pub use policy::{DecideArgs, PolicyCommand, PostureArgs};
pub use report::{Form, ReportCommand, ReportMakeArgs};
pub use requests::RequestsCommand;
pub use sources::{SourcesArgs, SourcesCommand};
pub use statistics::StatisticsArgs;

/// What `picket model --help` teaches.
const MODEL_HELP: &str = "The binary carries its forest with it; another must be signed by a key that the binary or [model] keys names:\n  \
    picket model show                          the forest that votes here, its shadow, and how far this site is from its training\n  \
    picket model show --json | jq .features    the features that it asks, in their order\n  \
    picket model check new.model               one line, and exit status 2 for a file that may not vote here\n  \
    picket model load --dry-run new.model      which hosts' levels would differ, by their recent minutes; nothing is changed\n  \
    picket model shadow new.model --for 7d     its votes are counted and decide nothing\n  \
    picket model load new.model                it votes from the next frame on; the former is kept\n  \
    picket model revert                        the former votes again\n  \
    picket replay --why capture.pcap           what moved the vote of the forest in this binary, host by host";

/// What `picket feedback --help` teaches.
const FEEDBACK_HELP: &str = "The gateway learns from what you say at this site, and can teach the next forest:\n  \
    picket events                              what was found, with numbers\n  \
    picket feedback false-alarm 12             event 12 was nothing: quiet for 30 days, its block ends\n  \
    picket feedback right 13                   event 13 was what it says\n  \
    picket feedback export site.csv            rows for models train --rows: no addresses in them";

/// What `picket devices --help` teaches.
const DEVICES_HELP: &str = "A device is named by its number, a hardware address, an address or its name:\n  \
    picket devices list                        who is there, the last seen first\n  \
    picket devices show 192.168.1.7            one device with all that is known of it and why\n  \
    picket devices merge 3 9                   device 9 is device 3 under another hardware address";

/// What `picket replay --help` teaches.
const REPLAY_HELP: &str = "With --why the forest's lines, and every window above SAFE, say in four more keys:\n  \
    base             the share of the vote for MEDIUM and HIGH that the forest expects of any host\n  \
    contributions    how far each feature moved it; base and contributions add up to the score\n  \
    score            the share of the vote for MEDIUM and HIGH together, from 0 to 1\n  \
    counterfactual   the values of at most 5 features that would make the forest say SAFE: {} where it says so already,\n                   \
    null where 5 do not suffice";

/// How the gateway is called.
#[derive(Debug, Parser)]
#[command(
    name = "picket",
    version,
    about = "The inline gateway that finds the host that attacks, and blocks it",
    after_help = "First steps:\n  \
        picket doctor                              what this machine has, and what it lacks\n  \
        picket config show --defaults              every key, with what it means\n  \
        picket run --config /etc/picket/picket.toml\n  \
        picket replay capture.pcap                 the same pipeline on a capture; needs no rights\n\n\
        An empty configuration protects. Exit status: 0 done, 1 not done, 2 wrong call or unreadable file."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway (as root): bridge, inspect, block. SIGHUP reloads the configuration, SIGTERM ends it; the bridge
    /// forwards on in either case
    Run(RunArgs),
    /// Run captures through the same pipeline and print what it finds; nothing is blocked
    #[command(after_help = REPLAY_HELP)]
    Replay(ReplayArgs),
    /// Look at kernel, links, nftables, memory lock and clock: what is there, what is not, what is done instead
    Doctor(ClientArgs),
    /// The gateway's totals
    Status(ClientArgs),
    /// The hosts being watched, worst first
    Hosts(ClientArgs),
    /// One host: where it stands, on what that rests, what was learnt of it, what it did lately
    Explain(HostArgs),
    /// What was found and what was done about it, oldest first
    Events(EventsArgs),
    /// What devices did: who began a conversation with whom about what, how often in a minute, and how much it carried
    ///
    /// Kept as long as the history; the newest quarter of an hour is lost with the power. Names are those for which the device itself was
    /// told the address.
    Flows(FlowsArgs),
    /// Lists of addresses, networks and names that are known to be bad: load them, see them, look for them in what devices did
    #[command(subcommand, after_help = indicators::INDICATORS_HELP)]
    Indicators(IndicatorsCommand),
    /// Figures over the last hour, day, week, month or year: octets each way by device, service or protocol, findings by level or host
    ///
    /// The ten largest are named, the others are one line. What crosses the box is counted, a minute for a day, an hour for a month, a day for
    /// a year; --json prints every point.
    Statistics(StatisticsArgs),
    /// Say of an event that it was right or a false alarm, and see, take back or export what was said
    #[command(subcommand, after_help = FEEDBACK_HELP)]
    Feedback(FeedbackCommand),
    /// The blocks in force, with the time they have left
    Blocks(ClientArgs),
    /// Block a host for some time
    Block(BlockArgs),
    /// End a host's block and leave it alone for the configured grace
    Unblock(HostArgs),
    /// A live view: rates, hosts by level, last findings, blocks; q or Ctrl-C ends it
    Watch(WatchArgs),
    /// Check this binary on this machine: the forest against its golden vectors, nftables batches, the store
    SelfTest(SelfTestArgs),
    /// Check, show, load or take back a forest: the trees that vote on each host beside the rules
    #[command(subcommand, after_help = MODEL_HELP)]
    Model(ModelCommand),
    /// What is known of the devices of the network: names, addresses, maker, kind; and records that are merged, split, described or
    /// forgotten by hand
    #[command(subcommand, after_help = DEVICES_HELP)]
    Devices(DevicesCommand),
    /// Manufacturers' descriptions of devices (MUD, RFC 8520), as files
    #[command(subcommand)]
    Mud(MudCommand),
    /// The catalogue of threats: what is found, how, what hides it, and what is not found
    Threats(ThreatsArgs),
    /// The policy: who may start a conversation with whom; apply it on trial, keep it, go back
    #[command(subcommand, after_help = policy::POLICY_HELP)]
    Policy(PolicyCommand),
    /// What users ask to be let do for some time: list the requests, grant one as a rule that ends by itself, or refuse one with a note
    #[command(subcommand, after_help = requests::REQUESTS_HELP)]
    Requests(RequestsCommand),
    /// What the box does: observe, protect or enforce; also for some time
    ///
    /// With --for the change goes by itself, also after a restart: `picket posture observe --for 15m` is a pause in which nothing is
    /// dropped. Without a posture the one in force is printed.
    Posture(PostureArgs),
    /// What hosts and servers say of their users: log-ins, raised rights, files, accounts, oldest first
    ///
    /// The intake takes it in where [intake] names listeners, and keeps it for as long as the configuration says. Whatever came by plain syslog is
    /// marked unproven: anybody who reaches the listener can say anything. The time shown is when a line came; what it claims is beside it in JSON.
    #[command(after_help = activity::ACTIVITY_HELP)]
    Activity(ActivityArgs),
    /// Incidents: findings, what hosts say of their users, and denials that belong together, each as one story
    ///
    /// A story is about one account or one host and goes on for as long as something of it happens within six hours. It says what happened in order, what the box did, and what a
    /// person does next. The page and the API assign, comment, merge, close and reopen them; a closed one stays closed, and what happens later is another.
    #[command(after_help = incidents::INCIDENTS_HELP)]
    Incidents(IncidentsArgs),
    /// The agent for Linux hosts: tells the box who logs in, takes rights, changes accounts, plugs in media, reads files in bulk
    ///
    /// The same binary, on the host instead of the box. It enrols with a code that works once, sends over TLS to the one box of a fingerprint, and keeps on disk what it
    /// could not send; lines are numbered, so that the box stores each once and tells what is missing. It says to the person at the host what it reports.
    #[command(subcommand, after_help = agent::AGENT_HELP)]
    Agent(AgentCommand),
    /// Who sends logs to this box, how many lines came of each, how many are stored, and what was dropped and why
    ///
    /// Every line that came and is not stored is counted under the address that it came from, by reason; what the kernel had no room for is counted as
    /// `kernel`. The figures are those since the intake was started.
    #[command(after_help = sources::SOURCES_HELP)]
    Sources(SourcesArgs),
    /// Reports: what happened in a period, in words, counts and lists, as JSON, CSV, HTML or PDF
    #[command(subcommand)]
    Report(ReportCommand),
    /// Check or show a configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Who did what: export the audit, or prove that an export is whole
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the OpenAPI document of the admin API, as it is served
    Openapi,
    /// Start the gateway again, in the same process, as after a change of what its configuration's file says
    ///
    /// The bridge forwards on meanwhile under the last ruleset, and blocks stand. It answers again within seconds.
    Restart(ClientArgs),
    /// Switch the box off. No traffic crosses it from then on, until somebody switches it on again
    ///
    /// Only the card image can: what is on flash is brought to rest, then the kernel switches off. On any other system the command is refused,
    /// because the machine is not Picket's; use what that system has, as systemctl poweroff.
    Shutdown(ClientArgs),
    /// The certificates that the API serves: see them, install one for names of your own, take it away again
    ///
    /// The box's own certificate is made at the first start and anew when the box's addresses change. One that is installed is shown to whoever asks by one of its
    /// names; at every address and as picket.local the box goes on to show its own, so that nobody can be cut off by it.
    #[command(after_help = certificate::CERTIFICATE_HELP)]
    Certificate(CertificateArgs),
    /// Make an account a superadmin again, because nobody who could is left; for whoever stands at the box
    ///
    /// Prints a one-time code with which its owner sets a password; the account's password, second factor and sessions go, and the act is
    /// in the audit. An address that has no account gets one. Only root at the box itself can do it.
    Recover {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The account's e-mail address
        email: String,
    },
    /// The process that sends one mail, which `picket run` starts
    #[command(hide = true)]
    Mail,
    /// The process that posts one message to a receiver, which `picket run` starts
    #[command(hide = true)]
    Poster,
    /// The process that makes one report, which `picket run` starts
    #[command(hide = true)]
    Reporter,
    /// The API's own process, which `picket run` starts
    #[command(hide = true)]
    Api,
    /// The intake's own process, which `picket run` starts
    #[command(hide = true)]
    Intake,
}

/// What can be done with the audit.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Write every record to a new file, one JSON object a line, the signed trailer last
    Export {
        /// The gateway's configuration, for its socket [default: /etc/picket/picket.toml if there is one, else the defaults]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Say whether an export is whole; needs the file alone, no gateway
    Verify {
        /// The file
        file: PathBuf,
        /// The box's key as `picket audit export` prints it; a file signed with another one is refused
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

/// The arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The configuration [default: /etc/picket/picket.toml if there is one, else the defaults]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Captures: pcap or pcapng, plain, .gz or .zst; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Take detection thresholds from this configuration instead of the defaults
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say why the forest votes as it does, and what would change its mind
    #[arg(long)]
    pub why: bool,
    /// Look for what is on this list of indicators too, and hold Medium against who has to do with it; as often as wanted
    #[arg(long, value_name = "LIST")]
    pub indicators: Vec<PathBuf>,
}

/// The arguments of `threats`.
#[derive(Debug, Args)]
pub struct ThreatsArgs {
    /// One family, with all that is known of it
    #[arg(value_name = "FAMILY")]
    pub family: Option<String>,
    /// Print JSON: one array
    #[arg(long)]
    pub json: bool,
    /// Print the text that stands in the tree
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// How `replay` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line: windows and findings as they are decided, then the summary
    Jsonl,
    /// The summary alone, as one JSON object
    Summary,
    /// Findings and totals for people
    Text,
}

/// The arguments of every command that asks a running gateway.
#[derive(Clone, Debug, Args)]
pub struct ClientArgs {
    /// The gateway's configuration, for its socket [default: /etc/picket/picket.toml if there is one, else the defaults]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON: one array, or one object
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `events`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct EventsArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// At most so many, the newest
    #[arg(long, value_name = "N", default_value_t = EVENTS_MAX, value_parser = clap::value_parser!(u32).range(1..=i64::from(EVENTS_MAX)))]
    pub limit: u32,
    /// Only those after this time, in seconds since the epoch
    #[arg(long, value_name = "T")]
    pub since: Option<f64>,
    /// One event rather than the list.
    #[command(subcommand)]
    pub one: Option<EventsCommand>,
}

/// What can be asked about one event.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// One event with its evidence, in numbers and in frames
    Show(EventArgs),
}

/// The arguments of `events show`.
#[derive(Debug, Args)]
pub struct EventArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The event's number, as `picket events` prints it
    pub id: u64,
    /// Write its frames to this new capture file
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
}

/// The arguments of `block`.
#[derive(Debug, Args)]
pub struct BlockArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// An IPv4, IPv6 or hardware address
    #[arg(value_parser = host)]
    pub host: HostKey,
    /// For how long: 30s, 10m, 1h, 7d [default: the configured block_for]
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub lasts: Option<Span>,
    /// Why, for those who read the list later
    #[arg(long, value_name = "TEXT", default_value = "blocked by hand")]
    pub why: String,
}

/// The arguments of commands about one host.
#[derive(Debug, Args)]
pub struct HostArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// An IPv4, IPv6 or hardware address
    #[arg(value_parser = host)]
    pub host: HostKey,
}

/// What can be said of events, and done with what was said.
#[derive(Debug, Subcommand)]
pub enum FeedbackCommand {
    /// The event was a false alarm: its family is quiet for its host for some time, its numbers are usual for the host from now on,
    /// and a block that the gateway decided ends
    FalseAlarm {
        /// Which event.
        #[command(flatten)]
        of: FeedbackArgs,
        /// For how long its family is quiet for its host: 12h, 30d
        #[arg(long = "for", value_name = "TIME", value_parser = span, default_value = "30d")]
        lasts: Span,
    },
    /// The event was right: it is kept as an example for the next forest
    Right(FeedbackArgs),
    /// Take back what was said of an event; what became usual for the host stays so
    Undo(FeedbackArgs),
    /// All that was said and is kept
    List(ClientArgs),
    /// Write what was said to a new CSV file of training rows: features and verdicts, no addresses
    Export {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The file
        file: PathBuf,
    },
}

/// An event of which something is said.
#[derive(Debug, Args)]
pub struct FeedbackArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The event's number, as `picket events` prints it
    pub id: u64,
}

/// The arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// Measure for a second, print one screen and end
    #[arg(long)]
    pub once: bool,
}

/// The arguments of `self-test`.
#[derive(Debug, Args)]
pub struct SelfTestArgs {
    /// Attack a small network of this command's own with a port scan, through the gateway's own ring, inspector, enforcer and kernel
    /// table, and see it found and blocked while another host's frames pass; nothing of it reaches a real link. Needs root
    #[arg(long)]
    pub protects: bool,
    /// Print JSON: one array
    #[arg(long)]
    pub json: bool,
}

/// What can be done with a forest.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Say in one line what a file of a forest holds, or why it may not vote here: damage, no signature, a key that is not trusted
    Check {
        /// The file
        file: PathBuf,
        /// Take the trusted keys from this configuration [default: /etc/picket/picket.toml if there is one]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print what a forest is: its size, the features that it asks, the rows that it learnt from
    Show(ShowArgs),
    /// Have the running gateway vote by the forest in this file; nothing is lost meanwhile, and the former forest is kept
    Load(LoadArgs),
    /// Have the running gateway vote by the former forest again
    Revert(ClientArgs),
    /// Have a forest vote beside the one in force: it is counted what it would have said, and nothing follows from that
    Shadow(ShadowArgs),
}

/// The arguments of `model show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Print JSON: one object
    #[arg(long)]
    pub json: bool,
    /// The configuration that names the socket and the trusted keys [default: /etc/picket/picket.toml if there is one]
    #[arg(long = "config", value_name = "CONFIG")]
    pub config: Option<PathBuf>,
    /// A file [default: the forest that votes in the running gateway, else the one in this binary]
    pub file: Option<PathBuf>,
}

/// The arguments of `model load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The file
    #[arg(value_name = "MODEL")]
    pub file: PathBuf,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The arguments of `model shadow`.
#[derive(Debug, Args)]
pub struct ShadowArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// The file
    #[arg(value_name = "MODEL", required_unless_present = "stop", conflicts_with = "stop")]
    pub file: Option<PathBuf>,
    /// For how long: 12h, 7d; a restart of the gateway ends it too
    #[arg(long = "for", value_name = "TIME", value_parser = span, default_value = "7d")]
    pub lasts: Span,
    /// End it, and print what was counted
    #[arg(long)]
    pub stop: bool,
}

/// What can be asked of devices, and done to their records.
#[derive(Debug, Subcommand)]
pub enum DevicesCommand {
    /// Every device that is known, the last seen first: its name, hardware addresses, addresses, maker, probable kind, side and state,
    /// and when it was first and last seen
    List(ClientArgs),
    /// One device with all that is known of it: every name and who told it, what its kind was guessed from, what contradicts, and which
    /// device it may be under a fresh hardware address
    Show(DeviceArgs),
    /// Approve a device: rules allow it what they say
    ///
    /// Makes a new version of the policy in which the device is approved. A device that the policy does not know yet is added under the
    /// name that --name gives, with the hardware address by which it was seen.
    Approve(DecideArgs),
    /// Put a device in quarantine: it has the starter set and nothing else
    ///
    /// It gets an address, the network's own DNS and the time, and may begin nothing else, whatever rules say; what it had begun is cut. This
    /// holds in the postures protect and enforce, and is undone by approving it.
    Quarantine(DecideArgs),
    /// Cut a device off: nothing passes from it or to it
    ///
    /// Everything it had begun is cut at once. This holds in the postures protect and enforce, until it is approved again; a host that was
    /// found to attack is blocked by `picket block` instead, for some time.
    Block(DecideArgs),
    /// Make two records one, because they are one device: the first keeps its number and what was written of it, and gets the other's
    /// hardware addresses, addresses and names; rights are not merged by it
    Merge {
        /// The record that stays.
        #[command(flatten)]
        device: DeviceArgs,
        /// The record that goes
        #[arg(value_name = "WITH")]
        with: String,
    },
    /// Take one of several hardware addresses off a device, because it is another one: it gets a record and a number of its own, of which
    /// nothing is known yet
    Split {
        /// Whose hardware address.
        #[command(flatten)]
        device: DeviceArgs,
        /// The hardware address
        #[arg(value_name = "MAC")]
        mac: String,
    },
    /// Write down what a person knows of a device: the name that it is shown under from now on, whose it is, its groups and tags, and
    /// notes for those who come later; empty text takes away
    Describe {
        /// Which.
        #[command(flatten)]
        device: DeviceArgs,
        /// Its name
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// Whose it is; an account's e-mail address or user name lets that account see it
        #[arg(long, value_name = "WHO")]
        owner: Option<String>,
        /// A group that it is in from now on, in place of those before; may be given several times
        #[arg(long = "group", value_name = "NAME")]
        groups: Option<Vec<String>>,
        /// A tag, in place of those before; may be given several times
        #[arg(long = "tag", value_name = "WORD")]
        tags: Option<Vec<String>>,
        /// Notes
        #[arg(long, value_name = "TEXT")]
        notes: Option<String>,
    },
    /// Say which rules a device needs to go on with what it did: the smallest readable set, as text for the policy
    ///
    /// Names come before addresses; what is wider than what was seen says why in its comment. What the other side began, and what the
    /// device did while a finding stood against it, makes no rule and is counted. Nothing is changed by it.
    Propose(ProposeArgs),
    /// Watch a device as if it were held to its rules: nothing is cut, and what would have been is told
    ///
    /// A device without rules gets those that `devices propose` makes. Said again, it tells which conversations would have been cut since
    /// then, why, and the rule that would allow each. --stop ends it.
    Shadow(WatchDeviceArgs),
    /// Hold a device to its rules from now on, after a summary of what its shadow saw and for how long
    ///
    /// Whatever its rules do not allow is dropped, also while the box protects rather than enforces. With --confirm-within it goes by
    /// itself unless `policy confirm` follows.
    Enforce(EnforceArgs),
    /// Forget a device and all that was learnt and written of it, as when it was given away; if it comes again it is a new one, with another
    /// number
    Forget(DeviceArgs),
}

/// The arguments of commands about one device.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// Its number, a hardware address, an address or its name
    #[arg(value_name = "DEVICE")]
    pub device: String,
}

/// What can be done with descriptions of devices.
#[derive(Debug, Subcommand)]
pub enum MudCommand {
    /// Write a device's rules as a manufacturer's description (RFC 8519), which other networks can read
    ///
    /// What such a file cannot tell, as denies, times and devices by name, is said on standard error and left out. A dash writes to
    /// standard output.
    Write {
        /// How to ask.
        #[command(flatten)]
        client: ClientArgs,
        /// The device's name in the policy
        device: String,
        /// The file
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Print the rules that a manufacturer's description becomes, in the form of RFC 8519 or of the drafts. Needs no running gateway. A file
    /// that is not whole, too long or says what no rule can tell is refused with line and member
    Read {
        /// Print JSON: one object
        #[arg(long)]
        json: bool,
        /// The file
        file: PathBuf,
    },
}

/// What can be done with a configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether a file is a configuration, and if not, what is wrong on which line
    Check {
        /// The file
        file: PathBuf,
    },
    /// Print every key with its value, its meaning, and who set it
    Show {
        /// The values in force with this file [default: /etc/picket/picket.toml if there is one]
        #[arg(long, value_name = "FILE", conflicts_with = "defaults")]
        config: Option<PathBuf>,
        /// The values that hold where a file says nothing
        #[arg(long)]
        defaults: bool,
    },
}

/// Reads a host's address.
fn host(text: &str) -> Result<HostKey, String> {
    text.parse()
        .map_err(|_| "expected an IPv4, IPv6 or hardware address, as in 192.168.1.7 or 02:5a:10:00:00:01".into())
}

/// Reads a duration that is not nothing.
fn span(text: &str) -> Result<Span, String> {
    let span = duration::parse(text).filter(|span| *span > Span::ZERO);
    span.ok_or_else(|| "expected a whole number with s, m, h or d, as in 30s, 10m, 1h".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(words.split(' ')).map(|cli| cli.command)
    }

    #[test]
    fn the_commands_are_well_formed() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_block_takes_its_arguments_in_any_order() {
        for words in
            ["picket block 10.0.0.1 --for 5s --json --config a", "picket block --config a --json --for 5s 10.0.0.1"]
        {
            let Ok(Command::Block(args)) = call(words) else { panic!("{words}") };
            assert_eq!((args.lasts, args.client.json), (Some(Span::from_secs(5)), true));
        }
    }

    #[test]
    fn an_event_is_shown_with_its_own_arguments() {
        let Ok(Command::Events(args)) = call("picket events show 7 --pcap x.pcap --config a") else {
            panic!("events show")
        };
        let Some(EventsCommand::Show(one)) = args.one else { panic!("show") };
        assert_eq!((one.id, one.client.config), (7, Some("a".into())));
    }

    #[test]
    fn a_wrong_address_or_duration_is_refused_at_the_door() {
        for words in [
            "picket block ten",
            "picket block 10.0.0.1 --for 0s",
            "picket block 10.0.0.1 --for 10",
            "picket events --limit 0",
            "picket replay",
            "picket model",
            "picket model check",
            "picket model load",
            "picket model shadow",
            "picket model shadow new.model --stop",
            "picket model shadow new.model --for 0s",
            "picket feedback",
            "picket feedback false-alarm",
            "picket feedback false-alarm 7 --for 0s",
            "picket explain",
        ] {
            assert!(call(words).is_err(), "{words}");
        }
    }
}
