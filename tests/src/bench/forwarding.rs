//! What the gateway costs what it does not touch: TCP throughput, and processor time a small frame, with it and without.
//!
//! The switch's namespace sends and the router's receives, so that only the box's bridge lies between. "Plain" is that bridge with
//! no table and no daemon. Rounds alternate.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use toml::Table;

use super::Plan;
use super::row::{Goal, Peer, Row};
use crate::gateway::Gateway;
use crate::network::{Network, ROUTER};
use crate::process::output;
use crate::site::Site;

/// The sender's own address, on the switch.
const SENDER: &str = "192.168.77.250";
/// Where the small frames go; the receiver drops and counts them as they come in.
const PORT: u16 = 4012;
/// Small frames a second: light enough that two processors keep up.
const RATE: u32 = 100_000;
/// Payload that makes a frame of 60 octets.
const PAYLOAD: usize = 18;
/// Seconds a second that other work may keep the processors busy before it is said.
const OTHERS: f64 = 0.05;
/// Seconds of one measurement.
const SECONDS: u32 = 3;

/// Measures both.
///
/// # Errors
/// When a tool is missing, frames are lost, or the gateway does not start.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let site = Site::build(false)?;
    let network = site.network();
    let version = fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned();
    prepare(network)?;
    let _server = network.space("router")?.start("exec iperf3 -s -p 5202", &site.folder().join("iperf3.log"))?;
    sleep(Duration::from_millis(500));
    // What the sender does is a flood, and meant.
    let over: Table = format!("[never_block]\naddresses = [\"{SENDER}\"]").parse()?;
    let (mut tcp, mut cpu) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for round in 1..=plan.rounds {
        warn_of_other_work()?;
        network.space("box")?.shell("nft delete table bridge picket 2>/dev/null || true")?;
        tcp[1].push(throughput(network)?);
        cpu[1].push(busy_a_frame(&site)?);
        let gateway = Gateway::start(network, site.folder(), &over)?;
        tcp[0].push(throughput(network)?);
        cpu[0].push(busy_a_frame(&site)?);
        let seen = gateway.ask(&["status"])?["frames"].as_u64().unwrap_or(0);
        ensure!(seen > u64::from(RATE), "the gateway saw {seen} frames only: it was not measured");
        drop(gateway);
        plan.told("forwarding, us a frame", round, &cpu[0]);
    }
    let plain = |figures| Some(Peer { name: "plain bridge".into(), version: format!("Linux {version}"), figures });
    let [on, off] = tcp;
    let [busy_on, busy_off] = cpu;
    let small = format!("busy time of all processors a delivered frame of 60 octets, {RATE} a second");
    Ok(vec![
        Row::new("TCP throughput with the gateway on, offloads on", "Gbit/s", on, plain(off), Goal::Ratio(0.97, None)),
        Row::new(&small, "us", busy_on, plain(busy_off), Goal::RatioAtMost(1.45, Some(1.25))),
    ])
}

fn prepare(network: &Network) -> Result<()> {
    network
        .space("switch")?
        .shell(&format!("ip addr add {SENDER}/24 dev sw; ping -q -c 2 -i 0.2 {ROUTER} >/dev/null"))?;
    network.space("router")?.shell(&format!(
        "nft 'table netdev bench {{ chain in {{ type filter hook ingress device lan priority 0; \
         ip saddr {SENDER} udp dport {PORT} counter drop; }}; }}'"
    ))?;
    Ok(())
}

/// Gbit/s that arrive over one TCP connection.
fn throughput(network: &Network) -> Result<f64> {
    let mut command = network.space("switch")?.command("iperf3");
    command.args(["-c", ROUTER, "-p", "5202", "-J", "-O", "0.5", "-t"]).arg(SECONDS.to_string());
    let report: Value = serde_json::from_str(&output(&mut command)?)?;
    let bits = report["end"]["sum_received"]["bits_per_second"].as_f64().context("iperf3 tells no throughput")?;
    Ok(bits / 1e9)
}

/// Says so where something else keeps the machine busy: it counts on both sides, so the ratio comes out too near to 1.
fn warn_of_other_work() -> Result<()> {
    let before = busy()?;
    sleep(Duration::from_secs(1));
    let others = busy()? - before;
    if others > OTHERS {
        eprintln!(
            "bench: forwarding: OTHER WORK keeps {:.0} % of a processor busy: the busy time a frame is void on such a machine",
            others * 100.0
        );
    }
    Ok(())
}

/// Microseconds that the processors were busy for each frame that arrived.
fn busy_a_frame(site: &Site) -> Result<f64> {
    let network = site.network();
    sleep(Duration::from_millis(200));
    let (frames, busy) = (arrived(network)?, busy()?);
    let number = RATE * SECONDS;
    let lab = site.folder().join("lab").display().to_string();
    let sent = network.space("switch")?.shell(&format!("{lab} burst {ROUTER}:{PORT} {number} {RATE} {PAYLOAD}"))?;
    let busy = self::busy()? - busy;
    let frames = arrived(network)? - frames;
    let sent: u64 = sent.trim().parse().context("a count is no number")?;
    ensure!(frames >= sent * 99 / 100, "{frames} of {sent} frames arrived: the machine is too busy to measure");
    Ok(busy * 1e6 / frames as f64)
}

fn arrived(network: &Network) -> Result<u64> {
    let text = network.space("router")?.shell("nft -j list table netdev bench")?;
    let ruleset: Value = serde_json::from_str(&text)?;
    let rules = ruleset["nftables"].as_array().into_iter().flatten().filter_map(|entry| entry.get("rule"));
    let mut counters =
        rules.flat_map(|rule| rule["expr"].as_array().into_iter().flatten()).filter_map(|e| e.get("counter"));
    counters.next().and_then(|counter| counter["packets"].as_u64()).context("nft lists no counter")
}

/// Seconds that all processors together were neither idle nor waiting since the start of the machine.
fn busy() -> Result<f64> {
    let text = fs::read_to_string("/proc/stat")?;
    let first = text.lines().next().context("/proc/stat is empty")?;
    // user nice system idle iowait irq softirq steal: what others took (steal) is no work of this machine.
    let ticks: Vec<u64> = first.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    ensure!(ticks.len() >= 7, "/proc/stat has an unusual first line");
    Ok([0, 1, 2, 5, 6].map(|n| ticks[n]).iter().sum::<u64>() as f64 / 100.0)
}
