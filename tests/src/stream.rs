//! Numbered frames that cross the box at a steady pace while something else is done to it: what was sent and what arrived.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::network::{Network, SERVER};
use crate::process::Process;

/// Who sends them; what it does is a flood, and meant, so it stands on the never-block list of whoever uses this.
pub const FROM: &str = "h4";
/// Where the datagrams go.
const PORT: u16 = 4011;
/// Datagrams a second: 2,000 more than what must be reached, since a pause of the sender is not made up for.
const RATE: u32 = 22_000;
/// The least number a second for a count to be one.
pub const LEAST: f64 = 20_000.0;
/// The longest that it may take, seconds: the receiver counts until it is told to stop, and no longer than this.
const LONGEST: u32 = 2 * 3_600;

/// A sender and a receiver that run.
pub struct Stream {
    sender: Process,
    counter: Process,
    stop: PathBuf,
    sent: PathBuf,
    got: PathBuf,
    begun: Instant,
    spoilt: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Datagrams that the sender's kernel took.
    pub sent: u64,
    /// Different datagrams that arrived.
    pub received: u64,
    /// Seconds that the sender took.
    pub seconds: f64,
    /// Frames that the machine's kernel dropped meanwhile because it was too busy, whoever's they were.
    pub spoilt: u64,
}

impl Stream {
    /// Starts the receiver, then the sender.
    ///
    /// # Errors
    /// When one of them can't be started.
    pub fn start(network: &Network, folder: &Path) -> Result<Self> {
        let [stop, sent, got] = ["stop", "sent", "got"].map(|name| folder.join(name));
        for file in [&stop, &sent, &got] {
            let _ = fs::remove_file(file);
        }
        let (lab, until) = (folder.join("lab").display().to_string(), stop.display().to_string());
        let count = format!("exec {lab} count 0.0.0.0:{PORT} {LONGEST} {until}");
        let counter = network.space("inet")?.start(&count, &got)?;
        listens(network)?;
        let spoilt = spoilers()?;
        let pour = format!("exec {lab} pour {SERVER}:{PORT} 60000000 {RATE} 64 {until}");
        let sender = network.space(FROM)?.start(&pour, &sent)?;
        Ok(Self { sender, counter, stop, sent, got, begun: Instant::now(), spoilt })
    }

    /// Seconds since it began.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Ends both and counts.
    ///
    /// # Errors
    /// When they do not end or tell no number.
    pub fn end(mut self) -> Result<Counted> {
        fs::write(&self.stop, "")?;
        let seconds = self.seconds();
        let sent = number(&mut self.sender, &self.sent)?;
        let received = number(&mut self.counter, &self.got)?;
        Ok(Counted { sent, received, seconds, spoilt: spoilers()? - self.spoilt })
    }
}

impl Counted {
    /// Datagrams a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.sent as f64 / self.seconds
    }
}

/// Waits until somebody listens at the port: what is sent earlier counts as lost.
fn listens(network: &Network) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(10);
    let receiver = network.space("inet")?;
    while receiver.shell(&format!("ss -Hlun sport = :{PORT}"))?.is_empty() {
        ensure!(Instant::now() < until && !crate::stop::asked(), "the receiver of numbered frames does not listen");
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn number(process: &mut Process, file: &Path) -> Result<u64> {
    process.wait(Duration::from_secs(30)).with_context(|| format!("{} does not end", process.what()))?;
    fs::read_to_string(file)?.trim().parse().context("a count is no number")
}

/// Frames that this machine's kernel dropped because it was too busy: the second column of each processor's line.
fn spoilers() -> Result<u64> {
    let text = fs::read_to_string("/proc/net/softnet_stat")?;
    Ok(text.lines().filter_map(|line| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok()).sum())
}
