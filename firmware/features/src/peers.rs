//! The targets that a host asked lately, by service.

use heapless::Vec;
use terms::{Span, Timestamp};

use crate::change::Ask;
use crate::hash::RowId;
use crate::marks::Marks;
use crate::pair::{Answer, TELLING, asked_until, worth};

/// Targets that are remembered at a time; see `PeerSet::room` for who makes room.
pub const PEERS: usize = 48;
/// Kinds of questions.
const KINDS: usize = 5;
const HORIZON: Span = Span::from_secs(60);
/// The least time between two questions to one target that counts as a gap.
const LEAST_GAP: Span = Span::from_secs(1);

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
///
/// **Shape**: one list a field, the first `len` of each in use: a search reads three lines of memory rather than all.
#[derive(Clone, Debug)]
pub struct PeerSet {
    len: usize,
    /// Until when all places speak for a scan, so that nobody makes room; the epoch where that is not known.
    taken: Timestamp,
    ports: [Ports; KINDS],
    of_service: Marks<{ PEERS / 8 }>,
    of_target: Marks<{ PEERS / 8 }>,
    services: [Service; PEERS],
    targets: [RowId; PEERS],
    /// When it was asked last.
    asked: [Timestamp; PEERS],
    answers: [Answer; PEERS],
    beats: [Beat; PEERS],
}

/// A kind of question and its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Service(u32);

/// The rhythm in which one peer is asked.
#[derive(Clone, Copy, Debug, Default)]
struct Beat {
    /// When it was asked last after a second or more without a question.
    at: Timestamp,
    /// The time between that and the one before; zero where there was none.
    gap: Span,
}

/// Distinct ports over all targets, for one kind of question, as counted last.
///
/// To count them is most of what a scan's frame costs; that one more is asked moves the count by one or not at all.
#[derive(Clone, Copy, Debug, Default)]
struct Ports {
    count: u16,
    /// The last question.
    last: Timestamp,
    /// Until when no peer that was counted leaves the horizon; the epoch where the count is not known.
    until: Timestamp,
}

impl PeerSet {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.taken = Timestamp::EPOCH;
        self.ports = [Ports::default(); KINDS];
        self.services = [Service::NONE; PEERS];
    }

    /// Notes that a target is asked.
    pub(crate) fn ask(&mut self, target: RowId, ask: Ask, port: u16, at: Timestamp) -> Asked {
        let service = Service::new(ask, port);
        let ports = &mut self.ports[ask as usize];
        ports.last = at;
        if at >= ports.until {
            ports.until = Timestamp::EPOCH;
        }
        if let Some(place) = self.find(target, service) {
            if at.since(self.asked[place]) >= HORIZON {
                self.ports[ask as usize].until = Timestamp::EPOCH;
            }
            self.asked[place] = at;
            return self.beats[place].again(at);
        }
        if let Some(place) = self.room(at) {
            self.counted(service, at, 1);
            self.services[place] = service;
            self.of_service.set(place, service.mark());
            self.targets[place] = target;
            self.of_target.set(place, mark(target));
            self.asked[place] = at;
            self.answers[place] = Answer::Pending;
            self.beats[place] = Beat { at, gap: Span::ZERO };
        }
        Asked::New
    }

    /// Notes how it answered.
    pub(crate) fn answer(&mut self, target: RowId, ask: Ask, port: u16, answer: Answer) {
        if let Some(place) = self.find(target, Service::new(ask, port)) {
            self.answers[place] = answer;
            if answer == Answer::Accepted {
                self.taken = Timestamp::EPOCH;
            }
        }
    }

    /// Where one service stands in the minute up to the last question.
    pub(crate) fn standing(&mut self, ask: Ask, port: u16, now: Timestamp) -> Standing {
        let service = Service::new(ask, port);
        let last = self.ports[ask as usize].last;
        let of_kind = asked_until(last, now);
        // Right after a question it is the last of its service, too.
        let until = if last == now {
            now
        } else {
            let asked = self.places_of(service).map(|n| self.asked[n]);
            asked_until(asked.max().unwrap_or_default(), now)
        };
        let (mut targets, mut failing) = (0, 0);
        for n in self.places_of(service) {
            let counts = until.since(self.asked[n]) < HORIZON;
            targets += u16::from(counts);
            failing += u16::from(counts & self.answers[n].is_failing());
        }
        if of_kind >= self.ports[ask as usize].until {
            self.ports[ask as usize] = Ports { last, ..self.count_ports(ask, of_kind) };
        }
        Standing { targets, failing, ports: self.ports[ask as usize].count }
    }

    fn count_ports(&self, ask: Ask, now: Timestamp) -> Ports {
        let (mut seen, mut marks, mut oldest) = (Vec::<u16, PEERS>::new(), 0_u128, now);
        for n in
            self.places().filter(|&n| self.services[n].kind() == ask as usize && now.since(self.asked[n]) < HORIZON)
        {
            oldest = oldest.min(self.asked[n]);
            // Comparing each port with each would be too much; one whose mark is not set was not seen.
            let port = self.services[n].port();
            let mark = 1 << (port % 128);
            if marks & mark == 0 || !seen.contains(&port) {
                marks |= mark;
                seen.push(port).unwrap_or_default();
            }
        }
        Ports { count: seen.iter().fold(0, |n, _| n + 1), last: now, until: oldest + HORIZON }
    }

    /// A place for one more: a free one, else that of one that no longer counts, else of one that answered, else none: then the set
    /// already tells of a sweep.
    fn room(&mut self, now: Timestamp) -> Option<usize> {
        if self.len < PEERS {
            self.len += 1;
            return Some(self.len - 1);
        }
        if now < self.taken {
            return None;
        }
        let least = self.places().min_by_key(|&n| self.worth(n, now))?;
        if self.worth(least, now) >= TELLING {
            // It was asked longest ago: until its minute is over, all that is worth as much stays so, unless it is accepted.
            self.taken = self.asked[least] + HORIZON;
            return None;
        }
        let (gone, counts) = (self.services[least], now.since(self.asked[least]) < HORIZON);
        self.services[least] = Service::NONE;
        if counts {
            self.counted(gone, now, -1);
        }
        Some(least)
    }

    fn worth(&self, n: usize, now: Timestamp) -> u64 {
        worth(now.since(self.asked[n]) < HORIZON, self.answers[n], self.asked[n])
    }

    /// Keeps the count of ports true when a service comes or goes of which there may be others.
    fn counted(&mut self, service: Service, now: Timestamp, one: i16) {
        let others = self.places_of(service).any(|n| now.since(self.asked[n]) < HORIZON);
        let ports = &mut self.ports[service.kind()];
        if ports.until > now && !others {
            ports.count = ports.count.saturating_add_signed(one);
        }
    }

    /// The places of a service.
    fn places_of(&self, service: Service) -> impl Iterator<Item = usize> {
        self.of_service.places(service.mark(), self.len).filter(move |&n| self.services[n] == service)
    }

    fn find(&self, target: RowId, service: Service) -> Option<usize> {
        let same = |n: &usize| self.services[*n] == service && self.targets[*n] == target;
        self.of_target.places(mark(target), self.len).find(same)
    }

    fn places(&self) -> core::ops::Range<usize> {
        0..self.len.min(PEERS)
    }
}

impl Default for PeerSet {
    fn default() -> Self {
        Self {
            len: 0,
            taken: Timestamp::EPOCH,
            ports: [Ports::default(); KINDS],
            of_service: Marks::NONE,
            of_target: Marks::NONE,
            services: [Service::NONE; PEERS],
            targets: [RowId(0); PEERS],
            asked: [Timestamp::EPOCH; PEERS],
            answers: [Answer::Pending; PEERS],
            beats: [Beat::default(); PEERS],
        }
    }
}

impl Service {
    /// What stands in places that are not used.
    const NONE: Self = Self(u32::MAX);

    fn new(ask: Ask, port: u16) -> Self {
        Self((ask as u32) << 16 | u32::from(port))
    }

    fn kind(self) -> usize {
        ((self.0 >> 16) as usize).min(KINDS - 1)
    }

    /// What tells most services apart: neighbouring ports, and kinds of questions at one port.
    #[allow(clippy::cast_possible_truncation, reason = "a mark is part of what it marks")]
    fn mark(self) -> u8 {
        (self.0 ^ self.0 >> 8 ^ self.0 >> 11) as u8
    }

    #[allow(clippy::cast_possible_truncation, reason = "the port is what the lower half holds")]
    fn port(self) -> u16 {
        self.0 as u16
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a mark is part of what it marks")]
fn mark(target: RowId) -> u8 {
    target.0 as u8
}

impl Beat {
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
