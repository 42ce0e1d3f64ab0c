//! Sweeps: more than 20 hosts a minute, by one service, mostly unanswered.

use terms::Family;

use crate::draw::{Crossing, Draw, IN_TIME, SECOND, always_found, never_high};
use crate::frames::{self, ACK, End, PSH, RST, SYN};

const LIMIT: usize = 20;
const MINUTE: u64 = 60 * SECOND - 1;

/// How the targets are asked.
#[derive(Clone, Copy)]
enum By {
    Tcp(u16),
    Udp(u16),
    Icmp,
    Arp,
    Neighbor,
}

fn ask(draw: &mut Draw, at: u64, who: End, target: End, by: By, answers: bool) {
    let later = at + draw.chance.within(100..50_000);
    let port = draw.client_port();
    match by {
        By::Tcp(service) => {
            draw.lan(at, frames::tcp(who, target, (port, service), SYN, 1, b""));
            if answers {
                draw.lan(later, frames::tcp(target, who, (service, port), SYN | ACK, 1, b""));
                draw.lan(later + 50, frames::tcp(who, target, (port, service), RST, 2, b""));
            } else if draw.chance.percent(30) {
                draw.lan(later, frames::tcp(target, who, (service, port), RST | ACK, 0, b""));
            }
        }
        By::Udp(service) => {
            let question = frames::udp(who, target, (port, service), b"anybody?");
            if answers {
                draw.lan(later, frames::udp(target, who, (service, port), b"me"));
            } else if draw.chance.percent(30) {
                draw.lan(later, frames::unreachable(target, who, &question));
            }
            draw.lan(at, question);
        }
        By::Icmp => {
            draw.lan(at, frames::echo(who, target, port, 1));
            if answers {
                draw.lan(later, frames::echo_reply(target, who, port, 1));
            }
        }
        By::Neighbor => {
            draw.lan(at, frames::solicitation(who, target.ip));
            if answers {
                draw.lan(later, frames::neighbor_is_at(target, who, target.ip));
            }
        }
        By::Arp => {
            draw.lan(at, frames::who_has(who, target.ip));
            if answers {
                draw.lan(later, frames::is_at(target, who));
            }
        }
    }
}

/// Asks so many hosts within one minute, of which so many fail to answer.
fn sweep(draw: &mut Draw, by: By, targets: usize, failing: usize) -> (End, u64) {
    if matches!(by, By::Arp) {
        draw.only_v4();
    }
    if matches!(by, By::Neighbor) {
        draw.only_v6();
    }
    let who = draw.host();
    let moments = draw.moments(targets, 10_000, MINUTE);
    let mut answers = vec![false; failing];
    answers.resize(targets, true);
    draw.chance.shuffle(&mut answers);
    for (at, answers) in moments.iter().zip(answers) {
        let target = draw.host();
        ask(draw, *at, who, target, by, answers);
    }
    (who, moments[targets - 1])
}

fn below(name: &str, by: fn(&mut Draw) -> By) {
    never_high(name, |draw| {
        let by = by(draw);
        if draw.chance.percent(50) {
            let failing = draw.chance.count(0..LIMIT + 1);
            sweep(draw, by, LIMIT, failing);
        } else {
            // Many hosts, of which few are silent: a monitor.
            let (failing, targets) = (draw.chance.count(0..LIMIT / 2 + 1), draw.chance.count(LIMIT + 1..46));
            sweep(draw, by, targets, failing);
        }
    });
}

fn above(name: &str, family: Family, by: fn(&mut Draw) -> By) {
    always_found(name, |draw| {
        let by = by(draw);
        let failing = draw.chance.count(LIMIT / 2 + 1..LIMIT + 2);
        let (who, at) = sweep(draw, by, LIMIT + 1, failing);
        Crossing { host: who.key(), families: vec![family], at }
    });
}

fn tcp(draw: &mut Draw) -> By {
    By::Tcp(draw.chance.pick(&[21, 22, 23, 80, 443, 445, 3389, 8291]))
}

fn udp(draw: &mut Draw) -> By {
    By::Udp(draw.chance.pick(&[69, 123, 161, 1900, 5060]))
}

#[test]
fn twenty_hosts_asked_for_one_tcp_service_are_no_sweep() {
    below("tcp sweep, 20 hosts", tcp);
}

#[test]
fn twenty_one_hosts_asked_for_one_tcp_service_are_a_sweep() {
    above("tcp sweep, 21 hosts", Family::PortScanHorizontal, tcp);
}

#[test]
fn twenty_hosts_asked_for_one_udp_service_are_no_sweep() {
    below("udp sweep, 20 hosts", udp);
}

#[test]
fn twenty_one_hosts_asked_for_one_udp_service_are_a_sweep() {
    above("udp sweep, 21 hosts", Family::HostSweepUdp, udp);
}

#[test]
fn twenty_hosts_pinged_are_no_sweep() {
    below("icmp sweep, 20 hosts", |_| By::Icmp);
}

#[test]
fn twenty_one_hosts_pinged_are_a_sweep() {
    above("icmp sweep, 21 hosts", Family::HostSweepIcmp, |_| By::Icmp);
}

#[test]
fn twenty_addresses_asked_for_by_arp_are_no_sweep() {
    below("arp sweep, 20 addresses", |_| By::Arp);
}

#[test]
fn twenty_one_addresses_asked_for_by_arp_are_a_sweep() {
    above("arp sweep, 21 addresses", Family::ArpScan, |_| By::Arp);
}

#[test]
fn twenty_ipv6_neighbours_asked_for_are_no_sweep() {
    below("neighbour sweep, 20 addresses", |_| By::Neighbor);
}

#[test]
fn twenty_one_ipv6_neighbours_asked_for_are_a_sweep() {
    above("neighbour sweep, 21 addresses", Family::HostSweepIpv6, |_| By::Neighbor);
}

/// Sixty peers of one port on the internet that are mostly gone.
#[test]
fn peers_on_the_internet_that_are_gone_make_nobody_high() {
    never_high("tcp sweep, peers", |draw| {
        let who = draw.host();
        let port = draw.chance.pick(&[4_001, 6_881, 7_680, 8_333, 30_303]);
        for at in draw.moments(60, 20 * SECOND, MINUTE) {
            let peer = draw.stranger();
            ask(draw, at, who, peer, By::Tcp(port), false);
        }
    });
}

#[test]
fn hosts_of_which_no_minute_holds_more_than_twenty_are_no_sweep() {
    never_high("tcp sweep, slow", |draw| {
        let who = draw.host();
        let by = tcp(draw);
        for at in draw.apart(60, 3 * SECOND) {
            let target = draw.host();
            ask(draw, at, who, target, by, false);
        }
    });
}

/// Many conversations from before the first frame, of which the first thing seen is an ACK: the other end is heard before it, or soon
/// after.
#[test]
fn acknowledging_what_many_hosts_say_is_no_sweep() {
    never_high("acks of old conversations", |draw| {
        let who = draw.host();
        let (service, hosts) = (draw.chance.pick(&[22, 80, 443, 8883]), draw.chance.count(LIMIT + 1..60));
        for at in draw.moments(hosts, 10 * SECOND, MINUTE) {
            let (other, ports) = (draw.host(), (draw.client_port(), service));
            let word = frames::tcp(other, who, (ports.1, ports.0), PSH | ACK, 7, b"still here");
            let said = if draw.chance.percent(80) { at - 50 } else { at + draw.chance.within(50..2_000) };
            draw.lan(said, word);
            draw.lan(at, frames::tcp(who, other, ports, ACK, 9, b""));
        }
    });
}

/// No word of the others is needed: whoever says nothing has nothing to acknowledge.
#[test]
fn acknowledging_what_twenty_one_silent_hosts_never_said_is_a_sweep_at_once() {
    always_found("ack sweep, 21 hosts", |draw| {
        let who = draw.host();
        let service = draw.chance.pick(&[22, 80, 443, 3389]);
        let moments = draw.moments(LIMIT + 1, 5_000, MINUTE);
        for at in &moments {
            let (other, port) = (draw.host(), draw.client_port());
            draw.lan(*at, frames::tcp(who, other, (port, service), ACK, 9, b""));
        }
        // as late as may be is with the last of them
        let at = moments[LIMIT] - IN_TIME.micros();
        Crossing { host: who.key(), families: vec![Family::PortScanHorizontal], at }
    });
}
