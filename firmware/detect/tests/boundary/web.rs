//! Web servers: pages that are not there, requests without a pause, requests without an end.

use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, never_found, never_high};
use crate::frames::{self, ACK, End, PSH, SYN};

const REQUEST: &[u8] = b"GET /index.html HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: tool/1\r\n\r\n";

/// Asks for so many pages that are not there, and for some that are, within a minute; returns when the last was answered.
fn searches(draw: &mut Draw, missing: usize) -> (End, u64) {
    let (who, server) = (draw.host(), draw.host());
    let port = draw.chance.pick(&[80, 8080, 8000, 5000]);
    let mut last = 0;
    for at in draw.moments(missing, 10 * SECOND, 58 * SECOND) {
        let answer: &[u8] =
            draw.chance.pick(&[&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], b"HTTP/1.1 403 Forbidden\r\n\r\n"]);
        last = draw.talk(at, who, server, port, &[(true, REQUEST.to_vec()), (false, answer.to_vec())]);
        if draw.chance.percent(20) {
            let found = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n404".to_vec();
            draw.talk(at + 7, who, server, port, &[(true, REQUEST.to_vec()), (false, found)]);
        }
    }
    (who, last)
}

#[test]
fn thirty_missing_pages_are_a_broken_site() {
    never_found("missing pages, 30", Family::VulnerabilityScan, |draw| {
        searches(draw, 30);
    });
}

#[test]
fn thirty_one_missing_pages_are_a_search() {
    always_found("missing pages, 31", |draw| {
        let (who, at) = searches(draw, 31);
        Crossing { host: who.key(), families: vec![Family::VulnerabilityScan], at }
    });
}

/// Sends so many requests each second, for some seconds, over one conversation; returns the end of the first second.
fn hurries(draw: &mut Draw, per_second: usize) -> (End, u64) {
    let (who, server) = (draw.host(), draw.host());
    let (ports, seconds) = ((draw.client_port(), 80), draw.chance.within(2..4));
    let start = draw.start - SECOND;
    draw.lan(start, frames::tcp(who, server, ports, SYN, 0, b""));
    draw.lan(start + 200, frames::tcp(server, who, (ports.1, ports.0), SYN | ACK, 0, b""));
    draw.lan(start + 400, frames::tcp(who, server, ports, ACK, 1, b""));
    for (n, at) in draw.rate(per_second, seconds).into_iter().enumerate() {
        let seq = 1 + n as u32 * REQUEST.len() as u32;
        draw.lan(at, frames::tcp(who, server, ports, PSH | ACK, seq, REQUEST));
    }
    (who, draw.start + SECOND)
}

#[test]
fn two_hundred_requests_a_second_are_none() {
    never_high("requests, 200 a second", |draw| {
        hurries(draw, 200);
    });
}

#[test]
fn more_than_two_hundred_requests_a_second_are_a_flood() {
    always_found("requests, 230 a second", |draw| {
        let (who, at) = hurries(draw, 230);
        Crossing { host: who.key(), families: vec![Family::FloodHttp], at }
    });
}

/// Begins so many requests within a minute that it does not end, and some that it does.
fn lingers(draw: &mut Draw, open: usize) -> (End, u64) {
    let (who, server) = (draw.host(), draw.host());
    let mut last = 0;
    for at in draw.moments(open, 5 * SECOND, 50 * SECOND) {
        let begun = REQUEST[..draw.chance.count(18..REQUEST.len() - 2)].to_vec();
        last = draw.talk(at, who, server, 80, &[(true, begun)]);
        if draw.chance.percent(30) {
            draw.talk(at + 9, who, server, 80, &[(true, REQUEST.to_vec())]);
        }
    }
    (who, last)
}

#[test]
fn twenty_requests_without_an_end_are_none() {
    never_high("requests without an end, 20", |draw| {
        lingers(draw, 20);
    });
}

#[test]
fn twenty_one_requests_without_an_end_are_an_attack() {
    always_found("requests without an end, 21", |draw| {
        let (who, at) = lingers(draw, 21);
        Crossing { host: who.key(), families: vec![Family::SlowHttp], at }
    });
}
