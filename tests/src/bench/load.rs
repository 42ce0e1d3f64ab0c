//! What the network pays while wrk asks the API as fast as it is answered, through the LAN link, and numbered frames cross the box.
//!
//! All of it shares the machine's processors: wrk, both ends of the stream, the pings and the box.

use std::thread::{scope, sleep};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use super::Plan;
use super::block::{Monitor, latency};
use super::memory::status;
use super::row::{Goal, Row, percentile};
use crate::load::{Served, attack, read};
use crate::pings;
use crate::site::Site;
use crate::stream::{LEAST, Stream};

/// Hosts that attack meanwhile, each blocked; milliseconds between two of them for each second of the load.
const ATTACKS: (u16, u32) = (120, 7);
/// How long an attack itself takes. **Units**: milliseconds.
const ATTACK: u32 = 51;

/// Measures the stream, the pings, the blocks and the memory, first without wrk, then under it.
///
/// # Errors
/// When the gateway does not start, the sender is too slow to be a load, or a block does not come.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let site = Site::build(false)?;
    let (network, folder) = (site.network(), site.folder());
    let served = Served::start(network, folder)?;
    let monitor = Monitor::start(network.space("box")?)?;
    let (log, time) = (folder.join("wrk.log"), Duration::from_secs(plan.loaded.into()));
    let stream = Stream::start(network, folder)?;
    let plain = pings::series(network, folder, || {
        sleep(time / 4);
        Ok(())
    })?;
    let mut wrk = served.at_full_speed(plan.loaded + 2, &log)?;
    sleep(Duration::from_secs(1));
    let rest = (plan.loaded * ATTACKS.1).saturating_sub(ATTACK);
    let (loaded, blocks, memory) = scope(|threads| -> Result<_> {
        let attacked = threads.spawn(move || -> Result<Vec<f64>> {
            let sent = attack(network, folder, 1, ATTACKS.0, rest)?;
            let heard = monitor.heard("blocked_mac", ATTACKS.0.into(), Duration::from_secs(10))?;
            sent.iter().map(|line| latency(line, &heard)).collect()
        });
        let mut memory = Vec::new();
        let loaded = pings::series(network, folder, || {
            for _ in 0..plan.loaded {
                sleep(Duration::from_secs(1));
                let [gateway, api] = served.processes()?;
                memory.push(status(gateway, "RssAnon:")? + status(api, "RssAnon:")?);
            }
            Ok(())
        })?;
        let blocks = attacked.join().map_err(|_| anyhow!("a thread ended badly"))??;
        Ok((loaded, blocks, memory))
    })?;
    let counted = stream.end()?;
    wrk.wait(Duration::from_secs(30)).context("wrk does not end")?;
    let asked = read(&log)?;
    ensure!(counted.rate() >= LEAST, "the sender reached only {:.0} frames a second", counted.rate());
    ensure!(asked.refused == 0, "{} of wrk's {} requests were refused", asked.refused, asked.answered);
    ensure!(counted.spoilt == 0, "the machine dropped {} frames by itself", counted.spoilt);
    let during = format!("while wrk asks the API for {} s", plan.loaded);
    let added = loaded.percentile(99) - plain.percentile(99);
    let most = memory.into_iter().max_by(f64::total_cmp);
    let rate = asked.answered as f64 / f64::from(plan.loaded + 2);
    let lost = counted.sent.saturating_sub(counted.received) as f64;
    let one = |what: &str, unit: &str, figure: Option<f64>, goal| {
        Row::new(&format!("{what} {during}"), unit, figure.into_iter().collect(), None, goal)
    };
    Ok(vec![
        one("requests of a list answered over TLS", "a second", Some(rate), Goal::None),
        one("frames lost of 20,000 a second that cross the box", "frames", Some(lost), Goal::AtMost(0.0)),
        one(
            "packet that crosses a threshold to the block in the kernel, p99 of 120",
            "ms",
            percentile(&blocks, 0.99),
            Goal::AtMost(10.0),
        ),
        one("99th percentile of a 1 kHz ping, added", "ms", Some(added), Goal::AtMost(1.0)),
        one("most RssAnon of gateway and API together", "MiB", most, Goal::AtMost(64.0)),
    ])
}
