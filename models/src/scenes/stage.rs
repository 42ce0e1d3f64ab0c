//! Where a scene plays: the device, what it knows of others, and the frames that are still to come.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, Ipv6Addr};

use terms::{MacAddr, Span, Timestamp};

use crate::sample::Random;

use super::chance::{Between, drawn_for, seconds};
use super::packet::{self, End, Made, Said};
use super::site::{Peer, Site, global, link_local};
use super::speech::{self, Hello};

/// Names and neighbours that a device remembers; all are forgotten when there are more.
const REMEMBERED: usize = 512;
/// The first port that a client takes, and how many there are (IANA's dynamic ports).
const PORTS: (u16, u16) = (49_152, 16_384);
const A: u16 = 1;
const AAAA: u16 = 28;
/// The code for a name that does not exist.
pub const NO_SUCH_NAME: u8 = 3;

/// The device of a scene.
#[derive(Debug)]
pub struct Device {
    /// Its number in the network.
    pub number: u8,
    /// Its addresses.
    pub peer: Peer,
    /// What it calls itself to web servers.
    pub agent: String,
    /// How it says hello over TLS.
    pub hello: Hello,
    /// How a program says it that brings its own library.
    pub foreign_hello: Hello,
    /// What belongs to this device alone: its vendor's name for it, the ports it listens at.
    pub own: u64,
    next_port: u16,
    names: BTreeMap<String, Known>,
    neighbors: BTreeMap<IpAddr, Known>,
}

/// From when to when something is known: what is done next may be earlier than what was done last.
#[derive(Clone, Copy, Debug)]
struct Known {
    since: Timestamp,
    until: Timestamp,
}

/// The device, its network, and the frames to come.
#[derive(Debug)]
pub struct Stage {
    /// What is drawn while the scene plays.
    pub random: Random,
    /// The network.
    pub site: Site,
    /// The device.
    pub device: Device,
    to_come: BinaryHeap<Reverse<Queued>>,
    sent: u64,
}

/// A frame to come; of two at the same moment the one that was sent first.
#[derive(Debug)]
struct Queued {
    frame: Made,
    sent: u64,
}

impl Queued {
    fn key(&self) -> (Timestamp, u64) {
        (self.frame.at, self.sent)
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl Known {
    fn at(self, at: Timestamp) -> bool {
        self.since <= at && at < self.until
    }
}

impl Device {
    fn draw(site: &Site, random: &mut Random) -> Self {
        let number = 20 + random.below(180) as u8;
        let agent = format!("{}/{}.{}", super::words::spoken(random), 1 + random.below(12), random.below(40));
        Self {
            number,
            peer: Peer { ttl: *random.pick(&[64, 64, 128]), ..site.host(number) },
            agent,
            hello: Hello::draw(random),
            foreign_hello: Hello::draw(random),
            own: random.bits(),
            next_port: PORTS.0 + random.below(PORTS.1.into()) as u16,
            names: BTreeMap::new(),
            neighbors: BTreeMap::new(),
        }
    }

    /// The device as the sender of ARP and of broadcasts.
    #[must_use]
    pub fn end4(&self) -> End {
        End { mac: self.peer.mac, ip: self.peer.v4.into(), ttl: self.peer.ttl }
    }
}

impl Stage {
    /// An empty stage in a network of its own.
    pub fn draw(random: &mut Random) -> Self {
        let site = Site::draw(random);
        let device = Device::draw(&site, random);
        Self { random: Random::new(random.bits()), site, device, to_come: BinaryHeap::new(), sent: 0 }
    }

    /// Sends a frame at the moment that it bears.
    pub fn send(&mut self, frame: Made) {
        self.to_come.push(Reverse(Queued { frame, sent: self.sent }));
        self.sent += 1;
    }

    /// When the next frame comes.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.to_come.peek().map(|Reverse(queued)| queued.frame.at)
    }

    /// The next frame.
    pub fn next(&mut self) -> Option<Made> {
        self.to_come.pop().map(|Reverse(queued)| queued.frame)
    }

    /// Frames that are made and still to come.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.to_come.len()
    }

    /// A port that the device takes for a new conversation.
    pub fn port(&mut self) -> u16 {
        let step = 1 + self.random.below(3) as u16;
        let offset = (self.device.next_port - PORTS.0 + step) % PORTS.1;
        self.device.next_port = PORTS.0 + offset;
        self.device.next_port
    }

    /// The device and a peer, in the family of addresses that they share; and the moment from which they know each other's
    /// hardware addresses.
    pub fn reach(&mut self, at: Timestamp, peer: &Peer) -> (Timestamp, End, End) {
        let six = self.site.v6 && peer.v6.is_some() && self.device.peer.v6.is_some();
        let own = match self.device.peer.v6 {
            Some(v6) if six => IpAddr::V6(v6),
            _ => self.device.peer.v4.into(),
        };
        let far = peer.end(own);
        let inside = peer.mac != self.site.router().mac;
        let hop = match (six, inside) {
            (_, true) => far.ip,
            (true, false) => self.site.router_link_local().ip,
            (false, false) => self.site.address(1).into(),
        };
        let at = self.meet(at, hop, peer.mac);
        (at, self.device.peer.end(own), far)
    }

    /// Asks for the hardware address of a neighbour that was not heard of lately.
    fn meet(&mut self, at: Timestamp, hop: IpAddr, mac: MacAddr) -> Timestamp {
        if self.device.neighbors.get(&hop).is_some_and(|known| known.at(at)) {
            return at;
        }
        let answered = at + Span::from_micros(300 + self.random.bits() % 2_000);
        match hop {
            IpAddr::V4(address) => {
                let own = (self.device.peer.mac, self.device.peer.v4);
                self.send(packet::arp(at, own, address, None));
                self.send(packet::arp(answered, (mac, address), own.1, Some(own.0)));
            }
            IpAddr::V6(address) => {
                let own = self.device.peer.mac;
                let from = if hop == self.site.router_link_local().ip { link_local(own) } else { global(own) };
                self.solicit(at, answered, End { mac: own, ip: from.into(), ttl: 255 }, address, mac);
            }
        }
        let remembered = Between(40.0, 600.0).span(&mut self.random);
        if self.device.neighbors.len() >= REMEMBERED {
            self.device.neighbors.clear();
        }
        self.device.neighbors.insert(hop, Known { since: answered, until: at + remembered });
        answered + Span::from_micros(40)
    }

    /// A neighbour solicitation and its answer (RFC 4861, section 4.3).
    pub fn solicit(&mut self, at: Timestamp, answered: Timestamp, from: End, target: Ipv6Addr, mac: MacAddr) {
        let told = |option: u8, mac: MacAddr| Said::all([&target.octets()[..], &[option, 1], &mac.octets()].concat());
        self.send(packet::icmp(at, from, packet::solicited(target), (0, 135), (0, 0), &told(1, from.mac)));
        let there = End { mac, ip: target.into(), ttl: 255 };
        self.send(packet::icmp(answered, there, from, (0, 136), (0x6000, 0), &told(2, mac)));
    }

    /// Finds the server of a name: asks the resolver unless it did lately. Returns when it is known, and who it is.
    pub fn resolve(&mut self, at: Timestamp, name: &str) -> (Timestamp, Peer) {
        let server = self.site.server(name);
        if self.device.names.get(name).is_some_and(|known| known.at(at)) {
            return (at, server);
        }
        let ttl = *drawn_for(name, 1).pick(&[60, 120, 300, 300, 600, 3_600]);
        let mut known = self.lookup(at, name, A, 0, ttl, &[server.v4.octets().to_vec()]);
        if self.site.v6 && self.device.peer.v6.is_some() {
            let addresses: Vec<Vec<u8>> = server.v6.iter().map(|v6| v6.octets().to_vec()).collect();
            known = known.max(self.lookup(at + Span::from_micros(150), name, AAAA, 0, ttl, &addresses));
        }
        if self.device.names.len() >= REMEMBERED {
            self.device.names.clear();
        }
        let until = at + seconds(f64::from(ttl));
        self.device.names.insert(name.to_owned(), Known { since: known, until });
        (known, server)
    }

    /// One question to the resolver and its answer; returns when that came.
    pub fn lookup(
        &mut self,
        at: Timestamp,
        name: &str,
        qtype: u16,
        code: u8,
        ttl: u32,
        contents: &[Vec<u8>],
    ) -> Timestamp {
        let resolver = Peer { v6: None, ..self.site.router() };
        let (at, own, far) = self.reach(at, &resolver);
        let port = self.port();
        let question = speech::question((self.random.bits() & 0xffff) as u16, name, qtype);
        let answer = speech::answer(&question, code, ttl, contents);
        self.send(packet::udp(at, own, far, (port, 53), &Said::all(question)));
        let answered = at + Span::from_micros(600) + self.random.delay(Span::from_millis(35));
        self.send(packet::udp(answered, far, own, (53, port), &Said::all(answer)));
        answered + Span::from_micros(200)
    }
}
