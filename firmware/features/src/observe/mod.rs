//! The way of one frame through the tables.

mod arp;
mod domains;
mod exposure;
mod icmp;
mod ip;
mod listed;
mod logins;
mod neighbor;
mod words;

use terms::{HostKey, MacAddr, Side, Span, Timestamp};
use wire::{Net, Summary};

use crate::change::{Ask, Change, Noted};
use crate::flow::{Flow, Phase};
use crate::hash::RowId;
use crate::host::{Host, Judgement};
use crate::host_table::{Awaited, HostTable, Party};
use crate::pair::{Answer, PATIENCE};
use crate::peers::{Asked, Standing};
use crate::window::Tally;

/// Changes that one frame can note; more are counted and left out.
pub const NOTED: usize = 16;
/// The horizon of what is done slowly.
const HOUR: Span = Span::from_secs(3_600);
/// The horizon of most of what few hosts do.
const MINUTE: Span = Span::from_secs(60);

/// The changes of one frame.
pub type Notes = heapless::Vec<Noted, NOTED>;

/// The frame at hand, as the steps below share it.
#[derive(Clone, Copy)]
struct Moment {
    at: Timestamp,
    side: Side,
    src: Party,
    dst: Party,
    mac: MacAddr,
    /// Where the sender's row stands: it can't move while its frame is taken in.
    slot: usize,
    group: bool,
    /// Whether its address came from another hardware address before.
    moved: bool,
}

impl<J: Judgement> HostTable<J> {
    /// Takes in one frame. `at` must not be before the time of an earlier call, and all silence up to it must have been taken.
    ///
    /// Returns the host that sent it; `notes` receives what it changed.
    pub fn observe(&mut self, frame: &Summary<'_>, at: Timestamp, side: Side, notes: &mut Notes) -> &mut Host<J> {
        let slot = match &frame.net {
            Net::Arp(arp) => self.observe_arp(frame, arp, at, side, notes),
            Net::Ip(packet) => {
                let (src, dst) = (HostKey::from(packet.src), HostKey::from(packet.dst));
                // DHCP and duplicate address detection speak before they have an address.
                let src = if packet.src.is_unspecified() { HostKey::Mac(frame.src) } else { src };
                let moment = self.count_frame(frame, src, dst, at, side);
                if moment.moved {
                    self.note_taken_over(&moment, notes);
                }
                self.observe_ip(frame, packet, &moment, notes);
                moment.slot
            }
            Net::Lldp(_) | Net::Other(_) => {
                let src = self.owner_of(frame.src);
                self.count_frame(frame, src, HostKey::Mac(frame.dst), at, side).slot
            }
        };
        self.hosts.at(slot)
    }

    /// Takes the oldest question that nobody has answered when its time was over, and returns that moment; nothing where there
    /// is none up to `until`.
    ///
    /// A silence happens when it is due, whoever looks and however late: what is counted does not depend on when time was told.
    #[inline]
    pub fn silence(&mut self, until: Timestamp, notes: &mut Notes) -> Option<Timestamp> {
        // Nearly every frame asks, and nothing is due.
        if self.awaited.front().is_none_or(|awaited| awaited.due > until) { None } else { self.due(until, notes) }
    }

    fn due(&mut self, until: Timestamp, notes: &mut Notes) -> Option<Timestamp> {
        while self.awaited.front().is_some_and(|awaited| awaited.due <= until) {
            let awaited = self.awaited.pop_front()?;
            // Asks memory for the one that is due next: it is looked for soon.
            core::hint::black_box(self.awaited.front().map(|next| self.flows.find(next.flow)));
            let silent =
                self.flows.get_mut(awaited.flow).filter(|f| f.phase == Phase::Asked && f.first == awaited.asked);
            if let Some(flow) = silent {
                flow.phase = Phase::Silent;
                self.answered(&awaited, Answer::Silent, awaited.due, notes);
                return Some(awaited.due);
            }
        }
        None
    }

    /// The address of a hardware address that spoke below IP.
    fn owner_of(&mut self, mac: MacAddr) -> HostKey {
        let known = self.neighbors.get_mut(self.key.mac(mac)).and_then(|n| n.address());
        known.map_or(HostKey::Mac(mac), HostKey::V4)
    }

    /// Counts the frame for its sender and its receiver; what is returned is shared by the steps that follow.
    fn count_frame(&mut self, frame: &Summary<'_>, src: HostKey, dst: HostKey, at: Timestamp, side: Side) -> Moment {
        let (mac, group) = (frame.src, frame.dst.is_multicast());
        let (src, dst) = (self.party(src), self.party(dst));
        let (slot, fresh) = self.sender(src, mac, side, at);
        let host = self.hosts.at(slot);
        let moved = host.mac != mac;
        host.mac = mac;
        host.side = side;
        host.last_seen = at;
        host.frames += 1;
        host.octets += u64::from(frame.len);
        let counters = host.window.open(at);
        counters.add(Tally::FramesOut, 1);
        counters.add(Tally::OctetsOut, frame.len);
        counters.add(Tally::GroupOut, u32::from(group));
        counters.add(Tally::SmallOut, u32::from(frame.len < 100));
        counters.squares = counters.squares.saturating_add(u64::from(frame.len) * u64::from(frame.len));
        let check_in = fresh || moved || host.frames.is_multiple_of(256);
        if check_in && let HostKey::V4(address) = src.key {
            self.neighbor(mac, side, at).used(address, at);
        }
        if !group && let Some(host) = self.hosts.get_mut(dst.id) {
            let counters = host.window.open(at);
            counters.add(Tally::FramesIn, 1);
            counters.add(Tally::OctetsIn, frame.len);
        }
        Moment { at, side, src, dst, mac, slot, group, moved }
    }

    /// An address came over from another hardware address, as in a network whose traffic somebody draws to itself.
    #[cold]
    fn note_taken_over(&mut self, m: &Moment, notes: &mut Notes) {
        let claimant = self.claimants.get_mut(self.key.mac(m.mac));
        let Some((host, addresses)) = claimant.and_then(|c| c.took_over(m.src.key, m.at)) else { return };
        let noted =
            Noted { host, mac: m.mac, side: m.side, change: Change::TakenOver { address: m.src.key, addresses } };
        self.push(noted, notes);
    }

    fn tally(&mut self, host: Party, tally: Tally, at: Timestamp) {
        if let Some(host) = self.hosts.get_mut(host.id) {
            host.window.open(at).add(tally, 1);
        }
    }

    /// Tallies something that the sender of this frame did.
    fn tally_sender(&mut self, m: &Moment, tally: Tally) {
        self.hosts.at(m.slot).window.open(m.at).add(tally, 1);
    }

    fn note(&mut self, host: Party, change: Change, notes: &mut Notes) {
        let Some((mac, side)) = self.hosts.get_mut(host.id).map(|h| (h.mac, h.side)) else { return };
        self.push(Noted { host: host.key, mac, side, change }, notes);
    }

    /// Notes what the sender of this frame did.
    fn note_sender(&mut self, m: &Moment, change: Change, notes: &mut Notes) {
        self.push(Noted { host: m.src.key, mac: m.mac, side: m.side, change }, notes);
    }

    fn push(&mut self, noted: Noted, notes: &mut Notes) {
        if notes.push(noted).is_err() {
            self.unnoted += 1;
        }
    }

    /// Keeps a conversation in place of any that the same ends had before.
    fn keep(&mut self, id: RowId, flow: Flow) {
        match self.flows.find(id) {
            Some(slot) => *self.flows.at(slot) = flow,
            None => drop(self.flows.insert(id, flow)),
        }
    }

    /// Starts a conversation that `m.src` asks for.
    fn asked(&mut self, id: RowId, ask: Ask, port: u16, m: &Moment, notes: &mut Notes) {
        self.keep(id, Flow::asked(ask, port, m.src.id.0 <= m.dst.id.0, m.mac, m.at));
        if self.awaited.len() < self.awaited_capacity {
            let due = m.at + PATIENCE;
            self.awaited.push_back(Awaited { due, asked: m.at, flow: id, orig: m.src, target: m.dst, ask, port });
        } else {
            self.unawaited += 1;
        }
        let (src, dst, at) = (m.src, m.dst, m.at);
        let port_hash = self.key.octets(&port.to_be_bytes());
        let host = self.hosts.at(m.slot);
        let asked = host.peers.ask(dst.id, ask, port, at);
        let lonely = !host.conversed;
        let counters = host.window.open(at);
        counters.add(Tally::Asks, 1);
        match asked {
            Asked::New => counters.add(Tally::NewPeers, 1),
            Asked::Again => {}
            Asked::InStep(hundredths) => {
                counters.add(Tally::Gaps, 1);
                counters.add(Tally::EqualGaps, hundredths);
            }
        }
        counters.targets.add(dst.id.0);
        counters.ports.add(port_hash);
        if let Some(host) = self.hosts.get_mut(dst.id) {
            let counters = host.window.open(at);
            counters.add(Tally::AskedOf, 1);
            counters.add(Tally::SynIn, u32::from(ask == Ask::Tcp));
            counters.sources.add(src.id.0);
        }
        if let Some(set) = set_of(ask) {
            self.pair(src, dst, at).ask(set, port, at);
        }
        if lonely && m.side != Side::Uplink && m.mac != MacAddr::ZERO {
            self.note_fresh_source(m, notes);
        }
        self.note_counts(src, dst, ask, port, at, notes);
        self.note_listed(m, notes);
    }

    /// A host that nobody answered yet starts to talk: its hardware address may be inventing hosts.
    fn note_fresh_source(&mut self, m: &Moment, notes: &mut Notes) {
        if self.hosts.at(m.slot).frames > 1 {
            return;
        }
        let addresses = self.neighbor(m.mac, m.side, m.at).fresh_source(m.at);
        self.note_sender(m, Change::Sources { addresses }, notes);
    }

    /// Carries an answer to the asker's counters.
    fn answered(&mut self, awaited: &Awaited, answer: Answer, at: Timestamp, notes: &mut Notes) {
        let Awaited { orig, target, ask, port, .. } = *awaited;
        if let Some(host) = self.hosts.get_mut(orig.id) {
            host.peers.answer(target.id, ask, port, answer);
            host.conversed |= answer == Answer::Accepted;
            let tally = match answer {
                Answer::Accepted => Tally::Accepted,
                Answer::Refused => Tally::Refused,
                Answer::Silent | Answer::Pending => Tally::Silent,
            };
            host.window.open(at).add(tally, 1);
        }
        if answer == Answer::Accepted {
            if let Some(host) = self.hosts.get_mut(target.id) {
                host.conversed = true;
            }
            self.note_accepted(awaited, at, notes);
        }
        if let Some(set) = set_of(ask) {
            let id = self.pair_id(orig, target);
            if let Some(pair) = self.pairs.get_mut(id) {
                pair.answer(set, port, answer);
            }
        }
        if answer.is_failing() {
            self.tally(target, Tally::FailedIn, at);
            if ask == Ask::Tcp {
                self.note_failed_server(orig, target, at, notes);
                self.note_failing(orig, target, port, at, notes);
            }
            self.note_counts(orig, target, ask, port, at, notes);
        }
    }

    /// Notes a port of a host of the network that failed: over an hour even a slow scan shows.
    fn note_failing(&mut self, orig: Party, target: Party, port: u16, at: Timestamp, notes: &mut Notes) {
        if target.key.is_global() {
            return;
        }
        let what = self.key.pair(target.id, target.id, port.into()).short();
        let asks = self.doings(orig, at).failing.note_once(what, at, HOUR);
        self.note(orig, Change::Failing { asks }, notes);
    }

    /// Notes where the asker stands with this target and this service.
    fn note_counts(&mut self, orig: Party, target: Party, ask: Ask, port: u16, at: Timestamp, notes: &mut Notes) {
        let Some(host) = self.hosts.get_mut(orig.id) else { return };
        let Standing { targets, failing, ports: overall } = host.peers.standing(ask, port, at);
        let (mac, side) = (host.mac, host.side);
        let noted = |change| Noted { host: orig.key, mac, side, change };
        if targets > 1 {
            let abroad = target.key.is_global();
            self.push(noted(Change::Targets { ask, port, targets, failing, abroad }), notes);
        }
        let Some(set) = set_of(ask) else { return };
        let id = self.pair_id(orig, target);
        let Some((ports, failing)) = self.pairs.get_mut(id).map(|pair| pair.count(set, at)) else { return };
        if ports > 1 || overall > 1 {
            self.push(noted(Change::Ports { target: target.key, ask, ports, failing, overall }), notes);
        }
    }
}

/// The port set of a pair that counts this kind of question.
fn set_of(ask: Ask) -> Option<usize> {
    match ask {
        Ask::Tcp => Some(0),
        Ask::Udp => Some(1),
        Ask::Icmp | Ask::Arp | Ask::Neighbor => None,
    }
}
