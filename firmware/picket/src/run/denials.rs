//! Conversations that a rule denied, from the kernel's log to the events.
//!
//! The same is told once a minute: who, with whom, about what, by which rule. Counters of the kernel stay exact whatever is told here.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use enforce::{Denials, Denied};
use policy::{Asked, DEFAULT, protocol};
use terms::{BlockState, HostKey, MacAddr};
use wire::{LinkType, Net, Transport};

use super::event::{News, act, now};

/// How long the same is not told again.
const AGAIN: Duration = Duration::from_secs(60);
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

/// Listens until told to stop.
pub fn listen(end: &Receiver<()>, news: &SyncSender<News>) {
    let mut told: BTreeMap<Attempt, Instant> = BTreeMap::new();
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
            for attempt in packets.iter().filter_map(Attempt::of) {
                if told.len() >= REMEMBERED {
                    told.clear();
                }
                let known = told.get(&attempt).is_some_and(|at| at.elapsed() < AGAIN);
                if !known {
                    tell(&attempt, news);
                    told.insert(attempt, Instant::now());
                }
            }
        }
    }
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
    fn of(denied: &Denied) -> Option<Self> {
        let len = u32::try_from(denied.frame.len()).ok()?;
        let summary = wire::parse(LinkType::Ethernet, &denied.frame, len, None).ok()?;
        let rule = denied.rule.clone();
        let mac = summary.src;
        let Net::Ip(packet) = &summary.net else {
            return Some(Self { mac, from: HostKey::Mac(mac), to: HostKey::Mac(summary.dst), asked: None, rule });
        };
        let asked = match &packet.transport {
            Transport::Tcp(segment) => Asked::port(protocol::TCP, segment.dst_port),
            Transport::Udp(datagram) => Asked::port(protocol::UDP, datagram.dst_port),
            _ => Asked::port(packet.protocol, 0),
        };
        Some(Self { mac, from: packet.src.into(), to: packet.dst.into(), asked: Some(asked), rule })
    }
}
