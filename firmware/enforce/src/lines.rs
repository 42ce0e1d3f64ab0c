//! The lines of a policy's plan to rules of the kernel.

use std::ffi::CString;
use std::net::IpAddr;

use policy::{Family, Line, Match, NAMED_AT_ALL, Network, Ports, RuleNumber, Then};

use crate::layout::Set;
use crate::part::{Base, End, Is, Part, Rate, Register, SCRATCH, is_ethertype, is_family, is_protocol, width};
use crate::talk;

/// The group of the kernel's log by which denied packets are told.
pub const DENIED_GROUP: u16 = 0x5069;
/// How many of a rule's denied packets are told each second, and at once.
const TOLD: Rate = Rate { per_second: 20, burst: 20 };
/// How much of each is told, in octets.
const TOLD_OCTETS: u32 = 128;

/// The rules that one line makes.
pub(crate) fn rules(line: &Line) -> Vec<Vec<Part>> {
    let matches: Vec<Part> = line.matches.iter().flat_map(parts).collect();
    let with = |then: Vec<Part>| [matches.clone(), then].concat();
    match &line.then {
        Then::Admit { number, counter, told, family, begins } => {
            vec![with(talk::admit(*number, Part::Count(name(counter)), *told, *family, *begins))]
        }
        Then::Pass { counter } => {
            let count = counter.iter().map(|counter| Part::Count(name(counter)));
            vec![with(count.chain([Part::Accept]).collect())]
        }
        Then::Drop { counter, rule, number } => {
            let words = name(&words(rule));
            let tell = vec![Part::Few(TOLD), Part::Tell { group: DENIED_GROUP, words, octets: TOLD_OCTETS }];
            let drop = vec![Part::Count(name(counter)), Part::Drop];
            let alive = number.map(alive).unwrap_or_default();
            vec![with([alive.clone(), tell].concat()), with([alive, drop].concat())]
        }
        Then::Jump(chain) => vec![with(vec![Part::Jump(name(chain))])],
    }
}

/// The words under which a rule's denied packets are told.
fn words(rule: &str) -> String {
    // The kernel takes 127 octets.
    let mut end = rule.len().min(120);
    while !rule.is_char_boundary(end) {
        end -= 1;
    }
    rule[..end].to_owned()
}

/// A name for the kernel, which ends at the first zero octet.
pub(crate) fn name(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

fn alive(number: RuleNumber) -> Vec<Part> {
    vec![Part::Constant(SCRATCH, number.0.to_ne_bytes().to_vec()), Part::In(Set::Live, SCRATCH)]
}

fn parts(one: &Match) -> Vec<Part> {
    match *one {
        Match::EtherType(kind) => is_ethertype(kind),
        Match::Family(family) => is_family(family),
        Match::ToMac(mac) => {
            vec![End::Destination.mac(SCRATCH), Part::Compare(SCRATCH, Is::Equal, mac.octets().to_vec())]
        }
        Match::From(of) => address(of, End::Source),
        Match::To(of) => address(of, End::Destination),
        Match::FromGlobal(family) => global(family, End::Source),
        Match::ToGlobal(family) => global(family, End::Destination),
        Match::ToServer(family) => {
            let set = if family == Family::V4 { Set::ServersV4 } else { Set::ServersV6 };
            [is_family(family), vec![End::Destination.key(set), Part::In(set, SCRATCH)]].concat()
        }
        Match::ToOther(family) => {
            let set = if family == Family::V4 { Set::ServersV4 } else { Set::ServersV6 };
            [is_family(family), vec![End::Destination.key(set), Part::NotIn(set, SCRATCH)]].concat()
        }
        Match::ToNamed(family, number) => told(family, number, Part::In),
        Match::ToUnnamed(family) => told(family, NAMED_AT_ALL, Part::NotIn),
        Match::Protocol(number) => is_protocol(number),
        Match::OtherProtocol => talk::other_protocol(),
        Match::FromPorts(ports) => within(ports, 0),
        Match::ToPorts(ports) => within(ports, 2),
        Match::IcmpTypes(first, last) => {
            let load = Part::Load { base: Base::Transport, offset: 0, len: 1, to: SCRATCH };
            let bounds = [(Is::AtLeast, first), (Is::AtMost, last)];
            let compare = bounds.map(|(is, bound)| Part::Compare(SCRATCH, is, vec![bound]));
            if first == last {
                vec![load, Part::Compare(SCRATCH, Is::Equal, vec![first])]
            } else {
                [vec![load], compare.to_vec()].concat()
            }
        }
    }
}

/// A packet to an address that the sending device was told, or was not, under a number.
fn told(family: Family, number: RuleNumber, is: fn(Set, Register) -> Part) -> Vec<Part> {
    let set = if family == Family::V4 { Set::NamedV4 } else { Set::NamedV6 };
    let key = vec![
        End::Source.mac(Register(0)),
        End::Destination.address(family, Register(2)),
        Part::Constant(Register(2 + width(family) / 4), number.0.to_ne_bytes().to_vec()),
        is(set, Register(0)),
    ];
    [is_family(family), key].concat()
}

/// A packet whose end is one of these addresses.
fn address(of: Network, end: End) -> Vec<Part> {
    let (family, octets) = match of.address() {
        IpAddr::V4(a) => (Family::V4, a.octets().to_vec()),
        IpAddr::V6(a) => (Family::V6, a.octets().to_vec()),
    };
    let mut parts = is_family(family);
    if of.prefix() == 0 {
        return parts;
    }
    parts.push(end.address(family, SCRATCH));
    if of != Network::host(of.address()) {
        parts.push(Part::Mask(SCRATCH, of.mask()));
    }
    parts.push(Part::Compare(SCRATCH, Is::Equal, octets));
    parts
}

/// A packet whose end is on the internet: of IPv4 what is not set aside, of IPv6 2000::/3.
fn global(family: Family, end: End) -> Vec<Part> {
    let parts = match family {
        Family::V4 => vec![end.address(family, SCRATCH), Part::NotIn(Set::LocalV4, SCRATCH)],
        Family::V6 => vec![
            Part::Load { base: Base::Network, offset: end.offset(family), len: 1, to: SCRATCH },
            Part::Mask(SCRATCH, vec![0xe0]),
            Part::Compare(SCRATCH, Is::Equal, vec![0x20]),
        ],
    };
    [is_family(family), parts].concat()
}

fn within(ports: Ports, offset: u32) -> Vec<Part> {
    let mut parts = vec![Part::Load { base: Base::Transport, offset, len: 2, to: SCRATCH }];
    let bound = |is, port: u16| Part::Compare(SCRATCH, is, port.to_be_bytes().to_vec());
    if ports.first() == ports.last() {
        parts.push(bound(Is::Equal, ports.first()));
    } else {
        parts.extend([bound(Is::AtLeast, ports.first()), bound(Is::AtMost, ports.last())]);
    }
    parts
}
