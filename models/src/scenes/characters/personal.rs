//! Phones, tablets, computers of people.

use crate::scenes::chance::Between;
use crate::scenes::deeds::{Call, Deed, Invented, To, Visit};
use crate::scenes::habit::{Habit, Rhythm};

use super::{Character, LONG, ask, beat, clock, now, server, spells, time};

/// A page: its own server and a few others, each with a few things to get.
const PAGE: Visit = Visit::tls(To::Name("www.#.example", 90), Between(300.0, 900.0), Between(4_000.0, 120_000.0))
    .turns(Between(1.0, 6.0), Between(0.02, 4.0));
const PARTS: Visit = Visit::tls(To::Name("#.cdn.example", 60), Between(250.0, 900.0), Between(800.0, 90_000.0))
    .turns(Between(1.0, 5.0), Between(0.02, 3.0))
    .times(Between(1.0, 6.0));
const READING: Rhythm = spells((120.0, 1_500.0), (300.0, 2_400.0), (6.0, 90.0));
/// HTTP/3.
const QUIC: Call = Call {
    to: To::Name("quic.#.example", 20),
    port: 443,
    rates: (Between(4.0, 30.0), Between(10.0, 90.0)),
    sizes: (Between(40.0, 400.0), Between(400.0, 1_250.0)),
    lasting: Between(1.0, 8.0),
};
pub const ALL: &[Character] = &[
    Character {
        name: "phone_android",
        family: "benign_app",
        habits: &[
            Habit(READING, Deed::Absent(To::Name("ads.#.test", 30), 443, Between(0.0, 2.0))),
            Habit(now(900.0, 7_200.0), Deed::Missing(To::Name("#.lan", 9), Between(1.0, 3.0))),
            Habit(
                clock(240.0, 1_500.0, 0.1),
                Deed::Keep(beat(server("mtalk.push.example"), 5_228, (30.0, 60.0), (30.0, 60.0)), LONG),
            ),
            Habit(READING, Deed::Visit(PARTS)),
            Habit(READING, Deed::Call(QUIC)),
            Habit(
                now(300.0, 2_400.0),
                Deed::Visit(Visit::http(server("connectivity-check.example"), Between(80.0, 90.0), Between(0.0, 10.0))),
            ),
            Habit(
                spells((60.0, 600.0), (600.0, 4_800.0), (3.0, 60.0)),
                Deed::Keep(beat(server("chat.example"), 443, (80.0, 3_000.0), (60.0, 9_000.0)), LONG),
            ),
            Habit(now(600.0, 3_600.0), Deed::Announce("_googlecast._tcp.local")),
            Habit(Rhythm::Once(Between(300.0, 9_000.0)), Deed::Lease),
        ],
    },
    Character {
        name: "phone_apple",
        family: "benign_app",
        habits: &[
            Habit(
                clock(500.0, 1_800.0, 0.1),
                Deed::Keep(beat(To::Name("#-courier.push.example", 50), 5_223, (30.0, 80.0), (30.0, 80.0)), LONG),
            ),
            Habit(READING, Deed::Visit(PAGE)),
            Habit(READING, Deed::Visit(PARTS)),
            Habit(now(100.0, 900.0), Deed::Announce("_companion-link._tcp.local")),
            Habit(
                now(400.0, 3_600.0),
                Deed::Visit(Visit::tls(
                    To::Name("p#-sync.cloud.example", 9),
                    Between(600.0, 60_000.0),
                    Between(400.0, 20_000.0),
                )),
            ),
            Habit(now(900.0, 5_400.0), Deed::Lookups(To::Name("_dns.#.example", 20), Between(1.0, 6.0))),
            time(3_000.0, 9_000.0),
        ],
    },
    Character {
        name: "e_reader",
        family: "benign_app",
        habits: &[
            Habit(
                spells((60.0, 400.0), (1_500.0, 9_000.0), (20.0, 120.0)),
                Deed::Visit(Visit::tls(server("sync.books.example"), Between(400.0, 2_500.0), Between(500.0, 6_000.0))),
            ),
            Habit(
                now(5_000.0, 20_000.0),
                Deed::Visit(Visit::tls(
                    server("store.books.example"),
                    Between(500.0, 900.0),
                    Between(100_000.0, 2_000_000.0),
                )),
            ),
            Habit(
                now(2_000.0, 9_000.0),
                Deed::Visit(Visit::http(server("wifistub.books.example"), Between(80.0, 90.0), Between(60.0, 90.0))),
            ),
        ],
    },
    Character {
        name: "laptop_home",
        family: "benign_app",
        habits: &[
            // A browser finds out whether its resolver invents answers.
            Habit(
                now(1_800.0, 14_000.0),
                Deed::Invented(Invented {
                    seed: 1,
                    times: Between::exactly(3.0),
                    gap: Between(0.01, 0.1),
                    letters: Between(7.0, 15.0),
                    kinds: 26,
                    exist: 0.0,
                }),
            ),
            Habit(now(120.0, 1_800.0), Deed::Absent(To::Here(222, 2), 445, Between(1.0, 2.0))),
            Habit(now(300.0, 2_400.0), Deed::Missing(To::Name("wpad.#.lan", 2), Between(1.0, 4.0))),
            Habit(READING, Deed::Visit(PAGE)),
            Habit(READING, Deed::Visit(PARTS)),
            Habit(READING, Deed::Call(QUIC)),
            Habit(
                clock(280.0, 320.0, 0.05),
                Deed::Visit(
                    Visit::tls(server("imap.mail.example"), Between(100.0, 400.0), Between(200.0, 20_000.0))
                        .turns(Between(2.0, 5.0), Between(0.02, 0.3)),
                ),
            ),
            Habit(
                now(600.0, 5_400.0),
                Deed::Visit(Visit::http(server("ocsp.trust.example"), Between(80.0, 90.0), Between(400.0, 2_000.0))),
            ),
            Habit(now(300.0, 1_800.0), Deed::Announce("_ipp._tcp.local")),
            Habit(now(600.0, 3_000.0), Deed::Search("urn:schemas-upnp-org:device:InternetGatewayDevice:1")),
            time(1_800.0, 5_000.0),
        ],
    },
    Character {
        name: "video_call",
        family: "benign_app",
        habits: &[
            Habit(
                spells((180.0, 360.0), (2_400.0, 5_400.0), (180.0, 360.0)),
                Deed::Call(Call {
                    to: To::Addresses(0, 6),
                    port: 3_478,
                    rates: (Between(20.0, 45.0), Between(25.0, 55.0)),
                    sizes: (Between(120.0, 1_150.0), Between(120.0, 1_150.0)),
                    lasting: Between(120.0, 280.0),
                }),
            ),
            Habit(
                clock(12.0, 30.0, 0.02),
                Deed::Keep(beat(server("signal-%.meet.example"), 443, (60.0, 300.0), (60.0, 500.0)), LONG),
            ),
            Habit(now(20.0, 90.0), Deed::Ask(ask(server("stun.meet.example"), 3_478, (20.0, 40.0), (60.0, 100.0)))),
            Habit(READING, Deed::Visit(PARTS)),
        ],
    },
];
