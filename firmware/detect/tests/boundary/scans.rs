//! Port scans: more than 10 TCP (15 UDP) ports of one target a minute, mostly refused or unanswered.

use detect::Thresholds;
use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, always_found_with, never_found, never_high};
use crate::frames::{self, ACK, End, FIN, PSH, RST, SYN, URG};

const TCP_LIMIT: usize = 10;
const UDP_LIMIT: usize = 15;
/// The longest stretch in which everything is within one minute.
const MINUTE: u64 = 60 * SECOND - 1;

/// What comes back.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Open,
    Reset,
    Unreachable,
    Silence,
}

/// Answers for so many ports, of which so many fail, in any order.
fn answers(draw: &mut Draw, ports: usize, failing: usize) -> Vec<Answer> {
    let mut answers = vec![Answer::Open; ports - failing];
    let style = draw.chance.count(0..4);
    for _ in 0..failing {
        let any = [Answer::Reset, Answer::Silence, Answer::Unreachable];
        answers.push(if style < 3 { any[style] } else { draw.chance.pick(&any) });
    }
    draw.chance.shuffle(&mut answers);
    answers
}

/// Tries a TCP port: with SYN, or with a combination of flags that only scans send (those are never answered by an open port).
fn try_tcp(draw: &mut Draw, at: u64, who: End, target: End, port: u16, flags: u8, answer: Answer) {
    let ports = (draw.client_port(), port);
    let question = frames::tcp(who, target, ports, flags, 7, b"");
    let later = at + draw.chance.within(100..50_000);
    let back = (ports.1, ports.0);
    match answer {
        Answer::Open => {
            draw.lan(later, frames::tcp(target, who, back, SYN | ACK, 0, b""));
            draw.lan(later + 90, frames::tcp(who, target, ports, RST, 8, b""));
        }
        Answer::Reset => draw.lan(later, frames::tcp(target, who, back, RST | ACK, 0, b"")),
        Answer::Unreachable => draw.lan(later, frames::unreachable(target, who, &question)),
        Answer::Silence => {}
    }
    draw.lan(at, question);
}

fn try_udp(draw: &mut Draw, at: u64, who: End, target: End, port: u16, answer: Answer) {
    let ports = (draw.client_port(), port);
    let question = frames::udp(who, target, ports, b"hello");
    let later = at + draw.chance.within(100..50_000);
    match answer {
        Answer::Open => draw.lan(later, frames::udp(target, who, (ports.1, ports.0), b"yes")),
        Answer::Reset | Answer::Unreachable => draw.lan(later, frames::unreachable(target, who, &question)),
        Answer::Silence => {}
    }
    draw.lan(at, question);
}

/// Tries so many ports of one target within one minute; gives who did, and when the last was tried.
fn tcp_scan(draw: &mut Draw, ports: usize, failing: usize) -> (End, u64) {
    let (who, target) = (draw.host(), draw.host());
    let moments = draw.moments(ports, 1_000, MINUTE);
    let answers = answers(draw, ports, failing);
    // An open port answers a SYN only, so that a scan with other flags finds none.
    let flags = if failing == ports { draw.chance.pick(&[SYN, SYN, 0, FIN, FIN | PSH | URG, ACK]) } else { SYN };
    for ((port, at), answer) in draw.ports(ports).into_iter().zip(&moments).zip(answers) {
        try_tcp(draw, *at, who, target, port, flags, answer);
    }
    (who, moments[ports - 1])
}

fn udp_scan(draw: &mut Draw, ports: usize, failing: usize) -> (End, u64) {
    let (who, target) = (draw.host(), draw.host());
    let moments = draw.moments(ports, 1_000, MINUTE);
    let answers = answers(draw, ports, failing);
    for ((port, at), answer) in draw.ports(ports).into_iter().zip(&moments).zip(answers) {
        try_udp(draw, *at, who, target, port, answer);
    }
    (who, moments[ports - 1])
}

#[test]
fn ten_ports_of_one_target_that_fail_are_no_scan() {
    never_high("tcp scan, 10 ports", |draw| {
        let failing = draw.chance.count(0..TCP_LIMIT + 1);
        tcp_scan(draw, TCP_LIMIT, failing);
    });
}

#[test]
fn many_ports_of_one_target_of_which_few_fail_are_no_scan() {
    never_high("tcp scan, mostly answered", |draw| {
        let failing = draw.chance.count(0..TCP_LIMIT / 2 + 1);
        let ports = draw.chance.count(TCP_LIMIT + 1..31);
        tcp_scan(draw, ports, failing);
    });
}

#[test]
fn ports_of_which_no_minute_holds_more_than_ten_are_no_scan() {
    never_high("tcp scan, slow", |draw| {
        let (who, target) = (draw.host(), draw.host());
        let moments = draw.apart(30, 6 * SECOND);
        let answers = answers(draw, 30, 30);
        for ((port, at), answer) in draw.ports(30).into_iter().zip(moments).zip(answers) {
            try_tcp(draw, at, who, target, port, SYN, answer);
        }
    });
}

#[test]
fn eleven_ports_of_one_target_that_mostly_fail_are_a_scan() {
    always_found("tcp scan, 11 ports", |draw| {
        let failing = draw.chance.count(TCP_LIMIT / 2 + 1..TCP_LIMIT + 2);
        let (who, at) = tcp_scan(draw, TCP_LIMIT + 1, failing);
        Crossing { host: who.key(), families: vec![Family::PortScanVertical], at }
    });
}

#[test]
fn a_port_tried_again_is_still_one_port() {
    never_high("tcp scan, again and again", |draw| {
        let (who, target) = (draw.host(), draw.host());
        let ports = draw.ports(TCP_LIMIT);
        let moments = draw.moments(60, SECOND, MINUTE);
        for at in moments {
            let port = draw.chance.pick(&ports);
            let answer = draw.chance.pick(&[Answer::Reset, Answer::Silence]);
            try_tcp(draw, at, who, target, port, SYN, answer);
        }
    });
}

#[test]
fn fifteen_udp_ports_that_fail_are_no_scan() {
    never_high("udp scan, 15 ports", |draw| {
        let failing = draw.chance.count(0..UDP_LIMIT + 1);
        udp_scan(draw, UDP_LIMIT, failing);
    });
}

#[test]
fn many_udp_ports_of_which_few_fail_are_no_scan() {
    never_high("udp scan, mostly answered", |draw| {
        let failing = draw.chance.count(0..UDP_LIMIT / 2 + 1);
        let ports = draw.chance.count(UDP_LIMIT + 1..31);
        udp_scan(draw, ports, failing);
    });
}

#[test]
fn sixteen_udp_ports_that_mostly_fail_are_a_scan() {
    always_found("udp scan, 16 ports", |draw| {
        let failing = draw.chance.count(UDP_LIMIT / 2 + 2..UDP_LIMIT + 2);
        let (who, at) = udp_scan(draw, UDP_LIMIT + 1, failing);
        Crossing { host: who.key(), families: vec![Family::PortScanUdp], at }
    });
}

/// Tries distinct ports of several targets, all of which answer.
fn answered_everywhere(draw: &mut Draw, ports: usize) -> (End, u64) {
    let who = draw.host();
    let targets: Vec<End> = (0..draw.chance.count(3..6)).map(|_| draw.host()).collect();
    let moments = draw.moments(ports, SECOND, MINUTE);
    for (n, (port, at)) in draw.ports(ports).into_iter().zip(&moments).enumerate() {
        try_tcp(draw, *at, who, targets[n % targets.len()], port, SYN, Answer::Open);
    }
    (who, moments[ports - 1])
}

#[test]
fn ports_over_all_targets_that_answer_never_make_high_alone() {
    never_high("plain count, as shipped", |draw| {
        let ports = draw.chance.count(TCP_LIMIT + 1..31);
        answered_everywhere(draw, ports);
    });
}

#[test]
fn without_require_refused_the_plain_count_over_all_targets_is_found() {
    let plain = Thresholds { require_refused: false, ..Thresholds::default() };
    always_found_with("plain count, asked for", plain, |draw| {
        let (who, at) = answered_everywhere(draw, TCP_LIMIT + 1);
        Crossing { host: who.key(), families: vec![Family::PortScanVertical], at }
    });
}

#[test]
fn a_silence_counts_when_it_is_due_however_late_the_next_frame_comes() {
    always_found("tcp scan, the last port silent", |draw| {
        let (who, target) = (draw.host(), draw.host());
        let moments = draw.moments(TCP_LIMIT + 1, 20 * SECOND, MINUTE);
        for (port, at) in draw.ports(TCP_LIMIT + 1).into_iter().zip(&moments) {
            try_tcp(draw, *at, who, target, port, SYN, Answer::Silence);
        }
        draw.quiet();
        Crossing { host: who.key(), families: vec![Family::PortScanVertical], at: moments[TCP_LIMIT] }
    });
}

/// Tries so many different ports of a few hosts within an hour, never many in a minute.
fn slowly(draw: &mut Draw, asks: usize) -> (End, u64) {
    draw.quiet();
    let who = draw.host();
    let targets: Vec<End> = (0..draw.chance.count(1..4)).map(|_| draw.host()).collect();
    let ports = draw.ports(asks);
    let mut last = 0;
    for (at, port) in draw.apart(asks, 55 * SECOND).into_iter().zip(ports) {
        let target = draw.chance.pick(&targets);
        let client = draw.client_port();
        draw.lan(at, frames::tcp(who, target, (client, port), SYN, 0, b""));
        last = at + draw.chance.within(100..5_000);
        draw.lan(last, frames::tcp(target, who, (port, client), RST | ACK, 0, b""));
    }
    (who, last)
}

#[test]
fn fifty_failing_ports_an_hour_are_none() {
    never_found("slow scan, 50", Family::PortScanSlow, |draw| {
        slowly(draw, 50);
    });
}

#[test]
fn fifty_one_failing_ports_an_hour_are_a_slow_scan() {
    always_found("slow scan, 51", |draw| {
        let (who, at) = slowly(draw, 51);
        Crossing { host: who.key(), families: vec![Family::PortScanSlow], at }
    });
}
