//! What devices are told by the name servers that they ask, for the names that rules are about.
//!
//! An answer counts only for the device that asked: its question went by a moment ago, to the server that answers, with the same
//! number, port and name. So nobody opens a way by sending answers that nobody asked for.
//!
//! Questions, and answers that a slot of the ring holds, are heard where every frame is; longer answers and those over TCP come whole,
//! behind the frames that came in before them.
//!
//! **Bounds**: [`ASKED`] questions are remembered, a later one pushes out another in its place; an answer tells at most
//! [`ADDRESSES`] addresses. **Source**: RFC 1035, section 4; RFC 7766 for TCP.

mod stream;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use policy::{Between, HostName, Policy, To};
use terms::{MacAddr, Side, Span, Timestamp};
use wire::{Net, Summary, Transport, dns};

use stream::Streams;

/// Questions that are remembered.
const ASKED: usize = 8_192;
/// How long an answer may take.
const PATIENCE: Span = Span::from_secs(10);
/// Addresses of one answer that are told.
const ADDRESSES: usize = 256;
/// The port of DNS.
const DNS: u16 = 53;
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

/// Answers a second that are passed on for the sake of names that no rule is about.
const OTHERS: u32 = 200;

/// How many of a kind were passed on in a second of the frames' clock.
#[derive(Debug, Default)]
pub struct Pace {
    second: u64,
    count: u32,
}

/// The names that a policy is about.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    names: Vec<HostName>,
    /// A rule asks whether there is any name.
    every: bool,
}

/// The questions that are open.
pub struct Questions {
    wanted: Wanted,
    others: Pace,
    hasher: RandomState,
    open: Vec<(u64, Timestamp)>,
    streams: Streams,
}

/// Who asks whom: the device, the server, and the device's port.
type Asking = (MacAddr, IpAddr, u16);

impl Pace {
    /// Whether one more may be passed on, where so many a second may.
    pub fn may(&mut self, at: Timestamp, most: u32) -> bool {
        if at.secs() != self.second {
            *self = Self { second: at.secs(), count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= most
    }
}

impl Wanted {
    /// By the rules of a policy.
    pub fn of(policy: &Policy) -> Self {
        Self { names: policy.names(), every: policy.counts_every_name() }
    }

    /// Those that no rule of another policy was about. Where only rules changed, others than those that came are not looked at.
    pub fn since(before: &Policy, policy: &Policy) -> Self {
        let come = Between::of(before, policy).map_or_else(
            || Self::of(policy),
            |between| Self {
                names: between.come.iter().flat_map(|rule| policy.names_in(rule)).cloned().collect(),
                every: between.come.iter().any(|rule| rule.to.contains(&To::Unnamed)),
            },
        );
        if come.is_nothing() { come } else { come.besides(&Self::of(before)) }
    }

    /// Those that are not among others.
    fn besides(mut self, others: &Self) -> Self {
        let known: HashSet<&HostName> = others.names.iter().collect();
        self.names.retain(|name| !known.contains(name));
        Self { every: self.every && !others.every, ..self }
    }

    /// Whether no name can be among them.
    pub const fn is_nothing(&self) -> bool {
        self.names.is_empty() && !self.every
    }

    /// Whether a name is among them.
    pub fn has(&self, name: &str) -> bool {
        self.every || self.names(name)
    }

    fn names(&self, name: &str) -> bool {
        self.names.iter().any(|wanted| wanted.matches(name))
    }

    /// Whether there is any.
    pub fn is_any(&self) -> bool {
        self.every || !self.names.is_empty()
    }
}

impl Questions {
    /// No question, and no name that anybody wants.
    pub fn new() -> Self {
        Self {
            wanted: Wanted::default(),
            others: Pace::default(),
            hasher: RandomState::new(),
            open: vec![(0, Timestamp::EPOCH); ASKED],
            streams: Streams::default(),
        }
    }

    /// The names that rules are about from now on.
    pub fn want(&mut self, names: Wanted) {
        self.wanted = names;
    }

    /// Whether a rule is about the name that a device was told addresses for. Where any name counts, so many others a second are too:
    /// who asks for more must not keep findings from those who act on them.
    pub fn is_wanted(&mut self, told: &Told) -> bool {
        self.wanted.names(&told.name) || (self.wanted.every && self.others.may(told.at, OTHERS))
    }

    /// Whether any rule is about a name.
    pub fn wants_any(&self) -> bool {
        self.wanted.is_any()
    }

    /// Hears a frame as the ring keeps it; gives back what a device was told by it.
    #[inline]
    pub fn hear(&mut self, frame: &Summary<'_>, at: Timestamp, side: Side) -> Option<Told> {
        let Net::Ip(packet) = &frame.net else { return None };
        match (&packet.transport, side) {
            (Transport::Udp(datagram), Side::Lan) if datagram.dst_port == DNS => {
                self.ask((frame.src, packet.dst, datagram.src_port), datagram.payload, at);
                None
            }
            (Transport::Udp(datagram), Side::Uplink) if datagram.src_port == DNS => {
                // One that the ring cut may come again, whole.
                let whole = datagram.payload.len() == datagram.payload_len as usize;
                self.answer((frame.dst, packet.src, datagram.dst_port), datagram.payload, at, whole)
            }
            (Transport::Tcp(segment), Side::Lan) if segment.dst_port == DNS && segment.payload_len > 0 => {
                let who = (frame.src, packet.dst, segment.src_port);
                // The length may have a segment of its own, or stand in front.
                let len = segment.payload.first_chunk().map_or(0, |len| usize::from(u16::from_be_bytes(*len)));
                let prefixed = segment.payload.len() == len + 2;
                self.ask(who, &segment.payload[if prefixed { 2 } else { 0 }..], at);
                self.streams.open(who, segment.ack, at);
                None
            }
            _ => None,
        }
    }

    /// Hears a whole frame of an answer that the ring could not keep; tells what devices were told by it.
    pub fn hear_whole(&mut self, frame: &Summary<'_>, at: Timestamp, tell: &mut dyn FnMut(Told)) {
        let Net::Ip(packet) = &frame.net else { return };
        match &packet.transport {
            Transport::Udp(datagram) => {
                let told = self.answer((frame.dst, packet.src, datagram.dst_port), datagram.payload, at, true);
                told.into_iter().for_each(tell);
            }
            Transport::Tcp(segment) => {
                let who = (frame.dst, packet.src, segment.dst_port);
                let whole = segment.payload.len() == segment.payload_len as usize;
                let mut streams = std::mem::take(&mut self.streams);
                streams.feed(who, segment.seq, if whole { Some(segment.payload) } else { None }, &mut |message| {
                    self.answer(who, message, at, true).into_iter().for_each(&mut *tell);
                });
                self.streams = streams;
            }
            _ => {}
        }
    }

    #[cold]
    fn ask(&mut self, who: Asking, payload: &[u8], at: Timestamp) {
        let Some(message) = dns::Message::parse(payload).filter(|m| !m.header.response) else { return };
        let Some(name) = asked_for(&message) else { return };
        let hash = self.hasher.hash_one((who, message.header.id, name));
        self.open[hash as usize % ASKED] = (hash, at);
    }

    #[cold]
    fn answer(&mut self, who: Asking, payload: &[u8], at: Timestamp, ends: bool) -> Option<Told> {
        let message = dns::Message::parse(payload).filter(|m| m.header.response && m.header.rcode == 0)?;
        let name = asked_for(&message)?;
        let hash = self.hasher.hash_one((who, message.header.id, &name));
        let open = &mut self.open[hash as usize % ASKED];
        if open.0 != hash || at.since(open.1) > PATIENCE {
            return None;
        }
        if ends {
            *open = (0, Timestamp::EPOCH);
        }
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

    #[test]
    fn a_rule_that_changes_brings_the_names_that_no_rule_was_about() {
        const HEAD: &str = "posture = \"enforce\"\n[[device]]\nname = \"a\"\nmacs = [\"02:00:00:00:00:01\"]\n";
        let rule = |name: &str, to: &str, port: u8| {
            format!("[[allow]]\nname = \"{name}\"\nwho = \"a\"\nto = \"{to}\"\nservice = \"tcp/{port}\"\n")
        };
        let policy = |rules: &[String]| ::policy::text::read(&(HEAD.to_owned() + &rules.concat())).unwrap();
        let (one, two) = (rule("r1", "a.example.com", 1), rule("r2", "203.0.113.7", 1));
        let before = policy(&[one.clone(), two.clone()]);
        for (rules, has) in [
            ([rule("r1", "a.example.com", 2), two.clone()], ["", ""]),
            ([one.clone(), rule("r2", "a.example.com", 1)], ["", ""]),
            ([one.clone(), rule("r2", "b.example.com", 1)], ["", "b.example.com"]),
            ([rule("r3", "b.example.com", 1), rule("r4", "a.example.com", 1)], ["", "b.example.com"]),
        ] {
            let names = ["a.example.com", "b.example.com"];
            let since = Wanted::since(&before, &policy(&rules));
            assert_eq!(names.map(|name| if since.has(name) { name } else { "" }), has, "{rules:?}");
        }
        let other = Policy { posture: terms::Posture::Protect, ..policy(&[one, two]) };
        assert!(Wanted::since(&before, &other).is_nothing(), "more than rules changed, and no name");
    }

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

    /// A segment of TCP between the same two.
    fn segment(answer: bool, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
        let mut f = frame(answer, 7)[..34].to_vec();
        f[23] = 6;
        let len = u16::try_from(40 + payload.len()).unwrap();
        f[16..18].copy_from_slice(&len.to_be_bytes());
        let (sport, dport) = if answer { (53_u16, 4_000_u16) } else { (4_000, 53) };
        f.extend([sport.to_be_bytes(), dport.to_be_bytes()].concat());
        f.extend([seq.to_be_bytes(), ack.to_be_bytes()].concat());
        f.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        f.extend(payload);
        f
    }

    #[test]
    fn an_answer_over_tcp_is_told_when_its_last_segment_came() {
        let mut questions = wanting("a.example.com");
        let prefixed = |m: Vec<u8>| [u16::try_from(m.len()).unwrap().to_be_bytes().to_vec(), m].concat();
        let at = Timestamp::from_secs(1);
        let parse = |octets: &[u8], hear: &mut dyn FnMut(&Summary<'_>)| {
            let len = u32::try_from(octets.len()).unwrap();
            hear(&wire::parse(wire::LinkType::Ethernet, octets, len, None).unwrap());
        };
        parse(&segment(false, 1, 900, &prefixed(message(7, false))), &mut |s| {
            assert_eq!(questions.hear(s, at, Side::Lan), None);
        });
        let answer = prefixed(message(7, true));
        let (mut told, (first, second)) = (Vec::new(), answer.split_at(20));
        parse(&segment(true, 900, 1, first), &mut |s| questions.hear_whole(s, at, &mut |t| told.push(t)));
        assert_eq!(told, []);
        parse(&segment(true, 920, 1, second), &mut |s| questions.hear_whole(s, at, &mut |t| told.push(t)));
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].mac, told[0].name.as_str(), told[0].addresses.len()), (MAC, "a.example.com", 1));
    }

    fn wanting(name: &str) -> Questions {
        let mut questions = Questions::new();
        questions.want(Wanted { names: vec![HostName::read(name).unwrap()], every: false });
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
    fn where_any_name_counts_so_many_others_a_second_are_wanted_and_those_of_rules_always() {
        let mut questions = wanting("a.example.com");
        questions.wanted.every = true;
        let told =
            |name: &str, secs| Told { mac: MAC, name: name.into(), addresses: vec![], at: Timestamp::from_secs(secs) };
        let wanted = (0..1_000).filter(|_| questions.is_wanted(&told("b.example.net", 1))).count();
        assert_eq!(wanted, OTHERS as usize);
        assert!(questions.is_wanted(&told("a.example.com", 1)) && questions.is_wanted(&told("b.example.net", 2)));
    }

    #[test]
    fn names_that_no_rule_is_about_are_told_and_not_wanted() {
        for (name, wanted) in [("b.example.com", false), ("*.example.com", true)] {
            let mut questions = wanting(name);
            hear(&mut questions, false, 7, 1);
            let told = hear(&mut questions, true, 7, 2).unwrap();
            assert_eq!(questions.is_wanted(&told), wanted, "{name}");
        }
    }
}
