//! The gateway's own inspector and enforcer against a scan in a small network of their own: does this binary protect, on this kernel?
//!
//! ```text
//! scanner, bystander: lan-host ---- lan [bridge] up ---- up-host: target
//! ```
//! Both cables and the bridge stand in a network namespace that this process makes for itself and that is gone with it. The target
//! refuses each connection, the inspector reads both rings, the enforcer writes the kernel's table; what came through is counted at
//! the target's end. Parts that hang are not waited for.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use board::Board;
use capture::{ensure_bridge, make_cable};
use nix::sched::{CloneFlags, unshare};
use pnet_datalink::{Channel, DataLinkReceiver, DataLinkSender};
use store::Event;
use terms::{BlockState, HostKey, MacAddr};

use super::event::{News, Work};
use super::jury::Voting;
use super::pulse::Pulse;
use super::settings::{self, Settings};
use super::{ORDERS, SUSPECTS, clues, enforcer, inspector};
use crate::config::Config;
use crate::model;

const SCANNER: End = End { mac: [2, 0, 0, 0, 0, 0x66], address: Ipv4Addr::new(10, 99, 0, 66) };
const BYSTANDER: End = End { mac: [2, 0, 0, 0, 0, 0x07], address: Ipv4Addr::new(10, 99, 0, 7) };
const TARGET: End = End { mac: [2, 0, 0, 0, 0, 0x01], address: Ipv4Addr::new(10, 99, 0, 1) };
/// Ports that are tried, four times what a host may try by default.
const SCANNED: u16 = 40;
/// The ports of what is sent to see whether it comes through, one after the other.
const PROBES: u16 = 20_000;
/// Frames of each host that are sent to see whether they come through.
const ROUNDS: u16 = 8;
/// How long anything may take: a small box may be busy starting.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long after a scan it is repeated, until it is found.
const AGAIN: Duration = Duration::from_millis(500);
/// How long a frame may take across a bridge in memory.
const CROSSES: Duration = Duration::from_millis(100);

// The flags of a TCP segment.
const SYN: u8 = 0x02;
const RST_ACK: u8 = 0x14;

/// One end of a conversation.
#[derive(Clone, Copy)]
struct End {
    mac: [u8; 6],
    address: Ipv4Addr,
}

/// One link's end, where frames are sent and come in.
struct Link {
    to: Box<dyn DataLinkSender>,
    from: Box<dyn DataLinkReceiver>,
}

/// Has the gateway's parts defend a network of their own, and says what came of it.
///
/// # Errors
/// What did not work: the scan was not found, not blocked, or a bystander was cut.
pub fn rehearse() -> Result<String, String> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("a network namespace of its own: {error}"))?;
    let words = |error: &dyn std::fmt::Display| error.to_string();
    make_cable("lan-host", "lan").map_err(|error| words(&error))?;
    make_cable("up-host", "up").map_err(|error| words(&error))?;
    ensure_bridge("picket0", "lan", "up").map_err(|error| words(&error))?;
    let (mut lan, mut uplink) = (Link::open("lan-host")?, Link::open("up-host")?);
    let mut ports = 1..=u16::MAX;
    let mut next = || ports.next().unwrap_or(1) % 10_000 + PROBES;

    let before = crossing(&mut lan, &mut uplink, &mut next, PATIENCE)?;
    if !(before.contains(&SCANNER.mac) && before.contains(&BYSTANDER.mac)) {
        return Err("nothing crosses the bridge before there is a block".into());
    }
    let parts = Parts::start()?;
    let begun = Instant::now();
    let event = parts.await_block(&mut lan, &mut uplink)?;
    let took = begun.elapsed();
    let after = crossing(&mut lan, &mut uplink, &mut next, PATIENCE)?;
    parts.stop();
    if after.contains(&SCANNER.mac) {
        return Err(format!("the kernel confirmed the block and lets the scanner's frames pass: {}", event.why));
    }
    if !after.contains(&BYSTANDER.mac) {
        return Err("who did nothing is cut as well".into());
    }
    Ok(format!("{} was blocked after {} ms by {}", event.host, took.as_millis(), event.detector))
}

/// The parts of the gateway that are rehearsed.
struct Parts {
    heard: Receiver<News>,
    work: SyncSender<Work>,
    orders: SyncSender<super::event::Order>,
}

impl Parts {
    fn start() -> Result<Self, String> {
        let config = Config::default();
        let mut board = Board::of_this_machine().map_err(|error| error.to_string())?;
        // A network of three takes little, beside a gateway that needs the memory.
        (board.budgets.hosts, board.budgets.ring_frames) = (64, 1_024);
        let settings = Settings {
            board,
            lan: "lan".into(),
            uplink: "up".into(),
            bridge: "picket0".into(),
            own: settings::own(&["picket0", "lan", "up"]),
            secret: settings::secret().map_err(|error| error.to_string())?,
        };
        let (work, suspected) = sync_channel(SUSPECTS);
        let (orders, ordered) = sync_channel(ORDERS);
        let (news, heard) = sync_channel(SUSPECTS);
        let (clues, _learnt) = clues::Clues::channel();
        // No policy: what the configuration says by default counts, which is to protect.
        let _ = work.send(Work::Policy(None, None));
        let enforce = {
            let (config, settings, news, orders) = (config.clone(), settings.clone(), news.clone(), orders.clone());
            move || enforcer::enforce(&config, settings, &suspected, (&news, &orders), &Pulse::default())
        };
        let inspect = {
            let (voting, suspects) =
                (Voting { forest: model::Model::shipped().map(Into::into), ..Voting::default() }, work.clone());
            move || {
                inspector::inspect(
                    &config,
                    &settings,
                    (voting, Default::default()),
                    &ordered,
                    (&suspects, &news, clues),
                    &Pulse::default(),
                )
            }
        };
        let spawn = |name: &str, part: Box<dyn FnOnce() + Send>| {
            thread::Builder::new().name(name.into()).spawn(part).map_err(|error| format!("the {name}: {error}"))
        };
        spawn("enforcer", Box::new(enforce))?;
        spawn("inspector", Box::new(inspect))?;
        let parts = Self { heard, work, orders };
        parts.await_table()?;
        Ok(parts)
    }

    /// Waits until the kernel holds the table and both links are read.
    fn await_table(&self) -> Result<(), String> {
        let (mut table, mut reads, until) = (false, false, Instant::now() + PATIENCE);
        while !(table && reads) {
            match self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(News::Kernel(state)) => {
                    if let Some(why) = state.warnings.first() {
                        return Err(format!("the kernel takes no rules: {why}"));
                    }
                    table = state.intact;
                }
                Ok(News::Second(second)) => {
                    if let Some(why) = second.warnings.first() {
                        return Err(format!("the links are not read: {why}"));
                    }
                    reads = true;
                }
                Ok(_) => {}
                Err(_) if !table => return Err("the enforcer gave no sign of life".into()),
                Err(_) => return Err("the inspector gave no sign of life".into()),
            }
        }
        Ok(())
    }

    /// Scans until the kernel has confirmed that the scanner is blocked.
    fn await_block(&self, lan: &mut Link, uplink: &mut Link) -> Result<Event, String> {
        let until = Instant::now() + PATIENCE;
        let mut found = None;
        while Instant::now() < until {
            for port in 1..=SCANNED {
                lan.send(&segment(SCANNER, TARGET, (40_000 + port, port), SYN));
                uplink.refuse_next();
                // The last one is followed by silence, in which what is left is judged.
                let wait = if port == SCANNED { AGAIN } else { Duration::ZERO };
                while let Ok(news) = self.heard.recv_timeout(wait) {
                    let News::Event(event) = news else { continue };
                    match event.state {
                        BlockState::Confirmed if is_scanner(event.host) => return Ok(*event),
                        _ if is_scanner(event.host) => found = Some(event),
                        _ => {}
                    }
                }
            }
        }
        Err(match found {
            Some(event) => format!("the scan was found and not blocked: {}", event.why),
            None => format!("a scan of {SCANNED} ports was not found"),
        })
    }

    fn stop(&self) {
        // Who does not hear it ends with the process.
        let _ = (self.orders.try_send(super::event::Order::Stop), self.work.try_send(Work::Stop));
    }
}

fn is_scanner(host: HostKey) -> bool {
    host == HostKey::V4(SCANNER.address) || host == HostKey::Mac(MacAddr::new(SCANNER.mac))
}

impl Link {
    fn open(name: &str) -> Result<Self, String> {
        let known = pnet_datalink::interfaces().into_iter().find(|link| link.name == name);
        let known = known.ok_or_else(|| format!("link {name} is not there"))?;
        let config = pnet_datalink::Config { read_timeout: Some(CROSSES), ..Default::default() };
        match pnet_datalink::channel(&known, config) {
            Ok(Channel::Ethernet(to, from)) => Ok(Self { to, from }),
            Ok(_) => Err(format!("link {name} carries no frames")),
            Err(error) => Err(format!("link {name}: {error}")),
        }
    }

    fn send(&mut self, frame: &[u8]) {
        // What does not go out does not come in, which is seen there.
        let _ = self.to.send_to(frame, None);
    }

    /// The next segment of the rehearsal that comes in within a time: who sent it, and its ports.
    fn receive(&mut self, within: Duration) -> Option<([u8; 6], (u16, u16))> {
        let until = Instant::now() + within;
        while Instant::now() < until {
            let Ok(frame) = self.from.next() else { continue };
            let sender = frame.get(6..12).and_then(|mac| mac.try_into().ok());
            let port = |at: usize| Some(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?));
            if let (Some(sender), Some(from), Some(to)) = (sender, port(34), port(36))
                && [SCANNER.mac, BYSTANDER.mac].contains(&sender)
            {
                return Some((sender, (from, to)));
            }
        }
        None
    }

    /// Refuses the next connection, as a target does where nobody listens.
    fn refuse_next(&mut self) {
        if let Some((_, (from, to))) = self.receive(CROSSES) {
            self.send(&segment(TARGET, SCANNER, (to, from), RST_ACK));
        }
    }
}

/// Whose frames come through: both hosts send a few, each to a port of its own, until the bystander's have come or time is up.
fn crossing(
    lan: &mut Link,
    uplink: &mut Link,
    next: &mut dyn FnMut() -> u16,
    patience: Duration,
) -> Result<BTreeSet<[u8; 6]>, String> {
    let (mut came, until) = (BTreeSet::new(), Instant::now() + patience);
    // What was under way before does not count.
    while uplink.receive(Duration::from_millis(1)).is_some() {}
    while !came.contains(&BYSTANDER.mac) && Instant::now() < until {
        let ports: BTreeSet<u16> = (0..ROUNDS).map(|_| next()).collect();
        for port in &ports {
            lan.send(&segment(SCANNER, TARGET, (*port, 443), SYN));
            lan.send(&segment(BYSTANDER, TARGET, (*port, 443), SYN));
        }
        while let Some((sender, (from, _))) = uplink.receive(CROSSES) {
            if ports.contains(&from) {
                came.insert(sender);
            }
        }
    }
    Ok(came)
}

/// A TCP segment without content in its frame; the sums are right.
fn segment(from: End, to: End, ports: (u16, u16), flags: u8) -> Vec<u8> {
    let mut tcp =
        [&ports.0.to_be_bytes()[..], &ports.1.to_be_bytes(), &1_u32.to_be_bytes(), &1_u32.to_be_bytes()].concat();
    tcp.extend([0x50, flags, 0x40, 0, 0, 0, 0, 0]);
    let pseudo = [&from.address.octets()[..], &to.address.octets(), &[0, 6, 0, 20]].concat();
    let sum = checksum(&[&pseudo[..], &tcp].concat());
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    let mut ip = vec![0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0];
    ip.extend(from.address.octets());
    ip.extend(to.address.octets());
    let sum = checksum(&ip);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    [&to.mac[..], &from.mac, &[8, 0], &ip, &tcp].concat()
}

/// The internet's checksum over an even number of octets. **Source**: RFC 1071.
fn checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks_exact(2).map(|two| u32::from(u16::from_be_bytes([two[0], two[1]])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_read_as_what_it_is_meant_to_be() {
        let frame = segment(SCANNER, TARGET, (40_001, 22), SYN);
        assert_eq!(frame.len(), 54);
        assert_eq!(
            (checksum(&frame[14..34]), checksum(&[&frame[26..34], &[0, 6, 0, 20], &frame[34..]].concat())),
            (0, 0)
        );
        let read = wire::parse(wire::LinkType::Ethernet, &frame, 54, None).expect("a whole frame");
        assert!(matches!(read.net, wire::Net::Ip(packet) if packet.src == SCANNER.address));
    }
}
