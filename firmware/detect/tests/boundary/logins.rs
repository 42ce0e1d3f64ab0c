//! Failed log-ins: more than 5 in 5 minutes at one service of one target, seen or estimated.

use terms::Family;

use crate::draw::{Crossing, Draw, SECOND, always_found, never_high};
use crate::frames::End;

const LIMIT: usize = 5;
const HORIZON: u64 = 300 * SECOND - 20 * SECOND;

/// A service, what it says at first, what a client says to log in, what a refusal and a success are.
#[derive(Clone, Copy)]
struct Service {
    port: u16,
    family: Family,
    hello: &'static str,
    asks: &'static str,
    refuses: &'static str,
    welcomes: &'static str,
}

const SERVICES: [Service; 9] = [
    Service {
        port: 21,
        family: Family::BruteForceFtp,
        hello: "220 ready\r\n",
        asks: "PASS secret\r\n",
        refuses: "530 Login incorrect.\r\n",
        welcomes: "230 Login successful.\r\n",
    },
    Service {
        port: 23,
        family: Family::BruteForceTelnet,
        hello: "\r\nlogin: ",
        asks: "root\r\n",
        refuses: "\r\nLogin incorrect\r\nlogin: ",
        welcomes: "\r\nLast login: today\r\n",
    },
    Service {
        port: 25,
        family: Family::BruteForceMail,
        hello: "220 mail\r\n",
        asks: "AUTH PLAIN AGEAYg==\r\n",
        refuses: "535 5.7.8 Error: authentication failed\r\n",
        welcomes: "235 2.7.0 Authentication successful\r\n",
    },
    Service {
        port: 587,
        family: Family::BruteForceMail,
        hello: "220 mail\r\n",
        asks: "AUTH PLAIN AGEAYg==\r\n",
        refuses: "535 5.7.8 Error: authentication failed\r\n",
        welcomes: "235 2.7.0 Authentication successful\r\n",
    },
    Service {
        port: 110,
        family: Family::BruteForceMail,
        hello: "+OK ready\r\n",
        asks: "PASS secret\r\n",
        refuses: "-ERR [AUTH] Authentication failed.\r\n",
        welcomes: "+OK Logged in.\r\n",
    },
    Service {
        port: 143,
        family: Family::BruteForceMail,
        hello: "* OK ready\r\n",
        asks: "a1 LOGIN bob secret\r\n",
        refuses: "a1 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
        welcomes: "a1 OK Logged in\r\n",
    },
    Service {
        port: 5432,
        family: Family::BruteForceDatabase,
        hello: "",
        asks: "p\0\0\0\u{8}abc\0",
        refuses: "E\0\0\0eSFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0",
        welcomes: "R\0\0\0\u{8}\0\0\0\0",
    },
    Service {
        port: 6379,
        family: Family::BruteForceDatabase,
        hello: "",
        asks: "AUTH secret\r\n",
        refuses: "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        welcomes: "+OK\r\n",
    },
    Service {
        port: 8080,
        family: Family::BruteForceHttp,
        hello: "",
        asks: "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\n\r\n",
        refuses: "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        welcomes: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    },
];

/// So many refused log-ins, one or several a conversation, perhaps a success at the end; the time of the last refusal.
fn refused(draw: &mut Draw, who: End, service: Service, moments: &[u64], then_in: bool) -> u64 {
    let target = draw.host();
    let tries = if draw.chance.percent(30) { 3 } else { 1 };
    let mut last = 0;
    for together in moments.chunks(tries) {
        let mut says = Vec::new();
        if !service.hello.is_empty() {
            says.push((false, service.hello.as_bytes().to_vec()));
        }
        for _ in together {
            says.push((true, service.asks.as_bytes().to_vec()));
            says.push((false, service.refuses.as_bytes().to_vec()));
        }
        last = draw.talk(together[0], who, target, service.port, &says);
    }
    if then_in {
        let says = [(true, service.asks.as_bytes().to_vec()), (false, service.welcomes.as_bytes().to_vec())];
        draw.talk(last + SECOND, who, target, service.port, &says);
    }
    last
}

#[test]
fn five_refused_log_ins_in_five_minutes_are_no_attack() {
    never_high("log-ins, 5 refused", |draw| {
        let (who, service) = (draw.host(), draw.chance.pick(&SERVICES));
        let moments = draw.moments(LIMIT, SECOND, HORIZON);
        let then_in = draw.chance.percent(50);
        refused(draw, who, service, &moments, then_in);
    });
}

#[test]
fn six_refused_log_ins_in_five_minutes_are_an_attack() {
    always_found("log-ins, 6 refused", |draw| {
        let (who, service) = (draw.host(), draw.chance.pick(&SERVICES));
        let moments = draw.moments(LIMIT + 1, SECOND, HORIZON);
        let at = refused(draw, who, service, &moments, false);
        Crossing { host: who.key(), families: vec![service.family], at }
    });
}

#[test]
fn refusals_of_which_no_five_minutes_hold_more_than_five_are_no_attack() {
    never_high("log-ins, slow", |draw| {
        let (who, service, target) = (draw.host(), draw.chance.pick(&SERVICES), draw.host());
        for at in draw.apart(12, 61 * SECOND) {
            let says = [(true, service.asks.as_bytes().to_vec()), (false, service.refuses.as_bytes().to_vec())];
            draw.talk(at, who, target, service.port, &says);
        }
    });
}

/// So many short conversations over an encrypted service that look like refused log-ins.
fn encrypted(draw: &mut Draw, moments: &[u64]) -> (End, Family, u64) {
    let (who, target) = (draw.host(), draw.host());
    let odd = draw.ports(1)[0];
    let (port, family) = draw.chance.pick(&[
        (22, Family::BruteForceSsh),
        (odd, Family::BruteForceSsh),
        (3389, Family::BruteForceRdp),
        (445, Family::BruteForceSmb),
    ]);
    let mut last = 0;
    for at in moments {
        let mut says = Vec::new();
        if family == Family::BruteForceSsh {
            says.push((false, b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n".to_vec()));
            says.push((true, b"SSH-2.0-libssh_0.10\r\n".to_vec()));
        }
        says.push((false, vec![0x20; draw.chance.count(900..1_300)]));
        says.push((true, vec![0x20; draw.chance.count(600..1_300)]));
        says.push((false, vec![0x21; draw.chance.count(60..500)]));
        last = draw.talk(*at, who, target, port, &says);
    }
    (who, family, last)
}

#[test]
fn five_short_encrypted_conversations_are_no_attack() {
    never_high("encrypted, 5", |draw| {
        let moments = draw.moments(LIMIT, SECOND, HORIZON);
        encrypted(draw, &moments);
    });
}

#[test]
fn six_short_encrypted_conversations_in_five_minutes_are_an_attack() {
    always_found("encrypted, 6", |draw| {
        let moments = draw.moments(LIMIT + 1, SECOND, HORIZON);
        let (who, family, at) = encrypted(draw, &moments);
        Crossing { host: who.key(), families: vec![family], at }
    });
}
