//! An office: its computers, and what stands beside them.

use crate::scenes::chance::Between;
use crate::scenes::deeds::{Deed, Door, Guesses, Speech, Spelt, To, Visit};
use crate::scenes::habit::{Habit, Rhythm};

use super::{Character, LONG, SHARE, beat, clock, now, server, spells, time};

const AT_WORK: Rhythm = spells((300.0, 2_400.0), (300.0, 1_800.0), (10.0, 120.0));

pub const ALL: &[Character] = &[
    Character {
        name: "laptop_office",
        family: "benign_office",
        habits: &[
            // A scanner of files asks for their digests by name.
            Habit(
                spells((10.0, 120.0), (300.0, 2_400.0), (1.0, 20.0)),
                Deed::Spelt(Spelt {
                    to: server("digest.scanner.example"),
                    times: Between(1.0, 4.0),
                    gap: Between(0.05, 1.0),
                    letters: Between(26.0, 40.0),
                    qtype: 1,
                }),
            ),
            // Somebody mistypes a password.
            Habit(
                now(2_400.0, 20_000.0),
                Deed::Guesses(Guesses {
                    door: Door::Smb,
                    first: 240,
                    hosts: 1,
                    times: Between(1.0, 3.0),
                    gap: Between(4.0, 20.0),
                }),
            ),
            Habit(now(200.0, 1_800.0), Deed::Missing(To::Name("#.corp.test", 20), Between(1.0, 5.0))),
            Habit(now(600.0, 3_600.0), Deed::Absent(To::Here(247, 2), 445, Between(1.0, 2.0))),
            Habit(
                AT_WORK,
                Deed::Visit(
                    Visit::tls(To::Name("www.#.example", 60), Between(300.0, 900.0), Between(3_000.0, 90_000.0))
                        .turns(Between(1.0, 6.0), Between(0.05, 5.0))
                        .times(Between(1.0, 4.0)),
                ),
            ),
            Habit(
                clock(50.0, 130.0, 0.1),
                Deed::Keep(
                    Visit::new(
                        server("imap.work.example"),
                        993,
                        Speech::Tls,
                        Between(30.0, 300.0),
                        Between(60.0, 20_000.0),
                    ),
                    LONG,
                ),
            ),
            Habit(AT_WORK, Deed::Keep(SHARE, Between(900.0, 7_200.0))),
            Habit(
                clock(15.0, 60.0, 0.05),
                Deed::Keep(beat(server("teams.work.example"), 443, (60.0, 900.0), (60.0, 3_000.0)), LONG),
            ),
            Habit(
                now(900.0, 5_400.0),
                Deed::Visit(Visit::new(
                    To::Here(241, 1),
                    9_100,
                    Speech::Raw,
                    Between(20_000.0, 600_000.0),
                    Between(20.0, 60.0),
                )),
            ),
            Habit(
                now(900.0, 5_400.0),
                Deed::Visit(
                    Visit::new(
                        server("smtp.work.example"),
                        465,
                        Speech::Tls,
                        Between(900.0, 300_000.0),
                        Between(40.0, 90.0),
                    )
                    .turns(Between(3.0, 5.0), Between(0.02, 0.2)),
                ),
            ),
            Habit(now(60.0, 400.0), Deed::Announce("_ipp._tcp.local")),
            time(3_000.0, 9_000.0),
        ],
    },
    Character {
        name: "printer",
        family: "benign_office",
        habits: &[
            Habit(now(10.0, 90.0), Deed::Announce("_ipp._tcp.local")),
            Habit(
                now(400.0, 3_600.0),
                Deed::Served(Visit::new(
                    To::Here(30, 20),
                    631,
                    Speech::Http,
                    Between(500.0, 500_000.0),
                    Between(150.0, 600.0),
                )),
            ),
            Habit(
                clock(50.0, 70.0, 0.05),
                Deed::Served(Visit::new(
                    To::Here(242, 1),
                    80,
                    Speech::Http,
                    Between(80.0, 90.0),
                    Between(300.0, 3_000.0),
                )),
            ),
            Habit(
                now(2_000.0, 9_000.0),
                Deed::Visit(Visit::tls(server("ink.printer.example"), Between(500.0, 3_000.0), Between(300.0, 900.0))),
            ),
            Habit(now(300.0, 1_800.0), Deed::Search("urn:schemas-upnp-org:device:Printer:1")),
            time(3_600.0, 14_400.0),
        ],
    },
    Character {
        name: "pos_terminal",
        family: "benign_office",
        habits: &[
            Habit(
                spells((600.0, 5_000.0), (300.0, 1_800.0), (30.0, 300.0)),
                Deed::Visit(
                    Visit::new(
                        server("auth.pay.example"),
                        8_443,
                        Speech::Tls,
                        Between(600.0, 1_500.0),
                        Between(400.0, 1_200.0),
                    )
                    .turns(Between(1.0, 3.0), Between(0.5, 4.0)),
                ),
            ),
            Habit(
                clock(55.0, 65.0, 0.01),
                Deed::Visit(Visit::new(
                    To::Address(7),
                    7_000,
                    Speech::TlsUnnamed,
                    Between(90.0, 100.0),
                    Between(90.0, 100.0),
                )),
            ),
            Habit(
                clock(10.0, 30.0, 0.02),
                Deed::Keep(
                    Visit::new(To::Here(245, 1), 1_433, Speech::Raw, Between(90.0, 400.0), Between(60.0, 1_500.0)),
                    LONG,
                ),
            ),
            time(1_800.0, 9_000.0),
        ],
    },
    Character {
        name: "administrator",
        family: "benign_office",
        habits: &[
            // Looks after many hosts, as those do who move on through a network.
            Habit(
                spells((120.0, 900.0), (600.0, 3_600.0), (15.0, 120.0)),
                Deed::Visit(
                    Visit::new(
                        To::Here(201, 25),
                        3_389,
                        Speech::Tls,
                        Between(100.0, 2_000.0),
                        Between(500.0, 30_000.0),
                    )
                    .turns(Between(5.0, 40.0), Between(0.05, 3.0)),
                ),
            ),
            Habit(
                spells((120.0, 900.0), (600.0, 3_600.0), (15.0, 120.0)),
                Deed::Visit(
                    Visit::new(To::Here(201, 25), 22, Speech::Ssh, Between(36.0, 900.0), Between(200.0, 9_000.0))
                        .turns(Between(8.0, 60.0), Between(0.1, 3.0)),
                ),
            ),
            Habit(
                spells((60.0, 600.0), (900.0, 5_400.0), (5.0, 60.0)),
                Deed::Visit(
                    Visit::new(
                        To::Here(201, 25),
                        5_985,
                        Speech::Http,
                        Between(500.0, 3_000.0),
                        Between(300.0, 9_000.0),
                    )
                    .turns(Between(3.0, 20.0), Between(0.05, 2.0)),
                ),
            ),
            Habit(
                spells((30.0, 200.0), (900.0, 5_400.0), (1.0, 6.0)),
                Deed::Ping(To::Here(201, 40), Between(1.0, 4.0)),
            ),
            Habit(
                now(900.0, 7_200.0),
                Deed::Guesses(Guesses {
                    door: Door::Ssh,
                    first: 205,
                    hosts: 6,
                    times: Between(1.0, 3.0),
                    gap: Between(3.0, 15.0),
                }),
            ),
            Habit(now(600.0, 3_600.0), Deed::Absent(To::Here(230, 6), 3_389, Between(1.0, 2.0))),
            Habit(
                now(30.0, 400.0),
                Deed::Visit(
                    Visit::tls(To::Name("docs.#.example", 40), Between(300.0, 900.0), Between(3_000.0, 90_000.0))
                        .times(Between(1.0, 3.0)),
                ),
            ),
            time(1_800.0, 5_000.0),
        ],
    },
];
