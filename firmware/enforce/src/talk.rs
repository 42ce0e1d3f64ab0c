//! Conversations that are known: the keys by which packets find theirs, the rules by which they pass, and the parts that make one
//! known.
//!
//! A conversation's key is the same for packets of both directions: the LAN end comes first. What it stands for is the number of the
//! rule that admitted it, and whose it is; packets pass while that number is alive. Packets of either direction renew its time, but for bare
//! acknowledgements of TCP: else each connection that was closed would fill its place for hours.
//!
//! ```text
//! IPv4   address, protocol, port, address, port         5 registers
//! IPv6   the same with addresses of four registers      11 registers
//! ```
//! Of an echo the identifier stands in place of the first port; of a protocol without ports both are zero. An error of ICMP belongs to
//! the conversation whose packet it repeats.
//!
//! Later fragments have no ports. They pass for a few seconds behind the first of their packet, if that one passed: of a known
//! conversation, or as the packet that begins one.
//!
//! **Bounds**: the header of IPv4 inside an error has no options; IPv6's fragment header stands directly behind its header; a fragment
//! that begins eight octets into its packet, where it could rewrite TCP's flags, does not pass. **Source**: RFC 792, RFC 4443, RFC 1858,
//! RFC 8200.

use std::net::IpAddr;

use features::talks::{FIRST, OTHER, TCP, TCP_ENDED};
use policy::{Begins, Family, RuleNumber, Told, protocol};
use terms::Span;

use crate::layout::Set;
use crate::lines::name;
use crate::part::{Base, End, Is, Part, Register, SCRATCH, is_family, is_protocol, width};
use crate::room;

/// The chain in which packets end that begin a conversation.
pub(crate) const ADMITTED: &str = "admitted";
/// How long later fragments may follow the first.
const FRAGMENTS: Span = Span::from_secs(5);
/// The header of IPv6 that a fragment has.
const FRAGMENT_HEADER: u8 = 44;
/// FIN and RST among the flags of TCP.
const ENDS: u8 = 0x05;
/// SYN and PSH, which open a conversation or carry what was just written.
const LIVES: u8 = 0x0a;

/// A conversation that the kernel knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Talk {
    /// The address of the LAN end.
    pub lan: IpAddr,
    /// Its port, or the identifier of an echo; zero where the protocol has none.
    pub lan_port: u16,
    /// The address of the other end.
    pub far: IpAddr,
    /// Its port; zero where the protocol has none.
    pub far_port: u16,
    /// The protocol's number.
    pub protocol: u8,
}

/// Where the ends' addresses and ports stand in what a key is made from.
#[derive(Clone, Copy)]
struct Places {
    /// The base and offset of the LAN end's address, and of the other.
    lan: (Base, u32),
    other: (Base, u32),
    /// The same for ports; nothing where the key has none.
    lan_port: Option<(Base, u32)>,
    other_port: Option<(Base, u32)>,
    /// The base and offset of the protocol, if it is not the packet's own.
    protocol: Option<(Base, u32)>,
}

/// The rules by which packets of known conversations pass in a chain for one direction.
pub(crate) fn known(from: Begins) -> Vec<Vec<Part>> {
    let mut rules = Vec::new();
    for family in [Family::V4, Family::V6] {
        let ports = |number: u8| [is_family(family), is_protocol(number)].concat();
        let any_of = |flags: u8| {
            vec![
                Part::Load { base: Base::Transport, offset: 13, len: 1, to: SCRATCH },
                Part::Mask(SCRATCH, vec![flags]),
                Part::Compare(SCRATCH, Is::Not, vec![0]),
            ]
        };
        let by_ports = Places::of(family, Told::ByPorts, from);
        rules.push(
            [is_family(family), first_fragment(family), lookup(family, by_ports), note_fragments(family)].concat(),
        );
        rules.push([ports(protocol::TCP), any_of(ENDS), pass(family, by_ports, TCP_ENDED)].concat());
        rules.push([ports(protocol::TCP), any_of(LIVES), pass(family, by_ports, TCP)].concat());
        // A bare acknowledgement is the last word of many: it passes and keeps nothing open.
        rules.push([ports(protocol::TCP), lookup(family, by_ports), vec![Part::Accept]].concat());
        rules.push([ports(protocol::UDP), pass(family, by_ports, OTHER)].concat());
    }
    for family in [Family::V4, Family::V6] {
        let icmp = if family == Family::V4 { protocol::ICMP } else { protocol::ICMP6 };
        let kind = |mask: u8, value: u8| {
            vec![
                Part::Load { base: Base::Transport, offset: 0, len: 1, to: SCRATCH },
                Part::Mask(SCRATCH, vec![mask]),
                Part::Compare(SCRATCH, Is::Equal, vec![value]),
            ]
        };
        // Echo and its reply: 8 and 0, 128 and 129.
        let echo = if family == Family::V4 { kind(0xf7, 0) } else { kind(0xfe, 128) };
        let head = [is_family(family), is_protocol(icmp)].concat();
        let by_echo = Places::of(family, Told::ByEcho, from);
        let first = [first_fragment(family), lookup(family, by_echo), note_fragments(family)].concat();
        rules.push([head.clone(), echo.clone(), first].concat());
        rules.push([head.clone(), echo, pass(family, by_echo, OTHER)].concat());
        for kind in errors(family) {
            let kind = vec![
                Part::Load { base: Base::Transport, offset: 0, len: 1, to: SCRATCH },
                Part::Compare(SCRATCH, Is::Equal, vec![kind]),
            ];
            let inner =
                [inner_header(family), lookup(family, Places::of_error(family, from)), vec![Part::Accept]].concat();
            rules.push([head.clone(), kind, inner].concat());
        }
        rules.push(
            [is_family(family), other_protocol(), pass(family, Places::of(family, Told::ByProtocol, from), OTHER)]
                .concat(),
        );
    }
    rules.extend([Family::V4, Family::V6].map(later_fragments));
    rules
}

/// The parts by which a packet begins a conversation of a rule, if that is alive. The rule's number goes on as the frame's mark.
pub(crate) fn admit(number: RuleNumber, counter: Part, told: Told, family: Family, begins: Begins) -> Vec<Part> {
    vec![
        Part::Constant(SCRATCH, number.0.to_ne_bytes().to_vec()),
        Part::In(Set::Live, SCRATCH),
        Part::SetMark(SCRATCH),
        counter,
        Part::Goto(name(begin(family, told, begins))),
    ]
}

/// The chains that a packet goes through which begins a conversation.
pub(crate) fn beginnings() -> Vec<(&'static str, Vec<Vec<Part>>)> {
    let mut all = room::chains();
    for family in [Family::V4, Family::V6] {
        for told in [Told::ByPorts, Told::ByEcho, Told::ByProtocol] {
            for begins in [Begins::Lan, Begins::Uplink] {
                let room = vec![Part::Jump(name(room::chain(begins)))];
                let full = vec![Part::Goto(name(room::NO_ROOM))];
                all.push((begin(family, told, begins), vec![room, make_known(family, told, begins), full]));
            }
        }
    }
    let first = |family| [is_family(family), first_fragment(family), note_fragments(family)].concat();
    all.push((ADMITTED, vec![first(Family::V4), first(Family::V6), pass_unmarked()]));
    all
}

/// Lets a packet pass without the mark, which was Picket's own business.
pub(crate) fn pass_unmarked() -> Vec<Part> {
    vec![Part::Constant(SCRATCH, vec![0; 4]), Part::SetMark(SCRATCH), Part::Accept]
}

/// Makes a conversation known, with the number of its rule, the hardware address of its LAN end and the side that begins.
fn make_known(family: Family, told: Told, begins: Begins) -> Vec<Part> {
    let data = data(family);
    let mut parts = key(family, Places::of(family, told, begins));
    parts.extend([
        Part::Mark(data),
        room::lan_end(begins).mac(Register(data.0 + 1)),
        Part::Constant(Register(data.0 + 3), room::side(begins).to_ne_bytes().to_vec()),
        // One that is known under a rule that ended would keep that rule's number.
        Part::TakeOut { set: talks(family), key: Register(0), data },
        put(family, FIRST),
        Part::Count(room::BEGUN.to_owned()),
        Part::Goto(name(ADMITTED)),
    ]);
    parts
}

/// The chain in which packets become known that begin a conversation.
pub(crate) const fn begin(family: Family, told: Told, begins: Begins) -> &'static str {
    use Begins::{Lan, Uplink};
    use Family::{V4, V6};
    match (family, told, begins) {
        (V4, Told::ByPorts, Lan) => "begin_v4_ports_lan",
        (V4, Told::ByPorts, Uplink) => "begin_v4_ports_uplink",
        (V4, Told::ByEcho, Lan) => "begin_v4_echo_lan",
        (V4, Told::ByEcho, Uplink) => "begin_v4_echo_uplink",
        (V4, Told::ByProtocol, Lan) => "begin_v4_protocol_lan",
        (V4, Told::ByProtocol, Uplink) => "begin_v4_protocol_uplink",
        (V6, Told::ByPorts, Lan) => "begin_v6_ports_lan",
        (V6, Told::ByPorts, Uplink) => "begin_v6_ports_uplink",
        (V6, Told::ByEcho, Lan) => "begin_v6_echo_lan",
        (V6, Told::ByEcho, Uplink) => "begin_v6_echo_uplink",
        (V6, Told::ByProtocol, Lan) => "begin_v6_protocol_lan",
        (V6, Told::ByProtocol, Uplink) => "begin_v6_protocol_uplink",
    }
}

/// A packet of a protocol without ports.
pub(crate) fn other_protocol() -> Vec<Part> {
    let mut parts = vec![Part::Protocol(SCRATCH)];
    for number in [protocol::TCP, protocol::UDP, protocol::ICMP, protocol::ICMP6] {
        parts.push(Part::Compare(SCRATCH, Is::Not, vec![number]));
    }
    parts
}

impl Talk {
    /// Reads a key of one of the two maps.
    pub(crate) fn of_key(set: Set, key: &[u8]) -> Option<Self> {
        let width = if set == Set::TalkV4 { 4 } else { 16 };
        let address = |at: usize| {
            let octets = key.get(at..at + width)?;
            let v4 = <[u8; 4]>::try_from(octets).ok().map(IpAddr::from);
            v4.or_else(|| <[u8; 16]>::try_from(octets).ok().map(IpAddr::from))
        };
        let port = |at: usize| Some(u16::from_be_bytes(*key.get(at..at + 2)?.first_chunk()?));
        Some(Self {
            lan: address(0)?,
            protocol: *key.get(width)?,
            lan_port: port(width + 4)?,
            far: address(width + 8)?,
            far_port: port(2 * width + 8)?,
        })
    }
}

impl Places {
    /// In a packet that travels from the side that `from` names.
    fn of(family: Family, told: Told, from: Begins) -> Self {
        let [source, destination] = [End::Source, End::Destination].map(|end| end.offset(family));
        let ports = match told {
            Told::ByPorts => [Some((Base::Transport, 0)), Some((Base::Transport, 2))],
            Told::ByEcho => [Some((Base::Transport, 4)), None],
            Told::ByProtocol => [None, None],
        };
        let [first, second] = ports;
        let network = |offset| (Base::Network, offset);
        match from {
            Begins::Lan => Self {
                lan: network(source),
                other: network(destination),
                lan_port: first,
                other_port: second,
                protocol: None,
            },
            // The identifier of an echo has one place, whoever sends it.
            Begins::Uplink if told == Told::ByEcho => Self {
                lan: network(destination),
                other: network(source),
                lan_port: first,
                other_port: second,
                protocol: None,
            },
            Begins::Uplink => Self {
                lan: network(destination),
                other: network(source),
                lan_port: second,
                other_port: first,
                protocol: None,
            },
        }
    }

    /// In the packet that an error repeats, which travelled the other way.
    fn of_error(family: Family, from: Begins) -> Self {
        let [source, destination] = [End::Source, End::Destination].map(|end| end.offset(family));
        let (header, protocol) = if family == Family::V4 { (20, 9) } else { (40, 6) };
        let at = |offset| (Base::Transport, 8 + offset);
        let (source, destination) = (at(source), at(destination));
        let (first, second) = (Some(at(header)), Some(at(header + 2)));
        let protocol = Some(at(protocol));
        match from {
            // An error from outside repeats what the LAN end sent.
            Begins::Uplink => Self { lan: source, other: destination, lan_port: first, other_port: second, protocol },
            Begins::Lan => Self { lan: destination, other: source, lan_port: second, other_port: first, protocol },
        }
    }
}

/// The types of errors that belong to a conversation.
fn errors(family: Family) -> Vec<u8> {
    match family {
        // Unreachable, time exceeded, parameter problem.
        Family::V4 => vec![3, 11, 12],
        // The same, and too big.
        Family::V6 => vec![1, 2, 3, 4],
    }
}

/// Of IPv4 only a repeated header without options, whose fields stand where they are looked for.
fn inner_header(family: Family) -> Vec<Part> {
    match family {
        Family::V4 => vec![
            Part::Load { base: Base::Transport, offset: 8, len: 1, to: SCRATCH },
            Part::Compare(SCRATCH, Is::Equal, vec![0x45]),
        ],
        Family::V6 => vec![],
    }
}

/// Loads a conversation's key into the first registers.
fn key(family: Family, places: Places) -> Vec<Part> {
    let width = width(family);
    let words = width / 4;
    let load = |(base, offset): (Base, u32), len, at| Part::Load { base, offset, len, to: Register(at) };
    let port = |place: Option<(Base, u32)>, at| match place {
        Some(place) => load(place, 2, at),
        None => Part::Constant(Register(at), vec![0; 4]),
    };
    let protocol = match places.protocol {
        Some(place) => load(place, 1, words),
        None => Part::Protocol(Register(words)),
    };
    vec![
        load(places.lan, width, 0),
        protocol,
        port(places.lan_port, words + 1),
        load(places.other, width, words + 2),
        port(places.other_port, 2 * words + 2),
    ]
}

/// The first register behind the key, where what the key stands for begins: the rule's number, then whose the conversation is.
const fn data(family: Family) -> Register {
    match family {
        Family::V4 => Register(5),
        Family::V6 => Register(11),
    }
}

const fn talks(family: Family) -> Set {
    match family {
        Family::V4 => Set::TalkV4,
        Family::V6 => Set::TalkV6,
    }
}

/// Goes on if the conversation is known and its rule alive.
fn lookup(family: Family, places: Places) -> Vec<Part> {
    let (set, data) = (talks(family), data(family));
    [key(family, places), vec![Part::Get(set, Register(0), data), Part::In(Set::Live, data)]].concat()
}

fn pass(family: Family, places: Places, lasts: Span) -> Vec<Part> {
    [lookup(family, places), vec![put(family, lasts), Part::Accept]].concat()
}

fn put(family: Family, lasts: Span) -> Part {
    Part::Put { set: talks(family), key: Register(0), data: Some(data(family)), millis: lasts.micros() / 1_000 }
}

/// The first of several fragments: more follow, and nothing came before.
fn first_fragment(family: Family) -> Vec<Part> {
    let (mask, value) = match family {
        Family::V4 => (0x3fff_u16, 0x2000_u16),
        Family::V6 => (0xfff9, 0x0001),
    };
    fragment(family, mask, Is::Equal, value)
}

/// A fragment that begins sixteen octets into its packet or later.
fn later_fragment(family: Family) -> Vec<Part> {
    let (mask, value) = match family {
        Family::V4 => (0x1fff_u16, 2_u16),
        Family::V6 => (0xfff8, 2 << 3),
    };
    fragment(family, mask, Is::AtLeast, value)
}

/// A packet whose offset and flags of fragments are such.
fn fragment(family: Family, mask: u16, is: Is, value: u16) -> Vec<Part> {
    let (mut parts, offset) = match family {
        Family::V4 => (vec![], 6),
        Family::V6 => {
            let next = Part::Load { base: Base::Network, offset: 6, len: 1, to: SCRATCH };
            (vec![next, Part::Compare(SCRATCH, Is::Equal, vec![FRAGMENT_HEADER])], 42)
        }
    };
    parts.push(Part::Load { base: Base::Network, offset, len: 2, to: SCRATCH });
    parts.push(Part::Mask(SCRATCH, mask.to_be_bytes().to_vec()));
    parts.push(Part::Compare(SCRATCH, is, value.to_be_bytes().to_vec()));
    parts
}

const fn fragments(family: Family) -> Set {
    match family {
        Family::V4 => Set::FragmentsV4,
        Family::V6 => Set::FragmentsV6,
    }
}

/// Loads what the fragments of one packet share: both addresses and the identification.
fn fragment_key(family: Family) -> Vec<Part> {
    let words = width(family) / 4;
    let (offset, len) = if family == Family::V4 { (4, 2) } else { (44, 4) };
    vec![
        End::Source.address(family, Register(0)),
        End::Destination.address(family, Register(words)),
        Part::Load { base: Base::Network, offset, len, to: Register(2 * words) },
    ]
}

fn note_fragments(family: Family) -> Vec<Part> {
    let (set, millis) = (fragments(family), FRAGMENTS.micros() / 1_000);
    [fragment_key(family), vec![Part::Put { set, key: Register(0), data: None, millis }]].concat()
}

/// Later fragments pass behind their first.
fn later_fragments(family: Family) -> Vec<Part> {
    let noted = vec![Part::In(fragments(family), Register(0)), Part::Accept];
    [is_family(family), later_fragment(family), fragment_key(family), noted].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_its_conversation_and_cut_anywhere_as_none() {
        let key = [10, 0, 0, 5, 6, 0, 0, 0, 0x1f, 0x90, 0, 0, 203, 0, 113, 7, 1, 187, 0, 0];
        let talk = Talk::of_key(Set::TalkV4, &key).unwrap();
        assert_eq!((talk.lan, talk.lan_port), ("10.0.0.5".parse().unwrap(), 8080));
        assert_eq!((talk.far, talk.far_port, talk.protocol), ("203.0.113.7".parse().unwrap(), 443, 6));
        for len in 0..18 {
            assert_eq!(Talk::of_key(Set::TalkV4, &key[..len]), None, "{len}");
        }
    }
}
