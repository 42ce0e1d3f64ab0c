//! What a device never did, and what it does every day.

use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, never_found};
use crate::frames::{self, ACK, End, PSH};

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
