//! The targets that a host asked lately, by service.

use heapless::Vec;
use terms::{Span, Timestamp};

use crate::change::Ask;
use crate::hash::RowId;
use crate::pair::{Answer, asked_until};

/// Targets that are remembered at a time; see `least_telling` for who makes room.
pub const PEERS: usize = 48;
const HORIZON: Span = Span::from_secs(60);
/// The least time between two questions to one target that counts as a gap.
const LEAST_GAP: Span = Span::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Peer {
    target: RowId,
    port: u16,
    ask: Ask,
    answer: Answer,
    at: Timestamp,
    /// When it was asked last after a second or more without a question, and the time between that and the one before; zero where
    /// there was none.
    beat: Timestamp,
    gap: Span,
}

/// What a question was among those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Of a target and service that is not remembered.
    New,
    /// Once more.
    Again,
    /// Once more, and how equal the last two gaps were: the shorter in hundredths of the longer.
    InStep(u32),
}

/// How many were asked in the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Distinct targets of the service.
    pub targets: u16,
    /// Of them refused or silent.
    pub failing: u16,
    /// Distinct ports over all targets.
    pub ports: u16,
}

/// Distinct (target, service) of the last minute.
#[derive(Clone, Debug, Default)]
pub struct PeerSet {
    peers: Vec<Peer, PEERS>,
    ports: [Ports; 4],
}

/// Distinct ports over all targets, for one kind of question, as counted last.
///
/// To count them is most of what a scan's frame costs; that one more is asked moves the count by one or not at all.
#[derive(Clone, Copy, Debug, Default)]
struct Ports {
    count: u16,
    /// Until when no peer that was counted leaves the horizon; the epoch where the count is not known.
    until: Timestamp,
}

impl PeerSet {
    /// Notes that a target is asked.
    pub(crate) fn ask(&mut self, target: RowId, ask: Ask, port: u16, at: Timestamp) -> Asked {
        let ports = &mut self.ports[ask as usize];
        if at >= ports.until {
            ports.until = Timestamp::EPOCH;
        }
        let found = self.peers.iter().position(|p| p.target == target && p.port == port && p.ask == ask);
        if let Some(place) = found {
            let peer = &mut self.peers[place];
            if at.since(peer.at) >= HORIZON {
                ports.until = Timestamp::EPOCH;
            }
            return peer.again(at);
        }
        if ports.until > at {
            let same = |p: &Peer| (p.port == port) & (p.ask == ask) & (at.since(p.at) < HORIZON);
            ports.count += u16::from(!self.peers.iter().any(same));
        }
        let peer = Peer { target, port, ask, answer: Answer::Pending, at, beat: at, gap: Span::ZERO };
        if let Err(peer) = self.peers.push(peer) {
            // Whoever makes room may have been counted.
            self.ports = [Ports::default(); 4];
            if let Some(slot) = self.least_telling(at) {
                *slot = peer;
            }
        }
        Asked::New
    }

    /// Notes how it answered.
    pub(crate) fn answer(&mut self, target: RowId, ask: Ask, port: u16, answer: Answer) {
        if let Some(peer) = self.find(target, ask, port) {
            peer.answer = answer;
        }
    }

    /// Where one service stands in the minute up to the last question.
    pub(crate) fn standing(&mut self, ask: Ask, port: u16, now: Timestamp) -> Standing {
        let (mut of_service, mut of_kind) = (Timestamp::EPOCH, Timestamp::EPOCH);
        for peer in self.peers.iter().filter(|p| p.ask == ask) {
            of_kind = of_kind.max(peer.at);
            of_service = of_service.max(if peer.port == port { peer.at } else { Timestamp::EPOCH });
        }
        let (of_service, of_kind) = (asked_until(of_service, now), asked_until(of_kind, now));
        let (mut targets, mut failing) = (0, 0);
        // Without a guess: which peers count is as good as random to the processor.
        for peer in &self.peers {
            let same = (peer.ask == ask) & (peer.port == port) & (of_service.since(peer.at) < HORIZON);
            targets += u16::from(same);
            failing += u16::from(same & peer.answer.is_failing());
        }
        if of_kind >= self.ports[ask as usize].until {
            self.ports[ask as usize] = self.count_ports(ask, of_kind);
        }
        Standing { targets, failing, ports: self.ports[ask as usize].count }
    }

    fn count_ports(&self, ask: Ask, now: Timestamp) -> Ports {
        let (mut seen, mut marks, mut oldest) = (Vec::<u16, PEERS>::new(), 0_u128, now);
        for peer in self.peers.iter().filter(|p| p.ask == ask && now.since(p.at) < HORIZON) {
            oldest = oldest.min(peer.at);
            // Comparing each port with each would be too much; one whose mark is not set was not seen.
            let mark = 1 << (peer.port % 128);
            if marks & mark == 0 || !seen.contains(&peer.port) {
                marks |= mark;
                seen.push(peer.port).unwrap_or_default();
            }
        }
        Ports { count: seen.iter().fold(0, |n, _| n + 1), until: oldest + HORIZON }
    }

    /// Who makes room: one that no longer counts, else one that answered, else nobody: then the set already tells of a sweep.
    fn least_telling(&mut self, now: Timestamp) -> Option<&mut Peer> {
        let worth = |p: &Peer| (now.since(p.at) < HORIZON, p.answer != Answer::Accepted, p.at);
        let least = self.peers.iter_mut().min_by_key(|p| worth(p))?;
        (worth(least) < (true, true, Timestamp::EPOCH)).then_some(least)
    }

    fn find(&mut self, target: RowId, ask: Ask, port: u16) -> Option<&mut Peer> {
        self.peers.iter_mut().find(|p| p.target == target && p.port == port && p.ask == ask)
    }
}

impl Peer {
    /// Questions within a second are one: a conversation of several, or a repeated segment.
    fn again(&mut self, at: Timestamp) -> Asked {
        let (gap, before) = (at.since(self.beat), self.gap);
        self.at = at;
        if gap < LEAST_GAP {
            return Asked::Again;
        }
        (self.beat, self.gap) = (at, gap);
        if before == Span::ZERO {
            return Asked::Again;
        }
        let (short, long) = (gap.min(before).micros(), gap.max(before).micros());
        Asked::InStep(u32::try_from(100 * short / long).unwrap_or(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks and answers at random: after each, the kept count is what counting anew gives.
    #[test]
    fn the_kept_count_of_ports_is_what_counting_gives() {
        let (mut peers, mut state) = (PeerSet::default(), 1_u64);
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut at = Timestamp::from_secs(1_000);
        for round in 0..20_000_u64 {
            at = at + Span::from_micros(random(if round % 4_000 < 2_000 { 1_000_000 } else { 10_000_000 }));
            let ask = if random(4) == 0 { Ask::Udp } else { Ask::Tcp };
            let (target, port) = (RowId(random(1 + round / 200)), u16::try_from(random(40)).unwrap());
            peers.ask(target, ask, port, at);
            peers.answer(target, ask, port, if random(2) == 0 { Answer::Silent } else { Answer::Accepted });
            assert_eq!(peers.standing(ask, port, at).ports, peers.count_ports(ask, at).count, "round {round}");
        }
    }

    #[test]
    fn services_are_counted_apart() {
        let mut peers = PeerSet::default();
        let at = Timestamp::from_secs(100);
        for n in 0..5 {
            assert_eq!(peers.ask(RowId(n), Ask::Tcp, 22, at), Asked::New);
            peers.ask(RowId(n), Ask::Tcp, 80, at);
            peers.answer(RowId(n), Ask::Tcp, 22, Answer::Silent);
        }
        assert_eq!(peers.ask(RowId(0), Ask::Tcp, 22, at), Asked::Again);
        let mut standing = |port, at| {
            let s = peers.standing(Ask::Tcp, port, at);
            (s.targets, s.failing, s.ports)
        };
        assert_eq!(standing(22, at), (5, 5, 2));
        assert_eq!(standing(80, at), (5, 0, 2));
        assert_eq!(standing(22, Timestamp::from_secs(160)), (0, 0, 0));
    }

    #[test]
    fn a_beacon_is_in_step_and_a_person_is_not() {
        let steps = |gaps: &[u64]| {
            let mut peers = PeerSet::default();
            let mut at = 1_000;
            let first = core::iter::once(&0).chain(gaps);
            let asked: Vec<Asked, 8> = first
                .map(|gap| {
                    at += gap;
                    peers.ask(RowId(1), Ask::Tcp, 443, Timestamp::from_secs(at))
                })
                .collect();
            asked
        };
        assert_eq!(steps(&[60, 60]), [Asked::New, Asked::Again, Asked::InStep(100)]);
        assert_eq!(steps(&[60, 0, 15]), [Asked::New, Asked::Again, Asked::Again, Asked::InStep(25)]);
    }
}
