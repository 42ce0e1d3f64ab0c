//! What the gateway costs what it does not touch: TCP throughput, and processor time a small frame, with it and without.
//!
//! TCP is measured twice: over links as fast as the boards' own, where it must fill them, and over links that carry what two processors
//! can move, where all that anything costs is missing from the throughput.
//!
//! Two networks stand side by side: one whose bridge has the gateway on, and one with a plain bridge, no table and no daemon. In each
//! the switch's namespace sends and the router's receives, so that only the box's bridge lies between. What one connection carries
//! swings by a tenth from second to second on a shared machine, so the two are measured in turn, many times and briefly.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use toml::Table;

use super::row::{Goal, Peer, Row};
use super::{Plan, policy};
use crate::gateway::Gateway;
use crate::kernel;
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
/// Seconds for which small frames are sent.
const SECONDS: u32 = 3;
/// The rule that lets the small frames pass under default deny.
const ADMITS: &str = "small-frames";
/// Seconds of one connection.
const CONNECTION: &str = "1";
/// Connections of a round through each bridge over links without a rate: what one of them carries says little.
const CONNECTIONS: usize = 8;
/// Connections of a round through each bridge over links with the boards' rate.
const PACED: usize = 2;
/// The rate of the fastest board's links, and a queue like that of a switch.
const BOARD_LINK: &str = "rate 1gbit burst 128k latency 20ms";

/// Measures both.
///
/// # Errors
/// When a tool is missing, frames are lost, or the gateway does not start.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let site = Site::build(false)?;
    let plain = Network::build("plain-")?;
    let networks = [site.network(), &plain];
    let version = fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned();
    let log = |n: usize| site.folder().join(format!("iperf3-{n}.log"));
    let mut servers = Vec::new();
    for (n, network) in networks.into_iter().enumerate() {
        prepare(network)?;
        servers.push(network.space("router")?.start("exec iperf3 -s -p 5202", &log(n))?);
    }
    // What the sender does is a flood, and meant.
    let over: Table = format!("[never_block]\naddresses = [\"{SENDER}\"]").parse()?;
    let gateway = Gateway::start(networks[0], site.folder(), &over)?;
    sleep(Duration::from_secs(1));
    let [mut tcp, mut paced, mut cpu] = [(); 3].map(|()| [Vec::new(), Vec::new()]);
    for round in 1..=plan.rounds {
        warn_of_other_work()?;
        for connection in 0..CONNECTIONS {
            for n in in_turn(connection) {
                tcp[n].push(throughput(networks[n])?);
            }
        }
        for connection in 0..PACED {
            for n in in_turn(connection) {
                let switch = networks[n].space("switch")?;
                switch.shell(&format!("tc qdisc add dev trunk root tbf {BOARD_LINK}"))?;
                paced[n].push(throughput(networks[n])?);
                switch.shell("tc qdisc del dev trunk root")?;
            }
        }
        for n in in_turn(round as usize) {
            cpu[n].push(busy_a_frame(networks[n], &site)?);
        }
        plan.told("forwarding, us a frame", round, &cpu[0]);
    }
    let held = under_policy(plan, networks, &gateway, &site)?;
    let (seen, sent) = (gateway.ask(&["status"])?["frames"].as_u64().unwrap_or(0), RATE * SECONDS * plan.rounds);
    ensure!(seen > u64::from(sent), "the gateway saw {seen} frames only: it was not measured");
    let peer = |figures| Some(Peer { name: "plain bridge".into(), version: format!("Linux {version}"), figures });
    let ([on, off], [paced_on, paced_off]) = (tcp, paced);
    let [busy_on, busy_off] = cpu;
    let small = format!("busy time of all processors a delivered frame of 60 octets, {RATE} a second");
    let denying = format!("{small}, under default deny with 500 devices and 5,000 rules, of a conversation under way");
    let [busy_held, busy_free] = held;
    Ok(vec![
        tcp_row("links of 1 Gbit/s as on the boards", paced_on, peer(paced_off)),
        tcp_row("links without a rate, processors full", on, peer(off)),
        Row::new(&small, "us", busy_on, peer(busy_off), Goal::RatioAtMost(1.45, Some(1.25))),
        Row::new(&denying, "us", busy_held, peer(busy_free), Goal::RatioAtMost(1.6, Some(1.25))),
    ])
}

/// The same small frames where a policy of the largest size holds and one rule of it lets them pass, through both bridges in turn.
fn under_policy(plan: &Plan, networks: [&Network; 2], gateway: &Gateway, site: &Site) -> Result<[Vec<f64>; 2]> {
    let link = networks[0].space("switch")?.shell("ip -o link show dev sw")?;
    let mac = link.split("link/ether ").nth(1).and_then(|rest| rest.split(' ').next()).context("sw has no address")?;
    let sender = format!(
        "[[device]]\nname = \"sender\"\nmacs = [\"{mac}\"]\nstate = \"approved\"\n\
         [[allow]]\nname = \"{ADMITS}\"\nwho = \"sender\"\nto = \"{ROUTER}\"\nservice = \"udp/{PORT}\"\n"
    );
    let file = site.folder().join("held.toml").display().to_string();
    fs::write(&file, policy::text(None) + &sender)?;
    gateway.tell(&["policy", "apply", &file])?;
    let decided = gateway.ask(&["policy", "explain", "sender", ROUTER, &format!("udp/{PORT}")])?;
    ensure!(decided["rule"] == ADMITS, "{decided}: it is not the rule that lets them pass");
    let mut cpu = [Vec::new(), Vec::new()];
    for round in 1..=plan.rounds {
        warn_of_other_work()?;
        for n in in_turn(round as usize) {
            cpu[n].push(busy_a_frame(networks[n], site)?);
        }
        plan.told("under default deny, us a frame", round, &cpu[0]);
    }
    let known = kernel::conversations(networks[0].space("box")?)?;
    ensure!(known.iter().any(|[lan, ..]| lan == SENDER), "no rule's conversation was measured: {known:?}");
    Ok(cpu)
}

fn tcp_row(links: &str, on: Vec<f64>, off: Option<Peer>) -> Row {
    Row::new(
        &format!("TCP throughput with the gateway on, offloads on, {links}"),
        "Gbit/s",
        on,
        off,
        Goal::Ratio(0.97, None),
    )
}

/// Both networks, the first one first every other time.
fn in_turn(time: usize) -> [usize; 2] {
    [time % 2, 1 - time % 2]
}

/// Addresses for the sender, a counter for the receiver. Bridged frames pass no `iptables` in either box, as the gateway has it, and no
/// router follows connections, as the one of the lab's servers does.
fn prepare(network: &Network) -> Result<()> {
    network
        .space("box")?
        .shell("for name in ip ip6 arp; do sysctl -qw net.bridge.bridge-nf-call-${name}tables=0; done")?;
    network
        .space("switch")?
        .shell(&format!("ip addr add {SENDER}/24 dev sw; ping -q -c 2 -i 0.2 {ROUTER} >/dev/null"))?;
    network.space("router")?.shell(&format!(
        "nft delete table ip forwarded 2>/dev/null || true
         nft 'table netdev bench {{ chain in {{ type filter hook ingress device lan priority 0; \
         ip saddr {SENDER} udp dport {PORT} counter drop; }}; }}'"
    ))?;
    Ok(())
}

/// Gbit/s that arrive over one TCP connection.
fn throughput(network: &Network) -> Result<f64> {
    let mut command = network.space("switch")?.command("iperf3");
    // A congestion control that paces by its own model of the path, as a machine may have by default, swings by itself.
    command.args(["-c", ROUTER, "-p", "5202", "-J", "-O", "0.2", "-t", CONNECTION, "-C", "reno"]);
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
fn busy_a_frame(network: &Network, site: &Site) -> Result<f64> {
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

/// Seconds that all processors together were busy since some moment.
///
/// The kernel keeps the time that they were idle to the microsecond; what it counts as work it samples at its ticks only, with which a
/// paced sender falls in step.
fn busy() -> Result<f64> {
    let text = fs::read_to_string("/proc/stat")?;
    let first = text.lines().next().context("/proc/stat is empty")?;
    // cpu user nice system idle iowait ...
    let ticks: Vec<u64> = first.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    ensure!(ticks.len() >= 7, "/proc/stat has an unusual first line");
    let uptime = fs::read_to_string("/proc/uptime")?;
    let uptime: f64 = uptime.split(' ').next().and_then(|word| word.parse().ok()).context("/proc/uptime is unusual")?;
    let processors = text.lines().skip(1).filter(|line| line.starts_with("cpu")).count();
    Ok(uptime * processors as f64 - (ticks[3] + ticks[4]) as f64 / 100.0)
}
