//! What a device never did, and what it does every day.

use features::HashKey;
use features::listed::{List, Mark};
use terms::{Family, ThreatLevel, Timestamp};

use crate::draw::{Crossing, Draw, SECOND, always_found, always_high, never_found, never_high, never_twice};
use crate::frames::{self, ACK, End, PSH, SYN};
use crate::listed::hello;

const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
/// Octets of a frame as large as a link hands over.
const LARGE: u32 = 64_000;

/// A device of a bit more than a day: it talks to one server four times an hour. Returns it and the time after.
fn device(draw: &mut Draw) -> (End, u64) {
    draw.quiet();
    let (device, server) = (draw.host(), draw.host());
    let mut at = draw.start;
    let until = draw.start + 25 * HOUR + draw.chance.within(0..HOUR);
    while at < until {
        draw.talk(at, device, server, 8883, &[(true, vec![0xc0, 0]), (false, vec![0xd0, 0])]);
        at += 13 * MINUTE + draw.chance.within(0..4 * MINUTE);
    }
    (device, at)
}

/// Tries a way of administration at a neighbour; returns when.
fn administers(draw: &mut Draw, device: End, port: u16, at: u64) -> u64 {
    let neighbor = draw.host();
    draw.talk(at, device, neighbor, port, &[(true, b"hello".to_vec()), (false, b"no".to_vec())]);
    at
}

/// A way of administration.
fn a_way(draw: &mut Draw) -> u16 {
    draw.chance.pick(&[22, 23, 135, 445, 3389, 5900, 5985])
}

/// Lets the internet in, in one of its ways; returns when.
fn exposes(draw: &mut Draw, way: u8, device: End, at: u64) -> u64 {
    let (router, stranger) = (draw.host(), draw.stranger());
    let ports = (draw.client_port(), 5351);
    match way {
        0 => {
            let request = [0, draw.chance.pick(&[1, 2]), 0, 0, 0x1f, 0x90, 0x1f, 0x90, 0, 0, 0x0e, 0x10];
            draw.lan(at, frames::udp(device, router, ports, &request));
            at
        }
        1 => {
            let mut request = vec![2, 1, 0, 0, 0, 0, 0x1c, 0x20];
            request.extend([0; 52]);
            draw.lan(at, frames::udp(device, router, ports, &request));
            at
        }
        2 => {
            let words = b"POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: \"urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping\"\r\n\r\n";
            draw.talk(at, device, router, 80, &[(true, words.to_vec()), (false, b"HTTP/1.1 200 OK\r\n\r\n".to_vec())])
                + 1
        }
        _ => {
            let (there, back) = ((ports.0, 8_080), (8_080, ports.0));
            draw.uplink(at, frames::tcp(stranger, device, there, SYN, 0, b""));
            draw.lan(at + 300, frames::tcp(device, stranger, back, SYN | ACK, 0, b""));
            at + 300
        }
    }
}

/// Sends so many mebioctets within a few minutes; returns when the last octet left.
fn sends(draw: &mut Draw, device: End, mebioctets: u64, at: u64) -> u64 {
    let server = draw.host();
    let ports = (draw.client_port(), 443);
    let count = (mebioctets << 20).div_ceil(LARGE.into());
    let mut at = at;
    for _ in 0..count {
        draw.long(at, frames::tcp(device, server, ports, PSH | ACK, 1, &[0x17; 40]), LARGE);
        at += draw.chance.within(1_000..100_000);
    }
    at
}

/// The beginning of an hour after this moment.
fn next_hour(at: u64) -> u64 {
    at.next_multiple_of(HOUR) + MINUTE
}

#[test]
fn administration_as_on_the_first_day_is_none() {
    never_found("administration, a habit", Family::LateralMovement, |draw| {
        let way = a_way(draw);
        let (device, at) = device(draw);
        let first_day = draw.start + draw.chance.within(HOUR..20 * HOUR);
        administers(draw, device, way, first_day);
        administers(draw, device, way, at);
    });
}

#[test]
fn administration_that_a_device_never_did_is_told() {
    always_found("administration, new", |draw| {
        let way = a_way(draw);
        let (device, at) = device(draw);
        let at = administers(draw, device, way, at);
        Crossing { host: device.key(), families: vec![Family::LateralMovement], at }
    });
}

#[test]
fn letting_the_internet_in_as_on_the_first_day_is_none() {
    never_found("exposure, a habit", Family::Exposure, |draw| {
        let way = draw.chance.pick(&[0, 1, 2, 3]);
        let (device, at) = device(draw);
        let first_day = draw.start + draw.chance.within(HOUR..20 * HOUR);
        exposes(draw, way, device, first_day);
        exposes(draw, way, device, at);
    });
}

#[test]
fn letting_the_internet_in_as_never_before_is_told() {
    always_found("exposure, new", |draw| {
        let way = draw.chance.pick(&[0, 1, 2, 3]);
        let (device, at) = device(draw);
        let at = exposes(draw, way, device, at);
        Crossing { host: device.key(), families: vec![Family::Exposure], at }
    });
}

#[test]
fn whom_the_internet_only_tries_lets_nobody_in() {
    never_found("exposure, refused", Family::Exposure, |draw| {
        let (device, at) = device(draw);
        let stranger = draw.stranger();
        let ports = (draw.client_port(), 8_080);
        draw.uplink(at, frames::tcp(stranger, device, ports, SYN, 0, b""));
        draw.lan(at + 300, frames::tcp(device, stranger, (ports.1, ports.0), frames::RST | ACK, 0, b""));
        // And who asks for no time closes a port.
        let router = draw.host();
        draw.lan(
            at + SECOND,
            frames::udp(device, router, (ports.0, 5351), &[0, 2, 0, 0, 0x1f, 0x90, 0, 0, 0, 0, 0, 0]),
        );
    });
}

#[test]
fn a_busy_hour_like_those_before_is_none() {
    never_found("volume, a habit", Family::Exfiltration, |draw| {
        let (device, at) = device(draw);
        let (first_day, busy) = (next_hour(draw.start + 2 * HOUR), draw.chance.within(10..14));
        sends(draw, device, busy, first_day);
        let most = draw.chance.within(20..8 * busy);
        sends(draw, device, most, next_hour(at));
    });
}

#[test]
fn nine_times_the_busiest_hour_is_told() {
    always_found("volume, more than ever", |draw| {
        let (device, at) = device(draw);
        let (first_day, busy) = (next_hour(draw.start + 2 * HOUR), draw.chance.within(1..7));
        sends(draw, device, busy, first_day);
        let last = sends(draw, device, (9 * busy + 1).max(66), next_hour(at));
        // What a minute sent is known when it is over.
        let over = last.next_multiple_of(MINUTE) + SECOND;
        draw.talk(over, device, device, 8883, &[]);
        Crossing { host: device.key(), families: vec![Family::Exfiltration], at: over }
    });
}

#[test]
fn a_server_that_is_let_in_anew_is_told_once_an_hour_at_most() {
    never_twice("exposure, a new server", Family::Exposure, |draw| {
        let (device, at) = device(draw);
        // The day's step is taken by another way.
        exposes(draw, 0, device, at - HOUR - SECOND);
        for n in 0..200 {
            exposes(draw, 3, device, at + n * 17 * SECOND);
        }
    });
}

/// A device of more than a day speaks TLS with a server of a list that says Medium and administers a neighbour as it never did: short of High.
/// Returns it and when it does the last.
fn falls_short(draw: &mut Draw, client: [u8; 2]) -> (End, u64) {
    let greets = |client: u8| {
        let mut hello = hello("www.example.net");
        // The one cipher suite that it offers.
        hello[47] = client;
        vec![(true, hello), (false, vec![0x70; 300])]
    };
    let (device, at) = device(draw);
    let (known, listed) = (draw.stranger(), draw.stranger());
    draw.talk(draw.start + MINUTE, device, known, 443, &greets(client[0]));
    let mark = Mark { list: 3, level: ThreatLevel::Medium };
    let until = Timestamp::from_micros(at + HOUR);
    let bits = if listed.ip.is_ipv4() { 32 } else { 128 };
    draw.listed(List::new(mark, until, HashKey::FIXED, [(listed.ip, bits)].into_iter(), [].into_iter()));
    let at = draw.talk(at, device, listed, 443, &greets(client[1])) + SECOND;
    let way = a_way(draw);
    (device, administers(draw, device, way, at))
}

#[test]
fn a_tls_client_that_is_new_to_a_device_weighs_besides_others() {
    always_high(
        "a new client",
        |f| f.host_level,
        |draw| {
            let (device, at) = falls_short(draw, [1, 2]);
            Crossing { host: device.key(), families: vec![Family::LateralMovement], at }
        },
    );
    never_high("a known client", |draw| {
        falls_short(draw, [1, 1]);
    });
}

#[test]
fn a_tls_client_that_is_new_to_a_device_is_nothing_by_itself() {
    never_found("a new client, alone", Family::Anomaly, |draw| {
        let (device, at) = device(draw);
        let server = draw.stranger();
        draw.talk(at, device, server, 443, &[(true, hello("www.example.net")), (false, vec![0x70; 300])]);
    });
}
