//! JA4: by what a TLS client program can be told from others, whatever it says and to whom.
//!
//! **Shape**: ten characters (transport, version, whether a server is named, counts of cipher suites and extensions, the first protocol
//! wanted inside), and twelve digits each of two hashes: of the sorted cipher suites; of the sorted extensions with the signature
//! algorithms behind them.
//!
//! **Bounds**: only a hello whose record was captured whole; of one with more than [`MOST`] cipher suites or extensions, or with an extension
//! twice (RFC 8446 section 4.2 forbids it), nothing is told. Hellos over QUIC are encrypted, if only with what everybody can derive, and are
//! not read.
//!
//! **Source**: FoxIO, JA4 technical details (BSD 3-Clause); RFC 8446 section 4.1.2; RFC 8701 for the values that mean nothing.

use core::fmt;

use sha2::{Digest, Sha256};

use crate::octets::Cursor;

/// The most cipher suites, extensions or signature algorithms of a hello that is told.
const MOST: usize = 128;
/// Octets of a hash that are told.
const TOLD: usize = 6;
/// The length of its text.
pub const LEN: usize = 36;

const SERVER_NAME: u16 = 0;
const SIGNATURE_ALGORITHMS: u16 = 13;
const PROTOCOLS: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// The fingerprint of a TLS client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ja4 {
    head: [u8; 10],
    ciphers: [u8; TOLD],
    extensions: [u8; TOLD],
}

/// Numbers of two octets, in the order in which they were said, without those that mean nothing.
struct Numbers {
    len: usize,
    all: [u16; MOST],
}

impl Ja4 {
    /// The fingerprint of the client whose ClientHello this payload is.
    #[must_use]
    pub fn of_hello(payload: &[u8]) -> Option<Self> {
        let [22, 3, _, high, low, 1, a, b, c, ..] = *payload else { return None };
        let record = payload.get(5..)?.get(..usize::from(u16::from_be_bytes([high, low])))?;
        let hello = record.get(4..)?.get(..u32::from_be_bytes([0, a, b, c]) as usize)?;
        Self::read(Cursor(hello))
    }

    fn read(mut hello: Cursor<'_>) -> Option<Self> {
        let legacy = hello.u16()?;
        let _random = hello.take(32)?;
        let _session = hello.behind_u8()?;
        let mut ciphers = Numbers::read(hello.behind_u16()?)?;
        let compressions = hello.behind_u8()?;
        let mut left = if hello.0.is_empty() { hello } else { Cursor(hello.behind_u16()?) };
        // There is at least the one that does nothing, and nothing follows; what was blotted out says otherwise.
        if compressions.is_empty() || !hello.0.is_empty() {
            return None;
        }
        let (mut kinds, mut algorithms) = (Numbers::NONE, Numbers::NONE);
        let (mut version, mut named, mut protocol) = (legacy, false, None);
        while !left.0.is_empty() {
            let (kind, value) = (left.u16()?, left.behind_u16()?);
            if kinds.said().contains(&kind) {
                return None;
            }
            kinds.say(kind)?;
            let mut value = Cursor(value);
            match kind {
                SERVER_NAME => named = true,
                SIGNATURE_ALGORITHMS => algorithms = Numbers::read(value.behind_u16()?)?,
                PROTOCOLS => protocol = Cursor(value.behind_u16()?).behind_u8(),
                SUPPORTED_VERSIONS => {
                    let versions = Numbers::read(value.behind_u8()?)?;
                    version = versions.said().iter().copied().max().unwrap_or(legacy);
                }
                _ => {}
            }
        }
        let [tens, ones] = version_of(version);
        let [first, last] = ends_of(protocol.unwrap_or_default());
        let ([c10, c1], [e10, e1]) = (digits(ciphers.len), digits(kinds.len));
        let head = [b't', tens, ones, if named { b'd' } else { b'i' }, c10, c1, e10, e1, first, last];
        ciphers.all[..ciphers.len].sort_unstable();
        kinds.all[..kinds.len].sort_unstable();
        Some(Self { head, ciphers: ciphers.hash(), extensions: hash_of_extensions(&kinds, &algorithms) })
    }

    /// Octets that are the same whenever the fingerprint is.
    #[must_use]
    pub fn octets(&self) -> [u8; 22] {
        let mut octets = [0; 22];
        octets[..10].copy_from_slice(&self.head);
        octets[10..16].copy_from_slice(&self.ciphers);
        octets[16..].copy_from_slice(&self.extensions);
        octets
    }

    /// The fingerprint that is written so, in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes().first_chunk::<LEN>().filter(|_| text.len() == LEN)?;
        let head: [u8; 10] = *text.first_chunk()?;
        let plain = head.iter().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit());
        let counts = head[4..8].iter().all(u8::is_ascii_digit);
        let begins = matches!(head[0], b't' | b'q' | b'd') && matches!(head[3], b'd' | b'i');
        if !plain || !counts || !begins || text[10] != b'_' || text[23] != b'_' {
            return None;
        }
        Some(Self { head, ciphers: unhex(&text[11..23])?, extensions: unhex(&text[24..])? })
    }
}

impl fmt::Display for Ja4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.head).unwrap_or_default())?;
        for hash in [self.ciphers, self.extensions] {
            f.write_str("_")?;
            hash.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        }
        Ok(())
    }
}

impl Numbers {
    const NONE: Self = Self { len: 0, all: [0; MOST] };

    fn read(octets: &[u8]) -> Option<Self> {
        let (pairs, rest) = octets.as_chunks::<2>();
        let mut numbers = Self::NONE;
        pairs.iter().try_for_each(|pair| numbers.say(u16::from_be_bytes(*pair)))?;
        rest.is_empty().then_some(numbers)
    }

    /// One more; nothing where there is no room. What clients make up is left out.
    fn say(&mut self, number: u16) -> Option<()> {
        let made_up = number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff;
        if !made_up {
            *self.all.get_mut(self.len)? = number;
            self.len += 1;
        }
        Some(())
    }

    fn said(&self) -> &[u16] {
        self.all.get(..self.len).unwrap_or_default()
    }

    fn hash(&self) -> [u8; TOLD] {
        let mut hash = Sha256::new();
        feed(&mut hash, self.said().iter().copied());
        if self.len == 0 { [0; TOLD] } else { told(hash) }
    }
}

/// Extensions in order, without those that say to whom and what is spoken; then signature algorithms as they were said.
fn hash_of_extensions(kinds: &Numbers, algorithms: &Numbers) -> [u8; TOLD] {
    let others = || kinds.said().iter().copied().filter(|kind| !matches!(*kind, SERVER_NAME | PROTOCOLS));
    let mut hash = Sha256::new();
    feed(&mut hash, others());
    if algorithms.len > 0 {
        hash.update(b"_");
        feed(&mut hash, algorithms.said().iter().copied());
    }
    if others().next().is_none() && algorithms.len == 0 { [0; TOLD] } else { told(hash) }
}

/// Four digits a number, commas between.
fn feed(hash: &mut Sha256, numbers: impl Iterator<Item = u16>) {
    for (n, number) in numbers.enumerate() {
        let text = [12, 8, 4, 0].map(|bits| hex(number >> bits & 0xf));
        hash.update(if n == 0 { &b""[..] } else { b"," });
        hash.update(text);
    }
}

fn told(hash: Sha256) -> [u8; TOLD] {
    let hash = hash.finalize();
    core::array::from_fn(|n| hash[n])
}

fn hex(digit: u16) -> u8 {
    b"0123456789abcdef"[usize::from(digit & 0xf)]
}

fn unhex(text: &[u8]) -> Option<[u8; TOLD]> {
    let digit = |octet: u8| b"0123456789abcdef".iter().position(|known| *known == octet);
    let mut octets = [0; TOLD];
    for (octet, pair) in octets.iter_mut().zip(text.as_chunks::<2>().0) {
        *octet = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(octets)
}

fn version_of(version: u16) -> [u8; 2] {
    *match version {
        0x0304 => b"13",
        0x0303 => b"12",
        0x0302 => b"11",
        0x0301 => b"10",
        0x0300 => b"s3",
        0x0002 => b"s2",
        _ => b"00",
    }
}

/// Two digits: 99 for all that is more.
fn digits(count: usize) -> [u8; 2] {
    let count = u16::try_from(count.min(99)).unwrap_or(99);
    [hex(count / 10), hex(count % 10)]
}

/// The first and the last character of a protocol; of one that ends in none, the first and the last digit of its octets.
fn ends_of(protocol: &[u8]) -> [u8; 2] {
    match (protocol.first(), protocol.last()) {
        (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => [*first, *last],
        (Some(first), Some(last)) => [hex(u16::from(first >> 4)), hex(u16::from(*last))],
        _ => *b"00",
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    /// The example of the specification: a browser.
    const CIPHERS: [u16; 16] = [
        0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
        0x002f, 0x0035,
    ];
    const KINDS: [u16; 17] = [
        0xeaea, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
        0x000b, 0x000a, 0x0015,
    ];
    const ALGORITHMS: [u16; 8] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];

    fn numbers(all: &[u16]) -> Vec<u8> {
        all.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    fn behind_u16(octets: &[u8]) -> Vec<u8> {
        [&(octets.len() as u16).to_be_bytes()[..], octets].concat()
    }

    fn hello(version: u16, ciphers: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(behind_u16(&numbers(ciphers)));
        body.extend([1, 0]);
        let list: Vec<u8> = extensions
            .iter()
            .flat_map(|(kind, value)| [&kind.to_be_bytes()[..], &behind_u16(value)].concat())
            .collect();
        body.extend(behind_u16(&list));
        let message = [&[1, 0][..], &behind_u16(&body)].concat();
        [&[22, 3, 1][..], &behind_u16(&message)].concat()
    }

    fn browser() -> Vec<u8> {
        let value = |kind: u16| match kind {
            0x0010 => behind_u16(b"\x02h2\x08http/1.1"),
            0x000d => behind_u16(&numbers(&ALGORITHMS)),
            0x002b => std::vec![6, 0x3a, 0x3a, 3, 4, 3, 3],
            _ => std::vec![0; usize::from(kind % 7)],
        };
        let extensions: Vec<_> = KINDS.iter().map(|kind| (*kind, value(*kind))).collect();
        hello(0x0303, &CIPHERS, &extensions)
    }

    fn ja4(payload: &[u8]) -> Option<std::string::String> {
        Ja4::of_hello(payload).map(|ja4| ja4.to_string())
    }

    #[test]
    fn the_example_of_the_specification_has_its_fingerprint() {
        assert_eq!(ja4(&browser()).as_deref(), Some("t13d1516h2_8daaf6152771_e5627efa2ab1"));
    }

    #[test]
    fn small_clients_have_theirs() {
        let none = |version| ja4(&hello(version, &[], &[])).unwrap();
        assert_eq!(none(0x0301), "t10i000000_000000000000_000000000000");
        assert_eq!(none(0x0300), "ts3i000000_000000000000_000000000000");
        assert_eq!(none(0x7f17), "t00i000000_000000000000_000000000000");
        let with = |protocol: &[u8]| {
            let list = [&[protocol.len() as u8][..], protocol].concat();
            ja4(&hello(0x0303, &[0x1301], &[(16, behind_u16(&list))])).unwrap()
        };
        assert!(with(b"h").starts_with("t12i0101hh_"));
        assert!(with(b"http/1.1").starts_with("t12i0101h1_"));
        assert!(with(b"\xab\xcd").starts_with("t12i0101ad_"));
        assert!(with(b"0\xab").starts_with("t12i01013b_"));
    }

    #[test]
    fn a_hello_that_is_not_whole_or_says_a_thing_twice_has_none() {
        let payload = browser();
        for len in 0..payload.len() {
            assert_eq!(ja4(&payload[..len]), None, "{len}");
        }
        // What was blotted out with zeros names no way of compression, or says again and again that it is a name.
        for from in 60..payload.len() - 8 {
            let mut blotted = payload.clone();
            blotted[from..].fill(0);
            if let Some(read) = ja4(&blotted) {
                // Only within the last value does it change nothing that counts.
                assert_eq!(Some(read), ja4(&payload), "{from}");
            }
        }
        assert_eq!(ja4(&hello(0x0303, &[1], &[(5, std::vec![]), (5, std::vec![])])), None);
        let many: Vec<u16> = (0..MOST as u16 + 1).collect();
        assert_eq!(ja4(&hello(0x0303, &many, &[])), None);
        assert!(ja4(&hello(0x0303, &many[1..], &[])).unwrap().starts_with("t12i9900"));
    }

    #[test]
    fn the_order_of_what_is_offered_says_nothing() {
        let (mut ciphers, mut kinds) =
            (CIPHERS.to_vec(), std::vec![(5, std::vec![]), (11, std::vec![]), (23, std::vec![])]);
        let before = ja4(&hello(0x0303, &ciphers, &kinds));
        ciphers.reverse();
        kinds.reverse();
        assert_eq!(ja4(&hello(0x0303, &ciphers, &kinds)), before);
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let text = "t13d1516h2_8daaf6152771_e5627efa2ab1";
        let read = Ja4::parse(text).unwrap();
        assert_eq!((read.to_string(), Ja4::of_hello(&browser())), (text.to_string(), Some(read)));
        for wrong in [
            "",
            "t13d1516h2_8daaf6152771_e5627efa2ab",
            "t13d1516h2_8daaf6152771_e5627efa2ab12",
            "T13d1516h2_8daaf6152771_e5627efa2ab1",
            "x13d1516h2_8daaf6152771_e5627efa2ab1",
            "t13x1516h2_8daaf6152771_e5627efa2ab1",
            "t13d15a6h2_8daaf6152771_e5627efa2ab1",
            "t13d1516h2-8daaf6152771_e5627efa2ab1",
            "t13d1516h2_8daaf615277g_e5627efa2ab1",
            "t13d1516h2_8daaf6152771_E5627efa2ab1",
        ] {
            assert_eq!(Ja4::parse(wrong), None, "{wrong}");
        }
    }
}
