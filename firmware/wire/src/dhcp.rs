//! DHCP for IPv4.
//!
//! **Shape**: operation (1), hardware type (1), hardware address length (1), hops (1), id (4), seconds (2), flags (2), four
//! addresses (4 each), hardware address (16), server name (64), file (128), magic (4), then options of a type (1), a length (1)
//! and a value.
//!
//! **Bounds**: options end at the first that is beyond the payload; of an option told twice the first counts.
//!
//! **Source**: RFC 2131 section 2; RFC 2132; RFC 8520 section 10 for the MUD address.

use core::net::Ipv4Addr;

use terms::MacAddr;

use crate::dns::Name;
use crate::octets::Cursor;

/// The port of servers and relays.
pub const SERVER_PORT: u16 = 67;
/// The port of clients.
pub const CLIENT_PORT: u16 = 68;
/// The message type of a client that looks for servers.
pub const DISCOVER: u8 = 1;
/// The message type of a server that offers an address.
pub const OFFER: u8 = 2;
/// The message type of a client that takes an offer.
pub const REQUEST: u8 = 3;
/// The message type of a server that grants an address.
pub const ACK: u8 = 5;
/// The message type of a server that refuses one.
pub const NAK: u8 = 6;

/// Octets in front of the magic.
const FIXED: usize = 236;
/// What tells DHCP from BOOTP.
const MAGIC: [u8; 4] = [99, 130, 83, 99];

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The message type; none in plain BOOTP.
    pub kind: Option<u8>,
    /// What tells this exchange from others of the same client.
    pub id: u32,
    /// The hardware address of the client.
    pub client_mac: MacAddr,
    /// The address given to the client; unspecified in a client's message.
    pub your: Ipv4Addr,
    /// The server that says so (option 54).
    pub server: Option<Ipv4Addr>,
    /// The first router (option 3).
    pub router: Option<Ipv4Addr>,
    /// Which part of the address is the network's (option 1).
    pub mask: Option<Ipv4Addr>,
    /// The servers of names (option 6), as octets for [`addresses`].
    pub name_servers: Option<&'a [u8]>,
    /// The servers of time (option 42), likewise.
    pub time_servers: Option<&'a [u8]>,
    /// For how many seconds the address is given (option 51); the largest number is for ever.
    pub lease: Option<u32>,
    /// After how many seconds the client asks that server again (option 58), and after how many any server (option 59).
    pub renew: Option<u32>,
    /// See `renew`.
    pub rebind: Option<u32>,
    /// The name of the client as it was sent (option 12).
    pub host_name: Option<&'a [u8]>,
    /// The make of the client (option 60).
    pub vendor_class: Option<&'a [u8]>,
    /// The options asked for, in their order (option 55).
    pub parameters: Option<&'a [u8]>,
    /// Where the description of the client is (option 161).
    pub mud_url: Option<&'a [u8]>,
    /// The flags, codes and full name of the client (option 81).
    fqdn: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// The message in this payload. `None` if it is not one about an Ethernet client.
    #[must_use]
    pub fn parse(payload: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = payload.split_first_chunk::<FIXED>()?;
        let ([1 | 2, 1, 6, ..], [a, b, c, d, ..]) = (&fixed[..16], &fixed[16..]) else {
            return None;
        };
        let client_mac = fixed[28..].first_chunk()?;
        let mut message = Self {
            kind: None,
            id: number(&fixed[4..])?,
            client_mac: MacAddr::new(*client_mac),
            your: Ipv4Addr::new(*a, *b, *c, *d),
            server: None,
            router: None,
            mask: None,
            name_servers: None,
            time_servers: None,
            lease: None,
            renew: None,
            rebind: None,
            host_name: None,
            vendor_class: None,
            parameters: None,
            mud_url: None,
            fqdn: None,
        };
        if let Some(options) = rest.strip_prefix(&MAGIC) {
            message.read_options(Cursor(options));
        }
        Some(message)
    }

    fn read_options(&mut self, mut options: Cursor<'a>) {
        while let Some(option) = options.u8() {
            if option == 0 {
                continue;
            }
            if option == 255 {
                return;
            }
            let Some(value) = options.behind_u8() else {
                return;
            };
            match option {
                1 => self.mask = self.mask.or(address(value)),
                3 => self.router = self.router.or(address(value)),
                6 => self.name_servers = self.name_servers.or(Some(value)),
                12 => self.host_name = self.host_name.or(Some(value)),
                42 => self.time_servers = self.time_servers.or(Some(value)),
                51 => self.lease = self.lease.or(number(value)),
                53 => self.kind = self.kind.or(value.first().copied()),
                54 => self.server = self.server.or(address(value)),
                55 => self.parameters = self.parameters.or(Some(value)),
                58 => self.renew = self.renew.or(number(value)),
                59 => self.rebind = self.rebind.or(number(value)),
                60 => self.vendor_class = self.vendor_class.or(Some(value)),
                81 => self.fqdn = self.fqdn.or(Some(value)),
                161 => self.mud_url = self.mud_url.or(Some(value)),
                _ => {}
            }
        }
    }

    /// The full name of the client (option 81), in either of its forms.
    ///
    /// **Source**: RFC 4702 section 2.
    #[must_use]
    pub fn fqdn(&self) -> Option<Name> {
        let [flags, _, _, name @ ..] = self.fqdn? else { return None };
        if flags & 4 == 4 { Name::of_labels(name) } else { Name::of_text(name) }
    }

    /// Whether only a server says this.
    #[must_use]
    pub const fn is_from_server(&self) -> bool {
        matches!(self.kind, Some(OFFER | ACK | NAK))
    }
}

/// The addresses of a value, four octets each; what is cut short at its end is none.
pub fn addresses(value: &[u8]) -> impl Iterator<Item = Ipv4Addr> + '_ {
    value.chunks_exact(4).filter_map(address)
}

/// The number that a value begins with.
fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|octets| u32::from_be_bytes(*octets))
}

/// The first address of a value.
fn address(value: &[u8]) -> Option<Ipv4Addr> {
    value.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn message(options: &[u8]) -> Vec<u8> {
        let mut payload = std::vec![0; FIXED];
        payload[..3].copy_from_slice(&[2, 1, 6]);
        payload[16..20].copy_from_slice(&[192, 168, 7, 50]);
        payload[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        payload.extend(MAGIC);
        payload.extend(options);
        payload
    }

    const OFFERED: &[u8] = &[53, 1, 2, 0, 54, 4, 192, 168, 7, 1, 3, 8, 192, 168, 7, 1, 192, 168, 7, 2, 255, 53, 1, 9];

    #[test]
    fn an_offer_names_its_server_and_router() {
        let payload = message(OFFERED);
        let read = Message::parse(&payload).unwrap();
        assert_eq!((read.kind, read.is_from_server()), (Some(OFFER), true));
        assert_eq!((read.client_mac, read.your), (MacAddr::new([2, 0, 0, 0, 0, 9]), Ipv4Addr::new(192, 168, 7, 50)));
        assert_eq!(
            (read.server, read.router),
            (Some(Ipv4Addr::new(192, 168, 7, 1)), Some(Ipv4Addr::new(192, 168, 7, 1)))
        );
    }

    #[test]
    fn a_grant_says_for_how_long_and_who_else_serves() {
        let options = b"\x35\x01\x05\x01\x04\xff\xff\xff\0\x06\x09\x0a\0\0\x01\x0a\0\0\x02\x0a\x2a\x04\x0a\0\0\x03\
                        \x33\x04\0\0\x0e\x10\x3a\x04\0\0\x07\x08\x3b\x03\0\0\x07\xff";
        let mut payload = message(options);
        payload[4..8].copy_from_slice(&[1, 2, 3, 4]);
        let read = Message::parse(&payload).unwrap();
        assert_eq!((read.id, read.mask), (0x0102_0304, Some(Ipv4Addr::new(255, 255, 255, 0))));
        let all = |value: Option<&[u8]>| addresses(value.unwrap()).collect::<Vec<_>>();
        assert_eq!(all(read.name_servers), [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)]);
        assert_eq!(all(read.time_servers), [Ipv4Addr::new(10, 0, 0, 3)]);
        assert_eq!((read.lease, read.renew, read.rebind), (Some(3_600), Some(1_800), None));
    }

    #[test]
    fn a_request_describes_its_client() {
        let payload =
            message(b"\x35\x01\x03\x0c\x05phone\x0c\x02no\x3c\x03abc\x37\x03\x01\x03\x06\xa1\x0chttps://m.ex\xff");
        let read = Message::parse(&payload).unwrap();
        assert_eq!((read.kind, read.is_from_server()), (Some(REQUEST), false));
        assert_eq!(read.host_name, Some(&b"phone"[..]));
        assert_eq!(read.vendor_class, Some(&b"abc"[..]));
        assert_eq!(read.parameters, Some(&[1, 3, 6][..]));
        assert_eq!(read.mud_url, Some(&b"https://m.ex"[..]));
    }

    #[test]
    fn a_full_name_is_read_in_both_its_forms() {
        for options in [&b"\x51\x0b\x00\0\0Cam.home"[..], b"\x51\x0d\x04\0\0\x03cam\x04home\0"] {
            let payload = message(options);
            assert_eq!(Message::parse(&payload).unwrap().fqdn().unwrap().as_str(), "cam.home");
        }
        let short = message(b"\x51\x02\0\0");
        assert_eq!(Message::parse(&short).unwrap().fqdn(), None);
    }

    #[test]
    fn of_an_option_told_twice_the_first_counts_and_none_behind_the_end() {
        let payload = message(b"\x35\x01\x02\x35\x01\x05\xff\0\x0c\x04late");
        let read = Message::parse(&payload).unwrap();
        assert_eq!((read.kind, read.host_name), (Some(OFFER), None));
    }

    #[test]
    fn other_hardware_and_other_operations_are_none() {
        for (place, value) in [(0, 3), (1, 6), (2, 16)] {
            let mut payload = message(OFFERED);
            payload[place] = value;
            assert_eq!(Message::parse(&payload), None, "{place}");
        }
    }

    #[test]
    fn bootp_has_no_type() {
        let mut payload = message(OFFERED);
        payload[FIXED] = 0;
        assert_eq!(Message::parse(&payload).unwrap().kind, None);
    }

    #[test]
    fn a_message_cut_anywhere_tells_the_options_before_the_cut() {
        let payload = message(OFFERED);
        for len in 0..FIXED + 4 + 18 {
            let read = Message::parse(&payload[..len]);
            assert_eq!(read.is_some(), len >= FIXED, "{len}");
            assert_eq!(read.and_then(|m| m.kind).is_some(), len >= FIXED + 4 + 3, "{len}");
            assert_eq!(read.and_then(|m| m.server).is_some(), len >= FIXED + 4 + 10, "{len}");
            assert_eq!(read.and_then(|m| m.router), None, "{len}");
        }
    }
}
