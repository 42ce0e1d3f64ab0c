//! Devices that look for others, guess their passwords, and move on to them.

use terms::ThreatLevel::{High, Medium};

use crate::sample::Random;
use crate::scenes::chance::Between;
use crate::scenes::deeds::{Attempts, Deed, Door, Guesses, Knock, Speech, To, Visit};
use crate::scenes::habit::{Habit, Rhythm};

use super::Plot;

pub const ALL: &[Plot] = &[
    Plot { name: "port_scan_slow", family: "port_scan_slow", level: Medium, draw: slow_scan },
    Plot { name: "iot_botnet_spread", family: "port_scan_horizontal", level: High, draw: telnet },
    Plot { name: "worm_spread", family: "port_scan_horizontal", level: High, draw: worm },
    Plot { name: "brute_force_spray", family: "brute_force_spray", level: High, draw: spray },
    Plot { name: "brute_force_slow", family: "brute_force_ssh", level: High, draw: ssh },
    Plot { name: "lateral_movement", family: "lateral_movement", level: Medium, draw: lateral },
];

/// One port after the other, so slowly that no minute sees many.
fn slow_scan(random: &mut Random) -> Vec<Habit> {
    let ports = Attempts {
        seed: random.bits(),
        knock: Knock::Ports(2 + random.below(17) as u8),
        times: Between::exactly(1.0),
        gap: Between::exactly(1.0),
        open: 3.0,
    };
    let period = Between(6.0, 120.0).draw(random);
    vec![Habit(Rhythm::Clock(Between::exactly(period), 0.4 * random.share()), Deed::Attempts(ports))]
}

/// Telnet at strangers: from a few in ten minutes to some a second.
fn telnet(random: &mut Random) -> Vec<Habit> {
    let most = Between(1.0, 40.0).draw(random);
    let times = Between(1.0, most);
    let strangers =
        Attempts { seed: random.bits(), knock: Knock::Strangers(23, 2_323), times, gap: Between(0.05, 0.5), open: 3.0 };
    let period = Between(5.0, 240.0).draw(random);
    vec![Habit(Rhythm::Clock(Between::exactly(period), 0.2), Deed::Attempts(strangers))]
}

/// SMB at one neighbour after the other.
fn worm(random: &mut Random) -> Vec<Habit> {
    let neighbors = Attempts {
        seed: random.bits(),
        knock: Knock::Neighbors(445),
        times: Between(1.0, 1.0 + random.below(30) as f64),
        gap: Between(0.05, 2.0),
        open: 8.0,
    };
    let period = Between(10.0, 120.0).draw(random);
    vec![Habit(Rhythm::Clock(Between::exactly(period), 0.2), Deed::Attempts(neighbors))]
}

/// A guess at one host after the other, seldom enough that no host locks.
fn spray(random: &mut Random) -> Vec<Habit> {
    let guesses = Guesses {
        door: *random.pick(&[Door::Ftp, Door::Telnet, Door::Http, Door::Smb, Door::Ssh]),
        first: 201,
        hosts: 4 + random.below(36) as u8,
        times: Between::exactly(1.0),
        gap: Between::exactly(1.0),
    };
    let period = Between(5.0, 120.0).draw(random);
    vec![Habit(Rhythm::Clock(Between::exactly(period), 0.3), Deed::Guesses(guesses))]
}

/// Guesses at one SSH server, a few each hour up to some a minute.
fn ssh(random: &mut Random) -> Vec<Habit> {
    let guesses = Guesses {
        door: Door::Ssh,
        first: 201 + random.below(30) as u8,
        hosts: 1,
        times: Between(1.0, 3.0),
        gap: Between(1.0, 6.0),
    };
    let period = Between(20.0, 900.0).draw(random);
    vec![Habit(Rhythm::Clock(Between::exactly(period), 0.3), Deed::Guesses(guesses))]
}

/// Administration of hosts with which this device never had to do.
fn lateral(random: &mut Random) -> Vec<Habit> {
    let (speech, port) = *random.pick(&[
        (Speech::Smb, 445),
        (Speech::Ssh, 22),
        (Speech::Http, 5_985),
        (Speech::Tls, 3_389),
        (Speech::Raw, 135),
    ]);
    let hosts = To::Here(100 + random.below(60) as u8, 3 + random.below(20) as u8);
    let visit = Visit::new(hosts, port, speech, Between(300.0, 9_000.0), Between(300.0, 20_000.0))
        .turns(Between(3.0, 30.0), Between(0.05, 6.0));
    let rhythm =
        Rhythm::Spells { busy: Between(120.0, 900.0), idle: Between(900.0, 3_600.0), gap: Between(10.0, 120.0) };
    vec![Habit(rhythm, Deed::Visit(visit))]
}
