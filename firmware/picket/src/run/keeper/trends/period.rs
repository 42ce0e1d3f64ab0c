//! What was counted in one period, and how periods become lines.

use std::collections::BTreeMap;
use std::fmt;

use ::policy::Asked;
use ::policy::protocol as ip;
use protocol::series::Topic;
use serde::{Deserialize, Serialize};
use terms::{HostKey, MacAddr, ThreatLevel};

use super::{COUNTED, KEPT};

/// What a conversation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Service {
    /// The IP protocol's number.
    pub protocol: u8,
    /// The port of whoever was asked.
    pub port: u16,
}

/// From whom or what a figure comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// A device of the LAN side.
    Device(MacAddr),
    /// A service.
    Service(Service),
    /// An IP protocol, by its number.
    Protocol(u8),
    /// A level.
    Level(ThreatLevel),
    /// A host against which a finding stands.
    Source(HostKey),
    /// All that is beyond the bounds.
    Other,
}

/// Octets from the LAN and towards it; of findings the first alone.
pub type Both = [u64; 2];
/// A line's points.
pub type Values = Vec<Both>;

/// One period.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Its number since the epoch.
    pub number: u64,
    devices: Counts,
    services: Counts,
    protocols: Counts,
    levels: Counts,
    sources: Counts,
}

/// Figures by key, in the keys' order: thousands of periods are kept, and a list has nothing between its entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(Key, Both)>")]
struct Counts(Vec<(Key, Both)>);

impl Period {
    /// An empty one.
    pub fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Counts octets.
    pub fn carry(&mut self, mac: MacAddr, service: Service, octets: Both) {
        self.devices.add(Key::Device(mac), octets);
        self.services.add(Key::Service(service), octets);
        self.protocols.add(Key::Protocol(service.protocol), octets);
    }

    /// Counts a finding.
    pub fn find(&mut self, host: HostKey, level: ThreatLevel) {
        self.levels.add(Key::Level(level), [1, 0]);
        self.sources.add(Key::Source(host), [1, 0]);
    }

    /// Is over: the largest stay.
    pub fn close(&mut self) {
        for counts in [&mut self.devices, &mut self.services, &mut self.protocols, &mut self.levels, &mut self.sources]
        {
            counts.shrink(KEPT);
        }
    }

    fn of(&self, topic: Topic) -> &Counts {
        match topic {
            Topic::Devices => &self.devices,
            Topic::Services => &self.services,
            Topic::Protocols => &self.protocols,
            Topic::Levels => &self.levels,
            Topic::Sources => &self.sources,
        }
    }
}

impl Counts {
    fn add(&mut self, key: Key, more: Both) {
        match self.place(key) {
            Ok(at) => {
                let both = &mut self.0[at].1;
                *both = [both[0].saturating_add(more[0]), both[1].saturating_add(more[1])];
            }
            Err(at) if self.0.len() < COUNTED => self.0.insert(at, (key, more)),
            Err(_) => {
                self.shrink(COUNTED / 2);
                self.add(key, more);
            }
        }
    }

    fn place(&self, key: Key) -> Result<usize, usize> {
        self.0.binary_search_by_key(&key, |(known, _)| *known)
    }

    /// Leaves the largest; the others become one.
    fn shrink(&mut self, most: usize) {
        if self.0.len() > most {
            self.0.sort_by_key(|(key, [sent, received])| {
                (*key == Key::Other, std::cmp::Reverse(sent.saturating_add(*received)))
            });
            let rest = self.0.split_off(most);
            self.0.sort_by_key(|(key, _)| *key);
            rest.into_iter().for_each(|(_, both)| self.add(Key::Other, both));
        }
        self.0.shrink_to_fit();
    }
}

impl From<Vec<(Key, Both)>> for Counts {
    fn from(mut all: Vec<(Key, Both)>) -> Self {
        all.truncate(KEPT + 1);
        all.sort_by_key(|(key, _)| *key);
        all.dedup_by_key(|(key, _)| *key);
        Self(all)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Device(mac) => mac.fmt(f),
            Self::Service(Service { protocol, port }) => {
                let echo = port == 0 && matches!(protocol, ip::ICMP | ip::ICMP6);
                Asked { protocol, port, echo }.fmt(f)
            }
            Self::Protocol(ip::TCP) => f.write_str("tcp"),
            Self::Protocol(ip::UDP) => f.write_str("udp"),
            Self::Protocol(ip::ICMP) => f.write_str("icmp"),
            Self::Protocol(ip::ICMP6) => f.write_str("icmp6"),
            Self::Protocol(number) => write!(f, "ip/{number}"),
            Self::Level(level) => f.write_str(level.as_str()),
            Self::Source(host) => host.fmt(f),
            Self::Other => f.write_str("other"),
        }
    }
}

/// Lines being drawn.
pub struct Tally {
    points: usize,
    lines: BTreeMap<Key, Values>,
}

impl Tally {
    /// None yet, of so many points each.
    pub fn new(points: usize) -> Self {
        Self { points, lines: BTreeMap::new() }
    }

    /// Adds what a period counted to a point.
    pub fn add(&mut self, period: &Period, topic: Topic, point: usize) {
        for (key, both) in &period.of(topic).0 {
            let line = self.lines.entry(*key).or_insert_with(|| vec![[0; 2]; self.points]);
            if let Some(value) = line.get_mut(point) {
                *value = [value[0].saturating_add(both[0]), value[1].saturating_add(both[1])];
            }
        }
    }

    /// The largest lines, then all others as one.
    pub fn largest(self, most: usize) -> Vec<(Key, Values)> {
        let total = |values: &Values| {
            values.iter().fold(0_u64, |sum, both| sum.saturating_add(both[0]).saturating_add(both[1]))
        };
        let mut all: Vec<(Key, Values)> = self.lines.into_iter().collect();
        all.sort_by_key(|(key, values)| (*key == Key::Other, std::cmp::Reverse(total(values))));
        let own = all.iter().filter(|(key, _)| *key != Key::Other).count().min(most);
        let rest = all.split_off(own);
        let mut other: Values = vec![[0; 2]; self.points];
        for (_, values) in &rest {
            for (sum, value) in other.iter_mut().zip(values) {
                *sum = [sum[0].saturating_add(value[0]), sum[1].saturating_add(value[1])];
            }
        }
        if !rest.is_empty() {
            all.push((Key::Other, other));
        }
        all
    }
}
