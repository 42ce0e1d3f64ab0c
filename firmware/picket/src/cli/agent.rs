//! What can be asked of the agent.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `picket agent --help` teaches.
pub const AGENT_HELP: &str = "On the box:\n  \
    picket sources enroll laptop7 --code         a code, for a day and once\n  \
    picket status                                the certificate's fingerprint\n\
    On the host:\n  \
    picket agent enroll --box 192.168.1.2:8443 --fingerprint SHA256 --code CODE\n  \
    picket agent show                            what it will tell, in one screen\n  \
    sudo picket agent install --watch /srv/files\n\
    Nothing that the host tells while the network is cut is lost within the spool's bound, and none comes twice.";

/// What the agent can do.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Fetch this host's token with its code, from the one box that shows this fingerprint
    ///
    /// The fingerprint makes sure that it is the box and nobody in between; from then on whatever the box's own authority signed is the box, so that a renewed certificate changes nothing.
    /// Both come from whoever runs the box.
    Enroll(AgentEnrollArgs),
    /// Run the agent until it is told to stop; systemd does that
    ///
    /// Reads the log of log-ins, accounts and groups, mounts, and the folders that are named; keeps what it has to tell on disk until the box has it.
    /// As another user than root it tells what that user may read, and watches no folders.
    Run(AgentArgs),
    /// Write a systemd unit for the agent with these arguments and start it, as root
    ///
    /// The unit gives it the rights to read logs and to watch folders and nothing else. Where systemd does not run the unit is written and nothing is
    /// started, as on an image that is being built.
    Install(AgentInstallArgs),
    /// Say in one screen, to the person at this host, what it tells, to whom, and what it does not tell
    ///
    /// It needs to read the agent's folder, and so the rights of the agent. The last line says whether the box has
    /// everything, and if not, why and how many lines wait for it.
    Show(AgentArgs),
}

/// How the agent runs.
#[derive(Clone, Debug, Args)]
pub struct AgentArgs {
    /// The folder of its enrolment and its spool
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/picket-agent")]
    pub folder: PathBuf,
    /// The log of log-ins; where it is not there, the journal is read
    #[arg(long, value_name = "FILE", default_value = "/var/log/auth.log")]
    pub log: PathBuf,
    /// A folder in which reads and writes are told, with everything below it on its mount; several may be named
    #[arg(long, value_name = "FOLDER")]
    pub watch: Vec<PathBuf>,
    /// The most that waits on disk, in octets; beyond it the oldest go, and the box is told how many
    #[arg(long, value_name = "OCTETS", default_value_t = 16 << 20, value_parser = clap::value_parser!(u64).range(1 << 20..=16 << 30))]
    pub spool: u64,
}

/// With what the agent enrols.
#[derive(Debug, Args)]
pub struct AgentEnrollArgs {
    /// The box's address and the port of its API, as 192.168.1.2:8443
    #[arg(long = "box", value_name = "ADDRESS:PORT")]
    pub at: String,
    /// SHA-256 of the box's certificate, as picket status shows it there
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: String,
    /// The code, as picket sources enroll --code printed it
    #[arg(long, value_name = "CODE")]
    pub code: String,
    /// The folder of its enrolment and its spool
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/picket-agent")]
    pub folder: PathBuf,
    /// Forget an enrolment that is there, with what waits for it
    #[arg(long)]
    pub anew: bool,
}

/// How the agent is installed.
#[derive(Debug, Args)]
pub struct AgentInstallArgs {
    /// How it is to run.
    #[command(flatten)]
    pub agent: AgentArgs,
    /// The root of another system into which the unit is written
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    pub root: PathBuf,
}
