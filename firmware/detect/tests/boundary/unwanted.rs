//! What a host that serves somebody else does: it carries data in pings, delivers mail, works for a mining pool, looks for its
//! master under names that do not exist, tries protocols and passwords here and there.

use std::net::Ipv4Addr;

use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, never_found, never_high};
use crate::frames::{self, End};

const MINUTE: u64 = 60 * SECOND - 1;
const TEN_MINUTES: u64 = 600 * SECOND - 1;

fn octets(draw: &mut Draw, len: usize) -> Vec<u8> {
    (0..len).map(|_| draw.chance.count(0..256) as u8).collect()
}

/// Pings of which so many are answered with something else; the others are answered as they should, or not at all.
fn pings(draw: &mut Draw, other: usize, all: usize) -> (End, End, u64) {
    let (who, target) = (draw.host(), draw.host());
    let id = draw.chance.word(0..65_535);
    let constant = draw.chance.percent(30);
    let mut answers = vec![true; other];
    answers.resize(all, false);
    draw.chance.shuffle(&mut answers);
    let (moments, mut last) = (draw.moments(all, SECOND, MINUTE - SECOND), 0);
    for (n, (at, other)) in moments.iter().zip(answers).enumerate() {
        let number = (id, if constant { 0 } else { n as u16 });
        let len = draw.chance.count(16..600);
        let asked = octets(draw, len);
        draw.lan(*at, frames::echo_with(false, who, target, number, &asked));
        let later = *at + 1;
        if other {
            let len = draw.chance.count(16..600);
            let answer = octets(draw, len);
            draw.uplink(later, frames::echo_with(true, target, who, number, &answer));
            last = later;
        } else if draw.chance.percent(80) {
            // Some servers cut long answers short.
            let kept = if draw.chance.percent(20) { len.min(64) } else { len };
            draw.uplink(later, frames::echo_with(true, target, who, number, &asked[..kept]));
        }
    }
    (who, target, last)
}

#[test]
fn five_answers_to_pings_that_carry_something_else_are_no_tunnel() {
    never_high("pings, 5 others", |draw| {
        let all = draw.chance.count(5..60);
        pings(draw, 5, all);
    });
}

#[test]
fn who_pings_is_not_to_blame_for_what_it_is_answered() {
    always_found("pings, answered with something else", |draw| {
        let (who, target) = (draw.host(), draw.host());
        let (id, len) = (draw.chance.word(0..65_535), draw.chance.count(16..200));
        let mut sent = octets(draw, len);
        let mut last = 0;
        for (n, at) in draw.moments(30, 20 * SECOND, MINUTE - SECOND).into_iter().enumerate() {
            let stamp = octets(draw, 16);
            sent[..16].copy_from_slice(&stamp);
            draw.lan(at, frames::echo_with(false, who, target, (id, n as u16), &sent));
            let other = octets(draw, len);
            draw.uplink(at + 1, frames::echo_with(true, target, who, (id, n as u16), &other));
            if n == 6 {
                last = at + 1;
            }
        }
        draw.innocent(who);
        Crossing { host: target.key(), families: vec![Family::IcmpTunnel], at: last }
    });
}

#[test]
fn echoes_of_one_number_that_are_answered_as_they_should_be_are_no_tunnel() {
    never_high("pings, twins", |draw| {
        let (who, target) = (draw.host(), draw.host());
        let number = (draw.chance.word(0..65_535), draw.chance.word(0..9));
        for at in draw.moments(20, SECOND, MINUTE - SECOND) {
            let twins = [0, 1].map(|_| octets(draw, 100));
            for (n, twin) in (0..).zip(&twins) {
                draw.lan(at + n, frames::echo_with(false, who, target, number, twin));
                draw.uplink(at + 100 + n, frames::echo_with(true, target, who, number, twin));
            }
        }
    });
}

#[test]
fn a_script_that_logs_in_at_many_servers_and_does_little_is_no_spray() {
    never_high("ssh everywhere", |draw| {
        let who = draw.host();
        for at in draw.moments(25, 30 * SECOND, 280 * SECOND) {
            let target = draw.host();
            let says = [
                (false, b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
                (true, b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
                (true, octets(draw, 1_400)),
                (false, octets(draw, 1_100)),
                (true, octets(draw, 900)),
                (false, octets(draw, 900)),
            ];
            draw.talk(at, who, target, 22, &says);
        }
    });
}

#[test]
fn many_answers_to_one_question_count_once() {
    never_found("missing domains, one question", Family::Dga, |draw| {
        let (who, server) = (draw.host(), draw.host());
        let (port, start) = (draw.client_port(), draw.start);
        draw.lan(start, frames::query(who, server, port, 1, "first.com", 1));
        for n in 0..60 {
            let question = frames::query(who, server, port, n, &format!("master{n}.com"), 1);
            draw.uplink(start + 1 + u64::from(n) * SECOND, frames::answer(&question, server, who, port, 3));
        }
    });
}

#[test]
fn answers_that_nobody_asked_for_are_no_algorithm() {
    never_found("missing domains, not asked for", Family::Dga, |draw| {
        let (who, server) = (draw.host(), draw.host());
        for (n, at) in draw.moments(60, SECOND, TEN_MINUTES - SECOND).into_iter().enumerate() {
            let port = draw.client_port();
            let question = frames::query(who, server, port, n as u16, &format!("master{n}.com"), 1);
            draw.uplink(at, frames::answer(&question, server, who, port, 3));
        }
    });
}

#[test]
fn pings_of_several_programs_that_are_answered_late_are_no_tunnel() {
    never_high("pings, late answers", |draw| {
        let (who, target) = (draw.host(), draw.host());
        let programs: Vec<(u16, Vec<u8>)> = (0..3)
            .map(|_| {
                let len = draw.chance.count(0..600);
                (draw.chance.word(0..65_535), octets(draw, len))
            })
            .collect();
        for (n, at) in draw.moments(300, 20 * SECOND, MINUTE).into_iter().enumerate() {
            let (id, mut sent) = draw.chance.pick(&programs);
            let stamp = octets(draw, sent.len().min(16));
            sent[..stamp.len()].copy_from_slice(&stamp);
            draw.lan(at, frames::echo_with(false, who, target, (id, n as u16), &sent));
            let late = at + draw.chance.within(1..5 * SECOND);
            draw.uplink(late, frames::echo_with(true, target, who, (id, n as u16), &sent));
        }
    });
}

#[test]
fn six_answers_to_pings_that_carry_something_else_are_a_tunnel_at_its_client() {
    always_found("pings, 6 others", |draw| {
        let all = draw.chance.count(6..60);
        let (who, _, at) = pings(draw, 6, all);
        Crossing { host: who.key(), families: vec![Family::IcmpTunnel], at }
    });
}

#[test]
fn six_answers_to_pings_that_carry_something_else_are_a_tunnel_at_its_server() {
    always_found("pings, 6 others, server", |draw| {
        let all = draw.chance.count(6..60);
        let (_, server, at) = pings(draw, 6, all);
        Crossing { host: server.key(), families: vec![Family::IcmpTunnel], at }
    });
}

/// So many protocols that are neither TCP, UDP nor usual, among usual ones.
fn protocols(draw: &mut Draw, n: usize) -> (End, u64) {
    let (who, target) = (draw.host(), draw.host());
    let mut unusual: Vec<u8> =
        (61..=250).filter(|p| ![88, 89, 103, 112, 115, 132, 135, 139, 140].contains(p)).collect();
    draw.chance.shuffle(&mut unusual);
    let moments = draw.moments(n, SECOND / 100, MINUTE);
    for (at, protocol) in moments.iter().zip(unusual) {
        for _ in 0..draw.chance.count(1..4) {
            draw.lan(*at, frames::of_protocol(who, target, protocol));
        }
        let usual = draw.chance.pick(&[47, 50, 89, 112]);
        draw.lan(*at, frames::of_protocol(who, target, usual));
    }
    (who, moments[n - 1])
}

#[test]
fn eight_ip_protocols_are_no_scan() {
    never_high("protocols, 8", |draw| {
        protocols(draw, 8);
    });
}

#[test]
fn nine_ip_protocols_in_a_minute_are_a_scan() {
    always_found("protocols, 9", |draw| {
        let (who, at) = protocols(draw, 9);
        Crossing { host: who.key(), families: vec![Family::PortScanProtocol], at }
    });
}

/// So many refused log-ins, at so many targets in turn and never more than five at one.
fn sprays(draw: &mut Draw, n: usize, targets: usize) -> (End, u64) {
    let who = draw.host();
    let targets: Vec<End> = (0..targets).map(|_| draw.host()).collect();
    let (moments, mut last) = (draw.moments(n, 30 * SECOND, 280 * SECOND), 0);
    for (at, target) in moments.iter().zip(targets.iter().cycle()) {
        let says = [
            (false, b"220 ready\r\n".to_vec()),
            (true, b"PASS Winter2026\r\n".to_vec()),
            (false, b"530 Login incorrect.\r\n".to_vec()),
        ];
        last = draw.talk(*at, who, *target, 21, &says);
    }
    (who, last)
}

#[test]
fn ten_log_ins_refused_at_many_targets_are_no_spray() {
    never_high("spray, 10", |draw| {
        let targets = draw.chance.count(3..11);
        sprays(draw, 10, targets);
    });
}

#[test]
fn eleven_log_ins_refused_at_three_targets_or_more_are_a_spray() {
    always_found("spray, 11", |draw| {
        let targets = draw.chance.count(3..12);
        let (who, at) = sprays(draw, 11, targets);
        Crossing { host: who.key(), families: vec![Family::BruteForceSpray], at }
    });
}

/// A host asks for so many domains that do not exist, now and then for one of them again.
fn missing(draw: &mut Draw, n: usize, spread: bool) -> (End, u64) {
    missing_among(draw, n, spread, 0)
}

/// The same, and besides for so many domains for each of them that do exist.
fn missing_among(draw: &mut Draw, n: usize, spread: bool, existing: usize) -> (End, u64) {
    let (who, server) = (draw.host(), draw.host());
    let moments = draw.moments(n, SECOND, TEN_MINUTES - SECOND);
    // A resolver takes another port for each question.
    let first_port = draw.chance.word(20_000..60_000);
    let mut at = 0;
    for (number, moment) in moments.iter().enumerate() {
        let letters: String = (0..draw.chance.count(6..18))
            .map(|_| char::from(draw.chance.pick(b"abcdefghijklmnopqrstuvwxyz")))
            .collect();
        let name = if spread { format!("{letters}{number}.com") } else { format!("{letters}{number}.example.com") };
        for times in 0..draw.chance.count(1..3) {
            let (port, id) = (first_port + (2 * number + times) as u16, draw.chance.word(0..65_535));
            let question = frames::query(who, server, port, id, &name, 1);
            let answer = frames::answer(&question, server, who, port, 3);
            draw.lan(*moment + times as u64, question);
            draw.uplink(*moment + times as u64 + 500, answer);
        }
        for other in 0..existing {
            let (port, id) = (draw.client_port(), draw.chance.word(0..65_535));
            let question = frames::query(who, server, port, id, &format!("www.{letters}{other}.net"), 1);
            let answer = frames::answer_with(&question, server, who, port, Ipv4Addr::new(198, 18, 7, 7));
            draw.lan(*moment + 10, question);
            draw.uplink(*moment + 700, answer);
        }
        at = *moment + 500;
    }
    (who, at)
}

#[test]
fn domains_that_a_filter_denies_among_others_are_no_algorithms() {
    never_found("missing domains, filter", Family::Dga, |draw| {
        let n = draw.chance.count(21..55);
        missing_among(draw, n, true, 2);
    });
}

#[test]
fn more_missing_domains_than_existing_ones_are_an_algorithms() {
    always_found("missing domains, among others", |draw| {
        let n = draw.chance.count(22..50);
        let (who, at) = missing_among(draw, n, true, 1);
        Crossing { host: who.key(), families: vec![Family::Dga], at }
    });
}

#[test]
fn twenty_missing_domains_are_a_list_of_dead_links() {
    never_found("missing domains, 20", Family::Dga, |draw| {
        missing(draw, 20, true);
    });
}

#[test]
fn many_missing_names_of_one_domain_are_one_domain() {
    never_found("missing names of one domain", Family::Dga, |draw| {
        missing(draw, 60, false);
    });
}

#[test]
fn twenty_one_missing_domains_in_ten_minutes_are_an_algorithms() {
    always_found("missing domains, 21", |draw| {
        let (who, at) = missing(draw, 21, true);
        Crossing { host: who.key(), families: vec![Family::Dga], at }
    });
}

/// What a client says to a server, and whether it is a miner.
fn says_to_pool(draw: &mut Draw, miner: bool) -> (End, u64) {
    let (who, pool) = (draw.host(), draw.host());
    let port = draw.chance.pick(&[3333, 4444, 8332, 14_444, 443]);
    let line: &[u8] = if miner {
        draw.chance.pick(&[
            &b"{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": [\"cgminer/4.1\"]}\n"[..],
            b"{\"params\": [\"worker.1\", \"x\"], \"id\": 2, \"method\": \"mining.authorize\"}\n",
            b"{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":\"48x\",\"pass\":\"x\"}}\n",
        ])
    } else {
        draw.chance.pick(&[
            &b"{\"id\": 1, \"method\": \"getstatus\", \"params\": []}\n"[..],
            b"{\"method\":\"login\",\"user\":\"bob\"}\n",
            b"POST /login HTTP/1.1\r\nHost: x\r\n\r\n{\"method\":\"mining.subscribe\"}",
        ])
    };
    let start = draw.start;
    let at =
        draw.talk(start, who, pool, port, &[(true, line.to_vec()), (false, b"{\"id\":1,\"result\":true}\n".to_vec())]);
    (who, at)
}

#[test]
fn other_words_in_json_are_no_mining() {
    never_found("json, no miner", Family::Cryptomining, |draw| {
        says_to_pool(draw, false);
    });
}

#[test]
fn a_miners_first_words_are_found() {
    always_found("json, a miner", |draw| {
        let (who, at) = says_to_pool(draw, true);
        Crossing { host: who.key(), families: vec![Family::Cryptomining], at }
    });
}

/// Mail delivered to so many servers, to some of them again.
fn delivers(draw: &mut Draw, servers: usize) -> (End, u64) {
    let who = draw.host();
    let moments = draw.moments(servers, 60 * SECOND, TEN_MINUTES - 60 * SECOND);
    let mut last = 0;
    for at in &moments {
        let server = draw.host();
        let says =
            [(false, b"220 mail\r\n".to_vec()), (true, b"EHLO x\r\n".to_vec()), (false, b"250 hello\r\n".to_vec())];
        let over = draw.talk(*at, who, server, 25, &says);
        if draw.chance.percent(30) {
            draw.talk(over + 1_000, who, server, 25, &says);
        }
        last = *at;
    }
    (who, last)
}

#[test]
fn mail_to_twenty_servers_is_no_spam() {
    never_found("mail servers, 20", Family::SpamSending, |draw| {
        delivers(draw, 20);
    });
}

#[test]
fn mail_to_twenty_one_servers_in_ten_minutes_is_told() {
    always_found("mail servers, 21", |draw| {
        let (who, at) = delivers(draw, 21);
        Crossing { host: who.key(), families: vec![Family::SpamSending], at }
    });
}
