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
    /// The time between the last two questions that were a second apart or more; zero where there were none.
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

/// Distinct (target, service) of the last minute.
#[derive(Clone, Debug, Default)]
pub struct PeerSet(Vec<Peer, PEERS>);

impl PeerSet {
    /// Notes that a target is asked.
    pub(crate) fn ask(&mut self, target: RowId, ask: Ask, port: u16, at: Timestamp) -> Asked {
        if let Some(peer) = self.find(target, ask, port) {
            return peer.again(at);
        }
        let peer = Peer { target, port, ask, answer: Answer::Pending, at, gap: Span::ZERO };
        if let Err(peer) = self.0.push(peer)
            && let Some(slot) = self.least_telling(at)
        {
            *slot = peer;
        }
        Asked::New
    }

    /// Notes how it answered.
    pub(crate) fn answer(&mut self, target: RowId, ask: Ask, port: u16, answer: Answer) {
        if let Some(peer) = self.find(target, ask, port) {
            peer.answer = answer;
        }
    }

    /// Distinct targets of one service in the last minute, and how many failed.
    pub(crate) fn count(&self, ask: Ask, port: u16, now: Timestamp) -> (u16, u16) {
        let of_service = self.recent(now, |p| p.ask == ask && p.port == port);
        of_service.fold((0, 0), |(all, failing), p| (all + 1, failing + u16::from(p.answer.is_failing())))
    }

    /// Distinct ports over all targets in the last minute.
    pub(crate) fn ports(&self, ask: Ask, now: Timestamp) -> u16 {
        let mut seen = Vec::<u16, PEERS>::new();
        // A scan has as many ports as peers: comparing each with each would cost more than all the rest of its frame.
        let mut marks = 0_u128;
        for peer in self.recent(now, |p| p.ask == ask) {
            let mark = 1 << (peer.port % 128);
            if marks & mark == 0 || !seen.contains(&peer.port) {
                marks |= mark;
                seen.push(peer.port).unwrap_or_default();
            }
        }
        seen.iter().fold(0, |n, _| n + 1)
    }

    /// Who makes room: one that no longer counts, else one that answered, else nobody: then the set already tells of a sweep.
    fn least_telling(&mut self, now: Timestamp) -> Option<&mut Peer> {
        let worth = |p: &Peer| (now.since(p.at) < HORIZON, p.answer != Answer::Accepted, p.at);
        let least = self.0.iter_mut().min_by_key(|p| worth(p))?;
        (worth(least) < (true, true, Timestamp::EPOCH)).then_some(least)
    }

    /// Those of a kind that were asked in the minute up to the last such question.
    fn recent(&self, now: Timestamp, of: impl Fn(&Peer) -> bool) -> impl Iterator<Item = &Peer> {
        let until = asked_until(self.0.iter().filter(|p| of(p)).map(|p| p.at), now);
        self.0.iter().filter(move |p| of(p) && until.since(p.at) < HORIZON)
    }

    fn find(&mut self, target: RowId, ask: Ask, port: u16) -> Option<&mut Peer> {
        self.0.iter_mut().find(|p| p.target == target && p.port == port && p.ask == ask)
    }
}

impl Peer {
    /// Questions within a second are one: a conversation of several, or a repeated segment.
    fn again(&mut self, at: Timestamp) -> Asked {
        let (gap, before) = (at.since(self.at), self.gap);
        if gap < LEAST_GAP {
            return Asked::Again;
        }
        (self.at, self.gap) = (at, gap);
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
        assert_eq!(peers.count(Ask::Tcp, 22, at), (5, 5));
        assert_eq!(peers.count(Ask::Tcp, 80, at), (5, 0));
        assert_eq!(peers.count(Ask::Tcp, 22, Timestamp::from_secs(160)), (0, 0));
        assert_eq!(peers.ports(Ask::Tcp, at), 2);
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
