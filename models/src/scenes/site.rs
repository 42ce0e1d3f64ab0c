//! The network of a scene: its addresses, its router, and who is out there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use terms::{MacAddr, Span};

use crate::sample::Random;

use super::chance::drawn_for;
use super::packet::End;

/// Addresses and the router of one network.
///
/// **Bounds**: servers lie in 198.18.0.0/15 (RFC 2544) and 2001:db8:f000::/36 (RFC 3849), which belong to nobody: what a scene
/// replays reaches no stranger.
#[derive(Clone, Debug)]
pub struct Site {
    seed: u64,
    lan: [u8; 3],
    router: MacAddr,
    /// Whether the network has IPv6.
    pub v6: bool,
}

/// Somebody to talk to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peer {
    /// The hardware address that carries it: its own, or the router's.
    pub mac: MacAddr,
    /// Its IPv4 address.
    pub v4: Ipv4Addr,
    /// Its IPv6 address, where it has one.
    pub v6: Option<Ipv6Addr>,
    /// The way there and back.
    pub rtt: Span,
    /// Between two full segments of it.
    pub pace: Span,
    /// Hops that are left of a packet of it.
    pub ttl: u8,
}

impl Site {
    /// A network.
    pub fn draw(random: &mut Random) -> Self {
        let lan = *random.pick(&[[192, 168, 0], [192, 168, 1], [192, 168, 178], [10, 0, 0], [10, 20, 3], [172, 16, 4]]);
        Self { seed: random.bits(), lan, router: hardware(random), v6: random.happens(0.5) }
    }

    /// The address of the n-th host here.
    #[must_use]
    pub const fn address(&self, n: u8) -> Ipv4Addr {
        Ipv4Addr::new(self.lan[0], self.lan[1], self.lan[2], n)
    }

    /// The n-th host here; the first is the router.
    #[must_use]
    pub fn host(&self, n: u8) -> Peer {
        let mut random = drawn_for("host", self.seed ^ u64::from(n));
        let mac = if n == 1 { self.router } else { hardware(&mut random) };
        let rtt = Span::from_micros(200 + random.bits() % 2_500);
        let ttl = *random.pick(&[64, 64, 64, 128]);
        Peer { mac, v4: self.address(n), v6: self.v6.then(|| global(mac)), rtt, pace: Span::from_micros(120), ttl }
    }

    /// The router, which answers for names as well.
    #[must_use]
    pub fn router(&self) -> Peer {
        self.host(1)
    }

    /// The router as it speaks on the link by IPv6.
    #[must_use]
    pub fn router_link_local(&self) -> End {
        End { mac: self.router, ip: IpAddr::V6(link_local(self.router)), ttl: 255 }
    }

    /// The server of a name.
    #[must_use]
    pub fn server(&self, name: &str) -> Peer {
        self.outside(&mut drawn_for(name, self.seed))
    }

    /// The n-th host of the internet that has no name.
    #[must_use]
    pub fn nameless(&self, n: u64) -> Peer {
        self.outside(&mut drawn_for("nameless", self.seed ^ n.wrapping_mul(0x9e37_79b9)))
    }

    fn outside(&self, random: &mut Random) -> Peer {
        let bits = random.bits();
        let [a, b, c, ..] = bits.to_le_bytes();
        let v4 = Ipv4Addr::new(198, 18 | (a & 1), b, c.clamp(1, 254));
        let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0xf000 | (bits >> 24) as u16, 0, 0, 0, (bits >> 40) as u16, 1);
        let v6 = Some(v6).filter(|_| random.happens(0.4));
        let rtt = Span::from_micros(4_000 + (random.share() * random.share() * 160_000.0) as u64);
        let pace = Span::from_micros(100 + (random.share() * random.share() * 1_500.0) as u64);
        let ttl = *random.pick(&[64, 64, 128, 255]) - 6 - random.below(14) as u8;
        Peer { mac: self.router, v4, v6, rtt, pace, ttl }
    }
}

impl Peer {
    /// As one end of packets to or from an address of the same family.
    #[must_use]
    pub fn end(&self, other: IpAddr) -> End {
        let ip = match (other, self.v6) {
            (IpAddr::V6(_), Some(v6)) => v6.into(),
            _ => self.v4.into(),
        };
        End { mac: self.mac, ip, ttl: self.ttl }
    }
}

/// A hardware address as a maker gives it.
pub fn hardware(random: &mut Random) -> MacAddr {
    let [a, b, c, d, e, f, ..] = random.bits().to_le_bytes();
    MacAddr::new([a & 0xfc, b, c, d, e, f])
}

/// The address on the link that a hardware address gives itself (RFC 4291, appendix A).
#[must_use]
pub fn link_local(mac: MacAddr) -> Ipv6Addr {
    with_prefix(mac, [0xfe80, 0, 0, 0])
}

/// The address that it takes from the router's prefix.
#[must_use]
pub fn global(mac: MacAddr) -> Ipv6Addr {
    with_prefix(mac, [0x2001, 0xdb8, 0x77, 1])
}

fn with_prefix(mac: MacAddr, [a, b, c, d]: [u16; 4]) -> Ipv6Addr {
    let [m, n, o, p, q, r] = mac.octets().map(u16::from);
    Ipv6Addr::new(a, b, c, d, (m ^ 2) << 8 | n, o << 8 | 0xff, 0xfe00 | p, q << 8 | r)
}
