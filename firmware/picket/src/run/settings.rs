//! What the gateway found out about this machine before it started: links, bridge, its own addresses, and secrets of this run.

use std::fs::File;
use std::io::{self, Read};

use capture::{BridgeReport, ensure_bridge, own_addresses};
use policy::{NeverBlock, ResponderConfig, Ruleset};

use crate::config::Config;

/// The machine as the threads need it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The link to the switch.
    pub lan: String,
    /// The link to the router.
    pub uplink: String,
    /// The box's own addresses.
    pub own: Vec<NeverBlock>,
    /// Random bits of this run: two for the tables' hash, one for jitter.
    pub secret: [u64; 3],
}

/// Why the gateway can't start on this machine.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Too few links.
    #[error("two Ethernet links are needed and {0} found; name them as lan and uplink under [links]")]
    Links(usize),
    /// The same link twice.
    #[error("lan and uplink are both {0}; name two different links under [links]")]
    Same(String),
    /// The bridge can't be made.
    #[error(transparent)]
    Bridge(#[from] capture::LinkError),
    /// The system refused.
    #[error("{0}")]
    System(#[from] io::Error),
}

impl Settings {
    /// Finds the links, makes or takes the bridge, and says what could not be set.
    ///
    /// # Errors
    /// No two links, or no bridge over them.
    pub fn find(config: &Config) -> Result<Self, SettingsError> {
        let (lan, uplink) = links(config)?;
        let bridge = config.links.bridge.clone();
        let report = ensure_bridge(&bridge, &lan, &uplink)?;
        tell(&report);
        let own = own_addresses(&[&bridge, &lan, &uplink]);
        let macs = own.macs.into_iter().map(NeverBlock::Mac);
        let own = macs.chain(own.addresses.into_iter().map(NeverBlock::Address)).collect();
        Ok(Self { lan, uplink, own, secret: secret()? })
    }

    /// The ruleset for whom no block may cut: the box itself, those learnt, those configured.
    #[must_use]
    pub fn ruleset(&self, never: &[NeverBlock]) -> Ruleset {
        let mut never_block: Vec<NeverBlock> = self.own.iter().chain(never).copied().collect();
        never_block.sort_unstable();
        never_block.dedup();
        Ruleset { lan: self.lan.clone(), uplink: self.uplink.clone(), never_block }
    }
}

/// How strongly the box reacts, from the configuration.
#[must_use]
pub fn responder(config: &Config) -> ResponderConfig {
    let respond = &config.respond;
    ResponderConfig {
        posture: config.posture,
        block_for: respond.block_for,
        jitter_percent: respond.jitter_percent,
        longest: respond.longest,
        per_minute: respond.per_minute,
        share_percent: respond.share_percent,
        at_least: respond.at_least,
        grace: respond.grace,
        never: config.never_block.addresses.iter().map(|host| never(*host)).collect(),
    }
}

fn never(host: terms::HostKey) -> NeverBlock {
    match host {
        terms::HostKey::Mac(mac) => NeverBlock::Mac(mac),
        terms::HostKey::V4(address) => NeverBlock::Address(address.into()),
        terms::HostKey::V6(address) => NeverBlock::Address(address.into()),
    }
}

/// The two links: as configured, else the first Ethernet links that are no bridge.
fn links(config: &Config) -> Result<(String, String), SettingsError> {
    let named = [&config.links.lan, &config.links.uplink];
    let found: Vec<String> = if named.iter().any(|n| n.is_empty()) {
        let all = capture::list()?.into_iter();
        let free = all.filter(|l| l.ethernet && l.kind != "bridge" && !named.contains(&&l.name));
        free.map(|l| l.name).collect()
    } else {
        Vec::new()
    };
    let count = found.len() + named.iter().filter(|n| !n.is_empty()).count();
    let mut found = found.into_iter();
    let mut pick = |name: &String| if name.is_empty() { found.next() } else { Some(name.clone()) };
    let (lan, uplink) = pick(named[0]).zip(pick(named[1])).ok_or(SettingsError::Links(count))?;
    if lan == uplink { Err(SettingsError::Same(lan)) } else { Ok((lan, uplink)) }
}

fn tell(report: &BridgeReport) {
    let (bridge, lan, uplink) = (&report.bridge.name, &report.lan, &report.uplink);
    let made = if report.created { "made" } else { "taken as it was" };
    tracing::info!(%bridge, lan = %lan.name, uplink = %uplink.name, "bridge {made}");
    for setting in report.settings.iter().filter(|s| s.refused.is_some() || s.found != Some(s.wanted)) {
        let why = setting.refused.as_deref().unwrap_or("the kernel keeps another value");
        tracing::warn!("{bridge}: {} should be {}: {why}", setting.name, setting.wanted);
    }
    if !report.mtu_agrees() {
        tracing::warn!(
            "{} takes {} octets and {} takes {}; larger packets are lost",
            lan.name,
            lan.mtu,
            uplink.name,
            uplink.mtu
        );
    }
    for link in [lan, uplink].into_iter().filter(|l| !l.carrier) {
        tracing::warn!("{} has no carrier: is the cable plugged in?", link.name);
    }
}

fn secret() -> io::Result<[u64; 3]> {
    let mut octets = [0; 24];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    let mut secret = [0; 3];
    for (number, chunk) in secret.iter_mut().zip(octets.chunks_exact(8)) {
        *number = chunk.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
    }
    Ok(secret)
}
