//! A TCP conversation from its handshake to its end.
//!
//! **Source**: RFC 9293: sections 3.5 (handshake), 3.6 (end), 3.8.6.3 (an acknowledgment for every second full segment).

use terms::{Span, Timestamp};

use super::packet::{self, ACK, End, FIN, Header, PSH, RST, SYN, Said};
use super::speech::noise;
use super::stage::Stage;

/// Octets of a full segment.
const FULL: usize = 1_440;
/// Octets that are kept of a segment in the middle of something long.
const KEPT: usize = 16;

/// Which end speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Who opened it.
    Up,
    /// Who was asked.
    Down,
}

/// An open conversation.
///
/// **Units**: what is said takes the time that it needs, `at` is when the last of it was seen.
#[derive(Debug)]
pub struct Conversation {
    ends: [End; 2],
    ports: [u16; 2],
    /// The number of the next octet of each end.
    next: [u32; 2],
    /// Which end stands beside the box: the other one's answers take the way there and back.
    near: Way,
    rtt: Span,
    pace: Span,
    /// When the last of it was seen.
    pub at: Timestamp,
    last: Way,
}

impl Way {
    const fn other(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

impl Conversation {
    /// A conversation that the first of the ends opens; `near` is the one beside the box.
    pub fn open(
        stage: &mut Stage,
        at: Timestamp,
        (ends, ports): ([End; 2], [u16; 2]),
        near: Way,
        (rtt, pace): (Span, Span),
    ) -> Self {
        let mut new = Self::begun(stage, at, ends, ports, near, (rtt, pace));
        new.send(stage, Way::Up, SYN, &Said::all([]));
        new.turn(stage, Way::Down);
        new.send(stage, Way::Down, SYN | ACK, &Said::all([]));
        new.turn(stage, Way::Up);
        new.send(stage, Way::Up, ACK, &Said::all([]));
        new
    }

    /// A question that is refused (`answered`), or that nobody answers and that is repeated so many times.
    pub fn fail(stage: &mut Stage, at: Timestamp, who: ([End; 2], [u16; 2]), rtt: Span, answered: bool, again: u32) {
        let mut new = Self::begun(stage, at, who.0, who.1, Way::Up, (rtt, Span::ZERO));
        for n in 0..=again {
            new.next[0] = new.next[0].wrapping_sub(u32::from(n > 0));
            new.send(stage, Way::Up, SYN, &Said::all([]));
            new.at = new.at + Span::from_millis(1_000 << n.min(5));
        }
        if answered {
            new.at = at;
            new.turn(stage, Way::Down);
            new.send(stage, Way::Down, RST | ACK, &Said::all([]));
        }
    }

    fn begun(
        stage: &mut Stage,
        at: Timestamp,
        ends: [End; 2],
        ports: [u16; 2],
        near: Way,
        (rtt, pace): (Span, Span),
    ) -> Self {
        let next = [stage.random.bits() as u32, stage.random.bits() as u32];
        Self { ends, ports, next, near, rtt, pace, at, last: Way::Up }
    }

    /// One end says something; the other acknowledges.
    pub fn say(&mut self, stage: &mut Stage, way: Way, said: &Said) {
        self.turn(stage, way);
        let mut left = said.len;
        let mut unacknowledged = 0;
        while left > 0 {
            let len = left.min(FULL);
            let first = left == said.len;
            left -= len;
            let head = if first {
                said.head[..said.head.len().min(len)].to_vec()
            } else {
                noise(&mut stage.random, KEPT.min(len))
            };
            let push = if left == 0 { PSH } else { 0 };
            self.send(stage, way, ACK | push, &Said { head, len });
            unacknowledged += 1;
            let silent = left == 0 && unacknowledged == 1 && stage.random.happens(0.6);
            if unacknowledged == 2 || (left == 0 && !silent) {
                self.acknowledge(stage, way.other());
                unacknowledged = 0;
            }
            if left > 0 {
                self.at = self.at + stage.random.delay(self.pace);
            }
        }
    }

    /// Lets time pass without a word.
    pub fn wait(&mut self, span: Span) {
        self.at = self.at + span;
    }

    /// Makes it later than it is, if it is earlier than this.
    pub fn wait_until(&mut self, at: Timestamp) {
        self.at = self.at.max(at);
    }

    /// One end has said all, and then the other.
    pub fn close(mut self, stage: &mut Stage, way: Way) -> Timestamp {
        self.turn(stage, way);
        self.send(stage, way, FIN | ACK, &Said::all([]));
        self.turn(stage, way.other());
        self.send(stage, way.other(), FIN | ACK, &Said::all([]));
        self.turn(stage, way);
        self.send(stage, way, ACK, &Said::all([]));
        self.at
    }

    /// One end breaks it off.
    pub fn abort(mut self, stage: &mut Stage, way: Way) -> Timestamp {
        self.turn(stage, way);
        self.send(stage, way, RST | ACK, &Said::all([]));
        self.at
    }

    /// The time that it takes until this end speaks.
    fn turn(&mut self, stage: &mut Stage, way: Way) {
        if way != self.last && way != self.near {
            self.wait(self.rtt);
        }
        let wait = match (way == self.last, way == self.near) {
            (true, _) => Span::from_micros(30),
            (false, true) => Span::from_micros(60 + stage.random.bits() % 400),
            (false, false) => stage.random.delay(Span::from_micros(self.rtt.micros() / 8)),
        };
        self.wait(wait);
        self.last = way;
    }

    fn send(&mut self, stage: &mut Stage, way: Way, flags: u8, said: &Said) {
        let frame = self.segment(self.at, way, flags, said);
        stage.send(frame);
        let numbered = said.len as u32 + u32::from(flags & (SYN | FIN) != 0);
        let next = &mut self.next[way as usize];
        *next = next.wrapping_add(numbered);
    }

    /// An acknowledgment from afar arrives when it can, whatever is said in between.
    fn acknowledge(&mut self, stage: &mut Stage, way: Way) {
        let near = Span::from_micros(20 + stage.random.bits() % 60);
        let at = if way == self.near { self.at + near } else { self.at + self.rtt };
        stage.send(self.segment(at, way, ACK, &Said::all([])));
    }

    fn segment(&self, at: Timestamp, way: Way, flags: u8, said: &Said) -> packet::Made {
        let (own, other) = (way as usize, way.other() as usize);
        let ack = if flags & ACK == 0 { 0 } else { self.next[other] };
        let header = Header { ports: (self.ports[own], self.ports[other]), flags, seq: self.next[own], ack };
        packet::tcp(at, self.ends[own], self.ends[other], header, said)
    }
}
