//! The lines of a policy's plan to rules of the kernel.

use std::ffi::CString;

use policy::{Family, Line, Match, Network, Ports, RuleNumber, Then};

use crate::layout::Set;
use crate::part::{Base, Is, Part, Register, SCRATCH};
use crate::talk::{self, is_family, is_protocol};

/// The group of the kernel's log by which denied packets are told.
pub const DENIED_GROUP: u16 = 0x5069;
/// How many of a rule's denied packets are told each second, and at once.
const TOLD: (u64, u32) = (20, 20);
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
            let (per_second, burst) = TOLD;
            let words = name(&words(rule));
            let tell =
                vec![Part::Few { per_second, burst }, Part::Tell { group: DENIED_GROUP, words, octets: TOLD_OCTETS }];
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
    let network = |offset, len| Part::Load { base: Base::Network, offset, len, to: SCRATCH };
    match *one {
        Match::EtherType(kind) => {
            vec![Part::EtherType(SCRATCH), Part::Compare(SCRATCH, Is::Equal, kind.to_be_bytes().to_vec())]
        }
        Match::Family(family) => is_family(family),
        Match::ToMac(mac) => vec![
            Part::Load { base: Base::Link, offset: 0, len: 6, to: SCRATCH },
            Part::Compare(SCRATCH, Is::Equal, mac.octets().to_vec()),
        ],
        Match::From(of) => address(of, 12, 8),
        Match::To(of) => address(of, 16, 24),
        Match::FromGlobal(Family::V4) => {
            [is_family(Family::V4), vec![network(12, 4), Part::NotIn(Set::LocalV4, SCRATCH)]].concat()
        }
        Match::ToGlobal(Family::V4) => {
            [is_family(Family::V4), vec![network(16, 4), Part::NotIn(Set::LocalV4, SCRATCH)]].concat()
        }
        Match::FromGlobal(Family::V6) => global_v6(8),
        Match::ToGlobal(Family::V6) => global_v6(24),
        Match::ToServer(Family::V4) => {
            [is_family(Family::V4), vec![network(16, 4), Part::In(Set::ServersV4, SCRATCH)]].concat()
        }
        Match::ToServer(Family::V6) => {
            [is_family(Family::V6), vec![network(24, 16), Part::In(Set::ServersV6, SCRATCH)]].concat()
        }
        Match::ToNamed(family, number) => {
            let (offset, len, set) = if family == Family::V4 { (16, 4, Set::NamedV4) } else { (24, 16, Set::NamedV6) };
            let key = vec![
                Part::Load { base: Base::Link, offset: 6, len: 6, to: Register(0) },
                Part::Load { base: Base::Network, offset, len, to: Register(2) },
                Part::Constant(Register(2 + len / 4), number.0.to_ne_bytes().to_vec()),
                Part::In(set, Register(0)),
            ];
            [is_family(family), key].concat()
        }
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

/// An address at an offset of IPv4's header, or at one of IPv6's.
fn address(of: Network, v4: u32, v6: u32) -> Vec<Part> {
    let octets = match of.address() {
        std::net::IpAddr::V4(a) => a.octets().to_vec(),
        std::net::IpAddr::V6(a) => a.octets().to_vec(),
    };
    let (family, offset) = if octets.len() == 4 { (Family::V4, v4) } else { (Family::V6, v6) };
    let mut parts = is_family(family);
    if of.prefix() == 0 {
        return parts;
    }
    parts.push(Part::Load { base: Base::Network, offset, len: if octets.len() == 4 { 4 } else { 16 }, to: SCRATCH });
    if of != Network::host(of.address()) {
        parts.push(Part::Mask(SCRATCH, of.mask()));
    }
    parts.push(Part::Compare(SCRATCH, Is::Equal, octets));
    parts
}

/// 2000::/3 at an offset of IPv6's header.
fn global_v6(offset: u32) -> Vec<Part> {
    let parts = vec![
        Part::Load { base: Base::Network, offset, len: 1, to: SCRATCH },
        Part::Mask(SCRATCH, vec![0xe0]),
        Part::Compare(SCRATCH, Is::Equal, vec![0x20]),
    ];
    [is_family(Family::V6), parts].concat()
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
