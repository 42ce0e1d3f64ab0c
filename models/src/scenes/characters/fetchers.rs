//! Machines that fetch: pages, news, updates.

use crate::scenes::chance::Between;
use crate::scenes::deeds::{Deed, Speech, To, Visit};
use crate::scenes::habit::Habit;

use super::{Character, LONG, beat, clock, now, server, spells, time};

pub const ALL: &[Character] = &[
    Character {
        name: "crawler",
        family: "benign_misc",
        habits: &[
            Habit(
                spells((300.0, 900.0), (900.0, 3_600.0), (6.0, 90.0)),
                Deed::Absent(To::Name("#.test", 300), 443, Between(1.0, 2.0)),
            ),
            Habit(
                spells((300.0, 900.0), (900.0, 3_600.0), (30.0, 300.0)),
                Deed::Missing(To::Name("#.invalid", 300), Between(1.0, 2.0)),
            ),
            Habit(
                spells((300.0, 900.0), (900.0, 3_600.0), (1.0, 9.0)),
                Deed::Visit(
                    Visit::tls(To::Name("#.example", 700), Between(250.0, 500.0), Between(1_000.0, 50_000.0))
                        .times(Between(1.0, 4.0)),
                ),
            ),
            Habit(
                spells((200.0, 600.0), (900.0, 3_600.0), (2.0, 9.0)),
                Deed::Visit(Visit::http(
                    To::Name("feeds.#.example", 200),
                    Between(80.0, 120.0),
                    Between(500.0, 60_000.0),
                )),
            ),
        ],
    },
    Character {
        name: "feed_reader",
        family: "benign_app",
        habits: &[
            Habit(
                clock(900.0, 1_800.0, 0.01),
                Deed::Visit(
                    Visit::tls(To::Name("feed.#.example", 120), Between(250.0, 400.0), Between(200.0, 60_000.0))
                        .times(Between(20.0, 60.0)),
                ),
            ),
            Habit(
                clock(280.0, 320.0, 0.01),
                Deed::Visit(Visit::tls(
                    server("unread.reader.example"),
                    Between(300.0, 500.0),
                    Between(300.0, 3_000.0),
                )),
            ),
        ],
    },
    Character {
        name: "windows_update",
        family: "benign_office",
        habits: &[
            Habit(
                spells((200.0, 700.0), (1_800.0, 9_000.0), (3.0, 20.0)),
                Deed::Visit(Visit::http(
                    To::Name("#.dl.delivery.example", 9),
                    Between(80.0, 90.0),
                    Between(200_000.0, 1_000_000.0),
                )),
            ),
            Habit(
                now(600.0, 3_000.0),
                Deed::Visit(
                    Visit::tls(To::Name("fe#.update.example", 4), Between(900.0, 9_000.0), Between(2_000.0, 60_000.0))
                        .turns(Between(1.0, 5.0), Between(0.1, 2.0)),
                ),
            ),
            Habit(
                now(120.0, 900.0),
                Deed::Visit(Visit::tls(
                    server("telemetry.update.example"),
                    Between(900.0, 20_000.0),
                    Between(200.0, 500.0),
                )),
            ),
            Habit(
                now(900.0, 3_600.0),
                Deed::Visit(Visit::http(server("crl.trust.example"), Between(80.0, 90.0), Between(500.0, 9_000.0))),
            ),
            Habit(
                clock(220.0, 250.0, 0.02),
                Deed::Keep(beat(server("wns.push.example"), 443, (30.0, 60.0), (30.0, 60.0)), LONG),
            ),
            Habit(now(200.0, 900.0), Deed::Search("urn:schemas-upnp-org:device:InternetGatewayDevice:1")),
            time(3_600.0, 9_000.0),
        ],
    },
    Character {
        name: "package_update",
        family: "benign_misc",
        habits: &[
            Habit(
                spells((30.0, 120.0), (1_800.0, 7_200.0), (1.0, 5.0)),
                Deed::Visit(
                    Visit::http(To::Name("#.mirror.example", 3), Between(80.0, 90.0), Between(9_000.0, 300_000.0))
                        .turns(Between(1.0, 8.0), Between(0.01, 0.1)),
                ),
            ),
            Habit(
                now(3_000.0, 9_000.0),
                Deed::Visit(Visit::tls(
                    server("motd.distribution.example"),
                    Between(200.0, 300.0),
                    Between(300.0, 900.0),
                )),
            ),
            Habit(
                now(30.0, 600.0),
                Deed::Served(Visit::new(
                    To::Here(30, 3),
                    22,
                    Speech::Ssh,
                    Between(4_000.0, 9_000.0),
                    Between(9_000.0, 20_000.0),
                )),
            ),
            time(60.0, 2_000.0),
        ],
    },
];
