//! Indicators: who has to do with what is on a list is told at once, as the list says, and nobody else is.

use std::net::IpAddr;

use features::HashKey;
use features::listed::{List, Mark};
use terms::{Family, ThreatLevel, Timestamp};
use wire::ja4::Ja4;

use crate::draw::{Crossing, Draw, SECOND, always_found, never_found, never_high};
use crate::frames::{self, End};

const NAME: &str = "bad.example.org";

/// A list of the network of an address and of [`NAME`], in force for a minute more.
fn list(draw: &mut Draw, level: ThreatLevel, address: IpAddr) {
    let bits = match address {
        IpAddr::V4(_) => draw.chance.count(24..33),
        IpAddr::V6(_) => draw.chance.count(112..129),
    };
    let mark = Mark { list: 3, level };
    let until = Timestamp::from_micros(draw.start + 60 * SECOND);
    let networks = [(address, u8::try_from(bits).expect("a prefix"))].into_iter();
    draw.listed(List::new(mark, until, HashKey::FIXED, networks, [NAME].into_iter()));
}

/// A ClientHello that names a server.
pub fn hello(name: &str) -> Vec<u8> {
    let name = [&[0][..], &(name.len() as u16).to_be_bytes(), name.as_bytes()].concat();
    let names = [&(name.len() as u16).to_be_bytes()[..], &name].concat();
    let extension = [&[0, 0][..], &(names.len() as u16).to_be_bytes(), &names].concat();
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend((extension.len() as u16).to_be_bytes());
    body.extend(extension);
    let head = [22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8];
    [&head[..], &body].concat()
}

fn request(name: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {name}\r\nUser-Agent: tool/1\r\n\r\n").into_bytes()
}

/// Speaks with a server, to which it says a name, in one of two ways; returns the last moment.
fn visits(draw: &mut Draw, at: u64, who: End, server: End, name: &str) -> u64 {
    let (port, words) = if draw.chance.percent(50) { (443, hello(name)) } else { (80, request(name)) };
    draw.talk(at, who, server, port, &[(true, words), (false, vec![0x70; 300])])
}

#[test]
fn a_conversation_with_what_is_listed_is_told_as_its_list_says() {
    for level in [ThreatLevel::Medium, ThreatLevel::High] {
        always_found("listed, an address", |draw| {
            let (who, server) = (draw.host(), draw.stranger());
            list(draw, level, server.ip);
            let at = draw.start;
            if draw.chance.percent(50) {
                draw.lan(at, frames::udp(who, server, (40_000, 1_234), b"hello"));
            } else {
                visits(draw, at, who, server, "www.example.net");
            }
            Crossing { host: who.key(), families: vec![Family::Listed], at }
        });
    }
}

#[test]
fn who_is_listed_and_comes_from_the_internet_is_told_itself() {
    always_found("listed, it comes", |draw| {
        let (who, server) = (draw.stranger(), draw.host());
        list(draw, ThreatLevel::High, who.ip);
        draw.innocent(server);
        let at = draw.start;
        draw.uplink(at, frames::tcp(who, server, (40_000, 22), frames::SYN, 0, b""));
        Crossing { host: who.key(), families: vec![Family::Listed], at }
    });
}

#[test]
fn a_listed_name_in_the_first_words_is_told() {
    always_found("listed, a name", |draw| {
        let (who, server, other) = (draw.host(), draw.stranger(), draw.stranger());
        list(draw, ThreatLevel::High, other.ip);
        let below = draw.chance.pick(&["", "www.", "a.b.c."]);
        let at = draw.start;
        let last = visits(draw, at, who, server, &format!("{below}{NAME}"));
        Crossing { host: who.key(), families: vec![Family::Listed], at: last }
    });
}

/// Asks the name server for a name.
fn asks(draw: &mut Draw, name: &str) -> (End, u64) {
    let (who, server, port, id) = (draw.host(), draw.host(), draw.client_port(), draw.chance.word(0..65_535));
    let at = draw.start;
    draw.lan(at, frames::query(who, server, port, id, name, 1));
    (who, at)
}

#[test]
fn a_question_for_a_listed_name_is_told_and_never_high() {
    let listed = |draw: &mut Draw| {
        let other = draw.stranger();
        list(draw, ThreatLevel::High, other.ip);
    };
    always_found("listed, a question", |draw| {
        listed(draw);
        let (who, at) = asks(draw, "WWW.bad.example.org");
        Crossing { host: who.key(), families: vec![Family::Listed], at }
    });
    never_high("listed, only a question", |draw| {
        listed(draw);
        asks(draw, NAME);
    });
}

#[test]
fn what_lies_beside_a_listed_network_or_name_is_nothing() {
    never_found("listed, beside it", Family::Listed, |draw| {
        let (who, server) = (draw.host(), draw.stranger());
        let beside = match server.ip {
            IpAddr::V4(a) => IpAddr::from((a.to_bits() ^ 0x100).to_be_bytes()),
            IpAddr::V6(a) => IpAddr::from((a.to_bits() ^ 0x1_0000).to_be_bytes()),
        };
        list(draw, ThreatLevel::High, beside);
        let at = draw.start;
        visits(draw, at, who, server, "notbad.example.org");
        asks(draw, "example.org");
    });
}

#[test]
fn a_list_that_is_over_says_nothing() {
    never_found("listed, until a minute later", Family::Listed, |draw| {
        let (who, server) = (draw.host(), draw.stranger());
        list(draw, ThreatLevel::High, server.ip);
        let at = draw.start + 60 * SECOND;
        visits(draw, at, who, server, NAME);
    });
}

#[test]
fn addresses_of_the_network_itself_are_never_looked_for() {
    never_found("listed, an own address", Family::Listed, |draw| {
        let (who, server) = (draw.host(), draw.host());
        list(draw, ThreatLevel::High, server.ip);
        let at = draw.start;
        visits(draw, at, who, server, "www.example.net");
    });
}

#[test]
fn a_tls_client_that_is_listed_is_told_and_another_is_not() {
    let list = |draw: &mut Draw, client: &[u8]| {
        let mark = Mark { list: 3, level: ThreatLevel::Medium };
        let until = Timestamp::from_micros(draw.start + 60 * SECOND);
        let client = Ja4::of_hello(client).expect("a hello has a fingerprint");
        let list = List::new(mark, until, HashKey::FIXED, [].into_iter(), [].into_iter());
        draw.listed(list.with_clients([client].into_iter()));
    };
    always_found("listed, a client", |draw| {
        let (who, server, at) = (draw.host(), draw.stranger(), draw.start);
        list(draw, &hello("www.example.com"));
        draw.talk(at, who, server, 443, &[(true, hello("www.example.net")), (false, vec![0x70; 300])]);
        Crossing { host: who.key(), families: vec![Family::Listed], at }
    });
    never_found("listed, another client", Family::Listed, |draw| {
        let (who, server, at) = (draw.host(), draw.stranger(), draw.start);
        let mut other = hello("www.example.com");
        other[46] = 2;
        list(draw, &other);
        draw.talk(at, who, server, 443, &[(true, hello("www.example.net")), (false, vec![0x70; 300])]);
    });
}
