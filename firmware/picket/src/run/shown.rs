//! The names that devices show when they begin: the server's name of TLS, the host of HTTP.
//!
//! What is shown opens nothing: a device may show what it likes. It tells which of the names at one address is meant, and gives away a
//! public resolver of encrypted DNS that has an address of its own.
//!
//! **Bounds**: the same device, address and name are told once a minute; [`RECENT`] of them are remembered, a later one pushes out
//! another in its place, and [`PASSED`] a second are told in all. A name beyond the first segment, or encrypted (ECH), or carried by QUIC, is not seen. **Source**: RFC 6066,
//! section 3; RFC 9110, section 7.2.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use terms::{MacAddr, Side, Span, Timestamp};
use wire::{Net, Summary, Transport, http, tls};

use super::told::Pace;

/// Names that are remembered.
const RECENT: usize = 4_096;
/// Names a second that are told.
const PASSED: u32 = 50;
/// How long the same is not told again.
const AGAIN: Span = Span::from_secs(60);
/// The longest name. **Source**: RFC 1035, section 2.3.4.
const LONGEST: usize = 253;
/// The first octet of TLS: a record of its handshake.
const HANDSHAKE: u8 = 22;

/// A device showed the name of whom it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The device's hardware address.
    pub mac: MacAddr,
    /// Its address.
    pub lan: IpAddr,
    /// The address that it talks to.
    pub far: IpAddr,
    /// The name, in lower case.
    pub name: String,
    /// When.
    pub at: Timestamp,
}

/// The names that were shown a moment ago.
pub struct Showing {
    hasher: RandomState,
    recent: Vec<(u64, Timestamp)>,
    pace: Pace,
}

impl Showing {
    /// None yet.
    pub fn new() -> Self {
        Self { hasher: RandomState::new(), recent: vec![(0, Timestamp::EPOCH); RECENT], pace: Pace::default() }
    }

    /// Hears a frame; gives back what its device shows by it, if that is news.
    #[inline]
    pub fn hear(&mut self, frame: &Summary<'_>, at: Timestamp, side: Side) -> Option<Shown> {
        let Net::Ip(packet) = &frame.net else { return None };
        let Transport::Tcp(segment) = &packet.transport else { return None };
        let first = segment.payload.first().filter(|_| side == Side::Lan)?;
        if *first != HANDSHAKE && !first.is_ascii_uppercase() {
            return None;
        }
        let name = name(segment.payload)?;
        self.news(Shown { mac: frame.src, lan: packet.src, far: packet.dst, name, at })
    }

    #[cold]
    fn news(&mut self, shown: Shown) -> Option<Shown> {
        let hash = self.hasher.hash_one((shown.mac, shown.far, &shown.name));
        let place = &mut self.recent[hash as usize % RECENT];
        let known = place.0 == hash && shown.at.since(place.1) < AGAIN;
        if known || !self.pace.may(shown.at, PASSED) {
            return None;
        }
        *place = (hash, shown.at);
        Some(shown)
    }
}

/// The name that the first words of a client show; none for an address in a name's place.
#[cold]
fn name(payload: &[u8]) -> Option<String> {
    let shown = match tls::client_hello(payload) {
        Some(hello) => hello.sni?.as_bytes(),
        None => http::Request::parse(payload).filter(|request| !request.names_address())?.host?,
    };
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.".contains(octet);
    let fits = (1..=LONGEST).contains(&shown.len()) && shown.contains(&b'.') && shown.iter().all(plain);
    let text = std::str::from_utf8(shown).ok().filter(|_| fits)?;
    Some(text.trim_end_matches('.').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(showing: &mut Showing, payload: &[u8], side: Side, secs: u64) -> Option<String> {
        let mut f = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
        f.extend(u16::try_from(40 + payload.len()).unwrap().to_be_bytes());
        f.extend([0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 5, 203, 0, 113, 7]);
        f.extend([0x9c, 0x40, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        f.extend(payload);
        let len = u32::try_from(f.len()).unwrap();
        let summary = wire::parse(wire::LinkType::Ethernet, &f, len, None).unwrap();
        showing.hear(&summary, Timestamp::from_secs(secs), side).map(|shown| shown.name)
    }

    /// A hello of TLS that names a server.
    fn hello(name: &str) -> Vec<u8> {
        let len = |more: usize| u16::try_from(name.len() + more).unwrap().to_be_bytes();
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 1, 1, 0]);
        body.extend(len(9));
        body.extend([0, 0]);
        body.extend([len(5), len(3)].concat());
        body.push(0);
        body.extend(len(0));
        body.extend(name.as_bytes());
        let long = u16::try_from(body.len()).unwrap();
        let mut payload = vec![22, 3, 1];
        payload.extend((long + 4).to_be_bytes());
        payload.extend([1, 0]);
        payload.extend(long.to_be_bytes());
        payload.extend(body);
        payload
    }

    #[test]
    fn tls_and_http_show_a_name_once_a_minute_and_only_from_the_lan() {
        let mut showing = Showing::new();
        assert_eq!(hear(&mut showing, &hello("DNS.example.org"), Side::Uplink, 1), None);
        assert_eq!(hear(&mut showing, &hello("DNS.example.org"), Side::Lan, 1).as_deref(), Some("dns.example.org"));
        assert_eq!(hear(&mut showing, &hello("dns.example.org"), Side::Lan, 60), None);
        assert_eq!(hear(&mut showing, &hello("dns.example.org"), Side::Lan, 61).as_deref(), Some("dns.example.org"));
        let request = b"GET / HTTP/1.1\r\nHost: a.example.org:8080\r\n\r\n";
        assert_eq!(hear(&mut showing, request, Side::Lan, 61).as_deref(), Some("a.example.org"));
    }

    #[test]
    fn so_many_names_a_second_are_told() {
        let mut showing = Showing::new();
        let told =
            (0..1_000).filter(|n| hear(&mut showing, &hello(&format!("n{n}.example.org")), Side::Lan, 1).is_some());
        assert_eq!(told.count(), PASSED as usize);
        assert!(hear(&mut showing, &hello("another.example.org"), Side::Lan, 2).is_some());
    }

    #[test]
    fn addresses_control_characters_and_other_words_are_no_names() {
        let mut showing = Showing::new();
        let requests: [&[u8]; 3] =
            [b"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\x1b.b\r\n\r\n", b"QUIT\r\n"];
        for payload in requests {
            assert_eq!(hear(&mut showing, payload, Side::Lan, 1), None);
        }
        assert_eq!(hear(&mut showing, &hello("localhost"), Side::Lan, 1), None);
    }
}
