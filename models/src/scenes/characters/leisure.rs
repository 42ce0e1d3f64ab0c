//! Screens and games: long flows in one direction, and quick ones in both.

use crate::scenes::chance::Between;
use crate::scenes::deeds::{Call, Deed, To, Visit};
use crate::scenes::habit::Habit;

use super::{Character, LONG, beat, clock, now, server, spells, time};

pub const ALL: &[Character] = &[
    Character {
        name: "game_console",
        family: "benign_app",
        habits: &[
            Habit(
                spells((600.0, 1_200.0), (3_000.0, 9_000.0), (240.0, 500.0)),
                Deed::Call(Call {
                    to: To::Addresses(0, 12),
                    port: 3_074,
                    rates: (Between(15.0, 30.0), Between(15.0, 30.0)),
                    sizes: (Between(60.0, 180.0), Between(80.0, 500.0)),
                    lasting: Between(120.0, 240.0),
                }),
            ),
            Habit(
                clock(30.0, 60.0, 0.02),
                Deed::Keep(beat(server("presence.game.example"), 443, (60.0, 200.0), (60.0, 200.0)), LONG),
            ),
            Habit(
                now(1_200.0, 9_000.0),
                Deed::Visit(
                    Visit::http(To::Name("dl-#.game.example", 3), Between(80.0, 90.0), Between(200_000.0, 900_000.0))
                        .turns(Between(2.0, 6.0), Between(0.1, 2.0)),
                ),
            ),
            Habit(now(300.0, 3_600.0), Deed::Search("upnp:rootdevice")),
            time(1_800.0, 9_000.0),
        ],
    },
    Character {
        name: "smart_tv",
        family: "benign_app",
        habits: &[
            Habit(
                spells((900.0, 3_000.0), (1_800.0, 9_000.0), (9.0, 11.0)),
                Deed::Visit(Visit::tls(
                    To::Name("video-#.stream.example", 3),
                    Between(400.0, 700.0),
                    Between(90_000.0, 180_000.0),
                )),
            ),
            Habit(
                clock(55.0, 65.0, 0.02),
                Deed::Visit(Visit::tls(server("logs.tv.example"), Between(400.0, 3_000.0), Between(150.0, 300.0))),
            ),
            Habit(now(20.0, 200.0), Deed::Announce("_airplay._tcp.local")),
            Habit(now(60.0, 400.0), Deed::Search("ssdp:all")),
            Habit(
                now(900.0, 4_000.0),
                Deed::Visit(Visit::http(To::Name("ads.#.example", 8), Between(80.0, 90.0), Between(3_000.0, 60_000.0))),
            ),
            time(1_800.0, 5_000.0),
        ],
    },
    Character {
        name: "radio",
        family: "benign_app",
        habits: &[
            Habit(
                clock(2.0, 4.0, 0.1),
                Deed::Keep(
                    Visit::http(server("live.radio.example"), Between::exactly(0.0), Between(9_000.0, 18_000.0)),
                    LONG,
                ),
            ),
            Habit(
                now(600.0, 2_400.0),
                Deed::Visit(Visit::http(
                    server("stations.radio.example"),
                    Between(80.0, 90.0),
                    Between(2_000.0, 20_000.0),
                )),
            ),
            Habit(now(60.0, 300.0), Deed::Announce("_spotify-connect._tcp.local")),
        ],
    },
];
