//! Conversations that a rule denied, from the kernel's log to the events and to detection.
//!
//! The same is told once a minute: who, with whom, about what, by which rule. Counters of the kernel stay exact whatever is told here.
//! Detection hears of attempts to begin something, of the same every few seconds and of [`PASSED`] a second in all.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use detect::Denied;
use enforce::Denials;
use policy::{Asked, DEFAULT, protocol};
use terms::{BlockState, HostKey, MacAddr};
use wire::tcp::Flags;
use wire::{LinkType, Net, Summary, Transport, icmp, icmp6};

use super::event::{News, Order, act, now};

/// How long the same is not told again.
const AGAIN: Duration = Duration::from_secs(60);
/// How soon detection hears of the same again.
const SOON: Duration = Duration::from_secs(5);
/// Attempts a second of which detection hears.
const PASSED: u32 = 100;
/// From which port on clients are answered.
const CLIENTS: u16 = 32_768;
/// Below which port servers answer.
const SERVERS: u16 = 1_024;
/// Conversations that are remembered; beyond that all are forgotten, and told again.
const REMEMBERED: usize = 4_096;
/// How long to wait for packets before looking whether this is the end.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long to wait before trying again to listen.
const BREATH: Duration = Duration::from_secs(5);

/// What was denied, as it is told once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attempt {
    mac: MacAddr,
    from: HostKey,
    to: HostKey,
    asked: Option<Asked>,
    rule: String,
}

/// What was done about an attempt last.
#[derive(Clone, Copy)]
struct Last {
    told: Instant,
    passed: Option<Instant>,
}

/// Attempts that detection heard of in this second.
struct Passing {
    since: Instant,
    count: u32,
}

/// Listens until told to stop.
pub fn listen(end: &Receiver<()>, news: &SyncSender<News>, orders: &SyncSender<Order>) {
    let mut known: BTreeMap<Attempt, Last> = BTreeMap::new();
    let mut passing = Passing { since: Instant::now(), count: 0 };
    let mut said = false;
    while matches!(end.try_recv(), Err(TryRecvError::Empty)) {
        let mut denials = match Denials::open() {
            Ok(denials) => denials,
            Err(error) => {
                if !said {
                    tracing::warn!("what rules deny is counted, but can't be told: {error}");
                }
                said = true;
                std::thread::sleep(BREATH);
                continue;
            }
        };
        while matches!(end.try_recv(), Err(TryRecvError::Empty)) {
            let Ok(packets) = denials.wait(PATIENCE) else { break };
            for denied in &packets {
                let Some(summary) = parse(&denied.frame) else { continue };
                let attempt = Attempt::of(&summary, &denied.rule);
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                let now = Instant::now();
                let last = known.get(&attempt).copied();
                let again = last.is_none_or(|last| last.told.elapsed() >= AGAIN);
                if again {
                    tell(&attempt, news);
                }
                let soon = last.and_then(|last| last.passed).is_some_and(|at| at.elapsed() < SOON);
                let begun = begun(&summary).filter(|_| !soon && passing.may(now));
                if let Some(denied) = begun {
                    // An inspector that is behind misses it; who goes on is heard of soon.
                    let _missed = orders.try_send(Order::Denied(denied));
                }
                let passed = begun.map(|_| now).or(last.and_then(|last| last.passed));
                let told = last.filter(|_| !again).map_or(now, |last| last.told);
                known.insert(attempt, Last { told, passed });
            }
        }
    }
}

impl Passing {
    /// Whether one more may be passed on in this second.
    fn may(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self { since: now, count: 0 };
        }
        self.count += 1;
        self.count <= PASSED
    }
}

fn parse(frame: &[u8]) -> Option<Summary<'_>> {
    wire::parse(LinkType::Ethernet, frame, u32::try_from(frame.len()).ok()?, None).ok()
}

/// The conversation that a packet to a single host begins; nothing for answers, which a policy denies too where it does not know
/// the question, and which say nothing about who gives them.
fn begun(summary: &Summary<'_>) -> Option<Denied> {
    let Net::Ip(packet) = &summary.net else { return None };
    let port = match &packet.transport {
        Transport::Tcp(segment) => {
            let opens = segment.flags.contains(Flags::SYN) && !segment.flags.contains(Flags::ACK);
            opens.then_some(segment.dst_port)?
        }
        Transport::Udp(datagram) => {
            let server = datagram.src_port < SERVERS && datagram.dst_port >= SERVERS;
            Some(datagram.dst_port).filter(|port| *port < CLIENTS && !server)?
        }
        Transport::Icmp(message) => (message.kind == icmp::ECHO_REQUEST).then_some(0)?,
        Transport::Icmp6(message) => (message.kind == icmp6::ECHO_REQUEST).then_some(0)?,
        Transport::Other(_) => 0,
        Transport::LaterFragment | Transport::Cut => return None,
    };
    let (host, target, protocol) = (packet.src.into(), packet.dst.into(), packet.protocol);
    let single = !summary.dst.is_multicast() && !packet.dst.is_multicast();
    single.then_some(Denied { mac: summary.src, host, target, protocol, port })
}

fn tell(attempt: &Attempt, news: &SyncSender<News>) {
    let by = match attempt.rule.as_str() {
        DEFAULT => "no rule allows it".to_owned(),
        rule => format!("rule {rule} denies it"),
    };
    let about = attempt.asked.map_or_else(|| "no packet".into(), |asked| asked.to_string());
    let why = format!("denied: {} to {} about {about}; {by}", attempt.from, attempt.to);
    let mut event = act(now(), None, attempt.from, BlockState::Blocked, "policy", why);
    event.mac = Some(attempt.mac);
    // A keeper that is behind misses it; the next one of its kind is told in a minute.
    let _missed = news.try_send(News::Event(Box::new(event)));
}

impl Attempt {
    fn of(summary: &Summary<'_>, rule: &str) -> Self {
        let (mac, rule) = (summary.src, rule.to_owned());
        let Net::Ip(packet) = &summary.net else {
            return Self { mac, from: HostKey::Mac(mac), to: HostKey::Mac(summary.dst), asked: None, rule };
        };
        let asked = match &packet.transport {
            Transport::Tcp(segment) => Asked::port(protocol::TCP, segment.dst_port),
            Transport::Udp(datagram) => Asked::port(protocol::UDP, datagram.dst_port),
            _ => Asked::port(packet.protocol, 0),
        };
        Self { mac, from: packet.src.into(), to: packet.dst.into(), asked: Some(asked), rule }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of IPv4 between two hosts, the first octets behind its header as given.
    fn packet(protocol: u8, to: [u8; 6], behind: &[u8]) -> Vec<u8> {
        let mut frame = [to, [2, 0, 0, 0, 0, 1]].concat();
        frame.extend([8, 0, 0x45, 0, 0, 20 + u8::try_from(behind.len()).unwrap(), 0, 0, 0, 0, 64, protocol, 0, 0]);
        frame.extend([10, 0, 0, 5, 10, 0, 0, 9]);
        frame.extend(behind);
        frame
    }

    fn port_of(protocol: u8, behind: &[u8]) -> Option<u16> {
        let frame = packet(protocol, [2, 0, 0, 0, 0, 9], behind);
        begun(&parse(&frame).unwrap()).map(|denied| denied.port)
    }

    fn segment(flags: u8) -> Vec<u8> {
        [&[0x9c, 0x40, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0][..]].concat()
    }

    fn datagram(from: u16, to: u16) -> Vec<u8> {
        [from.to_be_bytes(), to.to_be_bytes(), [0, 8], [0, 0]].concat()
    }

    #[test]
    fn what_begins_is_an_attempt_and_an_answer_is_none() {
        assert_eq!(port_of(protocol::TCP, &segment(0x02)), Some(443));
        for answer in [0x12, 0x10, 0x14, 0x11] {
            assert_eq!(port_of(protocol::TCP, &segment(answer)), None, "{answer:#x}");
        }
        assert_eq!(port_of(protocol::UDP, &datagram(40_000, 123)), Some(123));
        assert_eq!(port_of(protocol::UDP, &datagram(123, 123)), Some(123));
        assert_eq!(port_of(protocol::UDP, &datagram(1_900, 50_000)), None, "an answer to a search");
        assert_eq!(port_of(protocol::UDP, &datagram(53, 2_000)), None, "a name server's answer");
        assert_eq!(port_of(1, &[8, 0, 0, 0, 0, 1, 0, 1]), Some(0));
        assert_eq!(port_of(1, &[0, 0, 0, 0, 0, 1, 0, 1]), None);
        assert_eq!(port_of(47, &[0; 8]), Some(0));
        let to_all = packet(protocol::UDP, [0xff; 6], &datagram(40_000, 137));
        assert_eq!(begun(&parse(&to_all).unwrap()), None);
    }

    #[test]
    fn so_many_a_second_are_passed_on() {
        let since = Instant::now();
        let mut passing = Passing { since, count: 0 };
        assert_eq!((0..1_000).filter(|_| passing.may(since)).count(), PASSED as usize);
        assert!(passing.may(since + Duration::from_secs(1)));
    }
}
