//! The command `lab`: `test` is the gate, `demo` runs scenes, the rest is what scenes call inside namespaces.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lab::bench::{self, sender};
use lab::{clock, datagrams, demo, faults, gate, machine, pings, recordings, replayed};

/// Picket's lab: a small network in namespaces, real tools, one scene at a time.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs formatting, lints, every crate's tests and the lab's short scenes; the last line counts them.
    Test {
        /// Also runs what is marked as a long form.
        #[arg(long)]
        long: bool,
    },
    /// Runs scenes against the gateway and compares what was found with what each declares.
    Demo(demo::Options),
    /// Measures the gateway beside its peers, writes results.json and the README's table.
    Bench(bench::Options),
    /// Kills the gateway again and again under load and counts the frames that arrive.
    Kill {
        /// How often.
        #[arg(default_value_t = 100)]
        times: u32,
    },
    /// Boots the image that `make image` built in a virtual machine in the box's place, and checks what it promises.
    Machine(machine::Options),
    /// Pings through the box a thousand times a second while the gateway starts, reloads and ends, and prints the round trips.
    Ping {
        /// How many rounds; the best counts.
        #[arg(default_value_t = 3)]
        rounds: u32,
    },
    /// Sends pings at a steady pace and prints how long each answer took, in nanoseconds.
    Echo {
        /// Where to.
        to: std::net::Ipv4Addr,
        /// How many a second.
        rate: u32,
        /// A file that ends it.
        until: PathBuf,
    },
    /// Records what real tools do, drawn from recipes, for the training.
    Record(recordings::Options),
    /// Replays a folder of recorded scenes and compares what is found with the labels.
    Replay {
        /// The folder that `demo --record` wrote.
        folder: PathBuf,
    },
    /// Counts the datagrams that arrive at a port until the time is over, and prints the number.
    Count {
        /// Address and port to listen at.
        at: SocketAddr,
        /// For how long.
        seconds: f64,
        /// A file that ends it earlier.
        until: Option<PathBuf>,
    },
    /// Sends numbered datagrams at a steady pace.
    Pour {
        /// Where to.
        to: SocketAddr,
        /// How many.
        number: u32,
        /// How many a second.
        rate: u32,
        /// Octets of payload each.
        #[arg(default_value_t = 64)]
        len: usize,
        /// A file that ends it earlier.
        until: Option<PathBuf>,
    },
    /// Answers as a server of time, as far ahead of this machine's clock as is said.
    Clock {
        /// Address and port to listen at.
        at: SocketAddr,
        /// Seconds.
        ahead: u64,
    },
    /// Sends small bursts of datagrams at a steady pace.
    Burst {
        /// Where to.
        to: SocketAddr,
        /// How many.
        number: u32,
        /// How many a second.
        rate: u32,
        /// Octets of payload each.
        len: usize,
    },
    /// Sends frames of hosts that do not exist.
    Invent(sender::Invented),
    /// Writes one scene after the other to the terminal as it is declared, without running it.
    Scenes {
        /// Folder of the scene files.
        #[arg(default_value = "tests/lab/scenes")]
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Test { long } => gate::run(long),
        Command::Demo(options) => demo::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Burst { to, number, rate, len } => sender::burst(to, number, rate, len),
        Command::Invent(what) => sender::invent(&what),
        Command::Kill { times } => faults::run(times),
        Command::Machine(options) => machine::run(&options),
        Command::Echo { to, rate, until } => pings::echo(to, rate, &until),
        Command::Ping { rounds } => pings::run(rounds),
        Command::Record(options) => recordings::run(&options),
        Command::Replay { folder } => replayed::run(&folder),
        Command::Count { at, seconds, until } => datagrams::count(at, seconds, until.as_deref()),
        Command::Pour { to, number, rate, len, until } => datagrams::pour(to, number, rate, len, until.as_deref()),
        Command::Clock { at, ahead } => clock::serve(at, ahead),
        Command::Scenes { folder } => demo::list(&folder),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}
