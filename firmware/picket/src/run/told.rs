//! What devices are told by the name servers that they ask, for the names that rules are about.
//!
//! An answer counts only for the device that asked: its question went by a moment ago, to the server that answers, with the same
//! number, port and name. So nobody opens a way by sending answers that nobody asked for.
//!
//! **Bounds**: [`ASKED`] questions are remembered, a later one pushes out another in its place; an answer tells at most
//! [`ADDRESSES`] addresses. Answers over TCP are not read. **Source**: RFC 1035, section 4.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use policy::HostName;
use terms::{MacAddr, Side, Span, Timestamp};
use wire::{Net, Summary, Transport, dns};

/// Questions that are remembered.
const ASKED: usize = 8_192;
/// How long an answer may take.
const PATIENCE: Span = Span::from_secs(10);
/// Addresses of one answer that are told.
const ADDRESSES: usize = 32;
/// The shortest and the longest that an answer counts, and how much longer than it says itself: programs keep addresses.
const SHORTEST: Span = Span::from_secs(60);
const LONGEST: Span = Span::from_secs(86_400);
const LONGER: Span = Span::from_secs(600);

/// A device was told addresses for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The device.
    pub mac: MacAddr,
    /// The name for which it asked.
    pub name: String,
    /// The addresses, and how long each counts.
    pub addresses: Vec<(IpAddr, Span)>,
    /// When.
    pub at: Timestamp,
}

/// The questions that are open.
pub struct Questions {
    wanted: Vec<HostName>,
    hasher: RandomState,
    open: Vec<(u64, Timestamp)>,
}

impl Questions {
    /// No question, and no name that anybody wants.
    pub fn new() -> Self {
        Self { wanted: Vec::new(), hasher: RandomState::new(), open: vec![(0, Timestamp::EPOCH); ASKED] }
    }

    /// The names that rules are about from now on.
    pub fn want(&mut self, names: Vec<HostName>) {
        self.wanted = names;
    }

    /// Whether a rule is about the name that a device was told addresses for.
    pub fn is_wanted(&self, told: &Told) -> bool {
        self.wanted.iter().any(|wanted| wanted.matches(&told.name))
    }

    /// Hears a frame; gives back what a device was told by it.
    #[inline]
    pub fn hear(&mut self, frame: &Summary<'_>, at: Timestamp, side: Side) -> Option<Told> {
        let Net::Ip(packet) = &frame.net else { return None };
        let Transport::Udp(datagram) = &packet.transport else { return None };
        match (side, datagram.src_port, datagram.dst_port) {
            (Side::Lan, port, 53) => {
                self.ask((frame.src, packet.dst, port), datagram.payload, at);
                None
            }
            (Side::Uplink, 53, port) => self.answer((frame.dst, packet.src, port), datagram.payload, at),
            _ => None,
        }
    }

    #[cold]
    fn ask(&mut self, who: (MacAddr, IpAddr, u16), payload: &[u8], at: Timestamp) {
        let Some(message) = dns::Message::parse(payload).filter(|m| !m.header.response) else { return };
        let Some(name) = asked_for(&message) else { return };
        let hash = self.hasher.hash_one((who, message.header.id, name));
        self.open[hash as usize % ASKED] = (hash, at);
    }

    #[cold]
    fn answer(&mut self, who: (MacAddr, IpAddr, u16), payload: &[u8], at: Timestamp) -> Option<Told> {
        let message = dns::Message::parse(payload).filter(|m| m.header.response && m.header.rcode == 0)?;
        let name = asked_for(&message)?;
        let hash = self.hasher.hash_one((who, message.header.id, &name));
        let open = &mut self.open[hash as usize % ASKED];
        if open.0 != hash || at.since(open.1) > PATIENCE {
            return None;
        }
        *open = (0, Timestamp::EPOCH);
        let lasts = |ttl: u32| Span::from_secs(u64::from(ttl)).clamp(SHORTEST, LONGEST);
        let address = |record: dns::Answer<'_>| {
            Some((record.address?, Span::from_micros(lasts(record.ttl).micros() + LONGER.micros())))
        };
        let addresses: Vec<_> = message.answers().filter_map(address).take(ADDRESSES).collect();
        (!addresses.is_empty()).then_some(Told { mac: who.0, name, addresses, at })
    }
}

/// The name that is asked for, in lower case.
fn asked_for(message: &dns::Message<'_>) -> Option<String> {
    Some(message.question()?.name.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
    const ROUTER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 9]);

    /// A question for `a.example.com`, or its answer of one address for 5 s.
    fn message(id: u16, answer: bool) -> Vec<u8> {
        let mut m = id.to_be_bytes().to_vec();
        m.extend(if answer { [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] } else { [1, 0, 0, 1, 0, 0, 0, 0, 0, 0] });
        m.extend(b"\x01A\x07example\x03com\x00\x00\x01\x00\x01");
        if answer {
            m.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\xcb\x00\x71\x07");
        }
        m
    }

    fn frame(answer: bool, id: u16) -> Vec<u8> {
        let payload = message(id, answer);
        let (src, dst) = if answer { (ROUTER, MAC) } else { (MAC, ROUTER) };
        let (from, to) = if answer { ([10, 0, 0, 1], [10, 0, 0, 5]) } else { ([10, 0, 0, 5], [10, 0, 0, 1]) };
        let (sport, dport) = if answer { (53_u16, 4_000_u16) } else { (4_000, 53) };
        let len = u16::try_from(payload.len()).unwrap();
        let mut f = [dst.octets(), src.octets()].concat();
        f.extend([8, 0, 0x45, 0]);
        f.extend((28 + len).to_be_bytes());
        f.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        f.extend([from, to].concat());
        f.extend([sport.to_be_bytes(), dport.to_be_bytes(), (8 + len).to_be_bytes(), [0, 0]].concat());
        f.extend(payload);
        f
    }

    fn hear(questions: &mut Questions, answer: bool, id: u16, secs: u64) -> Option<Told> {
        let octets = frame(answer, id);
        let summary =
            wire::parse(wire::LinkType::Ethernet, &octets, u32::try_from(octets.len()).unwrap(), None).unwrap();
        let side = if answer { Side::Uplink } else { Side::Lan };
        questions.hear(&summary, Timestamp::from_secs(secs), side)
    }

    fn wanting(name: &str) -> Questions {
        let mut questions = Questions::new();
        questions.want(vec![HostName::read(name).unwrap()]);
        questions
    }

    #[test]
    fn who_asked_is_told_with_the_time_that_answers_count() {
        let mut questions = wanting("*.example.com");
        assert_eq!(hear(&mut questions, false, 7, 1), None);
        let told = hear(&mut questions, true, 7, 2).unwrap();
        assert_eq!((told.mac, told.name.as_str()), (MAC, "a.example.com"));
        assert_eq!(told.addresses, [("203.0.113.7".parse().unwrap(), Span::from_secs(660))]);
        assert_eq!(hear(&mut questions, true, 7, 2), None, "a second answer to one question");
    }

    #[test]
    fn an_answer_that_nobody_asked_for_tells_nothing() {
        let mut questions = wanting("a.example.com");
        assert_eq!(hear(&mut questions, true, 7, 2), None);
        hear(&mut questions, false, 7, 1);
        assert_eq!(hear(&mut questions, true, 8, 2), None, "another number");
        assert_eq!(hear(&mut questions, true, 7, 12), None, "too late");
    }

    #[test]
    fn names_that_no_rule_is_about_are_not_told() {
        let mut questions = wanting("b.example.com");
        hear(&mut questions, false, 7, 1);
        assert_eq!(hear(&mut questions, true, 7, 2), None);
    }
}
