//! The connections that the kernel tracks: how many there is room for, and those that a rule admitted, listed and ended.
//!
//! A connection tells who began it, not which of its ends is on the LAN: it is over if it is seen from either.
//!
//! **Source**: `include/uapi/linux/netfilter/nfnetlink_conntrack.h`.

use std::net::IpAddr;

use crate::attribute::{Message, Writer, array};
use crate::error::EnforceError;
use crate::layout::{TALKS_V4, TALKS_V6};
use crate::socket::Socket;
use crate::talk::Talk;

/// The subsystem of netlink that knows connections.
const CONNECTIONS: u16 = 1;
const GET: u16 = 1;
const DELETE: u16 = 2;
const GET_STATISTICS: u16 = 5;
/// Asks for a list; with an answer also where all is well.
const LIST: u16 = 0x301;
const ANSWERED: u16 = 0x5;
const ASK: u16 = 0x1;

/// Attribute kinds.
mod attr {
    pub const ORIGINAL: u16 = 1;
    pub const MARK: u16 = 8;
    pub const ID: u16 = 12;
    pub const ROOM: u16 = 2;
    pub const ADDRESSES: u16 = 1;
    pub const PROTOCOL: u16 = 2;
    pub const NUMBER: u16 = 1;
    pub const PORTS: [u16; 2] = [2, 3];
    /// The identifier of an echo, of either IP.
    pub const ECHOES: [u16; 2] = [4, 7];
    pub const V4: [u16; 2] = [1, 2];
    pub const V6: [u16; 2] = [3, 4];
}

/// As many connections as Picket's own maps hold conversations: where the kernel has room for fewer, one device could take it all.
pub const CONNECTIONS_NEEDED: u32 = TALKS_V4 + TALKS_V6;

/// A connection that a rule admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Connection {
    /// As who began it sees it, and as the other end does.
    seen: [Talk; 2],
    /// What it is known by: attributes of the message that ends it, as the kernel wrote them.
    original: Vec<u8>,
    id: Vec<u8>,
    family: u8,
}

/// For how many connections there is room.
///
/// # Errors
/// `Refused` where the kernel tells nobody of its connections.
pub(crate) fn room(socket: &mut Socket) -> Result<u32, EnforceError> {
    let request = Writer::of(CONNECTIONS, GET_STATISTICS, ASK, 0, 0).finish();
    let found = socket.ask("the number of connections", request, |room: &mut Option<u32>, message| {
        *room = room.or_else(|| message.attributes().u32(attr::ROOM));
    })?;
    found.flatten().ok_or(EnforceError::Unconfirmed { acknowledged: 0, expected: 1 })
}

/// Ends the connections that a rule admitted and for which this is so; says how many.
///
/// # Errors
/// `Refused` at the first that could not be ended; those before it are.
pub(crate) fn end(socket: &mut Socket, is_over: impl Fn(&Talk) -> bool) -> Result<usize, EnforceError> {
    let request = Writer::of(CONNECTIONS, GET, LIST, 0, 0).finish();
    let found = socket.ask("the connections", request, |over: &mut Vec<Connection>, message| {
        over.extend(Connection::read(message).filter(|connection| connection.seen.iter().any(&is_over)));
    })?;
    let over = found.unwrap_or_default();
    for connection in &over {
        // One that ended by itself meanwhile is no error.
        socket.ask("a connection", connection.removal(), |(): &mut (), _| {})?;
    }
    Ok(over.len())
}

/// Reads octets as answers about connections.
pub(crate) fn read_anything(message: &Message<'_>) -> usize {
    Connection::read(message).iter().count()
}

impl Connection {
    /// Nothing where no rule of Picket's admitted it.
    fn read(message: &Message<'_>) -> Option<Self> {
        let of = (message.kind >> 8 == CONNECTIONS).then(|| message.attributes())?;
        of.u32(attr::MARK).filter(|mark| *mark != 0)?;
        let tuple = of.inside(attr::ORIGINAL);
        let (addresses, about) = (tuple.inside(attr::ADDRESSES), tuple.inside(attr::PROTOCOL));
        let [first, second] = [0, 1].map(|end| {
            let v4 = addresses.value(attr::V4[end]).and_then(|octets| array::<4>(octets, 0)).map(IpAddr::from);
            v4.or_else(|| addresses.value(attr::V6[end]).and_then(|octets| array::<16>(octets, 0)).map(IpAddr::from))
        });
        let number = |kind: u16| about.value(kind).and_then(|octets| array(octets, 0)).map(u16::from_be_bytes);
        let echo = attr::ECHOES.into_iter().find_map(number);
        let [own, other] = attr::PORTS.map(|kind| number(kind).unwrap_or_default());
        let talk = |(lan, lan_port), (far, far_port)| {
            Some(Talk { lan, lan_port, far, far_port, protocol: *about.value(attr::NUMBER)?.first()? })
        };
        let (first, second) = (first?, second?);
        let seen = match echo {
            Some(id) => [talk((first, id), (second, 0))?, talk((second, id), (first, 0))?],
            None => [talk((first, own), (second, other))?, talk((second, other), (first, own))?],
        };
        Some(Self {
            seen,
            original: of.value(attr::ORIGINAL)?.to_vec(),
            id: of.value(attr::ID)?.to_vec(),
            family: *message.body.first()?,
        })
    }

    /// The message that ends this one and none that took its place.
    fn removal(&self) -> Vec<u8> {
        let mut writer = Writer::of(CONNECTIONS, DELETE, ANSWERED, self.family, 0);
        writer.put_nested(attr::ORIGINAL, &self.original);
        writer.put(attr::ID, &self.id);
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::Messages;

    /// As the kernel tells one of TCP, with a mark.
    fn told(mark: u32) -> Vec<u8> {
        let mut writer = Writer::of(CONNECTIONS, 0, 0, 2, 0);
        let tuple = writer.open(attr::ORIGINAL);
        let addresses = writer.open(attr::ADDRESSES);
        writer.put(attr::V4[0], &[192, 168, 7, 11]);
        writer.put(attr::V4[1], &[203, 0, 113, 7]);
        writer.end(addresses);
        let about = writer.open(attr::PROTOCOL);
        writer.put(attr::NUMBER, &[6]);
        writer.put(attr::PORTS[0], &40_000u16.to_be_bytes());
        writer.put(attr::PORTS[1], &443u16.to_be_bytes());
        writer.end(about);
        writer.end(tuple);
        writer.put(attr::MARK, &mark.to_be_bytes());
        writer.put(attr::ID, &[1, 2, 3, 4]);
        writer.finish()
    }

    fn read(octets: &[u8]) -> Option<Connection> {
        Messages::new(octets).next().and_then(|message| Connection::read(&message))
    }

    #[test]
    fn a_connection_is_read_from_both_ends_and_ended_by_what_it_is_known_by() {
        let connection = read(&told(7)).unwrap();
        let [first, second] = connection.seen;
        assert_eq!((first.lan.to_string(), first.far_port, first.protocol), ("192.168.7.11".into(), 443, 6));
        assert_eq!((second.far, second.far_port, second.lan_port), (first.lan, first.lan_port, first.far_port));
        let removal = connection.removal();
        let message = Messages::new(&removal).next().unwrap();
        assert_eq!((message.kind, message.flags), (CONNECTIONS << 8 | DELETE, ANSWERED));
        assert_eq!(message.attributes().value(attr::ORIGINAL), Some(connection.original.as_slice()));
    }

    #[test]
    fn one_that_no_rule_admitted_is_nobodys_business() {
        assert_eq!(read(&told(0)), None);
    }

    #[test]
    fn octets_cut_or_bent_anywhere_are_read_without_a_panic() {
        let octets = told(7);
        for at in 0..octets.len() {
            assert_eq!(read(&octets[..at]), None, "{at}");
            for bent in [0, 1, 0x7f, 0xff] {
                let mut octets = octets.clone();
                octets[at] = bent;
                let _ = read(&octets);
            }
        }
    }
}
