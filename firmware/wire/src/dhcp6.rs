//! DHCP for IPv6: what a client says of itself.
//!
//! **Shape**: message type (1), transaction (3), then options of a code (2), a length (2) and a value.
//!
//! **Bounds**: options end at the first that is beyond the payload; of one told twice the first counts. What relays wrap up is not
//! read.
//!
//! **Source**: RFC 8415 sections 8, 11 and 21; RFC 4704 section 4 for the name; RFC 8520 section 10 for the MUD address.

use terms::MacAddr;

use crate::dns::Name;
use crate::octets::Cursor;

/// The port of clients.
pub const CLIENT_PORT: u16 = 546;
/// The port of servers and relays.
pub const SERVER_PORT: u16 = 547;

/// The message types that clients send: solicit, request, confirm, renew, rebind, release, decline, information request.
const FROM_CLIENTS: [u8; 8] = [1, 3, 4, 5, 6, 8, 9, 11];

/// One message of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The message type.
    pub kind: u8,
    /// The hardware address in the client's identity (option 1), where it is made of one. It may be that of another link.
    pub client_mac: Option<MacAddr>,
    /// The options asked for, two octets each, in their order (option 6).
    pub parameters: Option<&'a [u8]>,
    /// The make of the client (option 16): its first word.
    pub vendor_class: Option<&'a [u8]>,
    /// The flags and the name of the client (option 39).
    fqdn: Option<&'a [u8]>,
    /// Where the description of the client is (option 112).
    pub mud_url: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// The message in this payload. `None` if no client sent it.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut rest = Cursor(payload);
        let kind = rest.u8().filter(|kind| FROM_CLIENTS.contains(kind))?;
        let _transaction = rest.take(3)?;
        let mut message =
            Self { kind, client_mac: None, parameters: None, vendor_class: None, fqdn: None, mud_url: None };
        while let Some((code, value)) = option(&mut rest) {
            match code {
                1 => message.client_mac = message.client_mac.or(identity(value)),
                6 => message.parameters = message.parameters.or(Some(value)),
                16 => message.vendor_class = message.vendor_class.or(first_word(value)),
                39 => message.fqdn = message.fqdn.or(Some(value)),
                112 => message.mud_url = message.mud_url.or(Some(value)),
                _ => {}
            }
        }
        Some(message)
    }

    /// The name of the client, a part of one or a whole one.
    #[must_use]
    pub fn fqdn(&self) -> Option<Name> {
        let (_flags, labels) = self.fqdn?.split_first()?;
        Name::of_labels(labels)
    }
}

/// The next option, if all of it is there.
fn option<'a>(rest: &mut Cursor<'a>) -> Option<(u16, &'a [u8])> {
    let code = rest.u16()?;
    Some((code, rest.behind_u16()?))
}

/// The hardware address in an identity made of one: of type 1 behind a time, of type 3 alone, both of Ethernet.
fn identity(value: &[u8]) -> Option<MacAddr> {
    let address = match value {
        [0, 1, 0, 1, _, _, _, _, address @ ..] | [0, 3, 0, 1, address @ ..] => address,
        _ => return None,
    };
    <[u8; 6]>::try_from(address).ok().map(MacAddr::new)
}

/// The first word of a vendor class, behind the enterprise's number.
fn first_word(value: &[u8]) -> Option<&[u8]> {
    let mut rest = Cursor(value);
    let _enterprise = rest.u32()?;
    rest.behind_u16()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOLICIT: &[u8] = b"\x01\xaa\xbb\xcc\0\x01\0\x0a\0\x03\0\x01\x02\0\0\0\0\x09\0\x06\0\x04\0\x17\0\x18\
        \0\x10\0\x0a\0\0\x01\x37\0\x04MSFT\0\x27\0\x07\0\x05kitty\0\x70\0\x0chttps://m.ex";

    #[test]
    fn a_solicit_describes_its_client() {
        let message = Message::parse(SOLICIT).unwrap();
        assert_eq!((message.kind, message.client_mac), (1, Some(MacAddr::new([2, 0, 0, 0, 0, 9]))));
        assert_eq!(message.parameters, Some(&[0, 0x17, 0, 0x18][..]));
        assert_eq!(message.vendor_class, Some(&b"MSFT"[..]));
        assert_eq!(message.fqdn().unwrap().as_str(), "kitty");
        assert_eq!(message.mud_url, Some(&b"https://m.ex"[..]));
    }

    #[test]
    fn what_servers_and_relays_say_is_none() {
        for kind in [0, 2, 7, 10, 12, 13] {
            let mut message = [0; 40];
            message[..SOLICIT.len().min(40)].copy_from_slice(&SOLICIT[..SOLICIT.len().min(40)]);
            message[0] = kind;
            assert_eq!(Message::parse(&message), None, "{kind}");
        }
    }

    #[test]
    fn a_message_cut_anywhere_tells_the_options_before_the_cut() {
        for len in 0..SOLICIT.len() {
            let message = Message::parse(&SOLICIT[..len]);
            assert_eq!(message.is_some(), len >= 4, "{len}");
            assert_eq!(message.and_then(|m| m.client_mac).is_some(), len >= 18, "{len}");
            assert_eq!(message.and_then(|m| m.parameters).is_some(), len >= 26, "{len}");
            assert_eq!(message.and_then(|m| m.mud_url), None, "{len}");
        }
    }
}
