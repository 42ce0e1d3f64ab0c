//! Memory of the running gateway with all of its tables full.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use toml::Table;

use super::Plan;
use super::row::{Goal, Row};
use crate::gateway::Gateway;
use crate::site::Site;

/// Hosts that must be in the table, its capacity.
const HOSTS: u64 = 4_096;
/// Hosts that are made up and datagrams of each, to ports of their own: more than there are rows for hosts, pairs and conversations.
const INVENTED: (u16, u16) = (5_000, 8);

/// Fills the tables and reads the process's memory.
///
/// # Errors
/// When the tables do not fill.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let site = Site::build(false)?;
    let network = site.network();
    let router = &network.host("router")?.mac;
    let (mut anonymous, mut ring) = (Vec::new(), Vec::new());
    for round in 1..=plan.rounds.min(3) {
        let gateway = Gateway::start(network, site.folder(), &Table::new())?;
        let (hosts, frames) = INVENTED;
        let lab = site.folder().join("lab").display().to_string();
        network.space("h1")?.shell(&format!("{lab} invent eth0 {router} datagram 1 {hosts} {frames} 40 0"))?;
        sleep(Duration::from_secs(2));
        let known = gateway.ask(&["status"])?["hosts"].as_u64().context("picket status has no hosts")?;
        ensure!(known >= HOSTS, "{known} hosts are known only, not {HOSTS}");
        anonymous.push(status(gateway.id(), "RssAnon:")?);
        ring.push(rings(gateway.id())?);
        plan.told("memory, MiB", round, &anonymous);
        drop(gateway);
    }
    Ok(vec![
        Row::new("RssAnon with 4,096 hosts and all tables full", "MiB", anonymous, None, Goal::AtMost(64.0)),
        Row::new("ring pages shared with the kernel", "MiB", ring, None, Goal::AtMost(16.0)),
    ])
}

/// A line of the process's status, in MiB.
///
/// # Errors
/// When it has none.
pub fn status(id: u32, name: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().context("an unusual status line")?;
    Ok(kib / 1024.0)
}

/// The mapped rings of packet sockets, in MiB.
fn rings(id: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{id}/maps"))?;
    let octets = text.lines().filter(|line| line.contains("socket:")).filter_map(|line| {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        u64::from_str_radix(to, 16).ok()?.checked_sub(u64::from_str_radix(from, 16).ok()?)
    });
    Ok(octets.sum::<u64>() as f64 / f64::from(1 << 20))
}
