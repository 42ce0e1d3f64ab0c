//! What the gateway found out about this machine before it started: links, bridge, its own addresses, and secrets of this run.

use std::fs::File;
use std::io::{self, Read};

use board::Board;
use capture::{BridgeReport, ensure_bridge, own_addresses};
use policy::{NeverBlock, Plan, ResponderConfig, Ruleset};
use terms::MacAddr;

use crate::config::Config;
use crate::links;

/// The machine as the threads need it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What this machine is.
    pub board: Board,
    /// The link to the switch.
    pub lan: String,
    /// The link to the router.
    pub uplink: String,
    /// The bridge over both.
    pub bridge: String,
    /// The box's own addresses.
    pub own: Vec<NeverBlock>,
    /// Random bits of this run: two for the tables' hash, one for jitter.
    pub secret: [u64; 3],
}

/// Why the gateway can't start on this machine.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A board file that was built in is wrong.
    #[error(transparent)]
    Board(#[from] board::BoardError),
    /// Too few links, or the same twice.
    #[error(transparent)]
    Links(#[from] links::LinksError),
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
        let board = Board::of_this_machine()?;
        let (lan, uplink) = links::choose(&config.links, &board.links, &capture::list()?).both()?;
        let report = ensure_bridge(&config.links.bridge, &lan, &uplink)?;
        tell(&report);
        let bridge = report.bridge.name;
        let own = own(&[&bridge, &lan, &uplink]);
        Ok(Self { board, lan, uplink, bridge, own, secret: secret()? })
    }

    /// A hardware address of the box itself, by which events name it.
    #[must_use]
    pub fn this_box(&self) -> MacAddr {
        self.own.iter().find_map(NeverBlock::mac).unwrap_or_default()
    }

    /// The ruleset for a policy and for whom no block may cut: the box itself, those learnt, those configured.
    #[must_use]
    pub fn ruleset(&self, never: &[NeverBlock], plan: Option<Plan>) -> Ruleset {
        let mut never_block: Vec<NeverBlock> = self.own.iter().chain(never).copied().collect();
        never_block.sort_unstable();
        never_block.dedup();
        Ruleset { lan: self.lan.clone(), uplink: self.uplink.clone(), never_block, plan }
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

/// The addresses of the box on these links.
#[must_use]
pub fn own(links: &[&str]) -> Vec<NeverBlock> {
    let own = own_addresses(links);
    let macs = own.macs.into_iter().map(NeverBlock::Mac);
    macs.chain(own.addresses.into_iter().map(NeverBlock::Address)).collect()
}

fn never(host: terms::HostKey) -> NeverBlock {
    match host {
        terms::HostKey::Mac(mac) => NeverBlock::Mac(mac),
        terms::HostKey::V4(address) => NeverBlock::Address(address.into()),
        terms::HostKey::V6(address) => NeverBlock::Address(address.into()),
    }
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

/// Random bits for a run.
///
/// # Errors
/// The system has none.
pub fn secret() -> io::Result<[u64; 3]> {
    let mut octets = [0; 24];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    let mut secret = [0; 3];
    for (number, chunk) in secret.iter_mut().zip(octets.chunks_exact(8)) {
        *number = chunk.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
    }
    Ok(secret)
}
