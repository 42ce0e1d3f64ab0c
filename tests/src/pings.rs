//! Pings through the box, a thousand a second, while the gateway starts, takes another configuration and ends.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::net::{AddressFamily, SocketType, ipproto, socket};
use toml::Table;

use crate::gateway::Gateway;
use crate::namespace::Namespace;
use crate::network::{Network, ROUTER};
use crate::process::Process;
use crate::site::Site;

/// Pings a second.
const RATE: u32 = 1_000;
/// How long each part of a series lasts: before the start, running, running on a new configuration, after the end.
const PART: Duration = Duration::from_millis(1_500);
/// How long an answer is waited for after the last ping: an emulated box answers late, and late is not lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the reader of answers looks whether that was all.
const TURN: Duration = Duration::from_millis(50);
/// Who pings; it is on the never-block list, so that its pings are no offence.
const FROM: &str = "h6";

/// The round trips of one series of pings.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Pings sent.
    pub sent: u32,
    /// Answers that came.
    pub received: u32,
    /// Round trips in milliseconds, shortest first.
    pub times: Vec<f64>,
}

/// Two series side by side: over the plain bridge, and across start, reload and end of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// Without a gateway.
    pub plain: Series,
    /// With a gateway that starts, is told to read its configuration anew, and is told to end.
    pub across: Series,
}

impl Series {
    /// The round trip that so many of a hundred do not exceed.
    ///
    /// **Units**: milliseconds; zero without any answer.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> f64 {
        let last = self.times.len().saturating_sub(1);
        self.times.get(last * percent / 100).copied().unwrap_or(0.0)
    }

    /// Pings without an answer.
    #[must_use]
    pub const fn lost(&self) -> u32 {
        self.sent.saturating_sub(self.received)
    }
}

impl Round {
    /// What the gateway adds to the round trip that 99 of 100 pings do not exceed, in milliseconds.
    #[must_use]
    pub fn added_p99(&self) -> f64 {
        self.across.percentile(99) - self.plain.percentile(99)
    }
}

/// Builds a lab, measures and prints.
///
/// # Errors
/// When the lab can't be built or a ping is lost.
pub fn run(rounds: u32) -> Result<ExitCode> {
    crate::stop::listen()?;
    let site = Site::build(false)?;
    let measured = added_p99(site.network(), site.folder(), rounds)?;
    for Round { plain, across } in &measured {
        println!(
            "pings: {} in the plain series; plain p50 {:.3} p99 {:.3} max {:.3} ms; across start, reload and stop p50 {:.3} p99 {:.3} max {:.3} ms, {} of {} lost",
            plain.sent,
            plain.percentile(50),
            plain.percentile(99),
            plain.percentile(100),
            across.percentile(50),
            across.percentile(99),
            across.percentile(100),
            across.lost(),
            across.sent
        );
    }
    let best = measured.iter().map(Round::added_p99).fold(f64::INFINITY, f64::min);
    println!("pings: added p99 across start, reload and stop: {best:.3} ms (best of {rounds})");
    Ok(ExitCode::SUCCESS)
}

/// Measures so many rounds, each a plain series and one across start, reload and stop. Promise 5 is the least of their
/// [`Round::added_p99`].
///
/// # Errors
/// When the gateway does not start or end, or a ping is lost: that is no figure but a broken promise.
pub fn added_p99(network: &Network, folder: &Path, rounds: u32) -> Result<Vec<Round>> {
    network.warm_up(&[])?;
    let mut measured = Vec::new();
    for _ in 0..rounds {
        let plain = series(network, folder, || {
            sleep(4 * PART);
            Ok(())
        })?;
        let across = across(network, folder)?;
        ensure!(
            across.lost() <= plain.lost(),
            "{} of {} pings were lost across start, reload and stop",
            across.lost(),
            across.sent
        );
        measured.push(Round { plain, across });
    }
    Ok(measured)
}

/// One series across start, reload and stop, that is judged by its losses alone.
///
/// # Errors
/// As [`added_p99`].
pub fn none_is_lost(network: &Network, folder: &Path) -> Result<Series> {
    network.warm_up(&[])?;
    let across = across(network, folder)?;
    ensure!(across.lost() == 0, "{} of {} pings were lost across start, reload and stop", across.lost(), across.sent);
    Ok(across)
}

fn across(network: &Network, folder: &Path) -> Result<Series> {
    let host = network.host(FROM)?;
    let never: Table = format!("[never_block]\naddresses = [\"{}\", \"{}\"]", host.mac, host.address).parse()?;
    series(network, folder, || {
        sleep(PART);
        let mut gateway = Gateway::start(network, folder, &never)?;
        sleep(PART);
        gateway.reload()?;
        sleep(PART);
        ensure!(gateway.runs(), "the gateway ended when it was told to read its configuration anew");
        gateway.stop()?;
        sleep(PART);
        Ok(())
    })
}

/// Pings while `meanwhile` runs.
fn series(network: &Network, folder: &Path, meanwhile: impl FnOnce() -> Result<()>) -> Result<Series> {
    let pings = Pings::start(network.space(FROM)?, folder, RATE)?;
    let done = meanwhile();
    let series = pings.end()?;
    done.map(|()| series)
}

/// Pings to the router that go on until they are told to end.
pub struct Pings {
    process: Process,
    log: PathBuf,
    stop: PathBuf,
}

impl Pings {
    /// Begins to ping from a namespace so many times a second; `folder` is the [site](Site::folder)'s.
    ///
    /// # Errors
    /// When the program can't be started.
    pub fn start(from: &Namespace, folder: &Path, rate: u32) -> Result<Self> {
        let (log, stop) = (folder.join("pings"), folder.join("pings.stop"));
        for file in [&log, &stop] {
            let _ = fs::remove_file(file);
        }
        // What else runs on the machine must not be measured: the pings come first where the kernel grants it, in all series.
        let first = "first=$(chrt -f 50 true 2>/dev/null && echo chrt -f 50)";
        let line =
            format!("{first}; exec $first {} echo {ROUTER} {rate} {}", folder.join("lab").display(), stop.display());
        Ok(Self { process: from.start(&line, &log)?, log, stop })
    }

    /// Sends no more, waits for the answers that are still under way, and gives the series.
    ///
    /// # Errors
    /// When the program does not end or wrote no series.
    pub fn end(mut self) -> Result<Series> {
        fs::write(&self.stop, "")?;
        self.process.wait(4 * PATIENCE).context("the pings do not end")?;
        let text = fs::read_to_string(&self.log)?;
        read(&text).with_context(|| format!("no series of pings: {text}"))
    }
}

/// Sends pings at a steady pace until the file `until` is there, and prints how many were sent and how long each answer took.
///
/// # Errors
/// When pings may not be sent.
pub fn echo(to: Ipv4Addr, rate: u32, until: &Path) -> Result<ExitCode> {
    let socket =
        socket(AddressFamily::INET, SocketType::DGRAM, Some(ipproto::ICMP)).context("pings may not be sent")?;
    let socket = UdpSocket::from(socket);
    socket.connect((to, 0))?;
    socket.set_read_timeout(Some(TURN))?;
    let (begin, gap) = (Instant::now(), Duration::from_secs_f64(1.0 / f64::from(rate.max(1))));
    let answers = socket.try_clone()?;
    let all = Arc::new(OnceLock::new());
    let reader = thread::spawn({
        let all = Arc::clone(&all);
        move || answered(&answers, begin, &all)
    });
    let mut sent: u32 = 0;
    while !sent.is_multiple_of(64) || !until.exists() {
        // Type 8 is an echo request; the kernel fills in checksum and identifier.
        let mut ping = [0_u8; 64];
        ping[0] = 8;
        ping[6..8].copy_from_slice(&sent.to_be_bytes()[2..]);
        ping[8..12].copy_from_slice(&sent.to_be_bytes());
        ping[12..20].copy_from_slice(&nanoseconds(begin).to_be_bytes());
        socket.send(&ping)?;
        sent += 1;
        thread::sleep((begin + gap * sent).saturating_duration_since(Instant::now()));
    }
    let _ = all.set((sent, Instant::now()));
    let times = reader.join().map_err(|_| anyhow!("the reader of answers ended badly"))?;
    println!("sent {sent}");
    times.values().for_each(|time| println!("{time}"));
    Ok(ExitCode::SUCCESS)
}

/// How many nanoseconds each answer took, by the ping's number. It ends when all that were sent are answered, or the time for that is
/// over; how many that are and when the last was sent is known late.
fn answered(socket: &UdpSocket, begin: Instant, all: &OnceLock<(u32, Instant)>) -> BTreeMap<u32, u64> {
    let (mut times, mut answer) = (BTreeMap::new(), [0; 64]);
    let is_over =
        |count: usize| all.get().is_some_and(|(sent, last)| count >= *sent as usize || last.elapsed() > PATIENCE);
    while !is_over(times.len()) {
        // Nothing came for a turn, or something that is no answer.
        let Ok(len) = socket.recv(&mut answer) else { continue };
        let now = nanoseconds(begin);
        if let (0, Some(number), Some(sent)) = (answer[0], answer[..len].get(8..12), answer[..len].get(12..20)) {
            let number = number.try_into().map(u32::from_be_bytes).unwrap_or(u32::MAX);
            let sent = sent.try_into().map(u64::from_be_bytes).unwrap_or(now);
            times.entry(number).or_insert(now.saturating_sub(sent));
        }
    }
    times
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Reads what [`echo`] wrote.
fn read(text: &str) -> Option<Series> {
    let mut lines = text.lines();
    let sent = lines.next()?.strip_prefix("sent ")?.parse().ok()?;
    let mut times: Vec<f64> =
        lines.filter_map(|line| line.parse::<f64>().ok()).map(|nanoseconds| nanoseconds / 1e6).collect();
    times.sort_by(f64::total_cmp);
    Some(Series { sent, received: u32::try_from(times.len()).ok()?, times })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_losses_are_read_from_what_was_written() {
        let series = read("sent 4\n300000\n100000\n1200000\n").expect("a series");
        assert_eq!((series.sent, series.received, series.lost()), (4, 3, 1));
        assert_eq!(series.times, [0.1, 0.3, 1.2]);
        assert_eq!(read("pings may not be sent\n"), None);
    }

    #[test]
    fn what_is_added_is_the_difference_of_the_99th_percentiles() {
        let series = |slow: f64| Series { sent: 200, received: 200, times: [vec![0.1; 190], vec![slow; 10]].concat() };
        let round = Round { plain: series(0.2), across: series(0.9) };
        assert!((round.added_p99() - 0.7).abs() < 1e-9 && round.across.percentile(50) < 0.2);
    }
}
