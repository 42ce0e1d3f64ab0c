//! Who began which conversation across the box, and what it carried: the same conversations that the kernel knows under default deny.
//!
//! A conversation is found by packets of both directions: the LAN end comes first. It begins with a packet that belongs to none that
//! is known, whatever its flags, and is over when its time is: so what is told here is what the kernel's rules are asked about.
//! Errors of ICMP, answers to echoes, discovery of neighbours and later fragments begin nothing.
//!
//! **Bounds**: [`TALKS`] conversations; of sixteen that might go for a new one the longest silent does. What is over or made room waits
//! in a list of [`WAITING`] until it is told, once a second; what finds it full is counted.

extern crate alloc;
use alloc::vec::Vec;

use core::net::IpAddr;
use terms::{HostKey, MacAddr, Side, Span, Timestamp};
use wire::tcp::Flags;
use wire::{Net, Packet, Summary, Transport, icmp, icmp6, protocol};

use crate::hash::{HashKey, RowId};
use crate::table::{Table, Worth};

/// Conversations that are known at a time.
pub const TALKS: usize = 16_384;
/// Conversations that wait to be told for the last time.
pub const WAITING: usize = 4_096;
/// How long one is known after its first packet, until another comes.
pub const FIRST: Span = Span::from_secs(60);
/// How long one of TCP is known after a segment that opens it or carries what was just written.
pub const TCP: Span = Span::from_secs(2 * 3_600);
/// The same after one that ends it. A bare acknowledgement is the last word of many and changes nothing.
pub const TCP_ENDED: Span = Span::from_secs(20);
/// The same for everything else.
pub const OTHER: Span = Span::from_secs(180);

/// One conversation, with what it did since it was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Talk {
    /// The hardware address of its LAN end.
    pub mac: MacAddr,
    /// The address of its LAN end.
    pub lan: IpAddr,
    /// The address of the other end.
    pub far: IpAddr,
    /// The side that began.
    pub begun_by: Side,
    /// The IP protocol's number.
    pub protocol: u8,
    /// The port of whoever was asked; zero where the protocol has none.
    pub port: u16,
    /// Whether it is an echo of ICMP.
    pub echo: bool,
    /// Whether its beginning is told now, and when that was.
    pub begun: Option<Timestamp>,
    /// Its last packet.
    pub last: Timestamp,
    /// What it carried since: from the LAN end, and towards it.
    ///
    /// **Units**: octets on the wire.
    pub octets: [u64; 2],
    /// Until when it is known.
    until: Timestamp,
}

/// The conversations that are known.
pub struct Talks {
    key: HashKey,
    table: Table<Talk>,
    waiting: Vec<Talk>,
    lost: u64,
}

/// A packet as far as conversations go.
struct Passing {
    id: RowId,
    /// The conversation that it would begin, if it may begin one.
    would_begin: Option<Talk>,
    side: Side,
    octets: u64,
    lasts: Option<Span>,
}

impl Talks {
    /// None yet; memory for all is reserved.
    #[must_use]
    pub fn new(key: HashKey) -> Self {
        Self { key, table: Table::new(TALKS), waiting: Vec::with_capacity(WAITING), lost: 0 }
    }

    /// Conversations whose end could not be told, because too many ended at once.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Sees a frame that crosses the box.
    #[inline]
    pub fn observe(&mut self, frame: &Summary<'_>, at: Timestamp, side: Side) {
        let Net::Ip(packet) = &frame.net else { return };
        let mac = match side {
            Side::Lan => frame.src,
            Side::Uplink => frame.dst,
            Side::Unknown => return,
        };
        let Some(passing) = self.passing(packet, (mac, u64::from(frame.len)), at, side) else { return };
        let Some(slot) = self.table.find(passing.id) else {
            self.begin(&passing, None);
            return;
        };
        let talk = self.table.at(slot);
        if talk.until < at {
            self.begin(&passing, Some(slot));
            return;
        }
        talk.octets[usize::from(passing.side == Side::Uplink)] += passing.octets;
        talk.last = at;
        if let Some(lasts) = passing.lasts {
            talk.until = at + lasts;
        }
    }

    /// Tells each conversation that began since it was told last, and at the turn of a minute each that carried anything.
    pub fn tell(&mut self, all: bool, each: &mut dyn FnMut(&Talk)) {
        self.waiting.drain(..).for_each(|talk| each(&talk));
        for talk in self.table.iter_mut() {
            if talk.begun.is_some() || (all && talk.octets != [0; 2]) {
                each(talk);
                talk.told();
            }
        }
    }

    fn passing(
        &self,
        packet: &Packet<'_>,
        (mac, octets): (MacAddr, u64),
        at: Timestamp,
        side: Side,
    ) -> Option<Passing> {
        let (mut begins, mut echo) = (true, false);
        let (from, to, lasts) = match &packet.transport {
            Transport::Tcp(segment) => {
                let has = |flag| segment.flags.contains(flag);
                let lasts = match () {
                    () if has(Flags::FIN) || has(Flags::RST) => Some(TCP_ENDED),
                    () if has(Flags::SYN) || has(Flags::PSH) => Some(TCP),
                    () => None,
                };
                (segment.src_port, segment.dst_port, lasts)
            }
            Transport::Udp(datagram) => (datagram.src_port, datagram.dst_port, Some(OTHER)),
            Transport::Icmp(icmp::Message { kind: kind @ (icmp::ECHO_REQUEST | icmp::ECHO_REPLY), id, .. }) => {
                (begins, echo) = (*kind == icmp::ECHO_REQUEST, true);
                (*id, *id, Some(OTHER))
            }
            Transport::Icmp6(icmp6::Message { kind: kind @ (icmp6::ECHO_REQUEST | icmp6::ECHO_REPLY), id, .. }) => {
                (begins, echo) = (*kind == icmp6::ECHO_REQUEST, true);
                (*id, *id, Some(OTHER))
            }
            Transport::Icmp(_) | Transport::Icmp6(_) | Transport::LaterFragment | Transport::Cut => return None,
            Transport::Other(_) => (0, 0, Some(OTHER)),
        };
        let (lan, far, lan_port, far_port) = match side {
            Side::Uplink => (packet.dst, packet.src, to, from),
            _ => (packet.src, packet.dst, from, to),
        };
        let tag = u64::from(packet.protocol) << 32 | u64::from(lan_port) << 16 | u64::from(far_port);
        let id = self.key.pair(self.key.host(HostKey::from(lan)), self.key.host(HostKey::from(far)), tag);
        let has_port = matches!(packet.protocol, protocol::TCP | protocol::UDP);
        let would_begin = begins.then(|| Talk {
            echo,
            octets: if side == Side::Uplink { [0, octets] } else { [octets, 0] },
            until: at + FIRST,
            ..Talk::begun(mac, (lan, far), side, (packet.protocol, if has_port { to } else { 0 }), at)
        });
        Some(Passing { id, would_begin, side, octets, lasts })
    }

    #[cold]
    fn begin(&mut self, passing: &Passing, in_place_of: Option<usize>) {
        let Some(talk) = passing.would_begin else { return };
        let gone = match in_place_of {
            Some(slot) => Some(core::mem::replace(self.table.at(slot), talk)),
            None => {
                let mut gone = None;
                self.table.insert_anew(passing.id, || talk, |row| gone = Some(core::mem::replace(row, talk)));
                gone
            }
        };
        let Some(gone) = gone.filter(|gone| gone.begun.is_some() || gone.octets != [0; 2]) else { return };
        if self.waiting.len() < self.waiting.capacity() {
            self.waiting.push(gone);
        } else {
            self.lost += 1;
        }
    }
}

impl Talk {
    /// One that began at a moment: its ends, LAN end first; who began; protocol and the port that is asked.
    #[must_use]
    pub const fn begun(
        mac: MacAddr,
        (lan, far): (IpAddr, IpAddr),
        begun_by: Side,
        (protocol, port): (u8, u16),
        at: Timestamp,
    ) -> Self {
        let (echo, octets) = (false, [0; 2]);
        Self { mac, lan, far, begun_by, protocol, port, echo, begun: Some(at), last: at, octets, until: at }
    }

    fn told(&mut self) {
        (self.begun, self.octets) = (None, [0; 2]);
    }
}

impl Worth for Talk {
    fn class(&self) -> u8 {
        0
    }

    fn last(&self) -> Timestamp {
        self.last
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use wire::LinkType;

    const DEVICE: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 5]);
    const ROUTER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);

    /// A segment between 10.0.0.5:4000 (LAN) and 203.0.113.7:443.
    fn tcp(talks: &mut Talks, side: Side, flags: u8, secs: u64) {
        let (src, dst) = if side == Side::Lan { (DEVICE, ROUTER) } else { (ROUTER, DEVICE) };
        let ends = [([10, 0, 0, 5], 4_000_u16), ([203, 0, 113, 7], 443)];
        let [(from, sport), (to, dport)] = if side == Side::Lan { ends } else { [ends[1], ends[0]] };
        let mut f = [dst.octets(), src.octets()].concat();
        f.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]);
        f.extend([from, to].concat());
        f.extend([sport.to_be_bytes(), dport.to_be_bytes()].concat());
        f.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0, 0, 0, 0, 0, 0]);
        let frame = wire::parse(LinkType::Ethernet, &f, 54, None).unwrap();
        talks.observe(&frame, Timestamp::from_secs(secs), side);
    }

    fn told(talks: &mut Talks, all: bool) -> vec::Vec<Talk> {
        let mut list = vec![];
        talks.tell(all, &mut |talk| list.push(*talk));
        list
    }

    const SYN: u8 = 2;
    const FIN: u8 = 0x11;
    const ACK: u8 = 0x10;
    const DATA: u8 = 0x18;

    #[test]
    fn a_conversation_is_told_once_with_what_it_carries_each_way() {
        let mut talks = Talks::new(HashKey::FIXED);
        tcp(&mut talks, Side::Lan, SYN, 1);
        tcp(&mut talks, Side::Uplink, SYN | ACK, 1);
        let list = told(&mut talks, false);
        assert_eq!(list.len(), 1);
        let Talk { mac, begun_by, port, begun, octets, .. } = list[0];
        assert_eq!((mac, begun_by, port), (DEVICE, Side::Lan, 443));
        assert_eq!((begun, octets), (Some(Timestamp::from_secs(1)), [54, 54]));
        tcp(&mut talks, Side::Uplink, DATA, 2);
        assert_eq!(told(&mut talks, false), []);
        let more = told(&mut talks, true);
        assert_eq!((more.len(), more[0].begun, more[0].octets), (1, None, [0, 54]));
    }

    #[test]
    fn what_the_other_side_begins_asks_the_port_of_the_lan_end() {
        let mut talks = Talks::new(HashKey::FIXED);
        tcp(&mut talks, Side::Uplink, SYN, 1);
        tcp(&mut talks, Side::Lan, SYN | ACK, 1);
        let list = told(&mut talks, false);
        assert_eq!((list.len(), list[0].begun_by, list[0].port, list[0].mac), (1, Side::Uplink, 4_000, DEVICE));
    }

    #[test]
    fn one_that_is_over_begins_anew_and_a_last_acknowledgement_keeps_nothing_open() {
        let mut talks = Talks::new(HashKey::FIXED);
        tcp(&mut talks, Side::Lan, SYN, 1);
        tcp(&mut talks, Side::Uplink, DATA, 2);
        tcp(&mut talks, Side::Lan, FIN, 3);
        tcp(&mut talks, Side::Uplink, FIN, 3);
        tcp(&mut talks, Side::Lan, ACK, 4);
        tcp(&mut talks, Side::Lan, SYN, 23);
        assert_eq!(told(&mut talks, true).len(), 1, "within 20 s it is the same");
        tcp(&mut talks, Side::Uplink, FIN, 30);
        tcp(&mut talks, Side::Lan, DATA, 51);
        let again = told(&mut talks, false);
        assert_eq!(again.iter().filter_map(|talk| talk.begun).max(), Some(Timestamp::from_secs(51)));
    }

    #[test]
    fn a_full_table_tells_who_made_room() {
        let mut talks = Talks { table: Table::new(2), ..Talks::new(HashKey::FIXED) };
        talks.waiting = Vec::with_capacity(1);
        for port in 1..=4_u16 {
            let mut f = [ROUTER.octets(), DEVICE.octets()].concat();
            f.extend([8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 5, 203, 0, 113, 7]);
            f.extend([0x0f, 0xa0, port.to_be_bytes()[0], port.to_be_bytes()[1], 0, 8, 0, 0]);
            let frame = wire::parse(LinkType::Ethernet, &f, 60, None).unwrap();
            talks.observe(&frame, Timestamp::from_secs(u64::from(port)), Side::Lan);
        }
        assert_eq!((told(&mut talks, false).len(), talks.lost()), (3, 1));
    }
}
