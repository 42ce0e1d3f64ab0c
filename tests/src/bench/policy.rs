//! Policies of the largest size that is promised: how long the kernel takes to follow one, and how long the time machine takes over a
//! million conversations.

use std::fmt::Write;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use policy::{Asked, Flow};
use store::{Limits, Store};
use terms::{MacAddr, Span, Timestamp};
use toml::Table;

use super::Plan;
use super::row::{Goal, Row};
use crate::gateway::Gateway;
use crate::network::Network;
use crate::site::Site;

/// Devices, rules of each, and conversations that the store holds.
const DEVICES: u16 = 500;
const RULES: u16 = 10;
const CONVERSATIONS: u32 = 1_000_000;
/// Rules of each device that are about names; the others are about addresses.
const NAMED: u16 = 5;
/// Addresses that devices were told: as many as are remembered over a restart, each for all of its device's rules about names.
const ADDRESSES: u32 = 4_096;
/// Conversations that are handed to the store at once.
const LOT: u32 = 4_000;
/// How long the kernel may take to hear of the names that are remembered.
const PATIENCE: Duration = Duration::from_secs(60);

/// Applies, changes and rehearses.
///
/// # Errors
/// When the gateway refuses a policy, or not all conversations were looked at.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let site = Site::build(false)?;
    let network = site.network();
    let [whole, changed] = ["whole.toml", "changed.toml"].map(|name| site.folder().join(name));
    fs::write(&whole, text(None))?;
    fs::write(&changed, text(Some("192.0.2.1")))?;
    let apply = |gateway: &Gateway, file: &Path| -> Result<f64> {
        let started = Instant::now();
        gateway.tell(&["policy", "apply", &file.display().to_string()])?;
        Ok(started.elapsed().as_secs_f64() * 1e3)
    };
    let gateway = Gateway::start(network, site.folder(), &Table::new())?;
    let first = vec![apply(&gateway, &whole)?];
    gateway.stop()?;

    tell(&site.folder().join("state"))?;
    let gateway = Gateway::again(network, site.folder())?;
    let named = await_names(network)?;
    let (mut one, mut nothing) = (Vec::new(), Vec::new());
    for round in 1..=plan.rounds {
        one.push(apply(&gateway, &changed)?);
        nothing.push(apply(&gateway, &changed)?);
        apply(&gateway, &whole)?;
        plan.told("one rule, ms", round, &one);
    }
    gateway.stop()?;

    fill(&site.folder().join("state"))?;
    let gateway = Gateway::again(network, site.folder())?;
    let mut machine = Vec::new();
    for round in 1..=plan.rounds.min(3) {
        let started = Instant::now();
        let told = gateway.ask(&["policy", "timemachine", &changed.display().to_string()])?;
        machine.push(started.elapsed().as_secs_f64());
        let seen = told["conversations"].as_u64().unwrap_or_default();
        ensure!(seen >= u64::from(CONVERSATIONS), "{seen} conversations were looked at only");
        plan.told("time machine, s", round, &machine);
    }
    let size = format!("{DEVICES} devices, {} rules, {named} name addresses", u32::from(DEVICES) * u32::from(RULES));
    let over = |what: &str| format!("policy of {size}, {what}, from the command to its answer");
    Ok(vec![
        Row::new(&over("applied"), "ms", first, None, Goal::AtMost(1_000.0)),
        Row::new(&over("one rule changed"), "ms", one, None, Goal::AtMost(20.0)),
        Row::new(&over("nothing changed"), "ms", nothing, None, Goal::None),
        Row::new("time machine over 1,000,000 stored conversations", "s", machine, None, Goal::AtMost(10.0)),
    ])
}

/// A policy of the largest size that is promised, in which every device has its rules; of one device the first is about another address where one is given.
pub(super) fn text(other: Option<&str>) -> String {
    let mut text = String::from("posture = \"enforce\"\nnew = \"everything\"\n");
    for device in 0..DEVICES {
        let _ = write!(text, "[[device]]\nname = \"d{device}\"\nmacs = [\"{}\"]\nstate = \"approved\"\n", mac(device));
        for rule in 0..RULES {
            let to = match other {
                Some(other) if device == 7 && rule == 0 => other.to_owned(),
                _ if rule < RULES - NAMED => {
                    Ipv4Addr::new(203, 0, 113, u8::try_from(rule).unwrap_or_default()).to_string()
                }
                _ => "*.example.com".to_owned(),
            };
            let _ = write!(
                text,
                "[[allow]]\nname = \"d{device}-{rule}\"\nwho = \"d{device}\"\nto = \"{to}\"\nservice = \"tcp/{}\"\n",
                1_000 + rule
            );
        }
    }
    text
}

fn mac(device: u16) -> MacAddr {
    let [a, b] = device.to_be_bytes();
    MacAddr::new([2, 1, 0, 0, a, b])
}

/// Puts conversations of a moment ago into the store of a gateway that is not running: their names count still.
fn tell(path: &Path) -> Result<()> {
    let mut store = store::open(path, Limits::default())?.store;
    let at = Timestamp::from_secs(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs());
    let flows: Vec<Flow> = (0..ADDRESSES).map(|n| flow(n, at)).collect();
    store.append_flows(&flows)?;
    store.close()?;
    Ok(())
}

/// Waits until the kernel knows the addresses of names; how many it knows.
fn await_names(network: &Network) -> Result<usize> {
    let until = Instant::now() + PATIENCE;
    loop {
        let listed = network.space("box")?.shell("nft list set bridge picket named_v4")?;
        let count = listed.matches("expires").count();
        if count >= ADDRESSES as usize * usize::from(NAMED) {
            return Ok(count);
        }
        ensure!(Instant::now() < until, "the kernel knows {count} addresses of names only");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Puts a week of conversations into the store of a gateway that is not running.
fn fill(path: &Path) -> Result<()> {
    let mut store = store::open(path, Limits::default())?.store;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs() - 6 * 86_400;
    for lot in 0..CONVERSATIONS / LOT {
        let minute = (since + u64::from(lot) * 6 * 86_400 / u64::from(CONVERSATIONS / LOT)) / 60;
        let at = Timestamp::from_secs(minute * 60);
        let flows: Vec<Flow> = (0..LOT).map(|n| flow(n, at)).collect();
        store.append_flows(&flows)?;
    }
    store.close()?;
    Ok(())
}

/// A conversation of a minute, with another address and name each.
fn flow(n: u32, at: Timestamp) -> Flow {
    let device = u16::try_from(n % u32::from(DEVICES)).unwrap_or_default();
    let [.., b, c] = (n / u32::from(DEVICES)).to_be_bytes();
    Flow {
        mac: mac(device),
        lan: Ipv4Addr::new(10, 1, device.to_be_bytes()[0], device.to_be_bytes()[1]).into(),
        far: Ipv4Addr::new(203, 0, b ^ 113, c).into(),
        inbound: false,
        asked: Asked::port(6, 1_000 + u16::from(c % 12)),
        names: vec![format!("h{c}.example.com")],
        first: at + Span::from_secs(u64::from(n % 60)),
        last: at + Span::from_secs(59),
        count: 1,
        octets: [1_000, 20_000],
    }
}
