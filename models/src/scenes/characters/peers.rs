//! Programs that talk to peers and relays rather than to servers with names.

use crate::scenes::chance::Between;
use crate::scenes::deeds::{Ask, Call, Deed, Speech, To, Visit};
use crate::scenes::habit::Habit;

use super::{Character, ask, clock, now, server, spells};

pub const ALL: &[Character] = &[
    Character {
        name: "vpn_client",
        family: "benign_app",
        habits: &[
            Habit(
                spells((60.0, 300.0), (300.0, 1_800.0), (10.0, 40.0)),
                Deed::Call(Call {
                    to: To::Address(1),
                    port: 51_820,
                    rates: (Between(5.0, 60.0), Between(8.0, 90.0)),
                    sizes: (Between(96.0, 900.0), Between(96.0, 1_400.0)),
                    lasting: Between(10.0, 60.0),
                }),
            ),
            Habit(clock(24.0, 26.0, 0.0), Deed::Ask(ask(To::Address(1), 51_820, (32.0, 32.0), (32.0, 32.0)))),
            Habit(
                now(600.0, 4_000.0),
                Deed::Visit(Visit::http(server("captive.vpn.example"), Between(80.0, 90.0), Between(10.0, 60.0))),
            ),
        ],
    },
    Character {
        name: "tor_client",
        family: "benign_app",
        habits: &[
            Habit(
                spells((120.0, 900.0), (300.0, 1_800.0), (2.0, 25.0)),
                Deed::Keep(
                    Visit::new(
                        To::Addresses(0, 3),
                        9_001,
                        Speech::Tls,
                        Between(514.0, 2_056.0),
                        Between(514.0, 40_000.0),
                    ),
                    Between(600.0, 3_600.0),
                ),
            ),
            Habit(
                clock(2.0, 5.0, 0.4),
                Deed::Keep(
                    Visit::new(
                        To::Addresses(0, 2),
                        443,
                        Speech::TlsUnnamed,
                        Between::exactly(514.0),
                        Between::exactly(514.0),
                    ),
                    Between(1_200.0, 9_000.0),
                ),
            ),
            Habit(
                now(1_500.0, 3_600.0),
                Deed::Visit(Visit::new(
                    To::Addresses(0, 9),
                    9_030,
                    Speech::Http,
                    Between(80.0, 90.0),
                    Between(30_000.0, 600_000.0),
                )),
            ),
        ],
    },
    Character {
        name: "peer_to_peer",
        family: "benign_app",
        habits: &[
            Habit(
                spells((300.0, 1_500.0), (900.0, 3_600.0), (5.0, 60.0)),
                Deed::Absent(To::Addresses(2, 300), 0, Between(1.0, 4.0)),
            ),
            Habit(
                spells((300.0, 1_500.0), (900.0, 3_600.0), (0.5, 6.0)),
                Deed::Ask(Ask {
                    times: Between(1.0, 4.0),
                    answered: 0.6,
                    ..ask(To::Addresses(0, 400), 0, (90.0, 110.0), (200.0, 400.0))
                }),
            ),
            Habit(
                spells((200.0, 900.0), (900.0, 3_600.0), (5.0, 40.0)),
                Deed::Visit(
                    Visit::new(
                        To::Addresses(0, 60),
                        6_881,
                        Speech::Raw,
                        Between(17.0, 70.0),
                        Between(16_000.0, 130_000.0),
                    )
                    .turns(Between(1.0, 4.0), Between(0.05, 1.0)),
                ),
            ),
            Habit(
                spells((200.0, 900.0), (900.0, 3_600.0), (8.0, 60.0)),
                Deed::Served(Visit::new(
                    To::Addresses(0, 60),
                    51_413,
                    Speech::Raw,
                    Between(17.0, 70.0),
                    Between(16_000.0, 100_000.0),
                )),
            ),
            Habit(
                clock(1_700.0, 1_900.0, 0.02),
                Deed::Visit(Visit::http(
                    To::Name("tracker.#.example", 4),
                    Between(80.0, 90.0),
                    Between(200.0, 2_000.0),
                )),
            ),
            Habit(now(900.0, 3_600.0), Deed::Search("urn:schemas-upnp-org:service:WANIPConnection:1")),
        ],
    },
];
