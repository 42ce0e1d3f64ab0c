//! Signs of an infection: single ones are nobody's shame, several together are told.

use std::net::{IpAddr, Ipv4Addr};

use features::Sign;
use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, always_high, never_found, never_high_itself};
use crate::frames::{self, ACK, End, PSH};

/// Above so many points a host is told.
const LIMIT: u32 = 13;
/// Each sign, how often it must be given, and its points; but for what is tried on and on, which is hardly one.
const DEEDS: [(Sign, usize, u32); 20] = [
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
    (Sign::AgentlessDownload, 1, 11),
    (Sign::AgentlessToMany, 4, 15),
    (Sign::DynamicName, 1, 8),
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
        Sign::AgentlessDownload => {
            let again = draw.talk(at, who, server, 80, &[(true, named("GET /a", ""))]) + SECOND;
            return fetches(draw, again, (who, server), "application/octet-stream", 47);
        }
        Sign::AgentlessToMany => (80, named("POST /iz/", "")),
        // Hardly a sign: what it is besides others is told below.
        Sign::KeptTrying => return tries(draw, at, (who, server), 8, [43, 90]),
        Sign::DynamicName => {
            let name = draw.chance.pick(&["me.duckdns.org", "box.ddns.net", "a.b.hopto.org"]);
            let (port, id) = (draw.client_port(), draw.chance.word(0..65_535));
            let question = frames::query(who, dns, port, id, name, if server.ip.is_ipv4() { 1 } else { 28 });
            let answer = frames::answer_with(&question, dns, who, port, server.ip);
            draw.lan(at, question);
            draw.uplink(at + 900, answer);
            return draw.talk(at + SECOND, who, server, high, &[(true, vec![0x2c, 1, 0, 0, 0])]);
        }
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

/// Fetches so many segments of 1,400 octets of a media type by HTTP and does not say what fetches them. Returns when the last is over.
fn fetches(draw: &mut Draw, at: u64, (who, server): (End, End), media: &str, segments: usize) -> u64 {
    let mut says = vec![(true, b"GET /sego HTTP/1.1\r\nHost: cdn.example.org\r\n\r\n".to_vec())];
    says.push((false, format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\n\r\n").into_bytes()));
    says.extend((0..segments).map(|_| (false, vec![0x9e; 1_400])));
    draw.talk(at, who, server, 80, &says)
}

/// Tries a server so often, so many seconds apart, which never answers. Returns when it does for the last time.
fn tries(draw: &mut Draw, at: u64, (who, server): (End, End), times: usize, [soon, late]: [u64; 2]) -> u64 {
    let (mut last, port) = (at, draw.chance.pick(&[80, 443, 8080]));
    for n in 0..times {
        if n > 0 {
            last += draw.chance.within(soon * SECOND..late * SECOND);
        }
        let ports = (draw.client_port(), port);
        // A question that nobody answers is repeated.
        for later in [0, SECOND, 3 * SECOND] {
            draw.lan(last + later, frames::tcp(who, server, ports, frames::SYN, 0, b""));
        }
    }
    last
}

/// Gives signs in a drawn order as long as their points stay within the limit; then, if `cross`, one more.
fn suspicious(draw: &mut Draw, cross: bool) -> (End, u64) {
    let (who, dns) = resolving(draw);
    let mut deeds = DEEDS.to_vec();
    draw.chance.shuffle(&mut deeds);
    // What unnamed TLS at odd ports is, is unnamed TLS too, and its points hold both; likewise what is kept open.
    let twin = [Sign::UnnamedTls, Sign::UnnamedTlsOddPort];
    // Who sends without saying what sends gives two signs, and who speaks an unknown protocol with a dynamic name.
    let twins = [
        twin,
        [Sign::RawOddPort, Sign::KeptOpen],
        [Sign::RawOddPort, Sign::DynamicName],
        [Sign::KeptOpen, Sign::DynamicName],
        [Sign::NoAgent, Sign::AgentlessToMany],
        [Sign::NoAgent, Sign::AgentlessDownload],
        [Sign::AgentlessToMany, Sign::AgentlessDownload],
    ];
    for twin in twins {
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

/// Posts as a browser from no page to one server, and asks what its address is: two signs, in so many spans of so many minutes.
fn persists(draw: &mut Draw, spans: u64, minutes: u64) -> (End, u64) {
    draw.quiet();
    let (who, dns) = resolving(draw);
    let mut last = draw.start + 130 * SECOND;
    let begins = last;
    for span in 0..spans {
        let mut at = begins + span * (minutes * 60 + 30) * SECOND;
        for sign in [Sign::OwnAddress, Sign::PagelessPosts, Sign::PagelessPosts, Sign::PagelessPosts] {
            last = gives(draw, sign, (who, dns), at);
            at = last + draw.chance.within(SECOND..4 * SECOND);
        }
    }
    (who, last)
}

#[test]
fn an_infection_that_shows_in_three_spans_of_ten_minutes_is_high() {
    always_high(
        "signs, three spans",
        |f| f.level,
        |draw| {
            let minutes = draw.chance.within(10..100);
            let (who, at) = persists(draw, 3, minutes);
            Crossing { host: who.key(), families: vec![Family::C2], at }
        },
    );
}

#[test]
fn an_infection_that_shows_in_two_spans_is_not_yet_high() {
    never_high_itself("signs, two spans", |draw| {
        let minutes = draw.chance.within(10..100);
        persists(draw, 2, minutes);
    });
}

#[test]
fn what_small_old_devices_do_all_day_is_never_high() {
    never_high_itself("signs, small devices", |draw| {
        draw.quiet();
        let (who, dns) = resolving(draw);
        let (gone, mut at) = (draw.stranger(), draw.start + 130 * SECOND);
        for _ in 0..4 {
            at = gives(draw, Sign::AgentlessDownload, (who, dns), at) + 60 * SECOND;
            at = tries(draw, at, (who, gone), 8, [43, 90]) + 60 * SECOND;
        }
    });
}

#[test]
fn films_and_pages_are_no_downloads_of_a_program() {
    never_found("downloads of films", Family::C2, |draw| {
        draw.quiet();
        let (who, dns) = resolving(draw);
        let server = draw.stranger();
        let mut at = gives(draw, Sign::Program, (who, dns), draw.start + 130 * SECOND) + SECOND;
        for media in ["video/mp4", "text/html", "application/json"] {
            // Two requests are not enough to be seen without an agent.
            at = fetches(draw, at, (who, server), media, 60) + 3_601 * SECOND;
        }
    });
}

#[test]
fn a_gone_server_that_is_tried_on_and_on_is_told_besides_others() {
    always_high(
        "signs, a gone server",
        |f| f.level,
        |draw| {
            draw.quiet();
            let (who, dns) = resolving(draw);
            let at = gives(draw, Sign::AgentlessProgram, (who, dns), draw.start + 130 * SECOND) + SECOND;
            // Each attempt from the eighth on tells it once more: three spans, the first of which the program began.
            let gone = draw.stranger();
            let at = tries(draw, at, (who, gone), 50, [43, 60]);
            Crossing { host: who.key(), families: vec![Family::C2], at }
        },
    );
}
