//! ICMP for IPv4.
//!
//! **Shape**: type (1), code (1), checksum (2), then four octets by type: in an echo the id and the sequence number; an error
//! quotes the packet at fault behind them.
//!
//! **Source**: RFC 792; RFC 4884 for what may follow a quotation.

use core::net::IpAddr;

use crate::ip::{Body, protocol};
use crate::ipv4;
use crate::octets::u16_at;

/// The answer to an echo.
pub const ECHO_REPLY: u8 = 0;
/// The packet could not be delivered.
pub const UNREACHABLE: u8 = 3;
/// The sender is to slow down (deprecated by RFC 6633).
pub const QUENCH: u8 = 4;
/// There is a better router.
pub const REDIRECT: u8 = 5;
/// Asks for an answer.
pub const ECHO_REQUEST: u8 = 8;
/// The packet ran out of hops or of time.
pub const TIME_EXCEEDED: u8 = 11;
/// A field of the header is wrong.
pub const PARAMETER: u8 = 12;
/// Octets in front of the payload.
const LEN: u32 = 8;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The type of the message.
    pub kind: u8,
    /// What exactly, by type.
    pub code: u8,
    /// The id of an echo; in other messages the fifth and sixth octet.
    pub id: u16,
    /// The sequence number of an echo; in other messages the seventh and eighth octet.
    pub seq: u16,
    /// Octets on the wire behind the first eight.
    pub payload_len: u32,
    /// What lies behind the first eight octets, as far as it was captured.
    pub payload: &'a [u8],
}

/// The packet that an error quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner {
    /// The address that sent the packet at fault, which is whom the error is for.
    pub src: IpAddr,
    /// The address it was for.
    pub dst: IpAddr,
    /// The protocol it carried.
    pub protocol: u8,
    /// The port it came from; 0 if it has none or it was not quoted.
    pub src_port: u16,
    /// The port it was for; 0 if it has none or it was not quoted.
    pub dst_port: u16,
}

impl<'a> Message<'a> {
    #[inline]
    pub(crate) fn read(body: Body<'a>) -> Option<Self> {
        let [kind, code, _, _, a, b, c, d] = *body.octets.first_chunk()?;
        let (payload, payload_len) = body.behind(LEN)?;
        let (id, seq) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        Some(Self { kind, code, id, seq, payload_len, payload })
    }

    /// Whether this is an error about another packet.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.kind, UNREACHABLE | QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER)
    }

    /// The packet at fault, if this is an error and its header was captured.
    #[must_use]
    pub fn inner(&self) -> Option<Inner> {
        if self.is_error() { ipv4::quoted(self.payload) } else { None }
    }
}

impl Inner {
    pub(crate) fn new(src: IpAddr, dst: IpAddr, number: u8, body: &[u8]) -> Self {
        let ports = if matches!(number, protocol::TCP | protocol::UDP) { body } else { &[] };
        let port = |at| u16_at(ports, at).unwrap_or(0);
        Self { src, dst, protocol: number, src_port: port(0), dst_port: port(2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNREACHABLE_PORT: [u8; 36] = [
        3, 3, 0, 0, 0, 0, 0, 0, //
        0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 192, 168, 7, 9, 192, 168, 7, 1, //
        0x13, 0x88, 0, 161, 0, 8, 0, 0,
    ];

    fn body(octets: &[u8]) -> Body<'_> {
        Body { octets, len: UNREACHABLE_PORT.len() as u32, fragment: false }
    }

    #[test]
    fn an_error_names_the_packet_at_fault() {
        let message = Message::read(body(&UNREACHABLE_PORT)).unwrap();
        let expected = Inner {
            src: "192.168.7.9".parse().unwrap(),
            dst: "192.168.7.1".parse().unwrap(),
            protocol: 17,
            src_port: 5000,
            dst_port: 161,
        };
        assert_eq!((message.kind, message.code, message.inner()), (3, 3, Some(expected)));
    }

    #[test]
    fn an_echo_quotes_nothing() {
        let mut octets = UNREACHABLE_PORT;
        (octets[0], octets[5], octets[7]) = (ECHO_REQUEST, 7, 9);
        let message = Message::read(body(&octets)).unwrap();
        assert_eq!((message.id, message.seq, message.payload_len, message.inner()), (7, 9, 28, None));
    }

    #[test]
    fn a_message_cut_anywhere_tells_what_is_left() {
        for len in 0..UNREACHABLE_PORT.len() {
            let message = Message::read(body(&UNREACHABLE_PORT[..len]));
            assert_eq!(message.is_some(), len >= 8, "{len}");
            let inner = message.and_then(|m| m.inner());
            assert_eq!(inner.is_some(), len >= 28, "{len}");
            assert_eq!(inner.map_or(0, |i| i.dst_port), if len >= 32 { 161 } else { 0 }, "{len}");
        }
    }
}
