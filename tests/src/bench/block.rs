//! From the packet that crosses a threshold to the block in the kernel, beside fail2ban's way from the log line that does.
//!
//! Invented hosts send one ICMP echo more than is allowed in a second, each in its turn; the last one's time is the sender's own,
//! taken before the frame is handed to the kernel. The block's time is when `nft monitor` has told of the set's new element, so it
//! includes what the monitor takes. The bounds on automatic blocks are widened for this, no threshold is changed.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use toml::Table;

use super::Plan;
use super::peer::debian;
use super::row::{Goal, Peer, Row, percentile};
use crate::gateway::Gateway;
use crate::namespace::Namespace;
use crate::process::Process;
use crate::site::Site;

/// ICMP messages a second that are allowed by default; one more crosses.
const ALLOWED: u16 = 100;
/// Blocks of ours in all, and of the peer's a round.
const BLOCKS: (u16, u16) = (120, 4);
/// Rounds in which both take turns.
const ROUNDS: u16 = 3;
/// Log lines that ban, of the peer.
const FAILURES: u16 = 5;

/// A running `nft monitor` and the lines that it told, with the time at which each came.
pub struct Monitor {
    child: Child,
    lines: Receiver<(f64, String)>,
}

/// A running fail2ban that reads one log and fills one set.
struct Fail2ban {
    _server: Process,
    log: PathBuf,
}

/// Measures both.
///
/// # Errors
/// When a block does not come, or the peer is missing.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let version = debian("fail2ban")?;
    let site = Site::build(false)?;
    let (network, folder) = (site.network(), site.folder());
    let over: Table = "[respond]\nper_minute = 1000\nshare_percent = 100\nat_least = 500".parse()?;
    let _gateway = Gateway::start(network, folder, &over)?;
    network.warm_up(&[])?;
    let ours_monitor = Monitor::start(network.space("box")?)?;
    let space = Namespace::create("ban")?;
    space.shell("nft 'table inet bans { set banned { type ipv4_addr; }; }'")?;
    let theirs_monitor = Monitor::start(&space)?;
    let peer = Fail2ban::start(&space, folder)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let lab = folder.join("lab").display().to_string();
    let router = network.host("router")?.mac.clone();
    for round in 0..ROUNDS {
        let hosts = BLOCKS.0 / ROUNDS;
        let (first, frames) = (1 + round * hosts, ALLOWED + 1);
        let line = format!("{lab} invent eth0 {router} echo {first} {hosts} {frames} 500 100");
        let sent = network.space("h1")?.shell(&line)?;
        let blocked = ours_monitor.heard("blocked_mac", hosts.into(), Duration::from_secs(5))?;
        for line in sent.lines() {
            ours.push(latency(line, &blocked)?);
        }
        for n in 0..BLOCKS.1 {
            let address = format!("203.0.113.{}", 1 + round * BLOCKS.1 + n);
            let at = peer.fail(&address)?;
            let banned = theirs_monitor.heard("banned", 1, Duration::from_secs(15))?;
            theirs.push(latency(&format!("{address} {at:.6}"), &banned)?);
        }
        plan.told("block, ms", u32::from(round) + 1, &ours);
    }
    let what = "packet that crosses a threshold to the block in the kernel";
    let (each, p99) = (format!("{what}, each of {} blocks", ours.len()), percentile(&ours, 0.99));
    let peer = Peer { name: "fail2ban (from the log line)".into(), version, figures: theirs };
    Ok(vec![
        Row::new(&each, "ms", ours, Some(peer), Goal::None),
        Row::new(&format!("{what}, p99 of them"), "ms", p99.into_iter().collect(), None, Goal::AtMost(5.0)),
    ])
}

/// Milliseconds from a line "NAME SECONDS" to the time at which this name was heard.
///
/// # Errors
/// When it was not heard, or before.
pub fn latency(line: &str, heard: &HashMap<String, f64>) -> Result<f64> {
    let (name, at) = line.split_once(' ').context("a line without a time")?;
    let held = heard.get(name).with_context(|| format!("{name} was not blocked"))?;
    let ms = (held - at.trim().parse::<f64>()?) * 1e3;
    ensure!(ms >= 0.0, "{name} was blocked {:.1} ms before it crossed the threshold", -ms);
    Ok(ms)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

impl Monitor {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(space: &Namespace) -> Result<Self> {
        let mut command = space.command("stdbuf");
        command.args(["-oL", "nft", "monitor", "new", "elements"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let out = child.stdout.take().context("no standard output")?;
        let (tell, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if tell.send((now(), line)).is_err() {
                    break;
                }
            }
        });
        sleep(Duration::from_millis(500));
        Ok(Self { child, lines })
    }

    /// Waits until so many elements of sets whose name begins so were heard of: each one's first word, and when.
    ///
    /// # Errors
    /// When they do not come in time.
    pub fn heard(&self, set: &str, number: usize, limit: Duration) -> Result<HashMap<String, f64>> {
        let (until, mut heard) = (Instant::now() + limit, HashMap::new());
        while heard.len() < number {
            let left = until.saturating_duration_since(Instant::now());
            let Ok((at, line)) = self.lines.recv_timeout(left) else {
                anyhow::bail!("{} of {number} blocks came within {} s", heard.len(), limit.as_secs())
            };
            if let Some(name) = added(&line, set) {
                heard.entry(name).or_insert(at);
            }
        }
        Ok(heard)
    }
}

/// The element that a line of `nft monitor` says was added to a set whose name begins so.
fn added(line: &str, set: &str) -> Option<String> {
    let (table_and_set, element) = line.strip_prefix("add element ")?.split_once('{')?;
    let name = table_and_set.split_whitespace().nth(2)?;
    name.starts_with(set).then(|| element.split_whitespace().next().unwrap_or_default().to_owned())
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Fail2ban {
    /// Starts it with nothing of the machine's own configuration, and with an empty memory.
    fn start(space: &Namespace, folder: &Path) -> Result<Self> {
        let home = folder.join("fail2ban");
        for sub in ["filter.d", "action.d"] {
            fs::create_dir_all(home.join(sub))?;
        }
        let (text, log) = (home.display(), home.join("log"));
        File::create(&log)?;
        let files = [
            (
                "fail2ban.conf",
                format!(
                    "[Definition]\nloglevel = INFO\nlogtarget = {text}/own.log\nsyslogsocket = auto\nsocket = {text}/socket\n\
                 pidfile = {text}/pid\ndbfile = None\ndbpurgeage = 1d\nallowipv6 = no\n"
                ),
            ),
            (
                "jail.conf",
                format!(
                    "[bench]\nenabled = true\nfilter = bench\nbackend = auto\nlogpath = {}\nmaxretry = {FAILURES}\nfindtime = 60\n\
                 bantime = 600\nignoreself = false\nusedns = no\naction = bench\n",
                    log.display()
                ),
            ),
            (
                "filter.d/bench.conf",
                "[Definition]\nfailregex = ^ refused <HOST>$\ndatepattern = {^LN-BEG}EPOCH\n".into(),
            ),
            (
                "action.d/bench.conf",
                "[Definition]\nactionban = nft add element inet bans banned { <ip> }\nactionunban =\n".into(),
            ),
        ];
        for (name, text) in files {
            fs::write(home.join(name), text)?;
        }
        let line = format!("exec fail2ban-server -f -x -c {text} -s {text}/socket -p {text}/pid start");
        let server = space.start(&line, &home.join("server.log"))?;
        let until = Instant::now() + Duration::from_secs(15);
        while !fs::read_to_string(home.join("own.log")).unwrap_or_default().contains("Jail 'bench' started") {
            ensure!(Instant::now() < until, "fail2ban does not start; see {text}/server.log");
            sleep(Duration::from_millis(50));
        }
        sleep(Duration::from_secs(1));
        Ok(Self { _server: server, log })
    }

    /// Writes the lines that ban an address, and returns when the last one was written.
    fn fail(&self, address: &str) -> Result<f64> {
        let mut log = File::options().append(true).open(&self.log)?;
        for _ in 0..FAILURES {
            writeln!(log, "{:.3} refused {address}", now())?;
        }
        Ok(now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_element_added_to_the_named_set_is_heard() {
        let line = "add element bridge picket blocked_mac { 02:79:00:00:00:01 timeout 10m13s expires 10m13s }";
        assert_eq!(added(line, "blocked_mac").as_deref(), Some("02:79:00:00:00:01"));
        assert_eq!(added(line, "banned"), None);
        assert_eq!(added("add rule bridge picket x { y }", "blocked_mac"), None);
    }

    #[test]
    fn a_block_before_the_packet_is_an_error() {
        let heard = HashMap::from([("a".to_owned(), 10.004)]);
        assert!((latency("a 10.001", &heard).expect("after") - 3.0).abs() < 1e-3);
        assert!(latency("a 10.005", &heard).is_err() && latency("b 1", &heard).is_err());
    }
}
