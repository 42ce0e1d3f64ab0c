//! Devices that send away what is not theirs, or what nobody wants.

use terms::ThreatLevel::{High, Medium};

use crate::sample::Random;
use crate::scenes::chance::Between;
use crate::scenes::deeds::{Deed, Speech, Spelt, To, Visit};
use crate::scenes::habit::{Habit, Rhythm};

use super::Plot;

/// The type of a record with an address, and of one with free text.
const A: u16 = 1;
const TXT: u16 = 16;

pub const ALL: &[Plot] = &[
    Plot { name: "dns_exfiltration", family: "dns_exfiltration", level: High, draw: in_names },
    Plot { name: "dns_tunnel", family: "dns_tunnel", level: High, draw: tunnel },
    Plot { name: "exfiltration", family: "exfiltration", level: Medium, draw: uploads },
    Plot { name: "spam_sending", family: "spam_sending", level: Medium, draw: spam },
];

/// A file spelt in names, slowly, some each time.
fn in_names(random: &mut Random) -> Vec<Habit> {
    let least = 16.0 + 60.0 * random.share();
    let data = Spelt {
        to: To::Drawn(random.bits()),
        times: Between(1.0, 20.0),
        gap: Between(0.2, 0.2 + 20.0 * random.share()),
        letters: Between(least, least + 90.0 * random.share()),
        qtype: *random.pick(&[A, A, TXT]),
    };
    let idle = Between(10.0, 300.0 + 1_500.0 * random.share());
    vec![Habit(Rhythm::Now(idle), Deed::Spelt(data))]
}

/// A tunnel that polls for what there is, and in most cases carries a burst now and then.
fn tunnel(random: &mut Random) -> Vec<Habit> {
    let to = To::Drawn(random.bits());
    let qtype = *random.pick(&[TXT, 5, 10]);
    let period = Between(1.0, 60.0).draw(random);
    let poll =
        Spelt { to, times: Between::exactly(1.0), gap: Between::exactly(0.1), letters: Between(12.0, 30.0), qtype };
    let burst = Spelt { times: Between(20.0, 200.0), gap: Between(0.03, 0.4), letters: Between(60.0, 180.0), ..poll };
    let mut habits = vec![Habit(Rhythm::Clock(Between::exactly(period), 0.1), Deed::Spelt(poll))];
    if random.happens(0.6) {
        habits.push(Habit(Rhythm::Now(Between(300.0, 3_600.0)), Deed::Spelt(burst)));
    }
    habits
}

/// Uploads to a place where this device never sent anything.
fn uploads(random: &mut Random) -> Vec<Habit> {
    let number = random.bits();
    let (to, speech, port) = *random.pick(&[
        (To::Drawn(number), Speech::TlsForeign, 443),
        (To::Address(number), Speech::TlsForeignUnnamed, 443),
        (To::Address(number), Speech::Ssh, 22),
        (To::Address(number), Speech::Http, 80),
        (To::Drawn(number), Speech::Raw, 21_021),
    ]);
    let most = 200_000.0 + 2_000_000.0 * random.share();
    let piece = Visit::new(to, port, speech, Between(60_000.0, most), Between(60.0, 300.0));
    let rhythm = match random.below(2) {
        0 => Rhythm::Clock(Between::exactly(Between(120.0, 1_800.0).draw(random)), 0.1),
        _ => Rhythm::Spells { busy: Between(60.0, 400.0), idle: Between(1_200.0, 5_400.0), gap: Between(3.0, 20.0) },
    };
    vec![Habit(rhythm, Deed::Visit(piece))]
}

/// Mail to many servers, each of which is asked for by name.
fn spam(random: &mut Random) -> Vec<Habit> {
    let mail =
        Visit::new(To::Name("mx.#.example", 900), 25, Speech::Smtp, Between(600.0, 9_000.0), Between(40.0, 90.0))
            .turns(Between(2.0, 4.0), Between(0.02, 0.2))
            .times(Between(1.0, 5.0));
    let most = Between(10.0, 200.0).draw(random);
    vec![Habit(Rhythm::Now(Between(1.0, most)), Deed::Visit(mail))]
}
