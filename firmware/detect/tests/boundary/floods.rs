//! Floods: more than 100 ICMP messages, 200 half-open conversations or 2,000 unanswered datagrams a second from one host; more
//! than 500 a second towards one host from 20 and more.

use terms::{Family, Side};

use crate::draw::{Crossing, Draw, SECOND, always_found, never_found, never_high};
use crate::frames::{self, ACK, End, SYN};

const ICMP: usize = 100;
const SYNS: usize = 200;
const DATAGRAMS: usize = 2_000;
const VICTIM: usize = 500;

/// Moments of a flood: either one burst within 0.9 s, or the same count in every second for a while.
///
/// The second value is the crossing packet's: the last of the burst, or of the first full second.
fn flood(draw: &mut Draw, a_second: usize) -> (Vec<u64>, u64) {
    if draw.chance.percent(50) {
        let moments = draw.moments(a_second, SECOND / 10, 9 * SECOND / 10);
        let last = moments[a_second - 1];
        return (moments, last);
    }
    let seconds = draw.chance.within(2..4);
    let moments = draw.rate(a_second, seconds);
    let crossing = moments[a_second];
    (moments, crossing)
}

fn pings(draw: &mut Draw, a_second: usize) -> (End, u64) {
    let who = draw.host();
    let targets: Vec<End> = (0..draw.chance.count(1..6)).map(|_| draw.host()).collect();
    let (moments, crossing) = flood(draw, a_second);
    let (id, answered) = (draw.client_port(), draw.chance.percent(50));
    for (n, at) in moments.into_iter().enumerate() {
        let target = draw.chance.pick(&targets);
        draw.lan(at, frames::echo(who, target, id, n as u16));
        if answered {
            draw.lan(at + 150, frames::echo_reply(target, who, id, n as u16));
        }
    }
    (who, crossing)
}

#[test]
fn a_hundred_icmp_messages_a_second_are_no_flood() {
    never_high("icmp, 100 a second", |draw| {
        pings(draw, ICMP);
    });
}

#[test]
fn a_hundred_and_one_icmp_messages_a_second_are_a_flood() {
    always_found("icmp, 101 a second", |draw| {
        let (who, at) = pings(draw, ICMP + 1);
        Crossing { host: who.key(), families: vec![Family::FloodIcmp], at }
    });
}

/// Conversations that are opened and left so, at one service of one target.
fn half_open(draw: &mut Draw, a_second: usize) -> (End, u64) {
    let (who, target) = (draw.host(), draw.host());
    let services = draw.ports(3);
    let (moments, crossing) = flood(draw, a_second);
    let answered = draw.chance.percent(50);
    let first = draw.chance.word(20_000..40_000);
    for (n, at) in moments.into_iter().enumerate() {
        let ports = (first + n as u16, draw.chance.pick(&services));
        draw.lan(at, frames::tcp(who, target, ports, SYN, 9, b""));
        if answered {
            draw.lan(at + 90, frames::tcp(target, who, (ports.1, ports.0), SYN | ACK, 9, b""));
        }
    }
    (who, crossing)
}

#[test]
fn two_hundred_half_open_conversations_a_second_are_no_flood() {
    never_high("syn, 200 a second", |draw| {
        half_open(draw, SYNS);
    });
}

#[test]
fn two_hundred_and_one_half_open_conversations_a_second_are_a_flood() {
    always_found("syn, 201 a second", |draw| {
        let (who, at) = half_open(draw, SYNS + 1);
        Crossing { host: who.key(), families: vec![Family::FloodSyn], at }
    });
}

#[test]
fn conversations_that_are_completed_are_no_flood_however_many() {
    never_high("busy client", |draw| {
        let (who, target) = (draw.host(), draw.host());
        let n = draw.chance.count(SYNS + 1..3 * SYNS);
        for at in draw.rate(n, 2) {
            draw.talk(at, who, target, 443, &[(true, vec![0x71; 80]), (false, vec![0x70; 200])]);
        }
    });
}

/// Datagrams that nobody answers: ever new conversations, refused ones, or one stream.
fn datagrams(draw: &mut Draw, a_second: usize) -> (End, u64) {
    let (who, target) = (draw.host(), draw.host());
    let style = draw.chance.count(0..3);
    let service = draw.chance.word(1_024..20_000);
    let first = draw.chance.word(20_000..40_000);
    let (moments, crossing) = flood(draw, a_second);
    let begin = draw.start;
    if style == 1 {
        let ports = (first, service);
        let refused = frames::udp(who, target, ports, b"flood");
        draw.lan(begin, frames::unreachable(target, who, &refused));
    }
    for (n, at) in moments.into_iter().enumerate() {
        let port = if style == 0 { first + n as u16 % 25_000 } else { first };
        draw.lan(at, frames::udp(who, target, (port, service), &[0x66; 40]));
    }
    (who, crossing)
}

#[test]
fn two_thousand_unanswered_datagrams_a_second_are_no_flood() {
    never_high("udp, 2000 a second", |draw| {
        datagrams(draw, DATAGRAMS);
    });
}

#[test]
fn two_thousand_and_one_unanswered_datagrams_a_second_are_a_flood() {
    always_found("udp, 2001 a second", |draw| {
        let (who, at) = datagrams(draw, DATAGRAMS + 1);
        Crossing { host: who.key(), families: vec![Family::FloodUdp], at }
    });
}

/// Many hosts behind the router press one host, each with little.
fn pressed(draw: &mut Draw, a_second: usize, sources: usize) -> (End, Family, u64) {
    let (victim, router) = (draw.host(), draw.host());
    let sources: Vec<End> = (0..sources).map(|_| End { mac: router.mac, ..draw.host() }).collect();
    let (before, udp) = (draw.start.saturating_sub(SECOND / 2), draw.chance.percent(50));
    // A host is known by what it sends.
    draw.lan(before, frames::udp(victim, router, (40_000, 123), b"time?"));
    let moments = draw.rate(a_second, 3);
    let crossing = moments[a_second];
    for (n, at) in moments.into_iter().enumerate() {
        let from = sources[n % sources.len()];
        let port = 10_000 + (n / sources.len()) as u16;
        let frame = if udp {
            frames::udp(from, victim, (port, 9_000), b"flood")
        } else {
            frames::tcp(from, victim, (port, 9_000), SYN, 1, b"")
        };
        draw.on(Side::Uplink, at, frame);
    }
    (victim, if udp { Family::FloodUdp } else { Family::FloodSyn }, crossing)
}

#[test]
fn five_hundred_a_second_from_many_are_no_flood_and_neither_are_more_from_few() {
    never_high("victim, 500 a second", |draw| {
        let many = draw.chance.count(20..60);
        pressed(draw, VICTIM, many);
    });
    never_high("victim, few sources", |draw| {
        let (few, n) = (draw.chance.count(5..12), draw.chance.count(VICTIM + 1..900));
        pressed(draw, n, few);
    });
}

#[test]
fn more_than_five_hundred_a_second_from_many_are_a_flood_at_its_victim() {
    always_found("victim, 501 a second", |draw| {
        let many = draw.chance.count(40..90);
        let (victim, family, at) = pressed(draw, VICTIM + 1, many);
        Crossing { host: victim.key(), families: vec![family], at }
    });
}

/// Somebody asks a server here, of a service that is `known` for it or not, so often a second, as one who says to be `victim`, and is
/// answered with so many times as much.
fn answered(draw: &mut Draw, known: bool, a_second: usize, times: usize, victim: End) -> (End, u64) {
    let server = draw.host();
    let ports = if known { [123, 161, 389, 1_900, 11_211] } else { [443, 3_074, 6_881, 27_015, 51_820] };
    let (port, asks) = (draw.chance.pick(&ports), draw.chance.count(8..60));
    for at in draw.rate(a_second, 2) {
        let client = draw.client_port();
        draw.uplink(at, frames::udp(victim, server, (client, port), &vec![1; asks]));
        draw.lan(at + 300, frames::udp(server, victim, (port, client), &vec![2; asks * times]));
    }
    (server, draw.start + SECOND)
}

#[test]
fn answers_that_are_few_or_small_or_stay_here_amplify_nothing() {
    never_found("answers, few or small", Family::Amplification, |draw| {
        let (stranger, neighbor) = (draw.stranger(), draw.host());
        match draw.chance.within(0..4) {
            0 => answered(draw, true, 20, 20, stranger),
            1 => answered(draw, true, 200, 9, stranger),
            2 => answered(draw, true, 200, 20, neighbor),
            _ => answered(draw, false, 200, 20, stranger),
        };
    });
}

#[test]
fn large_answers_to_the_internet_without_end_are_amplified() {
    always_found("answers, 30 a second", |draw| {
        let (stranger, times) = (draw.stranger(), draw.chance.count(10..20));
        let (server, at) = answered(draw, true, 30, times, stranger);
        Crossing { host: server.key(), families: vec![Family::Amplification], at }
    });
}
