//! The ClientHello with which TLS begins.
//!
//! **Shape**: record type (1), version (2), length (2), handshake type (1), length (3), version (2), random (32), session id
//! (behind 1), cipher suites (behind 2), compressions (behind 1), extensions (behind 2), each a type (2) and a value (behind 2).
//!
//! **Bounds**: only the first record and what was captured of it; an extension beyond that is not told.
//!
//! **Source**: RFC 8446 sections 4.1.2 and 5.1; RFC 6066 section 3; RFC 7301 section 3.1.

use crate::octets::{Cursor, upto};

/// The record type of a handshake.
const HANDSHAKE: u8 = 22;
/// The handshake type of a ClientHello.
const CLIENT_HELLO: u8 = 1;
/// The extension with the server's name.
const SERVER_NAME: u16 = 0;
/// The extension with the protocols to speak inside.
const PROTOCOLS: u16 = 16;
/// The type of a server name that is a host name.
const HOST_NAME: u8 = 0;

/// What a client says first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// The name of the server wanted.
    pub sni: Option<&'a str>,
    /// The protocol the client would like best, as `h2`.
    pub alpn: Option<&'a [u8]>,
}

/// Whether this payload of a client begins TLS, or the SSL before it.
///
/// **Source**: RFC 5246 appendix E.2 for the hello of SSL 2.0, whose length has its top bit set.
#[must_use]
pub fn begins(payload: &[u8]) -> bool {
    match *payload {
        [HANDSHAKE, 3, ..] => true,
        [length, _, CLIENT_HELLO, ..] => length & 0x80 != 0,
        _ => false,
    }
}

/// The ClientHello at the head of this payload, if there is one.
#[must_use]
pub fn client_hello(payload: &[u8]) -> Option<ClientHello<'_>> {
    let [HANDSHAKE, 3, _, high, low, CLIENT_HELLO, _, _, _, ..] = *payload else {
        return None;
    };
    let record = upto(payload.get(5..)?, u32::from(u16::from_be_bytes([high, low])));
    let mut hello = ClientHello::default();
    // Whatever lies beyond the capture leaves what was found before it.
    let _ = hello.read(Cursor(record.get(4..)?));
    Some(hello)
}

impl<'a> ClientHello<'a> {
    fn read(&mut self, mut body: Cursor<'a>) -> Option<()> {
        let _version_and_random = body.take(34)?;
        let _session = body.behind_u8()?;
        let _ciphers = body.behind_u16()?;
        let _compressions = body.behind_u8()?;
        let len = body.u16()?;
        let mut extensions = Cursor(upto(body.0, u32::from(len)));
        loop {
            let kind = extensions.u16()?;
            let value = extensions.behind_u16()?;
            match kind {
                SERVER_NAME => self.sni = self.sni.or_else(|| host_name(Cursor(value))),
                PROTOCOLS => self.alpn = self.alpn.or_else(|| first_protocol(Cursor(value))),
                _ => {}
            }
        }
    }
}

/// The host name in a list of names; only printable ASCII is one.
fn host_name(mut list: Cursor<'_>) -> Option<&str> {
    let mut names = Cursor(list.behind_u16()?);
    if names.u8()? != HOST_NAME {
        return None;
    }
    let name = core::str::from_utf8(names.behind_u16()?).ok()?;
    let plain = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
    plain.then_some(name)
}

/// The first of a list of protocols.
fn first_protocol(mut list: Cursor<'_>) -> Option<&[u8]> {
    Cursor(list.behind_u16()?).behind_u8()
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// A hello with these extensions.
    fn hello(extensions: &[u8]) -> Vec<u8> {
        let mut body = std::vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 2, 0x13, 1, 1, 0, 0, extensions.len() as u8]);
        body.extend(extensions);
        let mut payload = std::vec![22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
        payload.extend(body);
        payload
    }

    const EXTENSIONS: &[u8] = b"\0\x17\0\0\0\0\0\x10\0\x0e\0\0\x0bexample.org\0\x10\0\x0e\0\x0c\x02h2\x08http/1.1";

    #[test]
    fn a_hello_names_the_server_and_the_protocol() {
        let payload = hello(EXTENSIONS);
        let read = client_hello(&payload).unwrap();
        assert_eq!((read.sni, read.alpn), (Some("example.org"), Some(&b"h2"[..])));
    }

    #[test]
    fn tls_and_the_ssl_before_it_begin_in_their_own_ways() {
        assert!(begins(&hello(EXTENSIONS)));
        assert!(begins(&[0x80, 0x2e, 1, 3, 1]));
        for payload in [&b"GET / HTTP/1.1"[..], &[0x16, 2, 0], &[0x80, 0x2e, 2], &[0x2e, 0x80, 1], b""] {
            assert!(!begins(payload), "{payload:?}");
        }
    }

    #[test]
    fn a_name_that_is_not_printable_is_none() {
        let payload = hello(b"\0\0\0\x08\0\x06\0\0\x03a\x1bb");
        assert_eq!(client_hello(&payload), Some(ClientHello::default()));
    }

    #[test]
    fn other_records_are_no_hello() {
        for (place, value) in [(0, 23), (1, 2), (5, 2)] {
            let mut payload = hello(EXTENSIONS);
            payload[place] = value;
            assert_eq!(client_hello(&payload), None, "{place}");
        }
    }

    #[test]
    fn a_hello_cut_anywhere_tells_what_came_before_the_cut() {
        let payload = hello(EXTENSIONS);
        let start = payload.len() - EXTENSIONS.len();
        for len in 0..payload.len() {
            let read = client_hello(&payload[..len]);
            assert_eq!(read.is_some(), len >= 9, "{len}");
            assert_eq!(read.and_then(|h| h.sni).is_some(), len >= start + 24, "{len}");
            assert_eq!(read.and_then(|h| h.alpn), None, "{len}");
        }
    }

    #[test]
    fn what_follows_the_extensions_is_not_one() {
        let mut payload = hello(EXTENSIONS);
        payload[51] -= 18;
        assert_eq!(client_hello(&payload).unwrap().alpn, None);
    }

    #[test]
    fn what_follows_the_record_is_not_part_of_it() {
        let mut payload = hello(EXTENSIONS);
        payload[4] -= 18;
        assert_eq!(client_hello(&payload).unwrap().alpn, None);
    }
}
