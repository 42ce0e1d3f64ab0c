//! Signs of an infection: single ones are nobody's shame, several together are told.

use std::net::{IpAddr, Ipv4Addr};

use features::Sign;
use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, never_found};
use crate::frames::{self, ACK, End, PSH};

/// Above so many points a host is told.
const LIMIT: u32 = 13;
/// Each sign, how often it must be given, and its points.
const DEEDS: [(Sign, usize, u32); 17] = [
    (Sign::PostsToAddress, 2, 20),
    (Sign::ProgramFromAddress, 1, 20),
    (Sign::Program, 1, 10),
    (Sign::HttpOddPort, 1, 10),
    (Sign::PagelessPosts, 3, 15),
    (Sign::NoAgent, 2, 3),
    (Sign::OwnAddress, 1, 12),
    (Sign::UnnamedTls, 3, 10),
    (Sign::UnnamedTlsOddPort, 3, 20),
    (Sign::NotWeb, 2, 10),
    (Sign::RawOddPort, 1, 3),
    (Sign::DeadServers, 3, 10),
    (Sign::Irc, 1, 10),
    (Sign::IrcOddPort, 1, 13),
    (Sign::AgentlessProgram, 1, 15),
    (Sign::BareProgram, 1, 14),
    (Sign::KeptOpen, 1, 13),
];
/// How often the ends of a session take turns before it is a long and thin one.
const TURNS: usize = 20;
/// A TLS hello without a name.
const HELLO: [u8; 60] = {
    let mut hello = [0; 60];
    (hello[0], hello[1], hello[2], hello[4], hello[5], hello[8]) = (22, 3, 1, 55, 1, 51);
    hello
};

/// A host that DNS answers, and where: what it does counts from two minutes later on.
fn resolving(draw: &mut Draw) -> (End, End) {
    let (who, server) = (draw.host(), draw.host());
    let (port, id) = (draw.client_port(), draw.chance.word(0..65_535));
    let question = frames::query(who, server, port, id, "www.example.org", 1);
    let answer = frames::answer_with(&question, server, who, port, Ipv4Addr::new(192, 0, 2, 80));
    let start = draw.start;
    draw.lan(start, question);
    draw.uplink(start + 900, answer);
    (who, server)
}

/// Does once what gives a sign; returns when its last frame is sent.
fn gives(draw: &mut Draw, sign: Sign, (who, dns): (End, End), at: u64) -> u64 {
    let server = draw.stranger();
    let named = |line: &str, rest: &str| format!("{line} HTTP/1.1\r\nHost: cdn.example.org\r\n{rest}\r\n").into_bytes();
    let bare = |line: &str| {
        let host = match server.ip {
            IpAddr::V4(a) => a.to_string(),
            IpAddr::V6(a) => format!("[{a}]"),
        };
        format!("{line} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: tool/1\r\n\r\n").into_bytes()
    };
    let odd = draw.chance.pick(&[447, 449, 1_443, 4_143, 8_447, 50_001]);
    let high = draw.chance.pick(&[1_604, 2_404, 3_460, 5_552, 54_984]);
    let (port, words): (u16, Vec<u8>) = match sign {
        Sign::PostsToAddress => (draw.chance.pick(&[80, 8080]), bare("POST /in.php")),
        Sign::ProgramFromAddress => {
            (80, bare(draw.chance.pick(&["GET /a/Update.exe?x=1", "GET /z.dll", "GET /run.PS1"])))
        }
        Sign::Program => (80, named("GET /setup.exe", "User-Agent: tool/1\r\n")),
        Sign::HttpOddPort => (odd, named("GET /", "User-Agent: tool/1\r\n")),
        Sign::PagelessPosts => (80, named("POST /gate", "User-Agent: Mozilla/5.0 (X11)\r\n")),
        Sign::NoAgent => (80, named("GET /", "")),
        Sign::UnnamedTls => (443, HELLO.to_vec()),
        Sign::UnnamedTlsOddPort => (odd, HELLO.to_vec()),
        Sign::NotWeb => (draw.chance.pick(&[80, 443]), vec![0x17, 0x42, 9, 9]),
        Sign::RawOddPort => (high, vec![0x2c, 1, 0, 0, 0]),
        Sign::KeptOpen => return keeps(draw, at, (who, server), high, TURNS, [16, 40], [10, 60]),
        Sign::Irc => (194, b"NICK me\r\nUSER a 0 * :b\r\n".to_vec()),
        // Below the ports at which an unknown protocol is a sign of its own.
        Sign::IrcOddPort => (odd.min(449), b"NICK me\r\nUSER a 0 * :b\r\n".to_vec()),
        Sign::AgentlessProgram => (80, named("GET /setup.exe", "")),
        Sign::BareProgram => {
            let stage = draw.chance.pick(&[&b"MZ\xe8\0\0\0\0[RE"[..], b"\0\xb4\x0b\0MZARUH\x89"]);
            return draw.talk(at, who, server, 449, &[(true, b"?".to_vec()), (false, stage.to_vec())]);
        }
        Sign::OwnAddress => {
            let name = draw.chance.pick(&["api.ipify.org", "icanhazip.com", "ip-api.com", "checkip.amazonaws.com"]);
            let (port, id) = (draw.client_port(), draw.chance.word(0..65_535));
            draw.lan(at, frames::query(who, dns, port, id, name, 1));
            return at;
        }
        Sign::DeadServers => {
            let ports = (draw.client_port(), draw.chance.pick(&[80, 443, 8080]));
            draw.lan(at, frames::tcp(who, server, ports, frames::SYN, 0, b""));
            return at;
        }
    };
    draw.talk(at, who, server, port, &[(true, words), (false, b"ok\r\n".to_vec())])
}

/// Keeps a session of an unknown protocol open in which the ends take turns: so many, so many seconds apart, of so many octets. Returns when
/// the last is over.
fn keeps(
    draw: &mut Draw,
    at: u64,
    (who, server): (End, End),
    port: u16,
    turns: usize,
    [soon, late]: [u64; 2],
    [little, much]: [usize; 2],
) -> u64 {
    let ports = (draw.client_port(), port);
    let back = (ports.1, ports.0);
    draw.lan(at, frames::tcp(who, server, ports, frames::SYN, 0, b""));
    draw.lan(at + 200, frames::tcp(server, who, back, frames::SYN | ACK, 0, b""));
    draw.lan(at + 400, frames::tcp(who, server, ports, ACK, 1, b""));
    let (mut at, mut seq) = (at + 600, [1, 1]);
    for turn in 0..turns {
        let way = turn % 2;
        let words = vec![0x2c; draw.chance.count(little..much)];
        let (from, to, ports) = if way == 0 { (who, server, ports) } else { (server, who, back) };
        if turn > 0 {
            at += draw.chance.within(soon * SECOND..late * SECOND);
        }
        draw.lan(at, frames::tcp(from, to, ports, PSH | ACK, seq[way], &words));
        seq[way] += words.len() as u32;
    }
    at
}

/// Gives signs in a drawn order as long as their points stay within the limit; then, if `cross`, one more.
fn suspicious(draw: &mut Draw, cross: bool) -> (End, u64) {
    let (who, dns) = resolving(draw);
    let mut deeds = DEEDS.to_vec();
    draw.chance.shuffle(&mut deeds);
    // What unnamed TLS at odd ports is, is unnamed TLS too, and its points hold both; likewise what is kept open.
    let twin = [Sign::UnnamedTls, Sign::UnnamedTlsOddPort];
    for twin in [twin, [Sign::RawOddPort, Sign::KeptOpen]] {
        let first_twin = deeds.iter().position(|deed| twin.contains(&deed.0)).unwrap_or(0);
        let second_twin = deeds.iter().rposition(|deed| twin.contains(&deed.0)).unwrap_or(0);
        if first_twin < second_twin {
            deeds.remove(second_twin);
        }
    }
    let (mut at, mut last, mut points) = (draw.start + 130 * SECOND, 0, 0);
    for (sign, times, worth) in deeds {
        let crosses = points + worth > LIMIT;
        if crosses && !cross {
            continue;
        }
        for _ in 0..times {
            last = gives(draw, sign, (who, dns), at);
            at = last + draw.chance.within(2 * SECOND..40 * SECOND);
        }
        points += worth;
        if crosses {
            break;
        }
    }
    (who, last)
}

#[test]
fn few_signs_of_an_infection_are_nobodys_shame() {
    never_found("signs, few", Family::C2, |draw| {
        suspicious(draw, false);
    });
}

#[test]
fn several_signs_of_an_infection_are_told() {
    always_found("signs, several", |draw| {
        let (who, at) = suspicious(draw, true);
        Crossing { host: who.key(), families: vec![Family::C2], at }
    });
}

/// A session of an unknown protocol, as `keeps` has it, and requests that do not say what sends them, which are little by themselves.
fn steered(draw: &mut Draw, port: u16, turns: usize, seconds: [u64; 2], octets: [usize; 2]) -> (End, u64) {
    let (who, dns) = resolving(draw);
    let server = draw.stranger();
    let mut at = draw.start + 130 * SECOND;
    for _ in 0..2 {
        at = gives(draw, Sign::NoAgent, (who, dns), at) + SECOND;
    }
    (who, keeps(draw, at, (who, server), port, turns, seconds, octets))
}

#[test]
fn sessions_that_are_short_or_fat_or_at_known_ports_give_no_orders() {
    never_found("sessions, short or fat", Family::C2, |draw| {
        let port = draw.chance.pick(&[2_404, 5_552]);
        match draw.chance.within(0..4) {
            0 => steered(draw, port, TURNS - 1, [20, 60], [10, 60]),
            1 => steered(draw, port, 200, [0, 1], [10, 60]),
            2 => steered(draw, port, 60, [10, 40], [900, 1_400]),
            _ => {
                let port = draw.chance.pick(&[1_194, 1_883, 5_222, 5_432, 5_938, 6_900, 27_030]);
                steered(draw, port, 60, [10, 40], [10, 60])
            }
        };
    });
}

#[test]
fn a_long_thin_session_in_an_unknown_protocol_is_no_proof() {
    never_found("sessions, alone", Family::C2, |draw| {
        let (who, _) = resolving(draw);
        let (server, at) = (draw.stranger(), draw.start + 130 * SECOND);
        keeps(draw, at, (who, server), 2_404, 60, [16, 60], [10, 60]);
    });
}

#[test]
fn a_long_thin_session_besides_other_signs_gives_orders() {
    always_found("sessions, long and thin", |draw| {
        let port = draw.chance.pick(&[2_404, 5_552]);
        let (who, at) = steered(draw, port, TURNS, [16, 60], [10, 60]);
        Crossing { host: who.key(), families: vec![Family::C2], at }
    });
}
