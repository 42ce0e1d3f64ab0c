//! What one host did to one target: ports that it tried, log-ins that failed, half-open conversations.

use heapless::Vec;
use terms::{Span, Timestamp};

use crate::change::Service;
use crate::marks::Marks;
use crate::rate::Rate;
use crate::table::Worth;

/// Ports of one target that are remembered at a time, for each of TCP and UDP; see `PortSet::room` for who makes room.
pub const PORTS: usize = 32;
/// Failed log-ins that are remembered at a time; the oldest makes room.
pub const LOGINS: usize = 32;
/// How long a tried port counts.
pub const PORT_HORIZON: Span = Span::from_secs(60);

/// How long a question may stay without an answer before it counts as silent.
pub const PATIENCE: Span = Span::from_secs(1);

/// How a question was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// Not yet, and it is too early to say.
    #[default]
    Pending,
    /// By a conversation.
    Accepted,
    /// By RST or an ICMP error.
    Refused,
    /// Not within a second.
    Silent,
}

/// Distinct ports of one protocol.
///
/// **Shape**: one list a field, the first `len` of each in use.
#[derive(Clone, Debug)]
pub struct PortSet {
    len: usize,
    /// How many of them failed.
    failing: u16,
    /// The last question.
    last: Timestamp,
    /// None was tried last before this.
    oldest: Timestamp,
    /// Until when all places speak for a scan, so that nobody makes room; the epoch where that is not known.
    taken: Timestamp,
    marks: Marks<{ PORTS / 8 }>,
    ports: [u16; PORTS],
    answers: [Answer; PORTS],
    /// When it was tried last.
    tried: [Timestamp; PORTS],
}

/// One host's doings with one target.
///
/// **Shape**: in the order written; what decides who makes room comes first, since sixteen rows are asked for it at a time.
#[derive(Clone, Debug, Default)]
#[repr(C)]
pub struct Pair {
    pub(crate) last: Timestamp,
    pub(crate) heard: Timestamp,
    /// Whether it holds something that speaks for an attack.
    telling: bool,
    pub(crate) half_open: Rate,
    pub(crate) unanswered: Rate,
    pub(crate) stream: Rate,
    /// TCP ports, UDP ports.
    ports: [PortSet; 2],
    logins: Vec<(Service, Timestamp), LOGINS>,
}

impl Answer {
    /// Whether it speaks for a scan.
    #[must_use]
    pub const fn is_failing(self) -> bool {
        matches!(self, Self::Refused | Self::Silent)
    }
}

impl Default for PortSet {
    fn default() -> Self {
        Self {
            len: 0,
            failing: 0,
            last: Timestamp::EPOCH,
            oldest: Timestamp::EPOCH,
            taken: Timestamp::EPOCH,
            marks: Marks::NONE,
            ports: [0; PORTS],
            answers: [Answer::Pending; PORTS],
            tried: [Timestamp::EPOCH; PORTS],
        }
    }
}

impl PortSet {
    /// Forgets all.
    fn clear(&mut self) {
        (self.len, self.failing, self.last, self.taken) = (0, 0, Timestamp::EPOCH, Timestamp::EPOCH);
    }

    /// Notes a port that is tried.
    pub fn ask(&mut self, port: u16, at: Timestamp) {
        let place = match self.find(port) {
            Some(place) => place,
            None => {
                let Some(place) = self.room(at) else { return };
                self.ports[place] = port;
                self.marks.set(place, mark(port));
                self.put(place, Answer::Pending);
                place
            }
        };
        self.tried[place] = at;
        self.last = at;
    }

    /// Notes how a port answered.
    pub fn answer(&mut self, port: u16, answer: Answer) {
        if let Some(place) = self.find(port) {
            self.put(place, answer);
            if answer == Answer::Accepted {
                self.taken = Timestamp::EPOCH;
            }
        }
    }

    /// Distinct ports in the minute up to the last question, and how many of them failed as far as is known.
    #[must_use]
    pub fn count(&mut self, now: Timestamp) -> (u16, u16) {
        let until = asked_until(self.last, now);
        if until.since(self.oldest) < PORT_HORIZON {
            return (u16::try_from(self.len).unwrap_or(u16::MAX), self.failing);
        }
        self.oldest = self.tried.iter().take(self.len).copied().min().unwrap_or_default();
        let (mut ports, mut failing) = (0, 0);
        for (tried, answer) in self.tried.iter().zip(&self.answers).take(self.len) {
            let counts = until.since(*tried) < PORT_HORIZON;
            ports += u16::from(counts);
            failing += u16::from(counts & answer.is_failing());
        }
        (ports, failing)
    }

    fn put(&mut self, place: usize, answer: Answer) {
        let before = core::mem::replace(&mut self.answers[place], answer);
        self.failing += u16::from(answer.is_failing());
        self.failing -= u16::from(before.is_failing());
    }

    /// A place for one more: a free one, else that of one that no longer counts, else of one that was accepted. Where all speak for a
    /// scan, they stay and the new port is left out; the count is far above any threshold then.
    fn room(&mut self, now: Timestamp) -> Option<usize> {
        if self.len < PORTS {
            if self.len == 0 {
                self.oldest = now;
            }
            self.answers[self.len] = Answer::Pending;
            self.len += 1;
            return Some(self.len - 1);
        }
        if now < self.taken {
            return None;
        }
        let worth = |n: usize| worth(now.since(self.tried[n]) < PORT_HORIZON, self.answers[n], self.tried[n]);
        let least = (0..PORTS).min_by_key(|n| worth(*n))?;
        if worth(least) < TELLING {
            return Some(least);
        }
        // It was tried longest ago: until its minute is over, all stay as telling, unless one is accepted.
        self.taken = self.tried[least] + PORT_HORIZON;
        None
    }

    fn find(&self, port: u16) -> Option<usize> {
        self.marks.places(mark(port), self.len).find(|n| self.ports[*n] == port)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a mark is part of what it marks")]
fn mark(port: u16) -> u8 {
    port as u8
}

/// The end of the minute that counts: the last question, as long as its answer may be outstanding. A silence that is noticed a second
/// later is no reason to forget the first question of that minute.
pub(crate) fn asked_until(last: Timestamp, now: Timestamp) -> Timestamp {
    if now.since(last) <= PATIENCE { last } else { now }
}

/// What a place is worth from which a question speaks for a scan or a sweep; below are times, which need 62 bits in the year 148,000.
pub(crate) const TELLING: u64 = 0b11 << 62;

/// What a question that was asked is worth, as one number: whether it still counts, whether it may speak for a scan, when it was asked.
#[inline]
pub(crate) fn worth(counts: bool, answer: Answer, asked: Timestamp) -> u64 {
    u64::from(counts) << 63 | u64::from(answer != Answer::Accepted) << 62 | asked.micros()
}

impl Pair {
    /// Makes it as good as new.
    pub(crate) fn renew(&mut self) {
        let Self { last, heard, telling, half_open, ports, unanswered, stream, logins } = self;
        (*last, *heard, *telling) = (Timestamp::EPOCH, Timestamp::EPOCH, false);
        (*half_open, *unanswered, *stream) = (Rate::default(), Rate::default(), Rate::default());
        ports.iter_mut().for_each(PortSet::clear);
        logins.clear();
    }

    /// Notes a port that is tried; `set` is 0 for TCP and 1 for UDP.
    pub(crate) fn ask(&mut self, set: usize, port: u16, at: Timestamp) {
        self.ports[set].ask(port, at);
        self.telling |= self.ports[set].len > 2;
    }

    /// Notes how a port answered.
    pub(crate) fn answer(&mut self, set: usize, port: u16, answer: Answer) {
        self.ports[set].answer(port, answer);
    }

    /// Distinct ports in the last minute, and how many of them failed.
    pub(crate) fn count(&mut self, set: usize, now: Timestamp) -> (u16, u16) {
        self.ports[set].count(now)
    }

    /// Notes a failed log-in and returns how many there were over this service within `horizon`, this one included.
    pub fn login_failed(&mut self, service: Service, at: Timestamp, horizon: Span) -> u16 {
        if self.logins.is_full() {
            self.logins.remove(0);
        }
        self.logins.push((service, at)).unwrap_or_default();
        self.telling = true;
        self.logins.iter().filter(|(s, t)| *s == service && at.since(*t) < horizon).fold(0, |n, _| n + 1)
    }
}

impl Worth for Pair {
    fn class(&self) -> u8 {
        u8::from(self.telling)
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_counts_for_a_minute_and_once() {
        let mut set = PortSet::default();
        for n in 0..11 {
            set.ask(n, Timestamp::from_secs(u64::from(n)));
            set.answer(n, Answer::Refused);
        }
        set.ask(10, Timestamp::from_secs(10));
        assert_eq!(set.count(Timestamp::from_secs(10)), (11, 11));
        assert_eq!(set.count(Timestamp::from_secs(60)), (10, 10));
    }

    #[test]
    fn accepted_and_outdated_ports_make_room_and_telling_ones_stay() {
        let mut set = PortSet::default();
        let at = Timestamp::from_secs;
        for n in 0..32 {
            set.ask(n, at(1));
            set.answer(n, if n < 4 { Answer::Accepted } else { Answer::Silent });
        }
        for n in 100..200 {
            set.ask(n, at(2));
        }
        assert_eq!(set.count(at(3)), (32, 28));
        for n in 200..300 {
            set.ask(n, at(70));
        }
        assert_eq!(set.count(at(70)), (32, 0));
    }

    #[test]
    fn failed_log_ins_age_out_by_service() {
        let mut pair = Pair::default();
        let horizon = Span::from_secs(300);
        for n in 0..5 {
            pair.login_failed(Service::Ftp, Timestamp::from_secs(n * 10), horizon);
        }
        assert_eq!(pair.login_failed(Service::Ssh, Timestamp::from_secs(60), horizon), 1);
        assert_eq!(pair.login_failed(Service::Ftp, Timestamp::from_secs(60), horizon), 6);
        assert_eq!(pair.login_failed(Service::Ftp, Timestamp::from_secs(325), horizon), 4);
    }
}
