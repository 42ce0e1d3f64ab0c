//! Devices that report to a stranger and wait for orders.

use terms::ThreatLevel::{High, Medium};

use crate::sample::Random;
use crate::scenes::chance::Between;
use crate::scenes::deeds::{Ask, Deed, Invented, Speech, To, Visit};
use crate::scenes::habit::{Habit, Rhythm};

use super::Plot;

pub const ALL: &[Plot] = &[
    Plot { name: "beacon", family: "beacon", level: High, draw: |random| beacon(random, 0.0, 0.05) },
    Plot { name: "beacon_jitter", family: "beacon_jitter", level: High, draw: |random| beacon(random, 0.1, 0.5) },
    Plot { name: "c2_rat", family: "c2_rat", level: High, draw: rat },
    Plot { name: "c2_http", family: "c2", level: High, draw: over_http },
    Plot { name: "c2_peers", family: "c2", level: High, draw: over_peers },
    Plot { name: "dga", family: "dga", level: Medium, draw: dga },
    Plot { name: "cryptomining", family: "cryptomining", level: Medium, draw: mining },
];

/// A server of a stranger: half of them have names.
fn stranger(random: &mut Random) -> To {
    let number = random.bits();
    if random.happens(0.5) { To::Drawn(number) } else { To::Address(number) }
}

/// How implants speak, and at which port.
fn disguise(random: &mut Random) -> (Speech, u16) {
    *random.pick(&[
        (Speech::TlsForeign, 443),
        (Speech::TlsForeign, 443),
        (Speech::TlsForeignUnnamed, 443),
        (Speech::TlsForeignUnnamed, 8_443),
        (Speech::Http, 80),
        (Speech::Http, 8_080),
        (Speech::Raw, 443),
        (Speech::Raw, 4_444),
        (Speech::Raw, 50_050),
    ])
}

/// The same short visit again and again: a period of 10 s to 1 h, now and then an order.
fn beacon(random: &mut Random, least_jitter: f64, most_jitter: f64) -> Vec<Habit> {
    let period = Between(10.0, 3_600.0).draw(random);
    let jitter = least_jitter + (most_jitter - least_jitter) * random.share();
    let (to, (speech, port)) = (stranger(random), disguise(random));
    let (up, down) = (Between(90.0, 900.0).draw(random), Between(60.0, 600.0).draw(random));
    let spread = 1.0 + 0.2 * random.share();
    let visit = Visit::new(to, port, speech, Between(up, up * spread), Between(down, down * spread));
    let order = Visit { up: Between(900.0, 40_000.0), down: Between(300.0, 60_000.0), ..visit };
    vec![
        Habit(Rhythm::Clock(Between::exactly(period), jitter), Deed::Visit(visit)),
        Habit(Rhythm::Now(Between(period * 8.0, period * 60.0)), Deed::Visit(order)),
    ]
}

/// A long thin session that is kept alive, and orders in a second one: short questions from afar, long answers.
fn rat(random: &mut Random) -> Vec<Habit> {
    let (to, (speech, port)) = (stranger(random), disguise(random));
    let alive = Between(5.0, 120.0).draw(random);
    let size = Between(20.0, 200.0).draw(random);
    let lasting = Between(3_600.0, 40_000.0);
    let kept = Visit::new(to, port, speech, Between(size, size + 6.0), Between(size * 0.8, size));
    let orders = Visit { up: Between(200.0, 30_000.0), down: Between(20.0, 200.0), ..kept };
    let at_the_keyboard =
        Rhythm::Spells { busy: Between(60.0, 900.0), idle: Between(300.0, 3_600.0), gap: Between(2.0, 40.0) };
    vec![
        Habit(Rhythm::Clock(Between::exactly(alive), 0.02), Deed::Keep(kept, lasting)),
        Habit(at_the_keyboard, Deed::Keep(orders, Between(1_800.0, 9_000.0))),
    ]
}

/// Requests to a few addresses in turn, as loaders make them.
fn over_http(random: &mut Random) -> Vec<Habit> {
    let many = 1 + random.below(4) as u16;
    let port = *random.pick(&[80, 80, 8_080, 8_000, 81]);
    let visit =
        Visit::new(To::Addresses(random.bits(), many), port, Speech::Http, Between(120.0, 900.0), Between(0.0, 900.0));
    let load = Visit { up: Between(80.0, 90.0), down: Between(60_000.0, 900_000.0), ..visit };
    let period = Between(20.0, 900.0).draw(random);
    vec![
        Habit(Rhythm::Clock(Between::exactly(period), 0.3 * random.share()), Deed::Visit(visit)),
        Habit(Rhythm::Now(Between(600.0, 5_400.0)), Deed::Visit(load)),
    ]
}

/// Datagrams to ever the same peers, many of which are gone.
fn over_peers(random: &mut Random) -> Vec<Habit> {
    let ask = Ask {
        to: To::Addresses(random.bits(), 20 + random.below(120) as u16),
        port: 0,
        times: Between(1.0, 6.0),
        up: Between(30.0, 80.0),
        down: Between(40.0, 300.0),
        answered: 0.2 + 0.4 * random.share(),
    };
    let period = Between(10.0, 240.0).draw(random);
    vec![Habit(Rhythm::Clock(Between::exactly(period), 0.2), Deed::Ask(ask))]
}

/// Names by an algorithm until one exists, and again some time later.
fn dga(random: &mut Random) -> Vec<Habit> {
    let least = 7.0 + random.below(8) as f64;
    let names = Invented {
        seed: random.bits(),
        times: Between(5.0, 60.0),
        gap: Between(0.05, 0.05 + 8.0 * random.share()),
        letters: Between(least, least + random.below(12) as f64),
        kinds: *random.pick(&[26, 26, 36, 0]),
        exist: 1.0,
    };
    let found = To::Drawn(random.bits());
    vec![
        Habit(Rhythm::Now(Between(120.0, 2_400.0)), Deed::Invented(names)),
        Habit(
            Rhythm::Now(Between(600.0, 3_600.0)),
            Deed::Visit(Visit::http(found, Between(200.0, 900.0), Between(60.0, 9_000.0))),
        ),
    ]
}

/// A pool's jobs as they come, and shares as they are found; some speak in the clear.
fn mining(random: &mut Random) -> Vec<Habit> {
    let (speech, port) = *random.pick(&[
        (Speech::Stratum, 3_333),
        (Speech::Stratum, 14_444),
        (Speech::TlsForeign, 443),
        (Speech::TlsForeignUnnamed, 9_000),
    ]);
    let to = stranger(random);
    let visit = Visit::new(to, port, speech, Between(180.0, 320.0), Between(80.0, 480.0));
    let period = Between(5.0, 60.0).draw(random);
    vec![Habit(Rhythm::Clock(Between::exactly(period), 0.5), Deed::Keep(visit, Between(7_000.0, 60_000.0)))]
}
