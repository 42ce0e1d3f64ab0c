//! Things of a house: they talk to their maker, by the clock.

use crate::scenes::chance::Between;
use crate::scenes::deeds::{Ask, Call, Deed, Speech, To, Visit};
use crate::scenes::habit::Habit;

use super::{Character, ask, beat, clock, now, server, spells, time};

const DAY: Between = Between(14_400.0, 90_000.0);

pub const ALL: &[Character] = &[
    Character {
        name: "camera",
        family: "benign_iot",
        habits: &[
            Habit(
                clock(25.0, 35.0, 0.02),
                Deed::Keep(beat(server("relay-%.cam.example"), 443, (60.0, 90.0), (40.0, 60.0)), DAY),
            ),
            Habit(
                now(240.0, 2_400.0),
                Deed::Visit(Visit::tls(
                    server("clips.cam.example"),
                    Between(30_000.0, 700_000.0),
                    Between(200.0, 600.0),
                )),
            ),
            Habit(
                spells((20.0, 90.0), (1_200.0, 9_000.0), (100.0, 200.0)),
                Deed::Call(Call {
                    to: server("live-%.cam.example"),
                    port: 0,
                    rates: (Between(40.0, 110.0), Between(1.0, 3.0)),
                    sizes: (Between(500.0, 1_200.0), Between(60.0, 120.0)),
                    lasting: Between(15.0, 80.0),
                }),
            ),
            time(900.0, 3_600.0),
        ],
    },
    Character {
        name: "door_lock",
        family: "benign_iot",
        habits: &[
            Habit(
                clock(50.0, 250.0, 0.01),
                Deed::Keep(beat(server("mqtt.lock.example"), 8_883, (50.0, 70.0), (40.0, 60.0)), DAY),
            ),
            Habit(
                spells((10.0, 60.0), (1_800.0, 9_000.0), (5.0, 30.0)),
                Deed::Visit(Visit::tls(server("events.lock.example"), Between(400.0, 1_500.0), Between(200.0, 900.0))),
            ),
            time(3_000.0, 8_000.0),
        ],
    },
    Character {
        name: "hub",
        family: "benign_iot",
        habits: &[
            Habit(now(40.0, 900.0), Deed::Absent(To::Here(215, 2), 80, Between(1.0, 3.0))),
            Habit(
                clock(20.0, 60.0, 0.02),
                Deed::Keep(beat(server("cloud.hub.example"), 443, (80.0, 500.0), (60.0, 200.0)), DAY),
            ),
            Habit(clock(10.0, 30.0, 0.05), Deed::Ask(ask(To::Here(201, 8), 5_683, (20.0, 60.0), (30.0, 120.0)))),
            Habit(now(20.0, 200.0), Deed::Announce("_hap._tcp.local")),
            Habit(now(600.0, 3_600.0), Deed::Search("upnp:rootdevice")),
            Habit(
                now(1_800.0, 12_000.0),
                Deed::Visit(Visit::tls(
                    server("firmware.hub.example"),
                    Between(300.0, 700.0),
                    Between(2_000.0, 30_000.0),
                )),
            ),
            time(600.0, 3_600.0),
        ],
    },
    Character {
        name: "smart_plug",
        family: "benign_iot",
        habits: &[
            Habit(now(900.0, 6_000.0), Deed::Absent(server("old.plug.example"), 8_886, Between(1.0, 2.0))),
            Habit(
                clock(1.0, 5.0, 0.01),
                Deed::Keep(beat(server("mq.plug.example"), 8_883, (40.0, 180.0), (20.0, 60.0)), DAY),
            ),
            Habit(
                clock(5.0, 12.0, 0.005),
                Deed::Ask(Ask { answered: 0.0, ..ask(To::Here(210, 1), 6_667, (140.0, 200.0), (0.0, 0.0)) }),
            ),
            time(600.0, 4_000.0),
        ],
    },
    Character {
        name: "light_bulb",
        family: "benign_iot",
        habits: &[
            Habit(
                clock(10.0, 60.0, 0.02),
                Deed::Keep(
                    Visit::new(To::Here(230, 1), 1_883, Speech::Mqtt, Between(2.0, 60.0), Between(2.0, 30.0)),
                    DAY,
                ),
            ),
            Habit(now(60.0, 600.0), Deed::Announce("_bulb._udp.local")),
        ],
    },
    Character {
        name: "thermostat",
        family: "benign_iot",
        habits: &[
            Habit(
                clock(240.0, 320.0, 0.01),
                Deed::Visit(Visit::tls(server("api.heat.example"), Between(500.0, 2_000.0), Between(300.0, 1_200.0))),
            ),
            Habit(
                clock(50.0, 70.0, 0.02),
                Deed::Keep(beat(server("push-%.heat.example"), 9_543, (40.0, 60.0), (40.0, 60.0)), DAY),
            ),
            Habit(
                now(1_800.0, 5_400.0),
                Deed::Visit(Visit::http(
                    server("weather.heat.example"),
                    Between(80.0, 90.0),
                    Between(2_000.0, 9_000.0),
                )),
            ),
            time(1_800.0, 7_200.0),
        ],
    },
    Character {
        name: "voice_assistant",
        family: "benign_voice_assistant",
        habits: &[
            Habit(
                clock(28.0, 62.0, 0.02),
                Deed::Keep(beat(server("edge-%.voice.example"), 443, (40.0, 120.0), (40.0, 120.0)), DAY),
            ),
            Habit(
                spells((10.0, 120.0), (900.0, 7_200.0), (6.0, 40.0)),
                Deed::Visit(Visit::tls(
                    server("speech.voice.example"),
                    Between(15_000.0, 120_000.0),
                    Between(3_000.0, 90_000.0),
                )),
            ),
            Habit(
                spells((300.0, 900.0), (3_600.0, 14_400.0), (8.0, 14.0)),
                Deed::Visit(Visit::tls(
                    To::Name("audio-#.voice.example", 4),
                    Between(300.0, 500.0),
                    Between(150_000.0, 320_000.0),
                )),
            ),
            Habit(now(30.0, 300.0), Deed::Announce("_googlecast._tcp.local")),
            Habit(now(120.0, 900.0), Deed::Search("urn:dial-multiscreen-org:service:dial:1")),
            Habit(
                clock(280.0, 320.0, 0.01),
                Deed::Visit(Visit::http(server("connectivity.voice.example"), Between(80.0, 90.0), Between(0.0, 20.0))),
            ),
            time(900.0, 3_600.0),
        ],
    },
    Character {
        name: "home_automation",
        family: "benign_iot",
        habits: &[
            Habit(clock(20.0, 90.0, 0.02), Deed::Absent(To::Here(190, 4), 80, Between(1.0, 3.0))),
            Habit(now(600.0, 3_600.0), Deed::Missing(server("%.local.lan"), Between(1.0, 2.0))),
            Habit(
                clock(5.0, 9.0, 0.01),
                Deed::Ask(Ask {
                    times: Between(18.0, 30.0),
                    ..ask(To::Here(201, 30), 4_387, (30.0, 80.0), (60.0, 300.0))
                }),
            ),
            Habit(
                clock(10.0, 60.0, 0.01),
                Deed::Visit(Visit::http(To::Here(201, 30), Between(90.0, 200.0), Between(200.0, 2_500.0))),
            ),
            Habit(now(15.0, 120.0), Deed::Announce("_hap._tcp.local")),
            Habit(
                now(1_200.0, 5_000.0),
                Deed::Visit(Visit::tls(
                    server("version.automation.example"),
                    Between(300.0, 500.0),
                    Between(1_000.0, 9_000.0),
                )),
            ),
            Habit(now(300.0, 1_800.0), Deed::Ping(To::Here(201, 30), Between(1.0, 3.0))),
            time(600.0, 3_600.0),
        ],
    },
];
