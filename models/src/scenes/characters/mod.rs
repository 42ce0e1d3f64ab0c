//! Harmless devices: each is a name and a table of habits.
//!
//! What is drawn for a device (periods, names, sizes) differs from one scene to the next within the bounds of its table; a
//! character is what is left out together when it is asked how a forest does on a device that it never met.

mod fetchers;
mod home;
mod leisure;
mod machines;
mod office;
mod peers;
mod personal;
mod servers;

use super::chance::Between;
use super::deeds::{Ask, Deed, Speech, To, Visit};
use super::habit::{Habit, Rhythm};

/// A kind of device.
#[derive(Clone, Copy, Debug)]
pub struct Character {
    /// Its name, in `snake_case`.
    pub name: &'static str,
    /// The word of the labels for its kind.
    pub family: &'static str,
    /// What it does.
    pub habits: &'static [Habit],
}

/// Every character.
pub fn all() -> impl Iterator<Item = &'static Character> {
    [home::ALL, personal::ALL, peers::ALL, leisure::ALL, office::ALL, servers::ALL, machines::ALL, fetchers::ALL]
        .into_iter()
        .flatten()
}

/// What every device does on its link.
pub const ON_EVERY_LINK: [Habit; 2] =
    [Habit(now(30.0, 400.0), Deed::Link), Habit(Rhythm::Once(Between(0.5, 3_000.0)), Deed::Lease)];

/// Seconds that a conversation is kept open, up to a working day.
const LONG: Between = Between(3_000.0, 40_000.0);
/// Files on a share: long conversations of many short questions.
const SHARE: Visit = Visit::new(To::Here(240, 1), 445, Speech::Smb, Between(120.0, 900.0), Between(150.0, 30_000.0))
    .turns(Between(4.0, 20.0), Between(0.01, 3.0));

/// A period between these seconds, each beat off by up to this share.
const fn clock(from: f64, to: f64, jitter: f64) -> Rhythm {
    Rhythm::Clock(Between(from, to), jitter)
}

const fn now(from: f64, to: f64) -> Rhythm {
    Rhythm::Now(Between(from, to))
}

/// Seconds of being busy, of doing nothing, and between two things.
const fn spells(busy: (f64, f64), idle: (f64, f64), gap: (f64, f64)) -> Rhythm {
    Rhythm::Spells { busy: Between(busy.0, busy.1), idle: Between(idle.0, idle.1), gap: Between(gap.0, gap.1) }
}

/// A server of a vendor or a site.
const fn server(name: &'static str) -> To {
    To::Name(name, 1)
}

/// One beat of a conversation that is kept alive over TLS.
const fn beat(to: To, port: u16, up: (f64, f64), down: (f64, f64)) -> Visit {
    Visit::new(to, port, Speech::Tls, Between(up.0, up.1), Between(down.0, down.1))
}

/// One datagram each way, nearly always answered.
const fn ask(to: To, port: u16, up: (f64, f64), down: (f64, f64)) -> Ask {
    Ask {
        to,
        port,
        times: Between::exactly(1.0),
        up: Between(up.0, up.1),
        down: Between(down.0, down.1),
        answered: 0.995,
    }
}

/// Asks for the time.
const fn time(from: f64, to: f64) -> Habit {
    Habit(clock(from, to, 0.02), Deed::Ask(ask(To::Name("#.pool.ntp.example", 4), 123, (48.0, 48.0), (48.0, 48.0))))
}
