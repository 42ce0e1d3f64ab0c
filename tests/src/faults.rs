//! Fail-open: the gateway is killed again and again under load, and every frame arrives all the same.

use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use toml::Table;

use crate::gateway::Gateway;
use crate::kernel;
use crate::network::{Network, SERVER};
use crate::site::Site;
use crate::stream::{self, Counted, Stream};

/// The least number of datagrams for a round to count.
const LEAST_SENT: u64 = 400_000;
/// How often a round is repeated that the machine itself spoilt.
const TRIES: u32 = 3;

/// What one round came to.
#[derive(Debug)]
pub struct Round {
    /// How often the gateway was killed.
    pub kills: u32,
    /// Datagrams that the sender's kernel took.
    pub sent: u64,
    /// Different datagrams that arrived.
    pub received: u64,
    /// Seconds that the sender took.
    pub seconds: f64,
}

/// Builds a lab, kills the gateway in it and prints what came of it.
///
/// # Errors
/// When a promise is broken.
pub fn run(kills: u32) -> Result<ExitCode> {
    crate::stop::listen()?;
    let site = Site::build(false)?;
    let Round { kills, sent, received, seconds } = killed_under_load(site.network(), site.folder(), kills)?;
    println!("kill test: {kills} kills, {sent} frames sent in {seconds:.0} s, {received} received");
    Ok(ExitCode::SUCCESS)
}

/// Kills the gateway `kills` times under load.
///
/// # Errors
/// When a frame is lost, a block is gone, the gateway does not come back, or three rounds were spoilt by the machine.
pub fn killed_under_load(network: &Network, folder: &Path, kills: u32) -> Result<Round> {
    for attempt in 1..=TRIES {
        let (round, spoilt) = round(network, folder, kills)?;
        if spoilt != 0 {
            eprintln!("kill test: round {attempt} is void, the machine dropped {spoilt} frames by itself");
            continue;
        }
        ensure!(
            round.received == round.sent,
            "{} of {} frames lost in {kills} kills",
            round.sent - round.received,
            round.sent
        );
        let rate = round.sent as f64 / round.seconds;
        ensure!(
            round.sent >= LEAST_SENT && rate >= stream::LEAST,
            "the sender reached only {} frames at {rate:.0} a second",
            round.sent
        );
        return Ok(round);
    }
    anyhow::bail!("{TRIES} rounds were void")
}

fn round(network: &Network, folder: &Path, kills: u32) -> Result<(Round, u64)> {
    // Enough quiet hosts are known that the bound on automatic blocks is not in the way.
    let blocked = network.host("h3")?;
    // What the sender does is a flood, and meant: it must not be blocked for it.
    let sender = network.host(stream::FROM)?;
    let over: Table = format!("[never_block]\naddresses = [\"{}\", \"{}\"]", sender.mac, sender.address).parse()?;
    let mut gateway = Gateway::start(network, folder, &over)?;
    network.warm_up(&[])?;
    let order = ["block", &blocked.address, "--for", "30m", "--why", "kill test"];
    wait_for("the gateway to take a block", Duration::from_secs(5), || Ok(gateway.tell(&order).is_ok()))?;
    let holds = || {
        Ok::<_, anyhow::Error>(kernel::blocked(network.space("box")?)?.iter().any(|element| element.blocks(blocked)))
    };
    wait_for("the kernel to hold the block", Duration::from_secs(3), holds)?;

    let begin = Instant::now();
    let stream = Stream::start(network, folder)?;
    for n in 0..kills {
        let first = frames(&gateway)?;
        wait_for("the frame counter to rise", Duration::from_secs(10), || Ok(frames(&gateway)? > first))?;
        gateway.kill();
        ensure!(holds()?, "the block is gone after kill {}", n + 1);
        gateway = Gateway::again(network, folder)?;
        ensure!(!crate::stop::asked(), "asked to stop");
        if (n + 1) % 25 == 0 {
            eprintln!("kill test: {} of {kills} kills in {:.0} s", n + 1, begin.elapsed().as_secs_f64());
        }
    }
    let least = Duration::from_secs_f64(LEAST_SENT as f64 / stream::LEAST + 1.0);
    sleep(least.saturating_sub(Duration::from_secs_f64(stream.seconds())));
    let Counted { sent, received, seconds, spoilt } = stream.end()?;
    ensure!(holds()?, "the block is gone after the last start");
    scanner_is_blocked(network, folder)?;
    gateway.kill();
    Ok((Round { kills, sent, received, seconds }, spoilt))
}

/// After all that, a new scanner is still blocked.
fn scanner_is_blocked(network: &Network, folder: &Path) -> Result<()> {
    let scanner = network.host("h5")?;
    network.warm_up(&["h3"])?;
    let line = format!("exec nmap -n -Pn -sS -T4 --max-rate 60 -p 100-700 {SERVER}");
    let _scan = network.space("h5")?.start(&line, &folder.join("kill-test.log"))?;
    wait_for("a new scanner to be blocked", Duration::from_secs(15), || {
        Ok(kernel::blocked(network.space("box")?)?.iter().any(|element| element.blocks(scanner)))
    })
}

fn frames(gateway: &Gateway) -> Result<u64> {
    let status: Value = gateway.ask(&["status"])?;
    status["frames"].as_u64().context("picket status --json has no frames")
}

/// Waits for something that must come within this time.
///
/// # Errors
/// When it does not, or can't be asked for.
pub fn wait_for(what: &str, limit: Duration, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + limit;
    while !is_so()? {
        ensure!(Instant::now() < until && !crate::stop::asked(), "waited {} s for {what}", limit.as_secs());
        sleep(Duration::from_millis(10));
    }
    Ok(())
}
