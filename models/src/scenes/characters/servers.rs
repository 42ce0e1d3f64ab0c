//! Computers that serve others, by day and by night.

use crate::scenes::chance::Between;
use crate::scenes::deeds::{Ask, Deed, Speech, To, Visit};
use crate::scenes::habit::Habit;

use super::{Character, LONG, SHARE, ask, beat, clock, now, server, spells, time};

pub const ALL: &[Character] = &[
    Character {
        name: "nas",
        family: "benign_office",
        habits: &[
            // The backup, piece by piece.
            Habit(
                spells((240.0, 700.0), (2_000.0, 7_000.0), (1.5, 3.0)),
                Deed::Keep(
                    Visit::tls(server("vault-%.backup.example"), Between(30_000.0, 90_000.0), Between(100.0, 300.0)),
                    LONG,
                ),
            ),
            Habit(
                spells((60.0, 900.0), (300.0, 2_400.0), (10.0, 90.0)),
                Deed::Served(Visit { to: To::Here(30, 9), ..SHARE }),
            ),
            Habit(now(60.0, 300.0), Deed::Announce("_smb._tcp.local")),
            Habit(
                now(1_800.0, 9_000.0),
                Deed::Visit(Visit::tls(
                    server("update.nas.example"),
                    Between(300.0, 600.0),
                    Between(1_000.0, 20_000.0),
                )),
            ),
            Habit(now(300.0, 900.0), Deed::Search("ssdp:all")),
            time(900.0, 3_600.0),
        ],
    },
    Character {
        name: "mail_server",
        family: "benign_office",
        habits: &[
            Habit(now(200.0, 1_800.0), Deed::Absent(To::Name("mx.#.test", 40), 25, Between(1.0, 2.0))),
            Habit(now(60.0, 900.0), Deed::Missing(To::Name("%.#.dnsbl.test", 5), Between(1.0, 3.0))),
            Habit(
                now(40.0, 500.0),
                Deed::Visit(
                    Visit::new(
                        To::Name("mx.#.example", 80),
                        25,
                        Speech::Smtp,
                        Between(500.0, 60_000.0),
                        Between(40.0, 90.0),
                    )
                    .turns(Between(3.0, 5.0), Between(0.02, 0.3)),
                ),
            ),
            Habit(
                now(5.0, 120.0),
                Deed::Served(
                    Visit::new(To::Addresses(0, 300), 25, Speech::Smtp, Between(500.0, 60_000.0), Between(40.0, 90.0))
                        .turns(Between(3.0, 5.0), Between(0.02, 0.3)),
                ),
            ),
            Habit(
                now(3.0, 40.0),
                Deed::Served(
                    Visit::new(To::Here(30, 20), 993, Speech::Tls, Between(60.0, 300.0), Between(100.0, 40_000.0))
                        .turns(Between(2.0, 6.0), Between(0.02, 0.3)),
                ),
            ),
            Habit(now(2.0, 60.0), Deed::Lookups(To::Name("mx.#.example", 900), Between(1.0, 5.0))),
            time(900.0, 3_600.0),
        ],
    },
    Character {
        name: "resolver",
        family: "benign_dns",
        habits: &[
            Habit(now(5.0, 240.0), Deed::Missing(To::Name("www.#.invalid", 18), Between(1.0, 2.0))),
            Habit(now(0.3, 8.0), Deed::Lookups(To::Name("www.#.example", 3_000), Between(1.0, 6.0))),
            Habit(now(0.5, 20.0), Deed::Lookups(To::Name("#.cdn.example", 900), Between(1.0, 4.0))),
            Habit(
                now(20.0, 200.0),
                Deed::Ask(Ask {
                    times: Between(1.0, 4.0),
                    ..ask(To::Addresses(0, 90), 53, (40.0, 60.0), (60.0, 400.0))
                }),
            ),
            Habit(
                now(900.0, 5_400.0),
                Deed::Visit(Visit::tls(
                    server("lists.filter.example"),
                    Between(300.0, 500.0),
                    Between(100_000.0, 900_000.0),
                )),
            ),
            time(900.0, 3_600.0),
        ],
    },
    Character {
        name: "cloud_sync",
        family: "benign_office",
        habits: &[
            Habit(
                clock(40.0, 70.0, 0.03),
                Deed::Keep(beat(server("notify.sync.example"), 443, (200.0, 500.0), (150.0, 400.0)), LONG),
            ),
            Habit(
                spells((60.0, 500.0), (600.0, 3_600.0), (4.0, 40.0)),
                Deed::Visit(Visit::tls(
                    server("content-%.sync.example"),
                    Between(20_000.0, 600_000.0),
                    Between(300.0, 900.0),
                )),
            ),
            Habit(
                spells((60.0, 300.0), (900.0, 5_400.0), (4.0, 40.0)),
                Deed::Visit(Visit::tls(
                    server("content-%.sync.example"),
                    Between(300.0, 900.0),
                    Between(20_000.0, 600_000.0),
                )),
            ),
            Habit(clock(29.0, 31.0, 0.01), Deed::Announce("_dbx-lansync._udp.local")),
        ],
    },
];
