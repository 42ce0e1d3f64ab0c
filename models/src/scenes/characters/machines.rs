//! Machines that work by themselves, and the people who look after them.

use crate::scenes::chance::Between;
use crate::scenes::deeds::{Ask, Deed, Speech, To, Visit};
use crate::scenes::habit::Habit;

use super::{Character, LONG, ask, clock, server, spells, time};

pub const ALL: &[Character] = &[
    Character {
        name: "developer",
        family: "benign_misc",
        habits: &[
            Habit(
                spells((60.0, 600.0), (600.0, 4_000.0), (2.0, 40.0)),
                Deed::Absent(To::Here(246, 3), 8_080, Between(1.0, 3.0)),
            ),
            Habit(
                spells((60.0, 600.0), (600.0, 4_000.0), (5.0, 90.0)),
                Deed::Absent(To::Addresses(3, 4), 22, Between(1.0, 2.0)),
            ),
            Habit(
                spells((300.0, 3_000.0), (300.0, 1_800.0), (0.5, 20.0)),
                Deed::Keep(
                    Visit::new(To::Here(250, 3), 22, Speech::Ssh, Between(36.0, 200.0), Between(36.0, 3_000.0)),
                    Between(1_200.0, 14_000.0),
                ),
            ),
            Habit(
                spells((300.0, 1_800.0), (600.0, 3_000.0), (30.0, 300.0)),
                Deed::Visit(
                    Visit::new(
                        server("git.forge.example"),
                        22,
                        Speech::Ssh,
                        Between(2_000.0, 9_000.0),
                        Between(9_000.0, 300_000.0),
                    )
                    .turns(Between(2.0, 4.0), Between(0.05, 0.5)),
                ),
            ),
            Habit(
                spells((60.0, 300.0), (1_200.0, 5_400.0), (2.0, 9.0)),
                Deed::Visit(
                    Visit::tls(To::Name("static.#.example", 5), Between(200.0, 400.0), Between(9_000.0, 150_000.0))
                        .times(Between(2.0, 8.0)),
                ),
            ),
            Habit(
                spells((60.0, 600.0), (600.0, 2_400.0), (3.0, 60.0)),
                Deed::Visit(Visit::new(
                    To::Here(250, 5),
                    8_080,
                    Speech::Http,
                    Between(80.0, 900.0),
                    Between(100.0, 30_000.0),
                )),
            ),
            Habit(
                spells((60.0, 600.0), (600.0, 4_000.0), (5.0, 90.0)),
                Deed::Visit(Visit::new(
                    To::Addresses(0, 6),
                    8_080,
                    Speech::Http,
                    Between(80.0, 900.0),
                    Between(100.0, 30_000.0),
                )),
            ),
            Habit(
                spells((300.0, 1_800.0), (300.0, 1_800.0), (10.0, 120.0)),
                Deed::Visit(
                    Visit::tls(To::Name("docs.#.example", 40), Between(300.0, 900.0), Between(3_000.0, 120_000.0))
                        .times(Between(1.0, 4.0)),
                ),
            ),
            time(1_800.0, 5_000.0),
        ],
    },
    Character {
        name: "monitoring",
        family: "benign_misc",
        habits: &[
            Habit(clock(50.0, 70.0, 0.01), Deed::Absent(To::Here(245, 3), 9_100, Between(1.0, 4.0))),
            Habit(clock(4.0, 15.0, 0.01), Deed::Ping(To::Here(201, 40), Between(1.0, 3.0))),
            Habit(
                clock(20.0, 60.0, 0.01),
                Deed::Ask(Ask {
                    times: Between(8.0, 20.0),
                    ..ask(To::Here(201, 40), 161, (60.0, 120.0), (80.0, 900.0))
                }),
            ),
            Habit(
                clock(15.0, 60.0, 0.01),
                Deed::Visit(
                    Visit::http(To::Here(201, 40), Between(80.0, 90.0), Between(1_000.0, 40_000.0))
                        .times(Between(2.0, 9.0)),
                ),
            ),
            Habit(
                clock(55.0, 65.0, 0.01),
                Deed::Visit(
                    Visit::tls(To::Name("status.#.example", 12), Between(200.0, 400.0), Between(300.0, 5_000.0))
                        .times(Between(3.0, 9.0)),
                ),
            ),
            Habit(clock(50.0, 70.0, 0.01), Deed::Ping(To::Name("status.#.example", 12), Between(1.0, 3.0))),
            time(900.0, 3_600.0),
        ],
    },
    Character {
        name: "heartbeat",
        family: "benign_iot",
        habits: &[
            Habit(
                clock(10.0, 600.0, 0.02),
                Deed::Visit(Visit::tls(server("in.meter.example"), Between(150.0, 900.0), Between(80.0, 200.0))),
            ),
            Habit(
                clock(30.0, 120.0, 0.02),
                Deed::Ask(ask(server("coap.meter.example"), 5_683, (30.0, 80.0), (10.0, 30.0))),
            ),
            time(1_800.0, 9_000.0),
        ],
    },
    Character {
        name: "heartbeat_nameless",
        family: "benign_iot",
        habits: &[
            // What beacons look like, by a maker who knows no better: an address, a clock, the same few octets.
            Habit(
                clock(20.0, 900.0, 0.05),
                Deed::Visit(Visit::new(
                    To::Address(3),
                    8_080,
                    Speech::Http,
                    Between(500.0, 900.0),
                    Between(60.0, 200.0),
                )),
            ),
            Habit(
                clock(15.0, 60.0, 0.01),
                Deed::Keep(
                    Visit::new(To::Address(4), 32_100, Speech::Raw, Between(20.0, 60.0), Between(20.0, 60.0)),
                    LONG,
                ),
            ),
            time(900.0, 3_600.0),
        ],
    },
];
